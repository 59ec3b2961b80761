"""`Variable`, the only place for mutable values, and `StatelessScope`, which redirects them.

A variable is a cell: weights, slots of optimizers, totals of metrics, seeds and learning rates are variables, as attributes of
the objects that own them. Inside a `StatelessScope` reads and writes go to the scope, which turns a function over cells into a
pure function of their values.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import initializers
from jkeras.allowance import charge
from jkeras.errors import ArgumentError
from jkeras.keras.arithmetic import HoldsArray
from jkeras.keras.arithmetic import as_array as as_array
from jkeras.keras.arithmetic import unwrap as unwrap
from jkeras.keras.dtypes import standardize_dtype, standardize_shape
from jkeras.keras.naming import auto_name
from jkeras.keras.scopes import (
    AutocastScope as AutocastScope,
)
from jkeras.keras.scopes import (
    SymbolicScope as SymbolicScope,
)
from jkeras.keras.scopes import (
    _Scope,
    is_traced,
)
from jkeras.keras.scopes import (
    current_path as current_path,
)
from jkeras.keras.scopes import (
    get_autocast_scope as get_autocast_scope,
)
from jkeras.keras.scopes import (
    in_symbolic_scope as in_symbolic_scope,
)
from jkeras.keras.scopes import (
    name_scope as name_scope,
)
from jkeras.random_keys import key_of
from jkeras.tracing import concrete

_scope: ContextVar[StatelessScope | None] = ContextVar("stateless_scope", default=None)
_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "none", "on_read", "on_write", "auto")


class StatelessScope(_Scope):
    """A context in which variables have given values, and assignments only affect the scope.

    Args:
        state_mapping: pairs of a variable and its value.
        collect_losses: whether to collect losses that layers add in `losses`.
        initialize_variables: whether to initialize variables created inside when the outermost scope ends.

    >>> v = Variable(jnp.zeros(2))
    >>> with StatelessScope([(v, jnp.ones(2))]) as scope:
    ...     _ = v.assign(v + 1)
    >>> scope.get_current_value(v).tolist(), v.numpy().tolist()
    ([2.0, 2.0], [0.0, 0.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Any] = {}
        # The variables that were assigned inside the scope.
        self.variables: dict[int, Variable] = {}
        self.uninitialized: list[Variable] = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ArgumentError(
                    "Invalid reference variable in StatelessScope: all keys in argument `mapping` must be Variable"
                    f" instances. Received instead: {variable}"
                )
            array = as_array(value, variable._dtype)
            if variable.shape != tuple(array.shape):
                raise ArgumentError(
                    "Invalid variable value in StatelessScope: all values in argument `mapping` must be tensors with a"
                    f" shape that matches the corresponding variable shape. For variable {variable}, received invalid"
                    f" value {array} with shape {array.shape}."
                )
            self.state_mapping[id(variable)] = array

    def _set(self) -> Any:
        self._outer = _scope.get()
        return _scope.set(self)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        if self._outer is not None:
            self._outer.uninitialized.extend(self.uninitialized)
        elif self.initialize_variables:
            for variable in self.uninitialized:
                variable._deferred_initialize()
        self.uninitialized = []

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Sets the value of a variable inside the scope."""
        variable, value = update
        self.state_mapping[id(variable)] = value
        self.variables[id(variable)] = variable

    def get_current_value(self, variable: Variable) -> Any:
        """The value of a variable in the scope, or None."""
        return self.state_mapping.get(id(variable))


def in_stateless_scope() -> bool:
    """Whether a scope redirects reads and writes of variables."""
    return _scope.get() is not None


def get_stateless_scope() -> StatelessScope | None:
    """The innermost scope, if there is one."""
    return _scope.get()


class Variable(HoldsArray):
    """A named, typed, mutable array.

    Behaves in arithmetic, in `jax.numpy` and in `keras.ops` like the array that it contains. Inside `jax.jit` its value is
    determined by a `StatelessScope`.

    Args:
        initializer: an array, the name of an initializer, or a function of shape and dtype.
        shape: its shape; required unless `initializer` is an array.
        dtype: its dtype; None takes that of the array, else the default float type.
        trainable: whether training changes it.
        autocast: whether layers with another compute dtype read it in that dtype.
        aggregation: how replicas combine it.
        synchronization: accepted for compatibility with Keras.
        name: its name, without a slash; None creates one.
        layout: its sharding: a `jax.sharding.Sharding`, or an object with one as `backend_layout`.

    Raises:
        ValueError: an argument has a value that is not allowed, or a size is None.

    >>> v = Variable(initializer="ones", shape=(2,))
    >>> (v * 2).tolist()
    [2.0, 2.0]
    """

    # JAX sees its array, `keras.tree` the variable itself.
    is_tree_leaf = True

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        self._name = name or auto_name("variable")
        if not isinstance(self._name, str) or "/" in self._name:
            raise ArgumentError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}"
            )
        _check("aggregation", aggregation, _AGGREGATIONS)
        _check("synchronization", synchronization, _SYNCHRONIZATIONS)
        parent = current_path()
        self._path = f"{parent}/{self._name}" if parent else self._name
        self._trainable = bool(trainable)
        self._autocast = bool(autocast)
        self._aggregation = aggregation or "none"
        self._synchronization = synchronization or "none"
        self._layout = layout
        self._regularizer: Any = None
        self._constraint: Any = None
        self._overwrite_with_gradient = False
        self._value: Any = None
        self._borrower: Any = None
        self._initializer: Any = None
        function = _initializer_function(initializer)
        if function is None:
            self._begin_with(initializer, dtype)
        else:
            self._begin_lazily(function, shape, dtype)

    def _begin_with(self, value: Any, dtype: Any) -> None:
        scope = _scope.get()
        if scope is not None:
            raise ArgumentError(
                "You are attempting to create a variable while in a stateless scope. This is disallowed. Make sure that all"
                " variables are created before you start using your layer/model objects: implement `build(self,"
                " input_shape)`, and make variables with `self.add_weight(shape=..., initializer=...)`."
            )
        array = as_array(value, dtype)
        self._dtype = standardize_dtype(array.dtype if dtype is None else dtype)
        self._shape = self._known_shape(array.shape)
        self._direct_assign(array)

    def _begin_lazily(self, initializer: Callable[..., Any], shape: Any, dtype: Any) -> None:
        if shape is None:
            raise ArgumentError(
                "When creating a Variable from an initializer, the `shape` argument should be specified."
                f" Received: initializer={initializer} and shape={shape}"
            )
        self._dtype = standardize_dtype(dtype)
        self._shape = self._known_shape(shape)
        charge(
            math.prod(self._shape), f"numbers in the variable {self._path!r}", np.dtype(jnp.dtype(self._dtype)).itemsize
        )
        self._initializer = initializer
        scope = _scope.get()
        if scope is not None:
            scope.uninitialized.append(self)
        else:
            self._deferred_initialize()

    def _known_shape(self, shape: Any) -> tuple[int, ...]:
        sizes = standardize_shape(shape)
        if None in sizes:
            raise ArgumentError(
                "Shapes used to initialize variables must be fully-defined (no `None` dimensions)."
                f" Received: shape={sizes} for variable path='{self._path}'"
            )
        return sizes  # type: ignore[return-value]

    def _deferred_initialize(self) -> None:
        if self._value is not None:
            raise ArgumentError(f"Variable {self.path} is already initialized.")
        if _scope.get() is not None:
            raise ArgumentError(
                "You are attempting to initialize a variable while in a stateless scope. This is disallowed. Make sure that"
                " all variables are initialized before you start using your layer/model objects."
            )
        # Concrete even while a program is being traced: a variable outlives the program.
        with concrete():
            self._direct_assign(self._placeholder())
        self._initializer = None

    def _placeholder(self) -> Any:
        return as_array(self._initializer(self._shape, dtype=self._dtype), self._dtype)

    def _direct_assign(self, value: Any) -> None:
        """Sets the array, regardless of scopes."""
        if self._layout is not None:
            value = jax.device_put(value, getattr(self._layout, "backend_layout", self._layout))
        self._value = value
        if self._borrower is not None:
            self._borrower.note_home(self)

    def lend(self, borrower: Any) -> None:
        """Lends the array to a run, which reuses its memory. Reading the variable meanwhile makes the run call
        `take_back`."""
        self._value, self._borrower = None, borrower

    def take_back(self, value: Any, settled: bool = False) -> None:
        """Takes back an array that was lent; `settled` means that the run is over."""
        self._value = value
        if settled:
            self._borrower = None

    @property
    def is_lent(self) -> bool:
        """Whether the array is lent to a run, and the variable has not been read or assigned since."""
        return self._value is None and self._borrower is not None

    @property
    def settled(self) -> Any:
        """The array, regardless of scopes, retrieved from a run if necessary; None before initialization."""
        if self.is_lent:
            self._borrower.bring_back(self)
        return self._value

    # -- what it holds --------------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The current array, in this scope."""
        scope = _scope.get()
        value = None if scope is None else scope.state_mapping.get(id(self))
        if value is None:
            value = self.settled
            if value is None:  # not initialized yet, so only its shape is needed
                value = self._placeholder()
        casting = get_autocast_scope()
        return value if casting is None or not self._autocast else casting.maybe_cast(value)

    def assign(self, value: Any) -> Any:
        """Assigns an array of the same shape, and returns it.

        Raises:
            ValueError: it has another shape, or is a tracer that would outlive its program.
        """
        array = as_array(value, self._dtype)
        if tuple(array.shape) != self._shape:
            raise ArgumentError(
                "The shape of the target variable and the shape of the target value in `variable.assign(value)` must match."
                f" variable.shape={self.shape}, Received: value.shape={array.shape}. Target variable: {self}"
            )
        scope = _scope.get()
        if scope is not None:
            scope.add_update((self, array))
        elif is_traced(array):
            raise ArgumentError(
                f"The variable {self.path!r} was assigned a value of a program that JAX traces; it would outlive the program."
                f" Run the code in `with keras.StatelessScope(...) as scope`, return `scope.get_current_value(variable)`"
                f" and assign that outside, as `layer.stateless_call` does."
            )
        else:
            self._direct_assign(array)
        return array

    def assign_add(self, value: Any) -> Any:
        """Adds to the value in place."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Subtracts from the value in place."""
        return self.assign(self - value)

    def numpy(self) -> np.ndarray:
        """The array as a NumPy array."""
        return np.array(self.value)

    # -- what it is -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._name

    @property
    def path(self) -> str:
        """The names of the enclosing layers and its own, joined by slashes."""
        return self._path

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def dtype(self) -> str:
        """The name of the dtype of `value` in this scope."""
        casting = get_autocast_scope()
        if self._autocast and casting is not None and casting.dtype is not None and "float" in self._dtype:
            return casting.dtype
        return self._dtype

    @property
    def trainable(self) -> bool:
        """Whether training changes it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def autocast(self) -> bool:
        """Whether layers with another compute dtype read it in that dtype."""
        return self._autocast

    @property
    def aggregation(self) -> str:
        """How replicas combine it."""
        return self._aggregation

    @property
    def synchronization(self) -> str:
        """As given."""
        return self._synchronization

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers replace the value by its gradient."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"`overwrite_with_gradient` must be a boolean. Received: {value}")
        self._overwrite_with_gradient = value

    @property
    def regularizer(self) -> Any:
        """A function of the value whose result is added to the loss, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        self._regularizer = _function_or_none("regularizer", value)

    @property
    def constraint(self) -> Any:
        """A function that projects the value after each update, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        self._constraint = _function_or_none("constraint", value)

    # -- an object ------------------------------------------------------------------------------------------------

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        clone = object.__new__(type(self))
        memo[id(self)] = clone
        vars(clone).update(
            vars(self), _value=self.settled, _borrower=None
        )  # arrays are immutable: both may contain the same one
        return clone

    def __getstate__(self) -> dict[str, Any]:
        value = self.settled
        return {**vars(self), "_value": None if value is None else np.asarray(value), "_borrower": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._value is not None:
            self._value = jnp.asarray(self._value)

    def __repr__(self) -> str:
        value = self._value
        shown = "" if value is None or is_traced(value) else f", value={np.asarray(value)}"
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}{shown}>"


KerasVariable = Variable


def is_variable(value: Any) -> bool:
    """Whether a value is a variable; a function, so that trackers can be pickled."""
    return isinstance(value, Variable)


def initialize_all_variables() -> None:
    """Does nothing: variables are initialized when the scope in which they were created ends."""


def _initializer_function(initializer: Any) -> Callable[..., Any] | None:
    """The function of shape and dtype that initializes the variable, or None for an initial value."""
    if isinstance(initializer, str):
        function = initializers.get(initializer)
        key = key_of(random.randrange(10**9))
        return lambda shape, dtype: function(shape, dtype=dtype, key=key)
    return initializer if callable(initializer) and not isinstance(initializer, Variable) else None


def _function_or_none(what: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ArgumentError(
            f"Invalid value for attribute `{what}`. Expected a callable (such as a `keras.{what}s.{what.title()}` instance)"
            f" or `None`. Received: {what}={value}"
        )
    return value


def _check(what: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        names = ", ".join(f"`{name!r}`" if name else "`None`" for name in allowed)
        raise ArgumentError(f"Invalid value for argument `{what}`. Expected one of {names}. Received: {what}={value}")


# As an argument of `jax.jit`, `jax.grad` and most of `jax.numpy`, it is converted to its array.
jax.tree_util.register_pytree_node(
    Variable, lambda variable: ((variable.value,), None), lambda _, children: children[0]
)
