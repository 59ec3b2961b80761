"""Constraints: projections of weights, applied after each step of the optimizer, as in `keras.constraints`.

>>> NonNeg()(jnp.array([-1.0, 2.0])).tolist()
[0.0, 2.0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, config, registry
from jkeras.errors import ArgumentError
from jkeras.lazy import public_names as _public_names
from jkeras.types import Config, ConstraintLike
from jkeras.values.config import serialize as serialize_value
from jkeras.values.fields import field
from jkeras.values.spec import Spec


class Constraint(Spec):
    """A projection of weights: `constraint(w)` has the shape of `w`.

    The base class returns `w` unchanged; subclasses define `__call__`.

    >>> class Below(Constraint):
    ...     limit: float = 1.0
    ...     def __call__(self, w):
    ...         return jnp.minimum(w, self.limit)
    >>> Below(2.0)(jnp.array([1.0, 3.0])).tolist()
    [1.0, 2.0]
    """

    keras_module = "keras.constraints"

    def __call__(self, w: ArrayLike) -> jax.Array:
        """The weight nearest to `w` that is allowed."""
        return jnp.asarray(w)


class FunctionConstraint(Constraint):
    """Wraps a function of a weight as a constraint.

    Args:
        function: a function that returns an array of the weight's shape.

    >>> FunctionConstraint(jnp.abs)(jnp.array([-1.0])).tolist()
    [1.0]
    """

    function: Callable[[Any], ArrayLike] = field(convert=arguments.function)

    def __call__(self, w: ArrayLike) -> jax.Array:
        return jnp.asarray(self.function(w))

    def _written_as(self) -> Callable[[Any], ArrayLike]:
        return self.function


def _axis(value: object) -> int | tuple[int, ...] | None:
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return tuple(arguments.integer(axis) for axis in value)
    return arguments.integer(value)


def _norms(w: jax.Array, axis: int | tuple[int, ...] | None) -> jax.Array:
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


class NonNeg(Constraint):
    """Sets negative weights to zero.

    >>> NonNeg()(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: ArrayLike) -> jax.Array:
        return jnp.maximum(jnp.asarray(w), 0)


class UnitNorm(Constraint):
    """Scales weights to norm 1 along `axis`.

    Args:
        axis: the axes of one vector: 0 for the weights into each unit of a Dense kernel, (0, 1, 2) for each filter of
            a Conv2D.

    >>> UnitNorm()(jnp.array([[3.0], [4.0]])).round(3).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    axis: int | tuple[int, ...] = field(default=0, convert=_axis)

    def __call__(self, w: ArrayLike) -> jax.Array:
        w = jnp.asarray(w)
        return w / (config.epsilon() + _norms(w, self.axis))


class MaxNorm(Constraint):
    """Scales weights whose norm along `axis` exceeds `max_value` down to it.

    Args:
        max_value: the largest norm.
        axis: the axes of one vector, see `UnitNorm`.

    >>> MaxNorm(1.0)(jnp.array([[0.5], [0.0]])).round(3).tolist()
    [[0.5], [0.0]]
    """

    max_value: float = field(default=2, convert=arguments.number)
    axis: int | tuple[int, ...] = field(default=0, convert=_axis)

    def __call__(self, w: ArrayLike) -> jax.Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        return w * (jnp.clip(norms, 0, self.max_value) / (config.epsilon() + norms))


class MinMaxNorm(Constraint):
    """Scales weights so that their norm along `axis` lies between `min_value` and `max_value`.

    The new norm is `rate * clip(norm, min_value, max_value) + (1 - rate) * norm`.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: how strictly the bounds are enforced; 1 enforces them fully.
        axis: the axes of one vector, see `UnitNorm`.

    >>> MinMaxNorm(0.0, 1.0)(jnp.array([[3.0], [4.0]])).tolist()
    [[0.6], [0.8]]
    """

    min_value: float = field(default=0.0, convert=arguments.number)
    max_value: float = field(default=1.0, convert=arguments.number)
    rate: float = field(default=1.0, convert=arguments.number)
    axis: int | tuple[int, ...] = field(default=0, convert=_axis)

    def __call__(self, w: ArrayLike) -> jax.Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        target = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (target / (config.epsilon() + norms))


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

TABLE: Mapping[str, type[Constraint]] = registry.named_table(MaxNorm, MinMaxNorm, NonNeg, UnitNorm)


def get(identifier: ConstraintLike) -> Constraint | None:
    """The constraint that `identifier` means.

    Args:
        identifier: None (stays None), a name, a configuration, a constraint or its class, or a function of a weight.

    Raises:
        UnknownNameError: no constraint has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("max_norm")
    MaxNorm()
    """
    constraint: object = registry.resolve("constraint", TABLE, identifier, Constraint)
    if constraint is None or isinstance(constraint, Constraint):
        return constraint
    if isinstance(constraint, type):
        constraint = constraint()
    if not callable(constraint):
        raise ArgumentError(f"{type(constraint).__name__} is not a constraint: it cannot be called with a weight.")
    return FunctionConstraint(constraint)


def serialize(constraint: Constraint | None) -> dict[str, Any] | None:
    """The configuration of a constraint as plain JSON values.

    Args:
        constraint: a constraint, or None.

    >>> serialize(NonNeg())["class_name"]
    'NonNeg'
    """
    config: dict[str, Any] | None = serialize_value(constraint)
    return config


def deserialize(config: str | Config | None, custom_objects: Mapping[str, Any] | None = None) -> Constraint | None:
    """Rebuilds a constraint from the configuration that `serialize` returned.

    Args:
        config: the configuration, or a name.
        custom_objects: classes and functions by name, known during this call.

    Raises:
        UnknownNameError: the configuration names an unknown class.

    >>> deserialize(serialize(NonNeg())) == NonNeg()
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


def __dir__() -> list[str]:
    return _public_names(__name__)
