"""How quantisation sees a weight, and the product or lookup in which it is used."""

from __future__ import annotations

import dataclasses
import math
import re
import string

import jax.numpy as jnp

from jkeras.types import Array, DTypeLike


@dataclasses.dataclass(frozen=True)
class Matrix:
    """The meaning of a weight's axes.

    A weight with four bits is stored as a two-dimensional table; `reduced` and `packed` are axes of the table, 0 or -1.

    Attributes:
        name: the name of the weight.
        shape: the shape of the float weight.
        summed: the axes that a product sums over, or the axes of the vectors in a table.
        order: the other axes, in the order in which the output has them.
        scale_shape: the shape of the 8-bit scale: that of the other axes, with axes of size 1.
        reduced: the position of the summed axes in the table.
        packed: the axis of the table along which two numbers share a byte.
        owns_groups: whether the weight `g_idx` belongs to this weight.
        zero_dtype: the dtype of zeros; None means that of the weights.
    """

    name: str
    shape: tuple[int, ...]
    summed: tuple[int, ...]
    order: tuple[int, ...]
    scale_shape: tuple[int, ...]
    reduced: int = 0
    packed: int = -1
    owns_groups: bool = True
    zero_dtype: str | None = "int8"

    @property
    def rows(self) -> int:
        """The number of terms of each sum."""
        return math.prod(self.shape[axis] for axis in self.summed)

    @property
    def columns(self) -> int:
        """The number of sums."""
        return math.prod(self.shape[axis] for axis in self.order)

    @property
    def table(self) -> tuple[int, int]:
        """The two sizes of the weight as a table."""
        return (self.rows, self.columns) if self.reduced == 0 else (self.columns, self.rows)

    def scale_of(self, scale: Array) -> Array:
        """Converts a scale with axes of size 1 for summed axes to the shape that layers store."""
        laid_out = jnp.transpose(scale, (*self.summed, *self.order))
        return laid_out.reshape(self.scale_shape)

    def scale_like(self, scale: Array) -> Array:
        """The inverse: reshapes a stored scale so that it broadcasts with the weight, or with rows of it."""
        if self.reduced == -1:
            return scale[..., None]
        whole = scale.reshape([1] * len(self.summed) + [self.shape[axis] for axis in self.order])
        places = (*self.summed, *self.order)
        return jnp.transpose(whole, sorted(range(len(places)), key=places.__getitem__))


@dataclasses.dataclass(frozen=True)
class Contraction:
    """A product of inputs and a weight, `einsum(equation, inputs, weight)`, for inputs of a given rank.

    >>> Contraction.of("...a,ab->...b", 3)
    Contraction(inputs='cda', weight='ab', outputs='cdb')
    """

    inputs: str
    weight: str
    outputs: str

    @classmethod
    def of(cls, equation: str, rank: int) -> Contraction:
        """The product of an equation, with letters instead of the ellipsis."""
        plain = equation.replace(" ", "")
        inputs, weight, outputs = re.split(",|->", plain)
        free = [letter for letter in string.ascii_letters if letter not in plain]
        dots = "".join(free[: rank - len(inputs.replace(".", ""))])
        return cls(inputs.replace("...", dots), weight, outputs.replace("...", dots))

    @property
    def summed_inputs(self) -> tuple[int, ...]:
        """The axes of the inputs that are not in the output."""
        return tuple(axis for axis, letter in enumerate(self.inputs) if letter not in self.outputs)

    @property
    def summed(self) -> tuple[int, ...]:
        """The axes of the weight that are not in the output."""
        return tuple(axis for axis, letter in enumerate(self.weight) if letter not in self.outputs)

    @property
    def order(self) -> tuple[int, ...]:
        """The other axes of the weight, in the order of the output."""
        return tuple(self.weight.index(letter) for letter in self.outputs if letter in self.weight)

    def sizes_in_output(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which a scale of the weight broadcasts with the output."""
        return tuple(shape[self.weight.index(letter)] if letter in self.weight else 1 for letter in self.outputs)

    def __call__(self, inputs: Array, weight: Array, dtype: DTypeLike | None = None) -> Array:
        equation = f"{self.inputs},{self.weight}->{self.outputs}"
        product: Array = jnp.einsum(equation, inputs, weight, preferred_element_type=dtype)
        return product

    def align(self, scale: Array) -> Array:
        """Converts a scale of the inputs, with axes of size 1 for summed axes, to one that broadcasts with the output."""
        letters = [letter for letter in self.outputs if letter in self.inputs]
        axes = [self.inputs.index(letter) for letter in letters]
        moved = jnp.transpose(scale, (*self.summed_inputs, *axes))
        return moved.reshape(
            [scale.shape[self.inputs.index(letter)] if letter in self.inputs else 1 for letter in self.outputs]
        )
