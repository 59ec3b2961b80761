"""The modes that need calibration data: what they store, and the statistics of a layer's inputs that they collect."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax.numpy as jnp

from jkeras.dtypes import AWQDTypePolicy, DTypePolicy, GPTQDTypePolicy
from jkeras.quantization import awq, gptq
from jkeras.quantization.matrix import Matrix
from jkeras.quantization.modes import Arrays, Declared, Mode
from jkeras.quantization.packing import pack_int4, unpack_int4
from jkeras.quantization.zero_points import dequantize_with_sz_map
from jkeras.types import Array


def table_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """The sizes of a kernel as a matrix of inputs and outputs; of three axes, the largest forms one side alone.

    >>> table_of((64, 4, 16)), table_of((4, 16, 64))
    ((64, 64), (64, 64))
    """
    first = len(shape) == 2 or shape.index(max(shape)) == 0
    return (shape[0], math.prod(shape[1:])) if first else (math.prod(shape[:-1]), shape[-1])


class CalibratedMode(Mode):
    """Integers from 0 to `2 ** bits - 1`, `(outputs, inputs)`, with a scale and a zero per group of inputs."""

    calibrated: ClassVar[bool] = True

    def stored(self, matrix: Matrix, policy: Any) -> Declared:
        rows, columns = table_of(matrix.shape)
        packed = -(-columns // 2) if policy.weight_bits == 4 else columns
        return Declared("quantized_kernel", (packed, rows), "uint8", "zeros")

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        rows, columns = table_of(matrix.shape)
        groups = 1 if policy.group_size == -1 else math.ceil(rows / policy.group_size)
        return [
            Declared("kernel_scale", (columns, groups)),
            Declared("kernel_zero", (columns, groups), "uint8", "zeros"),
            Declared("g_idx", (rows,), "float32", "zeros"),
        ]

    def integers(self, matrix: Matrix, stored: Array, policy: Any) -> Array:
        """The stored integers, unpacked to one per byte."""
        packed = policy.weight_bits == 4
        return unpack_int4(stored, table_of(matrix.shape)[1], dtype="uint8") if packed else stored

    def numbers(self, matrix: Matrix, stored: Array, policy: Any) -> Array:
        return self.integers(matrix, stored, policy)

    def dequantize(self, matrix: Matrix, arrays: Arrays, policy: Any, dtype: str) -> Array:
        integers = self.integers(matrix, arrays["quantized_kernel"], policy)
        scale, zero, groups = arrays["kernel_scale"], arrays["kernel_zero"], arrays["g_idx"]
        return dequantize_with_sz_map(integers, scale, zero, groups).T.reshape(matrix.shape)

    def start(self, rows: int) -> Any:
        """The initial statistics of a layer's inputs."""
        raise NotImplementedError

    def update(self, known: Any, inputs: Array) -> Any:
        """The statistics after another batch, `(samples, rows)`."""
        raise NotImplementedError

    def calibrate(self, matrix: Matrix, weight: Array, known: Any, config: Any) -> dict[str, Array]:
        """The values of `stored` and `others` for a float weight and the statistics of the inputs."""
        raise NotImplementedError

    def _packed(self, integers: Array, bits: int) -> Array:
        integers = integers.astype("uint8")
        return pack_int4(integers, dtype="uint8")[0] if bits == 4 else integers


class GPTQ(CalibratedMode):
    """See `jkeras.quantization.gptq`."""

    name: ClassVar[str] = "gptq"

    def policy(self, config: Any, source: str) -> DTypePolicy:
        return GPTQDTypePolicy(config.policy_mode, source)

    def start(self, rows: int) -> Any:
        return jnp.zeros((rows, rows)), 0

    def update(self, known: Any, inputs: Array) -> Any:
        hessian, sample_count = known
        return gptq.updated_hessian(hessian, sample_count, inputs), sample_count + inputs.shape[0]

    def calibrate(self, matrix: Matrix, weight: Array, known: Any, config: Any) -> dict[str, Array]:
        inverse, diagonal = gptq.damped_inverse(known[0], config.hessian_damping)
        integers, scale, zero, groups = gptq.gptq_quantize_matrix(
            jnp.reshape(weight, table_of(matrix.shape)).T,
            inverse,
            bits=config.weight_bits,
            per_channel=config.per_channel,
            symmetric=config.symmetric,
            group_size=config.group_size,
            importance=diagonal if config.activation_order else None,
        )
        stored = self._packed(integers, config.weight_bits)
        return {"quantized_kernel": stored, "kernel_scale": scale, "kernel_zero": zero, "g_idx": groups}


class AWQ(CalibratedMode):
    """See `jkeras.quantization.awq`."""

    name: ClassVar[str] = "awq"

    def policy(self, config: Any, source: str) -> DTypePolicy:
        return AWQDTypePolicy(config.policy_mode, source)

    def others(self, matrix: Matrix, policy: Any) -> list[Declared]:
        *scales, groups = super().others(matrix, policy)
        return [*scales, Declared("awq_scales", (table_of(matrix.shape)[0],)), groups]

    def dequantize(self, matrix: Matrix, arrays: Arrays, policy: Any, dtype: str) -> Array:
        whole = super().dequantize(matrix, arrays, policy, dtype).reshape(table_of(matrix.shape))
        return (whole / arrays["awq_scales"][:, None]).reshape(matrix.shape)

    def start(self, rows: int) -> Any:
        return jnp.zeros(rows)

    def update(self, known: Any, inputs: Array) -> Any:
        return jnp.maximum(known, jnp.max(jnp.abs(inputs.astype(jnp.float32)), axis=0))

    def calibrate(self, matrix: Matrix, weight: Array, known: Any, config: Any) -> dict[str, Array]:
        integers, scale, zero, scales, groups = awq.awq_quantize_matrix(
            jnp.reshape(weight, table_of(matrix.shape)).T,
            known,
            num_grid_points=config.num_grid_points,
            group_size=config.group_size,
        )
        return {
            "quantized_kernel": self._packed(integers, config.weight_bits),
            "kernel_scale": scale,
            "kernel_zero": zero,
            "awq_scales": scales,
            "g_idx": groups,
        }


CALIBRATED: dict[str, CalibratedMode] = {mode.name: mode for mode in (GPTQ(), AWQ())}
