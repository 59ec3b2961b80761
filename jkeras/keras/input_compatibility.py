"""Checks inputs against a layer's `input_spec`."""

from __future__ import annotations

from typing import Any

from jkeras import tree
from jkeras.errors import InputError
from jkeras.keras.dtypes import standardize_dtype, standardize_shape


def check_inputs(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Checks inputs against one or more `InputSpec`s.

    Raises:
        ValueError: an input has the wrong dtype, rank or size, or the number of inputs is wrong.
    """
    specs = input_spec if isinstance(input_spec, (list, tuple)) else tree.flatten(input_spec)
    names = [spec.name for spec in specs if spec is not None]
    named = len(names) == len(specs) and all(names)
    if isinstance(inputs, dict) and named:
        for name in names:
            if name not in inputs:
                raise InputError(
                    f'Missing data for input "{name}". You passed a data dictionary with keys {list(inputs)}. Expected the'
                    f" following keys: {names}"
                )
        inputs = [inputs[name] for name in names]
    tensors = tree.flatten(inputs)
    if len(tensors) != len(specs):
        if named:
            raise InputError(
                f'Layer "{layer_name}" expects {len(specs)} named input(s) with keys {names}, but it received {len(tensors)}'
                f" input tensors. Pass inputs as a dict, e.g. `layer({{{', '.join(f'{n!r}: ...' for n in names)}}})`."
            )
        raise InputError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(tensors)} input tensors.'
            f" Inputs received: {inputs}"
        )
    for place, (spec, tensor) in enumerate(zip(specs, tensors, strict=True)):
        if spec is not None and not (tensor is None and spec.optional):
            _check_one(place, spec, tensor, layer_name)


def _check_one(place: int, spec: Any, tensor: Any, layer_name: str) -> None:
    if not hasattr(tensor, "shape"):
        raise InputError(
            f"Inputs to a layer should be tensors. Got '{tensor}' (of type {type(tensor)}) as input for layer '{layer_name}'."
        )
    shape = standardize_shape(tensor.shape)
    problem = _problem(spec, shape, tensor)
    if problem:
        raise InputError(
            f"Input {place} with name '{spec.name}' of layer '{layer_name}' is incompatible with the layer: {problem}"
        )


def _problem(spec: Any, shape: tuple[int | None, ...], tensor: Any) -> str:
    rank = len(shape)
    full = f". Full shape received: {shape}"
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}{full}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}{full}"
    if spec.dtype is not None and standardize_dtype(tensor.dtype) != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={standardize_dtype(tensor.dtype)}"
    for axis, size in (spec.axes or {}).items():
        if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
            return f"expected axis {axis} of input shape to have value {size}, but received input with shape {shape}"
    expected = spec.shape
    if expected is None:
        return ""
    if spec.allow_last_axis_squeeze:
        shape, expected = (sizes[:-1] if sizes and sizes[-1] == 1 else sizes for sizes in (shape, expected))
    if any(a is not None and b is not None and a != b for a, b in zip(expected, shape, strict=False)):
        return f"expected shape={spec.shape}, found shape={shape}"
    return ""
