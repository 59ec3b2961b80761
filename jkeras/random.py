"""Random arrays: `keras.random` as pure functions.

The same seed gives the same array, always. A seed is an integer, a JAX key, None (the default seed of
`jkeras.config.default_seed`), or a `SeedGenerator` kept by a layer, which gives a fresh key at every call inside a
model. The numbers are those of `keras.random` on JAX for the same key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.random_keys import as_key
from jkeras.values.fields import field


class SeedGenerator(Layer):
    """A source of keys for a layer that draws random numbers itself.

    Kept as an attribute of a layer, it gives another key at each call, determined by the run's key, the step, the
    layer's place in the model and the seed. Outside of a running model it gives the key of its seed, always the
    same, since nothing here changes.

    Args:
        seed: an integer; None is the default seed.

    Example::

        class Sampling(jk.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.seed_generator = jk.random.SeedGenerator(1337)

            def call(self, inputs):
                mean, log_variance = inputs
                noise = jk.random.normal(mean.shape, seed=self.seed_generator)
                return mean + jnp.exp(0.5 * log_variance) * noise

    >>> bool(SeedGenerator(3).next() == jax.random.key(3))
    True
    """

    keras_module = "keras.random"
    couples_samples: ClassVar[bool | None] = False

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer))
    name: str | None = None

    def next(self, ordered: bool = True) -> jax.Array:
        """A key; `ordered` is accepted for Keras's signature."""
        scope = self.__dict__.get("_spec_scope")
        if scope is None:
            return as_key(self.seed)
        try:
            return scope.make_rng(self.seed)
        except InputError:  # a run without randomness, such as `predict`
            return as_key(self.seed)

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


def _float(dtype: Any) -> Any:
    return dtype or config.floatx()


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Normally distributed numbers.

    >>> normal((2,), seed=0).shape
    (2,)
    """
    return jax.random.normal(as_key(seed), shape, _float(dtype)) * stddev + mean


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Numbers drawn evenly from `minval` (included) to `maxval`; integers if the type is one."""
    dtype = jnp.dtype(_float(dtype))
    if jnp.issubdtype(dtype, jnp.integer):
        return jax.random.randint(as_key(seed), shape, minval, maxval, dtype)
    return jax.random.uniform(as_key(seed), shape, dtype, minval, maxval)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Integers from `minval` up to `maxval - 1`."""
    return jax.random.randint(as_key(seed), shape, minval, maxval, dtype)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Normally distributed numbers, those beyond two standard deviations drawn again."""
    return jax.random.truncated_normal(as_key(seed), -2.0, 2.0, shape, _float(dtype)) * stddev + mean


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Class numbers drawn by their logits, `(batch, classes)` to `(batch, num_samples)`.

    Raises:
        InputError: the logits do not have two axes.
    """
    logits = jnp.asarray(logits)
    if logits.ndim != 2:
        raise InputError(f"random.categorical: expected logits of shape (batch, classes), got {logits.shape}.")
    shape = (logits.shape[0], num_samples)
    return jax.random.categorical(as_key(seed), logits[..., None], axis=1, shape=shape).astype(dtype)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> jax.Array:
    """`inputs` with a share of its elements set to zero and the others scaled up by `1 / (1 - rate)`.

    Args:
        inputs: an array.
        rate: the share, from 0 to 1.
        noise_shape: the shape of what is drawn, where axes of size 1 are dropped together and None is the array's size.
        seed: see the module's docstring.

    Raises:
        ArgumentError: the rate is not between 0 and 1.
    """
    inputs = jnp.asarray(inputs)
    if not 0 <= rate <= 1:
        raise ArgumentError(f"random.dropout(rate={rate!r}): expected a number from 0 to 1.")
    if rate in (0, 1):
        return inputs if rate == 0 else jnp.zeros_like(inputs)
    drawn = inputs.shape
    if noise_shape is not None:
        drawn = tuple(n if s is None else s for n, s in zip(inputs.shape, noise_shape, strict=True))
    kept = jnp.broadcast_to(jax.random.bernoulli(as_key(seed), 1.0 - rate, drawn), inputs.shape)
    return jnp.where(kept, inputs / (1.0 - rate), jnp.zeros_like(inputs))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> jax.Array:
    """The elements along an axis in random order, another order at each place of the other axes, as in Keras on JAX."""
    return jax.random.permutation(as_key(seed), jnp.asarray(x), axis, independent=True)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Gamma-distributed numbers."""
    return jax.random.gamma(as_key(seed), jnp.asarray(alpha), shape, _float(dtype))


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Beta-distributed numbers."""
    return jax.random.beta(as_key(seed), jnp.asarray(alpha), jnp.asarray(beta), shape, _float(dtype))


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> jax.Array:
    """The number of successes in `counts` trials."""
    key, dtype = as_key(seed), _float(dtype)
    return jax.random.binomial(key, jnp.asarray(counts), jnp.asarray(probabilities), shape=shape, dtype=np.dtype(dtype))


__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
