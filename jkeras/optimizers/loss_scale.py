"""Dynamic loss scaling for float16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp

from jkeras import arguments, registry
from jkeras.errors import ArgumentError
from jkeras.optimizers.base import BaseOptimizer, run_if
from jkeras.optimizers.multi import MultiOptimizer
from jkeras.optimizers.optimizer import Optimizer
from jkeras.optimizers.table import RULES, named, resolve
from jkeras.types import Array, ArrayLike, ArrayTree
from jkeras.values.fields import field

# Arguments of the base class that files from older Keras versions contain.
_UNUSED = {
    "learning_rate": 0.0,
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "dynamic": True,
}


class LossScaleState(NamedTuple):
    """The state of the inner optimizer, the scale (float32), and the steps since the scale last changed (int32)."""

    step_counter: jax.Array
    dynamic_scale: jax.Array
    inner: Any

    @property
    def iterations(self) -> jax.Array:
        """The number of updates that the inner optimizer has made."""
        result: jax.Array = self.inner.iterations
        return result


def _inner(value: object) -> BaseOptimizer:
    optimizer = resolve({**RULES, **named(MultiOptimizer)}, value)
    if optimizer is None or isinstance(optimizer, LossScaleOptimizer):
        raise ArgumentError("expected an optimizer other than a LossScaleOptimizer")
    return optimizer.replace(loss_scale_factor=None) if isinstance(optimizer, Optimizer | MultiOptimizer) else optimizer


class LossScaleOptimizer(BaseOptimizer):
    """Wraps an optimizer with a dynamic loss scale, so that small gradients do not underflow in float16.

    `scale_loss` multiplies the loss by the scale and `update` divides the gradients by it. If some gradients are not
    finite, the step only halves the scale. After `dynamic_growth_steps` finite steps in a row, the scale is doubled.

    Args:
        inner_optimizer: an optimizer, its name or configuration; its own `loss_scale_factor` is not used.
        initial_scale: the initial scale. Too high is better than too low, because the scale falls faster than it rises.
        dynamic_growth_steps: the number of finite steps before the scale is doubled.
        name: the name of the optimizer.

    Source: Micikevicius et al., https://arxiv.org/abs/1710.03740.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = LossScaleOptimizer("sgd")
    >>> updates, state = optimizer.update({"w": jnp.array([jnp.inf])}, optimizer.init(params), params)
    >>> updates["w"].tolist(), float(state.dynamic_scale), int(state.iterations)
    ([0.0], 16384.0, 0)
    """

    inner_optimizer: BaseOptimizer = field(convert=_inner)
    initial_scale: float = field(default=2.0**15, convert=arguments.finite_positive)
    dynamic_growth_steps: int = field(default=2000, convert=arguments.positive_int)
    name: str | None = field(default=None, convert=arguments.optional(arguments.text))

    def __post_init__(self) -> None:
        if self.name is None:
            self.name = registry.snake_case(type(self).__name__)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer; None if it has no single one."""
        return self.inner_optimizer.learning_rate

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Restores an optimizer from `get_config()`; arguments that have no meaning here must have their defaults."""
        return cls(**{k: v for k, v in config.items() if not (k in _UNUSED and v == _UNUSED[k])})

    def init(self, params: ArrayTree) -> LossScaleState:
        scale = jnp.asarray(self.initial_scale, jnp.float32)
        return LossScaleState(jnp.zeros((), jnp.int32), scale, self.inner_optimizer.init(params))

    def update(
        self, grads: ArrayTree, state: LossScaleState, params: ArrayTree | None = None, **extra: Any
    ) -> tuple[Any, LossScaleState]:
        leaves = jax.tree.leaves(grads)
        finite = jnp.stack([jnp.all(jnp.isfinite(g)) for g in leaves]).all() if leaves else jnp.bool_(True)

        def step(carry: tuple[Any, Any]) -> tuple[Any, Any]:
            # Divide in float32: the scale may exceed the range of float16.
            unscaled = jax.tree.map(lambda g: g / state.dynamic_scale, grads)
            updates, inner = self.inner_optimizer.update(unscaled, carry[1], params, **extra)
            return jax.tree.map(lambda u, n: u.astype(n.dtype), updates, carry[0]), inner

        nothing = jax.tree.map(jnp.zeros_like, grads if params is None else params)
        updates, inner = run_if(finite, step, (nothing, state.inner))
        grown = state.step_counter == self.dynamic_growth_steps - 1
        factor = jnp.where(finite, jnp.where(grown, 2.0, 1.0), 0.5)
        counter = jnp.where(finite & ~grown, state.step_counter + 1, 0)
        return updates, LossScaleState(counter, state.dynamic_scale * factor, inner)

    def get_learning_rate(self, state: LossScaleState) -> jax.Array:
        return self.inner_optimizer.get_learning_rate(state.inner)

    def set_learning_rate(self, state: LossScaleState, value: ArrayLike) -> LossScaleState:
        return state._replace(inner=self.inner_optimizer.set_learning_rate(state.inner, value))

    def scale_loss(self, loss: Array, state: LossScaleState) -> Array:
        return jnp.asarray(loss) * state.dynamic_scale

    @property
    def finalizes(self) -> bool:
        return self.inner_optimizer.finalizes

    def finalize(self, params: ArrayTree, state: LossScaleState) -> ArrayTree:
        return self.inner_optimizer.finalize(params, state.inner)

    def compile_key(self) -> Self:
        inner = self.inner_optimizer.compile_key()
        return self.replace(inner_optimizer=inner, initial_scale=1.0, name=None)
