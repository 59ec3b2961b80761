"""Every name of the thin `tf`, by a value that NumPy (or its definition) gives."""

import re

import jax
import numpy as np
import pytest

import jkeras.keras
from jkeras.imports import keras_imports
from jkeras.scripts.tensorflow import table
from jkeras.scripts.tensorflow.modules import INSTEAD, NotOfferedError, not_offered
from jkeras.scripts.tensorflow.programs import TapeError
from jkeras.scripts.tensorflow.table import NAMES

pytest.importorskip("grain")

A = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]], "float32")
B = np.array([[1.0, 2.0, -3.0], [0.5, 4.0, 1.0]], "float32")
P = np.abs(A) / 3
I = np.array([2, 0, 1])  # noqa: E741
M = np.array([[2.0, 1.0], [1.0, 3.0]], "float32")
PICTURE = (np.arange(4 * 4 * 3).reshape(4, 4, 3) * 5).astype("uint8")
SHADES = PICTURE.astype("float32") / 255


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# An expression with `tf`, and the same value by NumPy; all of them are compiled as one program.
ROWS = """
    tf.abs(A)  ==  np.abs(A)
    tf.acos(P)  ==  np.arccos(P)
    tf.acosh(P + 1)  ==  np.arccosh(P + 1)
    tf.add(A, B)  ==  A + B
    tf.math.angle(A)  ==  np.angle(A)
    tf.argmax(A)  ==  A.argmax(0)
    tf.argmin(A, axis=1)  ==  A.argmin(1)
    tf.asin(P)  ==  np.arcsin(P)
    tf.asinh(A)  ==  np.arcsinh(A)
    tf.atan(A)  ==  np.arctan(A)
    tf.atan2(A, B)  ==  np.arctan2(A, B)
    tf.atanh(P)  ==  np.arctanh(P)
    tf.math.ceil(A)  ==  np.ceil(A)
    tf.clip_by_value(A, -0.5, 1)  ==  np.clip(A, -0.5, 1)
    tf.cos(A)  ==  np.cos(A)
    tf.cosh(A)  ==  np.cosh(A)
    tf.divide(A, B)  ==  A / B
    tf.math.divide_no_nan(A, B * 0)  ==  A * 0
    tf.equal(A, A)  ==  A == A
    tf.math.erf(A * 0)  ==  A * 0
    tf.math.erfinv(tf.math.erf(P))  ==  P
    tf.exp(A)  ==  np.exp(A)
    tf.expand_dims(A, 1)  ==  A[:, None]
    tf.math.expm1(A)  ==  np.expm1(A)
    tf.floor(A)  ==  np.floor(A)
    tf.math.floordiv(A, B)  ==  A // B
    tf.math.floormod(A, B)  ==  A % B
    tf.greater(A, B)  ==  A > B
    tf.greater_equal(A, B)  ==  A >= B
    tf.math.imag(tf.constant(A, tf.complex64) * 1j)  ==  A
    tf.math.is_finite(A)  ==  np.isfinite(A)
    tf.math.is_inf(A)  ==  np.isinf(A)
    tf.math.is_nan(A)  ==  np.isnan(A)
    tf.less(A, B)  ==  A < B
    tf.less_equal(A, B)  ==  A <= B
    tf.math.log(P)  ==  np.log(P)
    tf.math.log1p(P)  ==  np.log1p(P)
    tf.math.log_sigmoid(A)  ==  np.log(sigmoid(A))
    tf.logical_and(A > 0, B > 0)  ==  (A > 0) & (B > 0)
    tf.logical_not(A > 0)  ==  A <= 0
    tf.logical_or(A > 0, B > 0)  ==  (A > 0) | (B > 0)
    tf.math.logical_xor(A > 0, B > 0)  ==  (A > 0) ^ (B > 0)
    tf.maximum(A, B)  ==  np.maximum(A, B)
    tf.minimum(A, B)  ==  np.minimum(A, B)
    tf.multiply(A, B)  ==  A * B
    tf.negative(A)  ==  -A
    tf.not_equal(A, B)  ==  A != B
    tf.ones_like(A)  ==  np.ones_like(A)
    tf.pow(P, B)  ==  P ** B
    tf.math.real(A)  ==  A
    tf.math.reciprocal(A)  ==  1 / A
    tf.reduce_all(A > 0, axis=0)  ==  (A > 0).all(0)
    tf.reduce_any(A > 0, axis=0)  ==  (A > 0).any(0)
    tf.reduce_logsumexp(A, axis=1)  ==  np.log(np.exp(A).sum(1))
    tf.reduce_max(A, axis=1, keepdims=True)  ==  A.max(1, keepdims=True)
    tf.reduce_mean(A)  ==  A.mean()
    tf.reduce_min(input_tensor=A)  ==  A.min()
    tf.reduce_prod(A, 0)  ==  A.prod(0)
    tf.math.reduce_std(A, 1)  ==  A.std(1)
    tf.reduce_sum([[1, 2], [3, 4]], axis=[0, 1], name="total")  ==  10
    tf.math.reduce_variance(A, 1)  ==  A.var(1)
    tf.repeat(A, 2, axis=0)  ==  A.repeat(2, 0)
    tf.roll(A, 1, axis=1)  ==  np.roll(A, 1, 1)
    tf.round(A * 3)  ==  np.round(A * 3)
    tf.math.rsqrt(P)  ==  1 / np.sqrt(P)
    tf.sigmoid(A)  ==  sigmoid(A)
    tf.sign(A)  ==  np.sign(A)
    tf.sin(A)  ==  np.sin(A)
    tf.sinh(A)  ==  np.sinh(A)
    tf.sqrt(P)  ==  np.sqrt(P)
    tf.square(A)  ==  A ** 2
    tf.squeeze(A[None])  ==  A
    tf.stack([A, B], axis=1)  ==  np.stack([A, B], 1)
    tf.stop_gradient(A)  ==  A
    tf.subtract(A, B)  ==  A - B
    tf.tan(A)  ==  np.tan(A)
    tf.tanh(A)  ==  np.tanh(A)
    tf.tensordot(A, B, [[1], [1]])  ==  A @ B.T
    tf.tile(A, [1, 2])  ==  np.tile(A, (1, 2))
    tf.truediv(A, B)  ==  A / B
    tf.zeros_like(A, dtype=tf.int32)  ==  np.zeros_like(A)
    tf.broadcast_to(A[0], (2, 3))  ==  np.stack([A[0], A[0]])
    tf.nn.elu(A)  ==  np.where(A > 0, A, np.expm1(A))
    tf.nn.gelu(A * 0 + 100)  ==  A * 0 + 100
    tf.nn.leaky_relu(A)  ==  np.where(A > 0, A, 0.2 * A)
    tf.nn.log_softmax(A)  ==  np.log(softmax(A))
    tf.nn.relu(A)  ==  np.maximum(A, 0)
    tf.nn.relu6(A * 9)  ==  np.clip(A * 9, 0, 6)
    tf.nn.selu(P)  ==  1.05070098 * P
    tf.nn.silu(A)  ==  A * sigmoid(A)
    tf.nn.softmax(A)  ==  softmax(A)
    tf.nn.softplus(A)  ==  np.log1p(np.exp(A))
    tf.nn.softsign(A)  ==  A / (1 + np.abs(A))
    tf.linalg.inv(M)  ==  np.linalg.inv(M)
    tf.linalg.det(M)  ==  5
    tf.linalg.cholesky(M)  ==  np.linalg.cholesky(M)
    tf.linalg.solve(M, M @ M)  ==  M
    tf.linalg.trace(M)  ==  5
    tf.linalg.cross(A, B)  ==  np.cross(A, B)
    tf.constant(7, shape=(2,))  ==  [7, 7]
    tf.cast([1.7, 2.2], tf.int32)  ==  [1, 2]
    tf.shape(A)  ==  [2, 3]
    tf.reshape(A, (tf.shape(A)[1], -1))  ==  A.reshape(3, 2)
    tf.zeros((2, 3))  ==  np.zeros((2, 3))
    tf.ones([2], tf.int32)  ==  [1, 1]
    tf.fill([2], 3)  ==  [3, 3]
    tf.eye(2, batch_shape=[2])  ==  np.stack([np.eye(2)] * 2)
    tf.range(3)  ==  [0, 1, 2]
    tf.range(1, 7, 2)  ==  [1, 3, 5]
    tf.linspace(0.0, 1.0, 3)  ==  [0, 0.5, 1]
    tf.concat([A, B], axis=0)  ==  np.concatenate([A, B])
    tf.split(A, 3, axis=1)[2]  ==  A[:, 2:]
    tf.split(A, [1, -1], axis=1)[1]  ==  A[:, 1:]
    tf.unstack(A, axis=1)[1]  ==  A[:, 1]
    tf.transpose(A)  ==  A.T
    tf.where(A > 0, A, B)  ==  np.where(A > 0, A, B)
    tf.gather(A, I, axis=1)  ==  A[:, I]
    tf.gather(A, [[0], [2]], axis=1, batch_dims=1)  ==  [[0.5], [-0.5]]
    tf.gather_nd(A, [[0, 1], [1, 2]])  ==  [A[0, 1], A[1, 2]]
    tf.gather_nd(A, [[1], [0]], batch_dims=1)  ==  [A[0, 1], A[1, 0]]
    tf.scatter_nd([[1], [3]], [5.0, 6.0], [5])  ==  [0, 5, 0, 6, 0]
    tf.tensor_scatter_nd_update(A, [[0]], B[1:])  ==  [B[1], A[1]]
    tf.slice(A, [0, 1], [1, -1])  ==  A[:1, 1:]
    tf.strided_slice(A, [0, 0], [2, 3], [1, 2])  ==  A[:, ::2]
    tf.pad(A, [[1, 0], [0, 2]], constant_values=7)  ==  np.pad(A, ((1, 0), (0, 2)), constant_values=7)
    tf.pad(A, [[0, 0], [1, 1]], "REFLECT")  ==  np.pad(A, ((0, 0), (1, 1)), "reflect")
    tf.reverse(A, [1])  ==  A[:, ::-1]
    tf.sort(A, direction="DESCENDING")  ==  -np.sort(-A)
    tf.argsort(A[0])  ==  A[0].argsort()
    tf.cumsum(A, axis=1, exclusive=True)  ==  np.pad(A.cumsum(1)[:, :-1], ((0, 0), (1, 0)))
    tf.cumsum(A, axis=1, reverse=True)  ==  A[:, ::-1].cumsum(1)[:, ::-1]
    tf.math.cumprod(A, axis=1)  ==  A.cumprod(1)
    tf.one_hot(I, 3)  ==  np.eye(3)[I]
    tf.one_hot(I, 3, on_value=5, off_value=1)  ==  1 + 4 * np.eye(3)[I]
    tf.matmul(A, B, transpose_b=True)  ==  A @ B.T
    tf.norm(A)  ==  np.linalg.norm(A)
    tf.norm(A, ord=1, axis=1)  ==  np.abs(A).sum(1)
    tf.clip_by_norm([3.0, 4.0], 1.0)  ==  [0.6, 0.8]
    tf.nn.l2_normalize(A, axis=1)  ==  A / np.linalg.norm(A, axis=1, keepdims=True)
    tf.math.top_k(A, 2)[0]  ==  -np.sort(-A)[:, :2]
    tf.math.in_top_k([2, 1], A, 1)  ==  [True, False]
    tf.nn.moments(A, [0])[1]  ==  A.var(0)
    tf.identity(A)  ==  A
    tf.add_n([A, B, A])  ==  2 * A + B
    tf.nn.softmax_cross_entropy_with_logits(labels=B, logits=A)  ==  -(B * np.log(softmax(A))).sum(1)
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2], logits=A)  ==  -np.log(softmax(A))[[0, 1], [0, 2]]
    tf.nn.sigmoid_cross_entropy_with_logits(P, A)  ==  -P * np.log(sigmoid(A)) - (1 - P) * np.log(1 - sigmoid(A))
    tf.nn.conv2d(A[None, :, :, None], np.ones((2, 2, 1, 1), "float32"), [1, 1, 1, 1], "VALID")[0, 0, :, 0]  ==  [1.25, 0.75]
    tf.nn.max_pool2d(A[None, :, :, None], 2, 1)[0, 0, :, 0]  ==  [1.5, 2]
    tf.nn.avg_pool2d(A[None, :, :, None], [1, 2, 3, 1], 1)[0, 0, 0]  ==  [A.mean()]
    tf.nn.embedding_lookup(A, [1, 0])  ==  A[[1, 0]]
    tf.nn.bias_add(A, [1.0, 2.0, 3.0])  ==  A + [1, 2, 3]
    tf.searchsorted([1.0, 2.0, 3.0], [2.0], side="right")  ==  [2]
    tf.linalg.diag_part(M)  ==  [2, 3]
    tf.linalg.diag([2.0, 3.0])  ==  np.diag([2, 3])
    tf.linalg.band_part(np.ones((3, 3)), 0, -1)  ==  np.triu(np.ones((3, 3)))
    tf.einsum("ij,kj->ik", A, B)  ==  A @ B.T
    tf.meshgrid([1, 2], [3, 4])[1]  ==  [[3, 3], [4, 4]]
"""
# The same for what is computed on the host, or depends on values.
HOST_ROWS = """
    tf.math.count_nonzero(A > 0)  ==  4
    tf.constant(b"caf\\xc3\\xa9").numpy()  ==  b"caf\\xc3\\xa9"
    tf.constant(["a", "b"]).numpy()  ==  np.array([b"a", b"b"], object)
    tf.convert_to_tensor([1, 2]).numpy()  ==  [1, 2]
    tf.cast(np.array([1, 2], "uint8"), tf.float32) / 2  ==  [0.5, 1]
    tf.size(A)  ==  6
    tf.rank(A)  ==  2
    tf.where(A > 1)  ==  np.argwhere(A > 1)
    tf.boolean_mask(A, A > 0)  ==  A[A > 0]
    tf.boolean_mask(A, [True, False, True], axis=1)  ==  A[:, [0, 2]]
    tf.unique([3, 1, 3])[0]  ==  [3, 1]
    tf.unique([3, 1, 3])[1]  ==  [0, 1, 0]
    tf.math.confusion_matrix([0, 1, 1], [1, 1, 1])  ==  [[0, 1], [0, 2]]
    tf.math.bincount([1, 1, 3])  ==  [0, 2, 0, 1]
    tf.sequence_mask([1, 3])  ==  [[1, 0, 0], [1, 1, 1]]
    tf.sort(tf.unique(tf.nn.dropout(np.ones(50, "float32"), 0.5, seed=1))[0])  ==  [0, 2]
    tf.math.segment_sum(A, [0, 0])  ==  A.sum(0, keepdims=True)
    tf.math.unsorted_segment_sum(A, [1, 1], 2)  ==  [A.sum(0) * 0, A.sum(0)]
    tf.image.resize(SHADES, (2, 2)).numpy()  ==  SHADES.reshape(2, 2, 2, 2, 3).mean((1, 3))
    tf.image.resize(PICTURE, (2, 4), "nearest")  ==  PICTURE[1::2]
    tf.image.resize(PICTURE, (2, 8), preserve_aspect_ratio=True).shape  ==  (2, 2, 3)
    tf.image.resize_with_pad(PICTURE, 2, 4)[:, 0]  ==  np.zeros((2, 3))
    tf.image.resize_with_crop_or_pad(PICTURE, 2, 6)  ==  np.pad(PICTURE[1:3], ((0, 0), (1, 1), (0, 0)))
    tf.image.crop_to_bounding_box(PICTURE, 1, 0, 2, 3)  ==  PICTURE[1:3, :3]
    tf.image.pad_to_bounding_box(PICTURE, 1, 0, 5, 6)  ==  np.pad(PICTURE, ((1, 0), (0, 2), (0, 0)))
    tf.image.central_crop(PICTURE, 0.5)  ==  PICTURE[1:3, 1:3]
    tf.image.flip_left_right(PICTURE)  ==  PICTURE[:, ::-1]
    tf.image.flip_up_down(PICTURE)  ==  PICTURE[::-1]
    tf.image.rot90(PICTURE)  ==  np.rot90(PICTURE)
    tf.image.transpose(PICTURE)  ==  PICTURE.swapaxes(0, 1)
    tf.image.random_flip_left_right(PICTURE[:, :1])  ==  PICTURE[:, :1]
    tf.image.random_flip_up_down(np.stack([PICTURE[:1]] * 3))  ==  np.stack([PICTURE[:1]] * 3)
    tf.image.random_crop(PICTURE, (4, 4, 3))  ==  PICTURE
    tf.image.convert_image_dtype(PICTURE, tf.float32)  ==  SHADES
    tf.image.convert_image_dtype(SHADES, tf.uint8)  ==  PICTURE
    tf.image.rgb_to_grayscale(SHADES)[..., 0]  ==  SHADES @ np.float32([0.2989, 0.587, 0.114])
    tf.image.grayscale_to_rgb(PICTURE[..., :1])  ==  PICTURE[..., [0, 0, 0]]
    tf.image.rgb_to_hsv(np.float32([[[1, 0.5, 0.5]]]))  ==  [[[0, 0.5, 1]]]
    tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(SHADES))  ==  SHADES
    tf.image.adjust_brightness(SHADES, 0.25)  ==  SHADES + 0.25
    tf.image.adjust_contrast(SHADES, 2.0)  ==  2 * SHADES - SHADES.mean((0, 1))
    tf.image.adjust_gamma(SHADES, 2)  ==  SHADES ** 2
    tf.image.adjust_saturation(SHADES, 0.0)  ==  SHADES[..., [2, 2, 2]]
    tf.image.adjust_hue(np.float32([[[1, 0, 0]]]), 1 / 3)  ==  [[[0, 1, 0]]]
    tf.image.random_brightness(SHADES, 0.0)  ==  SHADES
    tf.image.random_contrast(SHADES, 1.0, 1.0)  ==  SHADES
    tf.image.random_saturation(PICTURE, 1.0, 1.0)  ==  PICTURE
    tf.image.random_hue(SHADES, 0.0)  ==  SHADES
    tf.image.per_image_standardization(SHADES)  ==  (SHADES - SHADES.mean()) / SHADES.std()
    tf.image.total_variation(SHADES)  ==  np.abs(np.diff(SHADES, axis=0)).sum() + np.abs(np.diff(SHADES, axis=1)).sum()
    tf.image.psnr(SHADES, SHADES + 0.1, 1.0)  ==  20
    tf.random.normal((2,), 3.0, 0.0)  ==  [3, 3]
    tf.math.reduce_max(tf.abs(tf.random.truncated_normal((99,)))) < 2.01  ==  True
    tf.random.uniform((2,), 4, 5, tf.int32)  ==  [4, 4]
    tf.random.uniform((2,), 4.0, 4.0)  ==  [4, 4]
    tf.sort(tf.random.shuffle(I))  ==  [0, 1, 2]
    tf.random.categorical([[0.0, -99.0]], 3)  ==  [[0, 0, 0]]
    tf.reduce_mean(tf.random.gamma((999,), 4.0, 2.0)).numpy().round()  ==  2
    tf.strings.length("caf\\u00e9")  ==  5
    tf.strings.lower(["Ab"]).numpy()  ==  np.array([b"ab"], object)
    tf.strings.upper("ab").numpy()  ==  b"AB"
    tf.strings.strip(" a ").numpy()  ==  b"a"
    tf.strings.substr("abcd", 1, 2).numpy()  ==  b"bc"
    tf.strings.regex_replace("a1b22", "[0-9]+", "-").numpy()  ==  b"a-b-"
    tf.strings.regex_full_match(["a1", "a"], "a[0-9]")  ==  [True, False]
    tf.strings.split("a b  c").numpy()  ==  np.array([b"a", b"b", b"c"], object)
    tf.strings.split("a/b", "/")[-1]  ==  "b"
    tf.strings.unicode_split("ab")  ==  ["a", "b"]
    tf.strings.join(["a", ["b", "c"]], separator="-")  ==  ["a-b", "a-c"]
    tf.strings.reduce_join([["a", "b"], ["c", "d"]], axis=1)  ==  ["ab", "cd"]
    tf.strings.to_number(["1.5", "2"])  ==  [1.5, 2]
    tf.strings.as_string([1.5], precision=2)  ==  ["1.50"]
    tf.io.decode_png(tf.io.encode_png(PICTURE))  ==  PICTURE
    tf.io.decode_image(tf.io.encode_png(PICTURE), dtype=tf.float32)  ==  SHADES
    tf.io.decode_bmp(tf.io.encode_png(PICTURE), channels=4)[..., 3]  ==  np.full((4, 4), 255)
    tf.io.decode_jpeg(tf.io.encode_jpeg(PICTURE * 0), channels=1)  ==  PICTURE[..., :1] * 0
    tf.io.decode_raw(np.float32([1, 2]).tobytes(), tf.float32)  ==  [1, 2]
    (tf.io.write_file(PATH, "hello"), tf.io.read_file(PATH).numpy())[1]  ==  b"hello"
    tf.io.gfile.exists(PATH + "none")  ==  False
    (tf.io.gfile.makedirs(PATH + "d/e"), tf.io.gfile.glob(PATH + "d/*"))[1]  ==  [PATH + "d/e"]
    tf.audio.decode_wav(WAV)[0]  ==  [[0.5], [-0.5]]
    tf.Variable([1.0, 2.0], name="v").assign_add([1.0, 1.0])  ==  [2, 3]
    isinstance(tf.constant(1), tf.Tensor) and not isinstance(A, tf.Tensor)  ==  True
    tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])(lambda x: x + 1)(2)  ==  3
    tf.function(np.abs)(-2)  ==  2
    tf.is_tensor(tf.zeros(1)) and not tf.is_tensor(3)  ==  True
    tf.py_function(lambda x: x * 2, [A], tf.float32)  ==  A * 2
    tf.numpy_function(lambda x: x + 1, [A], tf.float32)  ==  A + 1
    tf.executing_eagerly()  ==  True
    tf.get_logger().name  ==  "jkeras"
    tf.print("said", end="")  ==  None
    tf.debugging.assert_equal(A, A)  ==  None
    tf.config.list_physical_devices("CPU")[0].device_type  ==  "CPU"
    tf.config.experimental.list_physical_devices("TPU")  ==  []
    tf.test.is_gpu_available()  ==  False
    tf.TensorShape((2, None)).as_list()  ==  [2, None]
    tf.zeros((2, 3)).get_shape().num_elements()  ==  6
    tf.map_fn(lambda x: x * 2, A)  ==  A * 2
    tf.cond(tf.constant(True), lambda: 1, lambda: 2)  ==  1
    tf.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))[0]  ==  6
    tf.nest.map_structure(lambda x: x + 1, {"a": 1})["a"]  ==  2
    tf.nest.flatten({"b": 1, "a": [2, 3]})  ==  [2, 3, 1]
    (tf.random.set_seed(3), tf.random.normal((2,)))[1]  ==  (tf.random.set_seed(3), tf.random.normal((2,)))[1]
    tf.string  ==  "string"
    A[tf.newaxis].shape  ==  (1, 2, 3)
"""


def cases(rows):
    return [line.strip().split("  ==  ") for line in rows.splitlines() if line.strip()]


CASES, HOST_CASES = cases(ROWS), cases(HOST_ROWS)
# Names that other tests here have.
ELSEWHERE = {
    "GradientTape", "device", "config.experimental.set_memory_growth", "data.AUTOTUNE", "data.INFINITE_CARDINALITY",
    "RaggedTensor", "ragged.constant", "__version__", "version.VERSION",
    "data.UNKNOWN_CARDINALITY", "data.Dataset", "data.TextLineDataset", "data.experimental", "map_fn",
    *("float16", "float64", "int8", "int16", "int64", "uint16", "uint32", "uint64", "bool", "bfloat16"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tf():
    """The module that scripts import."""
    with keras_imports():
        import tensorflow

        yield tensorflow


@pytest.fixture(scope="module")
def names(tf, tmp_path_factory):
    """What the expressions know."""
    import io
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(np.array([16384, -16384], "<i2").tobytes())
    return {**globals(), "tf": tf, "PATH": str(tmp_path_factory.mktemp("files") / "file"), "WAV": file.getvalue()}


@pytest.fixture(scope="module")
def values(names):
    """The values of all expressions that can be compiled."""
    arrays = {name: names[name] for name in ("A", "B", "P", "I", "M")}
    program = jax.jit(lambda given: [eval(expression, {**names, **given}) for expression, _ in CASES])
    return dict(zip([expression for expression, _ in CASES], program(arrays), strict=True))


def check(found, expected):
    expected = np.asarray(expected)
    if expected.dtype.kind in "USO":
        assert np.array_equal(np.asarray(found), expected), found
    else:
        np.testing.assert_allclose(
            np.asarray(found).astype("float64"), expected.astype("float64"), rtol=1e-5, atol=2e-6
        )


@pytest.mark.parametrize(("expression", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_value(expression, expected, names, values):
    check(values[expression], eval(expected, names))


@pytest.mark.parametrize(("expression", "expected"), HOST_CASES, ids=[case[0] for case in HOST_CASES])
def test_a_value_on_the_host(expression, expected, names):
    check(eval(expression, names), eval(expected, names))


def test_every_name_has_a_value():
    tested = {name for case in (*CASES, *HOST_CASES) for name in re.findall(r"tf\.([\w.]*\w)", case[0])}
    groups = [line.strip().partition(": ")[0].split() for line in table._ROWS.splitlines() if ": " in line]
    # Names of a function that is tested by another of its names.
    second = {name for group in groups if tested & set(group) for name in group}
    assert set(NAMES) - tested - second - ELSEWHERE == set()
    assert len(NAMES) > 230


def tf_lookup(tf, name):
    value = tf
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(
    "name", ["float16", "float64", "int8", "int16", "int64", "uint16", "uint32", "uint64", "bool", "bfloat16"]
)
def test_a_type(name, tf):
    kind = getattr(tf, name)
    assert kind.name == name
    found = tf.cast(tf.constant([0, 1]), kind)
    assert found.dtype.name == name.replace("64", "32") and found.numpy().tolist() == [0, 1]


# -- data sets ----------------------------------------------------------------------------------------------------------------


def test_elements_have_numpy(tf):
    dataset = tf.data.Dataset.from_tensor_slices(({"a": A, "text": ["x", "y"]}, [1, 2]))
    for (row, label), index in zip(dataset, range(2), strict=True):
        assert row["a"].numpy().tolist() == A[index].tolist() and label.numpy() == index + 1
        assert row["text"].numpy().decode() == "xy"[index] and row["a"].shape == (3,)
    halved = dataset.map(
        lambda row, label: (tf.cast(row["a"], tf.float32) / 2, label), num_parallel_calls=tf.data.AUTOTUNE
    )
    ((batch, _),) = halved.batch(2)
    np.testing.assert_allclose(batch.numpy(), A / 2)
    assert (
        dataset.cardinality() != tf.data.UNKNOWN_CARDINALITY
        and dataset.repeat().cardinality() == tf.data.INFINITE_CARDINALITY
    )


def test_elements_of_numpy(tf):
    dataset = tf.data.Dataset.from_tensor_slices(({"a": A, "text": ["xy", "z"]}, [1, 2]))
    row, label = next(dataset.as_numpy_iterator())
    assert row["text"][:1] == b"x" and isinstance(label, np.integer) and type(row["a"]) is np.ndarray
    ((batch, labels),) = dataset.batch(2).as_numpy_iterator()
    assert batch["text"].tolist() == [b"xy", b"z"] and labels.tolist() == [1, 2]
    lookup = tf.keras.layers.StringLookup(vocabulary=["z"])
    assert np.asarray(lookup(batch["text"])).tolist() == [0, 1]


def test_arrays_of_jax_have_numpy(tf):
    metric = tf.keras.metrics.Mean()
    metric.update_state([1.0, 3.0])
    assert metric.result().numpy() == 2 and tf.keras.layers.Flatten()(A).numpy().shape == (2, 3)


def test_sources_of_data(tf, tmp_path):
    for name, lines in {"a.txt": "one\ntwo\n", "b.txt": "three\n"}.items():
        (tmp_path / name).write_text(lines)
    paths = tf.data.Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    files = [path.numpy().decode() for path in paths]
    assert [file[-5:] for file in files] == ["a.txt", "b.txt"]
    assert [line.numpy() for line in tf.data.TextLineDataset(files)] == [b"one", b"two", b"three"]
    with pytest.raises(ValueError, match="no files match"):
        tf.data.Dataset.list_files(str(tmp_path / "*.png"))
    ones, twos = tf.data.Dataset.from_tensors(1).repeat(), tf.data.Dataset.from_tensors(2).repeat(3)
    mixed = tf.data.Dataset.sample_from_datasets([ones, twos], weights=[0.25, 0.75], seed=1)
    drawn = [int(x) for x in mixed.take(200)]
    assert drawn.count(2) == 3 and [int(x) for x in mixed.take(200)] == drawn
    stopped = [int(x) for x in tf.data.experimental.sample_from_datasets([ones, twos], stop_on_empty_dataset=True)]
    assert stopped.count(2) == 3
    chosen = tf.data.Dataset.choose_from_datasets([ones, twos], tf.data.Dataset.from_tensor_slices([1, 0, 1]))
    assert [int(x) for x in chosen] == [2, 1, 2]


def test_csv(tf, tmp_path):
    (tmp_path / "t.csv").write_text("id,name,size,y\n1,a,0.5,0\n2,b,,1\n3,,1.5,0\n")
    make = tf.data.experimental.make_csv_dataset
    ((columns, label),) = make(str(tmp_path / "*.csv"), 3, label_name="y", num_epochs=1, shuffle=False)
    assert columns["id"].dtype == "int32" and columns["size"].numpy().tolist() == [0.5, 0, 1.5]
    assert [name.decode() for name in columns["name"].numpy()] == ["a", "b", ""] and label.numpy().tolist() == [0, 1, 0]
    first = next(iter(make(str(tmp_path / "t.csv"), 2, select_columns=["size"], column_defaults=[9.0], shuffle=False)))
    assert first["size"].numpy().tolist() == [0.5, 9]
    with pytest.raises(ValueError, match="columns are"):
        make(str(tmp_path / "t.csv"), 2, label_name="none")


# -- what there is not --------------------------------------------------------------------------------------------------------


def test_a_tape_shows_the_step_to_write(tf):
    with (
        pytest.raises(TapeError, match=rf"(?s){re.escape(__file__)}, line \d+: .*jax\.value_and_grad"),
        tf.GradientTape(),
    ):
        pass


@pytest.mark.parametrize("name", ["keras.x", "signal.stft", "reduce_summ", "compat.v1.Session", *INSTEAD])
def test_a_name_outside_of_the_table(name, tf):
    if any(known.startswith(f"{name}.") for known in NAMES):
        name += ".qqq"
    with pytest.raises(AttributeError, match=re.escape(name.partition(".")[0])) as error:
        tf_lookup(tf, name)
    if not name.startswith("keras"):
        assert isinstance(error.value, NotOfferedError) and f"{__file__}, line" in str(error.value)
        assert INSTEAD.get(name.removesuffix(".qqq"), "") in str(error.value)
    assert name != "reduce_summ" or "Did you mean 'reduce_sum'" in str(error.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("linalg.svd", "Write `keras.ops.svd`."),
        ("scan", "Write `keras.ops.scan`."),
        ("math.lgamma", "Write `jax.lax.lgamma`."),
        ("train.Saver", "Write `keras.callbacks.ModelCheckpoint`"),
        ("data.TFRecordDataset", "from_generator"),
        ("random.Generator", "keras.random.SeedGenerator"),
    ],
)
def test_what_to_write_instead(name, advice):
    assert advice in str(not_offered(f"tf.{name}"))


def test_rows_of_different_lengths(tf):
    texts = ["a b  c", "d"]
    words = tf.strings.split(tf.constant(texts))
    assert words.to_list() == [[word.encode() for word in text.split()] for text in texts]
    assert [list(row) for row in words] == [text.split() for text in texts] and words[1:].to_list() == [[b"d"]]
    assert words.shape.as_list() == [2, None] and words.row_lengths().tolist() == [3, 1]
    assert words.to_tensor("-").numpy().tolist() == [[b"a", b"b", b"c"], [b"d", b"-", b"-"]]
    assert tf.strings.unicode_split(["ab", "c"]).flat_values.tolist() == ["a", "b", "c"]
    numbers = tf.ragged.constant([[1, 2], [], [3]])
    assert numbers.to_tensor(shape=(None, 3)).tolist() == [[1, 2, 0], [0, 0, 0], [3, 0, 0]]
    assert isinstance(numbers, tf.RaggedTensor) and numbers.dtype == "int32" and len(numbers.numpy()[1]) == 0
    new, old = (
        tf.keras.layers.TextVectorization(vocabulary=["a", "c"], split=split)(texts)
        for split in (lambda rows: [row.split() for row in rows], tf.strings.split)
    )
    np.testing.assert_array_equal(new, old)
    for mistake in (lambda: tf.strings.split([texts]), lambda: tf.ragged.constant([[[1]]])):
        with pytest.raises(ValueError, match="expected"):
            mistake()


def test_versions(tf):
    import keras

    assert tf.__version__ == tf.version.VERSION >= "2.16" and keras.__version__ == tf.keras.__version__
    assert keras.__version__ == keras.version() == jkeras.keras.__version__


def test_devices(tf):
    with tf.device("/CPU:0"):
        assert tf.zeros(1).devices().pop().platform == "cpu"
    with pytest.raises(ValueError, match="XLA_PYTHON_CLIENT_PREALLOCATE"):
        tf.config.experimental.set_memory_growth(None, True)


def test_in_a_model(tf):
    inputs = tf.keras.Input((4, 4, 3))
    outputs = tf.reduce_mean(tf.image.flip_left_right(tf.nn.relu(inputs)), axis=[1, 2])
    model = tf.keras.Model(inputs, outputs)
    np.testing.assert_allclose(model(SHADES[None]), SHADES[None].mean((1, 2)), rtol=1e-5)
