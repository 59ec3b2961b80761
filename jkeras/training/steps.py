"""The pure core: one training step, one evaluation step, one prediction, as functions of values.

A `Program` is everything about a step that is not an array; `jax.jit` is keyed by it. Its parts compare by value, so two
models written alike share one compiled step, and a constant learning rate is not part of it: that lives in the
optimizer's state.
"""

from __future__ import annotations

import fnmatch
import functools
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jkeras import lowering, replicas
from jkeras.errors import InputError
from jkeras.graph import linen
from jkeras.graph.describe import Description, describe
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import as_spec
from jkeras.paths import flatten, merge
from jkeras.training import objective as objectives
from jkeras.training.objective import Objective, match
from jkeras.training.recipe import Recipe
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.types import Array, PyTree
from jkeras.values.spec import Spec

if TYPE_CHECKING:
    from jkeras.optimizers.base import BaseOptimizer

Logs = dict[str, jax.Array]


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
    ):
        self.definition = definition
        self.optimizer = optimizer
        self.objective = objective
        self.frozen = frozen
        self.constraints = constraints
        self.extra_logs = extra_logs
        self.keeps_metrics = keeps_metrics
        self.own_metrics = own_metrics
        self.lowering: str = lowering.cache_token()


def output_names(definition: Layer, outputs: PyTree[Any]) -> tuple[str, ...]:
    """The names of a model's outputs, flattened: dict keys, else what the model calls them, else numbers."""
    count = len(jax.tree.leaves(outputs))
    if isinstance(outputs, Mapping) and len(outputs) == count:
        return tuple(sorted(outputs))
    names = getattr(definition, "output_names", None)
    if names and len(names) == count:
        return tuple(names)
    return ("output",) if count == 1 else tuple(f"output_{i}" for i in range(count))


def specs_of(tree: PyTree[Any]) -> Any:
    """Shapes and dtypes of arrays, as they are on the device."""
    return jax.tree.map(as_spec, tree)


def build_program(definition: Layer, recipe: Recipe, batch: Batch) -> Program:
    """The program for a definition, a recipe and batches like `batch` (arrays or shapes).

    Raises:
        InputError: the data does not fit the model or the losses.
    """
    described = describe(definition, *call_arguments(batch.x))
    names = output_names(definition, described.outputs)
    outputs = jax.tree.leaves(described.outputs)
    targets = [None if t is None else as_spec(t) for t in match(batch.y, names, len(outputs), "y")]
    resolved = objectives.resolve(recipe, names, targets, outputs)
    custom = getattr(definition, "has_own_train_step", False)
    if not resolved.losses and not described.losses and not custom:
        raise InputError(
            "There is nothing to minimise: compile the model with a loss (`compile(loss=...)`), or add one in a layer"
            " with `add_loss` or a regularizer."
        )
    return Program(definition, recipe.optimizer.compile_key(), resolved, *trainable_parts(described))


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
    return optimizer.to_optax().init({k: v for k, v in flatten(params).items() if k not in frozen})


def stream(rng: jax.Array, name: str, step: Array) -> jax.Array:
    """The key of a named random stream at a step; each replica has its own."""
    return replicas.own_key(jax.random.fold_in(jax.random.fold_in(rng, zlib.crc32(name.encode())), step))


# -- parts of a step, for users' own steps too ---------------------------------------------------------------------


def forward(
    program: Program, state: TrainState, batch: Batch, training: bool, check_finite: bool = False
) -> linen.Pass:
    """Runs the model on a batch."""
    arrays = arrays_of(state)
    variables = {"params": replicas.in_use(arrays.params), "state": arrays.model_state}
    result, _ = linen.run(
        program.definition,
        variables,
        call_arguments(batch.x),
        {},
        training=training,
        rng=stream(state.rng, "dropout", state.step),
        check_finite=check_finite,
    )
    return result


class Scored(NamedTuple):
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
def score(program: Program, result: linen.Pass, batch: Batch) -> Scored:
    """The loss of a batch, with the losses that layers added."""
    names = program.objective.names
    outputs = flat_outputs(result.outputs)
    count = len(outputs)
    targets = _arrays(match(batch.y, names, count, "y"))
    weights = _arrays(match(batch.sample_weight, names, count, "sample_weight"))
    masks = [result.run.masks.get(id(output), (None, None))[1] for output in outputs]
    loss, parts = objectives.compute_loss(program.objective, targets, outputs, weights, masks, batch.valid)
    for extra in result.run.losses:
        loss = loss + replicas.pmean(extra.astype(jnp.float32))
    return Scored(loss, parts, outputs, result.state, masks)


def flat_outputs(outputs: PyTree[Any]) -> list[Any]:
    """Outputs in the order of `output_names`."""
    return jax.tree.leaves(outputs)


def _arrays(values: list[Any]) -> list[Any]:
    return [None if value is None else jnp.asarray(value) for value in values]


def compute_gradients(program: Program, state: TrainState, batch: Batch) -> tuple[dict[str, Any], Scored]:
    """Gradients of the loss by path, and the scored batch."""

    def loss_of(params: dict[str, Any]) -> tuple[jax.Array, Scored]:
        result = forward(program, state.replace(params=merge(state.params, params)), batch, training=True)
        scored = score(program, result, batch)
        return program.optimizer.scale_loss(scored.loss, arrays_of(state).opt_state), scored

    (_, scored), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable(program, state.params))
    return replicas.pmean(grads), scored


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

    def scaled(chosen: dict[str, Any]) -> tuple[Any, Any]:
        result = loss(merge(state.params, chosen))
        value = result[0] if isinstance(result, tuple) else result
        return program.optimizer.scale_loss(value, arrays_of(state).opt_state), result

    chosen = {path: v for path, v in trainable(program, state.params).items() if fnmatch.fnmatchcase(path, only)}
    if not chosen:
        raise InputError(
            f"No trainable weight is called like {only!r}; there are {sorted(trainable(program, state.params))}."
        )
    grads, result = jax.grad(scaled, has_aux=True)(chosen)
    return replicas.pmean(grads), result


@jax.named_scope("optimizer")
def apply_gradients(
    program: Program, state: TrainState, grads: Mapping[str, Any], scored: Scored | None = None
) -> TrainState:
    """The state after one optimizer update: new params, projected by their constraints."""
    old = trainable(program, state.params)
    updates, opt_state = program.optimizer.to_optax().update(dict(grads), arrays_of(state).opt_state, old)
    new = optax.apply_updates(old, updates)
    for path, constraint in program.constraints:
        new[path] = constraint(new[path])
    return state.replace(
        params=merge(state.params, new),
        model_state=arrays_of(state).model_state if scored is None else scored.state,
        opt_state=opt_state,
        step=state.step + 1,
    )


@jax.named_scope("metrics")
def update_metrics(program: Program, state: TrainState, batch: Batch, scored: Scored) -> TrainState:
    """The state with running metrics that include a scored batch."""
    names, count = program.objective.names, len(scored.outputs)
    size = jnp.sum(batch.valid).astype(jnp.float32) if batch.valid is not None else jnp.float32(batch_size(batch))
    metrics = objectives.update_metrics(
        program.objective,
        arrays_of(state).metrics,
        scored.loss,
        scored.parts,
        size,
        _arrays(match(batch.y, names, count, "y")),
        scored.outputs,
        _arrays(match(batch.sample_weight, names, count, "sample_weight")),
        scored.masks,
        batch.valid,
    )
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


def train_custom(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """One step of a model that overrides `train_step`; the logs that it returns are averaged over the epoch."""
    return _own_step(program, "train_step", state, batch)


def evaluate_custom(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """Scores one batch of a model that overrides `test_step`; logs are averaged over the data set."""
    return _own_step(program, "test_step", state, batch)


def _own_step(program: Program, method: str, state: TrainState, batch: Batch) -> TrainState:
    metrics = arrays_of(state).metrics
    own = {name: value for name, value in metrics.items() if not name.startswith(CUSTOM)}
    model: Any = program.definition
    new, returned = getattr(model._in_step(program), method)(state.replace(metrics=own), batch)
    size = jnp.float32(batch_size(batch))
    means = {
        CUSTOM + name: objectives.MEAN.update(
            metrics[CUSTOM + name], jnp.asarray(returned[name], jnp.float32), sample_weight=size
        )
        for name in program.extra_logs
    }
    result: TrainState = new.replace(metrics={**arrays_of(new).metrics, **means})
    return result


def with_own_logs(program: Program, method: str, state: TrainState, batch: Batch) -> Program:
    """The program of a model's own step, with what the step returns and keeps.

    Raises:
        InputError: the step returns something else than a state and logs.
    """
    model: Any = program.definition
    kept = {name for name, _ in model.own_metrics}
    program = program.replace(own_metrics=tuple(model.own_metrics), extra_logs=())
    found: dict[str, Any] = {}

    def probe(state: TrainState, batch: Batch) -> Any:
        result = getattr(model._in_step(program), method)(state, batch)
        if not (
            isinstance(result, tuple)
            and len(result) == 2
            and isinstance(result[0], TrainState)
            and isinstance(result[1], Mapping)
        ):
            raise InputError(f"{type(model).__name__}.{method} must return (state, logs), logs a dict of scalars.")
        compiled = {name for name in state.metrics if not name.startswith(OWN)}
        before, after = arrays_of(state).metrics, arrays_of(result[0]).metrics
        updates = any(_differ(before[name], after[name]) for name in compiled)
        covered = kept | compiled if updates else kept
        found.update(extra_logs=tuple(name for name in result[1] if name not in covered), keeps_metrics=updates)
        return result[0]

    state = ready(program, program.optimizer, state.replace(metrics=None), batch)
    jax.eval_shape(probe, state, jax.tree.map(as_spec, batch))
    return program.replace(**found)


def _differ(before: Any, after: Any) -> bool:
    """Whether an array of a structure is another one now."""
    return any(a is not b for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True))


# Mark, among metric states, the running means of logs that a user's own step returned, and the metrics that it keeps.
CUSTOM = "custom: "
OWN = "own: "


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


def compute_logs(program: Program, metrics: Mapping[str, Any]) -> Logs:
    """The values of running metrics."""
    own = {name: metric.compute(metrics[OWN + name]) for name, metric in program.own_metrics}
    compiled = {name: state for name, state in metrics.items() if not name.startswith((CUSTOM, OWN))}
    returned = {name: objectives.MEAN.compute(metrics[CUSTOM + name]) for name in program.extra_logs}
    values = objectives.compute_metrics(program.objective, compiled) if program.keeps_metrics else {}
    return {**values, **own, **returned}


logs: Callable[..., dict[str, jax.Array]] = jax.jit(compute_logs, static_argnums=0)


def metrics_by_name(program: Program) -> dict[str, Any]:
    """The metric behind each metric state."""
    known = {term.log_name: term.metric for term in program.objective.metrics}
    known.update((OWN + name, metric) for name, metric in program.own_metrics)
    return known


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def _donating(step: Callable[..., TrainState], program: Program, state: TrainState, batch: Batch) -> TrainState:
    return step(program, state, batch)


def train_step(
    definition: Layer, recipe: Recipe, state: TrainState, batch: Any, *, donate: bool = False
) -> tuple[TrainState, Logs]:
    """One training step as a pure function, compiled once per (definition, recipe, batch shape).

    Args:
        definition: a model's definition (`model.definition`).
        recipe: what it was compiled with (`model.recipe`).
        state: the arrays (`model.state`).
        batch: a `Batch`, or `(x, y)` or `(x, y, sample_weight)`.
        donate: whether `state`'s buffers may be reused for the result; afterwards `state`, and every model that holds it,
            is gone. Only for a state that nobody else holds.

    Returns:
        The new state, and the logs: loss and metrics so far, running until `state.metrics` is set to None.
    """
    batch = as_batch(batch)
    program = build_program(definition, recipe, batch)
    state = ready(program, recipe.optimizer, state, batch)
    step = train
    if getattr(definition, "has_own_train_step", False):
        step = train_custom
        program = with_own_logs(program, "train_step", state, batch)
        missing = {k: v for k, v in empty_metrics(program, batch).items() if k not in state.metrics}
        state = state.replace(metrics={**arrays_of(state).metrics, **missing})
    state = (_donating if donate else _keeping)(step, program, state, batch)
    return state, logs(program, arrays_of(state).metrics)


def eval_step(definition: Layer, recipe: Recipe, state: TrainState, batch: Any) -> Logs:
    """Loss and metrics of one batch in inference mode; arguments as in `train_step`."""
    batch = as_batch(batch)
    program = build_program(definition, recipe, batch)
    step = evaluate
    if getattr(definition, "has_own_test_step", False):
        step = evaluate_custom
        program = with_own_logs(program, "test_step", state, batch)
    state = state.replace(metrics=empty_metrics(program, batch))
    result: Logs = logs(program, arrays_of(_keeping(step, program, state, batch)).metrics)
    return result


def predict_step(definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
    """The outputs for one batch of inputs in inference mode."""
    return _predict(definition, lowering.cache_token(), state, inputs)


def predict(definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
    """`predict_step` without compiling it."""
    arrays = arrays_of(state)
    result, _ = linen.run(
        definition,
        {"params": replicas.in_use(arrays.params), "state": arrays.model_state},
        call_arguments(inputs),
        {},
        rng=stream(state.rng, "dropout", state.step),
    )
    return result.outputs


@functools.partial(jax.jit, static_argnums=(0, 1))
def _predict(definition: Layer, token: str, state: TrainState, inputs: PyTree[Any]) -> Any:
    return predict(definition, state, inputs)


def train_and_keep(
    step: Callable[..., TrainState], program: Program, state: TrainState, batch: Batch, eagerly: bool = False
) -> TrainState:
    """One step whose argument stays valid, with metrics of this batch alone."""
    state = state.replace(metrics=empty_metrics(program, batch))
    if eagerly:
        with jax.disable_jit():
            return step(program, state, jax.tree.map(jnp.asarray, batch))
    result: TrainState = _keeping(step, program, state, batch)
    return result


@functools.partial(jax.jit, static_argnums=(0, 1))
def _keeping(step: Callable[..., TrainState], program: Program, state: TrainState, batch: Batch) -> TrainState:
    return step(program, state, batch)


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
