"""Sequences of different lengths, and windows over long ones, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np

from jkeras import arguments
from jkeras.dtypes import array_dtype
from jkeras.errors import ArgumentError, InputError
from jkeras.types import DTypeLike, TensorLike
from jkeras.utils.samples import Samples


def pad_sequences(
    sequences: Sequence[Sequence[Any] | np.ndarray] | np.ndarray,
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> np.ndarray:
    """The sequences as the rows of one array `(sequences, maxlen, ...)`, padded or cut to the same length.

    Args:
        sequences: sequences of elements of one shape.
        maxlen: length of the rows; the default is that of the longest sequence.
        dtype: the dtype of the array; `object` for strings.
        padding: "pre" pads in front, "post" behind.
        truncating: "pre" cuts off the beginning, "post" the end.
        value: the value to pad with.

    Raises:
        ArgumentError: `padding` or `truncating` is neither "pre" nor "post", or `value` does not fit `dtype`.
        InputError: `sequences` are not sequences, or their elements differ in shape.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ArgumentError(f"pad_sequences({name}={choice!r}): expected 'pre' or 'post'.")
    kind = arguments.checked("pad_sequences", "dtype", dtype, array_dtype)
    arguments.checked("pad_sequences", "maxlen", maxlen, arguments.optional(arguments.at_least(0)))
    if kind.kind not in "OSU":
        if isinstance(value, str):
            raise ArgumentError(f"pad_sequences(value={value!r}, dtype={dtype!r}): strings need dtype=object.")
        if not isinstance(value, bool):
            arguments.checked("pad_sequences", "value", value, arguments.number)
    if not isinstance(sequences, Sized) or isinstance(sequences, (str, Mapping)):
        raise InputError(f"pad_sequences() needs a list of sequences, got {type(sequences).__name__}.")
    lengths = [_length(sequence) for sequence in sequences]
    length = max(lengths, default=0) if maxlen is None else maxlen
    element_shape = next((np.asarray(s).shape[1:] for s, n in zip(sequences, lengths, strict=True) if n), ())
    rows = np.full((len(lengths), length, *element_shape), value, dtype=kind)
    for index, (sequence, available) in enumerate(zip(sequences, lengths, strict=True)):
        count = min(available, length)
        if not count:
            continue
        part = sequence[available - count :] if truncating == "pre" else sequence[:count]
        try:
            elements = np.asarray(part, dtype=kind)
        except (TypeError, ValueError):
            shown = arguments.shown(part)
            raise InputError(f"pad_sequences(dtype={dtype!r}): sequence {index} has other elements: {shown}.") from None
        if elements.shape[1:] != element_shape:
            raise InputError(
                f"pad_sequences(): the elements of sequence {index} have the shape {elements.shape[1:]},"
                f" those of the first have {element_shape}."
            )
        if padding == "pre":
            rows[index, length - count :] = elements
        else:
            rows[index, :count] = elements
    return rows


def _length(sequence: object) -> int:
    if not isinstance(sequence, Sized):
        raise InputError(f"pad_sequences() needs a list of sequences; it contains {sequence!r}.")
    return len(sequence)


def timeseries_dataset_from_array(
    data: TensorLike,
    targets: TensorLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Samples:
    """Windows over time as batches: `(batch, sequence_length, ...)`, with their targets if there are any.

    The window that begins at step `i` holds the steps `i, i + sampling_rate, ...`, and its target is `targets[i]`.
    Windows begin every `sequence_stride` steps. Nothing is copied before a batch is read.

    Args:
        data: array `(time, ...)`.
        targets: array `(time, ...)` or None.
        sequence_length: number of steps in a window.
        sequence_stride: steps between the beginnings of windows.
        sampling_rate: steps between the steps of a window.
        batch_size: windows in a batch; None gives single windows.
        shuffle: whether each pass has a new order.
        seed: the seed of the orders.
        start_index: steps before this one are left out.
        end_index: this step and later ones are left out.
        format: accepted for compatibility with Keras; "tf" and "grain" return the same `Samples`.

    Raises:
        ArgumentError: an argument is out of range.

    >>> windows = timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3, batch_size=2)
    >>> for x, y in windows:
    ...     print(x.tolist(), y.tolist())
    [[0, 1, 2], [1, 2, 3]] [0, 10]
    [[2, 3, 4], [3, 4, 5]] [20, 30]
    """
    array = arguments.checked("timeseries_dataset_from_array", "data", data, _over_time)
    length = len(array)
    index = arguments.optional(arguments.integer)
    for name, value in (("start_index", start_index), ("end_index", end_index)):
        arguments.checked("timeseries_dataset_from_array", name, value, index)
    start, stop = start_index or 0, end_index or length
    for name, number, low, high in (
        ("start_index", start, 0, length - 1),
        ("end_index", stop, start + 1, length if end_index is None else length - 1),
        ("sequence_length", sequence_length, 1, length),
        ("sampling_rate", sampling_rate, 1, length - 1),
        ("sequence_stride", sequence_stride, 1, length - 1),
    ):
        arguments.checked("timeseries_dataset_from_array", name, number, arguments.integer)
        if not low <= number <= high:
            raise ArgumentError(
                f"timeseries_dataset_from_array({name}={number!r}): expected an integer from {low} to {high}"
                f" for {length} steps of data."
            )
    if format not in ("tf", "grain"):
        raise ArgumentError(f"timeseries_dataset_from_array(format={format!r}): expected 'tf' or 'grain'.")
    array = array[start:stop]
    aims = (
        None if targets is None else arguments.checked("timeseries_dataset_from_array", "targets", targets, _over_time)
    )
    windows = stop - start - (sequence_length - 1) * sampling_rate
    if aims is not None:
        windows = min(windows, len(aims))
        aims = aims[start:stop]
    beginnings = np.arange(0, windows, sequence_stride)
    steps = np.arange(sequence_length) * sampling_rate

    def read(index: np.ndarray) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        first = beginnings[index]
        inputs = array[first[:, None] + steps]
        return inputs if aims is None else (inputs, aims[first])

    return Samples(len(beginnings), read, batch_size=batch_size, shuffle=shuffle, seed=seed)


def _over_time(value: object) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal length
        raise ArgumentError("expected an array (time, ...)") from None
    if not array.ndim:
        raise ArgumentError("expected an array (time, ...)")
    return array
