"""Optimizers: how gradients change weights, with the names of `keras.optimizers`.

An optimizer holds no arrays. `init` creates its state from the weights, and each update returns the next state:

>>> import jax.numpy as jnp, optax
>>> params = {"dense/kernel": jnp.array([1.0, 2.0])}
>>> optimizer = get("sgd").replace(learning_rate=0.5)
>>> state = optimizer.init(params)
>>> updates, state = optimizer.update({"dense/kernel": jnp.array([2.0, -2.0])}, state, params)
>>> optax.apply_updates(params, updates)["dense/kernel"].tolist(), int(get_iterations(state))
([0.0, 3.0], 1)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from jkeras import registry
from jkeras.lazy import public_names as _public_names
from jkeras.optimizers import schedules
from jkeras.optimizers.adafactor import Adafactor
from jkeras.optimizers.adagrad import Adadelta, Adagrad
from jkeras.optimizers.adam import Adam, AdamW
from jkeras.optimizers.adam_variants import Adamax, Nadam
from jkeras.optimizers.base import BaseOptimizer
from jkeras.optimizers.ftrl import Ftrl
from jkeras.optimizers.lion_lamb import Lamb, Lion
from jkeras.optimizers.loss_scale import LossScaleOptimizer
from jkeras.optimizers.multi import MultiOptimizer, OptimizerMap
from jkeras.optimizers.muon import Muon
from jkeras.optimizers.optax_optimizer import OptaxOptimizer
from jkeras.optimizers.optimizer import Optimizer, OptimizerState
from jkeras.optimizers.rmsprop import RMSprop
from jkeras.optimizers.schedule_free import ScheduleFreeAdamW
from jkeras.optimizers.sgd import SGD
from jkeras.optimizers.table import RULES, named, resolve
from jkeras.types import ArrayLike, OptimizerLike
from jkeras.values.config import serialize as serialize_value

TABLE: Mapping[str, type[BaseOptimizer]] = {**RULES, **named(LossScaleOptimizer, MultiOptimizer)}


def get(identifier: OptimizerLike) -> BaseOptimizer | None:
    """The optimizer that `identifier` means.

    Args:
        identifier: None (returned as None), a name in any case, a configuration, an optimizer or its class, or an Optax
            transformation.

    Raises:
        UnknownNameError: no optimizer has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("adam") == Adam()
    True
    """
    return resolve(TABLE, identifier)


def serialize(optimizer: BaseOptimizer | None) -> Any:
    """The JSON-able form of an optimizer.

    Args:
        optimizer: an optimizer.

    Raises:
        ArgumentError: it is an Optax transformation; these have no configuration.

    >>> serialize(SGD(0.1))["class_name"]
    'SGD'
    """
    return serialize_value(optimizer)


def deserialize(config: OptimizerLike, custom_objects: Mapping[str, Any] | None = None) -> BaseOptimizer | None:
    """Restores an optimizer from what `serialize` returned.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: further names, known during this call only.

    Raises:
        UnknownNameError: no optimizer has that name.
        ArgumentError: `config` does not describe an optimizer.

    >>> deserialize("sgd")
    SGD()
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


def get_learning_rate(optimizer: BaseOptimizer, opt_state: Any) -> jax.Array:
    """The learning rate of the next update; a schedule is evaluated at the current count.

    Args:
        optimizer: the optimizer that created the state.
        opt_state: the optimizer's state.

    >>> import jax.numpy as jnp
    >>> optimizer = SGD(schedules.ExponentialDecay(0.5, 10, 0.9))
    >>> float(get_learning_rate(optimizer, optimizer.init({"w": jnp.zeros(2)})))
    0.5
    """
    return optimizer.get_learning_rate(opt_state)


def set_learning_rate(optimizer: BaseOptimizer, opt_state: Any, value: ArrayLike) -> Any:
    """A copy of `opt_state` with another learning rate; the compiled training step stays valid.

    Args:
        optimizer: the optimizer that created the state.
        opt_state: the optimizer's state.
        value: the new learning rate.

    Raises:
        InputError: the learning rate follows a schedule.

    >>> import jax.numpy as jnp
    >>> state = set_learning_rate(SGD(0.5), SGD(0.5).init({"w": jnp.zeros(2)}), 0.25)
    >>> float(get_learning_rate(SGD(0.5), state))
    0.25
    """
    return optimizer.set_learning_rate(opt_state, value)


def get_iterations(opt_state: Any) -> jax.Array:
    """The number of updates made so far, an int32 scalar.

    Args:
        opt_state: the optimizer's state.

    >>> import jax.numpy as jnp
    >>> int(get_iterations(SGD().init({"w": jnp.zeros(2)})))
    0
    """
    result: jax.Array = opt_state.iterations
    return result


__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BaseOptimizer",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "OptaxOptimizer",
    "Optimizer",
    "OptimizerMap",
    "OptimizerState",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "get_iterations",
    "get_learning_rate",
    "schedules",
    "serialize",
    "set_learning_rate",
]


def __dir__() -> list[str]:
    return _public_names(__name__)
