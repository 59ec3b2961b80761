"""Any Optax transformation as an optimizer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.optimizers.base import BaseOptimizer, place_like
from jkeras.tracing import concrete
from jkeras.types import ArrayLike, ArrayTree
from jkeras.values.fields import field
from jkeras.values.keys import Identity

if TYPE_CHECKING:
    import optax


class OptaxState(NamedTuple):
    """The number of updates, and the state of the transformation."""

    iterations: jax.Array
    inner: Any


def is_transformation(value: object) -> TypeGuard[optax.GradientTransformation]:
    """Whether a value is an Optax transformation."""
    # Who has one has imported Optax; all others need not wait for its import.
    loaded: Any = sys.modules.get("optax")
    return loaded is not None and isinstance(value, getattr(loaded, "GradientTransformation", ()))


def _transformation(value: object) -> optax.GradientTransformation:
    if not is_transformation(value):
        raise ArgumentError("expected an Optax transformation such as `optax.adam(1e-3)`")
    return value


class OptaxOptimizer(BaseOptimizer):
    """Wraps an `optax.GradientTransformation` as an optimizer; `compile(optax.adam(1e-3), ...)` does so automatically.

    Optax transformations compare by identity: `optax.adam(1e-3) != optax.adam(1e-3)`. The training step is compiled
    once per transformation, so create it once and reuse it.

    Callbacks can read and set the learning rate only if the transformation was created with
    `optax.inject_hyperparams(optax.adam)(learning_rate=1e-3)`.

    Args:
        transform: the Optax transformation.
        name: the name of the optimizer.

    Raises:
        ArgumentError: `transform` is not a transformation; also raised by attempts to save the optimizer.

    >>> import optax
    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = OptaxOptimizer(optax.inject_hyperparams(optax.sgd)(learning_rate=0.5))
    >>> state = optimizer.init(params)
    >>> float(optimizer.get_learning_rate(optimizer.set_learning_rate(state, 0.25)))
    0.25
    """

    transform: optax.GradientTransformation = field(convert=_transformation)
    name: str = field(default="optax", convert=arguments.text)

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "transform": Identity(self.transform)}

    def get_config(self) -> dict[str, Any]:
        """Raises `ArgumentError`: a transformation consists of functions and has no configuration."""
        raise ArgumentError(
            "An Optax transformation has no configuration and cannot be saved. Save the weights, or use an optimizer"
            " of jkeras.optimizers."
        )

    def init(self, params: ArrayTree) -> OptaxState:
        inner = self.transform.init(params)
        # Weakly typed scalars would retrace the step when a callback replaces them.
        inner = jax.tree.map(lambda x: jax.lax.convert_element_type(x, jnp.result_type(x)), inner)
        return OptaxState(jnp.zeros((), jnp.int32), inner)

    def update(
        self, grads: ArrayTree, state: OptaxState, params: ArrayTree | None = None, **extra: Any
    ) -> tuple[Any, OptaxState]:
        with concrete():
            import optax

        transform = optax.with_extra_args_support(self.transform)
        updates, inner = transform.update(grads, state.inner, params, **extra)
        return updates, OptaxState(state.iterations + 1, inner)

    def get_learning_rate(self, state: OptaxState) -> jax.Array:
        with concrete():
            import optax

        learning_rate = optax.tree.get(state.inner, "learning_rate")
        if learning_rate is None:
            raise self._no_learning_rate()
        return jnp.asarray(learning_rate)

    def set_learning_rate(self, state: OptaxState, value: ArrayLike) -> OptaxState:
        with concrete():
            import optax

        old = optax.tree.get(state.inner, "learning_rate")
        if old is None:
            raise self._no_learning_rate()
        return state._replace(inner=optax.tree.set(state.inner, learning_rate=place_like(value, old)))

    def _no_learning_rate(self) -> InputError:
        return InputError(
            "The learning rate of this Optax transformation is not in its state. To read and set it during training,"
            " write `optax.inject_hyperparams(optax.adam)(learning_rate=...)`."
        )
