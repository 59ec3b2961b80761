"""Random keys from what users call a seed."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.constants import put
from jkeras.errors import ArgumentError
from jkeras.tracing import is_traced


@runtime_checkable
class KeySource(Protocol):
    """What gives a random key when asked for the next one, such as `jkeras.random.SeedGenerator`."""

    def next(self) -> jax.Array:
        """A random key."""


SeedLike: TypeAlias = int | np.integer | jax.Array | KeySource | None


def as_key(seed: SeedLike = None) -> jax.Array:
    """The random key that a seed means.

    Args:
        seed: None (the default seed), an integer, a JAX key, or an object with a method `next()` that gives a key, such
            as `jkeras.random.SeedGenerator`.

    Raises:
        ArgumentError: it is none of these.

    >>> bool(as_key(3) == jax.random.key(3))
    True
    """
    if seed is None:
        return key_of(config.default_seed)
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return key_of(int(seed))
    if isinstance(seed, jax.Array):
        raw = seed.dtype == jnp.uint32 and seed.ndim == 1
        if raw or jnp.issubdtype(seed.dtype, jax.dtypes.prng_key):
            return seed
    if isinstance(seed, KeySource):
        return seed.next()
    raise ArgumentError(f"seed={arguments.shown(seed)}: expected None, an integer, a JAX key or a SeedGenerator.")


def key_of(seed: int) -> jax.Array:
    """`jax.random.key(seed)`, for which JAX compiles a program, made on the host where that is possible.

    >>> all(bool(key_of(seed) == jax.random.key(seed)) for seed in (0, -1, 2**40 + 3))
    True
    """
    settings: Any = jax.config  # whose attributes JAX makes while it is imported
    if is_traced() or settings.jax_default_prng_impl != "threefry2x32":
        return jax.random.key(seed)
    number = int(np.int64(seed))
    words = np.array([number >> 32 if settings.jax_enable_x64 else 0, number]) & 0xFFFFFFFF
    key: jax.Array = jax.random.wrap_key_data(put(words.astype(np.uint32)))
    return key


def folded(key: jax.Array, number: int) -> jax.Array:
    """`jax.random.fold_in(key, number)`, for which JAX compiles a program, made on the host where that is possible.

    >>> all(bool(folded(key_of(3), n) == jax.random.fold_in(key_of(3), n)) for n in (0, 7, 2**32 - 1))
    True
    """
    if not _is_on_host(key):
        return jax.random.fold_in(key, np.uint32(number))
    first, second = map(int, np.asarray(jax.random.key_data(key)))
    words = np.array(_threefry((first, second), (0, number)), np.uint32)
    result: jax.Array = jax.random.wrap_key_data(put(words))
    return result


def _is_on_host(key: jax.Array) -> bool:
    """Whether a key is one of JAX's default kind, and its words can be read."""
    if is_traced() or isinstance(key, jax.core.Tracer) or key.ndim or not key.is_fully_addressable:
        return False
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return typed and str(jax.random.key_impl(key)) == "threefry2x32" and not key.committed


# Of Threefry-2x32: how far the rounds rotate, four in turn, and what the third word of a key is made with.
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_WORD = 0xFFFFFFFF


def _threefry(key: tuple[int, int], block: tuple[int, int]) -> tuple[int, int]:
    """The two words that Threefry-2x32 with 20 rounds makes of two.

    Source: J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
    """
    words = (*key, key[0] ^ key[1] ^ _PARITY)
    left, right = (block[0] + key[0]) & _WORD, (block[1] + key[1]) & _WORD
    for injection in range(1, 6):
        for rotation in _ROTATIONS[(injection - 1) % 2]:
            left = (left + right) & _WORD
            right = ((right << rotation | right >> (32 - rotation)) & _WORD) ^ left
        left = (left + words[injection % 3]) & _WORD
        right = (right + words[(injection + 1) % 3] + injection) & _WORD
    return left, right


class Drawing:
    """A context in which random layers without an explicit key get a new key for each call.

    Args:
        entropy: what the keys follow from; integers of at least 0.

    >>> with Drawing((0, 1)) as drawing:
    ...     keys = drawing.next(), drawing.next()
    >>> bool(keys[0] == keys[1])
    False
    """

    def __init__(self, entropy: tuple[int, ...]):
        self.entropy = entropy
        self.calls: int = 0
        self._tokens: list[Token[Drawing | None]] = []

    def __enter__(self) -> Self:
        self._tokens.append(_drawing.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _drawing.reset(self._tokens.pop())

    def next(self) -> jax.Array:
        """A random key."""
        words = np.random.SeedSequence((*self.entropy, self.calls)).generate_state(2)
        self.calls += 1
        return folded(key_of(int(words[0])), int(words[1]))


_drawing: ContextVar[Drawing | None] = ContextVar("jkeras_drawing", default=None)


def drawn_key() -> jax.Array | None:
    """The key of a call of a layer in the innermost `Drawing`; None outside any."""
    drawing = _drawing.get()
    return None if drawing is None else drawing.next()
