"""What a definition says of its steps, where it says more than a layer does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from jkeras.training.state import Batch, TrainState


class StepMethods:
    """A definition that may have steps and metrics of its own; `models/step_methods.py` has the base of those."""

    @property
    def output_names(self) -> Sequence[str]:
        """The names of the outputs, flattened; empty where there are none."""
        return ()

    @property
    def has_own_train_step(self) -> bool:
        """Whether a subclass overrides `train_step`."""
        return False

    @property
    def has_own_test_step(self) -> bool:
        """Whether a subclass overrides `test_step`."""
        return False

    @property
    def own_metrics(self) -> Sequence[tuple[str, Any]]:
        """Name and metric of each metric that an overridden step keeps in `state.metrics` beside the compiled ones."""
        return ()

    def in_step(self, program: Any) -> Self:
        """The definition as its steps see it, with the `Program` that they are a part of."""
        raise NotImplementedError

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Mapping[str, Any]]:
        """One training step."""
        raise NotImplementedError

    def test_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, Mapping[str, Any]]:
        """Scores one batch."""
        raise NotImplementedError


def trains_itself(definition: object) -> bool:
    """Whether a definition has a training step of its own."""
    return isinstance(definition, StepMethods) and definition.has_own_train_step


def tests_itself(definition: object) -> bool:
    """Whether a definition has an evaluation step of its own."""
    return isinstance(definition, StepMethods) and definition.has_own_test_step
