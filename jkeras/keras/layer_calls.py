"""Calls of layers: conversion of arguments, masks, `training` from outer calls, compute dtypes, losses, the graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jkeras import tree
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError, SignatureError
from jkeras.graph.layer_call import note_place
from jkeras.keras.call_spec import TENSORS, CallContext, CallSpec, call_signature, current_call, is_tensor
from jkeras.keras.history import Node
from jkeras.keras.masks import mask_of, masks_of, set_mask
from jkeras.keras.rematerialization import rematerialized
from jkeras.keras.seeds import SeedGenerator
from jkeras.keras.tensor import KerasTensor, any_symbolic_tensors
from jkeras.keras.variables import AutocastScope, StatelessScope, as_array, get_autocast_scope
from jkeras.tracebacks import filtered


class LayerCalls:
    """The part of a layer that runs it."""

    @filtered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for arrays, or symbolic outputs for symbolic tensors."""
        self._check_super_called()
        vars(self)["_called"] = True
        given_args, given_kwargs = args, dict(kwargs)
        if self._convert_input_args and not self._is_plain(args, kwargs):
            args = tree.map_structure(self._converted, args)
            kwargs = tree.map_structure(self._converted, kwargs) if kwargs else kwargs
        if not self._allow_non_tensor_positional_args:
            _only_tensors(args)
        signature = call_signature(self)
        try:
            spec = CallSpec(signature, self._call_context_args, args, kwargs)
        except TypeError as error:
            names = ", ".join(signature.parameters)
            raise SignatureError(f"{type(self).__name__} '{self.name}' is called with ({names}): {error}.") from None
        try:
            self._assert_input_compatibility(spec.first_arg)
            if not self.built:
                with self._open_name_scope():
                    self._maybe_build(spec)
            outputs = self._run_call(spec, args, kwargs)
        except Exception as error:
            shown = {
                name: value for name, value in spec.user_arguments_dict.items() if name not in ("training", "mask")
            }
            note_place(error, f"the {type(self).__name__} layer", self.path or self.name, shown)
            raise
        if not spec.eager or any_symbolic_tensors(given_args, given_kwargs):
            Node(self, given_args, given_kwargs, outputs)
        return outputs

    def _is_plain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether the only argument is a tensor of the right dtype, which is the usual case."""
        return not kwargs and len(args) == 1 and isinstance(args[0], TENSORS) and str(args[0].dtype) == self.input_dtype

    def _converted(self, value: Any) -> Any:
        """Converts an argument to a tensor of the right dtype, with its mask; other values are unchanged."""
        if not isinstance(value, TENSORS):
            if not hasattr(value, "__array__") or _is_text(value):
                return value
            if is_symbolic(value):  # a tensor of the immutable face
                self._key()
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
        """Runs a built layer: arguments from outer calls, masks, the compute dtype, `call`, losses and masks of outputs."""
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
        """`layer_call`, recomputed in the backward pass if the `RematScope` in which the layer was created says so."""
        return rematerialized(self, layer_call, args, kwargs)

    def _hand_down(self, name: str, spec: CallSpec, context: CallContext, kwargs: dict[str, Any]) -> None:
        """An argument such as `training`: explicit, from outer calls, or the default; also passed to nested calls."""
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
        """Registers arguments of `call` that outer calls pass on, like `training`.

        Raises:
            RuntimeError: the layer has already been called.
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

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """The outputs for given values of the variables, and the new values of the non-trainable ones; without side effects.

        Args:
            trainable_variables: values of `layer.trainable_variables`.
            non_trainable_variables: values of `layer.non_trainable_variables`.
            *args: positional arguments of `call`.
            return_losses: whether to return the losses as a third result.
            **kwargs: keyword arguments of `call`.

        Raises:
            ValueError: the layer is not built, or a list has the wrong length.
        """
        self._check_super_called()
        cls = type(self).__name__
        if not self.built:
            raise ArgumentError(
                f"To call stateless_call, {cls} must be built (i.e. its variables must have been already created). You can"
                " build it by calling it on some data."
            )
        trainable, others = self.trainable_variables, self.non_trainable_variables
        scope_arguments = {
            "trainable_variables": (trainable_variables, trainable),
            "non_trainable_variables": (non_trainable_variables, others),
        }
        for name, (values, own) in scope_arguments.items():
            if len(values) != len(own):
                raise ArgumentError(
                    f"Argument `{name}` must be a list of tensors corresponding 1:1 to {cls}().{name}. Received list with"
                    f" length {len(values)}, but expected {len(own)} variables."
                )
        mapping = [
            *zip(trainable, trainable_variables, strict=True),
            *zip(others, non_trainable_variables, strict=True),
        ]
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self.call(*args, **kwargs)
            losses = self.losses if return_losses else None
        updated = [scope.get_current_value(variable) for variable in others]
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    def make_rng(self, seed: Any = None) -> jax.Array:
        """A key for this call, from the layer's seed generator."""
        for generator in self._seed_generators:
            return generator.next()
        return SeedGenerator(seed).next()


def _is_text(value: Any) -> bool:
    """Whether an array contains strings, which layers process outside compiled programs."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "USO"


def _only_tensors(args: tuple[Any, ...]) -> None:
    for value in args if all(isinstance(arg, TENSORS) for arg in args) else tree.flatten(args):
        if value is not None and not is_tensor(value) and not _is_text(value):
            raise InputError(
                "Only input tensors may be passed as positional arguments. The following argument value should be passed as a"
                f" keyword argument: {value} (of type {type(value)})"
            )


def _fill_masks(spec: CallSpec, kwargs: dict[str, Any]) -> None:
    """Sets `mask`, or `<argument>_mask` for several tensors, to the masks attached to the tensors."""
    tensors, arguments = spec.tensor_arguments_dict, spec.arguments_dict
    if len(tensors) == 1:
        if "mask" in arguments and arguments["mask"] is None:
            kwargs["mask"] = masks_of(next(iter(tensors.values())))
        return
    for name, value in tensors.items():
        if f"{name}_mask" in arguments and arguments[f"{name}_mask"] is None:
            kwargs[f"{name}_mask"] = masks_of(value)
