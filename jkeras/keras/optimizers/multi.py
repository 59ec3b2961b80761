"""Different optimizers for different weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

from jkeras.errors import ArgumentError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.optimizers.loss_scale import LossScaleOptimizer
from jkeras.keras.optimizers.optimizer import Optimizer
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import Variable


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer a weight gets: by path, else by a regular expression that matches the whole path, else the default.

    Args:
        default_optimizer: the optimizer of other weights.
        optimizer_map: a dict from path or regular expression to optimizer.

    Raises:
        TypeError: an argument has the wrong type.
    """

    keras_module = "keras.optimizers"

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"default_optimizer must be a Keras Optimizer instance. Received: {default_optimizer}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map}")
        self.default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = optimizer_map or {}

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        patterns = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(patterns) > 1:
            raise ArgumentError(f"Multiple optimizers assigned to variable {key}: the patterns {patterns} match it.")
        return self._optimizer_map[patterns[0]] if patterns else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ArgumentError(f"'{key}' already exists in the OptimizerMap with value {self._optimizer_map[key]}.")
        if not isinstance(key, str):
            raise ArgumentError(f"key must be a string. Received: {key}")
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        if isinstance(optimizer, LossScaleOptimizer | MultiOptimizer):
            raise ArgumentError(f"optimizer cannot be {type(optimizer).__name__}.")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Restores a map from `get_config()`."""
        parts = [config["default_optimizer"], config["optimizer_map"]]
        return cls(*(deserialize_keras_object(part, custom_objects=custom_objects) for part in parts))


class MultiOptimizer(Optimizer):
    """Different optimizers for different weights, each with its own learning rate, clipping and averages.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer.
        loss_scale_factor: the factor that multiplies the loss and divides all gradients.
        name: the name of the optimizer.
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None):
        self.optimizers: list[Optimizer] = []
        self._var_to_optimizer_idx: dict[int, int] = {}
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._place(optimizer)

    def _place(self, optimizer: Optimizer) -> int:
        """The index of an inner optimizer, which is added if it is new."""
        if optimizer not in self.optimizers:
            optimizer.loss_scale_factor = self.loss_scale_factor
            self.optimizers.append(optimizer)
        return self.optimizers.index(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        """Creates the cells for weights.

        Raises:
            ArgumentError: a weight's optimizer is not an optimizer, or is a wrapper.
        """
        if self.built:
            return
        for variable in variables:
            optimizer = self._optimizer_map(variable)
            if not isinstance(optimizer, Optimizer):
                raise ArgumentError(f"Optimizer for variable {variable} is not an Optimizer instance.")
            if isinstance(optimizer, LossScaleOptimizer | MultiOptimizer):
                raise ArgumentError(f"{type(optimizer).__name__} cannot be used inside an MultiOptimizer.")
            self._var_to_optimizer_idx[self._var_key(variable)] = self._place(optimizer)
        for optimizer, group in self._groups(variables):
            optimizer.build(group)
        super().build(variables)

    def _groups(self, variables: Sequence[Variable]) -> list[tuple[Optimizer, list[Variable]]]:
        """The inner optimizers that update some of the weights, with these weights."""
        groups: list[list[Variable]] = [[] for _ in self.optimizers]
        for variable in variables:
            if id(variable) not in self._var_to_optimizer_idx:  # a copy
                places = self._var_to_optimizer_idx.values()
                self._var_to_optimizer_idx = dict(zip(map(id, self._trainable_variables), places, strict=True))
            groups[self._var_to_optimizer_idx[id(variable)]].append(variable)
        return [(optimizer, group) for optimizer, group in zip(self.optimizers, groups, strict=True) if group]

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own cells, followed by those of the inner optimizers."""
        return [*self._variables, *(variable for optimizer in self.optimizers for variable in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        """Raises an error: there is no single learning rate.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual sub-optimizers"
            " instead."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual sub-optimizers instead."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the loss, which is also that of the inner optimizers."""
        return vars(self)["loss_scale_factor"]

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        vars(self)["loss_scale_factor"] = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

    @property
    def iterations(self) -> Any:
        """The number of updates so far."""
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Updates weights with their gradients, each with its own optimizer."""
        if not len(grads):
            return
        variables = self._variables_to_update(grads, trainable_variables)
        gradients = {id(variable): gradient for gradient, variable in zip(grads, variables, strict=True)}
        for optimizer, group in self._groups(variables):
            optimizer.apply([gradients[id(variable)] for variable in group], group)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """See `Optimizer`."""
        for optimizer, group in self._groups(var_list):
            optimizer.finalize_variable_values(group)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives all variables other values.

        Raises:
            NotBuiltError: the optimizer is not built.
        """
        super().set_weights(weights[: len(self._variables)])
        start = len(self._variables)
        for optimizer in self.optimizers:
            stop = start + len(optimizer.variables)
            if optimizer.built:
                optimizer.set_weights(weights[start:stop])
            start = stop

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described."""
        by_variable = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": by_variable})
