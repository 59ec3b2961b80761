"""`Input`, where data enters a graph, and `InputSpec`, which describes what a layer accepts."""

from __future__ import annotations

import warnings
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.graph.input_spec import InputSpec as BuiltinInputSpec
from jkeras.keras.dtypes import standardize_dtype, standardize_shape
from jkeras.keras.history import Node
from jkeras.keras.layer import Layer
from jkeras.keras.tensor import KerasTensor


class InputLayer(Layer):
    """The layer that `Input` creates; its output is the symbolic tensor.

    Args:
        shape: the shape of one sample.
        batch_size: the size of the first axis; None means any size.
        dtype: the name of the dtype; None means the default float type.
        sparse: whether sparse tensors are expected.
        ragged: not supported on JAX.
        batch_shape: the shape with the batch axis, instead of `shape`.
        input_tensor: a symbolic tensor to use instead of a new one.
        optional: whether the model may be called with None for this input.
        name: None makes one.

    Raises:
        ArgumentError: the arguments contradict each other.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        *,
        input_shape: Any = None,
        batch_input_shape: Any = None,
    ):
        super().__init__(name=name)
        if input_shape is not None:
            warnings.warn("Argument `input_shape` is deprecated. Use `shape` instead.", stacklevel=2)
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if ragged:
            raise ArgumentError("`ragged=True` is not supported with the jax backend")
        if input_tensor is None:
            batch_shape = _batch_shape(shape, batch_size, batch_shape)
            input_tensor = KerasTensor(batch_shape, dtype, bool(sparse), name=name)
        else:
            _check_fits(
                input_tensor, shape=shape, batch_size=batch_size, batch_shape=batch_shape, dtype=dtype, sparse=sparse
            )
        self.batch_shape = input_tensor.shape
        self._dtype = input_tensor.dtype
        self.sparse = input_tensor.sparse
        self.ragged = False
        self.optional = bool(optional)
        self._input_tensor = input_tensor
        Node(self, outputs=input_tensor)
        self.built = True

    @property
    def dtype(self) -> str:
        """The type's name."""
        return self._dtype

    def call(self) -> None:
        """Does nothing: the value is an input."""

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def _batch_shape(shape: Any, batch_size: int | None, batch_shape: Any) -> tuple[int | None, ...]:
    for argument, value in (("shape", shape), ("batch_size", batch_size)):
        if value is not None and batch_shape is not None:
            raise ArgumentError(f"You cannot pass both `{argument}` and `batch_shape` at the same time.")
    if shape is None and batch_shape is None:
        raise ArgumentError("You must pass a `shape` argument.")
    return standardize_shape(batch_shape) if shape is None else (batch_size, *standardize_shape(shape))


def _check_fits(tensor: KerasTensor, **arguments: Any) -> None:
    if not isinstance(tensor, KerasTensor):
        raise ArgumentError(
            f"Argument `input_tensor` must be a KerasTensor. Received invalid type: input_tensor={tensor}"
            f" (of type {type(tensor)})"
        )
    own = {
        "shape": tensor.shape[1:],
        "batch_size": tensor.shape[0] if tensor.shape else None,
        "batch_shape": tensor.shape,
        "dtype": tensor.dtype,
        "sparse": tensor.sparse,
    }
    for argument, value in arguments.items():
        value = tuple(value) if isinstance(value, list) else value
        value = standardize_dtype(value) if argument == "dtype" and value is not None else value
        if value is not None and value != own[argument]:
            raise ArgumentError(
                f"When providing the `input_tensor` argument, you cannot provide an incompatible `{argument}` argument."
            )


def Input(  # noqa: N802  (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor that represents an input of a model.

    Args:
        shape: the shape of one sample, with None for any size.
        batch_size: the size of the first axis; None means any size.
        dtype: the name of the dtype; None means the default float type.
        sparse: whether sparse tensors are expected.
        ragged: not supported on JAX.
        batch_shape: the shape with the batch axis, instead of `shape`.
        name: the name of the input, unique in a model; None creates one.
        tensor: a symbolic tensor to use instead of a new one.
        optional: whether the model may be called with None for this input.

    >>> Input((28, 28)).shape
    (None, 28, 28)
    """
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
    )
    return layer._input_tensor


class InputSpec:
    """What a layer accepts as one input: dtype, rank and sizes; None accepts anything.

    Args:
        dtype: the expected dtype.
        shape: the expected shape, including the batch axis.
        ndim: the expected number of axes.
        max_ndim: the largest number of axes.
        min_ndim: the smallest number of axes.
        axes: the expected sizes of individual axes.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or added.
        name: the key of this input in data given as a dict.
        optional: whether None may be given.

    Raises:
        TypeError: `axes` is not a dict of integers.
        ArgumentError: an axis is outside the rank.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self.shape = None if shape is None else standardize_shape(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (ValueError, TypeError):
            raise TypeError(f"Argument `axes` must be a dict with integer keys. Received: axes={axes}") from None
        rank = self.ndim or self.max_ndim
        if self.axes and rank is not None and max(self.axes) >= rank:
            raise ArgumentError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {rank - 1}")

    @classmethod
    def of(cls, spec: BuiltinInputSpec) -> InputSpec:
        """The spec in the form of the core."""
        return cls(**{name: getattr(spec, name) for name in BuiltinInputSpec._fields})

    def __repr__(self) -> str:
        shown = {name: value for name, value in self.get_config().items() if value and name != "optional"}
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in shown.items())})"

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Restores a spec from `get_config()`."""
        return cls(**config)
