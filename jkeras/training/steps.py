"""The pure core: a training step, an evaluation step, a prediction and their parts, as functions of values."""

from __future__ import annotations

import fnmatch
import functools
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jkeras import collectives, lowering
from jkeras.errors import InputError
from jkeras.graph import passes
from jkeras.graph.describe import describe
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import as_spec
from jkeras.optimizers.base import BaseOptimizer, apply_updates
from jkeras.paths import merge
from jkeras.training import objective as objectives
from jkeras.training.objective import Scorable, match
from jkeras.training.program import CUSTOM, OWN, Program, call_arguments, init_optimizer, trainable
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.types import Array, PyTree

Logs = dict[str, jax.Array]


def stream(rng: jax.Array, name: str, step: Array) -> jax.Array:
    """The key of a named random stream at a step; each replica has its own."""
    return collectives.own_key(jax.random.fold_in(jax.random.fold_in(rng, zlib.crc32(name.encode())), step))


# -- parts of a step, for users' own steps too ---------------------------------------------------------------------


def forward(
    program: Program, state: TrainState, batch: Batch, training: bool, check_finite: bool = False
) -> passes.Pass:
    """Runs the model on a batch."""
    arrays = arrays_of(state)
    variables = {"params": collectives.in_use(arrays.params), "state": arrays.model_state}
    result, _ = passes.run(
        program.definition,
        variables,
        call_arguments(batch.x),
        {},
        training=training,
        rng=stream(state.rng, "dropout", state.step),
        check_finite=check_finite,
    )
    return result


class ForwardResult(NamedTuple):
    """A batch after the forward pass.

    Attributes:
        loss: the total, a scalar.
        parts: the loss of each output that has one, unweighted.
        outputs: the outputs, flattened.
        state: the model's non-trainable weights after the pass.
        masks: the mask of each output, or None.
    """

    loss: Any
    parts: Any
    outputs: Any
    state: Any
    masks: Any


@jax.named_scope("loss")
def score(program: Program, result: passes.Pass, batch: Batch) -> ForwardResult:
    """The loss of a batch, with the losses that layers added."""
    outputs = flat_outputs(result.outputs)
    masks = [result.run.masks.get(id(output), (None, None))[1] for output in outputs]
    loss, parts = objectives.compute_loss(program.objective, _scorable(program, batch, outputs, masks))
    for extra in result.run.losses:
        loss = loss + collectives.pmean(extra.astype(jnp.float32))
    return ForwardResult(loss, parts, outputs, result.state, masks)


def _scorable(program: Program, batch: Batch, outputs: list[Any], masks: list[Any]) -> Scorable:
    names, count = program.objective.names, len(outputs)
    targets = _arrays(match(batch.y, names, count, "y"))
    weights = _arrays(match(batch.sample_weight, names, count, "sample_weight"))
    return Scorable(targets, outputs, weights, masks, batch.valid)


def flat_outputs(outputs: PyTree[Any]) -> list[Any]:
    """Outputs in the order of `output_names`."""
    return jax.tree.leaves(outputs)


def _arrays(values: list[Any]) -> list[Any]:
    return [None if value is None else jnp.asarray(value) for value in values]


def compute_gradients(program: Program, state: TrainState, batch: Batch) -> tuple[dict[str, Any], ForwardResult]:
    """Gradients of the loss by path, and the scored batch."""

    @lowering.remembered()
    def loss_of(params: dict[str, Any]) -> tuple[jax.Array, ForwardResult]:
        result = forward(program, state.replace(params=merge(state.params, params)), batch, training=True)
        scored = score(program, result, batch)
        return program.optimizer.scale_loss(scored.loss, arrays_of(state).opt_state), scored

    (_, scored), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable(program, state.params))
    return collectives.pmean(grads), scored


def gradients_of(
    program: Program, state: TrainState, loss: Callable[[Any], Any], only: str = "*"
) -> tuple[dict[str, Any], Any]:
    """Gradients by path of a function of the params, and what the function returned.

    Args:
        program: the step.
        state: whose params and optimizer state count.
        loss: from params, nested as in `state.params`, to a scalar, or to a scalar and anything else as a tuple.
        only: a pattern for the paths of the weights to differentiate by.
    """

    def scaled(selection: dict[str, Any]) -> tuple[Any, Any]:
        result = loss(merge(state.params, selection))
        value = result[0] if isinstance(result, tuple) else result
        return program.optimizer.scale_loss(value, arrays_of(state).opt_state), result

    selection = {path: v for path, v in trainable(program, state.params).items() if fnmatch.fnmatchcase(path, only)}
    if not selection:
        raise InputError(
            f"No trainable weight is called like {only!r}; there are {sorted(trainable(program, state.params))}."
        )
    grads, result = jax.grad(scaled, has_aux=True)(selection)
    return collectives.pmean(grads), result


@jax.named_scope("optimizer")
def apply_gradients(
    program: Program, state: TrainState, grads: Mapping[str, Any], scored: ForwardResult | None = None
) -> TrainState:
    """The state after one optimizer update: new params, projected by their constraints."""
    old = trainable(program, state.params)
    replaced = {path: grads[path] for path in program.overwritten}
    grads = {path: jnp.zeros_like(g) if path in replaced else g for path, g in grads.items()}
    updates, opt_state = program.optimizer.update(grads, arrays_of(state).opt_state, old)
    new = {**apply_updates(old, updates), **replaced}
    for path, constraint in program.constraints:
        new[path] = constraint(new[path])
    return state.replace(
        params=merge(state.params, new),
        model_state=arrays_of(state).model_state if scored is None else scored.state,
        opt_state=opt_state,
        step=state.step + 1,
    )


@jax.named_scope("metrics")
def update_metrics(program: Program, state: TrainState, batch: Batch, scored: ForwardResult) -> TrainState:
    """The state with running metrics that include a scored batch."""
    size = jnp.sum(batch.valid).astype(jnp.float32) if batch.valid is not None else jnp.float32(batch_size(batch))
    scorable = _scorable(program, batch, scored.outputs, scored.masks)
    states = arrays_of(state).metrics
    metrics = objectives.update_metrics(program.objective, states, scorable, scored.loss, scored.parts, size)
    return state.replace(metrics=metrics)


def batch_size(batch: Batch) -> int:
    """The number of rows, those that only fill up included."""
    result: int = jax.tree.leaves(batch.x)[0].shape[0]
    return result


# -- whole steps ---------------------------------------------------------------------------------------------------


def train(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """One optimizer step; losses and metrics accumulate in `state.metrics`."""
    grads, scored = compute_gradients(program, state, batch)
    state = update_metrics(program, state, batch, scored)
    return apply_gradients(program, state, grads, scored)


@lowering.remembered()
def evaluate(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """Scores one batch in inference mode; only `state.metrics` and states of stateful layers change."""
    scored = score(program, forward(program, state, batch, training=False), batch)
    return update_metrics(program, state, batch, scored).replace(model_state=scored.state)


def empty_metrics(program: Program, batch: Batch) -> dict[str, Any]:
    """Metric states before the first batch."""
    outputs = jax.tree.leaves(describe(program.definition, *call_arguments(batch.x)).outputs)
    targets = match(batch.y, program.objective.names, len(outputs), "y")
    targets = [None if target is None else as_spec(target) for target in targets]
    states = objectives.empty_metrics(program.objective, targets, outputs)
    states.update((OWN + name, metric.empty()) for name, metric in program.own_metrics)
    states.update((CUSTOM + name, objectives.MEAN.empty()) for name in program.extra_logs)
    return states


def metrics_by_name(program: Program) -> dict[str, Any]:
    """The metric behind each metric state."""
    known = {term.log_name: term.metric for term in program.objective.metrics}
    known.update((OWN + name, metric) for name, metric in program.own_metrics)
    return known


def predict(definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
    """The outputs for one batch of inputs in inference mode."""
    arrays = arrays_of(state)
    result, _ = passes.run(
        definition,
        {"params": collectives.in_use(arrays.params), "state": arrays.model_state},
        call_arguments(inputs),
        {},
        rng=stream(state.rng, "dropout", state.step),
    )
    return result.outputs


class Inference(NamedTuple):
    """What a prediction is compiled for: the definition, and the forms of operations."""

    definition: Layer
    lowering: str


def prediction(definition: Layer) -> Step:
    """The forward pass of a definition as a step from state and inputs to outputs."""
    return _prediction(definition, lowering.cache_token())


@functools.lru_cache(maxsize=256)
def _prediction(definition: Layer, token: str) -> Step:
    return Step(_inference, Inference(definition, token))


def _inference(program: Inference, state: TrainState, inputs: PyTree[Any]) -> Any:
    return predict(program.definition, state, inputs)


def as_batch(batch: Any) -> Batch:
    """A `Batch` from `(x, y)`, `(x, y, sample_weight)` or `x`."""
    if isinstance(batch, Batch):
        return batch
    if isinstance(batch, tuple) and 1 <= len(batch) <= 3:
        return Batch(*batch)
    return Batch(batch)


def ready(program: Program, optimizer: BaseOptimizer, state: TrainState, batch: Batch) -> TrainState:
    """`state` with an optimizer state and metric states, where it has none yet.

    The optimizer is the one that `compile` was given: only its `init` knows the learning rate.
    """
    if arrays_of(state).opt_state is None:
        state = state.replace(opt_state=init_optimizer(optimizer, arrays_of(state).params, program.frozen))
    if arrays_of(state).metrics is None:
        state = state.replace(metrics=empty_metrics(program, batch))
    return state
