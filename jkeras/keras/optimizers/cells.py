"""The cells of an optimizer: iterations, learning rate, averages, accumulators, slots."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax

from jkeras import initializers, optimizers
from jkeras.errors import ArgumentError, NotBuiltError, SignatureError
from jkeras.keras.mutable import Mutable
from jkeras.keras.naming import auto_name
from jkeras.keras.scopes import name_scope
from jkeras.keras.tracking import Tracker, no_automatic_dependency_tracking
from jkeras.keras.variables import Variable, is_variable


class OptimizerCells(Mutable, optimizers.Optimizer):
    """The part of `Optimizer` that creates, lists and saves cells."""

    # Keras's names of the lists of slots, by slot.
    slot_lists: ClassVar[Mapping[str, str]] = {}
    # Slots that have the weight's name in Keras.
    unnamed_slots: ClassVar[tuple[str, ...]] = ()
    _trainable_variables: list[Variable]
    _excluded: tuple[Variable, ...]

    def __post_init__(self) -> None:
        rate = vars(self).pop("learning_rate")
        if self.name is None:
            self.name = auto_name(type(self).__name__)
        super().__post_init__()
        self.built = False
        self._variables: list[Variable] = []
        self._tracker = Tracker({"variables": (is_variable, self._variables)})
        vars(self).update(_trainable_variables=[], _excluded=())  # the weights do not belong to the optimizer
        self._indices: dict[int, int] = {}
        # Cells by name for each weight; the rule's cells; the cells for all weights together.
        self._slots: list[dict[str, Variable]] = []
        self._rule_slots: list[tuple[str, ...]] = []
        self._shared: dict[str, Variable] = {}
        # During an update: the learning rate, and the scalars derived from it for all weights.
        self._prepared: tuple[Any, Any] | None = None
        self._excluded_names: str | None = None
        self._iterations = self._add_scalar(0, "iteration", "int32")
        self._learning_rate = rate if callable(rate) else self._add_scalar(rate, "learning_rate", "float32")

    def __setattr__(self, name: str, value: Any) -> None:
        tracker = vars(self).get("_tracker")
        super().__setattr__(name, value if tracker is None else tracker.track(value))

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if kwargs.pop("decay", None) is not None:
            warnings.warn("Argument `decay` is no longer supported and will be ignored.", stacklevel=3)
        try:
            return super()._bind(args, kwargs)
        except SignatureError as error:  # Keras raises a ValueError here
            raise ArgumentError(f"Argument(s) not recognized: {error}") from None

    # -- variables ------------------------------------------------------------------------------------------------

    def _add_scalar(self, value: Any, name: str, dtype: str) -> Variable:
        with name_scope(self.name, caller=self):
            variable = Variable(value, dtype=dtype, trainable=False, name=name, aggregation="only_first_replica")
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Creates a cell of the optimizer."""
        with name_scope(self.name, caller=self):
            variable = Variable(
                initializer, shape, dtype=dtype, trainable=False, name=name, aggregation=aggregation, layout=layout
            )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Creates a cell with the shape and dtype of a weight, named after the weight."""
        return self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            name=f"{reference_variable.path.replace('/', '_')}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Creates a cell per weight, or None for weights that gradients overwrite; for several names, one list per name.

        Raises:
            ArgumentError: the numbers of initializers and names differ.
        """
        names = [name] if isinstance(name, str) else list(name)
        single = isinstance(initializer, str | initializers.Initializer)
        values = [initializer] * len(names) if single else list(initializer)
        if len(names) != len(values):
            raise ArgumentError(
                "The number of provided names must match the number of provided initializers."
                f" Received name={name!r}, initializer={initializer!r}"
            )
        lists: tuple[list[Variable | None], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for column, slot, value in zip(lists, names, values, strict=True):
                overwritten = variable.overwrite_with_gradient
                column.append(None if overwritten else self.add_variable_from_reference(variable, slot, value))
        return lists[0] if isinstance(name, str) else lists

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate, averages, accumulators, and the variables from `build`, in that order."""
        return self._variables[:]

    @no_automatic_dependency_tracking
    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the cells for weights."""
        if self.built:
            return
        variables = list(variables)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(variable, "gradient_accumulator") for variable in variables
            ]
        self._trainable_variables = variables
        if self.description is not None:
            self._add_slots(variables)
        self.built = True

    def _add_slots(self, variables: Sequence[Variable]) -> None:
        """The cells of a built-in rule, in Keras's order."""
        updated = [None if v.overwrite_with_gradient else self.init_slots(v.path, v.value) for v in variables]
        self._slots = [{} for _ in variables]
        self._rule_slots = [tuple(first or ()) for first in updated]
        for group in self.slot_groups():
            for variable, first, slots in zip(variables, updated, self._slots, strict=True):
                for name in group if first is not None else ():
                    value = first[name] if name in first else self.keras_slot(name, first)
                    if value is not None:
                        slots[name] = self._add_slot(variable, name, value)
        for name, value in self.init_shared().items():
            self._shared[name] = self.add_variable(value.shape, lambda shape, dtype, v=value: v, value.dtype, name=name)
        for name, attribute in self.slot_lists.items():
            setattr(self, attribute, self._shared.get(name, [slots.get(name) for slots in self._slots]))

    def _add_slot(self, variable: Variable, name: str, value: jax.Array) -> Variable:
        if name not in self.unnamed_slots and (value.shape, value.dtype) == (tuple(variable.shape), variable.dtype):
            return self.add_variable_from_reference(variable, name, lambda shape, dtype: value)
        own = variable.name if name in self.unnamed_slots else f"{variable.path.replace('/', '_')}_{name}"
        return self.add_variable(value.shape, lambda shape, dtype: value, value.dtype, name=own)

    def _var_key(self, variable: Variable) -> int:
        return id(variable)

    def _get_variable_index(self, variable: Variable) -> int:
        return self._indices_by_id(variable)[id(variable)]

    def _indices_by_id(self, variable: Variable) -> dict[int, int]:
        """The indices of the weights; recomputed if a weight is missing, because copies of variables have other ids."""
        if id(variable) not in self._indices:
            self._indices = {id(known): index for index, known in enumerate(self._trainable_variables)}
        return self._indices

    # -- saving ---------------------------------------------------------------------------------------------------

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assigns all variables.

        Raises:
            NotBuiltError: the optimizer is not built.
            ArgumentError: a shape does not match.
        """
        if not self.built:
            raise NotBuiltError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call"
                " `optimizer.build(trainable_variables)` to create the optimizer weights before calling `set_weights()`."
            )
        for variable, weight in zip(self._variables, weights, strict=False):
            if tuple(variable.shape) != tuple(weight.shape):
                raise ArgumentError(
                    f"Optimizer variable {variable.path} has shape {variable.shape}, not compatible with a weight of shape"
                    f" {weight.shape}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables."""
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Loads the variables; skips them, with a warning, if their number differs, and silently if there are none."""
        if not store:
            return
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} variables"
                f" whereas the saved optimizer has {len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        for index, variable in enumerate(self.variables):
            variable.assign(store[str(index)])
