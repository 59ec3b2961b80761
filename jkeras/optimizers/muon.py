"""Muon: orthogonalised momentum."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from jkeras import arguments, constants
from jkeras.errors import ArgumentError
from jkeras.optimizers.adam import adam_rate, moment
from jkeras.optimizers.optimizer import Optimizer, Slots, learning_rate
from jkeras.types import Array, LearningRateField, LearningRateLike
from jkeras.values.fields import field


def _patterns(value: object) -> tuple[str, ...]:
    try:
        return tuple(map(arguments.text, arguments.entries(() if value is None else value)))
    except ArgumentError:
        raise ArgumentError("expected a list of regular expressions") from None


class Muon(Optimizer):
    """Momentum replaced by a nearly orthogonal matrix; AdamW for weights that are not matrices.

    Two-dimensional weights take the orthogonal step, except embeddings and weights that match `exclude_layers`. The
    step is scaled by `rms_rate * sqrt(max(rows, columns))`, so that learning rates for Adam are suitable; with None it
    is not scaled.

    Args:
        adam_beta_1: `beta_1` of the Adam part.
        adam_beta_2: `beta_2` of the Adam part.
        adam_weight_decay: the weight decay of the Adam part.
        epsilon: `epsilon` of the Adam part.
        exclude_layers: regular expressions; weights whose path contains a match are updated by Adam.
        exclude_embeddings: whether Adam updates weights with "embedding" in their path.
        muon_a: coefficients of the Newton-Schulz iteration.
        muon_b: coefficients of the Newton-Schulz iteration.
        muon_c: coefficients of the Newton-Schulz iteration.
        adam_lr_ratio: the learning rate of the Adam part as a multiple of `learning_rate`.
        momentum: the momentum of the orthogonal part.
        nesterov: whether the orthogonal part uses Nesterov momentum.
        ns_steps: the number of Newton-Schulz iterations.
        rms_rate: the root mean square of an update of the orthogonal part relative to the learning rate.

    Source: Jordan, https://kellerjordan.github.io/posts/muon; Liu et al., https://arxiv.org/abs/2502.16982.

    >>> params = {"kernel": jnp.eye(2)}
    >>> optimizer = Muon(0.1)
    >>> optimizer.update({"kernel": jnp.eye(2)}, optimizer.init(params), params)[0]["kernel"].shape
    (2, 2)
    """

    learning_rate: LearningRateField = field(default=0.001, convert=learning_rate)
    adam_beta_1: float = field(default=0.9, convert=arguments.probability)
    adam_beta_2: float = field(default=0.999, convert=arguments.probability)
    adam_weight_decay: float | None = field(default=0.004, convert=arguments.optional(arguments.finite_non_negative))
    epsilon: float = field(default=1e-7, convert=arguments.finite_non_negative)
    weight_decay: float | None = field(default=0.004, convert=arguments.optional(arguments.finite_non_negative))
    clipnorm: float | None = field(default=None, convert=arguments.optional(arguments.number))
    clipvalue: float | None = field(default=None, convert=arguments.optional(arguments.number))
    global_clipnorm: float | None = field(default=None, convert=arguments.optional(arguments.number))
    use_ema: bool = field(default=False, convert=arguments.boolean)
    ema_momentum: float = field(default=0.99, convert=arguments.probability)
    ema_overwrite_frequency: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    loss_scale_factor: float | None = field(default=None, convert=arguments.optional(arguments.finite_positive))
    gradient_accumulation_steps: int | None = field(default=None, convert=arguments.optional(arguments.at_least(2)))
    name: str | None = field(default=None, convert=arguments.optional(arguments.text))
    exclude_layers: tuple[str, ...] = field(default=None, convert=_patterns)
    exclude_embeddings: bool = field(default=True, convert=arguments.boolean)
    muon_a: float = field(default=3.4445, convert=arguments.finite)
    muon_b: float = field(default=-4.775, convert=arguments.finite)
    muon_c: float = field(default=2.0315, convert=arguments.finite)
    adam_lr_ratio: float = field(default=1, convert=arguments.finite)
    momentum: float = field(default=0.95, convert=arguments.finite)
    ns_steps: int = field(default=5, convert=arguments.at_least(0))
    nesterov: bool = field(default=True, convert=arguments.boolean)
    rms_rate: float | None = field(default=0.2, convert=arguments.optional(arguments.finite))

    if TYPE_CHECKING:  # the positions of the arguments, which checkers cannot infer

        def __init__(
            self,
            learning_rate: LearningRateLike = 0.001,
            adam_beta_1: float = 0.9,
            adam_beta_2: float = 0.999,
            adam_weight_decay: float | None = 0.004,
            epsilon: float = 1e-07,
            weight_decay: float | None = 0.004,
            clipnorm: float | None = None,
            clipvalue: float | None = None,
            global_clipnorm: float | None = None,
            use_ema: bool = False,
            ema_momentum: float = 0.99,
            ema_overwrite_frequency: int | None = None,
            loss_scale_factor: float | None = None,
            gradient_accumulation_steps: int | None = None,
            name: str | None = None,
            exclude_layers: Sequence[str] | None = None,
            exclude_embeddings: bool = True,
            muon_a: float = 3.4445,
            muon_b: float = -4.775,
            muon_c: float = 2.0315,
            adam_lr_ratio: float = 1,
            momentum: float = 0.95,
            ns_steps: int = 5,
            nesterov: bool = True,
            rms_rate: float | None = 0.2,
            *,
            weight_decay_exclusions: Sequence[str] = (),
        ) -> None: ...

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("momentum", "velocity"),)

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        names = ("momentum", "velocity") if self._by_adam(path, variable) else ("momentum",)
        return {name: constants.zeros_like(variable) for name in names}

    def _by_adam(self, path: str, variable: jax.Array) -> bool:
        embedding = self.exclude_embeddings and "embedding" in path.lower()
        return variable.ndim != 2 or embedding or any(re.search(pattern, path) for pattern in self.exclude_layers)

    def weight_decay_of(self, path: str, variable: jax.Array) -> float | None:
        decay = super().weight_decay_of(path, variable)
        excluded = any(re.search(pattern, path) for pattern in self.weight_decay_exclusions)
        return self.adam_weight_decay if not excluded and self._by_adam(path, variable) else decay

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        adam = adam_rate(learning_rate * self.adam_lr_ratio, step, self.adam_beta_1, self.adam_beta_2)
        return {"learning_rate": learning_rate, "adam_rate": adam}, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        if "velocity" in slots:
            return self._adam_step(gradient, slots, scalars)
        momentum = self.momentum * slots["momentum"] + gradient
        looked_ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        direction = self.scaled(self.orthogonal(looked_ahead, self.ns_steps))
        return -direction * scalars["learning_rate"], {"momentum": momentum}

    def scaled(self, x: jax.Array) -> jax.Array:
        """Scales a step so that learning rates for Adam are suitable."""
        return x if self.rms_rate is None else x * (self.rms_rate * max(x.shape) ** 0.5)

    def _adam_step(
        self, gradient: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        momentum = moment(slots["momentum"], gradient, self.adam_beta_1)
        velocity = moment(slots["velocity"], jnp.square(gradient), self.adam_beta_2)
        update = -momentum * scalars["adam_rate"] / (jnp.sqrt(velocity) + self.epsilon)
        return update, {"momentum": momentum, "velocity": velocity}

    def orthogonal(self, x: jax.Array, steps: int) -> jax.Array:
        """Pushes the singular values of a matrix towards one with a few Newton-Schulz iterations."""
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x  # so that the products below have the size of the shorter side
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)
        for _ in range(steps):
            gram = x @ x.T
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * gram @ gram) @ x
        return x.T if tall else x
