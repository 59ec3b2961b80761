"""`BuiltinLayer`: the common base of facades of built-in layers, between the core's descriptions and `Layer`."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax
import numpy as np

from jkeras import tree
from jkeras.graph import layer as graph_layer
from jkeras.graph.describe import has_rule
from jkeras.graph.inner_forms import formed, read_forms, written_policies
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.shapes import Shape
from jkeras.keras import activations, constraints, dtype_policies, initializers, lambdas, regularizers, saving
from jkeras.keras.call_spec import CallSpec, call_signature
from jkeras.keras.inner_steps import Steps, check_steps
from jkeras.keras.layer import Layer, is_shape
from jkeras.keras.mutable import Mutable, facade_of
from jkeras.keras.operation import Operation
from jkeras.keras.seeds import SeedGenerator
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import Variable
from jkeras.keras.views import assign
from jkeras.layers.quantizable import FORM
from jkeras.layers.recurrent.stacked import StackedRNNCells
from jkeras.values.spec import Field, Spec, serialize

BASE_ARGUMENTS = tuple(graph_layer.Layer._fields)


def _stacked(cell: Any) -> Any:
    """Stacked cells as a mutable object; the core would create an immutable value."""
    return facade_of(StackedRNNCells)(cell) if isinstance(cell, (list, tuple)) else cell


# Conversions of arguments, by the last word of their name.
_READERS = {
    "cell": _stacked,
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


class BuiltinLayer(Layer):
    """Base of the facades."""

    # Attributes whose sublayers' weights a computation reads; see `views.view_of`.
    _inner_attributes: ClassVar[tuple[str, ...]] = ()
    # Arguments of older versions that the description accepts.
    _old_arguments: ClassVar[tuple[str, ...]] = ()
    # Those among them that become attributes.
    _kept_arguments: ClassVar[tuple[str, ...]] = ()
    # Attributes to which `Layer` assigns other values after the constructor.
    _flags: ClassVar[Mapping[str, Any]] = {}
    # The attribute of the seed generator, and the condition for having one.
    _seeded: ClassVar[Any] = None
    # Whether the layer supports masks, if the class alone does not determine it.
    _masks_on: ClassVar[Any] = None
    # Whether the core has a description of this layer with the same weights.
    _has_value: ClassVar[bool] = True
    # Steps of Keras's computation that this class does not take; see `inner_steps`.
    _steps_not_taken: ClassVar[Steps] = {}
    # The axes of the input whose sizes determine the weights.
    _sized_axes: ClassVar[Any] = None

    # -- constructor ----------------------------------------------------------------------------------------------

    def _begin_construction(self, values: dict[str, Any], dtype: Any, input_shape: Any = None) -> None:
        """The first part of the constructor: passes arguments to `Layer`'s constructor; the rest become attributes."""
        check_steps(type(self), "construction")
        base = {name: values.pop(name) for name in BASE_ARGUMENTS if name in values}
        base["dtype"] = base.get("dtype") if dtype is None else dtype
        Layer.__init__(self, **base)
        own = vars(self)
        if input_shape is not None:
            own["_input_shape_arg"] = input_shape
        for name, value in values.items():
            own[name] = self._tracker.track(self._adopt(value, name))

    def _finish_construction(self) -> None:
        """The last part of the constructor, after the description's own."""
        own = vars(self)
        own.update(self._flags)
        if self._masks_on is not None:
            self.supports_masking = bool(self._masks_on(self))
        if self._seeded is not None and self._seeded(self):
            self.seed_generator = SeedGenerator(self.seed)
        own["_described"] = tuple(name for name in own if not name.startswith("_") or name.startswith("_spec_"))
        own["_assigned"] = ()
        self._build_at_init()

    @classmethod
    def _convert(cls, name: str, f: Field, value: Any) -> Any:
        reader = _READERS.get(name.rpartition("_")[2])
        if reader is None or f.convert is None:
            return super()._convert(name, f, value)
        value = reader(value)
        checked = super()._convert(name, f, value)
        # A function of the user's stays what it is, where the core makes a value of it.
        return value if callable(value) and not isinstance(value, Spec) else checked

    # -- attributes -----------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        if "_cells" in own:
            assign(self, name, value)
            return
        if "_assigned" in own and name in type(self)._fields and name not in own["_assigned"]:
            own["_assigned"] = (*own["_assigned"], name)
        super().__setattr__(name, value)

    def _adopt(self, value: Any, name: str = "layer") -> Any:
        """Converts descriptions of the core to objects; layers get the name of the attribute and this layer's dtypes."""
        if isinstance(value, (tuple, list)):
            return type(value)(self._adopt(part, f"{name}_{place}") for place, part in enumerate(value))
        if not isinstance(value, Spec) or isinstance(value, (Layer, Mutable)):
            return value
        facade = facade_of(type(value))
        if facade is None:
            return value
        if not issubclass(facade, BuiltinLayer):
            return facade(**{key: self._adopt(part) for key, part in value._arguments().items()})
        value = formed(self._inner_forms, name, value)
        layer = facade.__new__(facade)
        own = {key: part for key, part in vars(value).items() if key not in ("_spec_arguments", "_spec_key")}
        own.update(
            name=value.name or name,
            dtype=value.dtype or self.dtype_policy,
            trainable=value.trainable and self.trainable,
        )
        layer._begin_construction(own, None)
        layer._finish_construction()
        return layer

    @property
    def _runs_on_view(self) -> bool:
        """Whether `call` is the core's rather than a user's."""
        return getattr(type(self).call, "runs_on_view", False)

    def _fix_sizes(self, *shapes: Any, **named: Any) -> None:
        """Records the sizes of the input for which the weights were created."""
        if self._sized_axes is not None:
            shape = next(iter((*shapes, *named.values())))
            spec = self.input_spec
            axes = self._sized_axes(self, shape)
            if spec is None or spec.min_ndim is not None:
                self.input_spec = InputSpec(min_ndim=2 if spec is None else spec.min_ndim, axes=axes)
            else:
                self.input_spec = InputSpec(ndim=spec.ndim, axes=axes)

    # -- shapes ---------------------------------------------------------------------------------------------------

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors with the shapes and dtypes of the outputs."""
        if type(self).compute_output_shape is not BuiltinLayer.compute_output_shape:
            return super().compute_output_spec(*args, **kwargs)
        return self._traced_spec(args, kwargs)

    def _traced_spec(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Symbolic tensors with the shapes and dtypes of `call`'s results."""
        if not self.built:
            return self._spec_before_build(args, kwargs)
        args, kwargs = tree.map_structure(self._converted, (args, kwargs))
        known = self._known_spec(args, kwargs)
        if known is not None:
            return known
        with self._autocast_scope() or contextlib.nullcontext():
            return Operation.compute_output_spec(self, *args, **kwargs)

    def _known_spec(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> KerasTensor | None:
        """The same, by the description's rule, if it has one and its `call` is used."""
        tensor = args[0] if len(args) == 1 and kwargs.keys() <= {"training", "mask"} else None
        if not isinstance(tensor, KerasTensor) or tensor.sparse or tensor.dtype != self.compute_dtype:
            return None
        if "call" in vars(self) or not _has_known_output(type(self)):
            return None
        output = self.known_output(Shape(tensor.shape, tensor.dtype))
        return None if output is None else KerasTensor(output.shape, output.dtype)

    def _spec_before_build(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The same for a layer without weights, without creating any."""
        twin = copy.deepcopy(self)
        twin._maybe_build(CallSpec(call_signature(twin), twin._call_context_args, args, kwargs))
        return twin._traced_spec(args, kwargs) if twin.built else twin(*args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for given input shapes."""
        if not args and not kwargs:  # called from a subclass's method that has no shapes
            return super().compute_output_shape()
        parameters = self.call_signature_parameters
        named = {key.removesuffix("_shape"): shape for key, shape in kwargs.items()}
        named = {(key if key in parameters else parameters[0]): shape for key, shape in named.items()}
        args, named = _symbols((list(args), named), self.compute_dtype)
        # Not `compute_output_spec`, which calls this method if a subclass overrides it.
        outputs = self._traced_spec(tuple(args), named)
        return tree.map_structure(lambda tensor: tensor.shape, outputs)

    # -- configuration --------------------------------------------------------------------------------------------

    def _arguments(self) -> dict[str, Any]:
        own = vars(self)
        return {name: own[name] if name in own else getattr(self, name) for name in type(self)._fields}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        fields = type(self)._fields
        config = {name: _written(value) for name, value in self._arguments().items() if fields[name].in_config}
        config["dtype"] = dtype_policies.serialize(self.dtype_policy)
        if not isinstance(self._dtype_policy, Mapping):
            config["dtype"] = written_policies(config["dtype"], self._forms_made())
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    def _changed_form(self) -> dict[str, Any]:
        """The changes to this layer after its creation by the enclosing layer, as arguments."""
        return {}

    def _forms_made(self) -> dict[str, dict[str, Any]]:
        """The changed forms of layers that `build` created or will create, by attribute."""
        if not self.built:
            return {name: dict(form) for name, form in self._inner_forms.items()}
        own = vars(self)
        built_forms = {
            name: part for name, part in own.items() if isinstance(part, BuiltinLayer) and name not in own["_described"]
        }
        return {name: form for name, part in built_forms.items() if (form := part._changed_form())}

    def _take_forms(self, written: Any) -> None:
        """Makes `build` create layers in the form that a configuration specifies."""
        vars(self)["_inner_forms"] = read_forms(written, FORM, f"the layer {self.name!r}")

    def _written_beside(self) -> dict[str, Any]:
        forms = self._forms_made()
        return {"inner_layers": serialize(forms)} if forms else {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """Restores a layer from `get_config()`; `custom_objects` are classes by name for sublayers."""
        return super().from_config(
            {name: value if name == "dtype" else _read(value, custom_objects) for name, value in config.items()}
        )

    def replace(self, **changes: Any) -> Self:
        """Changes arguments of this layer in place, where descriptions would return a copy."""
        for name, value in changes.items():
            setattr(self, name, type(self)._convert(name, type(self)._fields[name], value))
        self.__post_init__()
        return self


@functools.lru_cache(maxsize=1024)
def _has_known_output(cls: Any) -> bool:
    """Whether a class builds and computes like a description with a known output shape."""
    facade = facade_of(cls.description)
    if cls.build is not facade.build or cls.call is not facade.call:
        return False
    owner = next(base for base in facade.__mro__ if "known_output" in vars(base))
    return (issubclass(owner, Layer) and owner.is_facade()) or has_rule(cls.description, "known_output")


def _symbols(shapes: Any, dtype: str) -> Any:
    if is_shape(shapes) and shapes:
        return KerasTensor(shapes, dtype)
    if isinstance(shapes, dict):
        return {key: _symbols(part, dtype) for key, part in shapes.items()}
    return type(shapes)(_symbols(part, dtype) for part in shapes) if isinstance(shapes, (list, tuple)) else shapes


def _written(value: Any) -> Any:
    """A value in the form of a configuration; tuples remain tuples."""
    if isinstance(value, (Layer, Mutable)):
        return saving.serialize_keras_object(value)
    if isinstance(value, Spec):
        return serialize(value)
    if isinstance(value, (list, tuple)):
        return (
            type(value)(_written(part) for part in value)
            if type(value) is tuple
            else [_written(part) for part in value]
        )
    if isinstance(value, Mapping):
        return {key: _written(part) for key, part in value.items()}
    if isinstance(value, (np.ndarray, np.generic, jax.Array, Variable)):
        return np.asarray(value).tolist()
    if callable(value) and hasattr(value, "__name__"):
        return lambdas.written(value) if value.__name__ == "<lambda>" else activations.serialize(value)
    return value


def _read(value: Any, custom_objects: Any) -> Any:
    """A value from a configuration, with configurations converted to layers and other objects."""
    if isinstance(value, Mapping) and "class_name" in value and "config" in value:
        return saving.deserialize_keras_object(dict(value), custom_objects=custom_objects)
    return type(value)(_read(part, custom_objects) for part in value) if type(value) in (list, tuple) else value
