"""Every function of `jkeras.ops` against that of Keras, on arrays; a sample of them on symbolic tensors."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import activations, errors, layers, ops
from jkeras.training.program import mixes_samples

RNG = np.random.default_rng(0)
P = RNG.uniform(0.1, 0.9, (3, 4)).astype("float32")  # in every function's domain
X = RNG.normal(size=(3, 4)).astype("float32")
Y = RNG.normal(size=(3, 4)).astype("float32")
N = np.where(RNG.random((3, 4)) < 0.3, np.nan, X).astype("float32")
K = RNG.integers(0, 4, (3, 4)).astype("int32")
J = RNG.integers(1, 4, (3, 4)).astype("int32")
B = RNG.random((3, 4)) < 0.5
S = (np.eye(3) * 4 + RNG.normal(size=(3, 3)) / 3).astype("float32")
D = (S @ S.T).astype("float32")
L = np.linalg.cholesky(D).astype("float32")
V = np.array([0.1, 0.4, 0.8], "float32")
W = RNG.normal(size=(2, 16)).astype("float32")
C = (RNG.normal(size=(2, 8)).astype("float32"), RNG.normal(size=(2, 8)).astype("float32"))
M = (RNG.normal(size=(4, 8)).astype("float32"), RNG.normal(size=(4, 8)).astype("float32"))
G = RNG.uniform(0, 1, (2, 6, 5, 3)).astype("float32")
PROBS = (P / P.sum(-1, keepdims=True)).astype("float32")


def rows(names, *args, **kwargs):
    return [(name, args, kwargs) for name in names.split()]


CASES = [
    *rows(
        """abs absolute arccos arcsin arcsinh arctan arctanh cbrt ceil copy corrcoef cos cosh deg2rad erf erfc erfinv
        exp exp2 expm1 fabs fliplr flipud floor i0 imag isfinite isinf isnan isneginf isposinf isreal log
        log10 log1p log2 logical_not ndim negative rad2deg ravel real reciprocal round rsqrt sign signbit
        sin sinc sinh size sqrt square tan tanh trunc angle conj conjugate transpose celu elu gelu
        hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax relu
        relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax
        squareplus swish tanh_shrink glu stop_gradient normalize logsumexp""",
        P,
    ),
    *rows(
        "relu elu gelu softmax tanh sparsemax softplus floor ceil round sign argsort sort median var std mean sum", X
    ),
    *rows("arccosh", P + 1),
    *rows("sqrt exp mean std var sum prod max argmax cumsum sort floor negative square", K),
    *rows("sum any all count_nonzero logical_not argmax nonzero", B),
    *rows("bitwise_invert bitwise_not", K),
    *rows(
        """add arctan2 divide equal floor_divide fmax fmin fmod greater greater_equal heaviside hypot inner kron less
        less_equal logaddexp logaddexp2 maximum minimum mod multiply nextafter not_equal outer power subtract
        true_divide vdot divide_no_nan allclose isclose append isin""",
        P,
        P[::-1].copy(),
    ),
    *rows("divide_no_nan", X, np.zeros((3, 4), "float32")),
    *rows("add multiply divide power subtract", K, 2.0),
    *rows("add maximum", [1.0, 2.0], 3),
    *rows("logical_and logical_or logical_xor", B, ~B),
    *rows(
        "gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift", K, J
    ),
    *rows("ldexp", X, K),
    *rows("matmul dot cdist", X, RNG.normal(size=(4, 4)).astype("float32")),
    *rows("cross", X[:, :3], Y[:, :3]),
    *rows("correlate", V, V[:2]),
    *rows("tensordot", X, Y, axes=[[0], [0]]),
    *rows("einsum", "ij,kj->ik", X, Y),
    *rows(
        "all amax amin any max mean median min nanmax nanmean prod ptp std sum var logsumexp argmax argmin", P, axis=1
    ),
    *rows("max min mean sum std logsumexp argmax", X, axis=0, keepdims=True),
    *rows("max min", X, axis=1, initial=0.0),
    *rows("nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar", N, axis=1),
    *rows("nancumprod nancumsum nan_to_num", N),
    *rows("cumprod cumsum", X, axis=1),
    *rows("count_nonzero flip", K, axis=1),
    *rows("nanpercentile percentile", X, 30.0, axis=1),
    *rows("nanquantile quantile", X, np.array([0.3, 0.5], "float32"), axis=1, keepdims=True),
    *rows("expand_dims", X, 1),
    *rows("array_split split", X, 2, axis=1),
    *rows("hsplit", X, 2),
    *rows("vsplit", X.T.copy(), 2),
    *rows("dsplit", G, [1]),
    *rows("concatenate stack", [X, Y], axis=1),
    *rows("dstack hstack vstack", [X, Y]),
    *rows("broadcast_to", V, (2, 3)),
    *rows("reshape", X, (2, -1)),
    *rows("diag diagflat", V),
    *rows("tril triu", X, 1),
    *rows("diagonal trace", X, 1),
    *rows("swapaxes moveaxis", X, 0, 1),
    *rows("tile", X, (2, 1)),
    *rows("repeat roll", X, 2, axis=1),
    *rows("take", X, np.array([0, 2, -1]), axis=1),
    *rows("take_along_axis", X, K, axis=1),
    *rows("transpose", G, (0, 3, 1, 2)),
    *rows("array empty_like ones_like zeros_like cast saturate_cast convert_to_tensor", X, dtype="int32"),
    *rows("view", K, "float32"),
    *rows("full_like", X, 2),
    *rows("digitize", X, V),
    *rows("histogram", V, bins=4),
    *rows("vander", V, 4),
    *rows("diff", X, axis=0),
    *rows("rot90", X, 3),
    *rows("trapezoid", X, dx=0.5),
    *rows("unravel_index", np.array([3, 7]), (3, 4)),
    *rows("searchsorted", V, X),
    *rows("where", B, X, Y),
    *rows("select", [B, ~B], [X, Y]),
    *rows("full", (2, 2), 3.0),
    *rows("linspace logspace", 0.0, 3.0, num=5),
    *rows("geomspace", 1.0, 8.0, num=4),
    *rows("argpartition", V, 1),
    *rows("meshgrid", V, V[:2], indexing="ij"),
    *rows("average", X, axis=1, weights=P),
    *rows("arange", 1, 7, 2),
    *rows("arange", 5),
    *rows("arange", 0.0, 1.0, 0.25),
    *rows("bincount", K, minlength=6),
    *rows("bincount", K[0], weights=P[0]),
    *rows("clip", X, -0.5, 0.5),
    *rows("clip", B, 0, 1),
    *rows("empty ones zeros", (2, 3)),
    *rows("eye", 3, 4, 1),
    *rows("identity tri bartlett blackman hamming hanning", 5),
    *rows("kaiser", 5, 2.0),
    *rows("get_item", X, (slice(1), 2)),
    *rows("pad", X, ((1, 0), (0, 2)), constant_values=1.5),
    *rows("pad", X, ((1, 0), (0, 2)), mode="reflect"),
    *rows("round", K * 17, -1),
    *rows("slogdet det inv eigh logdet svd", D),
    *rows("cholesky", D),
    *rows("cholesky", D, upper=True),
    *rows("cholesky_inverse", L),
    *rows("squeeze", X[:, None], 1),
    *rows("unique", K),
    *rows("norm", X, axis=1),
    *rows("norm", X, ord="fro"),
    *rows("lstsq", X, V),
    *rows("matrix_rank qr pinv", X),
    *rows("lu_factor", D),
    *rows("solve", D, V),
    *rows("solve_triangular", L, V, lower=True),
    *rows("fft", C),
    *rows("fft2 ifft2", M),
    *rows("rfft", W),
    *rows("irfft", C, fft_length=14),
    *rows("stft", W, 6, 2, 8),
    *rows("stft", W, 8, 4, 8, window=None, center=False),
    *rows("istft", tuple(RNG.normal(size=(2, 5, 5)).astype("float32") for _ in range(2)), 8, 3, 8),
    *rows("istft", tuple(RNG.normal(size=(2, 5, 5)).astype("float32") for _ in range(2)), 8, 2, 8, window=None),
    *rows("view_as_real", (X + 1j * Y).astype("complex64")),
    *rows("view_as_complex", G[..., :2]),
    *rows("polar", P, X),
    *rows("extract_sequences", W, 5, 3),
    *rows("scatter", np.array([[0, 1], [2, 2], [0, 1]]), V, (3, 4)),
    *rows("slice", X, (1, 0), (2, 3)),
    *rows("slice", X, (1, 0), (-1, 3)),
    *rows("slice_update", X, (1, 1), Y[:2, :2]),
    *rows("unstack", X, axis=1),
    *rows("segment_sum segment_max segment_min segment_prod", X, np.array([0, 1, 0]), num_segments=2),
    *rows("top_k", X, 2),
    *rows("in_top_k", np.array([0, 1, 3]), X, 2),
    *rows("one_hot", K, 3, axis=1),
    *rows("multi_hot", K, 4),
    *rows("binary_crossentropy", P, P[::-1].copy()),
    *rows("binary_crossentropy categorical_crossentropy", PROBS, X, from_logits=True),
    *rows("categorical_crossentropy", PROBS, P),
    *rows("sparse_categorical_crossentropy", K[:, 0], P),
    *rows("moments", X, [1]),
    *rows("moments", X, axes=(0, 1), keepdims=True),
    *rows("batch_normalization", X, Y[0], P[0], -1, offset=Y[1], scale=Y[2]),
    *rows("layer_normalization", X, Y[0], Y[1], axis=-1),
    *rows("layer_normalization", X, X[:, 0], axis=0, epsilon=1e-3),
    *rows("rms_normalization", X, Y[0]),
    *rows("normalize", X, axis=0, order=3),
    *rows("psnr", X, Y, 2.0),
    *rows("ctc_loss", K[:2] % 3 + 1, RNG.normal(size=(2, 9, 5)).astype("float32"), np.array([2, 1]), np.array([9, 7])),
    *rows("adaptive_average_pool adaptive_max_pool", G, (4, 2)),
    *rows("conv", G, RNG.normal(size=(3, 2, 3, 4)).astype("float32"), strides=2, padding="same"),
    *rows(
        "conv",
        RNG.normal(size=(1, 4, 6)).astype("float32"),
        np.ones((2, 2, 4), "float32"),
        data_format="channels_first",
    ),
    *rows("depthwise_conv", G, RNG.normal(size=(3, 2, 3, 2)).astype("float32"), dilation_rate=(2, 1)),
    *rows("separable_conv", G, np.ones((2, 2, 3, 1), "float32"), RNG.normal(size=(1, 1, 3, 2)).astype("float32")),
    *rows("conv_transpose", G, RNG.normal(size=(3, 2, 2, 3)).astype("float32"), strides=2, padding="same"),
    *rows("max_pool average_pool", G, (2, 3), strides=2, padding="same"),
    *rows("unfold", G, (3, 2), dilation=(1, 2), padding=1, stride=2),
    *rows("fold", RNG.normal(size=(2, 3 * 4, 9)).astype("float32"), 6, 2, stride=2),
    *rows("depth_to_space", np.tile(G[:, :4, :4], (1, 1, 1, 4)), 2),
    *rows("space_to_depth", G[:, :4, :4], 2),
    *rows("dot_product_attention", G, G[::-1].copy(), G, is_causal=True),
    *rows("threshold", X, 0.1, -1.0),
    *rows("rearrange", G, "b h (w k) c -> b w (h c) k", k=5),
    *rows("image.resize", G, (3, 7)),
    *rows("image.resize", G, (4, 8), interpolation="bicubic", antialias=True),
    *rows("image.resize", G, (4, 8), crop_to_aspect_ratio=True),
    *rows("image.resize", G[0], (4, 8), pad_to_aspect_ratio=True, fill_value=0.5, interpolation="nearest"),
    *rows("image.resize", G, (3, 7), data_format="channels_first"),
    *rows("image.affine_transform", G, np.array([[1.1, 0.1, -0.3, 0.2, 0.9, 0.4, 0, 0]] * 2, "float32")),
    *rows(
        "image.affine_transform",
        G[0].transpose(2, 0, 1),
        np.array([1.1, 0.1, -0.3, 0.2, 0.9, 0.4, 0, 0], "float32"),
        interpolation="nearest",
        fill_mode="reflect",
        data_format="channels_first",
    ),
    *rows(
        "image.perspective_transform",
        G,
        np.array([[[0, 0], [0, 4], [5, 0], [5, 4]]] * 2, "float32"),
        np.array([[[1, 0], [0, 4], [5, 1], [4, 4]]] * 2, "float32"),
    ),
    *rows("image.map_coordinates", X, np.abs(RNG.normal(size=(2, 5))).astype("float32"), 1, fill_mode="nearest"),
    *rows(
        "image.scale_and_translate",
        X,
        (5, 6),
        np.array([1.5, 1.2], "float32"),
        np.array([0.2, 0.1], "float32"),
        (0, 1),
        "linear",
    ),
    *rows("image.rgb_to_grayscale image.rgb_to_hsv image.hsv_to_rgb", G),
    *rows("image.rgb_to_grayscale", (G * 255).astype("uint8")),
    *rows("image.sobel_edges", G, data_format="channels_last"),
    *rows("image.gaussian_blur", G, (3, 5), (1.0, 2.0), data_format="channels_last"),
    *rows("image.crop_images", G, top_cropping=1, left_cropping=1, target_height=3, target_width=2),
    *rows("image.pad_images", G, bottom_padding=1, left_padding=1, target_height=9, target_width=7),
    *rows("image.extract_patches", G, (3, 2), strides=(1, 2), padding="same"),
    *rows("image.extract_patches_3d", RNG.normal(size=(1, 3, 4, 4, 2)).astype("float32"), 2),
    *rows("image.ssim", G, G**2, filter_size=3),
]


def lookup(root, name):
    for part in name.split("."):
        root = getattr(root, part)
    return root


@pytest.mark.parametrize("case", range(0, len(CASES), 25))
def test_equals_keras(case):
    for name, args, kwargs in CASES[case : case + 25]:
        arrays = jax.tree.map(lambda v: v if not isinstance(v, np.ndarray) else jnp.asarray(v), args)
        compare(name, lookup(ops, name)(*args, **kwargs), lookup(keras.ops, name)(*arrays, **kwargs))


def compare(name, ours, theirs, types=True):
    ours, theirs = jax.tree.leaves(ours), jax.tree.leaves(theirs)
    assert len(ours) == len(theirs), name
    for one, other in zip(ours, theirs, strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert one.shape == other.shape, name
        assert one.dtype == other.dtype or not types, name
        if one.dtype.kind in "fc":
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_every_name_is_there():
    for space in ("ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy"):
        theirs = {name for name in dir(lookup(keras, space)) if not name.startswith("_")}
        ours = lookup(__import__("jkeras"), space)
        assert theirs - set(dir(ours)) <= {"numpy", "image", "nn", "linalg"}
    names = {name for name in dir(keras.ops) if not name.startswith("_")}
    assert names - {name.removeprefix("keras.ops.") for name in covered()} == MODULES


LOGITS = jnp.asarray(np.random.default_rng(5).normal(size=(2, 7, 4)).astype("float32") * 2)
# Functions of functions: each is computed with either side's.
CONTROL = {
    "associative_scan": lambda ops: ops.associative_scan(lambda a, b: a + b, jnp.arange(4)),
    "cond": lambda ops: [ops.cond(jnp.array(first), lambda: 1.0, lambda: 2.0) for first in (True, False)],
    "convert_to_numpy": lambda ops: ops.convert_to_numpy(jnp.asarray(X)),
    "ctc_decode": lambda ops: [
        ops.ctc_decode(jnp.asarray(np.eye(3, dtype="float32")[None, [1, 1, 0, 2, 2]]), jnp.array([5])),
        *(
            ops.ctc_decode(LOGITS, jnp.array([7, 4]), "beam_search", beam_width, 3, mask_index=mask_index)
            for beam_width, mask_index in ((4, 0), (40, None))
        ),
    ],
    "custom_gradient": lambda ops: jax.grad(ops.custom_gradient(lambda x: (x**2, lambda upstream: upstream * 7.0)))(
        3.0
    ),
    "dtype": lambda ops: [ops.dtype(jnp.asarray(v)) == str(v.dtype) for v in (X, K, B)],
    "eig": lambda ops: sorted(np.asarray(ops.eig(jnp.asarray(S))[0]), key=lambda z: (z.real, z.imag)),
    "fori_loop": lambda ops: ops.fori_loop(0, 3, lambda i, v: v + i, 1),
    "is_tensor": lambda ops: [ops.is_tensor(v) for v in (jnp.ones(1), np.ones(1), 1.0)],
    "jvp": lambda ops: ops.jvp(lambda x: x**2, (3.0,), (1.0,)),
    "map": lambda ops: ops.map(lambda x: x * 2, jnp.arange(3)),
    "scan": lambda ops: ops.scan(lambda c, x: (c + x, c), 0, jnp.arange(4)),
    "scatter_update": lambda ops: [
        ops.scatter_update(jnp.full(3, 2.0), [[1], [1]], jnp.array([3.0, 3.0]), reduction=reduction)
        for reduction in (None, "add", "max", "min", "mul")
    ],
    "shape": lambda ops: ops.shape(jnp.asarray(X)),
    "switch": lambda ops: [ops.switch(i, [lambda x: x, lambda x: x + 1], 2.0) for i in (0, 1, 5)],
    "vectorize": lambda ops: ops.vectorize(lambda a, b: a + b)(jnp.asarray(X), jnp.asarray(Y)),
    "vectorized_map": lambda ops: ops.vectorized_map(lambda x: x * 2, jnp.arange(3)),
    "while_loop": lambda ops: [
        ops.while_loop(lambda i: i < 9, lambda i: i + 2, 0, maximum_iterations=3),
        ops.while_loop(lambda i, j: i < 3, lambda i, j: (i + 1, j * 2), (0, 1)),
    ],
}
MODULES = {"image", "linalg", "nn", "numpy"}


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.ops.{name}" for name in (*(name for name, _, _ in CASES), *CONTROL)}


@pytest.mark.parametrize("name", CONTROL)
def test_functions_of_functions_equal_keras(name):
    compare(name, CONTROL[name](ops), CONTROL[name](keras.ops), types=False)


def test_control_flow_details():
    assert [int(v) for v in ops.while_loop(lambda i, j: i < 3, lambda i, j: (i + 1, j * 2), (0, 1))] == [3, 8]
    assert isinstance(ops.convert_to_numpy(jnp.ones(2)), np.ndarray)
    assert ops.dtype(X) == "float32" and ops.shape(X) == (3, 4)


def test_signatures_are_those_of_keras():
    different = []
    for name, function in vars(ops).items():
        theirs = getattr(keras.ops, name, None)
        if name not in ops.__all__ or theirs is None or not callable(function):
            continue
        ours = list(inspect.signature(function).parameters.values())
        if [p.name for p in ours] != list(inspect.signature(theirs).parameters):
            different.append(name)
    assert different == ["relu"]  # ours also takes what `activations.relu` takes


def test_symbolic_tensors_extend_the_graph():
    x, image = layers.Input((4,)), layers.Input((8, 6, 3))
    shapes = {
        ops.relu(x): (None, 4),
        ops.concatenate([x, x * 2], axis=-1): (None, 8),
        ops.mean(x, axis=1, keepdims=True): (None, 1),
        ops.matmul(x, np.ones((4, 2), "float32")): (None, 2),
        ops.one_hot(ops.argmax(x, axis=-1), 4): (None, 4),
        ops.cast(x, "bfloat16"): (None, 4),
        ops.image.resize(image, (4, 4)): (None, 4, 4, 3),
        ops.split(x, 2, axis=1)[1]: (None, 2),
        ops.scan(lambda c, v: (c + v, c), ops.zeros_like(x[0]), x)[1]: (None, 4),
        activations.gelu(x): (None, 4),
        activations.softmax(x): (None, 4),
        ops.sum(x): (),
        ops.abs(-x)[:, 1:]: (None, 3),
    }
    for tensor, shape in shapes.items():
        assert tensor.shape == shape, tensor
    assert ops.cast(x, "bfloat16").dtype == "bfloat16"
    assert ops.shape(x) == (None, 4)


# The shape of the result depends on the values.
BY_VALUES = ("bincount", "nonzero", "unique")


def result_shapes(results):
    return [(tuple(v.shape), str(v.dtype)) for v in jax.tree.leaves(results)]


def test_symbolic_calls_promise_the_shapes_of_arrays():
    for name, args, kwargs in CASES[::8]:
        arrays = [v for v in jax.tree.leaves(args) if isinstance(v, np.ndarray)]
        if name in (*BY_VALUES, "ndim", "size") or not arrays:
            continue
        first = layers.Input(batch_shape=arrays[0].shape, dtype=str(arrays[0].dtype))
        promised = lookup(ops, name)(*jax.tree.map(lambda v, a=arrays[0], x=first: x if v is a else v, args), **kwargs)
        assert result_shapes(promised) == result_shapes(lookup(ops, name)(*args, **kwargs)), name


def test_rows_that_depend_on_others_are_known():
    def independent(make):
        x = layers.Input((4,))
        return not mixes_samples(jk.Model(x, make(x)).definition, False)

    assert independent(lambda x: ops.exp(x) * 2 + x)
    assert not independent(lambda x: x - ops.mean(x, axis=0))
    assert not independent(lambda x: layers.Lambda(lambda v: v - v.mean(0))(x))


def test_mistakes_are_named():
    with pytest.raises(AttributeError, match="Did you mean 'softmax'"):
        _ = ops.sofmax
    with pytest.raises(errors.SignatureError, match="ops.sum"):
        ops.sum(X, axes=1)
    with pytest.raises(errors.ArgumentError, match="reduction='sum'"):
        ops.scatter_update(X, [[0]], [1.0], reduction="sum")
    with pytest.raises(errors.ArgumentError, match="interpolation='cubic'"):
        ops.image.resize(G, (2, 2), interpolation="cubic")
    with pytest.raises(errors.InputError, match="3 axes"):
        ops.image.resize(X, (2, 2))
    with pytest.raises(errors.ArgumentError, match="cannot split"):
        ops.rearrange(X, "(a b) c -> a b c", a=2)


def test_attention_of_half_precision_in_a_program(rng):
    # JAX's own function cannot be compiled for this type on the CPU.
    q, k, v = (jnp.asarray(rng.normal(size=(2, 3, 2, 4)), jnp.float16) for _ in range(3))
    found = jax.jit(ops.dot_product_attention, static_argnames="is_causal")(q, k, v, is_causal=True)
    expected = ops.dot_product_attention(*(x.astype("float32") for x in (q, k, v)), is_causal=True)
    assert found.dtype == jnp.float16
    np.testing.assert_allclose(np.float32(found), expected, atol=5e-3)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_images_of_integers_stay_such(interpolation, dtype):
    images = np.array([0, 1, 254, 255], dtype).reshape(1, 2, 2, 1)
    result, want = (home.ops.image.resize(images, (4, 4), interpolation=interpolation) for home in (jk, keras))
    assert result.dtype == want.dtype
    np.testing.assert_array_equal(result, want)


def test_patches_of_three_sizes_are_those_of_volumes():
    volume = np.random.default_rng(0).normal(size=(2, 4, 4, 6, 3)).astype("float32")
    np.testing.assert_allclose(*(home.ops.image.extract_patches(volume, (2, 2, 3)) for home in (jk, keras)))


REFUSED_SIZES = [
    (lambda: jk.ops.image.extract_patches(np.zeros((4, 4, 1)), "5"), TypeError, "int or a tuple"),
    (lambda: jk.ops.image.extract_patches(np.zeros((4, 4, 1)), (2,) * 4), ValueError, "length 2 or 3"),
    (lambda: jk.ops.depth_to_space(np.zeros((1, 2, 2, 4)), 0), ValueError, "at least 2"),
    (lambda: jk.ops.space_to_depth(np.zeros((1, 2, 2, 4)), 1), ValueError, "at least 2"),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED_SIZES)
def test_other_sizes_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_softmax_over_one_number_warns():
    with pytest.warns(UserWarning, match="has size 1"):
        jk.ops.softmax(np.ones((3, 1)))
    with pytest.warns(UserWarning, match="deprecated"):
        jk.ops.layer_normalization(np.arange(5.0, dtype="float32"), rms_scaling=True)
