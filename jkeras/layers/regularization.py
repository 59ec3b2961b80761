"""Layers that act in training only, to keep a model from learning its data by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config, dtypes, regularizers
from jkeras.errors import ArgumentError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import keeps_shape
from jkeras.types import Array, DataFormatField, DTypePolicyLike, Key, Num, PolicyField
from jkeras.values.fields import field

SEED: Any = field(default=None, convert=arguments.optional(arguments.integer))


class _Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    rate: float
    stddev: float
    seed: int | None


def _noise_shape(value: Any) -> tuple[int | None, ...]:
    """A shape without axes of size 0."""
    shape = arguments.shape(value)
    if 0 in shape:
        raise ArgumentError("expected a shape: a tuple of positive integers and None")
    return shape


class _Noisy(_Attributes, Layer):
    """Base of layers that change their input at random in training, and pass it on otherwise.

    Shapes: any, unchanged.
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"], training: bool = False) -> Num[Array, "*shape"]:
        if not training or _is(self._amount, 0):
            return inputs
        return self.disturb(inputs, self.make_rng(self.seed))

    @property
    def _amount(self) -> float:
        """How much the input changes; nothing for 0."""
        return self.rate

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        """The input as training sees it."""
        raise NotImplementedError


def _is(amount: object, number: float) -> bool:
    """Whether an amount is known to be a number; one that a sweep varies is known only when the program runs."""
    return isinstance(amount, (int, float)) and amount == number


def _keep(x: jax.Array, key: Key[Array, ""], rate: float, shape: tuple[int, ...]) -> jax.Array:
    """`x` with a fraction set to 0 and the rest scaled up, by a mask of the given shape."""
    if _is(rate, 1):
        return jnp.zeros_like(x)
    keep = jax.random.bernoulli(key, 1 - rate, shape)
    return jnp.where(keep, x / jnp.asarray(1 - rate, x.dtype), jnp.zeros((), x.dtype))


class Dropout(_Noisy):
    """In training, sets a random fraction of the values to 0 and scales up the rest, so that the expected sum is kept.

    Args:
        rate: the fraction to drop, from 0 to 1.
        noise_shape: the shape of the mask, which is broadcast along axes of size 1; None draws one value per element.
        seed: distinguishes the masks of layers that would otherwise draw the same.

    Source: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    >>> import jax.numpy as jnp
    >>> Dropout(0.5)(jnp.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    rate: float = field(convert=arguments.probability)
    noise_shape: Any = field(default=None, convert=arguments.optional(lambda value: _noise_shape(value)))
    seed: int | None = SEED

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        shape = x.shape
        if self.noise_shape is not None:
            shape = tuple(have if want is None else want for want, have in zip(self.noise_shape, x.shape, strict=True))
        return _keep(x, key, self.rate, shape)


class _SpatialDropout(_Noisy):
    """Drops whole channels of `(batch, *sizes, channels)`.

    Args:
        rate: the share of the channels that training drops.
    """

    rank: ClassVar[int]

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(init=False)
        _name: str | None = field(init=False)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        ones = (1,) * self.rank
        first = self.channels_first
        return _keep(x, key, self.rate, (*x.shape[:2], *ones) if first else (x.shape[0], *ones, x.shape[-1]))

    @property
    def channels_first(self) -> bool:
        """Whether channels come before the sizes."""
        return False

    def get_config(self) -> dict[str, Any]:
        # Keras's constructor takes no `trainable` here, and its configuration has the type's name alone.
        config = super().get_config()
        del config["trainable"]
        return {**config, "dtype": self.dtype_policy.name}


class SpatialDropout1D(_SpatialDropout):
    """Drops whole channels of `(batch, time, channels)`.

    Shapes: `(batch, time, channels)`, unchanged.

    Source: J. Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015.

    >>> SpatialDropout1D(0.5).compute_output_shape((None, 8, 3))
    (None, 8, 3)
    """

    rank: ClassVar[int] = 1

    rate: float = field(convert=arguments.probability)
    seed: int | None = SEED
    name: str | None = None
    dtype: PolicyField = field(default=None, convert=dtypes.get)


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images.

    Shapes: `(batch, height, width, channels)`, unchanged.

    >>> SpatialDropout2D(0.5).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    rank: ClassVar[int] = 2

    rate: float = field(convert=arguments.probability)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)
    seed: int | None = SEED
    name: str | None = None
    dtype: PolicyField = field(default=None, convert=dtypes.get)

    @property
    def channels_first(self) -> bool:
        return self.data_format == "channels_first"


class SpatialDropout3D(SpatialDropout2D):
    """Drops whole channels of volumes.

    Shapes: `(batch, depth, height, width, channels)`, unchanged.

    >>> SpatialDropout3D(0.5).compute_output_shape((None, 8, 8, 8, 3))
    (None, 8, 8, 8, 3)
    """

    rank: ClassVar[int] = 3


class GaussianDropout(_Noisy):
    """Multiplies by normal noise of mean 1 and standard deviation `sqrt(rate / (1 - rate))` in training.

    Args:
        rate: the strength of the noise, as in `Dropout`; 0 means no noise.

    >>> import jax.numpy as jnp
    >>> GaussianDropout(0.5)(jnp.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    rate: float = field(convert=arguments.between(0, 1, open_high=True))
    seed: int | None = SEED

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        deviation = (self.rate / (1 - self.rate)) ** 0.5
        result: Num[Array, "*shape"] = x * (1 + deviation * jax.random.normal(key, x.shape, x.dtype))
        return result


class GaussianNoise(_Noisy):
    """Adds normal noise in training.

    Args:
        stddev: the standard deviation of the noise.

    >>> import jax.numpy as jnp
    >>> GaussianNoise(0.1)(jnp.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    stddev: float = field(convert=arguments.between(0, 1))
    seed: int | None = SEED

    @property
    def _amount(self) -> float:
        return self.stddev

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        return x + self.stddev * jax.random.normal(key, x.shape, x.dtype)


class AlphaDropout(_Noisy):
    """Dropout that keeps mean and variance, for networks of `selu` units.

    Args:
        rate: the fraction of the values to drop in training.

    Source: Klambauer et al. 2017.

    >>> import jax.numpy as jnp
    >>> AlphaDropout(0.5)(jnp.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    rate: float = field(convert=arguments.between(0, 1, open_high=True))
    noise_shape: Any = field(default=None, convert=arguments.optional(lambda value: _noise_shape(value)))
    seed: int | None = SEED

    def disturb(self, x: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        shape = x.shape
        if self.noise_shape is not None:
            shape = tuple(have if want is None else want for want, have in zip(self.noise_shape, x.shape, strict=True))
        # -scale * alpha of selu: the value that a unit saturates at.
        dropped = -1.7580993408473766
        a = ((1 - self.rate) * (1 + self.rate * dropped**2)) ** -0.5
        keep = jax.random.uniform(key, shape) >= self.rate
        result: Num[Array, "*shape"] = a * jnp.where(keep, x, dropped) - a * dropped * self.rate
        return result


class ActivityRegularization(Layer):
    """Returns its input and adds a penalty on it, divided by the batch size, to the loss.

    Shapes: any, unchanged.

    Args:
        l1: the factor of the sum of absolute values.
        l2: the factor of the sum of squares.

    >>> ActivityRegularization(l2=0.01).compute_output_shape((None, 8))
    (None, 8)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = True

    l1: float = field(default=0.0, convert=arguments.non_negative)
    l2: float = field(default=0.0, convert=arguments.non_negative)

    def __post_init__(self) -> None:
        self.activity_regularizer = regularizers.L1L2(l1=self.l1, l2=self.l2)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)  # it follows from the other two
        return config

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return inputs


__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
