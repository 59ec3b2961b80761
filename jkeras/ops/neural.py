"""Functions of neural networks: activations, encodings, cross-entropies, normalisation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import activations, config
from jkeras.allowance import OPERATION, charge
from jkeras.dtypes import at_least_float32
from jkeras.errors import ArgumentError, InputError
from jkeras.losses import crossentropy
from jkeras.ops.attention import dot_product_attention
from jkeras.ops.ctc import ctc_decode
from jkeras.tracing import concrete
from jkeras.types import Array, Axis, DTypeLike, Sizes, TensorLike

# Activations that are the same function here and in `jkeras.activations`.
_SAME = """celu elu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid relu relu6 selu sigmoid silu
    soft_shrink softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold""".split()


def gelu(x: TensorLike, approximate: bool = True) -> jax.Array:
    """Gaussian error linear unit; unlike `activations.gelu` with the tanh approximation by default."""
    return activations.gelu(jnp.asarray(x), approximate)


def _over(function: Callable[..., Any], warns: bool = False) -> Callable[..., Any]:
    def call(x: TensorLike, axis: Axis | None = -1) -> jax.Array:
        """A softmax over one axis, several (a tuple), or all of them (None)."""
        x = jnp.asarray(x)
        if warns and isinstance(axis, int) and x.ndim and x.shape[axis] == 1:
            warnings.warn(
                f"You are using a softmax over axis {axis} of a tensor of shape {x.shape}. This axis has size 1. The softmax"
                " operation will always return the value 1, which is likely not what you intended. Did you mean to use a sigmoid"
                " instead?",
                stacklevel=2,
            )
        result: jax.Array = function(
            x, tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, list) else axis
        )
        return result

    return call


def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: DTypeLike | None = None, sparse: bool = False
) -> jax.Array:
    """A new axis with 1 at the place of each integer; zeros for one out of range."""
    if sparse:
        raise ArgumentError("ops.one_hot(sparse=True) is not supported: results are dense arrays.")
    return jax.nn.one_hot(jnp.asarray(x), num_classes, axis=axis, dtype=dtype or config.floatx())


def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    **kwargs: Any,
) -> jax.Array:
    """1 at the place of every integer in a row, `(batch, n)` to `(batch, num_classes)`."""
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs or num_classes is None:
        raise ArgumentError(f"ops.multi_hot(num_classes={num_classes!r}, **{kwargs!r}): expected num_classes alone.")
    ids = jnp.asarray(inputs).astype("int32")
    return jnp.max(one_hot(ids, num_classes, axis, dtype, sparse), axis=1 if ids.ndim > 1 else 0)


def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> jax.Array:
    """The cross-entropy of every element."""
    target, output = _pair("binary_crossentropy", target, output)
    if from_logits:
        return -target * jax.nn.log_sigmoid(output) - (1 - target) * jax.nn.log_sigmoid(-output)
    output = jnp.clip(output, config.epsilon(), 1 - config.epsilon())
    return -(target * jnp.log(output) + (1 - target) * jnp.log(1 - output))


def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    """The cross-entropy of distributions along an axis."""
    target, output = _pair("categorical_crossentropy", target, output)
    return crossentropy.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    """The cross-entropy of class numbers and distributions."""
    return crossentropy.sparse_categorical_crossentropy(
        jnp.asarray(target), jnp.asarray(output), from_logits=from_logits, axis=axis
    )


def _pair(name: str, target: TensorLike, output: TensorLike) -> tuple[jax.Array, jax.Array]:
    target, output = jnp.asarray(target), jnp.asarray(output)
    if target.shape != output.shape:
        raise InputError(f"ops.{name}: target has shape {target.shape}, output {output.shape}; they must be the same.")
    return target, output


def moments(
    x: TensorLike, axes: Axis | None, keepdims: bool = False, synchronized: bool = False
) -> tuple[jax.Array, jax.Array]:
    """Mean and variance, in float32 for 16-bit floats. `synchronized` changes nothing: arrays span all devices."""
    x = jnp.asarray(x)
    axes = tuple(axes) if isinstance(axes, Sequence) else axes
    if x.dtype not in (jnp.float16, jnp.bfloat16):
        return jnp.mean(x, axes, keepdims=keepdims), jnp.var(x, axes, keepdims=keepdims)
    wide = x.astype("float32")
    limits = jnp.finfo("float16")
    both = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    mean, variance = (jnp.clip(value, float(limits.min), float(limits.max)).astype(x.dtype) for value in both)
    return mean, variance


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> jax.Array:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with vectors along one axis."""
    x = jnp.asarray(x)
    sizes = [1] * x.ndim
    sizes[axis] = -1

    def along(value: TensorLike) -> Array:
        return jnp.reshape(jnp.asarray(value), sizes)

    factor = jax.lax.rsqrt(along(variance) + epsilon)
    factor = factor if scale is None else factor * along(scale)
    shift = -along(mean) * factor
    return x * factor + (shift if offset is None else shift + along(offset))


def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> jax.Array:
    """Mean 0 and variance 1 along axes, then scaled and shifted; in float32 for 16-bit floats."""
    x = jnp.asarray(x)
    exact = x.astype(at_least_float32(x.dtype))
    axes = tuple(sorted(a % x.ndim for a in (axis if isinstance(axis, Sequence) else (axis,))))
    sizes = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    epsilon = config.epsilon() if epsilon is None else epsilon
    variance = jnp.var(exact, axes, keepdims=True)
    factor = jax.lax.rsqrt(variance + epsilon)
    if kwargs.pop("rms_scaling", False):
        warnings.warn(
            "You passed `rms_scaling=True`, which is deprecated. This argument incorrectly scales the input by the variance, not"
            " the root mean square. To correctly use RMS Normalization, please use `keras.ops.rms_normalization`.",
            stacklevel=2,
        )
        result = exact * factor
        result = result if gamma is None else result * jnp.reshape(jnp.asarray(gamma, exact.dtype), sizes)
        return result.astype(x.dtype)
    factor = factor if gamma is None else factor * jnp.reshape(jnp.asarray(gamma, exact.dtype), sizes)
    shift = -jnp.mean(exact, axes, keepdims=True) * factor
    shift = shift if beta is None else shift + jnp.reshape(jnp.asarray(beta, exact.dtype), sizes)
    return (exact * factor + shift).astype(x.dtype)


def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: Axis = -1, epsilon: float | None = None
) -> jax.Array:
    """`x / sqrt(mean(x ** 2) + epsilon) * scale`; in float32 for 16-bit floats."""
    x = jnp.asarray(x)
    exact = x.astype(at_least_float32(x.dtype))
    axes = tuple(sorted(a % x.ndim for a in (axis if isinstance(axis, Sequence) else (axis,))))
    epsilon = config.epsilon() if epsilon is None else epsilon
    result = exact * jax.lax.rsqrt(jnp.mean(jnp.square(exact), axes, keepdims=True) + epsilon)
    if scale is not None:
        sizes = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        result = result * jnp.reshape(jnp.asarray(scale, exact.dtype), sizes)
    return result.astype(x.dtype)


def normalize(x: TensorLike, axis: Axis | None = -1, order: int = 2, epsilon: float | None = None) -> jax.Array:
    """`x` divided by its norm along an axis."""
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"ops.normalize(order={order!r}): expected an integer of at least 1.")
    x = jnp.atleast_1d(jnp.asarray(x))
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        return x * jnp.minimum(jax.lax.rsqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=True)), 1 / epsilon)
    return x / jnp.maximum(jnp.linalg.norm(x, ord=order, axis=axis, keepdims=True), epsilon)


def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> jax.Array:
    """The peak signal-to-noise ratio in decibels."""
    x1, x2 = _pair("psnr", x1, x2)
    return 20 * jnp.log10(jnp.asarray(max_val, x2.dtype)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> jax.Array:
    """The connectionist temporal classification loss of each sequence (Graves et al., 2006).

    Args:
        target: labels, `(batch, labels)`.
        output: logits, `(batch, time, classes)`.
        target_length: how many labels count, `(batch,)`.
        output_length: how many time steps count, `(batch,)`.
        mask_index: the class of the blank.
    """
    with concrete():  # what it computes while it is imported is not part of a trace
        import optax
    target, output = jnp.asarray(target).astype("int32"), jnp.asarray(output)
    logit_padding = jnp.arange(output.shape[1]) >= jnp.asarray(output_length)[:, None]
    label_padding = jnp.arange(target.shape[1]) >= jnp.asarray(target_length)[:, None]
    result: jax.Array = optax.losses.ctc_loss(output, logit_padding, target, label_padding, blank_id=mask_index)
    return result


def _adaptive(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def call(inputs: TensorLike, output_size: Sizes, data_format: str | None = None) -> jax.Array:
        """Pools over windows that are chosen so that the spatial axes get the sizes asked for."""
        x = jnp.asarray(inputs)
        rank = x.ndim - 2
        sizes = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
        first = 1 if config.standardize_data_format(data_format) == "channels_last" else 2
        for axis, size in enumerate(sizes, first):
            length = x.shape[axis]
            charge(size, "windows of a pooling operation", OPERATION)
            windows = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
            parts = [reduce(jax.lax.slice_in_dim(x, a, b, axis=axis), axis=axis) for a, b in windows]
            x = jnp.stack(parts, axis=axis)
        return x

    return call


def _block(function: str, size: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or size < 2:
        raise ArgumentError(f"ops.{function}: `block_size` must be at least 2. Received: block_size={size}")
    return size


def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Channels rearranged into blocks of pixels, `(batch, h, w, c)` to `(batch, h * b, w * b, c / b ** 2)`."""
    x, b = jnp.asarray(x), _block("depth_to_space", block_size)
    if data_format == "channels_last":
        n, h, w, c = x.shape
        blocks = x.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5)
        return blocks.reshape(n, h * b, w * b, c // b**2)
    n, c, h, w = x.shape
    return x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // b**2, h * b, w * b)


def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Blocks of pixels rearranged into channels, the reverse of `depth_to_space`."""
    x, b = jnp.asarray(x), _block("space_to_depth", block_size)
    if data_format == "channels_last":
        n, h, w, c = x.shape
        blocks = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
        return blocks.reshape(n, h // b, w // b, c * b**2)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // b, b, w // b, b).transpose(0, 1, 3, 5, 2, 4).reshape(n, c * b**2, h // b, w // b)


TABLE: dict[str, Callable[..., Any]] = {name: getattr(activations, name) for name in _SAME}
TABLE |= {
    function.__name__: function
    for function in (
        *(gelu, one_hot, multi_hot, binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy),
        *(moments, batch_normalization, layer_normalization, rms_normalization, normalize, psnr, ctc_loss, ctc_decode),
        *(depth_to_space, space_to_depth, dot_product_attention),
    )
}
TABLE |= {
    "softmax": _over(activations.softmax, warns=True),
    "log_softmax": _over(activations.log_softmax),
    "swish": activations.silu,
    "hard_swish": activations.hard_silu,
    "adaptive_average_pool": _adaptive(jnp.mean),
    "adaptive_max_pool": _adaptive(jnp.max),
}
