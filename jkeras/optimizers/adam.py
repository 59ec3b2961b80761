"""Adam and AdamW: moving averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField
from jkeras.values.fields import field


def power(base: float, step: jax.Array) -> jax.Array:
    """`base ** step` with a float32 base. Keras rounds the base first, which affects `1 - base ** step`."""
    return jnp.power(jnp.float32(base), step)


def moment(old: jax.Array, new: jax.Array, beta: float) -> jax.Array:
    """The moving average `beta * old + (1 - beta) * new`."""
    return old + (new - old) * (1 - beta)


def adam_rate(learning_rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float) -> jax.Array:
    """The learning rate, including both bias corrections."""
    return learning_rate * jnp.sqrt(1 - power(beta_2, step)) / (1 - power(beta_1, step))


class AdamRule(Optimizer):
    """The update of Adam and AdamW, which differ only in their arguments.

    Args:
        amsgrad: whether to use the largest average of squares so far.
    """

    beta_1: float = field(default=0.9, convert=arguments.probability, kw_only=True)
    beta_2: float = field(default=0.999, convert=arguments.probability, kw_only=True)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative, kw_only=True)
    amsgrad: bool = field(default=False, convert=arguments.boolean, kw_only=True)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        moments = (("momentum", "velocity"),)
        return (*moments, ("velocity_hat",)) if self.amsgrad else moments

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        return {"rate": adam_rate(learning_rate, step, self.beta_1, self.beta_2)}, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = moment(slots["momentum"], gradient, self.beta_1)
        velocity = moment(slots["velocity"], jnp.square(gradient), self.beta_2)
        new_slots = {"momentum": momentum, "velocity": velocity}
        if self.amsgrad:
            velocity = new_slots["velocity_hat"] = jnp.maximum(slots["velocity_hat"], velocity)
        return -momentum * scalars["rate"] / (jnp.sqrt(velocity) + self.epsilon), new_slots


class Adam(AdamRule):
    """Adam: moving averages of the gradient and of its square.

    With the averages `m`, `v` and the update number `t`,
    `w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)`. This is the second form in
    the paper, where `epsilon` is added to `sqrt(v)` before its bias is corrected; `optax.adam` adds it afterwards.
    `amsgrad` uses the largest `v` so far.

    Source: Kingma & Ba, https://arxiv.org/abs/1412.6980; Reddi et al., https://openreview.net/forum?id=ryQu7f-RZ.

    >>> params = {"w": jnp.array([1.0, 1.0])}
    >>> optimizer = Adam(0.1)
    >>> optimizer.update({"w": jnp.array([5.0, -0.5])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.10000000149011612, 0.10000000149011612]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    beta_1: float = field(default=0.9, convert=arguments.probability)
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)
    amsgrad: bool = field(default=False, convert=arguments.boolean)


class AdamW(AdamRule):
    """Adam with weight decay: before each update `w -= w * weight_decay * learning_rate`.

    Raises:
        ArgumentError: `weight_decay` is None.

    Source: Loshchilov & Hutter, https://arxiv.org/abs/1711.05101.

    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = AdamW(0.1)
    >>> optimizer.update({"w": jnp.array([2.0])}, optimizer.init(params), params)[0]["w"].round(3).tolist()
    [-0.1]
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    weight_decay: float = field(default=0.004, convert=arguments.finite_non_negative)
    beta_1: float = field(default=0.9, convert=arguments.probability)
    beta_2: float = field(default=0.999, convert=arguments.probability)
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)
    amsgrad: bool = field(default=False, convert=arguments.boolean)
