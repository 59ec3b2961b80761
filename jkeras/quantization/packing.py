"""Packs two 4-bit integers into a byte: the first into the low half, the second into the high half."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, DTypeError
from jkeras.types import Array, ArrayLike

_BYTES = ("int8", "uint8")


def _check(where: str, dtype: str) -> None:
    if dtype not in _BYTES:
        raise ArgumentError(f"{where}(dtype={dtype!r}): Expected dtype to be 'int8' or 'uint8', but got '{dtype}'.")


def pack_int4(arr: ArrayLike, axis: int = 0, dtype: str = "int8") -> tuple[Array, tuple[int, ...], int]:
    """Packs pairs of neighbours along an axis into bytes, on the host.

    Args:
        arr: integers with the dtype `dtype` that fit into four bits.
        axis: the axis along which to pack, which is halved; an odd size is padded with a zero.
        dtype: "int8" or "uint8".

    Returns:
        The bytes, their shape, and the original size of the axis.

    Raises:
        ArgumentError: `dtype` is not "int8" or "uint8".
        DTypeError: `arr` has another dtype.

    >>> import numpy as np
    >>> packed, shape, size = pack_int4(np.array([[-3, 7], [2, -8], [1, 0]], "int8"))
    >>> packed.tolist(), shape, size
    ([[45, -121], [1, 0]], (2, 2), 3)
    """
    _check("pack_int4", dtype)
    numbers = np.asarray(arr)
    if numbers.dtype != dtype:
        raise DTypeError(f"pack_int4(arr): Expected {dtype} tensor for packing, got {numbers.dtype}.")
    numbers = np.moveaxis(numbers, axis, 0)
    size = numbers.shape[0]
    numbers = np.pad(numbers, [(0, size % 2), *[(0, 0)] * (numbers.ndim - 1)]).view("uint8")
    packed = np.moveaxis((numbers[::2] & 15) | (numbers[1::2] << 4), 0, axis).view(dtype)
    return jnp.asarray(packed), packed.shape, size


def unpack_int4(packed: ArrayLike, orig_len: int, axis: int = 0, dtype: str = "int8") -> Array:
    """The integers that `pack_int4` packed.

    Args:
        packed: bytes.
        orig_len: the original size of the axis.
        axis: the axis along which they are packed.
        dtype: "int8" for values from -8 to 7, "uint8" for 0 to 15.

    Raises:
        ArgumentError: `dtype` is not "int8" or "uint8".
        DTypeError: `packed` is not an array of bytes.

    >>> import numpy as np
    >>> unpack_int4(np.array([[45, -121], [1, 0]], "int8"), 3).tolist()
    [[-3, 7], [2, -8], [1, 0]]
    """
    _check("unpack_int4", dtype)
    halves = jnp.asarray(packed)
    if halves.dtype not in _BYTES:
        raise DTypeError(f"unpack_int4(packed): Expected int8 or uint8 tensor for unpacking, got {halves.dtype}.")
    halves = jnp.moveaxis(halves, axis, 0)
    pairs = jnp.stack([halves & 15, (halves >> 4) & 15], axis=1)
    if dtype == "int8":
        pairs = (pairs.astype(dtype) ^ 8) - 8
    numbers = pairs.astype(dtype).reshape(-1, *halves.shape[1:])[:orig_len]
    return jnp.moveaxis(numbers, 0, axis)


__all__ = ["pack_int4", "unpack_int4"]
