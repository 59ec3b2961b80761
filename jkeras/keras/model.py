"""`Model`: a layer with training, inspection and saving; the base of functional, sequential and subclassed models."""

from __future__ import annotations

import copyreg
import importlib
import io
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Self

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.keras import state_tree
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.layer import Layer
from jkeras.keras.model_quantization import quantize_model
from jkeras.keras.trainer import Trainer
from jkeras.keras.variables import Variable
from jkeras.tracebacks import filtered_methods


@filtered_methods("get_layer", "summary", "save", "save_weights", "load_weights")
class Model(Trainer, Layer):
    """A model: `Model(inputs, outputs)` over symbolic tensors, or a subclass with layers as attributes and a `call`.

    >>> import jkeras.keras as keras
    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    >>> type(model).__name__, model.count_params()
    ('Functional', 10)
    """

    keras_module = "keras"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        kwargs = _today(kwargs)
        if cls is Model and has_functional_arguments(args, kwargs):
            from jkeras.keras.functional import Functional

            return Functional.__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        Trainer.__init__(self)
        kwargs = _today(kwargs)
        if has_functional_arguments(args, kwargs):
            from jkeras.keras.functional import Functional

            _insert_functional(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
        else:
            Layer.__init__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs; subclasses define it."""
        raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    # -- looking inside -------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return list(self._flatten_layers(include_self=False, recursive=False))

    @layers.setter
    def layers(self, _: Any) -> NoReturn:
        raise AttributeError("`Model.layers` attribute is reserved and should not be used. Please use another name.")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer with a name, or at an index.

        Raises:
            ValueError: there is no such layer, or not exactly one of the two arguments was passed.
        """
        layers = self.layers
        if index is not None and name is not None:
            raise ArgumentError(f"Provide only a layer name or a layer index. Received: index={index}, name={name}.")
        if index is not None:
            arguments.checked("get_layer", "index", index, arguments.integer)
            if len(layers) <= index:
                raise ArgumentError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if name is None:
            raise ArgumentError("Provide either a layer name or layer index at `get_layer`.")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints the layers, their output shapes and their numbers of weights."""
        from jkeras.keras.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    @property
    def value(self) -> Any:
        """The immutable model (`jkeras.Model`) with the current values of the variables."""
        from jkeras.keras.value import to_value

        return to_value(self)

    # -- arrays ---------------------------------------------------------------------------------------------------

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The arrays of all variables in four groups, as dicts nested by path.

        Args:
            value_format: "backend_tensor" or "numpy_array".
        """
        return {name: state_tree.nested(cells, value_format) for name, cells in self._state_groups().items()}

    def set_state_tree(self, tree: Mapping[str, Any]) -> None:
        """Assigns the result of `get_state_tree`, or a part of it."""
        groups = self._state_groups()
        for name, values in tree.items():
            if name not in groups:
                raise ArgumentError(f"Unknown variable name: {name}. Expected one of {sorted(groups)}.")
            state_tree.assign(groups[name], values)

    def _state_groups(self) -> dict[str, list[Variable]]:
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": list(getattr(optimizer_of(self), "variables", ())),
            "metrics_variables": self.metrics_variables,
        }

    # -- files ----------------------------------------------------------------------------------------------------

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes architecture, weights and training configuration; the same as `keras.saving.save_model`."""
        from jkeras.keras.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Writes the weights to a `.weights.h5` file, or to several with an index in a `.weights.json` file."""
        from jkeras.keras.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Loads the weights from a weights file or the file of a model."""
        from jkeras.keras.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes the prediction program with its weights, like `jkeras.Model.export` (`format="stablehlo"`)."""
        self.value.export(filepath, format, verbose, input_signature, **kwargs)

    def quantize(self, mode: Any = None, config: Any = None, filters: Any = None, **kwargs: Any) -> None:
        """Quantises all layers whose class supports it; see `Layer.quantize`.

        Args:
            mode: "int8", "int4", "float8", "gptq" or "awq".
            config: a configuration of `keras.quantizers`; None takes the mode's default.
            filters: selects layers: one or more regular expressions to search for in their names, or a function of the layer.

        Raises:
            ValueError: an argument is unknown or not allowed, or a layer is quantised or not built.
        """
        quantize_model(self, mode, config, filters, kwargs)

    def get_quantization_layer_structure(self, mode: Any = None) -> Any:
        """The blocks of the model in order, for modes with calibration data; subclasses may override it.

        Returns:
            None, or `{"pre_block_layers": [...], "sequential_blocks": [...]}`.
        """
        return None

    def __reduce__(self) -> Any:
        from jkeras.keras.files import load_from, save_to

        if not self.built and type(self).get_config is Model.get_config and not _is_plain_model(type(self)):
            return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]
        buffer = io.BytesIO()
        save_to(self, buffer)
        return load_from, (buffer.getvalue(), type(self))

    # -- configuration --------------------------------------------------------------------------------------------

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON; `keras.models.model_from_json` reads it."""
        from jkeras.keras.saving import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Restores a model from `get_config()`: from its graph, or by passing the entries to the constructor.

        Raises:
            TypeError: the constructor does not accept them.
        """
        from jkeras.keras import functional, functional_config
        from jkeras.keras.saving import custom_object_scope

        if functional_config.is_graph(config) and (cls is Model or functional.functional_like_constructor(cls)):
            return functional_config.read(cls, config, custom_objects)
        try:
            with custom_object_scope(custom_objects or {}):
                return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"Unable to revive model from config: {cls.__name__}.__init__ must take what its `get_config()` returns, or"
                f" the class needs its own `from_config(cls, config)`.\n\nReceived config={config}\n\n"
                f"Error encountered during deserialization: {error}"
            ) from error

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Creates the weights for the shapes from `get_build_config`, with `build` or by calling the model."""
        if not config:
            return
        named = config.get("shapes_dict")
        if "input_shape" not in config and named is None:
            done = False
        elif type(self).build is Layer.build:
            shape = config.get("input_shape")
            done = (
                self._build_by_run_for_kwargs(named)
                if named is not None
                else self._build_by_run_for_single_pos_arg(shape)
            )
        else:
            done = self._builds(named, config.get("input_shape"))
        if "input_shape" in config or named is not None:
            vars(self)["_build_shapes_dict"] = dict(config if named is None else named)
        if not done:
            warnings.warn(
                f"Model '{self.name}' had a build config, but the model cannot be built automatically in"
                " `build_from_config(config)`. You should implement `def build_from_config(self, config)`, and you might also"
                " want to implement the method that generates the config at saving time, `def get_build_config(self)`. The"
                " method `build_from_config()` is meant to create the state of the model (i.e. its variables) upon"
                " deserialization.",
                stacklevel=2,
            )

    def _builds(self, named: Mapping[str, Any] | None, shape: Any) -> bool:
        try:
            if named is None:
                self.build(shape)
            else:
                self.build(**named)  # type: ignore[call-arg]
        except Exception:
            return False
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def has_functional_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether these are `inputs` and `outputs`."""
    both = "inputs" in kwargs and "outputs" in kwargs
    return len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or both


def _today(arguments: dict[str, Any]) -> dict[str, Any]:
    """Renames Keras 1's arguments `input` and `output` to `inputs` and `outputs`."""
    old = {"input": "inputs", "output": "outputs"}
    return (
        {old.get(name, name): value for name, value in arguments.items()} if set(old) <= set(arguments) else arguments
    )


def _is_plain_model(cls: type) -> bool:
    return cls.__module__.startswith("jkeras.")


def _insert_functional(cls: Any) -> Any:
    """Replaces `Model` by `Functional` among the bases of a class that turned out to be functional."""
    from jkeras.keras.functional import Functional

    if cls is Model:
        return Functional
    if Model not in cls.__mro__ or Functional in cls.__mro__:  # without classes added by `register`
        return cls
    cls.__bases__ = tuple(_insert_functional(base) for base in cls.__bases__)
    Functional.register(cls)  # `isinstance` may have cached an earlier result
    return cls


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores a model from `model.to_json()`, with fresh weights and not compiled."""
    from jkeras.keras.saving import deserialize_keras_object

    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)


def __getattr__(name: str) -> Any:
    """Some scripts import from `keras.model` instead of `keras.models`."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("jkeras.keras.models"), name)
