"""What a run trains or evaluates, and how it is to run."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.graph.describe import shape_key, unflatten
from jkeras.training import steps
from jkeras.training.compiled_loops import CompiledLoops, loops_of
from jkeras.training.layout import Layout
from jkeras.training.program import Program
from jkeras.training.state import Batch
from jkeras.training.step import Step
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
        train: the training step.
        evaluate: the step of evaluation and validation.
        loops: what runs them.
    """

    train: Step
    evaluate: Step
    loops: CompiledLoops = dataclasses.field(default_factory=loops_of)

    @property
    def layout(self) -> Layout:
        """Where the arrays live."""
        return self.loops.layout

    def logs(self, step: Step, metrics: PyTree[Any]) -> dict[str, Any]:
        """Metric values from the metric states of a step."""
        result: dict[str, Any] = self.loops.logs(step.program, metrics)
        return result

    def empty_metrics(self, step: Step, batch: Batch) -> Any:
        """Metric states of a step before the first batch, on the host."""
        return _empty_metrics(step.program, *shape_key((batch.x, batch.y))).fill()


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
