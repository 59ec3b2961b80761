"""What a run trains or evaluates, and how it is to run."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.graph.describe import shape_key, unflatten
from jkeras.training import compiled_loops, steps
from jkeras.training.program import Program
from jkeras.training.state import Batch
from jkeras.types import Array, PyTree
from jkeras.values.frozen import Template


@dataclasses.dataclass
class Options:
    """How `fit` runs."""

    epochs: int = 1
    initial_epoch: int = 0
    shuffle: Any = True
    verbose: Any = "auto"
    steps_per_execution: Any = "auto"
    run_eagerly: bool = False
    check_finite: bool = False
    validation_freq: Any = 1


@dataclasses.dataclass
class Task:
    """What is trained or evaluated: the compiled parts.

    Attributes:
        program: the static part of the step.
        train: the step, `(program, state, batch) -> state`.
        evaluate: likewise, for validation.
        loops: the compiled loops, for one model or many.
        scoring: the static part of evaluation, where it is not `program`.
    """

    program: Any
    train: compiled_loops.Step
    evaluate: compiled_loops.Step
    loops: compiled_loops.CompiledLoops = dataclasses.field(default_factory=compiled_loops.loops_of)
    scoring: Any = None

    def for_evaluation(self) -> Task:
        """The same for evaluation alone."""
        return self if self.scoring is None else dataclasses.replace(self, program=self.scoring, scoring=None)

    def logs(self, metrics: PyTree[Any]) -> dict[str, Any]:
        """Metric values from metric states."""
        result: dict[str, Any] = self.loops.logs(self.program, metrics)
        return result

    def empty_metrics(self, batch: Batch) -> Any:
        """Metric states before the first batch, on the host."""
        return _empty_metrics(self.program, *shape_key((batch.x, batch.y))).fill()

    def mixes_samples(self, training: bool) -> bool:
        """Whether a row may act on others, so that a ragged last batch must not be filled up with rows that do not count."""
        program = self.program
        return program.objective.mixes_samples or compiled_loops.mixes_samples(program.definition, training)


@functools.lru_cache(maxsize=256)
def _empty_metrics(program: Program, leaves: tuple[Any, ...], structure: PyTree[Any]) -> Template:
    x, y = unflatten(structure, leaves, jax.ShapeDtypeStruct)
    return Template.of(jax.tree.map(_on_host, steps.empty_metrics(program, Batch(x, y))))


def _on_host(array: Array) -> Any:
    return array if jnp.issubdtype(array.dtype, jax.dtypes.prng_key) else np.asarray(array)


def to_floats(values: Any) -> dict[str, Any]:
    """Metric values on the host, sorted by name as Keras has them; those that are vectors stay arrays."""
    fetched = jax.device_get(values)
    return {k: float(v) if np.ndim(v) == 0 else np.asarray(v) for k, v in sorted(fetched.items())}
