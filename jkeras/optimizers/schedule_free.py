"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.adam import moment, power
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField
from jkeras.values.fields import field


class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its iterates instead of following a learning rate schedule.

    The weights `y` lie between the fast iterate `z` (the slot `momentum`) and the average `x` of its values:
    `z -= learning_rate * g / (sqrt(v / (1 - beta_2**t)) + epsilon)`, `x = (1 - 1/t) * x + z / t`,
    `y = (1 - beta_1) * z + beta_1 * x`. The rate grows linearly over the first `warmup_steps` updates.

    Args:
        warmup_steps: the number of steps over which the learning rate rises from zero.

    Source: Defazio et al., https://arxiv.org/abs/2405.15682.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = ScheduleFreeAdamW(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.0025, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.between(0, 1, open_low=True))
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-8, convert=arguments.finite_non_negative)
    warmup_steps: int = field(default=0, convert=arguments.non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum", "velocity"),)

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        # A copy: a training step that donates both weights and state must not get the same buffer twice.
        return {"momentum": jnp.array(variable, copy=True), "velocity": jnp.zeros_like(variable)}

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        if self.warmup_steps > 0:
            learning_rate = learning_rate * jnp.minimum(step / self.warmup_steps, 1.0)
        scalars = {
            "learning_rate": learning_rate,
            "velocity_correction": 1 / (1 - power(self.beta_2, step)),
            "share": 1 / step,
        }
        return scalars, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        fast, share = slots["momentum"], scalars["share"]
        velocity = moment(slots["velocity"], jnp.square(gradient), self.beta_2)
        size = jnp.sqrt(velocity * scalars["velocity_correction"]) + self.epsilon
        new_fast = fast - scalars["learning_rate"] * gradient / size
        average = (variable - (1 - self.beta_1) * fast) / self.beta_1
        new_average = (1 - share) * average + share * new_fast
        new_variable = (1 - self.beta_1) * new_fast + self.beta_1 * new_average
        return new_variable - variable, {"momentum": new_fast, "velocity": velocity}
