"""`Sequential`: a model that is a stack of layers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Self

from jkeras import tree
from jkeras.errors import ArgumentError, InputError
from jkeras.keras.dtypes import standardize_shape
from jkeras.keras.functional import Functional
from jkeras.keras.input import InputLayer
from jkeras.keras.layer import Layer
from jkeras.keras.masks import masks_of
from jkeras.keras.model import Model
from jkeras.keras.old_configs import object_from
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.tensor import KerasTensor
from jkeras.tracebacks import filtered_methods


@filtered_methods("add", "pop", "build")
class Sequential(Model):
    """A stack of layers.

    It is built as soon as the input shape is known: from an `Input` at the beginning, from `build`, or from the first data.

    Args:
        layers: the initial layers.
        trainable: whether training changes the weights.
        name: None makes one.

    Raises:
        ArgumentError: an added object is not a layer, a name is used twice, or shapes contradict each other.
    """

    def __init__(self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None):
        super().__init__(trainable=trainable, name=name)
        self._functional: Functional | None = None
        self._layers: list[Layer] = []
        self._names: set[str] = set()
        if layers is not None and not isinstance(layers, Iterable):
            raise ArgumentError(f"Sequential(layers={layers!r}): expected a list; write `Sequential([layer])`.")
        if layers:
            self._extend(layers)

    # -- the stack ------------------------------------------------------------------------------------------------

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Adds a layer at the end.

        Args:
            layer: the layer, or the result of `Input`.
            rebuild: whether to rebuild the model immediately.
        """
        self._append(layer)
        if rebuild:
            self._maybe_rebuild()
        else:
            self.built = False
            self._functional = None

    def _extend(self, layers: Iterable[Any]) -> None:
        """Adds several layers and builds once, so that the time is linear in their number."""
        for layer in layers:
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def _append(self, layer: Any) -> None:
        shape = getattr(layer, "_input_shape_arg", None)
        if not self._layers and shape is not None:
            self._append(InputLayer(shape=shape))
        if isinstance(layer, KerasTensor) and layer.history is not None:
            origin = layer.history.operation
            layer = origin if isinstance(origin, InputLayer) else layer
        if not isinstance(layer, Layer):
            raise ArgumentError(
                "Only instances of `keras.Layer` can be added to a Sequential model."
                f" Received: {layer} (of type {type(layer)})"
            )
        # Layers are only searched if the name has been used, so that the time is linear in their number.
        if layer.name in self._names and any(o.name == layer.name and o is not layer for o in self._layers):
            raise ArgumentError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the name of"
                " a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._layers and isinstance(self._layers[0], InputLayer):
            raise ArgumentError(
                f"Sequential model '{self.name}' has already been configured to use input shape"
                f" {self._layers[0].batch_shape}. You cannot add a different Input layer to it."
            )
        self._names.add(layer.name)
        self._layers.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer and returns it."""
        layer = self._layers.pop()
        self.built = False
        self._functional = None
        if rebuild:
            self._maybe_rebuild()
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        return list(self._layers[1:] if self._input_layer is not None else self._layers)

    @layers.setter
    def layers(self, _: Any) -> NoReturn:
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used."
            " Use `add()` and `pop()` to change the layers in this model."
        )

    @property
    def _input_layer(self) -> InputLayer | None:
        first = self._layers[0] if self._layers else None
        return first if isinstance(first, InputLayer) else None

    # -- building -------------------------------------------------------------------------------------------------

    def _maybe_rebuild(self) -> None:
        self.built = False
        self._functional = None
        if len(self._layers) < 2:
            return
        first = self._layers[0]
        if isinstance(first, InputLayer):
            self.build(first.batch_shape)
        elif hasattr(first, "input_shape"):  # a model with a known input shape
            self.build(first.input_shape)

    def _lock_state(self) -> None:
        """Layers can be added at any time."""

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers for an input shape, including the batch axis; with several inputs, building waits for data."""
        try:
            shape = standardize_shape(input_shape)
        except (ValueError, TypeError):
            return
        if not self._layers:
            raise ArgumentError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call `model.add(layer)`."
            )
        first = self._input_layer
        if first is None:
            first = InputLayer(batch_shape=shape, dtype=self._layers[0].compute_dtype)
            self._layers = [first, *self._layers]
        elif first.batch_shape != shape:
            raise ArgumentError(
                f"Sequential model '{self.name}' has already been configured to use input shape {first.batch_shape}."
                f" You cannot build it with input_shape {shape}"
            )
        tensor = first.output
        for layer in self._layers[1:]:
            try:
                tensor = layer(tensor)
            except NotImplementedError:  # the output shape is unknown before the first run
                return
            except TypeError:
                _check_signature(layer)
                raise
        self._functional = Functional(inputs=first.output, outputs=tensor)

    # -- calling --------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """The output of the last layer."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask, **kwargs)
        outputs = inputs
        for layer in self.layers:
            keywords = {"mask": mask, "training": training}
            context_names = {name for name, accepts in layer._call_has_context_arg.items() if accepts}
            context_names |= {"mask"} if layer._call_has_mask_arg else set()
            context = {**kwargs, **{name: value for name, value in keywords.items() if value is not None}}
            outputs = layer(outputs, **{name: value for name, value in context.items() if name in context_names})
            mask = masks_of(outputs)
            mask = None if all(part is None for part in tree.flatten(mask)) else mask
        return outputs

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        if self._functional is not None:
            return self._functional.compute_output_spec(inputs, training=training, mask=mask, **kwargs)
        for layer in self.layers:
            context = {"training": training} if layer._call_has_training_arg else {}
            inputs = layer.compute_output_spec(inputs, **context, **kwargs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._functional is not None:
            return self._functional.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    # -- the graph, once it is built ------------------------------------------------------------------------------

    def _built_graph(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(f"Sequential model '{self.name}' has no defined {what} yet.")
        return self._functional

    @property
    def input_shape(self) -> Any:
        """The shape of the input, including the batch axis."""
        return self._built_graph("input shape").input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output, including the batch axis."""
        return self._built_graph("output shape").output_shape

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input, in a list."""
        return self._built_graph("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output, in a list."""
        return self._built_graph("outputs").outputs

    @property
    def input_dtype(self) -> str:
        """The type that inputs are cast to."""
        return super().input_dtype if self._input_layer is None else self._input_layer.dtype

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The configurations of the layers, and the shape of the input if it is known."""
        config = {**Model.get_config(self), "name": self.name}
        config["layers"] = copy.deepcopy([serialize_keras_object(layer) for layer in self._layers])
        if self._functional is not None:
            config["build_input_shape"] = self._layers[0].batch_shape
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Restores a model from `get_config()`.

        Raises:
            InputError: the configuration does not describe a sequential model.
        """
        if "name" not in config:
            raise InputError(
                "A Sequential model configuration must be a dictionary containing the 'name' and 'layers' keys."
                f" Received: config={config}"
            )
        model = cls(name=config["name"])
        model._extend(object_from(layer, custom_objects) for layer in config["layers"])
        shape = config.get("build_input_shape")
        if model._functional is None and shape and isinstance(shape, (tuple, list)):
            model.build(shape)
        return model


def _check_signature(layer: Layer) -> None:
    """Raises an error for a layer that does not take exactly one tensor."""
    parameters = inspect.signature(layer.call).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    if not positional:
        raise InputError(
            "Layers added to a Sequential model should have a single positional argument, the input tensor."
            f" Layer {type(layer).__name__} has no positional arguments."
        )
    if len(required) > 1:
        raise InputError(
            "Layers added to a Sequential model can only have a single required positional argument, the input tensor."
            f" Layer {type(layer).__name__} has multiple required positional arguments: {required}"
        )
