"""The base of metrics: accumulating cells over the computation of the core's descriptions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import constants, metrics, tree
from jkeras.errors import ArgumentError
from jkeras.keras.masks import mask_of
from jkeras.keras.mutable import Mutable
from jkeras.keras.naming import auto_name
from jkeras.keras.scopes import name_scope
from jkeras.keras.tracking import Tracker
from jkeras.keras.variables import StatelessScope, Variable, as_array, is_variable, unwrap
from jkeras.losses.reduction import align

# Keras's name of an attribute, by the name of its variable, if they differ.
ATTRIBUTES: Mapping[str, str] = {"residual": "total_mse", "total_confusion_matrix": "total_cm"}


class Metric(Mutable, metrics.Metric):
    """Base of metrics; a subclass defines `update_state` and `result` over cells from `add_variable`.

    Args:
        dtype: the dtype of the cells; None means the default float type.
        name: None makes one.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.largest = self.add_variable((), "zeros", name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(jnp.maximum(self.largest, jnp.max(jnp.abs(y_true - y_pred))))
    ...     def result(self):
    ...         return self.largest
    >>> metric = Largest()
    >>> metric.update_state(jnp.array([1.0, 2.0]), jnp.array([1.5, 5.0]))
    >>> float(metric.result())
    3.0
    """

    overrides: ClassVar[tuple[str, ...]] = ("dtype", "direction")
    # The numbers that a built-in metric can create before it sees data; None for all of them.
    early: ClassVar[Collection[str] | None] = None

    def __post_init__(self) -> None:
        self._dtype = vars(self).pop("dtype")
        if self.name is None:
            self.name = auto_name(type(self).__name__)
        super().__post_init__()
        self._metrics: list[Metric] = []
        self._variables: list[Variable] = []
        self._kept: list[str] = []
        self._tracker = Tracker({"variables": (is_variable, self._variables), "metrics": (_is_metric, self._metrics)})
        self._begin()

    def _begin(self) -> None:
        """Creates the cells that do not need data."""
        if self.description is not None:
            first = self._numbers(self.empty())
            early = first if self.early is None else self.early
            self._add_cells({name: value for name, value in first.items() if name in early})

    def __setattr__(self, name: str, value: Any) -> None:
        tracker = vars(self).get("_tracker")
        super().__setattr__(name, value if tracker is None else tracker.track(value))

    @property
    def dtype(self) -> str:
        """The dtype of the cells."""
        return self._dtype

    @property
    def direction(self) -> str | None:
        """ "up" if higher is better, "down" if lower is better, None if unknown."""
        own = vars(self).get("_direction")
        return own if own is not None or self.description is None else self.description.direction.fget(self)

    # -- variables ------------------------------------------------------------------------------------------------

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Creates a cell of the metric.

        Raises:
            RuntimeError: the constructor of the base class was not called.
        """
        self._check_super_called()
        with name_scope(self.name.replace("/", ">"), caller=self):
            variable = Variable(
                "zeros" if initializer is None else initializer,
                shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._tracker.add_to_store("variables", variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The cells of the metric and of nested metrics."""
        return [*self._variables, *(variable for metric in self._metrics for variable in metric.variables)]

    def _check_super_called(self) -> None:
        if "_tracker" not in vars(self):
            raise RuntimeError("You forgot to call `super().__init__()` in the `__init__()` method. Go add it!")

    # -- numbers of a built-in metric -----------------------------------------------------------------------------

    def _add_cells(self, numbers: Mapping[str, jax.Array]) -> None:
        for name, value in numbers.items():
            if name not in self._kept:
                self._kept.append(name)
                setattr(
                    self, ATTRIBUTES.get(name, name), self.add_variable(value.shape, "zeros", value.dtype, name=name)
                )

    def _cell(self, name: str) -> Variable:
        return getattr(self, ATTRIBUTES.get(name, name))

    def _numbers(self, state: metrics.State) -> dict[str, jax.Array]:
        """The stored part of a description's state, by name."""
        return state

    def _value_of(self, numbers: dict[str, jax.Array]) -> jax.Array:
        """The value for given numbers."""
        return self.compute(numbers)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Adds a batch: `update_state(y_true, y_pred, sample_weight=None)`, for means and sums `update_state(values)`.

        Raises:
            NotImplementedError: a user's class does not define it.
        """
        if self.description is None:
            raise NotImplementedError(f"{type(self).__name__} must define `update_state`.")
        args, kwargs = _unmasked(self, *args, **kwargs) if self.applies_mask else (args, kwargs)
        batch = [unwrap(argument) for argument in args]
        keywords = {name: unwrap(argument) for name, argument in kwargs.items()}
        examples = [as_array(argument) for argument in batch[:2] if self.early is not None]
        added = self._numbers(self.update(self.empty(*examples), *batch, **keywords))
        self._add_cells(added)
        for name, value in added.items():
            self._cell(name).assign_add(value)

    def result(self) -> Any:
        """The value of everything added so far: a scalar, an array, or a dict of scalars.

        Raises:
            NotImplementedError: a user's class does not define it.
        """
        if self.description is None:
            raise NotImplementedError(f"{type(self).__name__} must define `result`.")
        if len(self._kept) < len(self._numbers(self.empty())):
            raise ArgumentError(f"{type(self).__name__} needs data before it has a result: call `update_state` first.")
        return self._value_of({name: self._cell(name).value for name in self._kept})

    def reset_state(self) -> None:
        """Resets all cells to zero."""
        for variable in self.variables:
            variable.assign(constants.zeros(variable.shape, jnp.dtype(variable.dtype)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns the value."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    # -- without side effects -------------------------------------------------------------------------------------

    def _mapping(self, metric_variables: Sequence[Any]) -> list[tuple[Variable, Any]]:
        if len(metric_variables) != len(self.variables):
            raise ArgumentError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to"
                f" {type(self).__name__}().variables. Received list with length {len(metric_variables)}, but expected"
                f" {len(self.variables)} variables."
            )
        return list(zip(self.variables, metric_variables, strict=True))

    def _values_in(self, scope: StatelessScope) -> list[Any]:
        values = [(variable, scope.get_current_value(variable)) for variable in self.variables]
        return [variable if value is None else value for variable, value in values]

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The cells' values after one more batch, from given values; without side effects.

        Raises:
            ArgumentError: the number of values differs from the number of cells.
        """
        with StatelessScope(state_mapping=self._mapping(metric_variables)) as scope:
            self.update_state(*args, **kwargs)
        return self._values_in(scope)

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The value for given values of the cells.

        Raises:
            ArgumentError: the number of values differs from the number of cells.
        """
        with StatelessScope(state_mapping=self._mapping(metric_variables)):
            return tree.map_structure(unwrap, self.result())

    def stateless_reset_state(self) -> list[Any]:
        """The initial values of the cells."""
        with StatelessScope() as scope:
            self.reset_state()
        return self._values_in(scope)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return super().get_config()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _is_metric(value: Any) -> bool:
    return isinstance(value, Metric)


def _unmasked(
    metric: Metric, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, with the mask of the predictions merged into the weights."""
    mask = mask_of(y_pred)
    if mask is not None:
        weights = as_array(mask, metric.dtype)
        if sample_weight is not None:
            weights, sample_weights = align(weights, as_array(sample_weight, metric.dtype))
            weights = weights * sample_weights
        sample_weight = weights
    return (y_true, y_pred, sample_weight), {}
