"""Checks data against the model before anything is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jkeras import arguments, losses
from jkeras.errors import ArgumentError, InputError, NonFiniteError
from jkeras.graph.describe import describe
from jkeras.graph.network import is_ref
from jkeras.graph.shapes import show_shape
from jkeras.layers.core import Embedding, check_ids
from jkeras.models.structure import StructuredModel
from jkeras.training.array_source import ArraySource
from jkeras.training.objective import match
from jkeras.training.program import Program, call_arguments
from jkeras.training.recipe import Recipe
from jkeras.training.sources import ValidationData
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Task


def check_task(model: StructuredModel, task: Task, class_weight: Mapping[Any, float] | None) -> None:
    """Checks the data of a task against its model.

    Raises:
        InputError: they do not match.
        ArgumentError: `class_weight` has a class that the model does not have.
    """
    program: Program = task.train.program
    if class_weight is not None:
        check_classes(class_weight, jax.tree.map(lambda spec: spec.shape, model.description.outputs))
    for part, name in ((task.source, "y"), (task.validation, "y in validation_data")):
        check_data(model, part, program, task.model.recipe, name)


def check_data(
    model: StructuredModel,
    source: ArraySource | StreamSource | None,
    program: Program,
    recipe: Recipe,
    name: str = "y",
) -> None:
    """Checks labels against losses, ids against embeddings, and for NaN if requested."""
    if source is None:
        return
    data = source.data if isinstance(source, ArraySource) else source.example()
    names = program.objective.names
    # Described for one batch: a model may have a fixed batch size.
    described = describe(program.definition, *call_arguments(source.example().x))
    outputs = jax.tree.leaves(described.outputs)
    targets = match(data.y, names, len(outputs), "y")
    for term in program.objective.losses:
        target = targets[term.output]
        where = f"{model.path}/{names[term.output]}" if len(names) > 1 else model.path
        if target is None:
            raise InputError(f"{where} has a loss, but there is no {name} for it. Pass it beside x.")
        shape = (len(target), *outputs[term.output].shape[1:])
        losses.check_targets(term.loss, np.asarray(target), shape, where)
    if isinstance(source, ArraySource):
        check_embedded_ids(model, source)
    if recipe.check_finite:
        _check_finite(data)


def check_embedded_ids(model: StructuredModel, source: ArraySource | StreamSource) -> None:
    """Checks integer inputs against their dtype and the tables of embeddings that are applied to them directly."""
    if not isinstance(source, ArraySource):
        return
    network = model._network
    for position, info in enumerate(network.input_infos if network is not None else ()):
        value = _pick(source.data.x, (position, info.name))
        if value is not None and info.dtype.startswith(("int", "uint")):
            _check_whole(f"{model.path}/{info.name}", np.asarray(value), info.dtype)
    for tensor_path, layer in embeddings_on_inputs(model):
        value = _pick(source.data.x, tensor_path)
        if value is not None:
            check_ids(layer.name or "embedding", np.asarray(value), layer.input_dim)


def embeddings_on_inputs(model: StructuredModel) -> list[tuple[Any, Embedding]]:
    """Embeddings applied directly to an input, with the input's position and name."""
    network = model._network
    if network is None:
        return []
    embeddings = []
    for op in network.ops:
        layer = network.layers[op.layer]
        if isinstance(layer, Embedding) and op.args.leaves:
            first = op.args.leaves[0]
            for position, info in enumerate(network.input_infos):
                if is_ref(first) and first.index == info.ref:
                    embeddings.append(((position, info.name), layer))
    return embeddings


def _pick(x: Any, where: tuple[int, str | None]) -> Any:
    position, name = where
    if isinstance(x, Mapping):
        return x.get(name)
    leaves = jax.tree.leaves(x)
    return leaves[position] if position < len(leaves) else None


def check_counts(method: str, minimum: int, **counts: Any) -> None:
    """Raises for arguments that are not integers of at least `minimum`; None is allowed if `minimum` is positive."""
    for name, value in counts.items():
        if value is None and minimum:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
            raise ArgumentError(f"{method}({name}={value!r}): expected an integer of at least {minimum}.")


def check_epochs(method: str, epochs: object, shuffle: object) -> None:
    """Raises for a number of epochs or an order of rows that means nothing, where several models are trained."""
    check_counts(method, 0, epochs=epochs)
    if not isinstance(shuffle, str) or shuffle != "batch":
        arguments.checked(method, "shuffle", shuffle, arguments.flag)


def check_frequency(value: object) -> None:
    """Raises for a `validation_freq` that is neither a number of epochs nor a list of them."""
    epochs = value if isinstance(value, (list, tuple, set, range)) else [value]
    if not all(isinstance(e, (int, np.integer)) and not isinstance(e, bool) and e >= 1 for e in epochs):
        raise ArgumentError(f"fit(validation_freq={value!r}): expected an integer of at least 1, or a list of epochs.")


def check_held_out(data: ValidationData, frequency: object) -> None:
    """Raises for arguments about validation where there is nothing to validate on, which would have no effect."""
    if data.data is not None or data.split:
        return
    others = {"validation_batch_size": data.batch_size, "validation_steps": data.steps}
    useless = [f"{name}={value!r}" for name, value in others.items() if value is not None]
    useless += [] if frequency == 1 else [f"validation_freq={frequency!r}"]
    if useless:
        raise ArgumentError(
            f"fit({', '.join(useless)}): there is no data to validate on. Pass `validation_data` or `validation_split`, too."
        )


def check_classes(class_weight: Mapping[int, float], output_shape: Any) -> None:
    """Raises for classes that a model with one output cannot tell apart."""
    if isinstance(output_shape, tuple) and output_shape and isinstance(output_shape[-1], int):
        count = max(output_shape[-1], 2)  # one unit tells two classes apart
        wrong = [c for c in class_weight if not 0 <= c < count]
        if wrong:
            raise ArgumentError(
                f"class_weight has a weight for the class {wrong[0]!r}; a model with the output {show_shape(output_shape)}"
                f" has the classes 0 to {count - 1}. Give weights for these."
            )


def _check_whole(where: str, values: np.ndarray, dtype: str) -> None:
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        wrong = values[values != np.floor(values)].flat[0]
        raise InputError(
            f"{where} got data of type {values.dtype}, with {wrong:g} in it; the model's input is {dtype} and would cut it"
            f" off. Pass integers, or give the model a float `Input`."
        )


def _check_finite(data: Batch) -> None:
    for name, part in data.parts().items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(part):
            array = np.asarray(leaf)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                row = int(np.argwhere(~np.isfinite(array))[0][0])
                raise NonFiniteError(
                    f"{name}{jax.tree_util.keystr(path)} of shape {show_shape(array.shape)} holds NaN or infinite values,"
                    f" first in sample {row}. Clean it, for example with `np.nan_to_num(x)`."
                )
