"""Learning rates that depend on the number of updates made, as in `keras.optimizers.schedules`.

Any function `step -> value`, for example an Optax schedule, can be used as a schedule.

>>> float(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(10))
0.05
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, registry
from jkeras.errors import ArgumentError
from jkeras.lazy import public_names as _public_names
from jkeras.types import OptimizerLike
from jkeras.values.config import serialize as serialize_value
from jkeras.values.fields import field
from jkeras.values.spec import Spec

positive: Callable[[object], float] = arguments.between(0, math.inf, open_low=True, open_high=True)


class LearningRateSchedule(Spec):
    """A function from the number of updates so far, an integer scalar, to a learning rate.

    Raises:
        ArgumentError: an argument has a value that the schedule cannot take.

    >>> class Harmonic(LearningRateSchedule):
    ...     initial_learning_rate: float = 0.1
    ...     def __call__(self, step):
    ...         return self.initial_learning_rate / (step + 1)
    >>> float(Harmonic()(1))
    0.05
    """

    keras_module = "keras.optimizers.schedules"

    def __call__(self, step: ArrayLike) -> jax.Array:
        """The learning rate of the next update after `step` updates, a float32 scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(self, step)`.")


def _float32(value: ArrayLike) -> jax.Array:
    return jnp.asarray(value, dtype=jnp.float32)


def _periods(step: ArrayLike, length: float, staircase: bool) -> jax.Array:
    periods = _float32(step) / _float32(length)
    return jnp.floor(periods) if staircase else periods


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; with `staircase` the exponent is rounded down.

    >>> float(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(10))
    0.05
    """

    initial_learning_rate: float = field(convert=arguments.finite)
    decay_steps: float = field(convert=positive)
    decay_rate: float = field(convert=arguments.finite)
    staircase: bool = field(default=False, convert=arguments.boolean)
    name: str = field(default="ExponentialDecay", convert=arguments.text)

    def __call__(self, step: ArrayLike) -> jax.Array:
        periods = _periods(step, self.decay_steps, self.staircase)
        return _float32(self.initial_learning_rate) * jnp.power(_float32(self.decay_rate), periods)


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; `staircase` rounds `step / decay_steps` down.

    >>> float(InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10))
    0.05
    """

    initial_learning_rate: float = field(convert=arguments.finite)
    decay_steps: float = field(convert=positive)
    decay_rate: float = field(convert=arguments.finite)
    staircase: bool = field(default=False, convert=arguments.boolean)
    name: str = field(default="InverseTimeDecay", convert=arguments.text)

    def __call__(self, step: ArrayLike) -> jax.Array:
        periods = _periods(step, self.decay_steps, self.staircase)
        return _float32(self.initial_learning_rate) / (1 + self.decay_rate * periods)


def _numbers(value: object) -> tuple[float, ...]:
    try:
        return tuple(arguments.finite(v) for v in arguments.entries(value))
    except ArgumentError:
        raise ArgumentError("expected a list of numbers") from None


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and so on.

    Args:
        boundaries: the last step of each value except the final one.
        values: the learning rates, one more than there are boundaries.

    Raises:
        ArgumentError: the number of values is not one more than the number of boundaries.

    >>> [round(float(PiecewiseConstantDecay([2], [1.0, 0.5])(step)), 1) for step in (2, 3)]
    [1.0, 0.5]
    """

    boundaries: tuple[float, ...] = field(convert=_numbers)
    values: tuple[float, ...] = field(convert=_numbers)
    name: str = field(default="PiecewiseConstant", convert=arguments.text)

    def __post_init__(self) -> None:
        if len(self.boundaries) != len(self.values) - 1:
            raise ArgumentError(
                f"PiecewiseConstantDecay needs one value more than boundaries, got {len(self.values)} values"
                f" and {len(self.boundaries)} boundaries."
            )

    def __call__(self, step: ArrayLike) -> jax.Array:
        step = jnp.asarray(step)
        passed = sum((step > b).astype(jnp.int32) for b in self.boundaries)
        return jnp.asarray(self.values, dtype=jnp.float32)[passed]


class PolynomialDecay(LearningRateSchedule):
    """Decays from `initial_learning_rate` to `end_learning_rate` with `(1 - step / decay_steps) ** power`.

    With `cycle`, `decay_steps` is replaced by the smallest multiple of itself that is at least `step`, so the rate
    rises again after every multiple. Without `cycle`, the rate stays at `end_learning_rate`.

    Args:
        end_learning_rate: the final rate.
        power: the exponent; 1 means linear decay.
        cycle: whether the decay restarts, over more steps, after it has ended.

    >>> float(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5))
    0.05
    """

    initial_learning_rate: float = field(convert=arguments.finite)
    decay_steps: float = field(convert=positive)
    end_learning_rate: float = field(default=0.0001, convert=arguments.finite)
    power: float = field(default=1.0, convert=arguments.finite)
    cycle: bool = field(default=False, convert=arguments.boolean)
    name: str = field(default="PolynomialDecay", convert=arguments.text)

    def __call__(self, step: ArrayLike) -> jax.Array:
        step, length = _float32(step), _float32(self.decay_steps)
        if self.cycle:
            length = length * jnp.maximum(1.0, jnp.ceil(step / length))
        else:
            step = jnp.minimum(step, length)
        remaining = jnp.power(1 - step / length, _float32(self.power))
        return _float32(self.initial_learning_rate - self.end_learning_rate) * remaining + self.end_learning_rate


def _half_cosine(fraction: jax.Array) -> jax.Array:
    """Falls from 1 to 0 as `fraction` goes from 0 to 1."""
    return 0.5 * (1 + jnp.cos(math.pi * fraction))


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from the initial rate down to `alpha` times that rate, optionally after a linear warm-up.

    With `warmup_target` the rate first goes from `initial_learning_rate` to that target in `warmup_steps` steps, and
    the decay starts there. Source: Loshchilov & Hutter, https://arxiv.org/abs/1608.03983.

    Args:
        alpha: the lowest rate as a fraction of the highest.
        warmup_target: the rate at the end of the warm-up, from which the decay starts; None means no warm-up.
        warmup_steps: the number of steps over which the rate rises to `warmup_target`.

    >>> schedule = CosineDecay(0.0, 10, warmup_target=1.0, warmup_steps=4)
    >>> [round(float(schedule(step)), 2) for step in (0, 2, 4, 9, 14)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    initial_learning_rate: float = field(convert=arguments.finite)
    decay_steps: float = field(convert=positive)
    alpha: float = field(default=0.0, convert=arguments.finite)
    name: str = field(default="CosineDecay", convert=arguments.text)
    warmup_target: float | None = field(default=None, convert=arguments.optional(arguments.finite))
    warmup_steps: float = field(default=0, convert=arguments.non_negative)

    def __call__(self, step: ArrayLike) -> jax.Array:
        step, initial = _float32(step), _float32(self.initial_learning_rate)
        if self.warmup_target is None:
            return initial * self._decay(step)
        target = _float32(self.warmup_target)
        decayed = target * self._decay(step - self.warmup_steps)
        if not self.warmup_steps:
            return decayed
        warmed = initial + (target - initial) * (step / _float32(self.warmup_steps))
        return jnp.where(step < self.warmup_steps, warmed, decayed)

    def _decay(self, step: jax.Array) -> jax.Array:
        fraction = jnp.minimum(step, _float32(self.decay_steps)) / _float32(self.decay_steps)
        return (1 - self.alpha) * _half_cosine(fraction) + self.alpha


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay with restarts: each period is `t_mul` times as long and starts `m_mul` times as high as the last.

    Args:
        first_decay_steps: the length of the first period.
        t_mul: the length of each period relative to the previous one.
        m_mul: the initial rate of each period relative to the previous one.
        alpha: the lowest rate as a fraction of the highest.

    Source: Loshchilov & Hutter, https://arxiv.org/abs/1608.03983.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10)]
    [0.1, 0.05, 0.1]
    """

    initial_learning_rate: float = field(convert=arguments.finite)
    first_decay_steps: float = field(convert=positive)
    t_mul: float = field(default=2.0, convert=positive)
    m_mul: float = field(default=1.0, convert=arguments.finite)
    alpha: float = field(default=0.0, convert=arguments.finite)
    name: str = field(default="SGDRDecay", convert=arguments.text)

    def __call__(self, step: ArrayLike) -> jax.Array:
        periods = _float32(step) / _float32(self.first_decay_steps)
        if self.t_mul == 1:
            restarts = jnp.floor(periods)
            fraction = periods - restarts
        else:
            growth = _float32(self.t_mul)
            restarts = jnp.floor(jnp.log(1 - periods * (1 - growth)) / jnp.log(growth))
            length = jnp.power(growth, restarts)
            fraction = (periods - (1 - length) / (1 - growth)) / length
        height = jnp.power(_float32(self.m_mul), restarts)
        decayed = (1 - self.alpha) * (height * _half_cosine(fraction)) + self.alpha
        return _float32(self.initial_learning_rate) * decayed


TABLE: Mapping[str, type[LearningRateSchedule]] = registry.named_table(
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay
)


def get(identifier: OptimizerLike) -> LearningRateSchedule | Callable[[Any], Any] | None:
    """The schedule that `identifier` means.

    Args:
        identifier: None (returned as None), a configuration, a schedule, or a function of the step.

    Raises:
        UnknownNameError: no schedule has that name.
        ArgumentError: the identifier is none of the above.

    >>> get(ExponentialDecay(0.1, 10, 0.5))(0).item() > 0
    True
    """
    schedule: LearningRateSchedule | Callable[[Any], Any] | None = registry.resolve(
        "learning rate schedule", TABLE, identifier, LearningRateSchedule
    )
    return schedule


def serialize(learning_rate_schedule: Any) -> Any:
    """The JSON-able form of a schedule.

    Args:
        learning_rate_schedule: a schedule.

    >>> serialize(ExponentialDecay(0.1, 10, 0.5))["class_name"]
    'ExponentialDecay'
    """
    return serialize_value(learning_rate_schedule)


def deserialize(config: OptimizerLike, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores a schedule from what `serialize` returned.

    Args:
        config: what `serialize` returned.
        custom_objects: further names, known during this call only.

    Raises:
        ArgumentError: `config` does not describe a schedule.

    >>> schedule = ExponentialDecay(0.1, 10, 0.5)
    >>> deserialize(serialize(schedule)) == schedule
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


def __dir__() -> list[str]:
    return _public_names(__name__)
