"""What a layer accepts as input, and the check of inputs against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.shapes import has_shape, show_shape
from jkeras.types import PyTree
from jkeras.values.fields import field
from jkeras.values.spec import Spec


class InputSpec(Spec):
    """What a layer accepts as one input: rank, dtype and sizes, as `keras.layers.InputSpec`.

    Args:
        dtype: the dtype, for the reader; inputs of other dtypes are cast.
        shape: the shape with the batch axis, with None for any size; None accepts any shape.
        ndim: the number of axes.
        max_ndim: the largest number of axes.
        min_ndim: the smallest number of axes.
        axes: required sizes, as a dict from axes to sizes.
        allow_last_axis_squeeze: accepted for compatibility with Keras.
        name: the name of the input, for dicts of inputs.
        optional: accepted for compatibility with Keras.

    Raises:
        ArgumentError: an argument has a value of another kind.

    >>> spec = InputSpec(min_ndim=2, axes={-1: 8})
    >>> spec.min_ndim, dict(spec.axes)
    (2, {-1: 8})
    """

    keras_module = "keras.layers"

    dtype: str | None = field(default=None, convert=arguments.optional(arguments.text))
    shape: tuple[int | None, ...] | None = field(default=None, convert=arguments.optional(arguments.shape))
    ndim: int | None = field(default=None, convert=arguments.optional(arguments.at_least(0)))
    max_ndim: int | None = field(default=None, convert=arguments.optional(arguments.at_least(0)))
    min_ndim: int | None = field(default=None, convert=arguments.optional(arguments.at_least(0)))
    axes: Mapping[int, int] | None = field(
        default=None, convert=arguments.optional(lambda value: _sizes_by_axis(value))
    )
    allow_last_axis_squeeze: bool = field(default=False, convert=arguments.boolean)
    name: str | None = field(default=None, convert=arguments.optional(arguments.text))
    optional: bool = field(default=False, convert=arguments.boolean)

    def __post_init__(self) -> None:
        if self.shape is not None:
            self.ndim = len(self.shape)


def _sizes_by_axis(value: object) -> dict[int, int]:
    try:
        if isinstance(value, Mapping):  # a configuration has numbers written as strings
            return {int(axis): arguments.integer(size) for axis, size in value.items() if size is not None}
    except (ValueError, TypeError):
        pass
    raise ArgumentError("expected a dictionary from axes to sizes")


class MissingAxisError(InputError):
    """An input has too few axes. The layer that dropped them may know what to write; see `Layer.more_axes`.

    Args:
        problem: what is wrong.
        advice: what to write if no layer knows better.
    """

    def __init__(self, problem: str, advice: str):
        super().__init__(problem + advice)
        self.advice = advice

    def advised(self, advice: str) -> InputError:
        """The error with other advice."""
        return InputError(f"{str(self).removesuffix(self.advice)} {advice}")


def check_inputs(specs: Any, inputs: PyTree[Any], layer: str) -> None:
    """Checks inputs against a layer's `input_spec`.

    Args:
        specs: an `InputSpec`, several, or None.
        inputs: a tensor or a structure of tensors.
        layer: the name of the layer in messages.

    Raises:
        InputError: an input does not match; the message has the layer's path, both shapes and what to write.
    """
    if specs is None:
        return
    several: Iterable[Any] = specs if isinstance(specs, (list, tuple)) else [specs]
    for spec, tensor in zip(several, jax.tree.leaves(inputs), strict=False):
        if isinstance(spec, InputSpec) and has_shape(tensor):
            _check_one(spec, tuple(tensor.shape), layer)


def _check_one(spec: InputSpec, shape: tuple[int | None, ...], layer: str) -> None:
    problem = None
    if spec.ndim is not None and len(shape) != spec.ndim:
        problem = f"an input with {spec.ndim} axes"
    elif spec.min_ndim is not None and len(shape) < spec.min_ndim:
        problem = f"an input with at least {spec.min_ndim} axes"
    elif spec.max_ndim is not None and len(shape) > spec.max_ndim:
        problem = f"an input with at most {spec.max_ndim} axes"
    else:
        for axis, size in {**dict(enumerate(spec.shape or ())), **(spec.axes or {})}.items():
            if size is not None and -len(shape) <= axis < len(shape) and shape[axis] not in (size, None):
                problem = f"size {size} on axis {axis}"
    if problem:
        text = f"{layer} got an input of shape {show_shape(shape)}, batch axis first; it expects {problem}."
        if len(shape) < (spec.ndim or spec.min_ndim or 0):
            raise MissingAxisError(text, _advice(spec, shape))
        raise InputError(text + _advice(spec, shape))


def _advice(spec: InputSpec, shape: tuple[int | None, ...]) -> str:
    if spec.ndim is not None and len(shape) == spec.ndim - 1:
        channels = "x[..., None]" if spec.ndim >= 3 else "x[:, None]"
        return f" Add the missing axis, for example `{channels}` for a single channel or feature."
    if spec.ndim is not None and len(shape) > spec.ndim:
        return " Put a `Flatten()` or `Reshape(...)` before it."
    if spec.ndim is not None and len(shape) < spec.ndim:
        return f" Put a `Reshape(...)` to {spec.ndim - 1} axes beside the batch before it."
    if spec.min_ndim is not None and len(shape) < spec.min_ndim:
        return " Did you forget the batch axis or a feature axis (`x[:, None]`)?"
    return " Check the data's last axis, or build the model for this size."
