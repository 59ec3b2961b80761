"""`Layer`: a mutable object that owns variables and runs itself, with Keras's protocol.

It extends the description of a layer in the core, so that a facade of a built-in class (see `facades.py`) takes `build`, `call`,
`compute_mask` and its configuration from the description, and everything that is about objects from here.
"""

from __future__ import annotations

import gc
import inspect
import warnings
from collections.abc import Container, Mapping
from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.graph import layer as graph_layer
from jkeras.keras import dtype_policies, regularizers
from jkeras.keras.call_spec import CallSpec, call_signature, current_call
from jkeras.keras.layer_builds import LayerBuilds, around_build, is_shape
from jkeras.keras.layer_calls import LayerCalls
from jkeras.keras.layer_state import LayerState
from jkeras.keras.mutable import MutableMeta
from jkeras.keras.operation import Operation, written_arguments
from jkeras.keras.rematerialization import get_current_remat_mode
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import Variable
from jkeras.quantization import configs


class LayerMeta(MutableMeta):
    """Metaclass of layers: wraps each `build` where it is defined."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> LayerMeta:
        build = namespace.get("build")
        if inspect.isfunction(build):
            namespace = {**namespace, "build": around_build(build)}
        return super().__new__(mcls, name, bases, namespace, **kwargs)  # type: ignore[return-value]


class Layer(LayerState, LayerCalls, LayerBuilds, Operation, graph_layer.Layer, metaclass=LayerMeta):
    """Base of all layers: variables, and a computation on tensors.

    Args:
        activity_regularizer: adds a penalty on the output, divided by the batch size, to the loss.
        trainable: whether training changes the variables.
        dtype: a dtype or policy; None means the global policy.
        autocast: whether floating-point inputs are cast to the compute dtype.
        name: None makes one.

    Raises:
        ValueError: an argument is unknown or not allowed.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
    ...     def call(self, x):
    ...         return x * self.gain
    >>> layer = Scale(name="scale")
    >>> layer(np.ones((1, 2), "float32")).tolist(), layer.gain.path
    ([[1.0, 1.0]], 'scale/gain')
    """

    # The core class of which this class is the facade; None for users' classes and bases.
    description: ClassVar[Any] = None
    overrides: ClassVar[tuple[str, ...]] = ()
    # True until the constructor below has run.
    _lock = True

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._initialize_tracker()
        Operation.__init__(self, name=name)
        input_shape = legacy_input_shape(kwargs)
        if kwargs:
            raise ArgumentError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if not isinstance(trainable, (bool, np.bool_)):
            raise ArgumentError(
                f"Expected `trainable` to be a boolean. Received: trainable={trainable} (of type {type(trainable)})"
            )
        own = vars(self)
        if input_shape is not None:
            own["_input_shape_arg"] = input_shape
        parameters = call_signature(self).parameters
        own.update(
            _lock=False,
            _dtype_policy=dtype_policies.get(dtype),
            activity_regularizer=regularizers.get(activity_regularizer),
            autocast=autocast,
            built=False,
            supports_jit=True,
            _trainable=bool(trainable),
            _path=None,
            _parent_path=None,
            _input_spec=None,
            _called=False,
            _losses=[],
            _loss_ids=set(),
            _remat_mode=get_current_remat_mode(),
            _losses_override=[],
            _build_shapes_dict=None,
            _supports_masking=type(self).compute_mask is not Layer.compute_mask,
            _convert_input_args=True,
            _allow_non_tensor_positional_args=False,
            _call_context_args={"training"},
            _call_has_context_arg={"training": "training" in parameters},
            call_signature_parameters=list(parameters),
        )

    # -- to override ----------------------------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise self._not_implemented_error("call")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output."""
        return previous_mask

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for shapes of the inputs."""
        raise self._not_implemented_error(
            "compute_output_shape", "Should implement `def compute_output_shape(self, input_shape)`."
        )

    # -- attributes -----------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        tracker = own.get("_tracker")
        if tracker is None:
            self._initialize_tracker()
            tracker = own["_tracker"]
        value = tracker.track(self._adopt(value, name))
        tracker.version += current_call.get() is None
        object.__setattr__(self, name, value)

    def _written_beside(self) -> dict[str, Any]:
        # As in Keras, a user's class must include its contents in its configuration.
        return {}

    def _take_forms(self, written: Any) -> None:
        """Makes `build` create layers in the form that a configuration specifies; built-in layers only."""

    def _adopt(self, value: Any, name: str) -> Any:
        """The value to store for a value that is assigned to an attribute."""
        return value

    def __delattr__(self, name: str) -> None:
        value = getattr(self, name)
        object.__delattr__(self, name)
        if isinstance(value, Variable):
            self._untrack_variable(value)
            del value
            gc.collect()  # to free the array's memory immediately

    def __getstate__(self) -> dict[str, Any]:
        # Without compiled programs.
        return {name: value for name, value in vars(self).items() if name != "_compiled_call"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Not frozen: the contents of an object can change, unlike those of the core's values.
        vars(self).update(state)

    @property
    def _attribute_version(self) -> int:
        """A counter that grows whenever an attribute of this layer or a sublayer is assigned."""
        return self._tracker.version + sum(layer._attribute_version for layer in self._layers)

    @property
    def path(self) -> Any:
        """The names of the enclosing layers and of this one, joined by slashes; None before the layer is built."""
        return self._path

    @property
    def dtype_policy(self) -> Any:
        """The dtypes for computation and weights."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy, current = dtype_policies.get(value), self._dtype_policy
        if isinstance(current, Mapping) and self.path:
            current.pop(self.path, None)
            current[self.path] = policy
        else:
            vars(self)["_dtype_policy"] = policy
        self._tracker.version += 1

    @property
    def _policy_in_force(self) -> Any:
        policy = self._dtype_policy
        return policy[self.path] if self.path and isinstance(policy, Mapping) else policy

    @property
    def dtype(self) -> Any:
        """The dtype of the weights."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._policy_in_force.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of computations and outputs."""
        return self._policy_in_force.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantised; None means not at all."""
        return getattr(self._policy_in_force, "quantization_mode", None)

    @property
    def input_spec(self) -> Any:
        """The expected inputs: one or more `InputSpec`s, or None."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        vars(self)["_input_spec"] = value

    @property
    def supports_masking(self) -> bool:
        """Whether masks of the inputs are passed on to the outputs."""
        return self._supports_masking

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        vars(self)["_supports_masking"] = value

    @property
    def _call_has_training_arg(self) -> bool:
        return "training" in self.call_signature_parameters

    @property
    def _call_has_mask_arg(self) -> bool:
        return "mask" in self.call_signature_parameters

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors for the outputs: from `compute_output_shape` if the class has it, else from `call`."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return Operation.compute_output_spec(self, *args, **kwargs)
        spec = CallSpec(call_signature(self), self._call_context_args, args, kwargs)
        shape = self.compute_output_shape(**spec.shapes_for(self.compute_output_shape, type(self).__name__))
        return self._tensors_of(shape)

    def _tensors_of(self, shape: Any) -> Any:
        if isinstance(shape, list) and shape and isinstance(shape[0], (int, type(None))):
            shape = tuple(shape)
        if not isinstance(shape, (list, tuple, dict)):
            try:
                shape = tuple(shape)
            except TypeError:
                raise InputError(
                    f"Method `compute_output_shape()` of layer {type(self).__name__} is returning a type that cannot be"
                    f" interpreted as a shape. It should return a shape tuple. Received: {shape}"
                ) from None
        if is_shape(shape):
            return KerasTensor(shape, self.compute_dtype)
        if isinstance(shape, dict):
            return {key: self._tensors_of(part) for key, part in shape.items()}
        return type(shape)(self._tensors_of(part) for part in shape)

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        Raises:
            NotImplementedError: they are not plain values, and the class does not override `get_config`.
        """
        self._check_super_called()
        config: dict[str, Any] = {"name": self.name}
        if type(self).get_config is Layer.get_config:
            config = written_arguments(self, config)
        config.update(trainable=self.trainable, dtype=dtype_policies.serialize(self.dtype_policy))
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Restores a layer from `get_config()`."""
        if isinstance(config.get("dtype"), dict):
            policy = dtype_policies.deserialize(config["dtype"])
            config = {
                **config,
                "dtype": policy if isinstance(policy, Mapping) or policy.quantization_mode else policy.name,
            }
        return super().from_config(config)

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None, **kwargs: Any) -> None:
        """Quantises the weights; for layers whose class supports it.

        Raises:
            ValueError: the layer is not built, or the mode is unknown.
            NotImplementedError: its class does not support quantisation.
        """
        configs.resolved(mode, config)
        self._check_is_built_to_quantize()
        raise self._not_implemented_error("quantize")

    def _check_is_built_to_quantize(self) -> None:
        if not self.built:
            raise ArgumentError(
                f"Cannot quantize a layer that isn't yet built. Layer '{self.name}' (of type '{type(self).__name__}') is not"
                " built yet."
            )

    def quantized_build(self, input_shape: Any, mode: Any) -> None:
        """Creates the weights of a mode; for layers whose class supports it."""
        raise self._not_implemented_error("quantized_build")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes with quantised weights; for layers whose class supports it."""
        raise self._not_implemented_error("quantized_call")

    def _not_implemented_error(self, attribute: Any, message: str = "") -> NotImplementedError:
        name = getattr(attribute, "__name__", attribute)
        return NotImplementedError(
            f"Layer {type(self).__name__} does not have a `{name}` method implemented.{message and ' ' + message}"
        )

    @classmethod
    def is_facade(cls) -> bool:
        """Whether this is a built-in class rather than a user's."""
        return vars(cls).get("description") is not None

    def _obj_type(self) -> str:
        return "Layer"

    def __repr__(self) -> str:
        if self._lock:
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    # -- no value of the core -------------------------------------------------------------------------------------

    _is_value = False
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def _key(self) -> NoReturn:
        raise ArgumentError(
            f"{self!r} is a layer of `jkeras.keras`, a mutable object; models of `jkeras` consist of immutable values."
            f" Write `jkeras.layers.{type(self).__name__}(...)`, or create the model with `jkeras.keras`."
        )

    def bound_copy(self, scope: Any) -> NoReturn:
        """Raises an error: use `to_value` to create a value of the core."""
        self._key()

    def children(self) -> dict[str, Any]:
        """The sublayers, by the names that they have in a description of this layer."""
        children: dict[str, Any] = {}
        for attribute, value in vars(self).items():
            if not attribute.startswith("_"):
                graph_layer.map_layers(_plain(value), attribute, lambda name, layer: children.setdefault(name, layer))
        return children


def _plain(value: Any) -> Any:
    """Converts tracking lists and dicts to plain ones."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, dict) else value


def legacy_input_shape(kwargs: dict[str, Any], own: Container[str] = ()) -> Any:
    """Removes the old `input_dim` and `input_shape` arguments, unless the class has them, and returns the shape."""
    size, shape = (None if name in own else kwargs.pop(name, None) for name in ("input_dim", "input_shape"))
    shape = (size,) if size is not None else shape
    if shape is not None:
        warnings.warn(
            "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, prefer using an"
            " `Input(shape)` object as the first layer in the model instead.",
            stacklevel=4,
        )
    return shape
