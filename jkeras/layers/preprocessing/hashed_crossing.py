"""Features that are combined by a hash: every pair of values has a bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, dtypes
from jkeras.errors import InputError
from jkeras.layers.preprocessing.encoding import dense_only, encode, is_text, output_mode
from jkeras.layers.preprocessing.hashing import BinLayer, each_hashed, fingerprint64
from jkeras.types import DTypePolicyLike, PolicyField, TensorLike
from jkeras.values.fields import field

# The key that TensorFlow's crosses begin with, and the factor of its joined fingerprints (MurmurHash2).
KEY, _FACTOR = np.uint64(0xDECAFCAFFE), np.uint64(0xC6A4A7935BD1E995)


def _mixed(values: np.ndarray) -> np.ndarray:
    result: np.ndarray = values ^ values >> np.uint64(47)
    return result


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One fingerprint for two, which TensorFlow's `FingerprintCat64` gives; arrays of unsigned integers of 64 bits."""
    result: np.ndarray = _mixed(_mixed(((first ^ _FACTOR) ^ _mixed(second * _FACTOR) * _FACTOR) * _FACTOR) * _FACTOR)
    return result


def crossed(columns: Sequence[np.ndarray], count: int) -> np.ndarray:
    """The bin of each row of several columns of strings or integers, all of one shape."""
    hashed = np.full(columns[0].size, KEY, "uint64")
    for column in columns:
        values = column.ravel()
        part = each_hashed(values, fingerprint64) if is_text(values) else values.astype("int64").astype("uint64")
        hashed = joined(hashed, part)
    return (hashed % np.uint64(count)).astype("int64").reshape(columns[0].shape)


class HashedCrossing(BinLayer):
    """Puts combinations of features into bins by a hash that never changes, the one of Keras, on the host.

    Shapes: every feature `(batch, 1)`, `(batch,)` or `()`; the output has that shape, or ends in `num_bins` in the mode
    "one_hot".

    Args:
        num_bins: the number of bins.
        output_mode: "int", or "one_hot" to encode the bins.
        sparse: accepted for compatibility with Keras; only False is supported.
        name: the layer's name.
        dtype: the dtype of the encodings; bins are int32.

    Raises:
        InputError: fewer than two features, or features of other shapes or types.

    >>> HashedCrossing(num_bins=5)((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).tolist()
    [1, 4, 1, 1, 3]
    """

    mixes_samples: ClassVar[bool | None] = False

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(init=False)
        _name: str | None = field(init=False)

    num_bins: int = field(convert=arguments.positive_int)
    output_mode: str = field(default="int", convert=output_mode("int", "one_hot"))
    sparse: bool = field(default=False, convert=dense_only)
    name: str | None = None
    dtype: PolicyField = field(default=None, convert=dtypes.get)

    def on_host(self, inputs: Sequence[TensorLike]) -> jax.Array:  # type: ignore[override]  # several features
        bins = crossed(self._columns(inputs), self.num_bins)
        return encode(jnp.asarray(bins), self.output_mode, self.num_bins, self._type)

    def _columns(self, inputs: Sequence[TensorLike]) -> list[np.ndarray]:
        place = f"{self._place} (HashedCrossing)"
        if not isinstance(inputs, (list, tuple)):
            raise InputError(
                f"{place} should be called on a list or tuple of features, `layer([first, second])`; it got {inputs!r}."
            )
        if len(inputs) < 2:
            raise InputError(f"{place} should be called on at least two inputs; it got {len(inputs)}.")
        columns = [np.asarray(column) for column in inputs]
        shapes = [column.shape for column in columns]
        if any(len(shape) > 2 or (len(shape) == 2 and shape[1] != 1) for shape in shapes):
            raise InputError(f"{place}: inputs should have shape (), (batch,) or (batch, 1); they have {shapes}.")
        if len(set(shapes)) > 1:
            raise InputError(f"{place}: inputs should have equal shape; they have {shapes}.")
        for column in columns:
            if not is_text(column) and column.dtype.kind not in "iu":
                raise InputError(f"{place}: inputs should have an integer or string dtype; one has {column.dtype}.")
        return columns


__all__ = ["HashedCrossing", "crossed"]
