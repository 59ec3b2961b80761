"""Adagrad and Adadelta: steps divided by the size of all gradients so far, or of recent ones."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import LearningRateField
from jkeras.values.fields import field


class Adagrad(Optimizer):
    """`a += g**2; w -= learning_rate * g / sqrt(a + epsilon)`: steps shrink as squared gradients accumulate.

    Args:
        initial_accumulator_value: the initial value of the sums of squares.

    Source: Duchi et al., https://www.jmlr.org/papers/v12/duchi11a.html.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Adagrad(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.099]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    initial_accumulator_value: float = field(default=0.1, convert=arguments.finite)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("accumulator",),)

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        return {"accumulator": jnp.full_like(variable, self.initial_accumulator_value)}

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        accumulator = slots["accumulator"] + jnp.square(gradient)
        update = -scalars["learning_rate"] * gradient / jnp.sqrt(accumulator + self.epsilon)
        return update, {"accumulator": accumulator}


class Adadelta(Optimizer):
    """Steps scaled by the size of recent steps and divided by the size of recent gradients.

    `a = rho * a + (1 - rho) * g**2; d = g * sqrt(b + epsilon) / sqrt(a + epsilon); b = rho * b + (1 - rho) * d**2`, and
    `w -= learning_rate * d`. A `learning_rate` of 1.0 is the form in the paper.

    Args:
        rho: the decay of the averages.

    Source: Zeiler, https://arxiv.org/abs/1212.5701.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Adadelta(1.0)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.001]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    rho: float = field(default=0.95, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("accumulated_grad", "accumulated_delta_var"),)

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        rho = self.rho
        squares = rho * slots["accumulated_grad"] + (1 - rho) * jnp.square(gradient)
        step = gradient * jnp.sqrt(slots["accumulated_delta_var"] + self.epsilon) / jnp.sqrt(squares + self.epsilon)
        steps = rho * slots["accumulated_delta_var"] + (1 - rho) * jnp.square(step)
        return -scalars["learning_rate"] * step, {"accumulated_grad": squares, "accumulated_delta_var": steps}
