"""A step without its arrays: what `jax.jit` is keyed by.

The parts of a `Program` compare by value, so two models written alike share one compiled step, and a constant learning
rate is not part of it: that lives in the optimizer's state.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax

from jkeras import lowering
from jkeras.errors import InputError
from jkeras.graph.describe import Description, describe, shape_key, unflatten
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.graph.shapes import as_spec
from jkeras.paths import flatten
from jkeras.training import objective as objectives
from jkeras.training.objective import Objective, match
from jkeras.training.recipe import Recipe
from jkeras.training.state import Batch
from jkeras.training.step_methods import StepMethods, trains_itself
from jkeras.types import PyTree
from jkeras.values.spec import Spec

if TYPE_CHECKING:
    from jkeras.optimizers.base import BaseOptimizer


# Mark, among metric states, the running means of logs that a user's own step returned, and the metrics that it keeps.
CUSTOM = "custom: "
OWN = "own: "


class Program(Spec):
    """A training step without its arrays.

    Attributes:
        definition: the model's layers and how they are connected.
        optimizer: how gradients become updates; its learning rate is a stand-in.
        objective: losses and metrics, matched to the outputs.
        frozen: paths of the params that training leaves alone.
        constraints: path and projection of each constrained weight.
        extra_logs: names of the logs that a user's own step returns.
        keeps_metrics: whether the step updates the compiled metrics; a user's own may not.
        own_metrics: name and metric of each metric that a user's own step keeps beside the compiled ones.
        overwritten: paths of the params that the gradient replaces.
    """

    def __init__(
        self,
        definition: Layer,
        optimizer: BaseOptimizer,
        objective: Objective,
        frozen: frozenset[str],
        constraints: tuple[tuple[str, Any], ...],
        extra_logs: tuple[str, ...] = (),
        keeps_metrics: bool = True,
        own_metrics: tuple[tuple[str, Any], ...] = (),
        overwritten: tuple[str, ...] = (),
    ):
        self.definition = definition
        self.optimizer = optimizer
        self.objective = objective
        self.frozen = frozen
        self.constraints = constraints
        self.extra_logs = extra_logs
        self.keeps_metrics = keeps_metrics
        self.own_metrics = own_metrics
        self.overwritten = overwritten
        self.lowering: str = lowering.cache_token()

    def compute_logs(self, metrics: Mapping[str, Any]) -> dict[str, jax.Array]:
        """The values of running metrics."""
        own = {name: metric.compute(metrics[OWN + name]) for name, metric in self.own_metrics}
        compiled = {name: state for name, state in metrics.items() if not name.startswith((CUSTOM, OWN))}
        returned = {name: objectives.MEAN.compute(metrics[CUSTOM + name]) for name in self.extra_logs}
        values = objectives.compute_metrics(self.objective, compiled) if self.keeps_metrics else {}
        return {**values, **own, **returned}

    def mixes_samples(self, training: bool) -> bool:
        """Whether a row may act on others: in a layer, a loss or a metric."""
        return self.objective.mixes_samples or mixes_samples(self.definition, training)


@functools.lru_cache(maxsize=256)
def mixes_samples(definition: Layer, training: bool) -> bool:
    """Whether what a row of a batch gives may depend on the other rows.

    Only where it does not may a ragged last batch be filled up with rows that do not count.
    """
    for _, layer in walk(definition):
        known = layer.mixes_samples
        if known is None and type(layer).__module__.startswith("jkeras.") and layer.children():
            known = False  # what is inside it decides
        if known is None or (known and training) or layer.activity_regularizer is not None:
            return True
    return False


def output_names(definition: Layer, outputs: PyTree[Any]) -> tuple[str, ...]:
    """The names of a model's outputs, flattened: dict keys, else what the model calls them, else numbers."""
    count = len(jax.tree.leaves(outputs))
    if isinstance(outputs, Mapping) and len(outputs) == count:
        return tuple(sorted(outputs))
    names = definition.output_names if isinstance(definition, StepMethods) else ()
    if names and len(names) == count:
        return tuple(names)
    return ("output",) if count == 1 else tuple(f"output_{i}" for i in range(count))


def build_program(definition: Layer, recipe: Recipe, batch: Batch) -> Program:
    """The program for a definition, a recipe and batches like `batch` (arrays or shapes).

    Raises:
        InputError: the data does not match the model or the losses.
    """
    return _program(definition, recipe, *shape_key((batch.x, batch.y)), lowering.cache_token())


@functools.lru_cache(maxsize=256)
def _program(
    definition: Layer, recipe: Recipe, leaves: tuple[Any, ...], structure: PyTree[Any], _lowering: str
) -> Program:
    x, y = unflatten(structure, leaves, jax.ShapeDtypeStruct)
    described = describe(definition, *call_arguments(x))
    names = output_names(definition, described.outputs)
    outputs = jax.tree.leaves(described.outputs)
    targets = [None if t is None else as_spec(t) for t in match(y, names, len(outputs), "y")]
    resolved = objectives.resolve(recipe, names, targets, outputs)
    if not resolved.losses and not described.losses and not trains_itself(definition):
        raise InputError(
            "There is nothing to minimise: compile the model with a loss (`compile(loss=...)`), or add one in a layer"
            " with `add_loss` or a regularizer."
        )
    overwritten = tuple(weight.name for weight in described.weights if weight.overwritten and weight.trainable)
    parts = trainable_parts(described)
    return Program(definition, recipe.optimizer.compile_key(), resolved, *parts, overwritten=overwritten)


def trainable_parts(described: Description) -> tuple[frozenset[str], tuple[tuple[str, Any], ...]]:
    """Paths of frozen params, and the constraints."""
    params = [weight for weight in described.weights if weight.collection == "params"]
    frozen = frozenset(weight.name for weight in params if not weight.trainable)
    return frozen, tuple((w.name, w.constraint) for w in params if w.constraint is not None and w.trainable)


def call_arguments(x: Any) -> tuple[Any, ...]:
    """The positional arguments of a model's call: the inputs, always as one."""
    return (x,)


def trainable(program: Program, params: Mapping[str, Any]) -> dict[str, Any]:
    """The params that training changes, by path."""
    return {path: value for path, value in flatten(params).items() if path not in program.frozen}


def init_optimizer(optimizer: BaseOptimizer, params: Mapping[str, Any], frozen: frozenset[str]) -> Any:
    """The optimizer's first state for the trainable params."""
    # While weights are drawn they take several times their size: what comes beside them waits.
    params = jax.block_until_ready(params)
    return optimizer.init({k: v for k, v in flatten(params).items() if k not in frozen})
