"""`clone_model`: the same model with its own layers and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jkeras import arguments, tree
from jkeras.errors import ArgumentError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.functional import Functional, functional_like_constructor
from jkeras.keras.input import Input, InputLayer
from jkeras.keras.layer import Layer
from jkeras.keras.model import Model
from jkeras.keras.sequential import Sequential
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.tensor import KerasTensor

Clone = Callable[[Any], Any]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A copy of a model with fresh weights, compiled in the same way if the original is compiled.

    Args:
        model: the model to clone.
        input_tensors: symbolic tensors to build it on, nested like the model's inputs.
        clone_function: a function from a layer to its replacement; None creates it from the configuration.
        call_function: a function `call_function(layer, *args, **kwargs)` that calls a new layer.
        recursive: whether to also apply `clone_function` to the layers of nested models.

    Raises:
        ArgumentError: an argument does not apply to this kind of model.
    """
    cache = kwargs.pop("cache", None)
    arguments.checked("clone_model", "clone_function", clone_function, arguments.optional(arguments.function))
    arguments.checked("clone_model", "call_function", call_function, arguments.optional(arguments.function))
    arguments.checked("clone_model", "recursive", recursive, arguments.flag)
    if kwargs:
        raise ArgumentError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    if isinstance(model, (Sequential, Functional)):
        cloner = _Cloner(clone_function, call_function, recursive, {} if cache is None else cache)
        if isinstance(model, Functional):
            return _clone_functional(model, cloner, input_tensors, call_function)
        if call_function is not None:
            raise ArgumentError(
                "`call_function` argument is not supported with Sequential models: their layers are listed, not called. Use"
                f" `call_function` with Functional models only. Received model of type '{type(model).__name__}', with"
                f" call_function={call_function}"
            )
        return _clone_sequential(model, cloner, input_tensors)
    if clone_function or input_tensors is not None:
        raise ArgumentError(
            "Arguments `clone_function` and `input_tensors` are only supported for Sequential models or Functional models."
            f" Received model of type '{type(model).__name__}', with clone_function={clone_function} and"
            f" input_tensors={input_tensors}"
        )
    if call_function is not None:
        raise ArgumentError(
            f"Argument `call_function` is only supported for Functional models. Received model of type"
            f" '{type(model).__name__}', with call_function={call_function}"
        )
    return deserialize_keras_object(serialize_keras_object(model), custom_objects={type(model).__name__: type(model)})


class _Cloner:
    """Returns the same new layer each time for the same old layer."""

    def __init__(self, clone: Clone | None, call: Callable[..., Any] | None, recursive: bool, cache: dict[int, Any]):
        self._clone = _from_config if clone is None else clone
        self._call = call
        self._recursive = recursive
        self._cache = cache

    def __call__(self, layer: Layer) -> Any:
        if id(layer) not in self._cache:
            self._cache[id(layer)] = self._cloned(layer)
        return self._cache[id(layer)]

    def _cloned(self, layer: Layer) -> Any:
        if not (self._recursive and isinstance(layer, (Sequential, Functional))):
            return self._clone(layer)
        call = self._call if isinstance(layer, Functional) else None
        return clone_model(layer, clone_function=self, call_function=call, recursive=True, cache=self._cache)


def _from_config(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _clone_sequential(model: Sequential, clone: Clone, input_tensors: Any) -> Sequential:
    layers = [clone(layer) for layer in model.layers]
    first = model._layers[0] if model._layers else None
    known = first if isinstance(first, InputLayer) else None
    name, optional = (known.name, known.optional) if known is not None else (None, False)
    if input_tensors is not None:
        tensors = list(input_tensors) if isinstance(input_tensors, (list, tuple)) else [input_tensors]
        if len(tensors) != 1:
            raise ArgumentError("Argument `input_tensors` must contain a single tensor.")
        if not isinstance(tensors[0], KerasTensor):
            raise ArgumentError(
                f"Argument `input_tensors` must be a KerasTensor. Received invalid value: input_tensors={tensors[0]}"
            )
        layers.insert(0, Input(tensor=tensors[0], name=name, optional=optional))
    elif known is not None:
        layers.insert(0, Input(batch_shape=known.batch_shape, dtype=known.dtype, name=name, optional=optional))
    return _compiled_like(model, Sequential(layers, name=model.name, trainable=model.trainable))


def _clone_functional(
    model: Functional, clone: Clone, input_tensors: Any, call_function: Callable[..., Any] | None
) -> Functional:
    if input_tensors is None:
        input_tensors = tree.map_structure(
            lambda tensor: Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name), model.input
        )
    else:
        _check_tensors(input_tensors, model)
    outputs = model._run_through_graph(input_tensors, operation_fn=clone, call_fn=call_function)
    # As in Keras, not the model's own class if its constructor takes other arguments.
    cls = type(model) if functional_like_constructor(type(model)) else Functional
    return _compiled_like(model, cls(input_tensors, outputs, name=model.name))


def _check_tensors(input_tensors: Any, model: Functional) -> None:
    if not all(isinstance(leaf, KerasTensor) for leaf in tree.flatten(input_tensors)):
        raise ArgumentError(
            f"All entries in `input_tensors` must be KerasTensors. Received invalid values: inputs_tensors={input_tensors}"
        )
    try:
        tree.assert_same_structure(input_tensors, model.input)
    except ValueError as error:
        raise ArgumentError(
            "`input_tensors` must have the same structure as model.input"
            f"\nReference structure: {model.input}\nReceived structure: {input_tensors}"
        ) from error


def _compiled_like(model: Any, clone: Any) -> Any:
    if model.compiled:
        clone.compile_from_config(model.get_compile_config())
    return clone
