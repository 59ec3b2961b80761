"""`Functional`: a model that is the graph between symbolic inputs and outputs."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from jkeras import ops, tree
from jkeras.errors import InputError
from jkeras.keras import functional_config
from jkeras.keras.function import Function
from jkeras.keras.graph import made_by
from jkeras.keras.graph_copy import copy_graph
from jkeras.keras.input import InputLayer, InputSpec
from jkeras.keras.layer import Layer
from jkeras.keras.masks import mask_of, set_mask
from jkeras.keras.model import Model
from jkeras.keras.operation import Operation
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.tracking import DotNotTrackScope


class Functional(Function, Model):
    """A model from symbolic inputs to symbolic outputs, both possibly nested.

    Args:
        inputs: results of `Input`, or any symbolic tensors.
        outputs: symbolic tensors computed from them.
        name: None makes one.
        trainable: whether training changes the weights; None leaves the decision to the layers.

    Raises:
        InputError: one of them is not a symbolic tensor, or an output depends on something else.
    """

    keras_module = "keras.src.models.functional"

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any):
        inputs, outputs = kwargs.pop("input", inputs), kwargs.pop("output", outputs)  # their names in Keras 1
        trainable, dtype = kwargs.pop("trainable", None), kwargs.pop("dtype", None)
        _check_tensors(inputs=inputs, outputs=outputs)
        _warn_of_other_names(inputs)
        _warn_of_ignored(kwargs)
        if any(not _is_input(tensor) for tensor in tree.flatten(inputs)):
            inputs, outputs = copy_graph(inputs, outputs)
        with DotNotTrackScope():
            Function.__init__(self, inputs, outputs, name=name, dtype=dtype)
        for layer in self.layers:
            self._tracker.track(layer)
        if trainable is not None:
            self.trainable = trainable
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self.output_names = [tensor.history.operation.name for tensor in self._outputs]
        self.build(None)

    def _lock_state(self) -> None:
        """Does nothing: layers outside the graph may be attached at any time."""

    # -- the graph ------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, starting from the inputs."""
        return [operation for operation in self.operations if isinstance(operation, Layer)]

    @property
    def input(self) -> Any:
        """The symbolic inputs, in their original structure."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs, in their original structure."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of several."""
        return unpack_singleton([tensor.shape for tensor in self._inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of several."""
        return unpack_singleton([tensor.shape for tensor in self._outputs])

    @property
    def input_spec(self) -> Any:
        """The input specs, in the order of `inputs`; None if dicts are nested deeper."""
        if "_manual_input_spec" in vars(self):
            return self._manual_input_spec
        struct = self._inputs_struct
        if not isinstance(struct, dict):
            return [_input_spec(tensor) for tensor in self._inputs]
        if all(isinstance(tensor, KerasTensor) for tensor in struct.values()):
            return [_input_spec(struct[key], key) for key in sorted(struct)]
        return None

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._manual_input_spec = value

    # -- calling --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Does nothing: the layers were built when they were called on symbolic tensors."""
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """The outputs for given inputs.

        Args:
            inputs: values in the structure of the model's inputs, or a dict by name.
            training: passed to the layers that accept it.
            mask: masks in the structure of `inputs`.
            **kwargs: further arguments that layers registered for the whole call.
        """
        tensors = self._standardize_inputs(inputs)
        if mask is not None:
            for tensor, its_mask in zip(tensors, tree.flatten(mask), strict=False):
                if its_mask is not None:
                    set_mask(tensor, its_mask)
        context = {name: value for name, value in {"training": training, **kwargs}.items() if value is not None}
        outputs = self._run_through_graph(tensors, operation_fn=lambda operation: _with_context(operation, context))
        return unpack_singleton(outputs)

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return Function.compute_output_spec(self, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return Function.compute_output_shape(self, input_shape)

    def _assert_input_compatibility(self, *args: Any) -> None:
        self._check_present(tree.flatten(args[0]))
        Layer._assert_input_compatibility(self, *args)

    def _check_present(self, values: list[Any]) -> None:
        for value, tensor in zip(values, self._inputs, strict=False):
            layer = tensor.history.operation
            if value is None and isinstance(layer, InputLayer) and not layer.optional:
                raise InputError(
                    f"The input '{tensor.name}' is not optional, but None was passed. Please provide a valid tensor."
                )

    def _standardize_inputs(self, inputs: Any) -> list[Any]:
        """The inputs as a flat list of arrays with the expected dtypes and ranks."""
        struct = self._inputs_struct
        flat = tree.flatten(self._ordered(inputs))
        self._check_present(flat)
        converted = [
            value if value is None or isinstance(value, KerasTensor) else _converted(value, tensor.dtype)
            for value, tensor in zip(flat, self._inputs, strict=False)
        ]
        adjusted = []
        for place, (value, tensor) in enumerate(zip(converted, self._inputs, strict=False)):
            new = value if value is None else self._with_rank(value, tensor, place, struct)
            mask = None if flat[place] is None else mask_of(flat[place])
            if mask is not None:
                set_mask(new, mask)
            adjusted.append(new)
        return adjusted

    def _ordered(self, inputs: Any) -> Any:
        """The inputs in the structure of the model's own, if it can be inferred.

        Raises:
            InputError: a dict lacks names, or has no counterpart.
        """
        struct = self._inputs_struct
        fits = True
        if isinstance(struct, list) and len(struct) == 1 and ops.is_tensor(inputs):
            inputs = [inputs]
        elif isinstance(inputs, dict) and not isinstance(struct, dict):
            tensors = [struct] if isinstance(struct, KerasTensor) else struct
            names = [tensor.name for tensor in tensors] if _all_tensors(tensors) else None
            fits = names is not None and set(names) <= set(inputs)
            inputs = [inputs[name] for name in names or ()] if fits else inputs
        elif isinstance(struct, dict) and not isinstance(inputs, dict):
            fits = list(struct) == sorted(struct)  # otherwise the assignment of values is ambiguous
        try:
            tree.assert_same_structure(tree.lists_to_tuples(inputs), tree.lists_to_tuples(struct))
        except ValueError:
            expected = tree.map_structure(lambda tensor: tensor.name, struct)
            specs = tree.map_structure(lambda value: f"Tensor(shape={getattr(value, 'shape', None)})", inputs)
            message = (
                f"The structure of `inputs` doesn't match the expected structure.\nExpected: {expected}\n"
                f"Received: inputs={specs}"
            )
            if not fits:
                raise InputError(message) from None
            if not (isinstance(inputs, (list, tuple)) and isinstance(struct, KerasTensor) and len(inputs) == 1):
                warnings.warn(message, stacklevel=2)
        return inputs

    def _with_rank(self, value: Any, tensor: KerasTensor, place: int, struct: Any) -> Any:
        """Adds or removes a last axis of size 1 if the rank differs by one from the expected rank."""
        rank, expected = len(value.shape), len(tensor.shape)
        if rank == expected:
            return value
        if rank == expected + 1 and value.shape[-1] == 1:
            return ops.squeeze(value, axis=-1)
        if rank == expected - 1 and tensor.shape[-1] == 1:
            return ops.expand_dims(value, axis=-1)
        path = ".".join(map(str, tree.flatten_with_path(struct)[place][0]))
        raise InputError(
            f"Invalid input shape for input {value} with name '{tensor.name}' and path '{path}'."
            f" Expected shape {tensor.shape}, but input has incompatible shape {value.shape}"
        )

    def add_loss(self, loss: Any) -> None:
        """Not supported, as in Keras: add losses inside a layer's `call`."""
        raise NotImplementedError(
            "Losses cannot be added to a functional model: call `add_loss` in the `call` of a layer."
        )

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The graph with the configurations of its layers; for a subclass with another constructor, `Model`'s configuration."""
        if not functional_like_constructor(type(self)):
            return Model.get_config(self)
        return functional_config.write(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The model that `get_config` described."""
        if functional_config.is_graph(config):
            return functional_config.read(cls, config, custom_objects)
        return super().from_config(config, custom_objects=custom_objects)


def functional_like_constructor(cls: type) -> bool:
    """Whether a class accepts the arguments of `Functional`, or any."""
    spec = inspect.getfullargspec(cls.__init__)
    own = inspect.getfullargspec(Functional.__init__)
    return spec.args[1:] == own.args[1:] or (spec.varargs is not None and spec.varkw is not None)


def unpack_singleton(value: Any) -> Any:
    """The only element of a list or tuple of length one; anything else unchanged."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _with_context(operation: Operation, context: Mapping[str, Any]) -> Callable[..., Any]:
    """The operation with those arguments of the whole call that it accepts."""
    if not context or not isinstance(operation, Layer):
        return operation
    accepted = {name: value for name, value in context.items() if operation._call_has_context_arg.get(name)}
    return (lambda *args, **kwargs: operation(*args, **{**kwargs, **accepted})) if accepted else operation


def _converted(value: Any, dtype: str) -> Any:
    return np.asarray(value) if dtype == "string" else ops.convert_to_tensor(value, dtype=dtype)


def _all_tensors(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(value, KerasTensor) for value in values)


def _is_input(tensor: KerasTensor) -> bool:
    node = made_by(tensor)
    return node is not None and node.is_input


def _input_spec(tensor: KerasTensor, name: str | None = None) -> InputSpec:
    layer = tensor.history.operation
    return InputSpec(
        shape=(None, *tensor.shape[1:]) if tensor.shape else (),
        allow_last_axis_squeeze=True,
        name=layer.name if name is None else name,
        optional=isinstance(layer, InputLayer) and layer.optional,
    )


def _check_tensors(**values: Any) -> None:
    for argument, value in values.items():
        for leaf in tree.flatten(value):
            if not isinstance(leaf, KerasTensor):
                raise InputError(
                    f"All `{argument}` values must be KerasTensors. Received: {argument}={value} including invalid value"
                    f" {leaf} of type {type(leaf)}"
                )


def _warn_of_ignored(arguments: Mapping[str, Any]) -> None:
    """Libraries hand on what their own classes were given; Keras ignores it without a word."""
    if arguments:
        warnings.warn(
            f"A model of `inputs` and `outputs` has no arguments {', '.join(sorted(arguments))}: they are ignored, as in Keras.",
            stacklevel=3,
        )


def _warn_of_other_names(inputs: Any) -> None:
    for key, tensor in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(tensor, KerasTensor) and key != tensor.name:
            warnings.warn(
                "When providing `inputs` as a dict, all keys in the dict must match the names of the corresponding tensors."
                f" Received key '{key}' mapping to value {tensor} which has name '{tensor.name}'. Change the tensor name to"
                f" '{key}' (via `Input(..., name='{key}')`)",
                stacklevel=3,
            )
