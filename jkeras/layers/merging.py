"""Layers that combine several inputs into one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import show_shape
from jkeras.types import Array, Axis, Num, PyTree
from jkeras.values.fields import field


class Merge(Layer):
    """Base of layers that combine a list of tensors element by element, with broadcasting.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        """Combines inputs of equal rank."""
        raise NotImplementedError

    def call(self, inputs: Sequence[Array]) -> Num[Array, "..."]:
        tensors = self._several(inputs)
        rank = max(tensor.ndim for tensor in tensors)
        # A tensor with fewer axes gets the missing ones after its batch axis.
        tensors = [
            t.reshape(t.shape[0], *(1,) * (rank - t.ndim), *t.shape[1:]) if 0 < t.ndim < rank else t for t in tensors
        ]
        try:
            jnp.broadcast_shapes(*(tensor.shape for tensor in tensors))
        except ValueError:
            shapes = ", ".join(show_shape(tensor.shape) for tensor in jax.tree.leaves(inputs))
            raise InputError(
                f"{self._place} ({type(self).__name__}) cannot combine inputs of the shapes {shapes}."
            ) from None
        return self.merge(tensors)

    def _several(self, inputs: Sequence[Array], minimum: int = 1) -> list[jax.Array]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < minimum:
            raise InputError(
                f"{self._place} ({type(self).__name__}) takes a list of at least {minimum} inputs: write"
                f" `{type(self).__name__}()([a, b])`."
            )
        return [tensor if isinstance(tensor, jax.Array) else jnp.asarray(tensor) for tensor in inputs]

    def compute_mask(self, inputs: Sequence[Array], previous_mask: PyTree[Array | None]) -> Any:
        if not isinstance(previous_mask, (list, tuple)) or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(jnp.logical_or, previous_mask)


class Add(Merge):
    """The sum of the inputs.

    >>> import jax.numpy as jnp
    >>> Add()([jnp.ones(2), jnp.ones(2)]).tolist()
    [2.0, 2.0]
    """

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return functools.reduce(jnp.add, inputs)


class Subtract(Merge):
    """The first input minus the second.

    >>> import jax.numpy as jnp
    >>> Subtract()([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [-2.0, -3.0]
    """

    def call(self, inputs: Sequence[Array]) -> Num[Array, "..."]:
        if isinstance(inputs, (list, tuple)) and len(inputs) != 2:
            raise InputError(f"{self._place} (Subtract) takes two inputs, got {len(inputs)}.")
        return super().call(inputs)

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """The product of the inputs.

    >>> import jax.numpy as jnp
    >>> Multiply()([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [3.0, 10.0]
    """

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return functools.reduce(jnp.multiply, inputs)


class Average(Merge):
    """The mean of the inputs.

    >>> import jax.numpy as jnp
    >>> Average()([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [2.0, 3.5]
    """

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return functools.reduce(jnp.add, inputs) / len(inputs)


class Maximum(Merge):
    """The largest of the inputs.

    >>> import jax.numpy as jnp
    >>> Maximum()([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [3.0, 5.0]
    """

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return functools.reduce(jnp.maximum, inputs)


class Minimum(Merge):
    """The smallest of the inputs.

    >>> import jax.numpy as jnp
    >>> Minimum()([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [1.0, 2.0]
    """

    def merge(self, inputs: list[Num[Array, "..."]]) -> Num[Array, "..."]:
        return functools.reduce(jnp.minimum, inputs)


class Concatenate(Merge):
    """Joins the inputs along an axis; all other sizes must agree.

    Shapes: a list of tensors whose sizes agree but for `axis`, along which sizes add up.

    >>> import jax.numpy as jnp
    >>> Concatenate()([jnp.ones((1, 2)), jnp.zeros((1, 1))]).tolist()
    [[1.0, 1.0, 0.0]]
    """

    axis: int = field(default=-1, convert=arguments.integer)

    def call(self, inputs: Sequence[Array]) -> Num[Array, "..."]:
        tensors = self._several(inputs)
        try:
            return jnp.concatenate(tensors, axis=self.axis)
        except (TypeError, ValueError):
            shapes = ", ".join(show_shape(tensor.shape) for tensor in tensors)
            raise InputError(
                f"{self._place} (Concatenate) cannot join inputs of the shapes {shapes} along axis {self.axis}: all other"
                f" sizes must agree."
            ) from None

    def compute_mask(self, inputs: Sequence[Array], previous_mask: PyTree[Array | None]) -> Any:
        if not isinstance(previous_mask, (list, tuple)) or all(mask is None for mask in previous_mask):
            return None
        rank = max(tensor.ndim for tensor in inputs)
        masks = []
        for tensor, mask in zip(inputs, previous_mask, strict=True):
            mask = jnp.ones(tensor.shape, bool) if mask is None else mask
            masks.append(jnp.broadcast_to(mask.reshape(*mask.shape, *(1,) * (rank - mask.ndim)), tensor.shape))
        return jnp.any(jnp.concatenate(masks, axis=self.axis), axis=-1)


class Dot(Merge):
    """The dot product of two inputs over given axes, sample by sample.

    Shapes: two tensors `(batch, ...)` whose sizes on `axes` agree; those axes vanish. Two vectors give `(batch,
    1)`.

    Args:
        axes: the axis to sum over, or one for each input; the batch is axis 0.
        normalize: whether the inputs are scaled to length 1 first, which gives the cosine of their angle.

    >>> import jax.numpy as jnp
    >>> Dot(axes=1)([jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]])]).tolist()
    [[13.0]]
    """

    axes: Any = field(convert=arguments.integers)
    normalize: bool = field(default=False, convert=arguments.boolean)

    def __post_init__(self) -> None:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if len(axes) != 2 or 0 in axes:
            raise ArgumentError(f"Dot(axes={self.axes!r}): expected an axis other than 0, or two of them.")

    def call(self, inputs: Sequence[Array]) -> Num[Array, "..."]:
        first, second = self._several(inputs, 2)
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        for axis, tensor in zip(axes, (first, second), strict=True):
            if not -tensor.ndim <= axis < tensor.ndim:
                raise InputError(
                    f"{self._place} (Dot) has axes={self.axes}, but an input of shape {show_shape(tensor.shape)}."
                    " Write axes that it has."
                )
        axes = tuple(axis % tensor.ndim for axis, tensor in zip(axes, (first, second), strict=True))
        if first.shape[axes[0]] != second.shape[axes[1]]:
            raise InputError(
                f"{self._place} (Dot) sums over axes of different sizes: {show_shape(first.shape)} axis {axes[0]},"
                f" {show_shape(second.shape)} axis {axes[1]}."
            )
        if self.normalize:
            first, second = _unit(first, axes[0]), _unit(second, axes[1])
        product = jax.lax.dot_general(first, second, (((axes[0],), (axes[1],)), ((0,), (0,))))
        return product[:, None] if product.ndim == 1 else product

    def compute_mask(self, inputs: Sequence[Array], previous_mask: PyTree[Array | None]) -> Any:
        return None


def _unit(x: jax.Array, axis: int) -> jax.Array:
    squares = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


def add(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Add` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Add`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> add([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [4.0, 7.0]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Subtract` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Subtract`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> subtract([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [-2.0, -3.0]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Multiply` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Multiply`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> multiply([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [3.0, 10.0]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Average` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Average`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> average([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [2.0, 3.5]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Maximum` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Maximum`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> maximum([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [3.0, 5.0]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Array], **kwargs: Any) -> Any:
    """`Minimum` as a function.

    Shapes: a list of tensors whose shapes broadcast; the result has the broadcast shape.

    Args:
        inputs: a list of tensors, symbolic or not.
        kwargs: arguments of `Minimum`.

    Raises:
        InputError: the input is not a list, or its shapes do not broadcast.

    >>> import jax.numpy as jnp
    >>> minimum([jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0])]).tolist()
    [1.0, 2.0]
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Array], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` as a function.

    Shapes: a list of tensors whose sizes agree but for `axis`, along which sizes add up.

    Args:
        inputs: a list of tensors, symbolic or not.
        axis: the axis along which they are joined.
        kwargs: arguments of `Concatenate`.

    Raises:
        InputError: the input is not a list, or other sizes differ.

    >>> import jax.numpy as jnp
    >>> concatenate([jnp.ones((1, 2)), jnp.zeros((1, 1))]).tolist()
    [[1.0, 1.0, 0.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Array], axes: Axis = -1, **kwargs: Any) -> Any:
    """`Dot` as a function.

    Shapes: two tensors `(batch, ...)` whose sizes on `axes` agree; those axes vanish.

    Args:
        inputs: a list of two tensors, symbolic or not.
        axes: the axis that is summed over, or one for each input.
        kwargs: arguments of `Dot`.

    Raises:
        InputError: the input is not a list of two, or sizes differ.

    >>> import jax.numpy as jnp
    >>> dot([jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]])], axes=1).tolist()
    [[13.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)


__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
