"""Matches the losses of `compile` with the outputs of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from jkeras import tree
from jkeras.errors import ArgumentError, InputError
from jkeras.keras import losses as losses_module
from jkeras.keras.losses import Loss
from jkeras.keras.metrics import Mean, Metric
from jkeras.keras.naming import get_object_name
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import Variable
from jkeras.losses.identifiers import shape_rule

Path = tuple[Any, ...]

_CROSSENTROPIES = {
    "binary": losses_module.binary_crossentropy,
    "sparse": losses_module.sparse_categorical_crossentropy,
    "categorical": losses_module.categorical_crossentropy,
}


class Term(NamedTuple):
    """A loss of one output: the path of the output, the loss, its weight or None, the name."""

    path: Path
    loss: Any
    loss_weights: Any
    name: str


class _Weighted:
    """A user's loss with its weight: a leaf of structures."""

    def __init__(self, loss: Any, weight: Any):
        self.loss = loss
        self.weight = weight


class CompileLoss(Loss):
    """The weighted sum of the losses of all outputs.

    Args:
        loss: a loss for every output, or a list, dict or nested structure of losses; None means no loss. A list instead of
            a loss means their sum.
        loss_weights: numbers in the same structure.
        reduction: accepted for compatibility with Keras; each loss has its own.
        output_names: names of the outputs.

    Raises:
        ArgumentError: `loss_weights` has another type.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any = None,
        reduction: str = "sum_over_batch_size",
        output_names: Sequence[str] | None = None,
    ):
        if loss_weights and not isinstance(loss_weights, (list, tuple, dict, float)):
            raise ArgumentError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict (multiple"
                f" output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        super().__init__(name="compile_loss", reduction=reduction)
        self._user_loss = loss
        self._user_loss_weights = loss_weights
        self.output_names = output_names
        self.built = False
        self.terms: list[Term] = []
        # A running mean for each of several losses.
        self.metrics: list[Metric] = []
        self._structures: tuple[Any, Any] = (None, None)

    @property
    def variables(self) -> list[Variable]:
        """The cells of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    # -- building -------------------------------------------------------------------------------------------------

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches the losses with the outputs.

        Raises:
            ArgumentError, KeyError: their structures do not match.
        """
        if self._user_loss in ([], (), {}):
            raise ArgumentError(f"compile(loss={self._user_loss}): expected a loss, or one for each output.")
        losses = self._weighted_losses(y_pred)
        names = list(self.output_names or ())
        if isinstance(losses, dict) and not isinstance(y_pred, dict) and set(losses) == set(names):
            predictions = list(y_pred) if tree.is_nested(y_pred) else [y_pred]
            targets = list(y_true) if tree.is_nested(y_true) else [y_true]
            y_pred, y_true = dict(zip(names, predictions, strict=True)), dict(zip(names, targets, strict=True))
        if not tree.is_nested(losses):
            losses = tree.map_structure(lambda _: losses, y_pred)
        self.terms = []
        self._add(y_true, y_pred, losses, self._names_like(y_pred), ())
        several = len(self.terms) > 1
        self.metrics = [Mean(name=f"{term.name}_loss") for term in self.terms] if several else []
        self._structures = (tree.map_structure(lambda _: None, y_true), tree.map_structure(lambda _: None, y_pred))
        self.built = True

    def _weighted_losses(self, y_pred: Any) -> Any:
        """The losses with their weights, in the structure of the `loss` argument or of the outputs."""
        loss, weights, names = self._user_loss, self._user_loss_weights, self.output_names
        if names and isinstance(loss, dict) and not isinstance(y_pred, dict):
            if set(names) != set(loss):
                raise ArgumentError(f"Expected keys {names} in loss dict, but found loss.keys()={list(loss)}")
            if isinstance(weights, dict):
                weights = [weights[name] for name in names]
            loss = [loss[name] for name in names]
        if weights is None:
            return tree.map_structure(lambda one: None if one is None else _Weighted(one, None), loss)
        flat_losses, flat_weights = tree.flatten(loss), tree.flatten(weights)
        if len(flat_losses) != len(flat_weights):
            raise ArgumentError(
                f"`loss_weights` must match the number of losses, got {len(flat_losses)} losses and {len(flat_weights)}"
                " weights."
            )
        pairs = zip(flat_losses, flat_weights, strict=True)
        return tree.pack_sequence_as(loss, [None if one is None else _Weighted(one, w) for one, w in pairs])

    def _names_like(self, y_pred: Any) -> Any:
        """Names in the structure of the outputs; None for outputs without a name."""
        outputs = tree.flatten(y_pred)
        names = list(self.output_names or ())
        if len(names) != len(outputs):
            symbolic = all(isinstance(output, KerasTensor) for output in outputs)
            names = [_name_of(output) if symbolic else None for output in outputs]
        return tree.pack_sequence_as(y_pred, names)

    def _add(self, y_true: Any, y_pred: Any, losses: Any, names: Any, path: Path) -> None:
        """Adds the terms of a part of the outputs."""
        if not tree.is_nested(losses):
            if losses is not None:
                loss = as_loss(losses.loss, y_true, y_pred)
                self.terms.append(Term(path, loss, losses.weight, _term_name(loss, names, path)))
            return
        if isinstance(losses, (list, tuple)):
            flat = not any(tree.is_nested(one) for one in losses)
            if flat and len(losses) == len(tree.flatten(y_pred)):
                losses = tree.pack_sequence_as(y_pred, losses)
            elif not isinstance(y_pred, type(losses)):
                for one in losses:
                    self._add(y_true, y_pred, one, names, path)
                return
        if not tree.is_nested(losses):
            self._add(y_true, y_pred, losses, names, path)
            return
        if not isinstance(losses, type(y_pred)):
            raise KeyError(f"The path: {path} in the `loss` argument, can't be found in the model's output (`y_pred`).")
        for key, one in losses.items() if isinstance(losses, Mapping) else enumerate(losses):
            if one is None:
                continue
            if not (_has(y_true, key) and _has(y_pred, key)):
                raise KeyError(
                    f"The path: {(*path, key)} in the `loss` argument, can't be found in either the model's output"
                    " (`y_pred`) or in the labels (`y_true`)."
                )
            self._add(y_true[key], y_pred[key], one, names[key], (*path, key))

    # -- calling --------------------------------------------------------------------------------------------------

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The total, or None if no output has a loss; also updates the running means of several losses."""
        return self.call(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The same."""
        if y_true is None and y_pred is not None:
            raise InputError(
                "The model is compiled with a loss, but there is no y for it. Pass `y`, or batches `(x, y)`."
            )
        if tree.is_nested(y_true) or tree.is_nested(y_pred):
            y_true = self._targets_like(y_true, y_pred)
        if not self.built:
            self.build(y_true, y_pred)
        y_true, y_pred = (
            value if _same_structure(value, built) else tree.pack_sequence_as(built, tree.flatten(value))
            for value, built in zip((y_true, y_pred), self._structures, strict=True)
        )
        total = None
        for place, term in enumerate(self.terms):
            target, prediction = _at(y_true, term.path), _at(y_pred, term.path)
            weight = _at(sample_weight, term.path) if tree.is_nested(sample_weight) else sample_weight
            value = jnp.asarray(term.loss(target, prediction, weight), self.dtype)
            if self.metrics:  # these are not weighted
                self.metrics[place].update_state(value, sample_weight=tree.flatten(prediction)[0].shape[0])
            if term.loss_weights is not None:
                value = value * term.loss_weights
            total = value if total is None else total + value
        return total

    def _targets_like(self, y_true: Any, y_pred: Any) -> Any:
        """Targets in the structure of the outputs, or of the losses if only some outputs have one.

        Raises:
            InputError: they do not match.
        """
        if _same_structure(y_true, y_pred):
            return y_true
        if not tree.is_nested(y_true) and len(y_pred) == 1:
            y_true = [y_true]
        elif (
            isinstance(y_pred, (list, tuple))
            and isinstance(y_true, dict)
            and set(self.output_names or ()) == set(y_true)
        ):
            y_true = [y_true[name] for name in self.output_names or ()]
        targets = tree.flatten(y_true)
        sequence = isinstance(y_true, (list, tuple)) and len(y_true) == len(targets)
        if len(targets) == len(tree.flatten(y_pred)) and (sequence or _same_paths(y_true, y_pred)):
            return tree.pack_sequence_as(y_pred, targets)
        losses = tree.flatten(self._user_loss)
        if len(targets) == sum(loss is not None for loss in losses):
            remaining = iter(targets)
            return tree.pack_sequence_as(
                self._user_loss, [None if loss is None else next(remaining) for loss in losses]
            )
        raise InputError(
            "y_true and y_pred have different structures.\n"
            f"y_true: {tree.map_structure(lambda _: '*', y_true)}\ny_pred: {tree.map_structure(lambda _: '*', y_pred)}\n"
        )

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("`model.get_compile_config()` saves the losses of `compile`.")


def as_loss(identifier: Any, y_true: Any, y_pred: Any) -> Loss:
    """The loss that a name, a function or a loss means in `compile`."""
    if str(identifier).lower() in ("crossentropy", "ce"):
        loss = _CROSSENTROPIES[shape_rule(y_true.shape, y_pred.shape)]
    else:
        loss = losses_module.get(identifier)
    if isinstance(loss, Loss):
        return loss
    name = identifier if isinstance(identifier, str) else get_object_name(loss)
    return losses_module.LossFunctionWrapper(loss, name=name)


def _term_name(loss: Loss, names: Any, path: Path) -> str:
    parts = path
    if not tree.is_nested(names):
        own = loss.name if names is None else names
        if not path:
            parts = (own,)
        elif isinstance(path[-1], int):
            parts = (*path[:-1], own)
    if not parts:
        return "_".join(names if isinstance(names, dict) else map(str, tree.flatten(names)))
    return "/".join(map(str, parts))


def _name_of(tensor: KerasTensor) -> str:
    history = tensor.history
    return tensor.name if history is None or history.operation is None else history.operation.name


def _has(values: Any, key: Any) -> bool:
    if isinstance(values, Mapping):
        return key in values
    return isinstance(values, (list, tuple)) and isinstance(key, int) and key < len(values)


def _at(values: Any, path: Path) -> Any:
    for key in path:
        values = values[key]
    return values


def _same_structure(first: Any, second: Any) -> bool:
    try:
        tree.assert_same_structure(first, second)
    except (TypeError, ValueError):
        return False
    return True


def _same_paths(first: Any, second: Any) -> bool:
    try:
        tree.assert_same_paths(first, second)
    except (TypeError, ValueError):
        return False
    return True
