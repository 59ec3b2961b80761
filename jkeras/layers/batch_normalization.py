"""Batch normalization: every channel is brought to a common scale by the statistics of the batch."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, collectives, initializers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import keeps_shape, show_shape
from jkeras.layers.normalization import (
    CONSTRAINT,
    ONES,
    REGULARIZER,
    ZEROS,
    add_beta,
    add_gamma,
    along,
    in_float32,
    size_of,
)
from jkeras.types import (
    Array,
    Bool,
    ConstraintField,
    DTypeLike,
    InitializerField,
    Num,
    RegularizerField,
    Shape,
)
from jkeras.values.fields import field


class BatchNormalization(Layer):
    """Centres and scales each channel by its mean and variance over the batch.

    In training the batch's own statistics are used, and moving averages follow them; otherwise, and in a layer that is not
    trainable, the moving averages. Shapes are preserved; gamma, beta and the averages are `(channels,)`.

    Shapes: any, unchanged; the weights have the size of `axis`.

    Args:
        axis: the channel axis.
        momentum: the momentum of the moving averages: `moving * momentum + batch * (1 - momentum)`.
        epsilon: added to the variance.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        moving_mean_initializer: the initializer of the moving mean.
        moving_variance_initializer: the initializer of the moving variance.
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta.
        gamma_constraint: a projection of gamma.
        renorm: whether training corrects each batch's statistics towards separate moving averages (batch renormalisation).
        renorm_clipping: limits of the correction: a dictionary with any of "rmin", "rmax" (of the scale) and "dmax" (of
            the shift).
        renorm_momentum: the momentum of the averages that the correction aims at.
        synchronized: whether the replicas of a `MirroredStrategy` normalise by the statistics of the whole batch instead
            of their own; under a mesh (`DataParallel`, `FSDP`, `ModelParallel`) they always do.

    Source: S. Ioffe and C. Szegedy, https://arxiv.org/abs/1502.03167.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), BatchNormalization()])
    >>> [weight.path[-1] for weight in model.description.weights]
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = True

    axis: int = field(default=-1, convert=arguments.integer)
    momentum: float = field(default=0.99, convert=arguments.between(0, 1))
    epsilon: float = field(default=1e-3, convert=arguments.non_negative)
    center: bool = field(default=True, convert=arguments.boolean)
    scale: bool = field(default=True, convert=arguments.boolean)
    beta_initializer: InitializerField = ZEROS
    gamma_initializer: InitializerField = ONES
    moving_mean_initializer: InitializerField = ZEROS
    moving_variance_initializer: InitializerField = ONES
    beta_regularizer: RegularizerField = REGULARIZER
    gamma_regularizer: RegularizerField = REGULARIZER
    beta_constraint: ConstraintField = CONSTRAINT
    gamma_constraint: ConstraintField = CONSTRAINT
    renorm: bool = field(default=False, convert=arguments.boolean)
    renorm_clipping: Any = field(default=None, convert=arguments.optional(lambda value: _clipping(value)))
    renorm_momentum: float = field(default=0.99, convert=arguments.between(0, 1))
    synchronized: bool = field(default=False, convert=arguments.boolean)

    def __post_init__(self) -> None:
        if self.renorm and self.renorm_clipping is None:
            self.renorm_clipping = {}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = size_of(f"{self._place} ({type(self).__name__})", input_shape, self.axis)
        if self.scale:
            self.gamma: Array = add_gamma(self, (size,))
        if self.center:
            self.beta: Array = add_beta(self, (size,))
        options: dict[str, Any] = {"trainable": False, "autocast": False, "aggregation": "mean"}
        self.moving_mean: Any = self.add_weight((size,), self.moving_mean_initializer, name="moving_mean", **options)
        self.moving_variance: Any = self.add_weight(
            (size,), self.moving_variance_initializer, name="moving_variance", **options
        )
        if self.renorm:
            deviation = self._deviation_initializer
            self.moving_stddev: Any = self.add_weight((size,), deviation, name="moving_stddev", **options)
            self.renorm_mean: Any = self.add_weight(
                (size,), self.moving_mean_initializer, name="renorm_mean", **options
            )
            self.renorm_stddev: Any = self.add_weight((size,), deviation, name="renorm_stddev", **options)

    def _deviation_initializer(
        self, shape: Shape, dtype: DTypeLike | None = None, key: Array | None = None
    ) -> jax.Array:
        """The square root of the initial moving variance."""
        variance = self.moving_variance_initializer or initializers.Ones()
        return jnp.sqrt(variance(shape, dtype=dtype, key=key))

    known_output = keeps_shape

    def call(
        self, inputs: Num[Array, "*shape"], training: bool | None = None, mask: Bool[Array, "..."] | None = None
    ) -> Num[Array, "*shape"]:
        x = in_float32(inputs)
        axis = self.axis % x.ndim
        correction = None
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            if self.renorm:
                correction = self._correct(mean, variance)
            else:
                self.moving_mean = _average(self.moving_mean, mean, self.momentum)
                self.moving_variance = _average(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        gamma, beta = self.gamma if self.scale else None, self.beta if self.center else None
        outputs = _scaled_and_shifted(x, mean, variance, correction, gamma, beta, axis, self.epsilon)
        result: jax.Array = outputs.astype(self.compute_dtype)
        return result

    def _correct(self, mean: jax.Array, variance: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Scale and shift of batch renormalisation, no gradient; moves all averages on by this batch."""
        deviation = jnp.sqrt(variance + self.epsilon)
        aim = jnp.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        scale, shift = deviation / aim, (mean - self.renorm_mean) / aim
        limits = self.renorm_clipping
        scale = jnp.clip(scale, limits.get("rmin"), limits.get("rmax"))
        if limits.get("dmax") is not None:
            shift = jnp.clip(shift, -limits["dmax"], limits["dmax"])
        self.renorm_mean = _average(self.renorm_mean, mean, self.renorm_momentum)
        self.renorm_stddev = _average(self.renorm_stddev, deviation, self.renorm_momentum)
        self.moving_mean = _average(self.moving_mean, mean, self.momentum)
        moved = _average(self.moving_stddev, deviation, self.momentum)
        self.moving_stddev = moved
        # Inference adds epsilon again; rounding must not make the variance negative.
        self.moving_variance = jnp.maximum(jnp.square(moved) - self.epsilon, 0)
        return jax.lax.stop_gradient(scale), jax.lax.stop_gradient(shift)

    def _moments(self, inputs: jax.Array, mask: Bool[Array, "..."] | None) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of a batch; a subclass may compute them in another way, as in Keras."""
        everywhere = collectives.axis() if self.synchronized else None
        with collectives.sharing(everywhere):
            return self._shared_moments(inputs, mask)

    def _shared_moments(self, x: jax.Array, mask: Bool[Array, "..."] | None) -> tuple[jax.Array, jax.Array]:
        axis = self.axis % x.ndim
        axes = tuple(i for i in range(x.ndim) if i != axis)
        if mask is None:
            mean = collectives.pmean(jnp.mean(x, axis=axes))
            return mean, collectives.pmean(jnp.mean(jnp.square(x - along(mean, (axis,), x.ndim)), axis=axes))
        if mask.ndim != x.ndim - 1:
            raise InputError(
                f"{self._place} (BatchNormalization) got a mask of shape {show_shape(mask.shape)} for an input of shape"
                f" {show_shape(x.shape)}; it must have one axis less."
            )
        valid = jnp.broadcast_to(jnp.expand_dims(mask, -1).astype(bool), x.shape)
        # Keras's guard against a batch without any valid step.
        count = collectives.psum(jnp.sum(valid, axis=axes, dtype=x.dtype)) + 1e-7
        # Masked values may be infinite or NaN.
        mean = collectives.psum(jnp.sum(jnp.where(valid, x, 0), axis=axes)) / count
        centred = jnp.where(valid, jnp.square(x - along(mean, (axis,), x.ndim)), 0)
        return mean, collectives.psum(jnp.sum(centred, axis=axes)) / count


@functools.partial(jax.jit, static_argnames=("axis", "epsilon"), inline=True)
def _scaled_and_shifted(
    x: jax.Array,
    mean: jax.Array,
    variance: jax.Array,
    correction: tuple[Array, Array] | None,
    gamma: jax.Array | None,
    beta: jax.Array | None,
    axis: int,
    epsilon: float,
) -> jax.Array:
    """`x` normalised along an axis: one product and one sum for each of its elements."""
    factor = jax.lax.rsqrt(variance + epsilon)
    offset = -mean * factor
    if correction is not None:
        factor, offset = factor * correction[0], offset * correction[0] + correction[1]
    if gamma is not None:
        factor, offset = factor * gamma, offset * gamma
    if beta is not None:
        offset = offset + beta
    return x * along(factor, (axis,), x.ndim) + along(offset, (axis,), x.ndim)


@functools.partial(jax.jit, static_argnames=("momentum",), inline=True)
def _average(moving: jax.Array, new: jax.Array, momentum: float) -> jax.Array:
    return moving * momentum + new * (1 - momentum)


def _clipping(value: object) -> dict[str, float | None]:
    message = "expected a dictionary with any of 'rmin', 'rmax' (not below 'rmin') and 'dmax' (not negative)"
    if not isinstance(value, Mapping) or not set(value) <= {"rmin", "rmax", "dmax"}:
        raise ArgumentError(message)
    try:
        limits = {key: arguments.optional(arguments.number)(limit) for key, limit in value.items()}
    except ArgumentError:
        raise ArgumentError(message) from None
    low, high, shift = (limits.get(key) for key in ("rmin", "rmax", "dmax"))
    if (low is not None and high is not None and high < low) or (shift is not None and shift < 0):
        raise ArgumentError(message)
    return limits


__all__ = ["BatchNormalization"]
