"""Adafactor: squared gradients stored as row and column averages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField
from jkeras.values.fields import field


def _root_mean_square(x: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def _outer(row: jax.Array, column: jax.Array) -> jax.Array:
    """Squared gradients estimated from their row and column averages; zero before the first update."""
    total = jnp.mean(row, axis=-1, keepdims=True)
    return jnp.expand_dims(row / jnp.where(total == 0, 1, total), -1) * jnp.expand_dims(column, -2)


class Adafactor(Optimizer):
    """Steps relative to the size of the weights, with memory for rows and columns instead of for every entry.

    As in Keras, the rate is `min(learning_rate, 1 / sqrt(t))` whatever `relative_step` is. Weights with two or more
    dimensions are factored along the last two. Keras also stores the full matrix; jkeras does not.

    Args:
        beta_2_decay: the averages of squared gradients use `beta_2 = 1 - t**beta_2_decay`.
        epsilon_1: added to the squared gradients.
        epsilon_2: a lower bound on the root mean square of a weight array, which steps are proportional to.
        clip_threshold: the largest root mean square of an update.
        relative_step: accepted for compatibility; as in Keras, the limit `1 / sqrt(t)` applies in either case.

    Source: Shazeer & Stern, https://arxiv.org/abs/1804.04235.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = Adafactor(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_2_decay: float = field(default=-0.8, convert=arguments.finite)
    epsilon_1: float = field(default=1e-30, convert=arguments.finite_non_negative)
    epsilon_2: float = field(default=1e-3, convert=arguments.finite_non_negative)
    clip_threshold: float = field(default=1.0, convert=arguments.number)
    relative_step: bool = field(default=True, convert=arguments.boolean)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("row", "column", "velocity"),)

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        if variable.ndim < 2:
            return {"velocity": jnp.zeros_like(variable)}
        shape = variable.shape
        return {
            "row": jnp.zeros(shape[:-1], variable.dtype),
            "column": jnp.zeros((*shape[:-2], shape[-1]), variable.dtype),
        }

    def keras_slot(self, name: str, slots: Slots) -> Any:
        if name == "velocity":
            return _outer(slots["row"], slots["column"])
        return jnp.zeros((), jnp.float32)

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        # Keras limits the rate to 1 / sqrt(t) even if `relative_step` is False.
        rate = jnp.minimum(learning_rate, 1 / jnp.sqrt(step))
        return {"rate": rate, "beta_2": 1 - jnp.power(step, self.beta_2_decay)}, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        beta_2 = scalars["beta_2"]
        square = jnp.square(gradient) + self.epsilon_1
        if "row" in slots:
            row = beta_2 * slots["row"] + (1 - beta_2) * jnp.mean(square, axis=-1)
            column = beta_2 * slots["column"] + (1 - beta_2) * jnp.mean(square, axis=-2)
            slots, velocity = {"row": row, "column": column}, _outer(row, column)
        else:
            velocity = beta_2 * slots["velocity"] + (1 - beta_2) * square
            slots = {"velocity": velocity}
        direction = gradient / jnp.sqrt(velocity)
        limit = jnp.maximum(1.0, _root_mean_square(direction) / self.clip_threshold)
        size = jnp.maximum(self.epsilon_2, _root_mean_square(variable))
        return -direction * (size * scalars["rate"] / limit), slots
