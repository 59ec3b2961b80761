"""The training step of a model as a pure function that subclasses can override, and the parts it consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import jax

from jkeras import lowering
from jkeras.errors import NotCompiledError
from jkeras.models.adaptation import AdaptableModel
from jkeras.models.data_checks import check_task
from jkeras.training import steps
from jkeras.training.program import Program
from jkeras.training.state import Batch, TrainState
from jkeras.training.step_methods import StepMethods
from jkeras.training.task import Task


class ModelWithSteps(AdaptableModel, StepMethods):
    """A model with its `train_step` and `test_step`."""

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
        """One training step as a pure function; override it to change how the model is trained.

        It is traced and compiled, and can call the methods below. The scalars in the logs are averaged over the epoch.
        The default::

            def train_step(self, state, batch):
                grads, scored = self.compute_gradients(state, batch)
                state = self.update_metrics(state, batch, scored)
                return self.apply_gradients(state, grads, scored), {}

        Args:
            state: params, model state, optimizer state, step and key.
            batch: `x`, `y`, `sample_weight` and `valid`.
        """
        grads, scored = self.compute_gradients(state, batch)
        state = self.update_metrics(state, batch, scored)
        return self.apply_gradients(state, grads, scored), {}

    def test_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
        """Scores one batch as a pure function; override it to change evaluation and validation.

        The scalars in the logs are averaged over the data set. The default::

            def test_step(self, state, batch):
                scored = self.compute_loss(state, batch, training=False)
                return self.update_metrics(state, batch, scored), {}

        Args:
            state: params, model state, step and key.
            batch: `x`, `y`, `sample_weight` and `valid`.
        """
        scored = self.compute_loss(state, batch, training=False)
        return self.update_metrics(state, batch, scored), {}

    def forward(self, state: TrainState, batch: Batch, training: bool = True) -> Any:
        """Inside a step: runs the model.

        Args:
            state: the state.
            batch: the batch.
            training: whether layers such as dropout act as in training.

        Returns:
            An object with `.outputs` and the updated `.state`.
        """
        return steps.forward(self._step_program, state, batch, training)

    @lowering.remembered()
    def compute_loss(self, state: TrainState, batch: Batch, training: bool = True) -> Any:
        """Inside a step: runs the model and computes the loss.

        Args:
            state: the state.
            batch: the batch.
            training: whether layers such as dropout act as in training.

        Returns:
            The result of the batch, with `.loss` and `.outputs`.
        """
        return steps.score(self._step_program, self.forward(state, batch, training), batch)

    def compute_gradients(self, state: TrainState, batch: Batch) -> tuple[dict[str, Any], Any]:
        """Inside a step: runs the model and computes the gradients of the loss.

        Args:
            state: the state.
            batch: the batch.

        Returns:
            The gradients by path, and the result of the batch.
        """
        return steps.compute_gradients(self._step_program, state, batch)

    def gradients_of(
        self, loss: Callable[[Any], Any], state: TrainState, only: str = "*"
    ) -> tuple[dict[str, Any], Any]:
        """Inside a step: the gradients of `loss(params)` by path, and the value it returned.

        Args:
            loss: a function of params, nested as in `state.params`, that returns a scalar, or a tuple of a scalar and
                more.
            state: the state whose params are differentiated.
            only: a pattern for weight paths, such as `"generator/*"`; other weights get no gradients.
        """
        return steps.gradients_of(self._step_program, state, loss, only)

    def random_key(self, state: TrainState, name: str) -> jax.Array:
        """Inside a step: a random key, the same in every run with the same seed.

        Args:
            state: the state, whose key and step determine the result.
            name: the name of the key; different names give independent keys.
        """
        return steps.stream(state.rng, name, state.step)

    def apply_gradients(self, state: TrainState, grads: Mapping[str, Any], scored: Any = None) -> TrainState:
        """Inside a step: the state after one optimizer update.

        Args:
            state: the state before.
            grads: the gradients by path.
            scored: the result of `compute_loss` or `compute_gradients`, whose updated model state is adopted.
        """
        return steps.apply_gradients(self._step_program, state, grads, scored)

    def update_metrics(self, state: TrainState, batch: Batch, scored: Any) -> TrainState:
        """Inside a step: the state with the batch added to its metrics.

        Args:
            state: the state before.
            batch: the batch.
            scored: the result of `compute_loss` or `compute_gradients`.
        """
        return steps.update_metrics(self._step_program, state, batch, scored)

    @property
    def _step_program(self) -> Program:
        program = self._spec_contents.program
        if program is None:
            raise NotCompiledError(
                f"`compute_gradients`, `gradients_of`, `apply_gradients`, `update_metrics` and `compute_loss` of"
                f" {type(self).__name__} work inside of a `train_step` or `test_step` that a subclass overrides. In a loop of"
                " your own, `state, logs = jk.train_step(model.definition, model.recipe, state, (x, y))` is a whole step;"
                " `model.with_state(state)` takes its result."
            )
        return program

    def check_task(self, task: Task, class_weight: Mapping[Any, float] | None) -> None:
        """Checks the data of a task against the model; part of `prepare`."""
        check_task(self, task, class_weight)

    def in_step(self, program: Any) -> Self:
        """The model as `train_step` sees it."""
        return self._evolve(program=program)

    @property
    def has_own_train_step(self) -> bool:
        """Whether a subclass overrides `train_step`."""
        return type(self).train_step is not ModelWithSteps.train_step

    @property
    def has_own_test_step(self) -> bool:
        """Whether a subclass overrides `test_step`."""
        return type(self).test_step is not ModelWithSteps.test_step

    @property
    def own_metrics(self) -> tuple[tuple[str, Any], ...]:
        """Name and metric of each metric that an overridden step keeps in `state.metrics` beside the compiled ones."""
        return ()
