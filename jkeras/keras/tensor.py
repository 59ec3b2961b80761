"""`KerasTensor`: a shape and a dtype without values, from which graphs of operations are built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from jkeras import tree
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.keras.dtypes import standardize_dtype, standardize_shape
from jkeras.keras.naming import auto_name

_CONTAINERS = (list, tuple, dict)


class KerasTensor(SymbolicTensor):
    """A symbolic tensor. Operations (layers, functions of `keras.ops`, Python's operators) on it return another one.

    Args:
        shape: its shape, with None for unknown sizes.
        dtype: the name of its dtype.
        sparse: whether it represents a sparse tensor.
        ragged: whether it represents a ragged tensor, which no operation supports on JAX.
        record_history: whether tensors computed from it record their history.
        name: None makes one.

    >>> x = KerasTensor((None, 3))
    >>> (x * 2 + 1).shape
    (None, 3)
    """

    # Identity comparison; `!=` compares elements.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        ragged_rank: int | None = None,
        row_splits_dtype: Any = None,
    ):
        if sparse and ragged:
            raise ValueError("KerasTensor cannot have `sparse=True` and `ragged=True` at the same time.")
        self._spec = (standardize_shape(shape), standardize_dtype(dtype), bool(sparse), bool(ragged))
        self._ragged = (ragged_rank, None if row_splits_dtype is None else standardize_dtype(row_splits_dtype))
        self.name = name or auto_name(type(self).__name__)
        self.record_history = record_history
        # How it was computed, a `KerasHistory`.
        self.history: Any = None
        # The same for configurations: name of the operation, number of the call, index among its outputs.
        self.written_history: Any = None

    @property
    def _keras_history(self) -> Any:
        if self.history is None:
            raise AttributeError  # makes Python call `__getattr__`
        return self.history

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            if name == "_keras_history":
                raise AttributeError(f"{self!r} does not know how it was computed.")
            super().__getattr__(name)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, with None for unknown sizes."""
        return self._spec[0]

    @property
    def dtype(self) -> str:
        """The type's name."""
        return self._spec[1]

    @property
    def sparse(self) -> bool:
        """Whether it represents a sparse tensor."""
        return self._spec[2]

    @property
    def ragged(self) -> bool:
        """Whether it represents a ragged tensor."""
        return self._spec[3]

    @property
    def ragged_rank(self) -> int | None:
        """The number of ragged axes."""
        return self._ragged[0]

    @property
    def row_splits_dtype(self) -> str | None:
        """The dtype of the row splits of a ragged tensor."""
        return self._ragged[1]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), property):
            raise AttributeError(
                f"The `{name}` attribute of KerasTensor is immutable. One should create a new instance of KerasTensor for this."
            )
        super().__setattr__(name, value)

    @property
    def node(self) -> Any:  # type: ignore[override]
        """Raises an error: tensors of `jkeras.keras` do not belong to graphs of the immutable face."""
        raise ArgumentError(
            f"{self!r} is a tensor of `jkeras.keras`; models of `jkeras` consist of immutable values. Begin with"
            f" `jkeras.Input(...)`, or take layer and model from `jkeras.keras`."
        )

    def apply_layer(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Raises an error: only layers of the immutable face use it."""
        return self.node

    def apply_operation(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Adds a function of `keras.ops`, by name, with this tensor among its arguments, to the graph."""
        from jkeras.keras.function_operation import record

        return record(name, args, kwargs)

    def reshape(self, newshape: Any) -> KerasTensor:
        """See `keras.ops.reshape`."""
        return self.apply_operation("reshape", (self, newshape), {})

    def squeeze(self, axis: Any = None) -> KerasTensor:
        """See `keras.ops.squeeze`."""
        return self.apply_operation("squeeze", (self, axis), {})

    def __getitem__(self, key: Any) -> KerasTensor:
        return self.apply_operation("getitem", (self, key), {})

    def __round__(self, ndigits: int | None = None) -> KerasTensor:
        return self.apply_operation("round", (self, ndigits or 0), {})

    def __iter__(self) -> Any:
        raise NotImplementedError("Iterating over a symbolic KerasTensor is not supported.")

    def __bool__(self) -> bool:
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    def __index__(self) -> int:
        raise self._without_values("use it as an index")

    __setitem__ = None
    __format__ = object.__format__

    def __int__(self) -> int:
        raise self._without_values("convert it to an int")

    def __float__(self) -> float:
        raise self._without_values("convert it to a float")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._without_values("convert it to a NumPy array")

    def __jax_array__(self) -> Any:
        raise self._without_values(
            "cannot be used as input to a JAX function: use `keras.ops`, or put the function into the `call` of a layer",
            prefix="A KerasTensor",
        )

    def _without_values(self, what: str, prefix: str = "You cannot") -> ValueError:
        return InputError(
            f"A KerasTensor is symbolic: it's a placeholder for a shape and a dtype and has no values."
            f" {prefix} {what}. It was: {self!r}."
        )

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, ragged={self.ragged},"
            f" name={self.name}>"
        )


def _binary(function: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: KerasTensor, other: Any) -> Any:
        return self.apply_operation(function, (self, other), {})

    def reflected(self: KerasTensor, other: Any) -> Any:
        return self.apply_operation(function, (other, self), {})

    return forward, reflected


def _unary(function: str) -> Callable[..., Any]:
    return lambda self: self.apply_operation(function, (self,), {})


for _operator, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "matmul": "matmul",
    "div": "divide",
    "truediv": "true_divide",
    "pow": "power",
    "floordiv": "floor_divide",
    "mod": "mod",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}.items():
    _forward, _reflected = _binary(_function)
    setattr(KerasTensor, f"__{_operator}__", _forward)
    setattr(KerasTensor, f"__r{_operator}__", _reflected)
for _operator, _function in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "ne": "not_equal",
}.items():
    setattr(KerasTensor, f"__{_operator}__", _binary(_function)[0])
for _operator, _function in {"neg": "negative", "abs": "absolute", "invert": "logical_not"}.items():
    setattr(KerasTensor, f"__{_operator}__", _unary(_function))


def symbolic_leaves(*values: Any) -> list[KerasTensor]:
    """The symbolic tensors in nested values."""
    return [leaf for leaf in tree.flatten(values) if isinstance(leaf, KerasTensor)]


def any_symbolic_tensors(args: Iterable[Any] | None = None, kwargs: Mapping[str, Any] | None = None) -> bool:
    """Whether a symbolic tensor is among the arguments, also inside lists, tuples and dicts."""
    for value in (*(args or ()), *(kwargs or {}).values()):
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, _CONTAINERS) and symbolic_leaves(value):
            return True
    return False


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)
