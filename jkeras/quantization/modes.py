"""The modes of quantisation: the weights of each, how they are computed from floats, and how products use them.

One table, `MODES`, serves every layer. A layer declares which of its weights are matrices (`Matrix`) and in which products they
are used (`Contraction`); it has no code for individual modes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp

from jkeras.dtypes import DTypePolicy, Int4DTypePolicy, QuantizedDTypePolicy, QuantizedFloat8DTypePolicy
from jkeras.quantization import float8
from jkeras.quantization.abs_max import INT4, abs_max_quantize_grouped_with_zero_point, group_of_row
from jkeras.quantization.matrix import Contraction, Matrix
from jkeras.quantization.packing import pack_int4, unpack_int4
from jkeras.quantization.quantizers import AbsMaxQuantizer
from jkeras.quantization.zero_points import dequantize_with_sz_map
from jkeras.types import Array

Arrays: TypeAlias = "Mapping[str, Array]"


@dataclasses.dataclass(frozen=True)
class Declared:
    """A weight that a mode adds to a layer.

    Attributes:
        name: the name of the weight and of the attribute.
        shape: its shape.
        dtype: its dtype; None means that of the weights.
        initializer: its initializer.
        overwritten: whether training replaces it by its gradient.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str | None = None
    initializer: Any = "ones"
    overwritten: bool = False


@dataclasses.dataclass(frozen=True)
class Use:
    """The options with which a layer uses a mode.

    Attributes:
        policy: the policy, with the sizes of the mode.
        config: the configuration; None for layers that are quantised because of a policy alone.
        activations: quantises inputs to integers; None leaves them in floating point.
        compute_dtype: the dtype of outputs.
    """

    policy: Any
    config: Any
    activations: Any
    compute_dtype: str


class Mode:
    """One mode."""

    name: ClassVar[str]
    # Whether the float weight remains, and is trained.
    keeps_floats: ClassVar[bool] = False
    # Whether the mode needs calibration data.
    calibrated: ClassVar[bool] = False
    # The default quantizer of inputs.
    activations: ClassVar[Any] = None

    def policy(self, config: Any, source: str) -> DTypePolicy:
        """The policy of layers that were quantised with `config`."""
        return QuantizedDTypePolicy(config.policy_mode, source)

    def stored(self, matrix: Matrix, policy: Any) -> Declared | None:
        """The weight that replaces the float weight; None if that remains."""
        return None

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        """Weights beside it."""
        return []

    def quantize(self, matrix: Matrix, weight: Array, policy: Any, config: Any) -> dict[str, Array]:
        """The values of `stored` and `others` for a float weight."""
        return {}

    def sized(self, policy: Any, config: Any) -> Any:
        """A policy with the sizes of a configuration."""
        return policy

    def numbers(self, matrix: Matrix, stored: Array, policy: Any) -> Array:
        """The stored integers, unpacked to one per element."""
        return stored

    def dequantize(self, matrix: Matrix, arrays: Arrays, policy: Any, dtype: str) -> Array:
        """The weight, or rows of a table of vectors, as floats."""
        raise NotImplementedError

    def rows(self, matrix: Matrix, arrays: Arrays, ids: Array, use: Use) -> Array:
        """Entries of a table of vectors, as floats."""
        rows = {
            name: array if name == "g_idx" else jnp.take(array, ids, axis=0, mode="clip")
            for name, array in arrays.items()
        }
        return self.dequantize(matrix, rows, use.policy, use.compute_dtype).astype(use.compute_dtype)

    def product(
        self, matrix: Matrix, contraction: Contraction, inputs: Array, arrays: Arrays, use: Use, training: Any
    ) -> Array:
        """The product of inputs and the weight; the gradient of the inputs is computed with the float weight."""

        def floats() -> Array:
            return self.dequantize(matrix, arrays, use.policy, use.compute_dtype).astype(use.compute_dtype)

        if use.activations is None:
            return contraction(inputs, floats()).astype(use.compute_dtype)

        @jax.custom_jvp
        def rounded(inputs: Array) -> Array:
            integers, scale = use.activations(inputs, axis=contraction.summed_inputs)
            scale = contraction.align(scale)
            return self.integer_product(matrix, contraction, integers, scale, arrays, use)

        @rounded.defjvp
        def _derivative(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
            return rounded(*primals), contraction(tangents[0], floats()).astype(use.compute_dtype)

        outputs: Array = rounded(inputs)
        return outputs

    def integer_product(
        self, matrix: Matrix, contraction: Contraction, integers: Array, scale: Array, arrays: Arrays, use: Use
    ) -> Array:
        """The product of integers and the weight; `scale` is the scale of the integers, broadcast with the output."""
        weight = self.dequantize(matrix, arrays, use.policy, use.compute_dtype).astype(use.compute_dtype)
        return contraction(integers.astype(use.compute_dtype), weight) / scale


class Int8(Mode):
    """8-bit integers, `round(w * scale)`, with one scale per output, and integer products."""

    name: ClassVar[str] = "int8"
    activations: ClassVar[Any] = AbsMaxQuantizer()

    def stored(self, matrix: Matrix, policy: Any) -> Declared:
        return Declared(matrix.name, matrix.shape, "int8", "zeros")

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        return [Declared(f"{matrix.name}_scale", matrix.scale_shape)]

    def quantize(self, matrix: Matrix, weight: Array, policy: Any, config: Any) -> dict[str, Array]:
        quantizer = (None if config is None else config.weight_quantizer) or AbsMaxQuantizer(axis=matrix.summed)
        integers, scale = quantizer(weight, to_numpy=True)
        return {matrix.name: integers, f"{matrix.name}_scale": matrix.scale_of(scale)}

    def dequantize(self, matrix: Matrix, arrays: Arrays, policy: Any, dtype: str) -> Array:
        return arrays[matrix.name].astype(dtype) / matrix.scale_like(arrays[f"{matrix.name}_scale"])

    def integer_product(
        self, matrix: Matrix, contraction: Contraction, integers: Array, scale: Array, arrays: Arrays, use: Use
    ) -> Array:
        sums = contraction(integers, arrays[matrix.name], jnp.int32).astype(use.compute_dtype)
        return sums / (scale * arrays[f"{matrix.name}_scale"])


def _block_size(policy: Any) -> int | None:
    """The number of inputs that share a scale; None means all."""
    size = policy.block_size if isinstance(policy, Int4DTypePolicy) else -1
    return None if size == -1 else size


class Int4(Mode):
    """4-bit integers: `round(w * scale)` with one scale per output, or `round(w / scale) + zero` in groups."""

    name: ClassVar[str] = "int4"

    def policy(self, config: Any, source: str) -> DTypePolicy:
        return Int4DTypePolicy(config.policy_mode, source)

    def stored(self, matrix: Matrix, policy: Any) -> Declared:
        sizes = list(matrix.table)
        sizes[matrix.packed] = -(-sizes[matrix.packed] // 2)
        return Declared(matrix.name, tuple(sizes), "int8", "zeros")

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        size = _block_size(policy)
        if size is None:
            return [Declared(f"{matrix.name}_scale", (matrix.columns,))]
        groups = math.ceil(matrix.rows / size)
        shape = (groups, matrix.columns) if matrix.reduced == 0 else (matrix.columns, groups)
        others = [
            Declared(f"{matrix.name}_scale", shape),
            Declared(f"{matrix.name}_zero", shape, matrix.zero_dtype, "zeros"),
        ]
        if matrix.owns_groups:
            others.append(Declared("g_idx", (matrix.rows,), "float32", _Groups(size)))
        return others

    def quantize(self, matrix: Matrix, weight: Array, policy: Any, config: Any) -> dict[str, Array]:
        name, size = matrix.name, _block_size(policy)
        table = jnp.reshape(weight, matrix.table)
        if size is None:
            weight_quantizer = None if config is None else config.weight_quantizer
            quantizer = weight_quantizer or AbsMaxQuantizer(axis=matrix.reduced, value_range=INT4)
            integers, scale = quantizer(table, to_numpy=True)
            values = {f"{name}_scale": jnp.squeeze(scale, axis=matrix.reduced)}
        else:
            turned = table if matrix.reduced == 0 else table.T
            integers, scale, zero = abs_max_quantize_grouped_with_zero_point(turned, size, to_numpy=True)
            if matrix.reduced != 0:
                integers, scale, zero = integers.T, scale.T, zero.T
            values = {f"{name}_scale": scale, f"{name}_zero": zero}
            if matrix.owns_groups:
                values["g_idx"] = group_of_row(matrix.rows, size)
        return {name: pack_int4(integers, axis=matrix.packed)[0], **values}

    def sized(self, policy: Any, config: Any) -> Any:
        return policy if config is None else self.policy(config, policy.source_name)

    def numbers(self, matrix: Matrix, stored: Array, policy: Any) -> Array:
        return self._unpacked(matrix, stored).reshape(matrix.shape)

    def _unpacked(self, matrix: Matrix, stored: Array) -> Array:
        return unpack_int4(stored, matrix.table[matrix.packed], axis=matrix.packed)

    def dequantize(self, matrix: Matrix, arrays: Arrays, policy: Any, dtype: str) -> Array:
        name, size = matrix.name, _block_size(policy)
        integers = self._unpacked(matrix, arrays[name])
        scale = arrays[f"{name}_scale"]
        if size is None:
            table = integers.astype(dtype) / (scale if matrix.reduced == 0 else scale[..., None])
        elif matrix.reduced == 0:
            table = dequantize_with_sz_map(integers, scale, arrays[f"{name}_zero"], arrays["g_idx"], group_axis=0)
        else:
            table = _rows_with_groups(integers.astype(dtype), scale, arrays[f"{name}_zero"], arrays["g_idx"])
        return table if matrix.reduced == -1 else table.reshape(matrix.shape)


def _rows_with_groups(rows: Array, scale: Array, zero: Array, groups: Array) -> Array:
    return dequantize_with_sz_map(rows, scale, zero, groups, group_axis=-1)


@dataclasses.dataclass(frozen=True)
class _Groups:
    """The initial values of group numbers."""

    size: int

    def __call__(self, shape: Any, dtype: Any = None, key: Any = None) -> Array:
        return group_of_row(shape[0], self.size).astype(dtype or "float32")


class Float8(Mode):
    """Products in 8-bit floats. Weights remain floats and are trained; scales follow their largest values."""

    name: ClassVar[str] = "float8"
    keeps_floats: ClassVar[bool] = True

    def policy(self, config: Any, source: str) -> DTypePolicy:
        return QuantizedFloat8DTypePolicy("float8", source)

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        length = getattr(policy, "amax_history_length", QuantizedFloat8DTypePolicy.default_amax_history_length)
        return [
            declared
            for what in ("inputs", matrix.name, "outputs_grad")
            for declared in (
                Declared(f"{what}_scale", (), "float32", "ones", overwritten=True),
                Declared(f"{what}_amax_history", (length,), "float32", "zeros", overwritten=True),
            )
        ]

    def product(
        self, matrix: Matrix, contraction: Contraction, inputs: Array, arrays: Arrays, use: Use, training: Any
    ) -> Array:
        def of(what: str) -> tuple[Array, Array]:
            return arrays[f"{what}_scale"], arrays[f"{what}_amax_history"]

        inputs = float8.rounded_values(inputs, *of("inputs"), use.compute_dtype, bool(training))
        weight = float8.rounded_values(arrays[matrix.name], *of(matrix.name), use.compute_dtype, bool(training))
        outputs = contraction(inputs, weight)
        return float8.rounded_gradients(outputs, *of("outputs_grad"), use.compute_dtype)


PLAIN: dict[str, Mode] = {mode.name: mode for mode in (Int8(), Int4(), Float8())}
