"""Regularizers: penalties on weights or activations that are added to the loss, as in `keras.regularizers`.

>>> L2(0.5)(jnp.array([1.0, 2.0])).item()
2.5
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, config, registry
from jkeras.errors import ArgumentError, InputError
from jkeras.lazy import public_names as _public_names
from jkeras.types import Config, RegularizerLike
from jkeras.values.config import serialize as serialize_value
from jkeras.values.fields import field
from jkeras.values.spec import Spec


class Regularizer(Spec):
    """A penalty: `regularizer(x)` is a scalar.

    The base class returns zero; subclasses define `__call__`.

    >>> class Spread(Regularizer):
    ...     weight: float = 1.0
    ...     def __call__(self, x):
    ...         return self.weight * jnp.var(x)
    >>> Spread(2.0)(jnp.array([1.0, 3.0])).item()
    2.0
    """

    keras_module = "keras.regularizers"

    def __call__(self, x: ArrayLike) -> jax.Array:
        """The penalty of an array of any shape."""
        return jnp.zeros(())


class FunctionRegularizer(Regularizer):
    """Wraps a function of an array as a regularizer.

    Args:
        function: a function that returns a scalar.

    >>> FunctionRegularizer(jnp.sum)(jnp.ones(3)).item()
    3.0
    """

    function: Callable[[Any], ArrayLike] = field(convert=arguments.function)

    def __call__(self, x: ArrayLike) -> jax.Array:
        return jnp.asarray(self.function(x))

    def _written_as(self) -> Callable[[Any], ArrayLike]:
        return self.function


def _factor(default: float) -> Callable[[Any], float]:
    """A finite number of at least zero; None is the default."""
    finite = arguments.between(0, math.inf, open_high=True)
    return lambda value: default if value is None else float(finite(value))


class L1(Regularizer):
    """The penalty `l1 * sum(abs(x))`.

    Args:
        l1: a finite number of at least 0; None is the default.

    >>> L1(0.5)(jnp.array([1.0, -2.0])).item()
    1.5
    """

    l1: float = field(default=0.01, convert=_factor(0.01))

    def __call__(self, x: ArrayLike) -> jax.Array:
        x = jnp.asarray(x)
        return jnp.asarray(self.l1, x.dtype) * jnp.sum(jnp.abs(x))


class L2(Regularizer):
    """The penalty `l2 * sum(x**2)`, without the factor 1/2 that some texts include.

    Args:
        l2: a finite number of at least 0; None is the default.

    >>> L2(0.5)(jnp.array([1.0, -2.0])).item()
    2.5
    """

    l2: float = field(default=0.01, convert=_factor(0.01))

    def __call__(self, x: ArrayLike) -> jax.Array:
        x = jnp.asarray(x)
        return jnp.asarray(self.l2, x.dtype) * jnp.sum(jnp.square(x))


class L1L2(Regularizer):
    """The penalty `l1 * sum(abs(x)) + l2 * sum(x**2)`.

    Args:
        l1: a finite number of at least 0.
        l2: a finite number of at least 0.

    >>> L1L2(0.5, 0.5)(jnp.array([1.0, -2.0])).item()
    4.0
    """

    l1: float = field(default=0.0, convert=_factor(0.0))
    l2: float = field(default=0.0, convert=_factor(0.0))

    def __call__(self, x: ArrayLike) -> jax.Array:
        x = jnp.asarray(x)
        penalty = jnp.zeros((), x.dtype)
        for factor, size in ((self.l1, jnp.abs), (self.l2, jnp.square)):
            if not isinstance(factor, float) or factor:  # one that a sweep varies is known only when the program runs
                penalty += jnp.asarray(factor, x.dtype) * jnp.sum(size(x))
        return penalty


class OrthogonalRegularizer(Regularizer):
    """Pushes the rows (or columns) of a matrix towards orthogonality.

    The penalty is `factor` times the mean of `abs(cosine)` over all pairs, or zero if there is no pair.

    Args:
        factor: a finite number of at least 0.
        mode: "rows" or "columns".

    >>> OrthogonalRegularizer(1.0)(jnp.array([[1.0, 0.0], [1.0, 0.0]])).item()
    1.0

    Raises:
        InputError: when called with an array that is not a matrix.
    """

    factor: float = field(default=0.01, convert=_factor(0.01))
    mode: str = field(default="rows", convert=arguments.one_of("rows", "columns"))

    def __call__(self, x: ArrayLike) -> jax.Array:
        x = jnp.asarray(x)
        if x.ndim != 2:
            raise InputError(f"OrthogonalRegularizer takes matrices; got an array of shape {x.shape}.")
        vectors = x if self.mode == "rows" else x.T
        inverse_norm = jax.lax.rsqrt(jnp.sum(jnp.square(vectors), axis=1, keepdims=True))
        unit = vectors * jnp.minimum(inverse_norm, 1 / config.epsilon())
        count = unit.shape[0]
        cosines = (unit @ unit.T) * (1 - jnp.eye(count, dtype=unit.dtype))
        pairs = max(1, count * (count - 1) // 2)
        return self.factor * 0.5 * jnp.sum(jnp.abs(cosines)) / pairs


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

TABLE: Mapping[str, type[Regularizer]] = registry.named_table(L1, L2, L1L2, OrthogonalRegularizer, l1_l2=L1L2)


def get(identifier: RegularizerLike) -> Regularizer | None:
    """The regularizer that `identifier` means.

    Args:
        identifier: None (stays None), a name, a configuration, a regularizer or its class, or a function of an array.

    Raises:
        UnknownNameError: no regularizer has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("l2")
    L2()
    """
    regularizer: object = registry.resolve("regularizer", TABLE, identifier, Regularizer)
    if regularizer is None or isinstance(regularizer, Regularizer):
        return regularizer
    if isinstance(regularizer, type):
        regularizer = regularizer()
    if not callable(regularizer):
        raise ArgumentError(f"{type(regularizer).__name__} is not a regularizer: it cannot be called with an array.")
    return FunctionRegularizer(regularizer)


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """The configuration of a regularizer as plain JSON values.

    Args:
        regularizer: a regularizer, or None.

    >>> serialize(L2(0.5))["class_name"]
    'L2'
    """
    config: dict[str, Any] | None = serialize_value(regularizer)
    return config


def deserialize(config: str | Config | None, custom_objects: Mapping[str, Any] | None = None) -> Regularizer | None:
    """Rebuilds a regularizer from the configuration that `serialize` returned.

    Args:
        config: the configuration, or a name.
        custom_objects: classes and functions by name, known during this call.

    Raises:
        UnknownNameError: the configuration names an unknown class.

    >>> deserialize(serialize(L2(0.5))) == L2(0.5)
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


def __dir__() -> list[str]:
    return _public_names(__name__)
