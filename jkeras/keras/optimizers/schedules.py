"""Learning rates that depend on the number of updates made."""

from __future__ import annotations

from typing import Any

from jkeras.keras.identifiers import Family
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import Mutable, facade
from jkeras.optimizers import schedules


class LearningRateSchedule(Mutable, schedules.LearningRateSchedule):
    """A function from the number of updates so far to a learning rate; a subclass defines `__call__(self, step)`."""

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values.

        Raises:
            NotImplementedError: a user's class does not define it.
        """
        if self.description is None:
            raise NotImplementedError(
                f"Learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be serializable."
            )
        return super().get_config()


FACADES = {cls.__name__: facade(cls, LearningRateSchedule, __name__) for cls in dict.fromkeys(schedules.TABLE.values())}
globals().update(FACADES)

FAMILY = Family("learning rate schedule", FACADES, LearningRateSchedule)
serialize, deserialize = FAMILY.serializer("learning_rate_schedule"), FAMILY.deserialize

__all__ = own_names(__name__)
