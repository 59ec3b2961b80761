"""Steps that a user's model overrides: `train_step` and `test_step`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.graph.shapes import as_spec
from jkeras.training import objective as objectives
from jkeras.training.program import CUSTOM, OWN, Program
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step_methods import StepMethods
from jkeras.training.steps import batch_size, ready
from jkeras.types import PyTree


class OwnStep(NamedTuple):
    """A step that models may override."""

    name: str
    run: Callable[[StepMethods, TrainState, Batch], tuple[TrainState, Mapping[str, Any]]]


TRAIN = OwnStep("train_step", lambda model, state, batch: model.train_step(state, batch))
TEST = OwnStep("test_step", lambda model, state, batch: model.test_step(state, batch))


def train_custom(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """One step of a model that overrides `train_step`; the logs that it returns are averaged over the epoch."""
    return _own_step(program, TRAIN, state, batch)


def evaluate_custom(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """Scores one batch of a model that overrides `test_step`; logs are averaged over the data set."""
    return _own_step(program, TEST, state, batch)


def _own_step(program: Program, step: OwnStep, state: TrainState, batch: Batch) -> TrainState:
    metrics = arrays_of(state).metrics
    own = {name: value for name, value in metrics.items() if not name.startswith(CUSTOM)}
    new, returned = step.run(_stepping(program).in_step(program), state.replace(metrics=own), batch)
    size = jnp.float32(batch_size(batch))
    means = {
        CUSTOM + name: objectives.MEAN.update(
            metrics[CUSTOM + name], jnp.asarray(returned[name], jnp.float32), sample_weight=size
        )
        for name in program.extra_logs
    }
    result: TrainState = new.replace(metrics={**arrays_of(new).metrics, **means})
    return result


def _stepping(program: Program) -> StepMethods:
    definition: Any = program.definition
    if not isinstance(definition, StepMethods):
        raise InputError(f"{type(definition).__name__} has no steps of its own.")
    return definition


def with_own_logs(program: Program, step: OwnStep, state: TrainState, batch: Batch) -> Program:
    """The program of a model's own step, with what the step returns and keeps.

    Raises:
        InputError: the step returns something else than a state and logs.
    """
    arrays = jax.tree.map(_spec, state.replace(metrics=None))
    leaves, structure = jax.tree.flatten((arrays, jax.tree.map(as_spec, batch)))
    return _with_own_logs(program, step, tuple(leaves), structure)


def _spec(leaf: Any) -> jax.ShapeDtypeStruct:
    known = leaf if isinstance(leaf, jax.ShapeDtypeStruct) else jax.typeof(leaf)
    return jax.ShapeDtypeStruct(known.shape, known.dtype, weak_type=known.weak_type)


@functools.lru_cache(maxsize=256)
def _with_own_logs(
    program: Program, step: OwnStep, leaves: tuple[jax.ShapeDtypeStruct, ...], structure: PyTree[Any]
) -> Program:
    model = _stepping(program)
    own_names = {name for name, _ in model.own_metrics}
    program = program.replace(own_metrics=tuple(model.own_metrics), extra_logs=())
    logs: dict[str, Any] = {}

    def probe(state: TrainState, batch: Batch) -> Any:
        result: Any = step.run(model.in_step(program), state, batch)
        if not (
            isinstance(result, tuple)
            and len(result) == 2
            and isinstance(result[0], TrainState)
            and isinstance(result[1], Mapping)
        ):
            raise InputError(f"{type(model).__name__}.{step.name} must return (state, logs), logs a dict of scalars.")
        compiled = {name for name in state.metrics if not name.startswith(OWN)}
        before, after = arrays_of(state).metrics, arrays_of(result[0]).metrics
        updates = any(_differ(before[name], after[name]) for name in compiled)
        covered = own_names | compiled if updates else own_names
        logs.update(extra_logs=tuple(name for name in result[1] if name not in covered), keeps_metrics=updates)
        return result[0]

    state, specs = jax.tree.unflatten(structure, leaves)
    state = jax.eval_shape(lambda s: ready(program, program.optimizer, s, specs), state)
    jax.eval_shape(probe, state, specs)
    return program.replace(**logs)


def _differ(before: Any, after: Any) -> bool:
    """Whether an array of a structure is another one now."""
    return any(a is not b for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True))
