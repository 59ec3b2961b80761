"""`Layer`: a mutable object that owns variables and runs itself, by the protocol of Keras.

It extends the description of a layer in the core, so that a facade of a built-in class (see `facades.py`) takes `build`, `call`,
`compute_mask` and its configuration from the description, and everything that is about objects from here.
"""

from __future__ import annotations

import functools
import gc
import inspect
import warnings
from collections.abc import Callable, Container, Mapping
from typing import Any, ClassVar, NoReturn, Self

import jax
import numpy as np

from jkeras import tree
from jkeras.errors import ArgumentError, InputError
from jkeras.graph import layer as graph_layer
from jkeras.graph.layer_call import note_place
from jkeras.keras import dtype_policies, regularizers
from jkeras.keras.call_spec import TENSORS, CallContext, CallSpec, call_signature, current_call, is_tensor, shape_of
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.history import Node
from jkeras.keras.inference import infer_output_spec
from jkeras.keras.input_compatibility import check_inputs
from jkeras.keras.layer_state import LayerState
from jkeras.keras.masks import mask_of, masks_of, set_mask
from jkeras.keras.mutable import MutableMeta
from jkeras.keras.operation import Operation, written_arguments
from jkeras.keras.remat import get_current_remat_mode, rematerialized
from jkeras.keras.seeds import SeedGenerator
from jkeras.keras.tensor import KerasTensor, any_symbolic_tensors
from jkeras.keras.variables import (
    AutocastScope,
    StatelessScope,
    Variable,
    as_array,
    current_path,
    get_autocast_scope,
    name_scope,
)
from jkeras.tracebacks import filtered


class LayerMeta(MutableMeta):
    """Classes of layers: what surrounds every `build` is put around it where it is defined."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> LayerMeta:
        build = namespace.get("build")
        if inspect.isfunction(build):
            namespace = {**namespace, "build": around_build(build)}
        return super().__new__(mcls, name, bases, namespace, **kwargs)  # type: ignore[return-value]


def around_build(build: Callable[..., None]) -> Callable[..., None]:
    """`build` with names of variables, a note of the shapes, and the state closed afterwards; once if it calls `super`'s."""

    @functools.wraps(build)
    def wrapper(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self._building:
            build(self, *args, **kwargs)
            return
        self._check_super_called()
        vars(self)["_building"] = True
        try:
            with self._open_name_scope():
                vars(self)["_path"] = current_path()
                build(self, *args, **kwargs)
        finally:
            del vars(self)["_building"]
        shapes = inspect.signature(self.build).bind(*args, **kwargs).arguments
        vars(self)["_build_shapes_dict"] = dict(shapes)
        self.built = True
        self._post_build()
        self._lock_state()

    return wrapper


class Layer(LayerState, Operation, graph_layer.Layer, metaclass=LayerMeta):
    """Base of all layers: variables, and a computation on tensors.

    Args:
        activity_regularizer: adds a loss computed from the output, divided by the batch size.
        trainable: whether training changes the variables.
        dtype: a type or policy; None is the default policy.
        autocast: whether floating inputs are cast to the compute type.
        name: None makes one.

    Raises:
        ValueError: an argument is unknown or not allowed.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
    ...     def call(self, x):
    ...         return x * self.gain
    >>> layer = Scale()
    >>> layer(np.ones((1, 2), "float32")).tolist(), layer.gain.path
    ([[1.0, 1.0]], 'scale/gain')
    """

    # The class of the core that this one is the facade of; None for users' classes and bases.
    description: ClassVar[Any] = None
    overrides: ClassVar[tuple[str, ...]] = ()
    # True until the constructor below has run.
    _lock = True
    _building = False

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

    def build(self, input_shape: Any) -> None:
        """Makes the variables, once, for inputs of a shape."""
        if type(self).build is Layer.build and any(not layer.built for layer in self._layers):
            warnings.warn(
                f"`build()` was called on layer '{self.name}', however the layer does not have a `build()` method implemented"
                " and it looks like it has unbuilt state. This will cause the layer to be marked as built, despite not being"
                " actually built, which may cause failures down the line. Make sure to implement a proper `build()` method.",
                stacklevel=3,
            )

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

    def _post_build(self) -> None:
        """Called after `build`."""

    def _build_at_init(self) -> None:
        if type(self).build is Layer.build:
            vars(self)["built"] = True
            self._post_build()
            self._lock_state()

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

    def _adopt(self, value: Any, name: str) -> Any:
        """What is kept for a value that is assigned to an attribute."""
        return value

    def __delattr__(self, name: str) -> None:
        value = getattr(self, name)
        object.__delattr__(self, name)
        if isinstance(value, Variable):
            self._untrack_variable(value)
            del value
            gc.collect()  # so that the array's memory is free at once

    @property
    def _attribute_version(self) -> int:
        """Grows when an attribute of this layer, or of one inside, gets another value."""
        return self._tracker.version + sum(layer._attribute_version for layer in self._layers)

    @property
    def path(self) -> Any:
        """Names of the layers around and its own, with slashes between; None before the layer is built."""
        return self._path

    @property
    def dtype_policy(self) -> Any:
        """The types that it computes in and keeps weights in."""
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
        """The type of the weights."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the weights."""
        return self._policy_in_force.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The type of computations and outputs."""
        return self._policy_in_force.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The type that inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """Always None: quantized layers are not offered."""
        return getattr(self._policy_in_force, "quantization_mode", None)

    @property
    def input_spec(self) -> Any:
        """What inputs must look like: an `InputSpec`, several, or None."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        vars(self)["_input_spec"] = value

    @property
    def supports_masking(self) -> bool:
        """Whether a mask of the inputs goes on to the outputs."""
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

    # -- calling --------------------------------------------------------------------------------------------------

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for arrays, or symbolic outputs for symbolic tensors."""
        self._check_super_called()
        vars(self)["_called"] = True
        given_args, given_kwargs = args, dict(kwargs)
        if self._convert_input_args and not self._is_plain(args, kwargs):
            args = tree.map_structure(self._converted, args)
            kwargs = tree.map_structure(self._converted, kwargs)
        if not self._allow_non_tensor_positional_args:
            _only_tensors(args)
        spec = CallSpec(call_signature(self), self._call_context_args, args, kwargs)
        try:
            self._assert_input_compatibility(spec.first_arg)
            if not self.built:
                with self._open_name_scope():
                    self._maybe_build(spec)
            outputs = self._run_call(spec, args, kwargs)
        except Exception as error:
            shown = {name: value for name, value in spec.user_arguments_dict.items() if name not in ("training", "mask")}
            note_place(error, f"the {type(self).__name__} layer", self.path or self.name, shown)
            raise
        if not spec.eager or any_symbolic_tensors(given_args, given_kwargs):
            Node(self, given_args, given_kwargs, outputs)
        return outputs

    def _is_plain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether the arguments are one tensor of the right type, as they mostly are."""
        return not kwargs and len(args) == 1 and isinstance(args[0], TENSORS) and str(args[0].dtype) == self.input_dtype

    def _converted(self, value: Any) -> Any:
        """An argument as a tensor of the right type, with its mask; other values as they are."""
        if not isinstance(value, TENSORS):
            if not hasattr(value, "__array__") or _is_text(value):
                return value
            array = as_array(value)
        else:
            array = value
        if not self.autocast or "float" not in str(array.dtype) or str(array.dtype) == self.input_dtype:
            return array
        mask = mask_of(value)
        if isinstance(array, KerasTensor):
            array = KerasTensor(array.shape, self.input_dtype, array.sparse)
        else:
            array = array.astype(self.input_dtype)
        if mask is not None:
            set_mask(array, mask)
        return array

    def _run_call(self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs a built layer: what outer calls hand down, masks, the compute type, `call`, losses and masks of outputs."""
        context = current_call.get()
        token = None
        if context is None:
            context = CallContext(self)
            token = current_call.set(context)
            self._clear_losses()
        try:
            for name in self._call_context_args:
                self._hand_down(name, spec, context, kwargs)
            _fill_masks(spec, kwargs)
            mask = kwargs.get("mask")
            previous_mask = masks_of(spec.first_arg) if mask is None else mask
            with self._open_name_scope():
                casting = self._autocast_scope()
                if casting is None:
                    outputs = self._compute(spec, args, kwargs)
                else:
                    with casting:
                        outputs = self._compute(spec, args, kwargs)
                vars(self)["built"] = True
                if self.activity_regularizer is not None:
                    self._regularize_activity(outputs)
            self._mask_outputs(spec.first_arg, outputs, previous_mask)
        finally:
            if token is not None:
                current_call.reset(token)
        return outputs

    def _compute(self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not spec.eager:
            return self.symbolic_call(*args, **kwargs)
        call = self.call if self._remat_mode is None else self.rematerialized_call(self.call, *args, **kwargs)
        return call(*args, **kwargs)

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """`layer_call`, computed again in the backward pass if the `RematScope` says so in which the layer was made."""
        return rematerialized(self, layer_call, args, kwargs)

    def _hand_down(self, name: str, spec: CallSpec, context: CallContext, kwargs: dict[str, Any]) -> None:
        """An argument such as `training`: given, or that of the calls around, or the default; for the calls inside, too."""
        if name in spec.user_arguments_dict:
            value = spec.user_arguments_dict[name]
        elif context.get_value(name) is not None:
            value = context.get_value(name)
        else:
            value = spec.arguments_dict.get(name)
        context.set_value(name, value)
        if value is not None and self._call_has_context_arg.get(name, False):
            kwargs[name] = value

    def _register_call_context_args(self, *names: str) -> None:
        """Lets `call` take arguments that are handed down from outer calls as `training` is.

        Raises:
            RuntimeError: the layer has been called.
        """
        if self._called:
            raise RuntimeError("Cannot add call-context args after the layer has been called.")
        self._call_context_args.update(names)
        self._call_has_context_arg.update({name: name in self.call_signature_parameters for name in names})

    def _autocast_scope(self) -> AutocastScope | None:
        around = get_autocast_scope()
        if around is None:
            return AutocastScope(self.compute_dtype) if self.compute_dtype != self.variable_dtype else None
        if not self.autocast or "float" not in self.compute_dtype:
            return AutocastScope(None)
        return AutocastScope(self.compute_dtype) if around.dtype != self.compute_dtype else None

    def _regularize_activity(self, outputs: Any) -> None:
        for output in tree.flatten(outputs):
            if isinstance(output, jax.Array):
                loss = self.activity_regularizer(output)
                self.add_loss(loss / max(output.shape[0], 1) if output.ndim else loss)

    def _mask_outputs(self, inputs: Any, outputs: Any, previous_mask: Any) -> None:
        if not self.supports_masking:
            if any(mask is not None for mask in tree.flatten(previous_mask)):
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to it."
                    " However, this layer does not support masking and will therefore destroy the mask information."
                    " Downstream layers will not see the mask.",
                    stacklevel=4,
                )
            return
        tensors = tree.flatten(outputs)
        if all(mask_of(tensor) is not None for tensor in tensors):
            return
        masks = self.compute_mask(inputs, previous_mask)
        if masks is not None:
            for tensor, mask in zip(tensors, tree.flatten(masks), strict=False):
                if mask is not None and mask_of(tensor) is None:
                    set_mask(tensor, mask)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs; `__call__` records the call."""
        return self.compute_output_spec(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like the outputs: by `compute_output_shape` if the class has it, else from what `call` does."""
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

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """The outputs for given values of the variables, and the other variables' new values; nothing else changes.

        Args:
            trainable_variables: values of `layer.trainable_variables`.
            non_trainable_variables: values of `layer.non_trainable_variables`.
            *args: of `call`.
            return_losses: whether the losses come as a third result.
            **kwargs: of `call`.

        Raises:
            ValueError: the layer is not built, or a list has another length.
        """
        self._check_super_called()
        cls = type(self).__name__
        if not self.built:
            raise ArgumentError(
                f"To call stateless_call, {cls} must be built (i.e. its variables must have been already created). You can"
                " build it by calling it on some data."
            )
        trainable, others = self.trainable_variables, self.non_trainable_variables
        given = {"trainable_variables": (trainable_variables, trainable), "non_trainable_variables": (non_trainable_variables, others)}  # fmt: skip
        for name, (values, own) in given.items():
            if len(values) != len(own):
                raise ArgumentError(
                    f"Argument `{name}` must be a list of tensors corresponding 1:1 to {cls}().{name}. Received list with"
                    f" length {len(values)}, but expected {len(own)} variables."
                )
        mapping = [*zip(trainable, trainable_variables, strict=True), *zip(others, non_trainable_variables, strict=True)]
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self.call(*args, **kwargs)
            losses = self.losses if return_losses else None
        updated = [scope.get_current_value(variable) for variable in others]
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    def make_rng(self, seed: Any = None) -> jax.Array:
        """A key for this call, from the seed generator that the layer has."""
        for generator in self._seed_generators:
            return generator.next()
        return SeedGenerator(seed).next()

    # -- building -------------------------------------------------------------------------------------------------

    def _maybe_build(self, spec: CallSpec) -> None:
        if type(self).build is not Layer.build or "build" in vars(self):
            self.build(**spec.shapes_for(self.build, type(self).__name__))
            self._assert_input_compatibility(spec.first_arg)
            return
        if any(not layer.built for layer in self._layers):
            try:
                infer_output_spec(self.call, **_with_symbols(spec.arguments_dict))
            except Exception as error:
                if spec.eager:
                    return  # the call itself will build the layers inside
                warnings.warn(
                    f"Layer '{self.name}' looks like it has unbuilt state, but Keras is not able to trace the layer `call()`"
                    " in order to build it automatically. Possible causes:\n1. The `call()` method of your layer may be"
                    " crashing. Try to `__call__()` the layer eagerly on some test input first to see if it works. E.g."
                    " `x = np.random.random((3, 4)); y = layer(x)`\n2. If the `call()` method is correct, then you may need"
                    " to implement the `def build(self, input_shape)` method on your layer. It should create all variables"
                    " used by the layer (e.g. by calling `layer.build()` on all its children layers).\n"
                    f"Exception encountered: ''{error}''",
                    stacklevel=4,
                )
        self.build(next(iter(spec.shapes().values()), None))

    def _build_by_run_for_single_pos_arg(self, input_shape: Any) -> bool:
        """Runs `call` on symbolic inputs of a shape, so that what it makes is there; whether that went well."""
        return self._build_by_run(tree.map_shape_structure(KerasTensor, input_shape))

    def _build_by_run_for_kwargs(self, shapes_dict: Mapping[str, Any]) -> bool:
        """The same for `<argument>_shape`s."""
        if not all(map(is_shape, shapes_dict.values())):
            return False
        return self._build_by_run(
            **{name.removesuffix("_shape"): KerasTensor(shape) for name, shape in shapes_dict.items()}
        )

    def _build_by_run(self, *args: Any, **kwargs: Any) -> bool:
        try:
            infer_output_spec(self.call, *args, **kwargs)
        except Exception:  # whatever: the caller says so
            return False
        return True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with, for `build_from_config`."""
        shapes = self._build_shapes_dict
        if shapes is None:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Builds the layer as `get_build_config` says."""
        if config and "input_shape" in config:
            self.build(config["input_shape"])
        elif config and "shapes_dict" in config:
            self.build(**config["shapes_dict"])

    def _open_name_scope(self) -> name_scope:
        if self._parent_path is None:
            vars(self)["_parent_path"] = current_path()
        return name_scope(self.name, caller=self)

    def _assert_input_compatibility(self, inputs: Any) -> None:
        spec = self.input_spec
        if spec:
            check_inputs(spec, inputs, self.name)

    def _check_super_called(self) -> None:
        if self._lock:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the first statement in the"
                " `__init__()` method. Go add it!"
            )

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        Raises:
            NotImplementedError: they are no plain values, and the class has no `get_config` of its own.
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
        """The layer that `get_config` described."""
        if isinstance(config.get("dtype"), dict):
            policy = dtype_policies.deserialize(config["dtype"])
            config = {**config, "dtype": policy if isinstance(policy, Mapping) or policy.quantization_mode else policy.name}
        return super().from_config(config)

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None, **kwargs: Any) -> NoReturn:
        """Not offered.

        Raises:
            ValueError: the layer is not built.
            NotImplementedError: always, otherwise.
        """
        if not self.built:
            raise ArgumentError(
                f"Cannot quantize a layer that isn't yet built. Layer '{self.name}' (of type '{type(self).__name__}') is not"
                " built yet."
            )
        raise self._not_implemented_error("quantize", "Quantized layers are not offered by jkeras.")

    def quantized_build(self, input_shape: Any, mode: Any) -> NoReturn:
        """Not offered."""
        raise self._not_implemented_error("quantized_build", "Quantized layers are not offered by jkeras.")

    def quantized_call(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered."""
        raise self._not_implemented_error("quantized_call", "Quantized layers are not offered by jkeras.")

    def _not_implemented_error(self, attribute: Any, message: str = "") -> NotImplementedError:
        name = getattr(attribute, "__name__", attribute)
        return NotImplementedError(
            f"Layer {type(self).__name__} does not have a `{name}` method implemented.{message and ' ' + message}"
        )

    @classmethod
    def is_facade(cls) -> bool:
        """Whether this is a built-in class, not one of a user's."""
        return vars(cls).get("description") is not None

    def _obj_type(self) -> str:
        return "Layer"

    def __repr__(self) -> str:
        if self._lock:
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    # -- no value of the core -------------------------------------------------------------------------------------

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def _key(self) -> NoReturn:
        raise ArgumentError(
            f"{self!r} is a layer of `jkeras.keras`, an object that can change; models of `jkeras` are made of values."
            f" Write `jkeras.layers.{type(self).__name__}(...)`, or make the model of `jkeras.keras`."
        )

    def bound_copy(self, scope: Any) -> NoReturn:
        """Refused: a value of the core is made by `to_value`."""
        self._key()

    def children(self) -> dict[str, Any]:
        """The layers directly inside, by the names that a description of this layer would give them."""
        found: dict[str, Any] = {}
        for attribute, value in vars(self).items():
            if not attribute.startswith("_"):
                graph_layer.map_layers(_plain(value), attribute, lambda name, layer: found.setdefault(name, layer))
        return found


def _plain(value: Any) -> Any:
    """Lists and dicts that notice what is put into them as plain ones."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, dict) else value


def is_shape(value: Any) -> bool:
    """Whether a value is one shape, not a structure of several."""
    return isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)


def legacy_input_shape(kwargs: dict[str, Any], own: Container[str] = ()) -> Any:
    """What the old `input_dim` and `input_shape` arguments say, taken out of the others, unless they are a class's own."""
    size, shape = (None if name in own else kwargs.pop(name, None) for name in ("input_dim", "input_shape"))
    shape = (size,) if size is not None else shape
    if shape is not None:
        warnings.warn(
            "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, prefer using an"
            " `Input(shape)` object as the first layer in the model instead.",
            stacklevel=4,
        )
    return shape


def _is_text(value: Any) -> bool:
    """Whether an array holds strings, which layers read outside of programs."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "USO"


def _only_tensors(args: tuple[Any, ...]) -> None:
    for value in args if all(isinstance(arg, TENSORS) for arg in args) else tree.flatten(args):
        if value is not None and not is_tensor(value) and not _is_text(value):
            raise InputError(
                "Only input tensors may be passed as positional arguments. The following argument value should be passed as a"
                f" keyword argument: {value} (of type {type(value)})"
            )


def _fill_masks(spec: CallSpec, kwargs: dict[str, Any]) -> None:
    """Gives `mask`, or `<argument>_mask` of several tensors, the masks that came with the tensors."""
    tensors, arguments = spec.tensor_arguments_dict, spec.arguments_dict
    if len(tensors) == 1:
        if "mask" in arguments and arguments["mask"] is None:
            kwargs["mask"] = masks_of(next(iter(tensors.values())))
        return
    for name, value in tensors.items():
        if f"{name}_mask" in arguments and arguments[f"{name}_mask"] is None:
            kwargs[f"{name}_mask"] = masks_of(value)


def _with_symbols(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a call with symbolic tensors in place of arrays."""
    return tree.map_structure(
        lambda leaf: KerasTensor(shape_of(leaf), standardize_dtype(leaf.dtype)) if isinstance(leaf, jax.Array) else leaf,
        dict(arguments),
    )
