"""Layers that move values without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import Shape, show_shape
from jkeras.types import Array, DataFormatField, Shaped
from jkeras.values.fields import field

DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)


class Flatten(Layer):
    """Flattens all axes but the first.

    Shapes: `(batch, ...)` to `(batch, features)`.

    >>> Flatten().compute_output_shape((None, 4, 5))
    (None, 20)
    """

    mixes_samples: ClassVar[bool | None] = False

    data_format: DataFormatField = DATA_FORMAT

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(min_ndim=1)

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))


class Reshape(Layer):
    """Reshapes each sample; one size may be -1.

    Shapes: `(batch, ...)` to `(batch, *target_shape)`.

    Args:
        target_shape: the shape of a sample; one size may be -1.

    Raises:
        InputError: the shape has another number of values.

    >>> Reshape((2, -1)).compute_output_shape((None, 10))
    (None, 2, 5)
    """

    mixes_samples: ClassVar[bool | None] = False

    target_shape: tuple[int, ...] = field(convert=lambda value: _target_shape(value))

    def known_output(self, inputs: Shape) -> Shape | None:
        if None not in inputs.shape[1:]:
            return None
        sizes = (None if size == -1 else size for size in self.target_shape)
        return Shape((inputs.shape[0], *sizes), inputs.dtype)  # whether they fit is not known yet

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        count, target = math.prod(inputs.shape[1:]), self.target_shape
        known = math.prod(size for size in target if size != -1)
        fits = count == known if -1 not in target else known and count % known == 0
        if not fits:
            raise InputError(
                f"{self._place} (Reshape) cannot give samples of shape {show_shape(inputs.shape[1:])} ({count} values) the"
                f" shape {show_shape(target)}."
            )
        return inputs.reshape(inputs.shape[0], *target)


def _target_shape(value: object) -> tuple[int, ...]:
    one = arguments.at_least(-1)
    try:
        shape = tuple(one(size) for size in (value if isinstance(value, (tuple, list)) else (value,)))
    except ArgumentError:
        raise ArgumentError("expected a shape: a tuple of integers, one of which may be -1") from None
    if shape.count(-1) > 1:
        raise ArgumentError("expected at most one size of -1")
    return shape


class Permute(Layer):
    """Reorders the axes of each sample, numbered from 1.

    Shapes: `(batch, a, b, ...)` to the same sizes in the order of `dims`.

    Args:
        dims: the axes in their new order, the first after the batch axis being 1.

    >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
    (None, 64, 10)
    """

    mixes_samples: ClassVar[bool | None] = False

    dims: tuple[int, ...] = field(convert=lambda value: _order(value))

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return jnp.transpose(inputs, (0, *self.dims))


def _order(value: object) -> tuple[int, ...]:
    dims = tuple(value) if isinstance(value, (tuple, list)) else ()
    if not dims or any(dim not in dims or isinstance(dim, str) for dim in range(1, len(dims) + 1)):
        raise ArgumentError(
            f"expected the numbers 1 to {len(dims) or 'n'}, one for each axis of a sample, in some order"
        )
    return tuple(arguments.integer(dim) for dim in dims)


class RepeatVector(Layer):
    """Repeats each sample along a new axis of time.

    Shapes: `(batch, features)` to `(batch, n, features)`.

    Args:
        n: the number of repetitions.

    >>> RepeatVector(3).compute_output_shape((None, 32))
    (None, 3, 32)
    """

    mixes_samples: ClassVar[bool | None] = False

    n: int = field(convert=arguments.positive_int)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=2)

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return jnp.repeat(inputs[:, None, :], self.n, axis=1)


def _pairs(rank: int) -> Any:
    """Converts an integer, `rank` integers or `rank` pairs to pairs."""

    def convert(value: object) -> tuple[tuple[int, int], ...]:
        message = f"expected an integer, {rank} integers, or {rank} pairs of integers, none negative"
        one = arguments.at_least(0)

        def pair(part: object) -> tuple[int, int]:
            first, second = part if isinstance(part, (tuple, list)) else (part, part)
            return one(first), one(second)

        try:
            if not isinstance(value, (tuple, list)):
                return (pair(value),) * rank
            if rank == 1 and not isinstance(value[0], (tuple, list)):
                return (pair(value),)
            pairs = tuple(map(pair, value))
        except (ArgumentError, IndexError, ValueError):
            raise ArgumentError(message) from None
        if len(pairs) != rank:
            raise ArgumentError(message)
        return pairs

    return convert


class _BorderedAttributes:
    # For classes without the argument.
    data_format: str | None = None


class _Bordered(_BorderedAttributes, Layer):
    """Base of padding and cropping: pairs of numbers for each spatial axis."""

    mixes_samples: ClassVar[bool | None] = False
    rank: ClassVar[int] = 1

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    @property
    def _first_axis(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def _pad(self, inputs: jax.Array, pairs: Sequence[tuple[int, int]]) -> jax.Array:
        borders = [(0, 0)] * inputs.ndim
        borders[self._first_axis : self._first_axis + self.rank] = list(pairs)
        return jnp.pad(inputs, borders)

    def _crop(self, inputs: jax.Array, pairs: Sequence[tuple[int, int]]) -> jax.Array:
        index = [slice(None)] * inputs.ndim
        for axis, (low, high) in enumerate(pairs, self._first_axis):
            if low + high >= inputs.shape[axis]:
                raise InputError(
                    f"{self._place} ({type(self).__name__}) would crop {low} + {high} from an axis of"
                    f" {inputs.shape[axis]}: input of shape {show_shape(inputs.shape)}."
                )
            index[axis] = slice(low, inputs.shape[axis] - high)
        return inputs[tuple(index)]


class ZeroPadding1D(_Bordered):
    """Adds zeros before and after the time axis of `(batch, time, features)`.

    Shapes: `(batch, time, features)`, larger by the padding.

    Args:
        padding: how many zeros: one number, or two for before and after.

    >>> ZeroPadding1D(1).compute_output_shape((None, 8, 3))
    (None, 10, 3)
    """

    padding: Any = field(default=1, convert=_pairs(1))
    data_format: DataFormatField = DATA_FORMAT

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return self._pad(inputs, self.padding)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding[0]}


class ZeroPadding2D(_Bordered):
    """Adds zeros around images.

    Shapes: `(batch, height, width, channels)`, larger by the padding.

    Args:
        padding: how many zeros: one number, one for each axis, or a pair (before, after) for each axis.

    >>> ZeroPadding2D(1).compute_output_shape((None, 8, 8, 3))
    (None, 10, 10, 3)
    """

    rank: ClassVar[int] = 2
    padding: Any = field(default=(1, 1), convert=_pairs(2))
    data_format: DataFormatField = DATA_FORMAT

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return self._pad(inputs, self.padding)


class ZeroPadding3D(ZeroPadding2D):
    """Adds zeros around volumes.

    Shapes: `(batch, depth, height, width, channels)`, larger by the padding.

    Args:
        padding: how many zeros: one number, one for each axis, or a pair (before, after) for each axis.

    >>> ZeroPadding3D(1).compute_output_shape((None, 8, 8, 8, 3))
    (None, 10, 10, 10, 3)
    """

    rank: ClassVar[int] = 3
    padding: Any = field(default=((1, 1), (1, 1), (1, 1)), convert=_pairs(3))


class Cropping1D(_Bordered):
    """Cuts time steps off at the start and the end of `(batch, time, features)`.

    Shapes: `(batch, time, features)`, smaller by the cropping.

    Args:
        cropping: how much: one number, or two for before and after.

    Raises:
        InputError: nothing would be left.

    >>> Cropping1D(1).compute_output_shape((None, 8, 3))
    (None, 6, 3)
    """

    cropping: Any = field(default=(1, 1), convert=_pairs(1))

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return self._crop(inputs, self.cropping)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping[0]}


class Cropping2D(_Bordered):
    """Cuts borders off images.

    Shapes: `(batch, height, width, channels)`, smaller by the cropping.

    Args:
        cropping: how much: one number, one for each axis, or a pair (before, after) for each axis.

    Raises:
        InputError: nothing would be left.

    >>> Cropping2D(1).compute_output_shape((None, 8, 8, 3))
    (None, 6, 6, 3)
    """

    rank: ClassVar[int] = 2
    cropping: Any = field(default=((0, 0), (0, 0)), convert=_pairs(2))
    data_format: DataFormatField = DATA_FORMAT

    def call(self, inputs: Shaped[Array, "batch *sizes"]) -> Shaped[Array, "batch *new_sizes"]:
        return self._crop(inputs, self.cropping)


class Cropping3D(Cropping2D):
    """Cuts borders off volumes.

    Shapes: `(batch, depth, height, width, channels)`, smaller by the cropping.

    Args:
        cropping: how much: one number, one for each axis, or a pair (before, after) for each axis.

    >>> Cropping3D(1).compute_output_shape((None, 8, 8, 8, 3))
    (None, 6, 6, 6, 3)
    """

    rank: ClassVar[int] = 3
    cropping: Any = field(default=((1, 1), (1, 1), (1, 1)), convert=_pairs(3))


__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Flatten",
    "Permute",
    "RepeatVector",
    "Reshape",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
