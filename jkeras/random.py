"""Random arrays: `keras.random` as pure functions.

The same seed gives the same array, always. A seed is an integer, a JAX key, None (the default seed of
`jkeras.config.default_seed`), or a `SeedGenerator` kept by a layer, which gives a fresh key at every call inside a
model. The numbers are those of `keras.random` on JAX for the same key.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.typing import ArrayLike, DTypeLike

from jkeras import arguments, config
from jkeras.dtypes import array_dtype
from jkeras.errors import ArgumentError, InputError, JkerasError
from jkeras.graph.layer import Layer
from jkeras.random_keys import SeedLike as SeedLike
from jkeras.random_keys import as_key
from jkeras.values.fields import field

ShapeLike: TypeAlias = int | Sequence[int]
Inputs = TypeVar("Inputs")


class SeedGenerator(Layer):
    """A source of keys for a layer that draws random numbers itself.

    Kept as an attribute of a layer, it gives another key at each call, determined by the run's key, the step, the
    layer's place in the model and the seed. Outside a running model it gives the key of its seed, always the
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
    mixes_samples: ClassVar[bool | None] = False

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer))
    name: str | None = None

    def next(self, ordered: bool = True) -> jax.Array:
        """A key; `ordered` is accepted for compatibility with Keras."""
        if not self.is_bound:
            return as_key(self.seed)
        try:
            key: jax.Array = self.make_rng(self.seed)
        except InputError:  # a run without randomness, such as `predict`
            return as_key(self.seed)
        return key

    def call(self, inputs: Inputs) -> Inputs:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


# -- distributions ----------------------------------------------------------------------------------------------------


def normal(
    shape: ShapeLike,
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> jax.Array:
    """Draws from a normal distribution.

    Args:
        shape: the shape of the result.
        mean: the mean, a number or an array that broadcasts to the shape.
        stddev: the standard deviation, likewise.
        dtype: the dtype of the result; None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> normal((2,), seed=0).shape
    (2,)
    """
    sizes = _shape("normal", shape)
    mean, stddev = _numbers("normal", "mean", mean, sizes), _numbers("normal", "stddev", stddev, sizes)
    return jax.random.normal(_key("normal", seed), sizes, _inexact("normal", dtype)) * stddev + mean


def uniform(
    shape: ShapeLike,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> jax.Array:
    """Draws from a uniform distribution between `minval` (included) and `maxval` (excluded).

    Args:
        shape: the shape of the result.
        minval: the lower bound, a number or an array that broadcasts to the shape.
        maxval: the upper bound, likewise.
        dtype: the dtype of the result; an integer type draws integers, and None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> uniform((2,), seed=0).shape
    (2,)
    """
    key, sizes, kind = _key("uniform", seed), _shape("uniform", shape), _dtype("uniform", dtype)
    low, high = _numbers("uniform", "minval", minval, sizes), _numbers("uniform", "maxval", maxval, sizes)
    if jnp.issubdtype(kind, jnp.integer):
        return jax.random.randint(key, sizes, low, high, kind)
    return jax.random.uniform(key, sizes, _inexact("uniform", dtype), low, high)


def randint(
    shape: ShapeLike,
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: DTypeLike | None = "int32",
    seed: SeedLike = None,
) -> jax.Array:
    """Draws integers from `minval` to `maxval - 1`.

    Args:
        shape: the shape of the result.
        minval: the smallest value, a number or an array that broadcasts to the shape.
        maxval: the end of the range, likewise.
        dtype: an integer type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> bool((randint((100,), 0, 3, seed=0) < 3).all())
    True
    """
    key, sizes = _key("randint", seed), _shape("randint", shape)
    low, high = _numbers("randint", "minval", minval, sizes), _numbers("randint", "maxval", maxval, sizes)
    return jax.random.randint(key, sizes, low, high, _integer("randint", "int32" if dtype is None else dtype))


def truncated_normal(
    shape: ShapeLike,
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> jax.Array:
    """Draws from a normal distribution and redraws values beyond two standard deviations.

    Args:
        shape: the shape of the result.
        mean: the mean, a number or an array that broadcasts to the shape.
        stddev: the standard deviation, likewise.
        dtype: the dtype of the result; None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> bool((abs(truncated_normal((100,), seed=0)) <= 2).all())
    True
    """
    name, sizes = "truncated_normal", _shape("truncated_normal", shape)
    mean, stddev = _numbers(name, "mean", mean, sizes), _numbers(name, "stddev", stddev, sizes)
    return jax.random.truncated_normal(_key(name, seed), -2.0, 2.0, sizes, _inexact(name, dtype)) * stddev + mean


def categorical(
    logits: ArrayLike, num_samples: int, dtype: DTypeLike | None = "int32", seed: SeedLike = None
) -> jax.Array:
    """Draws class ids with the probabilities given by logits: `(batch, classes)` to `(batch, num_samples)`.

    Args:
        logits: unnormalised log-probabilities `(batch, classes)`.
        num_samples: the number of draws per row.
        dtype: an integer type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        InputError: the logits do not have two axes.

    >>> categorical([[0.0, 100.0]], 3, seed=0).tolist()
    [[1, 1, 1]]
    """
    logits = _array("categorical", "logits", logits)
    if logits.ndim != 2:
        raise InputError(f"random.categorical: expected logits of shape (batch, classes), got {logits.shape}.")
    if not jnp.issubdtype(logits.dtype, jnp.floating):
        raise InputError(f"random.categorical: expected logits of a float type, got {logits.dtype}.")
    count = arguments.checked("random.categorical", "num_samples", num_samples, arguments.at_least(0))
    kind = _integer("categorical", "int32" if dtype is None else dtype)
    key, shape = _key("categorical", seed), (logits.shape[0], count)
    return jax.random.categorical(key, logits[..., None], axis=1, shape=shape).astype(kind)


def gamma(shape: ShapeLike, alpha: ArrayLike, dtype: DTypeLike | None = None, seed: SeedLike = None) -> jax.Array:
    """Draws from a gamma distribution with scale 1.

    Args:
        shape: the shape of the result.
        alpha: the shape parameter, above 0; a number or an array that broadcasts to the shape.
        dtype: the dtype of the result; None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> bool((gamma((100,), 2.0, seed=0) > 0).all())
    True
    """
    sizes = _shape("gamma", shape)
    alphas = jnp.asarray(_numbers("gamma", "alpha", alpha, sizes, above=0))
    return jax.random.gamma(_key("gamma", seed), alphas, sizes, _inexact("gamma", dtype))


def beta(
    shape: ShapeLike, alpha: ArrayLike, beta: ArrayLike, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> jax.Array:
    """Draws from a beta distribution.

    Args:
        shape: the shape of the result.
        alpha: the first parameter, above 0; a number or an array that broadcasts to the shape.
        beta: the second parameter, likewise.
        dtype: the dtype of the result; None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> bool((beta((100,), 2.0, 3.0, seed=0) < 1).all())
    True
    """
    sizes = _shape("beta", shape)
    alphas = jnp.asarray(_numbers("beta", "alpha", alpha, sizes, above=0))
    betas = jnp.asarray(_numbers("beta", "beta", beta, sizes, above=0))
    return jax.random.beta(_key("beta", seed), alphas, betas, sizes, _inexact("beta", dtype))


def binomial(
    shape: ShapeLike,
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> jax.Array:
    """Draws from a binomial distribution: the number of successes in `counts` trials.

    Args:
        shape: the shape of the result.
        counts: the number of trials, at least 0; a number or an array that broadcasts to the shape.
        probabilities: the probability of success, from 0 to 1, likewise.
        dtype: the dtype of the result; None is the default float type.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> bool((binomial((100,), 5, 0.5, seed=0) <= 5).all())
    True
    """
    key, sizes, kind = _key("binomial", seed), _shape("binomial", shape), _inexact("binomial", dtype)
    trials = jnp.asarray(_numbers("binomial", "counts", counts, sizes, low=0))
    chances = jnp.asarray(_numbers("binomial", "probabilities", probabilities, sizes, low=0, high=1))
    return jax.random.binomial(key, trials, chances, shape=sizes, dtype=kind)


# -- of arrays --------------------------------------------------------------------------------------------------------


def dropout(
    inputs: ArrayLike, rate: float, noise_shape: Sequence[int | None] | None = None, seed: SeedLike = None
) -> jax.Array:
    """Sets a random fraction of the elements to zero and scales the others by `1 / (1 - rate)`.

    Args:
        inputs: an array.
        rate: the fraction, from 0 to 1.
        noise_shape: the shape of the mask; elements along axes of size 1 are dropped together, None is the array's size.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: the rate is not between 0 and 1, or `noise_shape` does not fit the array.

    >>> sorted(set(dropout(jnp.ones(100), 0.5, seed=0).tolist()))
    [0.0, 2.0]
    """
    inputs = _array("dropout", "inputs", inputs)
    rate = arguments.checked("random.dropout", "rate", rate, arguments.probability)
    if rate in (0, 1):
        return inputs if rate == 0 else jnp.zeros_like(inputs)
    mask_shape = inputs.shape
    if noise_shape is not None:
        sizes = arguments.checked("random.dropout", "noise_shape", noise_shape, arguments.shape)
        fits = len(sizes) == inputs.ndim
        if not fits or any(size not in (None, 1, whole) for size, whole in zip(sizes, inputs.shape, strict=True)):
            raise ArgumentError(
                f"random.dropout(noise_shape={noise_shape!r}): expected 1, None or the size of each axis of {inputs.shape}."
            )
        mask_shape = tuple(n if s is None else s for n, s in zip(inputs.shape, sizes, strict=True))
    stays = jnp.broadcast_to(jax.random.bernoulli(_key("dropout", seed), 1.0 - rate, mask_shape), inputs.shape)
    return jnp.where(stays, inputs / (1.0 - rate), jnp.zeros_like(inputs))


def shuffle(x: ArrayLike, axis: int = 0, seed: SeedLike = None) -> jax.Array:
    """Shuffles the elements along an axis, independently at each position of the other axes, as in Keras on JAX.

    Args:
        x: an array, or an integer `n` for `arange(n)`.
        axis: the axis.
        seed: an integer, a key, a `SeedGenerator`, or None for the default seed.

    Raises:
        ArgumentError: an argument has an invalid value.

    >>> sorted(shuffle(jnp.arange(4), seed=0).tolist())
    [0, 1, 2, 3]
    """
    array = x if isinstance(x, int) else _array("shuffle", "x", x)
    axis = arguments.checked("random.shuffle", "axis", axis, arguments.integer)
    rank = np.ndim(array)
    if not rank and not isinstance(array, int):
        raise ArgumentError(
            f"random.shuffle(x={arguments.shown(x)}): expected an array with at least one axis, or an integer."
        )
    if not -rank <= axis < max(rank, 1):
        raise ArgumentError(f"random.shuffle(axis={axis}): the array has {rank} axes.")
    return jax.random.permutation(_key("shuffle", seed), array, axis, independent=True)


# -- arguments --------------------------------------------------------------------------------------------------------


def _key(function: str, seed: SeedLike) -> jax.Array:
    try:
        return as_key(seed)
    except ArgumentError as error:
        raise ArgumentError(f"random.{function}: {error}") from None


def _shape(function: str, shape: ShapeLike) -> tuple[int, ...]:
    return arguments.checked(f"random.{function}", "shape", shape, _sizes)


def _sizes(shape: ShapeLike) -> tuple[int, ...]:
    listed = (shape,) if isinstance(shape, (int, np.integer)) else shape
    size, message = arguments.at_least(0), "expected a shape: integers of at least 0"
    if not isinstance(listed, (tuple, list, np.ndarray)):
        raise ArgumentError(message)
    try:
        return tuple(cast(int, n) if export.is_symbolic_dim(n) else size(n) for n in listed)
    except ArgumentError:
        raise ArgumentError(message) from None


def _dtype(function: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    return arguments.checked(f"random.{function}", "dtype", config.floatx() if dtype is None else dtype, array_dtype)


def _inexact(function: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    kind = _dtype(function, dtype)
    if not jnp.issubdtype(kind, jnp.inexact):
        raise ArgumentError(f"random.{function}(dtype={dtype!r}): expected a float type.")
    return kind


def _integer(function: str, dtype: DTypeLike) -> np.dtype[Any]:
    kind = _dtype(function, dtype)
    if not jnp.issubdtype(kind, jnp.integer):
        raise ArgumentError(f"random.{function}(dtype={dtype!r}): expected an integer type.")
    return kind


def _numbers(
    function: str,
    argument: str,
    value: ArrayLike,
    shape: tuple[int, ...] = (),
    *,
    above: float | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> ArrayLike:
    """A parameter of a distribution; Python's numbers stay what they are, so that they take any type."""
    plain = isinstance(value, (int, float, complex, jax.Array))
    numbers = value if plain else _array(function, argument, value)
    call = f"random.{function}({argument}={arguments.shown(value)})"
    pairs = list(zip(np.shape(numbers)[::-1], shape[::-1], strict=False))
    known = not any(export.is_symbolic_dim(size) for pair in pairs for size in pair)
    if known and any(size != whole and 1 not in (size, whole) for size, whole in pairs):
        raise ArgumentError(f"{call}: the shape {np.shape(numbers)} does not fit {shape}.")
    # What is on a device is not looked at, since that would wait for it.
    if isinstance(value, jax.Array):
        return numbers
    if above is not None and not np.all(np.asarray(value) > above):
        raise ArgumentError(f"{call}: expected numbers above {above}.")
    if (low, high) != (-math.inf, math.inf) and not np.all((np.asarray(value) >= low) & (np.asarray(value) <= high)):
        raise ArgumentError(f"{call}: expected numbers from {low} to {high}.")
    return numbers


def _array(function: str, argument: str, value: ArrayLike) -> jax.Array:
    try:
        return jnp.asarray(value)
    except (TypeError, ValueError) as error:
        if isinstance(error, JkerasError):
            raise
        message = f"random.{function}({argument}={arguments.shown(value)}): expected numbers or an array of numbers."
        raise ArgumentError(message) from None


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
