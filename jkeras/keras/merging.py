"""Masks of layers that combine several tensors, as in Keras: a position counts if any tensor's mask is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from jkeras import layers, ops
from jkeras.errors import InputError
from jkeras.keras.facades import on_view
from jkeras.keras.inner_steps import overridden
from jkeras.keras.masks import mask_of, set_mask
from jkeras.keras.variables import unwrap
from jkeras.layers.merging import Merge


def _checked(inputs: Any, mask: Any) -> list[Any]:
    if not isinstance(mask, (tuple, list)):
        raise InputError(f"`mask` should be a list. Received: mask={mask}")
    if not isinstance(inputs, (tuple, list)):
        raise InputError(f"`inputs` should be a list. Received: inputs={inputs}")
    if len(mask) != len(inputs):
        raise InputError(
            f"The lists `inputs` and `mask` should have the same length. Received: inputs={inputs} of length {len(inputs)}, and"
            f" mask={mask} of length {len(mask)}"
        )
    return [unwrap(one) for one in mask]


def _either_mask(self: Any, inputs: Any, mask: Any = None) -> Any:
    """Where one of the masks is true, if all tensors have one."""
    if mask is None:
        return None
    masks = _checked(inputs, mask)
    if any(one is None for one in masks):
        return None
    output = masks[0]
    for one in masks[1:]:
        output = ops.logical_or(output, one)
    return output


def _joined_mask(self: Any, inputs: Any, mask: Any = None) -> Any:
    """The masks concatenated along the axis; tensors without a mask are not masked."""
    if mask is None:
        return None
    masks = _checked(inputs, mask)
    if all(one is None for one in masks):
        return None
    full = [
        ops.ones_like(tensor, dtype="bool")
        if one is None
        else ops.logical_or(ops.expand_dims(one, -1), ops.zeros_like(tensor, dtype="bool"))
        if one.ndim < len(tensor.shape)
        else one
        for tensor, one in zip(inputs, masks, strict=True)
    ]
    return ops.any(ops.concatenate(full, axis=self.axis), axis=-1)


def _no_mask(self: Any, inputs: Any, mask: Any = None) -> None:
    """None: the product has different positions."""


def _with_masks(name: str, combine: Callable[[Any, Any], Any], neutral: int | None) -> dict[str, Any]:
    """A layer that ignores masked positions.

    Args:
        name: the name of the layer.
        combine: a function that combines two tensors.
        neutral: the value of masked positions; None takes the other tensor's value.
    """
    run = on_view(getattr(layers, name).call)

    def call(self: Any, inputs: Any) -> Any:
        if overridden(type(self), "_merge_function"):
            return run(self, inputs)
        masks = [mask_of(tensor) for tensor in inputs] if isinstance(inputs, (list, tuple)) else []
        if all(mask is None for mask in masks):
            return run(self, inputs)
        output = output_mask = None
        for tensor, own in zip(inputs, masks, strict=True):
            mask = None if own is None else jnp.broadcast_to(own[..., None], tensor.shape)
            value = (
                tensor
                if mask is None or neutral is None
                else jnp.where(mask, tensor, jnp.asarray(neutral, tensor.dtype))
            )
            if output is None:
                output, output_mask = value, mask
                continue
            if neutral is None:
                value = value if mask is None else jnp.where(mask, value, output)
                output = output if output_mask is None else jnp.where(output_mask, output, value)
            output = combine(output, value)
            output_mask = None if mask is None or output_mask is None else output_mask | mask
        if output_mask is not None:
            if neutral is not None:
                output = jnp.where(output_mask, output, jnp.zeros((), output.dtype))
            set_mask(output, jnp.any(output_mask, axis=-1))
        return output

    return {"call": call, "compute_mask": _either_mask, **_merge_function(getattr(layers, name))}


def _merge_function(description: Any) -> dict[str, Any]:
    """Keras's name of `merge`, which takes inputs of equal rank."""
    merge = description.merge

    def _merge_function(self: Any, inputs: Any) -> Any:
        return merge(self, inputs)

    def by_keras_name(self: Any, inputs: Any) -> Any:
        return self._merge_function(inputs)

    return {"_merge_function": on_view(_merge_function), "merge": by_keras_name}


def _whole(name: str) -> dict[str, Any]:
    """A layer whose `call` does not depend on equal ranks: the same for an override of `_merge_function`."""
    run = on_view(getattr(layers, name).call)

    def call(self: Any, inputs: Any) -> Any:
        return self._merge_function(inputs) if overridden(type(self), "_merge_function") else run(self, inputs)

    call.runs_on_view = True  # type: ignore[attr-defined]
    return {"call": call, "_merge_function": run}


MERGING: dict[str, dict[str, Any]] = {
    "Merge": {"compute_mask": _either_mask, **_merge_function(Merge)},
    **{
        name: {"compute_mask": _either_mask, **_merge_function(getattr(layers, name))}
        for name in ("Add", "Subtract", "Average")
    },
    "Multiply": _with_masks("Multiply", jnp.multiply, 1),
    "Maximum": _with_masks("Maximum", jnp.maximum, None),
    "Minimum": _with_masks("Minimum", jnp.minimum, None),
    "Concatenate": {"compute_mask": _joined_mask, **_whole("Concatenate")},
    "Dot": {"compute_mask": _no_mask, **_whole("Dot")},
}
