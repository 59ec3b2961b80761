"""GPTQ: weights are rounded input by input, and each error is compensated by the later ones.

Source: Frantar et al., arXiv:2210.17323. With the inverse `G` of the Hessian of the layer's squared error, rounding column `j` of
the weights to `q_j` changes the later columns by `W[:, k] -= (w_j - q_j) / G[j, j] * G[j, k]`.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from jkeras.quantization.zero_points import (
    compute_quantization_parameters,
    dequantize_with_zero_point,
    quantize_with_zero_point,
)
from jkeras.types import Array

# The number of columns whose errors are propagated together; group scales are computed at the start of a block.
BLOCK = 128


def updated_hessian(hessian: Array, seen: int, inputs: Array) -> Array:
    """The mean of `2 x x^T` over the samples seen so far and those of a batch.

    Args:
        hessian: the Hessian of the samples seen so far, `(features, features)`.
        seen: the number of samples seen so far.
        inputs: a batch, `(samples, features)`.

    >>> updated_hessian(jnp.zeros((1, 1)), 0, jnp.array([[1.0], [3.0]])).tolist()
    [[10.0]]
    """
    inputs = inputs.astype(jnp.float32)
    total = seen + inputs.shape[0]
    return hessian * (seen / total) + (2.0 / total) * (inputs.T @ inputs)


def damped_inverse(hessian: Array, damping: float) -> tuple[Array, Array]:
    """The inverse of a Hessian with a fraction of its mean diagonal added to the diagonal, and that diagonal.

    Diagonal entries of inputs that were always zero are set to one.
    """
    diagonal = jnp.diagonal(hessian)
    diagonal = jnp.where(diagonal == 0, 1.0, diagonal)
    diagonal = diagonal + damping * jnp.mean(diagonal)
    whole = hessian - jnp.diag(jnp.diagonal(hessian)) + jnp.diag(diagonal)
    return jnp.linalg.inv(whole), diagonal


def gptq_quantize_matrix(
    weights: Array,
    inverse: Array,
    *,
    bits: int = 4,
    per_channel: bool = True,
    symmetric: bool = False,
    group_size: int = -1,
    importance: Array | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Quantises weights to integers with `bits` bits.

    Args:
        weights: `(outputs, inputs)`.
        inverse: the inverse of the Hessian, `(inputs, inputs)`.
        bits: the number of bits of an integer.
        per_channel: whether each output has its own scale.
        symmetric: whether ranges are symmetric around zero.
        group_size: how many inputs share a scale and a zero; -1 is all.
        importance: the importance of each input, to process the most important first; None keeps their order.

    Returns:
        Integers `(outputs, inputs)`, scales and zeros `(outputs, groups)`, and the group of each input, a float whose
        fraction encodes the position in the group.

    >>> integers, scale, zero, groups = gptq_quantize_matrix(jnp.array([[0.0, 1.5]]), jnp.eye(2))
    >>> integers.tolist(), zero.tolist()
    ([[0, 15]], [[0]])
    """
    inputs = weights.shape[1]
    order = None if importance is None else jnp.argsort(-importance, stable=True)
    if order is not None:
        weights, inverse = weights[:, order], inverse[order][:, order]
    size = inputs if group_size == -1 else group_size
    parameters = functools.partial(
        compute_quantization_parameters, bits=bits, symmetric=symmetric, per_channel=per_channel
    )
    scales: list[Array] = []
    zeros: list[Array] = []
    blocks = []
    for start in range(0, inputs, BLOCK):
        end = min(start + BLOCK, inputs)
        for first in range(-(-start // size) * size, end, size):
            scale, zero, _ = parameters(weights[:, first : min(first + size, inputs)])
            scales.append(scale)
            zeros.append(zero)
        group = jnp.arange(start, end) // size
        scale, zero = (jnp.concatenate(each, axis=1)[:, group] for each in (scales, zeros))
        block, errors = _round_block(weights[:, start:end], inverse[start:end, start:end], scale, zero, 2**bits - 1)
        blocks.append(block)
        weights = weights.at[:, end:].add(-(errors @ inverse[start:end, end:]))
    integers = jnp.concatenate(blocks, axis=1)
    groups = jnp.arange(inputs, dtype=jnp.float32) / size
    if order is not None:
        back = jnp.argsort(order)
        integers, groups = integers[:, back], groups[back]
    return integers, jnp.concatenate(scales, axis=1), jnp.concatenate(zeros, axis=1), groups


@jax.jit
def _round_block(weights: Array, inverse: Array, scale: Array, zero: Array, largest: int) -> tuple[Array, Array]:
    """The integers of a block, and the propagated error of each column."""
    columns = jnp.arange(weights.shape[1])

    def step(column: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        weights, integers, errors = state
        one = weights[:, column]
        rounded = quantize_with_zero_point(one, scale[:, column], zero[:, column], largest)
        error = (one - dequantize_with_zero_point(rounded, scale[:, column], zero[:, column])) / inverse[column, column]
        later = jnp.where(columns > column, inverse[column], 0.0)
        integers = integers.at[:, column].set(rounded.astype(jnp.int32))
        return weights - error[:, None] * later[None], integers, errors.at[:, column].set(error)

    state = (weights, jnp.zeros(weights.shape, jnp.int32), jnp.zeros_like(weights))
    _, integers, errors = jax.lax.fori_loop(0, weights.shape[1], step, state)
    return integers, errors


__all__ = ["damped_inverse", "gptq_quantize_matrix", "updated_hessian"]
