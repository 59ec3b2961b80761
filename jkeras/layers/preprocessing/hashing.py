"""Hashes of strings that stay the same for ever, and the layer that makes bins of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.dtypes import DTypePolicy
from jkeras.errors import ArgumentError, InputError
from jkeras.layers.preprocessing.encoding import HostLayer, as_text, dense_only, encode, is_text, output_mode
from jkeras.types import TensorLike
from jkeras.values.config import serialize
from jkeras.values.fields import field

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _right(value: int, bits: int) -> int:
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _combine(first: int, second: int, factor: int) -> int:
    one = _shift_mix((first ^ second) * factor)
    return _shift_mix((second ^ one) * factor) * factor & _MASK


def _short(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _combine((_right(b, 37) * factor + a) & _MASK, (_right(a, 25) + b) * factor & _MASK, factor)
    if size >= 4:
        return _combine(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _medium(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    a = _word(data, 0) * (_K1 if size <= 32 else _K2)
    b, c, d = _word(data, 8), _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    y = (_right(a + b, 43) + _right(c, 30) + d) & _MASK
    z = _combine(y, (a + _right(b + _K2, 18) + c) & _MASK, factor)
    if size <= 32:
        return z
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    return _combine((_right(e + f, 43) + _right(g, 30) + h) & _MASK, (e + _right(f + a, 18) + g) & _MASK, factor)


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a += w
    b = _right(b + a + z, 21)
    total = a + x + y
    return (total + z) & _MASK, (b + _right(total, 44) + a) & _MASK


def fingerprint64(data: bytes) -> int:
    """FarmHash Fingerprint64 (Pike and Alakuijala, 2014), which is TensorFlow's fast string hash.

    >>> [fingerprint64(word) % 3 for word in (b"A", b"B", b"C")]
    [1, 0, 1]
    """
    size = len(data)
    if size <= 64:
        return _short(data) if size <= 16 else _medium(data)
    x, y = 81, 81 * _K1 + 113
    z = _shift_mix(y * _K2 + 113) * _K2
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _word(data, 0)
    blocks = (size - 1) // 64
    places = [*range(0, 64 * blocks, 64), size - 64]
    for number, s in enumerate(places):
        last = number == blocks
        factor = _K1 + ((z & 0xFF) << 1) if last else _K1
        if last:
            w = (w[0] + ((size - 1) & 63), w[1])
            v = (v[0] + w[0], v[1])
            w = (w[0] + v[0], w[1])
        weight = 9 if last else 1
        x = _right(x + y + v[0] + _word(data, s + 8), 37) * factor
        y = _right(y + v[1] + _word(data, s + 48), 42) * factor
        x = (x & _MASK) ^ (w[1] * weight & _MASK)
        y = y + v[0] * weight + _word(data, s + 40)
        z = _right(z + w[0], 33) * factor
        v = _weak(data, s, v[1] * factor, x + w[0])
        w = _weak(data, s + 32, z + w[1], y + _word(data, s + 16))
        x, z = z & _MASK, x
    return _combine(
        (_combine(v[0], w[0], factor) + _shift_mix(y) * _K0 + z) & _MASK,
        (_combine(v[1], w[1], factor) + x) & _MASK,
        factor,
    )


def _left(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 (Aumasson & Bernstein, 2012) with a key of two integers."""
    k0, k1 = key[0] & _MASK, key[1] & _MASK
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0] = (v[0] + v[1]) & _MASK
            v[1] = _left(v[1], 13) ^ v[0]
            v[0] = _left(v[0], 32)
            v[2] = (v[2] + v[3]) & _MASK
            v[3] = _left(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & _MASK
            v[3] = _left(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & _MASK
            v[1] = _left(v[1], 17) ^ v[2]
            v[2] = _left(v[2], 32)

    whole = len(data) - len(data) % 8
    words = [_word(data, i) for i in range(0, whole, 8)]
    for word in [*words, _word(data, whole) | (len(data) & 0xFF) << 56]:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def salt(value: object) -> tuple[int, int] | None:
    """A converter for `salt`: None, one integer (used twice) or two."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return (arguments.integer(value[0]), arguments.integer(value[1]))
    try:
        return (arguments.integer(value),) * 2
    except ArgumentError:
        raise ArgumentError("expected an integer or two integers") from None


def _term(value: object) -> int | str:
    """A converter for a value that is masked: a string or an integer."""
    try:
        return value if isinstance(value, str) else arguments.integer(value)
    except ArgumentError:
        raise ArgumentError("expected a string or an integer") from None


def bins(values: np.ndarray, count: int, key: tuple[int, int] | None = None) -> np.ndarray:
    """The bin of each string (or integer, as text): its hash modulo `count`, with SipHash if there is a key."""
    if not is_text(values):
        values = values.astype("int64").astype(str)
    hashed = each_hashed(values, fingerprint64 if key is None else lambda word: siphash(word, key))
    return (hashed % np.uint64(count)).astype("int64")


def each_hashed(values: np.ndarray, hash_of: Callable[[bytes], int]) -> np.ndarray:
    """The hash of each string, as unsigned integers of 64 bits; equal strings are hashed once."""
    different, places = np.unique(as_text(values).astype(str), return_inverse=True)
    hashed = [hash_of(str(word).encode()) for word in different]
    return np.asarray(hashed, dtype="uint64")[places].reshape(values.shape)


class BinAttributes:
    """The arguments of layers of bins, which set their own order (see `jkeras.values.fields`)."""

    output_mode: str


class BinLayer(BinAttributes, HostLayer):
    """Base of layers that return the number of a bin, or an encoding of it."""

    @property
    def _type(self) -> str:
        return "int32" if self.output_mode == "int" else config.floatx()

    def get_config(self) -> dict[str, Any]:
        # Keras wants an integer type where bins are not encoded.
        name = "int64" if self.output_mode == "int" and self.dtype is None else self.dtype_policy.name
        return {**super().get_config(), "dtype": serialize(DTypePolicy(name))}


class Hashing(BinLayer):
    """Puts strings or integers into bins by a hash that never changes, the one of Keras.

    Shapes: any of strings or integers, unchanged; bins are encoded as in `CategoryEncoding`.

    Args:
        num_bins: the number of bins.
        mask_value: a value for which bin 0 is reserved.
        salt: an integer or two: makes the hash SipHash with this key; FarmHash without.
        output_mode: "int", or how bins are encoded: "one_hot", "multi_hot", "count".
        sparse: accepted for compatibility with Keras; only False is supported.

    >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel().tolist()
    [1, 0, 1, 1, 2]
    """

    mixes_samples: ClassVar[bool | None] = False

    num_bins: int = field(convert=arguments.positive_int)
    mask_value: int | str | None = field(default=None, convert=arguments.optional(_term))
    salt: Any = field(default=None, convert=salt)
    output_mode: str = field(default="int", convert=output_mode("int", "one_hot", "multi_hot", "count"))
    sparse: bool = field(default=False, convert=dense_only)

    def on_host(self, inputs: TensorLike) -> jax.Array:
        values = np.asarray(inputs)
        if values.dtype.kind == "f" and (values != np.trunc(values)).any():
            raise InputError(f"{self.path} takes strings or integers; got {values.dtype} with fractions.")
        count, mask = self.num_bins, None
        if self.mask_value is not None and count > 1:
            count, mask = count - 1, values == self.mask_value
        ids = bins(values, count, self.salt)
        ids = ids if mask is None else np.where(mask, 0, ids + 1)
        return encode(jnp.asarray(ids), self.output_mode, self.num_bins, self._type)


__all__ = ["Hashing", "fingerprint64", "siphash"]
