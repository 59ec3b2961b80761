"""The output shape and padding of transposed convolutions, with Keras's internal function names."""

from __future__ import annotations

from collections.abc import Sequence

from jkeras.lowering.plain import transpose_padding

Sizes = int | Sequence[int]


def compute_conv_transpose_padding_args_for_jax(
    input_shape: Sequence[int | None],
    kernel_shape: Sequence[int],
    strides: Sizes,
    padding: str,
    output_padding: Sizes | None,
    dilation_rate: Sizes,
) -> list[tuple[int, int]]:
    """The padding before and after the input on every spatial axis, for `jax.lax.conv_transpose`.

    Args:
        input_shape: the full input shape.
        kernel_shape: `(*window, out, in)`.
        strides: one stride, or one per axis.
        padding: "valid" or "same".
        output_padding: the rows added at the end, instead of Keras's default.
        dilation_rate: one rate, or one per axis.
    """
    rank = len(input_shape) - 2
    axes = zip(
        kernel_shape[:rank],
        _per_axis(strides, rank),
        _per_axis(output_padding, rank),
        _per_axis(dilation_rate, rank),
        strict=True,
    )
    return [
        transpose_padding((size - 1) * dilation + 1, stride, _checked(padding), extra)
        for size, stride, extra, dilation in axes
    ]


def compute_conv_transpose_output_shape(
    input_shape: Sequence[int | None],
    kernel_size: Sequence[int],
    filters: int,
    strides: Sizes,
    padding: str,
    output_padding: Sizes | None = None,
    data_format: str = "channels_last",
    dilation_rate: Sizes = 1,
) -> list[int | None]:
    """The shape of the output of a transposed convolution.

    Args:
        input_shape: the full input shape; sizes may be unknown.
        kernel_size: the window's size on every spatial axis; further entries are ignored.
        filters: the number of output channels.
        strides: one stride, or one per axis.
        padding: "valid" or "same".
        output_padding: the rows added at the end, instead of Keras's default.
        data_format: "channels_last" or "channels_first".
        dilation_rate: one rate, or one per axis.
    """
    rank = len(input_shape) - 2
    last = data_format == "channels_last"
    around = compute_conv_transpose_padding_args_for_jax(
        input_shape, kernel_size, strides, padding, output_padding, dilation_rate
    )
    sizes: list[int | None] = []
    for size, window, stride, dilation, pair in zip(
        input_shape[1:-1] if last else input_shape[2:],
        kernel_size[:rank],
        _per_axis(strides, rank),
        _per_axis(dilation_rate, rank),
        around,
        strict=True,
    ):
        sizes.append(None if size is None else (size - 1) * stride + 1 + sum(pair) - (window - 1) * dilation)
    return [input_shape[0], *sizes, filters] if last else [input_shape[0], filters, *sizes]


def _checked(padding: str) -> str:
    if padding.lower() not in ("valid", "same"):
        raise ValueError(f"The `padding` argument must be one of 'valid', 'same'. Received: padding={padding}")
    return padding.lower()


def _per_axis(value: Sizes | None, rank: int) -> Sequence[int]:
    return (value,) * rank if value is None or isinstance(value, int) else value  # type: ignore[return-value]
