"""Values of images between their pixels: every place is looked up once, with all its channels."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jkeras.types import Array, ArrayLike


def _mirrored(index: Array, size: int) -> Array:
    """`d c b | a b c d | c b a`: the edge is not repeated."""
    period = size - 1
    return jnp.abs((index + period) % (2 * period) - period) if size > 1 else jnp.zeros_like(index)


def _reflected(index: Array, size: int) -> Array:
    """`c b a | a b c d | d c b`: the edge is repeated."""
    place = index % (2 * size)
    return jnp.minimum(place, 2 * size - 1 - place)


# Which pixel replaces one outside the image.
_OUTSIDE: dict[str, Callable[[Array, int], Array]] = {
    "constant": lambda index, size: jnp.clip(index, 0, size - 1),
    "nearest": lambda index, size: jnp.clip(index, 0, size - 1),
    "wrap": lambda index, size: index % size,
    "mirror": _mirrored,
    "reflect": _reflected,
}


def _rounded(x: Array) -> Array:
    """Rounded, halves away from zero."""
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5) if jnp.issubdtype(x.dtype, jnp.floating) else x


def _neighbours(places: Array, order: int) -> list[tuple[Array, Array]]:
    """The pixels on both sides of a place, and their weights; the nearest one for order 0."""
    if order == 0:
        return [(_rounded(places).astype("int32"), jnp.ones((), places.dtype))]
    below = jnp.floor(places)
    share = places - below
    index = below.astype("int32")
    return [(index, 1 - share), (index + 1, share)]


def sample(images: Array, rows: Array, columns: Array, order: int, mode: str, fill_value: ArrayLike) -> jax.Array:
    """The values of images at rows and columns, which may be fractions.

    Args:
        images: `(batch, height, width, channels)`.
        rows: floats `(batch, new_height, new_width)`.
        columns: the column coordinates, in the same form.
        order: 0 takes the nearest pixel, 1 interpolates linearly.
        mode: what lies outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: for "constant".
    """
    count, height, width, channels = images.shape
    pixels = images.reshape(count, height * width, channels)

    @jax.vmap
    def take(image: Array, place: Array) -> jax.Array:
        return jnp.take(image, place, axis=0, mode="clip")

    outside = _OUTSIDE[mode]
    parts = []
    for row, row_weight in _neighbours(rows, order):
        for column, column_weight in _neighbours(columns, order):
            part = take(pixels, outside(row, height) * width + outside(column, width))
            if mode == "constant":
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                part = jnp.where(inside[..., None], part, jnp.asarray(fill_value, images.dtype))
            if order:
                part = part * (row_weight * column_weight)[..., None]
            parts.append(part)
    total = functools.reduce(jnp.add, parts)
    return (_rounded(total) if jnp.issubdtype(images.dtype, jnp.integer) else total).astype(images.dtype)
