"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping

import jax

from jkeras import arguments
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import LearningRateField
from jkeras.values.fields import field


class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`, or with momentum `m = momentum * m - learning_rate * g; w += m`.

    The velocity includes the learning rate, so a change of the rate affects later gradients only; in `optax.sgd` it
    affects the whole velocity at once. With `nesterov`, `w += momentum * m - learning_rate * g`.

    Args:
        momentum: the share of the last update that is kept.
        nesterov: whether to use Nesterov momentum.

    >>> import jax.numpy as jnp
    >>> params = {"w": jnp.array([1.0])}
    >>> optimizer = SGD(0.5)
    >>> optimizer.update({"w": jnp.array([1.0])}, optimizer.init(params), params)[0]["w"].tolist()
    [-0.5]
    """

    learning_rate: LearningRateField = field(default=0.01, convert=learning_rate)
    momentum: float = field(default=0.0, convert=arguments.probability)
    nesterov: bool = field(default=False, convert=arguments.boolean)

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum",),) if self.momentum else ()

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        step = gradient * scalars["learning_rate"]
        if not self.momentum:
            return -step, slots
        momentum = self.momentum * slots["momentum"] - step
        return (self.momentum * momentum - step if self.nesterov else momentum), {"momentum": momentum}
