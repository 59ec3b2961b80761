"""`lr` and `decay` of optimizers."""

from __future__ import annotations

from typing import Any

from jkeras.errors import ArgumentError
from jkeras.keras.optimizers import Optimizer
from jkeras.keras.optimizers.schedules import InverseTimeDecay, LearningRateSchedule
from jkeras.scripts.constructors import renamed
from jkeras.scripts.notes import NOTES
from jkeras.scripts.patches import Patches
from jkeras.types import TensorLike

BASE = Optimizer


def install(patches: Patches) -> None:
    """`optimizer.lr` is the learning rate."""
    patches.set(Optimizer, "lr", property(_get, _set))


def construct(original: Any, cls: Any, described: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Creates an optimizer from the arguments of any version."""
    if described is None:
        return original(cls, *args, **kwargs)
    kwargs = renamed(cls.__name__, kwargs, {"lr": "learning_rate"}, ("schedule_decay",))
    if kwargs.get("epsilon", 0) is None:
        NOTES.left_out(f"{cls.__name__}(epsilon=None)")
        del kwargs["epsilon"]
    decay = kwargs.pop("decay", None)
    if decay is not None and decay < 0:
        raise ArgumentError(f"{cls.__name__}(decay={decay!r}): expected a number that is not negative.")
    if decay:
        rate = args[0] if args else kwargs.get("learning_rate", described.description._fields["learning_rate"].default)
        if isinstance(rate, LearningRateSchedule):
            raise ArgumentError(f"{cls.__name__}: a schedule and `decay` exclude each other.")
        NOTES.old(
            f"{cls.__name__}(decay={decay!r})",
            f"{cls.__name__}(keras.optimizers.schedules.InverseTimeDecay({rate!r}, 1, {decay!r}))",
        )
        schedule = InverseTimeDecay(rate, 1, decay)  # the old schedule: the rate is divided by 1 + decay * updates
        if args:
            args = (schedule, *args[1:])
        else:
            kwargs["learning_rate"] = schedule
    return original(cls, *args, **kwargs)


def _get(self: Optimizer) -> Any:
    NOTES.old("optimizer.lr", "optimizer.learning_rate")
    return self.learning_rate


def _set(self: Optimizer, value: TensorLike) -> None:
    NOTES.old("optimizer.lr = ...", "optimizer.learning_rate = ...")
    self.learning_rate = value
