"""Output shapes of operations under the names of Keras's internals, for libraries that call them.

Unknown sizes are None.
"""

from __future__ import annotations

from collections.abc import Sequence

from jkeras.errors import ArgumentError, InputError
from jkeras.keras.shape_rules import broadcast

Sizes = Sequence[int | None]


def broadcast_shapes(shape1: Sizes, shape2: Sizes) -> list[int | None]:
    """The shape of an elementwise operation on two tensors.

    Args:
        shape1: of the first.
        shape2: of the second.

    Raises:
        InputError: two known sizes differ, and neither is 1.

    >>> broadcast_shapes((5, 1, None), (3, 4))
    [5, 3, 4]
    """

    return list(broadcast(tuple(shape1), tuple(shape2)))


def reduce_shape(
    shape: Sizes, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> tuple[int | None, ...]:
    """The shape of a sum, mean, maximum ...

    Args:
        shape: of the input.
        axis: one or several; None is all.
        keepdims: whether these axes stay, with the size 1.

    Raises:
        ArgumentError: there is no such axis.

    >>> reduce_shape((2, 3, None), axis=-2), reduce_shape((2, 3), keepdims=True)
    ((2, None), (1, 1))
    """
    rank = len(shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    if any(not -rank <= one < rank for one in axes):
        raise ArgumentError(f"axis={axis!r}: expected axes of a tensor of rank {rank}, from {-rank} to {rank - 1}.")
    reduced = {one % rank for one in axes}
    return tuple(1 if i in reduced else size for i, size in enumerate(shape) if keepdims or i not in reduced)


def _windows(size: int | None, window: int, stride: int, padding: str) -> int | None:
    """How many windows fit on an axis."""
    if size is None:
        return None
    return (size - window) // stride + 1 if padding == "valid" else (size - 1) // stride + 1


def _per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


def _shape(batch: int | None, sizes: Sizes, channels: int | None, data_format: str | None) -> tuple[int | None, ...]:
    return (batch, channels, *sizes) if data_format == "channels_first" else (batch, *sizes, channels)


def compute_pooling_output_shape(
    input_shape: Sizes,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str = "valid",
    data_format: str | None = "channels_last",
) -> tuple[int | None, ...]:
    """The output shape of a pooling layer.

    Args:
        input_shape: of all axes.
        pool_size: of the window.
        strides: None is `pool_size`.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".

    Raises:
        ArgumentError: another padding.
        InputError: the window does not fit.

    >>> compute_pooling_output_shape((None, 5, None, 3), (2, 2), None)
    (None, 2, None, 3)
    """
    if padding not in ("valid", "same"):
        raise ArgumentError(f"Argument `padding` must be either 'valid' or 'same'. Received: padding={padding}")
    spatial = tuple(input_shape[2:] if data_format == "channels_first" else input_shape[1:-1])
    window = _per_axis(pool_size, len(spatial))
    steps = window if strides is None else _per_axis(strides, len(spatial))
    sizes = [_windows(*axis, padding) for axis in zip(spatial, window, steps, strict=True)]
    if any(size is not None and size < 1 for size in sizes):
        raise InputError(
            f"Computed output size would be zero or negative. Received: `inputs.shape={tuple(input_shape)}`,"
            f" `pool_size={window}`, `strides={steps}`, `padding={padding}`."
        )
    return _shape(input_shape[0], sizes, input_shape[1 if data_format == "channels_first" else -1], data_format)


def compute_conv_output_shape(
    input_shape: Sizes,
    filters: int,
    kernel_size: Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> tuple[int | None, ...]:
    """The output shape of a convolution layer.

    Args:
        input_shape: of all axes.
        filters: the number of output channels.
        kernel_size: of the spatial axes.
        strides: one, or one an axis.
        padding: "valid", "same" or "causal".
        data_format: "channels_last" or "channels_first".
        dilation_rate: one, or one an axis.

    Raises:
        ArgumentError: another padding, or sizes for another number of axes.
        InputError: the kernel does not fit.

    >>> compute_conv_output_shape((None, 28, 28, 3), 8, (3, 3), strides=2)
    (None, 13, 13, 8)
    """
    if padding not in ("valid", "same", "causal"):
        raise ArgumentError(f"`padding` must be either `'valid'` or `'same'`. Received {padding}.")
    spatial = tuple(input_shape[2:] if data_format == "channels_first" else input_shape[1:-1])
    if len(kernel_size) != len(spatial):
        raise ArgumentError(
            "Kernel shape must have the same length as input, but received"
            f" kernel_size={tuple(kernel_size)} and input of shape {tuple(input_shape)}."
        )
    dilations = _per_axis(dilation_rate, len(spatial))
    if len(dilations) != len(spatial):
        raise ArgumentError(
            "Dilation must be None, scalar or tuple/list of length of inputs' spatial shape, but received"
            f" `dilation_rate={dilation_rate}` and input of shape {tuple(input_shape)}."
        )
    windows = [(size - 1) * dilation + 1 for size, dilation in zip(kernel_size, dilations, strict=True)]
    sizes = [_windows(*axis, padding) for axis in zip(spatial, windows, _per_axis(strides, len(spatial)), strict=True)]
    if any(size is not None and size < 1 for size in sizes):
        raise InputError(
            f"Computed output size would be zero or negative. Received `inputs shape={tuple(input_shape)}`,"
            f" `kernel_size={tuple(kernel_size)}`, `dilation_rate={dilations}`, `strides={strides}`, `padding={padding}`."
        )
    return _shape(input_shape[0], sizes, filters, data_format)
