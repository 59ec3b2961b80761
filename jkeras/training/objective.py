"""Losses and metrics matched to the outputs of one network: resolved once, before anything is compiled."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jkeras import collectives, losses, metrics
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer_call import note_place
from jkeras.losses import Loss
from jkeras.losses.identifiers import averages_rows, compares_rows
from jkeras.metrics import Metric
from jkeras.metrics.identifiers import adds_rows
from jkeras.training.recipe import BY_SHAPE_LOSSES, BY_SHAPE_METRICS, Recipe
from jkeras.types import Array, PyTree
from jkeras.values.spec import Spec


class LossTerm(NamedTuple):
    """The loss of one output."""

    output: int
    loss: Loss
    weight: float | None
    log_name: str


class MetricTerm(NamedTuple):
    """One metric of one output."""

    log_name: str
    metric: Metric
    output: int
    weighted: bool


class Objective(Spec):
    """What a batch is scored by.

    Attributes:
        names: the outputs' names, in flattened order.
        losses: a term per output that has a loss.
        metrics: every metric, in the order of `evaluate`'s list.
        shapes: shape and dtype of each target and each output that they were matched with.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        losses: tuple[LossTerm, ...],
        metrics: tuple[MetricTerm, ...],
        shapes: tuple[Any, Any] = ((), ()),
    ):
        self.names = names
        self.losses = losses
        self.metrics = metrics
        self.shapes = shapes

    def _state(self) -> dict[str, Any]:
        # Compiled steps are keyed by the shapes that they are called with.
        return {name: value for name, value in super()._state().items() if name != "shapes"}

    @property
    def log_names(self) -> list[str]:
        """The keys of the logs in the order of `evaluate`'s list."""
        parts = [term.log_name for term in self.losses] if len(self.losses) > 1 else []
        return ["loss", *parts, *(term.log_name for term in self.metrics)]

    @property
    def directions(self) -> dict[str, str | None]:
        """Which way each metric is better, "up" or "down", by its name in the logs."""
        return {term.log_name: term.metric.direction for term in self.metrics}

    @property
    def mixes_samples(self) -> bool:
        """Whether a loss or a metric may not give values per row, so that rows which do not count cannot be left out."""
        targets, outputs = self.shapes
        return _mixes_samples(self, tuple(targets), tuple(outputs))

    @property
    def adds_rows(self) -> bool:
        """Whether loss and metrics of several batches are those of all of their rows at once, as far as no mask comes in."""
        targets, outputs = self.shapes
        return _adds_rows(self, tuple(targets), tuple(outputs))


@functools.lru_cache(maxsize=256)
def _adds_rows(objective: Objective, targets: tuple[Any, ...], outputs: tuple[Any, ...]) -> bool:
    losses_, metrics_ = objective.losses, objective.metrics
    return all(averages_rows(term.loss, targets[term.output], outputs[term.output]) for term in losses_) and all(
        adds_rows(term.metric, targets[term.output], outputs[term.output]) for term in metrics_
    )


@functools.lru_cache(maxsize=256)
def _mixes_samples(objective: Objective, targets: tuple[Any, ...], outputs: tuple[Any, ...]) -> bool:
    terms: list[tuple[str, Any, Any, int]] = [("loss", t.loss, losses.per_sample, t.output) for t in objective.losses]
    terms += [("metric", t.metric, metrics.per_sample, t.output) for t in objective.metrics]
    for kind, term, per_sample, i in terms:
        with _noted(kind, term, objective.names[i], targets[i], outputs[i]):
            if not per_sample(term, targets[i], outputs[i]):
                return True
    return False


def match(structure: PyTree[Any], names: tuple[str, ...], count: int, what: str) -> list[Any]:
    """Entries of `structure`, one per output.

    Args:
        structure: one value, a list or tuple in the outputs' order, or a dict by output name.
        names: the outputs' names.
        count: the number of outputs.
        what: for messages, "y" or "sample_weight".

    Raises:
        InputError: the structure does not have one entry per output.
    """
    if structure is None:
        return [None] * count
    if isinstance(structure, Mapping):
        unknown = set(structure) - set(names)
        if unknown or (set(names) - set(structure) and what == "y"):
            raise InputError(f"{what} has the keys {sorted(structure)}; the model's outputs are {list(names)}.")
        return [structure.get(name) for name in names]
    if isinstance(structure, (list, tuple)):
        if len(structure) != count:
            raise InputError(f"{what} has {len(structure)} entries; the model has {count} outputs: {list(names)}.")
        return list(structure)
    if count == 1:
        return [structure]
    if what == "sample_weight":
        return [structure] * count
    raise InputError(f"{what} is one array; the model has {count} outputs: {list(names)}. Pass a list or a dict.")


def resolve(recipe: Recipe, names: tuple[str, ...], targets: list[Any], outputs: list[Any]) -> Objective:
    """Matches losses and metrics with outputs.

    Args:
        recipe: what `compile` was given.
        names: the outputs' names, flattened.
        targets: a `jax.ShapeDtypeStruct` per output, or None.
        outputs: a `jax.ShapeDtypeStruct` per output.

    Raises:
        InputError: targets do not fit the outputs or the losses.
        ArgumentError: the structure of losses or metrics does not fit the outputs.
    """
    count = len(outputs)
    loss_identifiers = _per_output(recipe.loss, names, count, "loss", broadcast=True)
    weights = _per_output(recipe.loss_weights, names, count, "loss_weights", broadcast=False)
    terms = []
    for i, identifier in enumerate(loss_identifiers):
        if identifier is None:
            continue
        if targets[i] is None:
            raise InputError(
                f"The output {names[i]!r} has the loss {identifier!r}, but there is no y for it. Pass `y`; the batch of a step is"
                " `(x, y)`."
            )
        loss = identifier
        if isinstance(identifier, str) and identifier.lower() in BY_SHAPE_LOSSES:
            loss = losses.as_loss(losses.crossentropy_for(targets[i].shape, outputs[i].shape))
        if compares_rows(loss):
            _check_rows(names[i], targets[i], outputs[i])
        terms.append(LossTerm(i, loss, None if weights[i] is None else float(weights[i]), f"{names[i]}_loss"))
    scored = []
    for weighted, requested in ((False, recipe.metrics), (True, recipe.weighted_metrics)):
        for i, identifiers in enumerate(_metrics_per_output(requested, names, count)):
            for identifier in identifiers:
                if targets[i] is None:
                    raise InputError(
                        f"The output {names[i]!r} has the metric {identifier!r}, but there is no y for it."
                    )
                scored.append(_metric_term(identifier, i, weighted, names, targets[i], outputs[i]))
    names_of_losses = ["loss", *(term.log_name for term in terms if len(terms) > 1)]
    return Objective(names, tuple(terms), _unique(scored, names_of_losses), (tuple(targets), tuple(outputs)))


def _check_rows(name: str, target: Any, output: Any) -> None:
    """A single target would be compared with every row, which is never meant."""
    rows, expected = target.shape[:1], output.shape[:1]
    if rows and expected and rows != expected:
        raise InputError(
            f"y has the shape {target.shape}, the output {name!r} {output.shape}: the numbers of rows differ. Pass a target"
            " for each row."
        )


def _metric_term(
    identifier: Any, i: int, weighted: bool, names: tuple[str, ...], target: Any, output: Any
) -> MetricTerm:
    metric = identifier
    if isinstance(identifier, str) and identifier.lower() in BY_SHAPE_METRICS:
        by_shape = metrics.accuracy_for if identifier.lower().startswith("acc") else metrics.crossentropy_for
        metric = by_shape(target.shape, output.shape)
        metric = (metric if isinstance(metric, Metric) else metrics.get(metric)).replace(name=identifier)
    name = metric.name if len(names) == 1 else f"{names[i]}_{metric.name}"
    return MetricTerm(name, metric, i, weighted)


def _unique(terms: list[MetricTerm], loss_names: list[str]) -> tuple[MetricTerm, ...]:
    """Numbers repeated names as Keras does: mse, mse_1, mse_2; a metric called like a loss would be taken for it."""
    counts = dict.fromkeys(loss_names, 1)
    unique = []
    for term in terms:
        count = counts.get(term.log_name, 0)
        counts[term.log_name] = count + 1
        unique.append(term._replace(log_name=f"{term.log_name}_{count}") if count else term)
    return tuple(unique)


def _per_output(requested: Any, names: tuple[str, ...], count: int, what: str, broadcast: bool) -> list[Any]:
    if requested is None:
        return [None] * count
    if isinstance(requested, Mapping):
        unknown = sorted(set(requested) - set(names))
        if unknown:
            raise ArgumentError(
                f"compile({what}=...) names {unknown}; the model's outputs are {list(names)}. Use these names."
            )
        return [requested.get(name) for name in names]
    if isinstance(requested, tuple):
        if len(requested) != count:
            raise ArgumentError(
                f"compile({what}=...) has {len(requested)} entries; the model has {count} outputs: {list(names)}."
            )
        return list(requested)
    return [requested] * count


def _metrics_per_output(requested: Any, names: tuple[str, ...], count: int) -> list[list[Any]]:
    def flat(value: Any) -> list[Any]:
        if value is None:
            return []
        return [m for v in value for m in flat(v)] if isinstance(value, tuple) else [value]

    if not requested:
        return [[] for _ in range(count)]
    if isinstance(requested, Mapping):
        unknown = sorted(set(requested) - set(names))
        if unknown:
            raise ArgumentError(
                f"compile(metrics=...) names {unknown}; the model's outputs are {list(names)}. Use these names."
            )
        return [flat(requested.get(name)) for name in names]
    if count == 1:
        return [flat(requested)]
    if len(requested) != count:
        raise ArgumentError(
            f"compile(metrics=...) has {len(requested)} entries; the model has {count} outputs: {list(names)}."
            f" Give one list per output, or a dict by output name."
        )
    return [flat(value) for value in requested]


# -- the numbers ---------------------------------------------------------------------------------------------------

MEAN = metrics.Mean(name="loss")


class Scorable(NamedTuple):
    """What losses and metrics see of a batch: lists with an entry for each output.

    Attributes:
        targets: what is expected, or None.
        outputs: what the model gave.
        weights: sample weights, or None.
        masks: the masks of the outputs, or None.
        valid: which rows count; None for all.
    """

    targets: list[Any]
    outputs: list[Any]
    weights: list[Any]
    masks: list[Any]
    valid: PyTree[Array] | None = None


def compute_loss(objective: Objective, batch: Scorable) -> tuple[jax.Array, list[jax.Array]]:
    """The weighted total of the output losses, and each of them unweighted."""
    targets, outputs, weights, masks, valid = batch
    total = jnp.zeros((), jnp.float32)
    parts = []
    for term in objective.losses:
        i = term.output
        with _noted("loss", term.loss, objective.names[i], targets[i], outputs[i]):
            value = term.loss(targets[i], outputs[i], weights[i], mask=_mask(masks[i], valid, outputs[i]))
        value = jnp.asarray(value, jnp.float32)
        value = value if value.ndim == 0 else _mean(value, valid)
        parts.append(value)
        total = total + (value if term.weight is None else value * term.weight)
    return total, parts


def _mean(values: jax.Array, valid: PyTree[Array] | None) -> jax.Array:
    """The mean of values per sample that no reduction was asked for; rows that only fill up are 0 and do not count."""
    counted = values.shape[0] if valid is None else jnp.sum(valid)
    size = collectives.psum(jnp.float32(counted)) * math.prod(values.shape[1:])
    return collectives.psum(jnp.sum(values)) / jnp.maximum(size, 1)


def _mask(mask: PyTree[Array] | None, valid: PyTree[Array] | None, output: Any) -> Any:
    if mask is None:
        return valid
    # A mask of another rank than (batch, ...) cannot belong to the loss values.
    if mask.ndim > output.ndim:
        mask = None
    if mask is None or valid is None:
        return valid if mask is None else mask
    return mask & valid.reshape(valid.shape + (1,) * (mask.ndim - 1))


def empty_metrics(objective: Objective, targets: list[Any], outputs: list[Any]) -> dict[str, Any]:
    """Metric states before the first batch, by log name."""
    states: dict[str, Any] = {"loss": MEAN.empty()}
    if len(objective.losses) > 1:
        states.update((term.log_name, MEAN.empty()) for term in objective.losses)
    for term in objective.metrics:
        states[term.log_name] = term.metric.empty(targets[term.output], outputs[term.output])
    return states


def update_metrics(
    objective: Objective,
    states: Mapping[str, Any],
    batch: Scorable,
    loss: jax.Array,
    parts: list[jax.Array],
    size: jax.Array,
) -> dict[str, Any]:
    """Metric states after one more batch, with its loss and the losses of its outputs, which count by its number of rows."""
    targets, outputs, weights, masks, valid = batch
    new = {"loss": MEAN.update(states["loss"], loss, sample_weight=size)}
    if len(objective.losses) > 1:
        for term, part in zip(objective.losses, parts, strict=True):
            new[term.log_name] = MEAN.update(states[term.log_name], part, sample_weight=size)
    for scored in objective.metrics:
        i = scored.output
        weight = weights[i] if scored.weighted else None
        mask = masks[i] if scored.metric.applies_mask else None
        weight = _as_weight(weight, _mask(mask, valid, outputs[i]))
        with _noted("metric", scored.metric, objective.names[i], targets[i], outputs[i]):
            state = states[scored.log_name]
            new[scored.log_name] = scored.metric.update(state, targets[i], outputs[i], sample_weight=weight)
    return new


@contextlib.contextmanager
def _noted(
    kind: str, term: Any, output: str, y_true: PyTree[Array] | None, y_pred: PyTree[Array] | None
) -> Iterator[None]:
    """Notes on an exception which loss or metric it arose in."""
    try:
        yield
    except Exception as error:
        note_place(error, f"the {kind} {term.name!r} of the output", output, {"y_true": y_true, "y_pred": y_pred})
        raise


def _as_weight(weight: PyTree[Array] | None, mask: PyTree[Array] | None) -> Any:
    if mask is None:
        return weight
    if weight is None:
        return mask.astype(jnp.float32)
    while weight.ndim > mask.ndim:
        mask = mask[..., None]
    while mask.ndim > weight.ndim:
        weight = weight[..., None]
    return jnp.where(mask, weight, 0)


def compute_metrics(objective: Objective, states: Mapping[str, Any]) -> dict[str, jax.Array]:
    """The values of metric states, by log name."""
    by_name = {term.log_name: term.metric for term in objective.metrics}
    return {name: by_name.get(name, MEAN).compute(state) for name, state in states.items()}
