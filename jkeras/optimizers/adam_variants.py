"""Adamax and Nadam: Adam with the maximum norm, and with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.adam import moment, power
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField
from jkeras.values.fields import field


class Adamax(Optimizer):
    """Adam with a decaying maximum instead of the average square.

    `m = beta_1 * m + (1 - beta_1) * g; u = max(beta_2 * u, |g|)`, and at update `t`
    `w -= learning_rate * m / ((1 - beta_1**t) * (u + epsilon))`; `optax.adamax` puts `epsilon` inside the maximum.

    Source: Kingma & Ba, section 7.1, https://arxiv.org/abs/1412.6980.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Adamax(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.probability)
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum", "norm"),)

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        return {"rate": learning_rate / (1 - power(self.beta_1, step))}, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = moment(slots["momentum"], gradient, self.beta_1)
        norm = jnp.maximum(self.beta_2 * slots["norm"], jnp.abs(gradient))
        return -momentum * scalars["rate"] / (norm + self.epsilon), {"momentum": momentum, "norm": norm}


class Nadam(Optimizer):
    """Adam with Nesterov momentum, following the paper's momentum schedule `beta_1 * (1 - 0.5 * 0.96**t)`.

    Source: Dozat, http://cs229.stanford.edu/proj2015/054_report.pdf.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Nadam(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.106]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.probability)
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum", "velocity"),)

    def init_shared(self) -> dict[str, jax.Array]:
        return {"momentum_product": jnp.ones((), jnp.float32)}

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        now = self.beta_1 * (1 - 0.5 * power(0.96, step))
        following = self.beta_1 * (1 - 0.5 * power(0.96, step + 1))
        product = shared["momentum_product"] * now
        scalars = {
            "momentum_rate": learning_rate * following / (1 - product * following),
            "gradient_rate": learning_rate * (1 - now) / (1 - product),
            "velocity_correction": 1 / (1 - power(self.beta_2, step)),
        }
        return scalars, {"momentum_product": product}

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = moment(slots["momentum"], gradient, self.beta_1)
        velocity = moment(slots["velocity"], jnp.square(gradient), self.beta_2)
        direction = scalars["momentum_rate"] * momentum + scalars["gradient_rate"] * gradient
        scale = jnp.sqrt(velocity * scalars["velocity_correction"]) + self.epsilon
        return -direction / scale, {"momentum": momentum, "velocity": velocity}
