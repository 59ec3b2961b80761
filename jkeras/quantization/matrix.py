"""A weight as quantisation sees it, and the product or look-up that it is used in."""

from __future__ import annotations

import dataclasses
import math
import re
import string

import jax.numpy as jnp

from jkeras.types import Array, DTypeLike


@dataclasses.dataclass(frozen=True)
class Matrix:
    """What axes of a weight mean.

    Quantised to four bits a weight is a table of two axes; `reduced` and `packed` are those of the table, 0 or -1.

    Attributes:
        name: the name of the weight.
        shape: the shape of the weight as floats.
        summed: the axes that a product sums over, or that an entry of a table of vectors is made of.
        order: the other axes, in the order in which the output has them.
        scale_shape: the shape of the scale of 8 bits, which is that of the other axes with axes of size 1.
        reduced: where the summed axes are in the table.
        packed: the axis of the table along which two numbers share a byte.
        owns_groups: whether the weight `g_idx` belongs to this one.
        zero_dtype: the type of zeros; None is that of weights.
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
        """How many numbers a product sums over."""
        return math.prod(self.shape[axis] for axis in self.summed)

    @property
    def columns(self) -> int:
        """How many sums there are."""
        return math.prod(self.shape[axis] for axis in self.order)

    @property
    def table(self) -> tuple[int, int]:
        """The two sizes of the weight as a table."""
        return (self.rows, self.columns) if self.reduced == 0 else (self.columns, self.rows)

    def scale_of(self, scale: Array) -> Array:
        """A scale with axes of size 1 where the weight is summed over, in the shape that layers keep."""
        laid_out = jnp.transpose(scale, (*self.summed, *self.order))
        return laid_out.reshape(self.scale_shape)

    def scale_like(self, scale: Array) -> Array:
        """The reverse: a kept scale in a shape that goes with the weight, or with rows of it."""
        if self.reduced == -1:
            return scale[..., None]
        whole = scale.reshape([1] * len(self.summed) + [self.shape[axis] for axis in self.order])
        places = (*self.summed, *self.order)
        return jnp.transpose(whole, sorted(range(len(places)), key=places.__getitem__))


@dataclasses.dataclass(frozen=True)
class Contraction:
    """A product of inputs and a weight, `einsum(equation, inputs, weight)`, for inputs of a rank.

    >>> Contraction.of("...a,ab->...b", 3)
    Contraction(inputs='cda', weight='ab', outputs='cdb')
    """

    inputs: str
    weight: str
    outputs: str

    @classmethod
    def of(cls, equation: str, rank: int) -> Contraction:
        """The product of an equation, with letters in place of its dots."""
        plain = equation.replace(" ", "")
        inputs, weight, outputs = re.split(",|->", plain)
        free = [letter for letter in string.ascii_letters if letter not in plain]
        dots = "".join(free[: rank - len(inputs.replace(".", ""))])
        return cls(inputs.replace("...", dots), weight, outputs.replace("...", dots))

    @property
    def summed_inputs(self) -> tuple[int, ...]:
        """The axes of the inputs that the output does not have."""
        return tuple(axis for axis, letter in enumerate(self.inputs) if letter not in self.outputs)

    @property
    def summed(self) -> tuple[int, ...]:
        """The axes of the weight that the output does not have."""
        return tuple(axis for axis, letter in enumerate(self.weight) if letter not in self.outputs)

    @property
    def order(self) -> tuple[int, ...]:
        """The other axes of the weight, as the output has them."""
        return tuple(self.weight.index(letter) for letter in self.outputs if letter in self.weight)

    def sizes_in_output(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a scale of the weight that goes with the output."""
        return tuple(shape[self.weight.index(letter)] if letter in self.weight else 1 for letter in self.outputs)

    def __call__(self, inputs: Array, weight: Array, dtype: DTypeLike | None = None) -> Array:
        equation = f"{self.inputs},{self.weight}->{self.outputs}"
        product: Array = jnp.einsum(equation, inputs, weight, preferred_element_type=dtype)
        return product

    def align(self, scale: Array) -> Array:
        """A scale of the inputs, with axes of size 1 where they are summed over, as one of the output."""
        letters = [letter for letter in self.outputs if letter in self.inputs]
        axes = [self.inputs.index(letter) for letter in letters]
        moved = jnp.transpose(scale, (*self.summed_inputs, *axes))
        return moved.reshape(
            [scale.shape[self.inputs.index(letter)] if letter in self.inputs else 1 for letter in self.outputs]
        )
