"""Hyperparameters that a sweep varies: how values are set in a model, and traced values in its step.

A step is compiled for one definition and one optimizer. For many values of a hyperparameter the values are arrays that
travel with the members' states; inside the step they replace the corresponding fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jkeras.errors import ArgumentError, suggestion
from jkeras.graph.layer import Layer
from jkeras.layers.regularization import _Noisy
from jkeras.models.model import Model
from jkeras.regularizers import L1L2
from jkeras.training.program import Program
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.training.task import recipe_of
from jkeras.types import Specs

# Where the values of a member are kept, among the states of layers.
PLACE = "<varied>"

# Regularizers of the weights that multiply inputs; those of biases and embeddings are not changed.
KERNELS = ("kernel_regularizer", "depthwise_regularizer", "pointwise_regularizer")
OF_LAYERS = ("l1", "l2", "dropout")
# What is set before training starts, not inside the step.
OF_STATE = ("learning_rate", "seed")


def check(model: Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The values of each hyperparameter as lists.

    Raises:
        ArgumentError: a name is not known, there is no value, or a value is not allowed.
    """
    optimizer = recipe_of(model, "sweep").optimizer
    numeric = [name for name in type(optimizer)._fields if name not in ("name", "learning_rate")]
    known = [*OF_STATE, *OF_LAYERS, *numeric]
    checked = {}
    for name, value in values.items():
        if name not in known:
            raise ArgumentError(
                f"sweep({name}=...): there is no such hyperparameter.{suggestion(name, known)} Those that can vary without"
                f" another shape are {', '.join(known)}."
            )
        column = list(value) if isinstance(value, (list, tuple, range, np.ndarray)) else [value]
        whole = name == "seed"
        kinds = (int, np.integer) if whole else (int, float, np.number)
        if not column or any(isinstance(v, bool) or not isinstance(v, kinds) for v in column):
            raise ArgumentError(
                f"sweep({name}={value!r}): expected a list of {'whole ' if whole else ''}numbers, such as"
                f" {name}={'[0, 1, 2]' if whole else '[0.1, 0.01]'}."
            )
        checked[name] = [int(v) if whole else float(v) for v in column]
        for value in checked[name]:
            applied(model, {name: value})
    if "learning_rate" in checked and callable(optimizer.learning_rate):
        raise ArgumentError("sweep(learning_rate=...): the optimizer's learning rate follows a schedule.")
    if "dropout" in checked and not any(_drops(layer) for layer in _layers(model)):
        raise ArgumentError("sweep(dropout=...): the model has no dropout layer.")
    return checked


def applied(model: Model, values: Mapping[str, Any]) -> Model:
    """The model with values set in its layers and its optimizer, as if written by hand.

    Raises:
        ArgumentError: a value is not allowed.
    """
    of_layers = {name: value for name, value in values.items() if name in OF_LAYERS}
    of_optimizer = {name: value for name, value in values.items() if name not in (*OF_LAYERS, "seed")}
    if of_layers:

        def change(path: str, layer: Layer) -> Layer:
            fields = _fields_of(layer, of_layers, lambda l1, l2: L1L2(l1, l2))
            return layer.replace(**fields) if fields else layer

        model = model.map_layers(change)
    recipe = recipe_of(model, "sweep")
    return model.with_recipe(recipe.replace(optimizer=recipe.optimizer.replace(**of_optimizer)))


def _layers(model: Model) -> list[Layer]:
    layers: list[Layer] = []
    model.map_layers(lambda path, layer: (layers.append(layer), layer)[1])  # type: ignore[func-returns-value]
    return layers


def _drops(layer: Layer) -> bool:
    return isinstance(layer, _Noisy) and "rate" in type(layer)._fields


def _fields_of(layer: Layer, values: Mapping[str, Any], regularizer: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """The fields of a layer that hyperparameters set."""
    fields: dict[str, Any] = {}
    if "l1" in values or "l2" in values:
        penalty = regularizer(values.get("l1", 0.0), values.get("l2", 0.0))
        fields.update(dict.fromkeys((name for name in KERNELS if name in type(layer)._fields), penalty))
    if "dropout" in values and _drops(layer):
        fields["rate"] = values["dropout"]
    return fields


@dataclasses.dataclass(frozen=True)
class VariedStep:
    """A step whose hyperparameters come with the state."""

    base: Callable[..., TrainState]

    def __call__(self, program: Program, state: TrainState, batch: Batch) -> TrainState:
        trees = arrays_of(state).model_state
        values = trees[PLACE]
        rest = {name: tree for name, tree in trees.items() if name != PLACE}
        try:
            new = self.base(traced(program, values), state.replace(model_state=rest), batch)
        except jax.errors.ConcretizationTypeError as error:
            raise ArgumentError(
                f"sweep: the step is compiled differently for different values of one of {', '.join(values)}, so these"
                f" cannot vary in one program. Fit the models one after another."
            ) from error
        return new.replace(model_state={**arrays_of(new).model_state, PLACE: values})


def varied(step: Step) -> Step:
    """A step that takes the values of hyperparameters from the state."""
    return Step(VariedStep(step.function), step.program)


def traced(program: Program, values: Mapping[str, Any]) -> Program:
    """A program with traced values in place of fields; only for use inside a step."""

    def regularizer(l1: Any, l2: Any) -> Any:
        return _with_raw(L1L2(), {"l1": l1, "l2": l2})

    def change(path: str, layer: Layer) -> Layer:
        fields = _fields_of(layer, values, regularizer)
        return layer._evolve(**fields) if fields else layer

    of_optimizer = {name: value for name, value in values.items() if name not in OF_LAYERS}
    definition: Any = program.definition
    result: Program = _with_raw(
        program,
        {"definition": definition.map_layers(change), "optimizer": _with_raw(program.optimizer, of_optimizer)},
    )
    return result


def _with_raw(spec: Specs, fields: Mapping[str, Any]) -> Any:
    """A copy with fields that are not checked, and that must not be hashed."""
    return spec._evolve(**fields)
