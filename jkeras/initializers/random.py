"""Initializers that draw their values.

A draw is a function of the caller's key. A `seed` in the description overrides the key: the same values at every call,
whoever calls. Without either the values come from a fixed default key, so a script gives the same values twice.

The distributions are Keras's; the drawn values are not, because the bits come from other keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.initializers.base import Initializer, default_key, standard_dtype, standard_shape
from jkeras.initializers.draws import Distribution, common_length, draw
from jkeras.types import DTypeLike
from jkeras.values.fields import field

# The standard deviation of a standard normal cut off at two standard deviations.
TRUNCATED_STDDEV = 0.87962566103423978


def _integer_seed(value: object) -> int | None:
    """An integer, or what Keras writes for a `SeedGenerator`: a configuration with a seed in it."""
    if isinstance(value, Mapping):
        value = value.get("config", value).get("seed")
    elif value is not None and not hasattr(value, "__index__") and hasattr(value, "get_config"):
        value = value.get_config().get("seed")
    return arguments.optional(arguments.integer)(value)


def _axes(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)):
        raise ArgumentError("expected a list of axes, or None")
    return tuple(arguments.integer(axis) for axis in value)


def seed_key(seed: int) -> jax.Array:
    """The key of an integer seed; all bits of the seed count."""
    low, high = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    key = jax.random.key(low)
    return jax.random.fold_in(key, high) if high not in (0, 0xFFFFFFFF) else key


class _Seeded:
    seed: int | None


class RandomInitializer(_Seeded, Initializer):
    """Base of initializers that draw; a subclass defines `drawn_from(shape)` or `sample(key, shape, dtype)`.

    >>> class Coin(RandomInitializer):
    ...     def sample(self, key, shape, dtype):
    ...         return jax.random.rademacher(key, shape, dtype)
    >>> bool((abs(Coin(seed=1)((4,))) == 1).all())
    True
    """

    if TYPE_CHECKING:
        _seed: int | None = field(default=None, alias="seed", kw_only=True)
    else:
        seed: int | None = field(default=None, convert=_integer_seed, kw_only=True)

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        shape, dtype = standard_shape(shape), standard_dtype(dtype)
        if self.seed is not None:
            key = seed_key(self.seed)
        elif key is None:
            key = default_key()
        # Drawn in 16 bits, values would be coarse and their moments off; so only the result has the small type.
        wide = dtype if dtype == jnp.float64 else jnp.float32
        return self.sample(key, shape, wide).astype(dtype)

    def sample(self, key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
        """Draws float32 (or float64) values."""
        distribution = self.drawn_from(shape)
        if distribution is None:
            raise NotImplementedError(f"{type(self).__name__} must define `sample(self, key, shape, dtype)`.")
        return draw(distribution, key, shape, dtype)

    def drawn_from(self, shape: tuple[int, ...]) -> Distribution | None:
        """What the values of a weight are drawn from, each apart; None where they are drawn otherwise."""
        return None

    def program(self, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
        """See `Initializer.program`."""
        distribution, length = self.drawn_from(shape), common_length(shape)
        return None if distribution is None or length is None else (distribution.kind, length)


class _Drawn(RandomInitializer):
    """Base of the initializers that declare `seed` themselves, where Keras has it (see `jkeras.values.fields`)."""

    if TYPE_CHECKING:
        _seed: int | None = field(init=False)


class RandomUniform(_Drawn):
    """Draws from a uniform distribution between `minval` (included) and `maxval` (excluded).

    Args:
        minval: the lower bound.
        maxval: the upper bound.
        seed: an integer; None takes the key of the run.

    >>> bool((abs(RandomUniform(-1.0, 1.0)((100,))) <= 1).all())
    True
    """

    minval: float = field(default=-0.05, convert=arguments.number)
    maxval: float = field(default=0.05, convert=arguments.number)
    seed: int | None = field(default=None, convert=_integer_seed)

    def drawn_from(self, shape: tuple[int, ...]) -> Distribution:
        return Distribution("uniform", self.minval, self.maxval)


class RandomNormal(_Drawn):
    """Draws from a normal distribution.

    Args:
        mean: its mean.
        stddev: its standard deviation, at least 0.
        seed: an integer; None takes the key of the run.

    >>> RandomNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    mean: float = field(default=0.0, convert=arguments.number)
    stddev: float = field(default=0.05, convert=arguments.non_negative)
    seed: int | None = field(default=None, convert=_integer_seed)

    def drawn_from(self, shape: tuple[int, ...]) -> Distribution:
        return Distribution("normal", self.mean, self.stddev)


class TruncatedNormal(_Drawn):
    """Draws from a normal distribution and redraws values further than two `stddev` from the mean.

    The standard deviation of the result is 0.88 `stddev`.

    Args:
        mean: the mean of the normal distribution.
        stddev: its standard deviation, at least 0.
        seed: an integer; None takes the key of the run.

    >>> bool((abs(TruncatedNormal(stddev=1.0)((100,))) <= 2).all())
    True
    """

    mean: float = field(default=0.0, convert=arguments.number)
    stddev: float = field(default=0.05, convert=arguments.non_negative)
    seed: int | None = field(default=None, convert=_integer_seed)

    def drawn_from(self, shape: tuple[int, ...]) -> Distribution:
        return Distribution("truncated_normal", self.mean, self.stddev)


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """The number of inputs that feed one output of a weight, and the number of outputs that one input feeds.

    Kernels `(..., inputs, outputs)` count every position of their window. If both `input_axes` and `output_axes` are
    set, the fans are the products of those axes.

    Args:
        shape: the shape of the weight.
        input_axes: the axes that make up the fan in.
        output_axes: the axes that make up the fan out.

    >>> compute_fans((3, 3, 8, 16))
    (72, 144)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


class _Scaling:
    """Constants of the class in the named cases, arguments in `VarianceScaling`; the axes are arguments of all."""

    scale: float
    mode: str
    distribution: str
    input_axes: tuple[int, ...] | None
    output_axes: tuple[int, ...] | None


class FanInitializer(_Scaling, _Drawn):
    """Base of the initializers that keep the variance of signals by scaling with the fans of the weight.

    The variance is `scale / n`, with n the fan in, the fan out, or their mean, by `mode`.
    """

    def drawn_from(self, shape: tuple[int, ...]) -> Distribution:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return Distribution("uniform", -limit, limit)
        if self.distribution == "untruncated_normal":
            return Distribution("normal", 0.0, stddev)
        return Distribution("truncated_normal", 0.0, stddev / TRUNCATED_STDDEV)


class FixedScaling(FanInitializer):
    """Base of the named cases, whose only arguments are the seed and the axes.

    Args:
        seed: an integer; None takes the key of the run.
        input_axes: the axes that make up the fan in; used only together with `output_axes`.
        output_axes: the axes that make up the fan out.
    """

    seed: int | None = field(default=None, convert=_integer_seed)
    input_axes: tuple[int, ...] | None = field(default=None, convert=_axes)
    output_axes: tuple[int, ...] | None = field(default=None, convert=_axes)


class GlorotUniform(FixedScaling):
    """Uniform within `sqrt(6 / (fan_in + fan_out))`, the default of most layers (Glorot & Bengio, 2010).

    >>> bool((abs(GlorotUniform()((3, 3))) <= 1).all())
    True
    """

    scale, mode, distribution = 1.0, "fan_avg", "uniform"


class GlorotNormal(FixedScaling):
    """Truncated normal with the variance `2 / (fan_in + fan_out)` (Glorot & Bengio, 2010).

    >>> GlorotNormal()((3, 4)).shape
    (3, 4)
    """

    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


class LecunUniform(FixedScaling):
    """Uniform within `sqrt(3 / fan_in)` (LeCun et al., 1998).

    >>> bool((abs(LecunUniform()((3, 4))) <= 1).all())
    True
    """

    scale, mode, distribution = 1.0, "fan_in", "uniform"


class LecunNormal(FixedScaling):
    """Truncated normal with the variance `1 / fan_in` (LeCun et al., 1998; Klambauer et al., 2017).

    >>> LecunNormal()((3, 4)).shape
    (3, 4)
    """

    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"


class HeUniform(FixedScaling):
    """Uniform within `sqrt(6 / fan_in)`, for rectifiers (He et al., 2015, arXiv:1502.01852).

    >>> bool((abs(HeUniform()((6, 4))) <= 1).all())
    True
    """

    scale, mode, distribution = 2.0, "fan_in", "uniform"


class HeNormal(FixedScaling):
    """Truncated normal with the variance `2 / fan_in`, for rectifiers (He et al., 2015, arXiv:1502.01852).

    >>> HeNormal()((3, 4)).shape
    (3, 4)
    """

    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


def _distribution(value: object) -> str:
    if isinstance(value, str) and value.lower() == "normal":
        return "truncated_normal"
    return arguments.one_of("truncated_normal", "untruncated_normal", "uniform")(value)


class VarianceScaling(FanInitializer):
    """The variance `scale / n` in all its forms; the Glorot, LeCun and He initializers are cases of it.

    Args:
        scale: a positive number.
        mode: n is the "fan_in", the "fan_out", or their mean, "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: fixes the values.
        input_axes: axes that make up the fan in; counts only together with `output_axes`.
        output_axes: axes that make up the fan out.

    >>> VarianceScaling(2.0, mode="fan_out")((4, 2)).shape
    (4, 2)
    """

    scale: float = field(default=1.0, convert=arguments.between(0, math.inf, open_low=True))
    mode: str = field(default="fan_in", convert=arguments.one_of("fan_in", "fan_out", "fan_avg"))
    distribution: str = field(default="truncated_normal", convert=_distribution)
    seed: int | None = field(default=None, convert=_integer_seed)
    input_axes: tuple[int, ...] | None = field(default=None, convert=_axes)
    output_axes: tuple[int, ...] | None = field(default=None, convert=_axes)


class Orthogonal(_Drawn):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014, arXiv:1312.6120).

    A weight `(..., n)` with more than two axes is drawn as a matrix (product of the other axes, n) and reshaped.

    Args:
        gain: a factor of the matrix.
        seed: an integer; None takes the key of the run.

    >>> q = Orthogonal()((4, 2))
    >>> bool(jnp.allclose(q.T @ q, jnp.eye(2), atol=1e-6))
    True

    Raises:
        InputError: when called for a weight with fewer than two axes.
    """

    gain: float = field(default=1.0, convert=arguments.number)
    seed: int | None = field(default=None, convert=_integer_seed)

    def sample(self, key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
        if len(shape) < 2:
            raise InputError(f"Orthogonal needs a weight of at least two axes; got the shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        matrix = draw(Distribution("normal", 0.0, 1.0), key, (max(rows, columns), min(rows, columns)), dtype)
        q: jax.Array = _orthonormal(matrix)
        return self.gain * (q.T if rows < columns else q).reshape(shape)


@jax.jit
def _orthonormal(drawn: jax.Array) -> jax.Array:
    """A matrix with orthonormal columns, of one drawn from a normal distribution."""
    q, r = jnp.linalg.qr(drawn)
    # QR is unique up to signs; with a positive diagonal of R the result is uniform over all orthogonal matrices.
    return q * jnp.sign(jnp.diagonal(r))
