"""Rows of different lengths, on the host: what `tf.strings.split` makes of several texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jkeras.errors import InputError
from jkeras.scripts.tensorflow.arrays import dtype_of
from jkeras.scripts.tensorflow.tensors import HostTensor, TensorShape, host
from jkeras.types import DTypeLike


class RaggedTensor:
    """A list of arrays whose first axes differ.

    Args:
        rows: the arrays.
    """

    def __init__(self, rows: Iterable[Any]):
        self._rows = [np.asarray(row) for row in rows]

    @property
    def shape(self) -> TensorShape:
        """The number of rows, None, and the other sizes."""
        return TensorShape((len(self._rows), None, *(self._rows[0].shape[1:] if self._rows else ())))

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return self.flat_values.dtype

    @property
    def flat_values(self) -> Any:
        """All rows one after another."""
        return host(np.concatenate(self._rows)) if self._rows else host(np.zeros(0, "float32"))

    values = flat_values

    def row_lengths(self) -> Any:
        """The length of each row."""
        return jnp.asarray([len(row) for row in self._rows], "int32")

    def to_list(self) -> list[Any]:
        """The rows as lists, of bytes where they are texts."""
        return [host(row).numpy().tolist() for row in self._rows]

    def to_tensor(self, default_value: Any = None, shape: Sequence[int | None] | None = None) -> Any:
        """One array, with short rows filled up.

        Args:
            default_value: what they are filled up with; 0 or the empty text unless given.
            shape: sizes to truncate or pad to; None keeps a size.
        """
        length = max(map(len, self._rows), default=0)
        rows, length = (bound or size for bound, size in zip(shape or (None, None), (len(self), length), strict=False))
        flat = self.flat_values
        filled = np.zeros((rows, length, *flat.shape[1:]), flat.dtype)
        if default_value is not None:
            filled = np.full_like(filled, default_value)
        for place, row in zip(filled, self._rows, strict=False):
            place[: len(row)] = row[:length]
        return host(filled) if filled.dtype.kind in "USO" else jnp.asarray(filled)

    def numpy(self) -> Any:
        """An array of the rows as arrays."""
        rows = np.empty(len(self._rows), object)
        rows[:] = [host(row).numpy() for row in self._rows]
        return rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[HostTensor]:
        return map(host, self._rows)

    def __getitem__(self, index: int | slice) -> Any:
        return RaggedTensor(self._rows[index]) if isinstance(index, slice) else host(self._rows[index])

    def __repr__(self) -> str:
        return f"RaggedTensor({[row.tolist() for row in self._rows]})"


def constant(pylist: Sequence[Sequence[Any]], dtype: DTypeLike | None = None) -> RaggedTensor:
    """Rows of numbers or texts.

    Raises:
        InputError: the rows hold rows themselves.
    """
    if any(isinstance(value, (list, tuple)) for row in pylist for value in row):
        raise InputError(
            "tf.ragged.constant: expected a list of rows of numbers or texts; rows of rows are not supported."
        )
    texts = any(isinstance(value, (str, bytes)) for row in pylist for value in row)
    kinds = {type(value) for row in pylist for value in row}
    kind = str if texts else dtype_of(dtype or ("int32" if kinds <= {int, bool} else "float32"))
    return RaggedTensor(np.asarray(row, kind) for row in pylist)
