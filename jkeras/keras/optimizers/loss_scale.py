"""An optimizer that wraps another one and scales the loss, so that small gradients do not underflow in float16."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.optimizers.optimizer import Optimizer, update_if
from jkeras.keras.scopes import name_scope
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import Variable, unwrap

# Arguments in files of older versions, with the only values that are allowed.
_WITHOUT_MEANING = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def _optimizer(value: object) -> Optimizer:
    if not isinstance(value, Optimizer):
        raise ArgumentError("expected an optimizer, such as keras.optimizers.Adam()")
    return value


class LossScaleOptimizer(Optimizer):
    """Scales the loss by a factor that grows while gradients are finite; otherwise it is halved and the step is skipped.

    Args:
        inner_optimizer: the optimizer that updates the weights.
        initial_scale: the initial scale.
        dynamic_growth_steps: the number of consecutive finite steps after which the scale is doubled.
        name: the name of the optimizer.

    Raises:
        ArgumentError: another argument is passed.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not kwargs.pop("dynamic", True):
            raise ArgumentError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` directly on"
                " the `inner_optimizer`."
            )
        for argument, value in kwargs.items():
            if argument not in _WITHOUT_MEANING:
                raise ArgumentError(f"LossScaleOptimizer does not support arguments: `{argument}`.")
            if value != _WITHOUT_MEANING[argument]:
                raise ArgumentError(
                    f"LossScaleOptimizer does not support `{argument}`. Instead, set `{argument}` on the `inner_optimizer`."
                )
        checked = functools.partial(arguments.checked, "LossScaleOptimizer")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = checked("inner_optimizer", inner_optimizer, _optimizer)
        self.initial_scale = checked("initial_scale", initial_scale, arguments.finite_positive)
        self.dynamic_growth_steps = checked("dynamic_growth_steps", dynamic_growth_steps, arguments.positive_int)
        self.inner_optimizer.loss_scale_factor = None  # otherwise gradients would be unscaled twice

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the cells for weights."""
        if self.built:
            return
        scale = self.initial_scale
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), lambda shape, dtype: jnp.asarray(scale, dtype), "float32", name="dynamic_scale"
        )
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own cells, followed by those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Updates the weights with the unscaled gradients, if these are finite, and the scale."""
        if not self.built:
            with name_scope(self.name, caller=self):
                self.build(trainable_variables or ())
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        scale, finite = self.dynamic_scale.value, self.check_finite(grads)
        unscaled = [
            g if g is None or v.overwrite_with_gradient else unwrap(g) / scale
            for g, v in zip(grads, variables, strict=True)
        ]
        cells = [*self._trainable_variables, *self.inner_optimizer.variables]
        update_if(finite, cells, lambda: self.inner_optimizer.apply(unscaled, trainable_variables))
        grown = self.step_counter.value == self.dynamic_growth_steps - 1
        self.dynamic_scale.assign(scale * jnp.where(finite, jnp.where(grown, 2.0, 1.0), 0.5))
        self.step_counter.assign(jnp.where(finite & ~grown, self.step_counter.value + 1, 0))

    def check_finite(self, grads: Sequence[Any]) -> jax.Array:
        """Whether all gradients are finite."""
        flags = [jnp.all(jnp.isfinite(unwrap(g))) for g in grads if g is not None]
        return jnp.all(jnp.stack(flags)) if flags else jnp.bool_(True)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """The number of updates that the inner optimizer has made."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """See `Optimizer`."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Restores an optimizer from `get_config()`."""
        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
