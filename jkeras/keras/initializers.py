"""Initializers of weights, as in `keras.initializers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import jax
import numpy as np

from jkeras import initializers
from jkeras.errors import ArgumentError, InputError
from jkeras.initializers import compute_fans as compute_fans
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.dtypes import standardize_dtype, standardize_shape
from jkeras.keras.identifiers import Family
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import Mutable, facade
from jkeras.keras.seeds import SeedGenerator, draw_seed, make_default_seed
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import Variable, as_array
from jkeras.values.spec import Field


class Initializer(Mutable, initializers.Initializer):
    """Base of initializers: a subclass defines `__call__(self, shape, dtype=None)`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Not the core's, whose `__call__` takes a key.
        super(initializers.Initializer, cls).__init_subclass__(**kwargs)

    def clone(self) -> Self:
        """A new initializer with the same configuration."""
        return self.from_config(self.get_config())


class RandomInitializer(Initializer, initializers.RandomInitializer):
    """Base of random initializers.

    Attributes:
        seed: an integer, which gives the same values in every call (by default a random one), or a `SeedGenerator`, which
            gives different values in each call.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._given_seed = self.seed
        if self.seed is None:
            self.seed = make_default_seed()

    @classmethod
    def _convert(cls, name: str, f: Field, value: Any) -> Any:
        return _seed(value) if name == "seed" else super()._convert(name, f, value)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> jax.Array:
        """The values."""
        # Keras's key, so that a seed gives the same values.
        key = jax.random.wrap_key_data(draw_seed(self.seed))
        dtype = standardize_dtype(dtype)
        wide = "float64" if dtype == "float64" else "float32"
        return self.sample(key, standardize_shape(shape), wide).astype(dtype)

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "seed": self._given_seed}

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {**super().get_config(), "seed": serialize_keras_object(self._given_seed)}


def _seed(value: Any) -> Any:
    """Converts a seed, or its configuration, to an integer, a `SeedGenerator` or None."""
    if isinstance(value, Mapping):
        value = deserialize_keras_object(value)
    if value is None or isinstance(value, (int, SeedGenerator)):
        return value
    if isinstance(value, np.integer):
        return int(value)
    raise ArgumentError(
        f"`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. Received: seed={value}"
    )


def _family_base(description: type) -> type[Initializer]:
    return RandomInitializer if issubclass(description, initializers.RandomInitializer) else Initializer


_CLASSES: dict[Any, Any] = {
    description: facade(description, _family_base(description), __name__)
    for description in dict.fromkeys(initializers.TABLE.values())
}
TABLE = {name: _CLASSES[description] for name, description in initializers.TABLE.items()}
globals().update(TABLE)

FAMILY = Family("initializer", TABLE, Initializer)
serialize, deserialize = FAMILY.serializer("initializer"), FAMILY.deserialize


def get(identifier: Any) -> Any:
    """The initializer that a name, a configuration, a class, a function or an array means; None is returned as None.

    Raises:
        UnknownNameError: no initializer has that name.
        ArgumentError: the identifier is none of the above.
    """
    if isinstance(identifier, (np.ndarray, np.generic, jax.Array, Variable)):
        return _values(as_array(identifier))
    return FAMILY.get(identifier)


def _values(array: jax.Array) -> Callable[..., jax.Array]:
    def initialize(shape: Sequence[int], dtype: Any = None) -> jax.Array:
        if standardize_shape(shape) != array.shape:
            raise InputError(
                f"Expected `shape` to be {array.shape} for direct tensor as initializer. Received shape={shape}"
            )
        return array.astype(standardize_dtype(dtype))

    return initialize


__all__ = own_names(__name__)
