"""Lion and Lamb: steps of the same size for every entry, or relative to the norm of every weight array."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.adam import moment, power
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField
from jkeras.values.fields import field


class Lion(Optimizer):
    """The sign of an interpolated momentum: `w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)`.

    Then `m = beta_2 * m + (1 - beta_2) * g`. Use a smaller learning rate and a larger weight decay than for Adam.

    Raises:
        ArgumentError: `beta_1` is not in (0, 1].

    Source: Chen et al., https://arxiv.org/abs/2302.06675.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Lion(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.between(0, 1, open_low=True))
    beta_2: float = field(default=0.99, convert=arguments.probability)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum",),)

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = slots["momentum"]
        direction = jnp.sign(self.beta_1 * momentum + (1 - self.beta_1) * gradient)
        return -scalars["learning_rate"] * direction, {
            "momentum": self.beta_2 * momentum + (1 - self.beta_2) * gradient
        }


class Lamb(Optimizer):
    """Adam with the step of each weight array scaled to the norm of that array, for very large batches.

    Source: You et al., https://arxiv.org/abs/1904.00962.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Lamb(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.probability)
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum", "velocity"),)

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        scalars = {
            "learning_rate": learning_rate,
            "momentum_correction": 1 / (1 - power(self.beta_1, step)),
            "velocity_correction": 1 / (1 - power(self.beta_2, step)),
        }
        return scalars, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = moment(slots["momentum"], gradient, self.beta_1)
        velocity = moment(slots["velocity"], jnp.square(gradient), self.beta_2)
        size = jnp.sqrt(velocity * scalars["velocity_correction"]) + self.epsilon
        step = momentum * scalars["momentum_correction"] / size
        weight_norm, step_norm = jnp.sqrt(jnp.sum(jnp.square(variable))), jnp.sqrt(jnp.sum(jnp.square(step)))
        usable = (weight_norm > 0) & (step_norm > 0)
        trust = jnp.where(usable, weight_norm / jnp.where(usable, step_norm, 1), 1)
        return -step * (trust * scalars["learning_rate"]), {"momentum": momentum, "velocity": velocity}
