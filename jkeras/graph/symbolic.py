"""Symbolic tensors: what `Input` returns and what layers return when they are called on them.

A symbolic tensor knows its shape (None where a size is unknown), its dtype and the node that made it; a node knows its
layer and its arguments. Nothing is registered on the layer, so calling a layer never changes it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import jax
import numpy as np

from jkeras.dispatch import Symbolic, is_symbolic
from jkeras.errors import InputError
from jkeras.graph.input_spec import MissingAxisError
from jkeras.graph.layer import Layer
from jkeras.graph.operation import Operation, is_function
from jkeras.graph.shapes import show_shape
from jkeras.types import Array


class Node:
    """One application of a layer.

    Attributes:
        layer: what is applied.
        args: the positional arguments, symbolic tensors among them.
        kwargs: the keyword arguments, in the same form.
        outputs: the structure of the results.
    """

    __slots__ = ("layer", "args", "kwargs", "outputs")

    def __init__(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: Any):
        self.layer: Layer = layer
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs
        indices = itertools.count()
        self.outputs: Any = jax.tree.map(
            lambda leaf: SymbolicTensor(leaf.shape, leaf.dtype, self, next(indices)), shapes
        )

    @property
    def results(self) -> list[SymbolicTensor]:
        """The outputs, flattened."""
        return jax.tree.leaves(self.outputs)

    @property
    def parents(self) -> list[SymbolicTensor]:
        """The tensors that the layer was applied to."""
        return [leaf for leaf in jax.tree.leaves((self.args, self.kwargs)) if is_symbolic(leaf)]


class SymbolicTensor(Symbolic):
    """A tensor that will exist when the model runs, as `jk.Input` and calls of layers on such tensors return them.

    Supports Python's operators and indexing; each adds a layer to the graph. Functions of `jax.numpy` need arrays: use
    `jk.ops`, or `layers.Lambda(function)`. (`==` between two symbolic tensors asks whether they are the same one;
    `jk.ops.equal` compares their values.)

    Args:
        shape: the sizes, None where unknown; the first axis is the batch.
        dtype: the name of the type.
        node: the call of the layer that computes the tensor.
        index: the position of the tensor among the outputs of that call.
        name: the name that the user chose, or None.
        origin: the model whose weights belong to the layers before this tensor.

    Raises:
        InputError: the tensor is used in a way that needs values, such as `float(x)` or `if x:`.

    >>> import jkeras as jk
    >>> x = jk.Input((4,))
    >>> (2 * x + 1)[:, :3]
    <SymbolicTensor shape=(None, 3) dtype=float32>
    """

    def __init__(
        self,
        shape: tuple[int | None, ...],
        dtype: str,
        node: Node,
        index: int = 0,
        name: str | None = None,
        origin: Any = None,
    ):
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype: str = str(dtype)
        self.node = node
        self.index = index
        self.name = name
        self.origin = origin  # the model whose weights belong to the layers behind this tensor

    @property
    def key(self) -> tuple[int, int]:
        """What makes two tensor objects the same tensor."""
        return (id(self.node), self.index)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={show_shape(self.shape)} dtype={self.dtype}>"

    def _refuse(self, use: str, advice: str = "") -> InputError:
        layer = self.node.layer
        source = f"{type(layer).__name__} {layer.name!r}" if layer.name else type(layer).__name__
        return InputError(
            f"{self!r} of {source} has no values yet, so it cannot {use}. "
            + (
                advice
                or "Use a function of `jk.ops`, a layer, or `layers.Lambda(function)`, which become part of the graph."
            )
        )

    def apply_layer(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return symbolic_call(layer, args, kwargs)

    def apply_operation(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return Operation(name)(*args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refuse("become a NumPy array")

    @property
    def __jax_array__(self) -> Any:
        # JAX looks for this method before it raises its own error.
        raise self._refuse("be passed to a JAX function")

    def __bool__(self) -> bool:
        raise self._refuse("decide a condition", "Use `jk.ops.where` to choose between values.")

    def __int__(self) -> int:
        raise self._refuse("become an int")

    def __index__(self) -> int:
        raise self._refuse("be an index or a size", "Sizes that are known are in `x.shape`.")

    def __float__(self) -> float:
        raise self._refuse("become a float")

    def __complex__(self) -> complex:
        raise self._refuse("become a complex number")

    def __round__(self, ndigits: int | None = None) -> SymbolicTensor:
        result: SymbolicTensor = Operation("round")(self, ndigits or 0)
        return result

    def __format__(self, spec: str) -> str:
        if spec:
            raise self._refuse(f"be formatted with {spec!r}")
        return str(self)

    if not TYPE_CHECKING:  # checkers know the attributes that there are

        def __getattr__(self, name: str) -> NoReturn:
            advice = _advice(name)
            raise AttributeError(f"A {type(self).__name__} has no attribute {name!r}.{advice and ' ' + advice}")

    def __iter__(self) -> Any:
        raise self._refuse("be iterated over")

    def __getitem__(self, key: Array | None) -> SymbolicTensor:
        result: SymbolicTensor = Operation("getitem")(self, key)
        return result

    def __len__(self) -> int:
        raise self._refuse("have a length")

    def __hash__(self) -> int:
        return hash(self.key)

    def __setitem__(self, key: object, value: object) -> None:
        raise self._refuse("be assigned to", "Use `jk.ops.where` or `jk.ops.slice_update`, which return a new tensor.")

    def __eq__(self, other: object) -> Any:
        if isinstance(other, SymbolicTensor):
            return self.key == other.key
        if isinstance(other, (int, float, complex, np.ndarray, np.generic, jax.Array)):
            raise self._refuse("be compared with a value", "Write `jk.ops.equal(x, y)` or `jk.ops.not_equal(x, y)`.")
        return NotImplemented


def _advice(attribute: str) -> str:
    """What to write instead of an attribute that arrays have."""
    operation = {"T": "transpose", "astype": "cast"}.get(attribute, attribute)
    if attribute in ("numpy", "tolist", "item"):
        return "It has no values yet; `model.predict(x)` computes some."
    return f"Write `jk.ops.{operation}(x, ...)`." if is_function(operation) else ""


def _binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: SymbolicTensor, other: Any) -> Any:
        return Operation(name)(self, other)

    def reflected(self: SymbolicTensor, other: Any) -> Any:
        return Operation(name)(other, self)

    return forward, reflected


for _operator, _name in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
}.items():
    _forward, _reflected = _binary(_name)
    setattr(SymbolicTensor, f"__{_operator}__", _forward)
    setattr(SymbolicTensor, f"__r{_operator}__", _reflected)
for _operator, _name in {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
    setattr(SymbolicTensor, f"__{_operator}__", _binary(_name)[0])
for _operator, _name in {"neg": "negative", "abs": "abs"}.items():
    setattr(SymbolicTensor, f"__{_operator}__", lambda self, _name=_name: Operation(_name)(self))


def symbolic_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Adds one application of `layer` to the graph and returns its symbolic outputs."""
    try:
        outputs = layer.compute_output_spec(*args, **kwargs)
    except MissingAxisError as error:
        below = [leaf.node.layer for leaf in jax.tree.leaves((args, kwargs)) if isinstance(leaf, SymbolicTensor)]
        advice = next(filter(None, (one.more_axes() for one in below)), "")
        raise error.advised(advice) if advice else error from None
    return Node(layer, args, kwargs, outputs).outputs
