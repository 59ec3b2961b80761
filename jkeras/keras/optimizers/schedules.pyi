"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.mutable import Mutable as Mutable

class LearningRateSchedule:
    """A function from the number of updates so far to a learning rate; a subclass defines `__call__(self, step)`."""
    def __init__(self) -> None: ...
    def get_config(self) -> dict[str, Any]: ...

class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from the initial rate down to `alpha` times that rate, optionally after a linear warm-up."""

    initial_learning_rate: Any
    decay_steps: Any
    alpha: Any
    name: Any
    warmup_target: Any
    warmup_steps: Any
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay with restarts: each period is `t_mul` times as long and starts `m_mul` times as high as the last."""

    initial_learning_rate: Any
    first_decay_steps: Any
    t_mul: Any
    m_mul: Any
    alpha: Any
    name: Any
    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; with `staircase` the exponent is rounded down."""

    initial_learning_rate: Any
    decay_steps: Any
    decay_rate: Any
    staircase: Any
    name: Any
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; `staircase` rounds `step / decay_steps` down."""

    initial_learning_rate: Any
    decay_steps: Any
    decay_rate: Any
    staircase: Any
    name: Any
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and so on."""

    boundaries: Any
    values: Any
    name: Any
    def __init__(
        self,
        boundaries: tuple[float, ...],
        values: tuple[float, ...],
        name: str = "PiecewiseConstant",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class PolynomialDecay(LearningRateSchedule):
    """Decays from `initial_learning_rate` to `end_learning_rate` with `(1 - step / decay_steps) ** power`."""

    initial_learning_rate: Any
    decay_steps: Any
    end_learning_rate: Any
    power: Any
    cycle: Any
    name: Any
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def facade(description: Any, base: Any, module: str, **namespace: Any) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def serialize(learning_rate_schedule: Any) -> Any: ...
