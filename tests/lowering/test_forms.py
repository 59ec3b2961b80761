"""Every fast form equals the plain one in value and gradient, alone, in a loop, under vmap and in bfloat16."""

import concurrent.futures
import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax

from jkeras import lowering
from jkeras.lowering import plain

CONVOLUTIONS = [
    # input, kernel, strides, padding, dilation
    ((2, 9, 3), (3, 3, 4), (1,), "valid", (1,)),
    ((2, 9, 3), (3, 3, 4), (2,), "same", (1,)),
    ((2, 9, 3), (3, 3, 4), (1,), "causal", (2,)),
    ((2, 7, 8, 3), (3, 2, 3, 4), (1, 1), "same", (1, 1)),
    ((2, 7, 8, 3), (3, 3, 3, 4), (2, 1), "valid", (1, 1)),
    ((2, 8, 7, 3), (2, 3, 3, 4), (3, 2), "same", (1, 1)),
    ((2, 9, 8, 2), (3, 2, 2, 4), (1, 1), "same", (2, 3)),
    ((2, 6, 7, 1), (3, 3, 1, 4), (1, 1), "valid", (1, 1)),
    ((2, 6, 7, 1), (3, 3, 1, 4), (2, 2), "same", (1, 1)),
    ((2, 5, 6, 3), (1, 1, 3, 4), (2, 1), "valid", (1, 1)),
    ((1, 5, 4, 6, 2), (2, 3, 2, 2, 3), (1, 2, 1), "same", (1, 1, 1)),
    ((2, 7, 8, 3), (3, 2, 3, 4), (2, 3), ((2, 0), (1, 3)), (1, 1)),
    ((2, 7, 3), (1, 3, 4), (1,), ((1, 0),), (1,)),
    ((1, 2, 5, 3), (3, 3, 3, 4), (1, 1), "valid", (1, 1)),
]
GROUPED = [
    ((2, 7, 8, 4), (3, 3, 2, 6), 2, (2, 1), "same", (1, 1)),
    ((2, 9, 6), (3, 2, 3), 3, (1,), "valid", (2,)),
    ((2, 7, 8, 4), (3, 3, 1, 8), 4, (2, 2), "same", (1, 1)),
    ((2, 5, 5, 4), (1, 1, 2, 4), 2, (2, 2), "same", (1, 1)),
]
TRANSPOSED = [
    # input, kernel, strides, padding, output padding, dilation
    ((2, 5, 3), (3, 2, 3), (2,), "same", None, (1,)),
    ((2, 5, 3), (2, 2, 3), (3,), "valid", None, (1,)),
    ((2, 4, 5, 3), (3, 3, 2, 3), (2, 2), "same", (1, 0), (1, 1)),
    ((2, 4, 5, 3), (4, 2, 2, 3), (2, 1), "valid", (1, 0), (1, 1)),
    ((2, 4, 5, 3), (3, 3, 2, 3), (1, 1), "same", None, (2, 2)),
    ((2, 4, 5, 3), (1, 2, 2, 3), (3, 3), "valid", None, (1, 1)),
    ((1, 3, 2, 3, 2), (2, 3, 2, 3, 2), (2, 1, 2), "same", None, (1, 1, 1)),
]
DEPTHWISE = [
    ((2, 9, 3), (3, 3, 2), (2,), "same", (1,)),
    ((2, 7, 8, 3), (3, 3, 3, 1), (1, 1), "same", (1, 1)),
    ((2, 7, 8, 3), (3, 2, 3, 2), (2, 2), "valid", (1, 1)),
    ((2, 9, 8, 3), (3, 2, 3, 1), (1, 1), "valid", (2, 2)),
    ((2, 9, 8, 3), (2, 3, 3, 2), (2, 3), "valid", (2, 2)),
    ((2, 11, 11, 3), (2, 2, 3, 1), (3, 4), "same", (1, 1)),
    ((1, 4, 5, 6, 2), (2, 3, 2, 2, 2), (1, 2, 2), "same", (1, 1, 1)),
    ((0, 5, 5, 3), (3, 3, 3, 1), (1, 1), "same", (1, 1)),
]
POOLS = [
    ((2, 9, 3), (2,), (2,), "valid"),
    ((2, 9, 3), (3,), (2,), "same"),
    ((2, 7, 8, 3), (2, 2), (2, 2), "valid"),
    ((2, 7, 8, 3), (3, 3), (2, 2), "same"),
    ((2, 7, 8, 3), (3, 2), (1, 1), "same"),
    ((2, 7, 8, 3), (2, 2), (3, 3), "valid"),
    ((1, 5, 6, 4, 2), (2, 3, 2), (2, 1, 2), "same"),
    ((2, 2, 5, 3), (3, 2), (1, 2), "valid"),
]


def value_and_gradients(function, *inputs):
    def total(*values):
        out = function(*values)
        return jnp.sum(out * jnp.cos(jnp.arange(out.size, dtype=out.dtype)).reshape(out.shape)), out

    (_, out), gradients = jax.value_and_grad(total, argnums=tuple(range(len(inputs))), has_aux=True)(*inputs)
    return out, gradients


def in_a_loop(function, *inputs):
    def body(carry, _):
        return jax.tree.map(lambda a, b: a + b, carry, function(*inputs)), None

    first = jax.tree.map(jnp.zeros_like, jax.eval_shape(function, *inputs))
    first = jax.tree.map(lambda spec: jnp.zeros(spec.shape, spec.dtype), first)
    return lax.scan(body, first, length=1)[0]


def assert_equal_forms(fast, stock, *inputs):
    expected = jax.jit(lambda *v: value_and_gradients(stock, *v))(*inputs)
    result = jax.jit(lambda *v: in_a_loop(lambda *w: value_and_gradients(fast, *w), *v))(*inputs)
    chex.assert_trees_all_close(result, expected, rtol=1e-5, atol=1e-5)


def forms(name, **options):
    return (lambda *v: getattr(lowering, name)(*v, **options)), (lambda *v: getattr(plain, name)(*v, **options))


@pytest.mark.parametrize(("shape", "kernel", "strides", "padding", "dilation"), CONVOLUTIONS)
def test_convolution(shape, kernel, strides, padding, dilation, rng):
    x, w = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in (shape, kernel))
    fast, stock = forms("conv", strides=strides, padding=padding, dilation=dilation)
    assert_equal_forms(fast, stock, x, w)


@pytest.mark.parametrize(("platform", "strides", "operation"), [
    ("cpu", 1, "dot_general"), ("cuda", 1, "convolution"), ("tpu", 1, "convolution"),
    ("cpu", 2, "dot_general"), ("cuda", 2, "convolution"), ("tpu", 2, "convolution"),
])  # fmt: skip
def test_windows_of_one_element(platform, strides, operation):
    # XLA's compiler for GPUs ends the process at some products of every second row, as ResNet's shortcuts have them.
    fast, _ = forms("conv", strides=(strides, strides), padding="valid", dilation=(1, 1))
    specs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((2, 8, 8, 3), (1, 1, 3, 4))]
    text = export.export(jax.jit(lambda *v: value_and_gradients(fast, *v)), platforms=(platform,))(*specs).mlir_module()
    present = [name for name in ("dot_general", "convolution") if f"stablehlo.{name}" in text]
    assert present == [operation]


@pytest.mark.parametrize(("shape", "kernel", "strides", "padding", "dilation"), DEPTHWISE)
def test_depthwise_convolution(shape, kernel, strides, padding, dilation, rng):
    x, w = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in (shape, kernel))
    fast, stock = forms("depthwise_conv", strides=strides, padding=padding, dilation=dilation)
    assert_equal_forms(fast, stock, x, w)


@pytest.mark.parametrize(("shape", "kernel", "groups", "strides", "padding", "dilation"), GROUPED)
def test_grouped_convolution(shape, kernel, groups, strides, padding, dilation, rng):
    x, w = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in (shape, kernel))
    fast, stock = forms("conv", strides=strides, padding=padding, dilation=dilation, groups=groups)
    assert_equal_forms(fast, stock, x, w)


@pytest.mark.parametrize(("shape", "kernel", "strides", "padding", "output_padding", "dilation"), TRANSPOSED)
def test_transposed_convolution(shape, kernel, strides, padding, output_padding, dilation, rng):
    x, w = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in (shape, kernel))
    options = {"strides": strides, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    fast, stock = forms("conv_transpose", **options)
    assert_equal_forms(fast, stock, x, w)


@pytest.mark.parametrize(("shape", "pool_size", "strides", "padding"), POOLS)
def test_average_pooling(shape, pool_size, strides, padding, rng):
    fast, stock = forms("average_pool", pool_size=pool_size, strides=strides, padding=padding)
    assert_equal_forms(fast, stock, jnp.asarray(rng.normal(size=shape), jnp.float32))


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize(("shape", "pool_size", "strides", "padding"), POOLS)
def test_max_pooling(shape, pool_size, strides, padding, ties, rng):
    values = rng.integers(0, 3, shape) if ties else rng.normal(size=shape)
    fast, stock = forms("max_pool", pool_size=pool_size, strides=strides, padding=padding)
    assert_equal_forms(fast, stock, jnp.asarray(values, jnp.float32))


@pytest.mark.parametrize(("size", "strides"), [((2, 2), (2, 2)), ((3, 3), (2, 2))])
def test_winners_of_max_pooling_are_an_array_of_their_own(size, strides, rng):
    """Else XLA computes them, and the convolution before them, for each element of the gradient."""

    def loss(x, kernel):
        y = lowering.conv(x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1))
        return jnp.sum(jnp.square(lowering.max_pool(jax.nn.relu(y), pool_size=size, strides=strides, padding="valid")))

    x, kernel = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((4, 12, 12, 1), (3, 3, 1, 8)))
    windows = (10 - size[0]) // strides[0] + 1
    text = jax.jit(jax.grad(loss, 1)).lower(x, kernel).compile().as_text()
    results = [line.split(" fusion(")[0] for line in text.splitlines() if " fusion(" in line]
    assert any(f"= s16[4,{windows},{windows},8]" in each for each in results)


@pytest.mark.parametrize(("shape", "axes"), [((3, 4, 5), (2,)), ((3, 4, 5), (1, 2)), ((6, 2), (0,)), ((2, 1), (1,))])
def test_standardized(shape, axes, rng):
    x = jnp.asarray(3 + 2 * rng.normal(size=shape), jnp.float32)
    assert_equal_forms(lambda x: lowering.standardized(x, axes, 1e-3), lambda x: plain.standardized(x, axes, 1e-3), x)
    gradient = jax.vmap(jax.grad(lambda x: jnp.sum(lowering.standardized(x, axes, 1e-3) ** 3)))
    batched = jax.jit(gradient)(jnp.stack([x, 2 * x]))
    stock = jax.jit(jax.grad(lambda x: jnp.sum(plain.standardized(x, axes, 1e-3) ** 3)))
    expected = [stock(scale * x) for scale in (1, 2)]
    np.testing.assert_allclose(batched, jnp.stack(expected), rtol=1e-4, atol=1e-5)


def test_gelu(rng):
    x = jnp.asarray(np.concatenate([np.linspace(-30, 30, 301), rng.normal(size=99), [0.0, -0.0]]), jnp.float32)

    def stock(x):
        return jax.nn.gelu(x, approximate=False)

    assert_equal_forms(lowering.gelu, stock, x)
    second = [jax.jit(jax.vmap(jax.grad(jax.grad(form))))(x) for form in (lowering.gelu, stock)]
    np.testing.assert_allclose(*second, atol=1e-5)
    tangents = [jax.jit(lambda x, f=form: jax.jvp(f, (x,), (jnp.cos(x),))[1])(x) for form in (lowering.gelu, stock)]
    np.testing.assert_allclose(*tangents, atol=1e-5)
    for bits in ("bfloat16", "float16"):
        np.testing.assert_array_equal(lowering.gelu(x.astype(bits)), stock(x.astype(bits)))
    odd = jnp.asarray([np.nan, np.inf, -np.inf], jnp.float32)
    with lowering.use("plain"):
        np.testing.assert_array_equal(lowering.gelu(x), stock(x))
    assert np.isnan(lowering.gelu(odd)[0]) and lowering.gelu(odd)[1] == np.inf


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_layouts_and_types(channels_first, dtype, rng):
    shape = (2, 3, 6, 6) if channels_first else (2, 6, 6, 3)
    x = jnp.asarray(rng.normal(size=shape), dtype)
    w = jnp.asarray(rng.normal(size=(3, 3, 3, 4)), dtype)
    options = {"strides": (1, 1), "padding": "same", "channels_first": channels_first}
    for name, inputs, more in (
        ("conv", (x, w), {"dilation": (1, 1)}),
        ("depthwise_conv", (x, w), {"dilation": (1, 1)}),
        ("conv_transpose", (x, w[..., :2, :3]), {"dilation": (1, 1), "output_padding": None}),
        ("max_pool", (x,), {"pool_size": (2, 2)}),
        ("average_pool", (x,), {"pool_size": (2, 3)}),
    ):
        fast, stock = forms(name, **options, **more)
        assert fast(*inputs).dtype == x.dtype
        tolerance = 1e-5 if dtype == "float32" else 5e-2
        chex.assert_trees_all_close(fast(*inputs), stock(*inputs), rtol=tolerance, atol=tolerance)


@pytest.mark.smoke
def test_vmap_and_gradients_of_gradients(rng):
    x = jnp.asarray(rng.normal(size=(3, 2, 5, 5, 2)), jnp.float32)
    w = jnp.asarray(rng.normal(size=(3, 2, 2, 2, 3)), jnp.float32)

    def results(conv, pool):
        def loss(x, w):
            y = conv(x, w, strides=(1, 1), padding="same", dilation=(1, 1))
            return jnp.sum(pool(y, pool_size=(2, 2), strides=(2, 2), padding="valid") ** 2)

        mapped = jax.vmap(jax.grad(loss, argnums=1))(x, w)
        second = jax.grad(lambda w: jnp.sum(jax.grad(lambda v: loss(x[0], v))(w) ** 2))(w[0])
        return mapped, second

    fast = jax.jit(lambda: results(lowering.conv, lowering.max_pool))()
    stock = jax.jit(lambda: results(plain.conv, plain.max_pool))()
    chex.assert_trees_all_close(fast, stock, rtol=1e-4, atol=1e-4)


def test_plain_is_chosen_by_the_switch():
    x, w = jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2, 2))
    with lowering.use("plain"):
        jax.jvp(lambda x: lowering.conv(x, w, strides=(1, 1), padding="same", dilation=(1, 1)), (x,), (x,))
        assert lowering.cache_token() == "plain"
    with pytest.raises(ValueError, match="expected 'auto' or 'plain'"), lowering.use("fast"):
        pass


def test_the_switch_holds_for_its_own_thread():
    with lowering.use("plain"), concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert (lowering.current_mode(), pool.submit(lowering.current_mode).result()) == ("plain", "auto")
    assert lowering.current_mode() == "auto"


def test_symbolic_batch_sizes(rng):
    kernel = jnp.asarray(rng.normal(size=(3, 3, 2, 1)), jnp.float32)

    def loss(x, kernel):
        y = lowering.depthwise_conv(x, kernel, strides=(1, 1), padding="same", dilation=(1, 1))
        return jnp.sum(lowering.average_pool(y, pool_size=(3, 3), strides=(2, 2), padding="same") ** 2)

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
    spec = jax.ShapeDtypeStruct(jax.export.symbolic_shape("b, 6, 6, 2"), jnp.float32)
    exported = jax.export.export(gradient, platforms=["cpu"])(spec, kernel)
    x = jnp.asarray(rng.normal(size=(3, 6, 6, 2)), jnp.float32)
    chex.assert_trees_all_close(exported.call(x, kernel), gradient(x, kernel), rtol=1e-5, atol=1e-5)


def test_a_portable_export_keeps_the_stock_operation():
    x = jax.ShapeDtypeStruct((2, 8, 8, 2), np.float32)
    pool = jax.jit(jax.grad(lambda x: jnp.sum(lowering.max_pool(x, pool_size=(2, 2), strides=(2, 2), padding="valid"))))
    assert "select_and_scatter" in jax.export.export(pool, platforms=["cuda"])(x).mlir_module()
    assert "select_and_scatter" not in jax.export.export(pool, platforms=["cpu"])(x).mlir_module()


def test_tables_cover_every_rank():
    ranks = {len(shape) - 2 for shape, *_ in itertools.chain(CONVOLUTIONS, POOLS)}
    assert ranks == {1, 2, 3}
