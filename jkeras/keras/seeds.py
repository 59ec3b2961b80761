"""`SeedGenerator`: a new random key for each call, from a state in a variable."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import constants
from jkeras.errors import ArgumentError
from jkeras.keras.naming import auto_name
from jkeras.keras.variables import Variable, name_scope
from jkeras.tracing import makes_tracers


def make_default_seed() -> int:
    """A seed from Python's generator, so that `keras.utils.set_random_seed` determines it."""
    return random.randint(1, 10**9)


class SeedGenerator:
    """Returns a different key in each call of `next`.

    Args:
        seed: an integer; None draws a random one.
        name: None makes one.

    Raises:
        ValueError: the seed is not an integer.

    >>> generator = SeedGenerator(42)
    >>> generator.next().tolist(), generator.next().tolist()
    ([42, 0], [42, 1])
    """

    keras_module = "keras.random"

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        kwargs.pop("backend", None)
        if kwargs:
            raise ArgumentError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = name or auto_name("SeedGenerator")
        self._initial_seed = seed
        first = make_default_seed() if seed is None else seed
        if not isinstance(first, (int, np.integer)) or isinstance(first, bool):
            raise ArgumentError(f"Argument `seed` must be an integer. Received: seed={seed}")

        def initial(shape: Any, dtype: Any) -> jax.Array:
            return jnp.asarray(np.array([int(first) % 2**32, 0], np.uint32), dtype)

        with name_scope(self.name, caller=self):
            self.state = Variable(initial, shape=(2,), dtype="uint32", trainable=False, name="seed_generator_state")

    def next(self, ordered: bool = True) -> jax.Array:
        """The key for this call, `[seed, number of the call]`; without `ordered`, the numbers are scattered."""
        key = self.state.value
        if ordered:
            self.state.assign(key + np.array([0, 1], np.uint32))
        else:
            self.state.assign((key + 1) * 5387 % 933199)
        return key

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Restores a generator from `get_config()`."""
        return cls(**config)


_global: list[SeedGenerator] = []


def global_seed_generator() -> SeedGenerator:
    """The generator for functions without a seed.

    Raises:
        ValueError: a program is being traced, in which one seed would become a constant.
    """
    if not _is_concrete():
        raise ArgumentError(
            "A random function without a seed was called in a program that JAX traces; its numbers would be the same in every"
            " run of the program. Hold a generator, `self.seed_generator = keras.random.SeedGenerator(seed)`, in the layer or"
            " model, and pass `seed=self.seed_generator`."
        )
    if not _global:
        _global.append(SeedGenerator())
    return _global[0]


def reset_global_seed_generator(seed: int | None = None) -> None:
    """Resets the global generator."""
    _global[:] = [] if seed is None else [SeedGenerator(seed)]


def draw_seed(seed: Any = None) -> jax.Array:
    """The key for a seed: a generator's next key, `[seed, 0]` for an integer, the global generator's next key for None.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return constants.put(np.array([int(seed) % 2**32, 0], np.uint32))
    if seed is None:
        return global_seed_generator().next(ordered=False)
    raise ArgumentError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`."
        f" Received: seed={seed} (of type {type(seed)})"
    )


def _is_concrete() -> bool:
    return not makes_tracers()
