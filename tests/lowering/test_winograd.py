"""Convolutions of transformed tiles equal direct ones, values and gradients, and are taken only where they are faster."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from jkeras import lowering
from jkeras.lowering import plain, winograd

FLOAT32 = np.dtype(np.float32)
SAME, VALID = ((1, 1), (1, 1)), ((0, 0), (0, 0))
# A small convolution for which tiles are chosen.
LARGE = ((8, 17, 13, 160), (3, 3, 160, 144))


def direct(x, kernel, pairs):
    return plain.conv(x, kernel, strides=(1, 1), padding=pairs, dilation=(1, 1))


def conv(x, kernel, padding="same", **options):
    return lowering.conv(x, kernel, strides=(1, 1), padding=padding, dilation=(1, 1), **options)


def value_and_gradients(function, x, kernel):
    def total(x, kernel):
        out = function(x, kernel)
        return jnp.sum(out * jnp.cos(jnp.arange(out.size, dtype=out.dtype)).reshape(out.shape)), out

    (_, out), gradients = jax.value_and_grad(total, argnums=(0, 1), has_aux=True)(x, kernel)
    return [out, *gradients]


def drawn(rng, *shapes, dtype=jnp.float32):
    return [jnp.asarray(rng.normal(size=shape), dtype) for shape in shapes]


def assert_close(found, expected, tolerance=1e-5):
    """Differences are a small part of the largest number: sums of many numbers may be nearly zero."""
    for one, other in zip(found, expected, strict=True):
        chex.assert_equal_shape([one, other])
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * float(jnp.abs(other).max()))


@pytest.mark.parametrize("tile", winograd.POINTS)
def test_the_matrices_make_a_correlation(tile, rng):
    matrices = winograd.transforms(tile)
    x, w = rng.normal(size=tile + 2), rng.normal(size=3)
    found = matrices.outputs @ ((matrices.kernel @ w) * (matrices.inputs @ x))
    np.testing.assert_allclose(found, np.correlate(x, w, "valid"), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tile", winograd.POINTS)
@pytest.mark.parametrize(("shape", "outputs", "pairs"), [
    ((2, 7, 9, 3), 5, SAME),
    ((1, 3, 12, 2), 1, VALID),
    ((3, 4, 8, 4), 4, SAME),
    ((2, 6, 5, 1), 3, ((0, 1), (2, 2))),
    ((1, 1, 1, 2), 3, SAME),
    ((2, 11, 10, 3), 2, ((2, 0), (1, 0))),
])  # fmt: skip
def test_any_shape(tile, shape, outputs, pairs, rng):
    x, kernel = drawn(rng, shape, (3, 3, shape[-1], outputs))

    @jax.jit
    def both(x, kernel):
        expected, backward = jax.vjp(lambda x, kernel: direct(x, kernel, pairs), x, kernel)
        dy = jnp.cos(jnp.arange(expected.size, dtype=jnp.float32)).reshape(expected.shape)
        gradients = winograd.input_gradient(dy, kernel, pairs, tile), winograd.kernel_gradient(x, dy, pairs, tile)
        return [winograd.conv(x, kernel, pairs, tile), *gradients], [expected, *backward(dy)]

    assert_close(*both(x, kernel))


@pytest.mark.parametrize(("shape", "kernel", "pairs", "tile"), [
    ((32, 16, 16, 128), (3, 3, 128, 128), SAME, 4),
    ((32, 8, 8, 256), (3, 3, 256, 256), SAME, 4),
    ((32, 4, 4, 512), (3, 3, 512, 512), SAME, 2),
    ((32, 8, 8, 256), (3, 3, 256, 256), VALID, 2),  # six outputs: three tiles of 2, or two of 4
    ((128, 13, 13, 32), (3, 3, 32, 64), VALID, None),  # few channels
    ((1, 8, 8, 256), (3, 3, 256, 256), SAME, None),  # few tiles
    ((32, 8, 8, 256), (3, 3, 256, 256), ((3, 3), (1, 1)), None),
    ((32, 16, 16, 128), (5, 5, 128, 128), SAME, None),
    ((32, 16, 128), (3, 128, 128), ((1, 1),), None),
    ((128, 8, 8, 256), (3, 3, 256, 256), SAME, 4),  # from memory
    ((32, 32, 32, 64), (3, 3, 64, 64), SAME, None),  # more from memory than it saves
    ((32, 112, 112, 256), (3, 3, 256, 256), SAME, None),  # too much memory
])  # fmt: skip
def test_the_choice(shape, kernel, pairs, tile):
    assert winograd.tile_for(shape, kernel, pairs, FLOAT32) == tile
    assert winograd.tile_for(shape, kernel, pairs, jnp.dtype(jnp.bfloat16)) is None


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels_first", [False, True])
def test_values_and_gradients(padding, channels_first, rng):
    x, kernel = drawn(rng, *LARGE)
    pairs = SAME if padding == "same" else VALID
    assert winograd.tile_for(x.shape, kernel.shape, pairs, FLOAT32) == 4
    if channels_first:
        x = jnp.moveaxis(x, -1, 1)

    def found(x, kernel):
        return conv(x, kernel, padding, channels_first=channels_first)

    fast = jax.jit(lambda *v: value_and_gradients(found, *v))(x, kernel)
    with lowering.use("plain"):
        stock = jax.jit(lambda *v: value_and_gradients(found, *v))(x, kernel)
    assert_close(fast, stock)


def operations(x, kernel, platform="cpu", **options):
    step = jax.jit(lambda *v: value_and_gradients(lambda x, kernel: lowering.conv(x, kernel, **options), *v))
    text = export.export(step, platforms=(platform,))(x, kernel).mlir_module()
    return {name for name in ("dot_general", "convolution") if f"stablehlo.{name}" in text}


def test_where_tiles_are_taken(rng):
    options = {"strides": (1, 1), "padding": "same", "dilation": (1, 1)}
    x, kernel = drawn(rng, *LARGE)
    assert operations(x, kernel, **options) == {"dot_general"}
    for changed in ({"strides": (2, 1)}, {"dilation": (1, 2)}, {"groups": 2}):
        few = kernel[:, :, : kernel.shape[2] // changed.get("groups", 1)]
        assert operations(x, few, **{**options, **changed}) == {"convolution"}
    for platform in ("cuda", "tpu"):
        assert operations(x, kernel, platform, **options) == {"convolution"}
    assert operations(x.astype(jnp.bfloat16), kernel, **options) == {"convolution"}
    with lowering.use("plain"):
        assert operations(x, kernel, **options) == {"convolution"}


def test_rounding(rng):
    # Some three times the error of a direct convolution; of the sums of 900 products, a few millionths of the largest.
    x, kernel = (rng.normal(size=shape) for shape in ((2, 12, 12, 100), (3, 3, 100, 20)))
    with jax.enable_x64(True):
        exact = direct(jnp.asarray(x), jnp.asarray(kernel), SAME)
    narrow = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    for tile, most in ((2, 1e-6), (4, 4e-6)):
        found = jax.jit(winograd.conv, static_argnums=(2, 3))(*narrow, SAME, tile)
        assert_close([np.asarray(found)], [np.asarray(exact)], most)


def test_vmap_and_gradients_of_gradients(monkeypatch, rng):
    monkeypatch.setattr(winograd, "tile_for", lambda *args: 2)
    x, kernel = drawn(rng, (2, 6, 5, 3), (3, 3, 3, 4))
    several = jnp.stack([x, 2 * x])
    assert_close(jax.jit(jax.vmap(conv, (0, None)))(several, kernel), [direct(v, kernel, SAME) for v in several])

    def slope(conv):
        def second(x, kernel):
            return jnp.sum(jax.grad(lambda x: jnp.sum(conv(x, kernel) ** 2))(x) ** 2)

        return jax.jit(jax.grad(second, (0, 1)))(x, kernel)

    assert_close(slope(conv), slope(lambda x, kernel: direct(x, kernel, SAME)))
