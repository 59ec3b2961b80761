"""Convolutions with windows of 3x3 as products of transformed tiles, for CPUs.

Winograd's minimal filtering computes `m x m` outputs from `(m + 2) x (m + 2)` inputs with one multiplication for each of
these, instead of nine for each output: with `m` 2 it takes 4/9 of the multiplications, with `m` 4 a quarter. Inputs and
kernel are transformed, multiplied channel by channel in one batched product, and transformed back. Both gradients are
products of the same kind. The transforms are sums of shifted images, each one vectorised loop.

Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015). The points at which tiles of 4 are evaluated are
not theirs: with 0, 5/8, -5/8, 3/2 and -3/2 rounding errors are half as large (Alam et al., Winograd Convolution for Deep
Neural Networks: Efficient Point Selection, 2022, on why), some three times those of a direct convolution.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras.lowering.taps import Pairs, spread

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

WINDOW = (3, 3)
# By the outputs of a tile: the points at which polynomials are evaluated, beside infinity.
POINTS = {2: (0.0, 1.0, -1.0), 4: (0.0, 0.625, -0.625, 1.5, -1.5)}
# The time to transform one number, in multiplications and sums of a convolution: while the transformed numbers fit into a
# cache, and where they do not. Measured, not sharp.
TRANSFORM, FROM_MEMORY = 128, 320
CACHE = 2**23
# Used where it takes at most this share of the convolution's time by that count, and no more than 128 MiB.
SHARE = 0.85
MOST = 2**25


class Transforms(NamedTuple):
    """The matrices by which inputs and kernel are multiplied from both sides, and their products on the way back."""

    inputs: Matrix
    kernel: Matrix
    outputs: Matrix


@functools.cache
def transforms(tile: int) -> Transforms:
    """The matrices for tiles of `tile` outputs: `outputs @ ((kernel @ w) * (inputs @ x))` is the correlation of x with w.

    Polynomials of the kernel and of the outputs are multiplied at the points of `POINTS` and at infinity (Toom and Cook);
    the transposed algorithm is the correlation.
    """
    points = POINTS[tile]
    size = tile + 2
    inputs, kernel, outputs = np.zeros((size, size)), np.zeros((size, 3)), np.zeros((tile, size))
    for i, point in enumerate(points):
        others = [other for other in points if other != point]
        inputs[i, : size - 1] = np.poly(others)[::-1]
        kernel[i] = [point**power / math.prod(point - other for other in others) for power in range(3)]
        outputs[:, i] = [point**power for power in range(tile)]
    inputs[-1] = np.poly(points)[::-1]
    kernel[-1, -1] = outputs[-1, -1] = 1
    return Transforms(inputs, kernel, outputs)


def tile_for(shape: tuple[int, ...], kernel: tuple[int, ...], pairs: Pairs, dtype: np.dtype[np.generic]) -> int | None:
    """The outputs of a tile in each direction with which a convolution is fastest on CPUs; None where it is a direct one.

    Args:
        shape: of the inputs, `(batch, height, width, channels)`.
        kernel: its shape, `(3, 3, channels, outputs)`; None is the answer for all others.
        pairs: the padding.
        dtype: of both. In 16 bits the sums of a transform would lose too much.
    """
    if kernel[:-2] != WINDOW or dtype != np.float32 or not all(0 <= rows <= 2 for pair in pairs for rows in pair):
        return None
    channels, outputs = kernel[-2:]
    counts: dict[int | None, float] = {
        None: 18 * shape[0] * math.prod(_outputs(shape, pairs)) * channels * outputs * SHARE
    }
    for tile in POINTS:
        tiles = shape[0] * math.prod(-(-size // tile) for size in _outputs(shape, pairs))
        numbers = (tile + 2) ** 2 * (tiles * (channels + outputs) + channels * outputs)
        if numbers <= MOST:
            each = TRANSFORM if numbers <= CACHE else FROM_MEMORY
            counts[tile] = 2 * (tile + 2) ** 2 * tiles * channels * outputs + each * numbers
    return min(counts, key=counts.__getitem__)


def conv(x: jax.Array, kernel: jax.Array, pairs: Pairs, tile: int) -> jax.Array:
    """The convolution, `(batch, height, width, channels)` and `(3, 3, channels, outputs)`."""
    products = jnp.matmul(_tiles(x, pairs, tile), _kernel(kernel, tile))
    return _images(products, x.shape[0], _outputs(x.shape, pairs), tile)


def input_gradient(dy: jax.Array, kernel: jax.Array, pairs: Pairs, tile: int) -> jax.Array:
    """The convolution of the output's gradient with the flipped kernel."""
    around: Pairs = tuple((2 - low, 2 - high) for low, high in pairs)
    rows = _tiles(dy, around, tile)
    products = lax.dot_general(rows, _kernel(jnp.flip(kernel, (0, 1)), tile), (((2,), (2,)), ((0,), (0,))))
    return _images(products, dy.shape[0], _outputs(dy.shape, around), tile)


def kernel_gradient(x: jax.Array, dy: jax.Array, pairs: Pairs, tile: int) -> jax.Array:
    """Products of the inputs with the output's gradient, all places of a tile apart, transformed back."""
    matrices = transforms(tile)
    batch, height, width, outputs = dy.shape
    rows, columns = -(-height // tile), -(-width // tile)
    whole = spread(dy, ((0, rows * tile - height), (0, columns * tile - width)), (1, 1))
    pieces = whole.reshape(batch, rows, tile, columns, tile, outputs)
    partly = _applied(matrices.outputs.T, [pieces[:, :, i] for i in range(tile)], 0)
    gradients = _applied(matrices.outputs.T, [partly[..., j, :] for j in range(tile)], 1)
    products = lax.dot_general(
        _tiles(x, pairs, tile),
        gradients.reshape((tile + 2) ** 2, -1, outputs),
        (((1,), (1,)), ((0,), (0,))),
    )
    return _squares(matrices.kernel.T, products.reshape(tile + 2, tile + 2, x.shape[-1], outputs))


def _outputs(shape: tuple[int, ...], pairs: Pairs) -> tuple[int, int]:
    """The height and width of what a window of 3x3 makes of images."""
    return shape[1] + sum(pairs[0]) - 2, shape[2] + sum(pairs[1]) - 2


def _applied(matrix: Matrix, pieces: Sequence[jax.Array], axis: int) -> jax.Array:
    """`matrix @ pieces`, the rows of the result on a new axis.

    XLA must not merge two of these: it would compute the first anew for each number of the second.
    """
    terms = []
    for column, piece in zip(matrix.T, pieces, strict=True):
        factors = column.astype(np.float32).reshape(-1, *(1,) * (piece.ndim - axis))
        terms.append(jnp.expand_dims(piece, axis) * factors)
    total: jax.Array = lax.optimization_barrier(functools.reduce(jnp.add, terms))
    return total


def _squares(matrix: Matrix, x: jax.Array) -> jax.Array:
    """`matrix` applied to the first two axes."""
    partly = _applied(matrix, list(x), 0)
    return _applied(matrix, [partly[:, j] for j in range(x.shape[1])], 1)


def _tiles(x: jax.Array, pairs: Pairs, tile: int) -> jax.Array:
    """The transformed inputs, `(places in a tile, tiles, channels)`."""
    matrix = transforms(tile).inputs
    batch, height, width, channels = x.shape
    rows, columns = (-(-size // tile) for size in _outputs(x.shape, pairs))
    (top, _), (left, _) = pairs
    x = spread(x, ((top, rows * tile + 2 - height - top), (left, columns * tile + 2 - width - left)), (1, 1))
    down, across = (rows - 1) * tile + 1, (columns - 1) * tile + 1
    places = range(tile + 2)
    partly = _applied(matrix, [x[:, i : i + down : tile] for i in places], 0)
    total = _applied(matrix, [partly[:, :, :, j : j + across : tile] for j in places], 1)
    return total.reshape((tile + 2) ** 2, batch * rows * columns, channels)


def _kernel(kernel: jax.Array, tile: int) -> jax.Array:
    """The transformed kernel, `(places in a tile, channels, outputs)`."""
    return _squares(transforms(tile).kernel, kernel).reshape((tile + 2) ** 2, *kernel.shape[2:])


def _images(products: jax.Array, batch: int, sizes: tuple[int, int], tile: int) -> jax.Array:
    """Transformed outputs, `(places in a tile, tiles, outputs)`, back as images."""
    matrix = transforms(tile).outputs
    rows, columns = (-(-size // tile) for size in sizes)
    places = products.reshape(tile + 2, tile + 2, batch, rows, columns, products.shape[-1])
    partly = _applied(matrix, list(places), 3)  # (places across, batch, rows, tile, columns, outputs)
    total = _applied(matrix, list(partly), 4)
    return total.reshape(batch, rows * tile, columns * tile, -1)[:, : sizes[0], : sizes[1]]
