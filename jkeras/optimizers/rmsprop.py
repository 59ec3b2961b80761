"""RMSprop: steps divided by the size of recent gradients."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import LearningRateField
from jkeras.values.fields import field


class RMSprop(Optimizer):
    """`v = rho * v + (1 - rho) * g**2; w -= learning_rate * g / sqrt(v + epsilon)`.

    With `momentum`, the increments accumulate in `m = momentum * m + increment; w -= m`. With `centered`, `v` is
    replaced by `v` minus the square of the average gradient, an estimate of the variance.

    Args:
        rho: the decay of the averages.
        momentum: the share of the previous update in the next one.
        centered: whether to use the variance of the gradients instead of their mean square.

    Source: Hinton, http://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = RMSprop(0.1, rho=0.75)
    >>> optimizer.update({"w": jnp.array([3.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.20000000298023224]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    rho: float = field(default=0.9, convert=arguments.probability)
    momentum: float = field(default=0.0, convert=arguments.non_negative)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)
    centered: bool = field(default=False, convert=arguments.boolean)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        used = (("velocity", True), ("momentum", self.momentum > 0), ("average_gradient", self.centered))
        return tuple((name,) for name, present in used if present)

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        velocity = self.rho * slots["velocity"] + (1 - self.rho) * jnp.square(gradient)
        new_slots = {"velocity": velocity}
        if self.centered:
            average = new_slots["average_gradient"] = self.rho * slots["average_gradient"] + (1 - self.rho) * gradient
            velocity = velocity - jnp.square(average)
        increment = scalars["learning_rate"] * gradient / jnp.sqrt(velocity + self.epsilon)
        if self.momentum > 0:
            increment = new_slots["momentum"] = self.momentum * slots["momentum"] + increment
        return -increment, new_slots
