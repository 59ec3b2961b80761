"""The weights of a layer in another form, as pure functions: quantised, and with a change of low rank merged into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jkeras.layers.quantizable import LowRankLayer, QuantizableLayer
from jkeras.quantization.matrix import Matrix
from jkeras.quantization.modes import MODES
from jkeras.types import Array

# The weights of one layer by name.
Values = Mapping[str, Any]


def quantized_values(layer: Any, new: Any, values: Values) -> dict[str, Any]:
    """The weights of `new`, which is `layer` quantised.

    Args:
        layer: as it was.
        new: as `layer.quantized(...)` made it.
        values: the weights as floats.
    """
    mode, policy = MODES[new.quantization_mode], new._form_policy
    shapes = {name: tuple(value.shape) for name, value in values.items()}
    made = dict(values)
    for matrix in layer._matrices(shapes):
        weight = values[matrix.name]
        stored = mode.stored(matrix, policy)
        if stored is not None:
            del made[matrix.name]
        made.update({d.name: first_value(d) for d in mode.others(matrix, policy)})
        made.update(mode.quantize(matrix, weight, policy, new.quantization_config))
    return made


def first_value(declared: Any) -> Array:
    """The first value of a weight that a mode declares."""
    dtype = declared.dtype or "float32"
    if callable(declared.initializer):
        return jnp.asarray(declared.initializer(declared.shape, dtype))
    return jnp.full(declared.shape, {"ones": 1, "zeros": 0}[declared.initializer], dtype)


def merged_values(layer: LowRankLayer, values: Values) -> dict[str, Any]:
    """The weights of a layer with the change of low rank in the weight that it is one of, and without its factors.

    A quantised weight becomes floats, is changed, and is quantised again.
    """
    name, factors = layer._adapted, [values[each] for each in layer._adapters]
    change = layer._lora_scale * jnp.matmul(*factors)
    rest = {each: value for each, value in values.items() if each not in layer._adapters}
    mode = None if layer.quantization_mode is None else MODES[layer.quantization_mode]
    if mode is None or not isinstance(layer, QuantizableLayer):
        return {**rest, name: (values[name] + change).astype(values[name].dtype)}
    matrix = matrix_named(layer, name, {name: tuple(change.shape)})
    arrays = {each: value for each, value in rest.items() if each != "bias"}
    weight = mode.dequantize(matrix, arrays, layer._form_policy, layer.compute_dtype).reshape(matrix.shape)
    return {**rest, **mode.quantize(matrix, weight + change, layer._form_policy, None)}


def matrix_named(layer: QuantizableLayer, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Matrix:
    """The matrix of a layer that has a name, for weights of these shapes."""
    return next(matrix for matrix in layer._matrices(dict(shapes)) if matrix.name == name)


__all__ = ["first_value", "matrix_named", "merged_values", "quantized_values"]
