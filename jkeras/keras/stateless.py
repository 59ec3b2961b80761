"""Steps in the manner of Keras on JAX: `train_step(self, state, data)` over four lists of arrays.

Inside such a step the model offers `stateless_call`, `stateless_compute_loss`, `metrics` and
`optimizer.stateless_apply`; this module turns the lists into a `TrainState` and back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.metrics import Metric as PureMetric
from jkeras.training import objective as objectives
from jkeras.training import steps
from jkeras.training.state import Batch, TrainState, flatten, merge


def is_keras_step(function: Callable[..., Any]) -> bool:
    """Whether a step is written over lists: its last argument is called `data`, as Keras has it, and not `batch`."""
    return list(inspect.signature(function).parameters)[2:3] == ["data"]


class StepState(tuple):
    """The lists of variables that a step gets and returns."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"The state has no attribute {name!r}: a step `(self, state, data)` gets Keras's lists of variables, to unpack."
            f" Call the argument `batch` to get a jkeras.TrainState and a jkeras.Batch, and return (state, logs)."
        )


class StepMetric(NamedTuple):
    """A compiled metric inside a step: functions of its list of variables."""

    name: str
    template: Mapping[str, Any]
    update: Callable[..., Mapping[str, Any]]
    compute: Callable[[Any], Any]

    @property
    def variables(self) -> list[Any]:
        """The arrays of a state."""
        return jax.tree.leaves(self.template)

    def stateless_reset_state(self) -> list[Any]:
        """The variables before the first batch."""
        return self.variables

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The variables after one more batch: `(variables, y, y_pred)`, or `(variables, value)` for a loss."""
        return jax.tree.leaves(self.update(self._state(metric_variables), *args, **kwargs))

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The value."""
        return self.compute(self._state(metric_variables))

    def _state(self, variables: Sequence[Any]) -> Any:
        return jax.tree.unflatten(jax.tree.structure(self.template), list(variables))


class Step:
    """One step in progress: what the model's methods stand on while the user's function runs."""

    def __init__(self, program: steps.Program, state: TrainState, training: bool):
        self.program = program
        self.state = state
        self.training = training
        self.calls = 0
        self.last: Any = None
        self.metrics_seen: list[str] = []
        params = steps.trainable(program, state.params)
        self.trainable = [w.name for w in self._weights("params") if w.name in params]
        self.frozen = [w.name for w in self._weights("params") if w.name not in params]
        self.others = [w.name for w in self._weights("state")]
        self.slots, self.slots_structure = jax.tree.flatten(state.opt_state)

    def _weights(self, collection: str) -> list[Any]:
        found = flatten(self.state.params if collection == "params" else self.state.model_state)
        known = [w for w in self.program.definition.description.weights if w.collection == collection]
        return [w for w in known if w.name in found]

    # -- lists and state ------------------------------------------------------------------------------------------

    def lists(self) -> tuple[list[Any], list[Any]]:
        """Trainable and other variables of the state."""
        params, others = flatten(self.state.params), flatten(self.state.model_state)
        return [params[n] for n in self.trainable], [*(params[n] for n in self.frozen), *(others[n] for n in self.others)]

    def with_lists(self, trainable: Sequence[Any], rest: Sequence[Any]) -> TrainState:
        """The state with variables in place of its own."""
        if len(trainable) != len(self.trainable) or len(rest) != len(self.frozen) + len(self.others):
            raise InputError(
                f"The step has {len(self.trainable)} trainable and {len(self.frozen) + len(self.others)} other variables;"
                f" it was given {len(trainable)} and {len(rest)}."
            )
        frozen, others = list(rest[: len(self.frozen)]), list(rest[len(self.frozen) :])
        params = merge(self.state.params, dict(zip([*self.trainable, *self.frozen], [*trainable, *frozen], strict=True)))
        model_state = merge(self.state.model_state, dict(zip(self.others, others, strict=True)))
        return self.state.replace(params=params, model_state=model_state)

    # -- what the model offers ------------------------------------------------------------------------------------

    def call(
        self, trainable: Sequence[Any], rest: Sequence[Any], x: Any, training: bool | None, return_losses: bool
    ) -> tuple[Any, ...]:
        """Runs the model with variables from lists."""
        state = self.with_lists(trainable, rest)
        if self.calls:  # a second pass draws other random numbers
            state = state.replace(rng=jax.random.fold_in(state.rng, self.calls))
        self.calls += 1
        result = steps.forward(self.program, state, Batch(x), self.training if training is None else training)
        self.last = result
        new = flatten(result.state)
        rest = [*rest[: len(self.frozen)], *(new[name] for name in self.others)]
        losses = ([jnp.asarray(loss) for loss in result.run.losses],) if return_losses else ()
        return (result.outputs, rest, *losses)

    def loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The compiled loss, with what layers added in the pass that gave `y_pred`."""
        passed = self.last
        if passed is None or not _same(passed.outputs, y_pred):
            raise InputError(
                "compute_loss(y_pred=...) got something else than what the last `stateless_call` returned. For a loss of"
                " another kind compute it by hand from `y` and `y_pred`."
            )
        return steps.score(self.program, passed, Batch(None, y, sample_weight)).loss

    def apply(self, slots: Sequence[Any], grads: Sequence[Any], trainable: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """One optimizer update over lists."""
        state = self.with_lists(trainable, self.lists()[1])
        state = state.replace(opt_state=jax.tree.unflatten(self.slots_structure, list(slots)))
        new = steps.apply_gradients(self.program, state, dict(zip(self.trainable, grads, strict=True)))
        params = flatten(new.params)
        return [params[name] for name in self.trainable], jax.tree.leaves(new.opt_state)

    @property
    def compiled_metrics(self) -> list[StepMetric]:
        """The running loss and the metrics that `compile` was given."""
        states, objective = self.state.metrics, self.program.objective
        mean = objectives.MEAN
        found = [StepMetric("loss", states["loss"], mean.update, mean.compute)]
        several = len(objective.names) > 1

        def updating(term: Any) -> Callable[..., Any]:
            def update(state: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
                if several:
                    y, y_pred = (steps.match(v, objective.names, len(objective.names), "y")[term.output] for v in (y, y_pred))
                return term.metric.update(state, y, y_pred, sample_weight=sample_weight)

            return update

        for term in objective.metrics:
            found.append(StepMetric(term.log_name, states[term.log_name], updating(term), term.metric.compute))
        return found


def _same(outputs: Any, given: Any) -> bool:
    ours, theirs = jax.tree.leaves(outputs), jax.tree.leaves(given)
    return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))


def own_metrics(view: Any) -> tuple[tuple[str, PureMetric], ...]:
    """Name and pure metric of each metric object that a user's model lists in `metrics`."""
    return tuple((m.name, m._pure_value()) for m in view.metrics if not isinstance(m, StepMetric))


def run(function: Callable[..., Any], view: Any, program: steps.Program, state: TrainState, batch: Batch) -> Any:
    """A user's step over lists, as a step over a `TrainState`."""
    training = function.__name__ != "test_step"
    step = view.__dict__["_keras_step"] = Step(program, state, training)
    where = f"{type(view).__name__}.{function.__name__}"
    own = {steps.OWN + name: metric for name, metric in program.own_metrics}
    listed = [m.name if isinstance(m, StepMetric) else steps.OWN + m.name for m in view.metrics]
    # A metric's variables come in the order in which it makes them; states that went through a compiled step are sorted.
    held = {name: _ordered(state.metrics[name], own.get(name)) for name in listed}
    metric_variables = [leaf for name in listed for leaf in held[name].values()]
    slots = [step.slots] if training else []
    given = StepState((*step.lists(), *slots, metric_variables))
    parts = (batch.x, batch.y, batch.sample_weight)
    data = parts[:3] if batch.sample_weight is not None else parts[:2] if batch.y is not None else parts[:1]
    returned = function(view, given, data)
    ok = isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Mapping)
    if not ok or not isinstance(returned[1], (tuple, list)) or len(returned[1]) != len(given):
        raise InputError(f"{where}(self, state, data) must return (logs, state), the state a tuple of {len(given)} lists.")
    logs, lists = returned
    result = step.with_lists(lists[0], lists[1])
    if training:
        opt_state = jax.tree.unflatten(step.slots_structure, list(lists[2]))
        result = result.replace(opt_state=opt_state, step=state.step + 1)
    if len(lists[-1]) != len(metric_variables):
        raise InputError(f"{where} was given {len(metric_variables)} metric variables and returned {len(lists[-1])}.")
    metrics = dict(state.metrics)
    rest = iter(lists[-1])
    for name in listed:
        news = {key: next(rest) for key in held[name]}
        if any(news[key] is not held[name][key] for key in news):
            metrics[name] = {key: jnp.asarray(new, held[name][key].dtype) for key, new in news.items()}
    shown = {name: value for name, value in logs.items() if steps.OWN + name not in own}
    return result.replace(metrics=metrics), shown


def _ordered(state: Mapping[str, Any], metric: PureMetric | None) -> dict[str, Any]:
    return {key: state[key] for key in (state if metric is None else metric.empty())}
