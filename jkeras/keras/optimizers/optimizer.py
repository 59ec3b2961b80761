"""The base of optimizers: cells for state, Keras's methods, and the rules of the core's descriptions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from jkeras import optimizers
from jkeras.errors import ArgumentError, NotBuiltError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.mutable import value_of
from jkeras.keras.optimizers.cells import OptimizerCells
from jkeras.keras.scopes import is_traced, name_scope
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import StatelessScope, Variable, unwrap
from jkeras.optimizers.base import run_if


class Optimizer(OptimizerCells):
    """Base of optimizers: a subclass defines `update_step` and, if it has state per weight, `build`.

    The state consists of cells: `iterations`, `learning_rate` (to which a number can be assigned) and the results of
    `add_variable` and similar methods; `variables` lists all of them. The rules of built-in classes are those of the
    descriptions in `jkeras.optimizers`, applied to one variable and its slots at a time.

    Args:
        learning_rate: a float, a schedule, or a function without arguments.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name: see `jkeras.optimizers.Optimizer`.

    >>> class SignDescent(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * jnp.sign(gradient))
    >>> weight, optimizer = Variable(jnp.array([1.0, 2.0])), SignDescent(0.5)
    >>> optimizer.apply([jnp.array([3.0, -4.0])], [weight])
    >>> weight.numpy().tolist(), int(optimizer.iterations)
    ([0.5, 2.5], 1)
    """

    # Names of the description with a different meaning in Keras; see `facades`.
    overrides: ClassVar[tuple[str, ...]] = (
        "build",
        "update_step",
        "learning_rate",
        "scale_loss",
        "exclude_from_weight_decay",
    )
    # -- the rule -------------------------------------------------------------------------------------------------

    def update_step(self, gradient: jax.Array, variable: Variable, learning_rate: Any) -> None:
        """Updates a weight and its slots with its gradient.

        Raises:
            NotImplementedError: the class has no rule.
        """
        if self.description is None:
            name = type(self).__name__
            raise NotImplementedError(f"{name} must define `update_step(self, gradient, variable, learning_rate)`.")
        index = self._get_variable_index(variable)
        cells = self._slots[index]
        old = {name: _full(cells[name]) for name in self._rule_slots[index]}
        scalars, _ = self._scalars(learning_rate)
        update, new = self.description.update_step(self, _full(gradient), _full(variable), old, scalars)
        self._move(variable, update.astype(variable.dtype))
        for name, cell in cells.items():
            self.assign(cell, new[name] if name in new else self.keras_slot(name, new))

    def _move(self, variable: Variable, update: jax.Array) -> None:
        """Adds to a weight, with the method that Keras's rule calls; subclasses may override it."""
        self.assign_sub(variable, -update)

    def _scalars(self, learning_rate: Any) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        """The scalars of an update at a given learning rate, and the rule's shared state after the update."""
        if self._prepared is not None and self._prepared[0] is learning_rate:
            return self._prepared[1]
        rate = jnp.asarray(unwrap(learning_rate), jnp.float32)
        step = jnp.asarray(unwrap(self.iterations), jnp.float32) + 1
        return self.prepare(rate, step, {name: cell.value for name, cell in self._shared.items()})

    def assign(self, variable: Variable, value: Any) -> None:
        """Assigns a value to a weight or cell."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a weight or cell."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a weight or cell."""
        variable.assign_sub(value)

    # -- updates --------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Any) -> Variable:
        """Updates weights from pairs of gradient and weight; returns the number of calls, as in older versions of Keras."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Updates weights with their gradients.

        Args:
            grads: a gradient for each weight, or None for weights not to update.
            trainable_variables: the weights; by default those passed to `build`.

        Raises:
            NotBuiltError: no weights are known.
            ArgumentError: gradients and weights do not match.
        """
        if not len(grads):
            return
        variables = self._variables_to_update(grads, trainable_variables)
        with name_scope(self.name, caller=self):
            pairs = self._with_gradients(grads, variables)
            pairs = [pair for pair in pairs if not self._overwrite(*pair)]
            if pairs:
                gradients, variables = [g for g, _ in pairs], [v for _, v in pairs]
                if self.loss_scale_factor is not None:
                    gradients = [g / self.loss_scale_factor for g in gradients]
                self._backend_apply_gradients(gradients, variables)
                for variable in variables:
                    if variable.constraint is not None:
                        variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def _variables_to_update(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise NotBuiltError(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list of variables."
                    " Call `optimizer.build(trainable_variables)` first."
                )
            if len(grads) != len(self._trainable_variables):
                raise ArgumentError(
                    f"Got {len(grads)} gradients for the {len(self._trainable_variables)} trainable variables that the"
                    " optimizer was built with; it needs one for each."
                )
            return self._trainable_variables
        variables = list(variables)
        if not self.built:
            with name_scope(self.name, caller=self):
                self.build(variables)
            self.built = True
        for variable in variables:
            if id(variable) not in self._indices_by_id(variable):
                raise ArgumentError(
                    f"Unknown variable: {variable}. This optimizer can only be called for the variables it was originally"
                    " built with. For other variables create another optimizer."
                )
        return variables

    def _with_gradients(self, grads: Sequence[Any], variables: Sequence[Variable]) -> list[tuple[Any, Variable]]:
        pairs = [(unwrap(g), v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            raise ArgumentError("No gradients provided for any variable.")
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If using `model.compile()`, did"
                " you forget to provide a `loss` argument?",
                stacklevel=3,
            )
        return pairs

    def _overwrite(self, gradient: Any, variable: Variable) -> bool:
        """Replaces a weight with `overwrite_with_gradient` by its (largest accumulated) gradient; returns whether it is one."""
        if not variable.overwrite_with_gradient:
            return False
        if not self.gradient_accumulation_steps:
            variable.assign(gradient)
            return True
        waiting = self._accumulated_gradients[self._get_variable_index(variable)]
        largest = jnp.maximum(gradient, waiting.value)
        due = self._update_is_due()
        variable.assign(jnp.where(due, largest, variable.value))
        waiting.assign(jnp.where(due, jnp.zeros_like(largest), largest))
        return True

    def _update_is_due(self) -> jax.Array:
        return (self._iterations.value + 1) % self.gradient_accumulation_steps == 0

    def _backend_apply_gradients(self, grads: Sequence[Any], trainable_variables: Sequence[Variable]) -> None:
        if self.gradient_accumulation_steps:
            self._accumulate(grads, trainable_variables)
        else:
            self._update(grads, trainable_variables)
        if self.use_ema:
            self._update_averages()

    def _update(self, gradients: Sequence[Any], variables: Sequence[Variable]) -> None:
        gradients = self._clip_gradients(gradients)
        self._apply_weight_decay(variables)
        self._backend_update_step(gradients, variables, self.learning_rate)

    def _accumulate(self, gradients: Sequence[Any], variables: Sequence[Variable]) -> None:
        """Accumulates gradients, and updates with their mean when enough have been accumulated."""
        sums = [self._accumulated_gradients[self._get_variable_index(variable)] for variable in variables]
        for waiting, gradient in zip(sums, gradients, strict=True):
            waiting.assign_add(gradient)

        def update() -> None:
            self._update([_full(waiting) / self.gradient_accumulation_steps for waiting in sums], variables)
            for waiting in sums:
                waiting.assign(jnp.zeros_like(waiting.value))

        update_if(self._update_is_due(), [*self._trainable_variables, *self._variables], update)

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable], learning_rate: Any
    ) -> None:
        if self.description is not None:
            self._prepared = (learning_rate, self._scalars(learning_rate))
        try:
            for gradient, variable in zip(grads, trainable_variables, strict=True):
                self.update_step(gradient, variable, learning_rate)
            for name, cell in self._shared.items():
                cell.assign(self._scalars(learning_rate)[1][name])
        finally:
            self._prepared = None

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        return self._clip([jnp.asarray(gradient) for gradient in grads])

    def _apply_weight_decay(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            decay = self.weight_decay_of(variable.path, variable.value) if self._use_weight_decay(variable) else None
            if decay is not None:
                rate = jnp.asarray(unwrap(self.learning_rate), variable.dtype)
                variable.assign(variable.value - variable.value * (rate * decay))

    def _use_weight_decay(self, variable: Variable) -> bool:
        by_name = self._excluded_names is not None and re.search(self._excluded_names, variable.name) is not None
        return not by_name and not any(variable is excluded for excluded in self._excluded)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Excludes weights from decay: variables, or regular expressions to search for in their names.

        Raises:
            ArgumentError: the optimizer is already built.
        """
        if self.built:
            raise ArgumentError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        vars(self)["_excluded"] = tuple(var_list or ())
        self._excluded_names = "|".join(sorted(set(var_names))) if var_names else None

    # -- averages -------------------------------------------------------------------------------------------------

    def _update_averages(self) -> None:
        updates = jnp.asarray(unwrap(self.iterations))
        for variable, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                momentum = jnp.where(updates == 0, 0.0, self.ema_momentum).astype(variable.dtype)
                average.assign(momentum * average.value + (1 - momentum) * variable.value)
                if self.ema_overwrite_frequency:
                    due = (updates + 1) % self.ema_overwrite_frequency == 0
                    variable.assign(jnp.where(due, average.value, variable.value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Replaces weights by their moving averages, if there are any; `fit` does this at its end.

        Raises:
            ArgumentError: the optimizer was built for other weights.
        """
        if not self.use_ema:
            return
        averages = self._model_variables_moving_average
        if len(var_list) != len(averages):
            raise ArgumentError(
                f"The number of variables to overwrite ({len(var_list)}) is not that of the averages in the optimizer"
                f" ({len(averages)}): was it called on your model?"
            )
        for variable, average in zip(var_list, averages, strict=True):
            if average is not None:
                variable.assign(average.value)

    # -- without side effects -------------------------------------------------------------------------------------

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """The weights and the optimizer's variables after an update; without side effects.

        Args:
            optimizer_variables: arrays in the order of `variables`.
            grads: a gradient for each weight.
            trainable_variables: arrays in the order of the weights that the optimizer was built with.

        Raises:
            NotBuiltError: the optimizer is not built.
            ArgumentError: the numbers of arrays and variables differ.
        """
        mapping = self._mapping(optimizer_variables, trainable_variables)
        with StatelessScope(state_mapping=mapping) as scope:
            self.apply(grads)
        weights = [scope.get_current_value(variable) for variable in self._trainable_variables]
        return weights, [scope.get_current_value(variable) for variable in self.variables]

    def _mapping(
        self, optimizer_variables: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> list[tuple[Variable, Any]]:
        if not self.built:
            raise NotBuiltError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its variables must have been"
                " created). You can build it via `optimizer.build(trainable_variables)`."
            )
        own = self.variables
        for name, tensors, expected in (
            ("optimizer_variables", optimizer_variables, own),
            ("trainable_variables", trainable_variables, self._trainable_variables),
        ):
            if len(tensors) != len(expected):
                raise ArgumentError(
                    f"Argument `{name}` must be a list of tensors, one for each variable: got {len(tensors)} for"
                    f" {len(expected)} variables. Was `trainable` of a layer changed? Then compile the model again: an"
                    f" optimizer only works for the variables that it was built with."
                )
        return [
            *zip(self._trainable_variables, trainable_variables, strict=True),
            *zip(own, optimizer_variables, strict=True),
        ]

    # -- scalars --------------------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many updates were made."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a cell, or the schedule's value for the next update."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rate(self._iterations) if isinstance(rate, optimizers.schedules.LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        cell = self._learning_rate if isinstance(self._learning_rate, Variable) else None
        if callable(value) and not isinstance(value, Variable):
            self._learning_rate = value
            self._tracker.untrack(cell)
        elif cell is None:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object or a function as its `learning_rate`, hence"
                " its learning rate is not settable. Make it with a float to set the learning rate later."
            )
        else:
            cell.assign(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate; `apply` divides the gradients by the same factor."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # -- configuration ---------------------------------------------------------------------------------------------------

    def follows_description(self, variables: Sequence[Variable]) -> bool:
        """Whether updates of these weights equal the description's: all weights, in this order, none exempt from decay."""
        return self.is_built_for(variables) and not self._excluded and not self._excluded_names

    def is_built_for(self, variables: Sequence[Variable]) -> bool:
        """Whether the state belongs to these weights, in this order, or does not exist yet."""
        return not self.built or list(map(id, self._trainable_variables)) == list(map(id, variables))

    def to_value(self) -> Any:
        """The description with the current attributes and the current learning rate."""
        arguments = {name: value_of(getattr(self, name)) for name in type(self)._fields if name != "learning_rate"}
        if "learning_rate" in type(self)._fields:
            rate = self._learning_rate
            arguments["learning_rate"] = float(rate.numpy()) if isinstance(rate, Variable) else value_of(rate)
        return self.description(**arguments)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        rate = self._learning_rate
        names = [name for name, field in type(self)._fields.items() if field.in_config and name != "learning_rate"]
        config = {name: getattr(self, name) for name in names}
        config = {name: list(value) if isinstance(value, tuple) else value for name, value in config.items()}
        rate_config = float(rate.numpy()) if isinstance(rate, Variable) else serialize_keras_object(rate)
        return {**config, "learning_rate": rate_config}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described."""
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            config = {**config, "learning_rate": deserialize_keras_object(rate, custom_objects=custom_objects)}
        return cls(**config)


def update_if(condition: Any, cells: Sequence[Variable], function: Callable[[], None]) -> None:
    """Calls `function`, which changes cells, if the condition holds; in a traced program, the condition is evaluated at run time.

    See `jkeras.optimizers.base.run_if` for why this does not use `jax.lax.cond`.
    """
    if not is_traced(condition):
        if condition:
            function()
        return

    def turn(values: list[jax.Array]) -> list[jax.Array]:
        with StatelessScope(zip(cells, values, strict=True)) as scope:
            function()
            return [scope.get_current_value(cell) for cell in cells]

    for cell, value in zip(cells, run_if(condition, turn, [cell.value for cell in cells]), strict=True):
        cell.assign(value)


def _full(value: Any) -> jax.Array:
    """Converts to at least float32, in which the rules compute."""
    array = jnp.asarray(unwrap(value))
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))
