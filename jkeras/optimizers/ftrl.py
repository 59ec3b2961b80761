"""Follow the regularised leader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import LearningRateField
from jkeras.values.fields import field


def _not_positive(value: object) -> Any:
    return arguments.between(-float("inf"), 0)(value)


class Ftrl(Optimizer):
    """Follow the regularised leader: an L1 penalty keeps weights exactly zero unless their gradients are large enough.

    With `p = -learning_rate_power`, `n' = n + g**2`, `s = g + 2 * l2_shrinkage * w`:
    `z += s - (n'**p - n**p) / learning_rate * w`, and
    `w = (clip(z, -l1, l1) - z) / (n'**p / learning_rate + 2 * l2 + beta / learning_rate)`.

    Args:
        learning_rate_power: the exponent with which the learning rate falls with the sums of squares; at most 0.
        initial_accumulator_value: what the sums of squares begin with.
        l1_regularization_strength: the L1 penalty.
        l2_regularization_strength: the L2 penalty.
        l2_shrinkage_regularization_strength: an L2 penalty that is added to the gradient instead of to the sums.
        beta: added to the square roots of the sums.

    Source: McMahan et al., https://research.google.com/pubs/archive/41159.pdf.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Ftrl(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.255]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    learning_rate_power: float = field(default=-0.5, convert=_not_positive)
    initial_accumulator_value: float = field(default=0.1, convert=arguments.non_negative)
    l1_regularization_strength: float = field(default=0.0, convert=arguments.non_negative)
    l2_regularization_strength: float = field(default=0.0, convert=arguments.non_negative)
    l2_shrinkage_regularization_strength: float = field(default=0.0, convert=arguments.non_negative)
    beta: float = field(default=0.0, convert=arguments.finite)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("accumulator", "linear"),)

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        return {
            "accumulator": jnp.full_like(variable, self.initial_accumulator_value),
            "linear": jnp.zeros_like(variable),
        }

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        rate, power = scalars["learning_rate"], -self.learning_rate_power
        old, l1 = slots["accumulator"], self.l1_regularization_strength
        new = old + jnp.square(gradient)
        new_power = jnp.power(new, power)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * variable
        linear = slots["linear"] + shrunk - (new_power - jnp.power(old, power)) / rate * variable
        quadratic = new_power / rate + 2 * (self.l2_regularization_strength + self.beta / (2 * rate))
        return (jnp.clip(linear, -l1, l1) - linear) / quadratic - variable, {"accumulator": new, "linear": linear}
