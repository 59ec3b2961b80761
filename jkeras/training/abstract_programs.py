"""The programs of a run with shapes in the place of arrays: compiled without data, also for devices that are not here."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jkeras.training import compiled_loops as loops
from jkeras.training import steps
from jkeras.training.layout import CompiledProgram, Layout, Loop, Span
from jkeras.training.state import Batch, TrainState
from jkeras.training.step import Step
from jkeras.training.task import Task


class AbstractProgram(NamedTuple):
    """A program with what it is called with.

    Attributes:
        program: of `jax.jit` or `jax.pmap`; it donates what it donates in `fit`.
        step: the static argument.
        arguments: shapes, types and layouts.
    """

    program: CompiledProgram
    step: Step
    arguments: tuple[Any, ...]

    def lower(self) -> Any:
        """The program as `jax.stages.Lowered`; its `compile()` compiles it for the devices of its layout."""
        return self.program.lower(self.step, *self.arguments)


def abstract_programs(task: Task, state: TrainState, batch: Batch, rows: int) -> dict[str, AbstractProgram]:
    """The programs that `fit`, `evaluate` and `predict` run for a task, by the names that their traces have.

    Args:
        task: see `prepare`; its layout decides for which devices.
        state: arrays or their shapes, with an optimizer's state.
        batch: a full batch: arrays or their shapes.
        rows: how many rows data in memory has.

    Returns:
        `train_steps` and `eval_steps` over data in memory, `train_one` and `eval_one` over batches of a stream, `predict`.
    """
    size = steps.batch_size(batch)
    training = jax.eval_shape(lambda s: s.replace(metrics=steps.empty_metrics(task.train.program, batch)), state)
    scoring = jax.eval_shape(lambda s: s.replace(metrics=steps.empty_metrics(task.evaluate.program, batch)), state)
    data = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((rows, *leaf.shape[1:]), leaf.dtype), batch)
    order = jax.ShapeDtypeStruct((-(-rows // size) * size,), jnp.int32)
    span = Span(0, -(-rows // size), rows, size, rows % size != 0)
    layout = task.layout

    def program(loop: Loop, step: Step, state: TrainState, *arguments: Any, own: Layout = layout) -> AbstractProgram:
        return AbstractProgram(task.loops.program(loop, own), step, (own.abstract_state(state), *arguments))

    inference = steps.prediction(task.train.program.definition)
    inputs = layout.whole.abstract_batch(Batch(batch.x)).x
    return {
        "train_steps": program(
            loops.TRAIN_STEPS, task.train, training, layout.abstract_data(data), layout.abstract_order(order), span
        ),
        "train_one": program(loops.TRAIN_ONE, task.train, training, layout.abstract_batch(batch)),
        "eval_steps": program(loops.EVAL_STEPS, task.evaluate, scoring, layout.abstract_data(data), span),
        "eval_one": program(loops.EVAL_ONE, task.evaluate, scoring, layout.abstract_batch(batch)),
        "predict": program(loops.PREDICT, inference, state.forward, inputs, own=layout.whole),
    }
