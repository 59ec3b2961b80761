"""Optimizers as in `keras.optimizers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import optimizers as core
from jkeras.keras.identifiers import Family
from jkeras.keras.modules import add_mirrors, own_names
from jkeras.keras.mutable import facade
from jkeras.keras.optimizers import schedules as schedules
from jkeras.keras.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from jkeras.keras.optimizers.multi import MultiOptimizer as MultiOptimizer
from jkeras.keras.optimizers.multi import OptimizerMap as OptimizerMap
from jkeras.keras.optimizers.optimizer import Optimizer as Optimizer

# Keras's names of the lists of a rule's slots.
_SLOTS: dict[Any, dict[str, str]] = {
    core.Adadelta: {"accumulated_grad": "_accumulated_grads", "accumulated_delta_var": "_accumulated_delta_vars"},
    core.Adafactor: {"row": "_r", "column": "_c", "velocity": "_v"},
    core.Adagrad: {"accumulator": "_accumulators"},
    core.Adam: {"momentum": "_momentums", "velocity": "_velocities", "velocity_hat": "_velocity_hats"},
    core.Adamax: {"momentum": "_m", "norm": "_u"},
    core.AdamW: {"momentum": "_momentums", "velocity": "_velocities", "velocity_hat": "_velocity_hats"},
    core.Ftrl: {"accumulator": "_accumulators", "linear": "_linears"},
    core.Lamb: {"momentum": "_momentums", "velocity": "_velocities"},
    core.Lion: {"momentum": "_momentums"},
    core.Muon: {"momentum": "momentums", "velocity": "adam_velocities"},
    core.Nadam: {"momentum": "_momentums", "velocity": "_velocities", "momentum_product": "_u_product"},
    core.RMSprop: {"velocity": "_velocities", "momentum": "_momentums", "average_gradient": "_average_gradients"},
    core.ScheduleFreeAdamW: {"momentum": "_momentums", "velocity": "_velocities"},
    core.SGD: {"momentum": "momentums"},
}
_DERIVED = {core.AdamW: core.Adam}  # of another facade than `Optimizer`


def _add(self: Any, variable: Any, update: Any) -> None:
    self.assign_add(variable, update)


def _add_momentum(self: Any, variable: Any, update: Any) -> None:
    if self.momentum:
        self.assign_add(variable, update)
    else:
        self.assign_sub(variable, -update)


# Keras's names of parts of a rule, and rules that do not subtract.
_PARTS: dict[Any, dict[str, Any]] = {
    core.Adadelta: {"_move": _add},
    core.Adafactor: {"unnamed_slots": ("row", "column")},
    core.Muon: {
        "lr_adjust": core.Muon.scaled,
        "zeropower_via_newtonschulz5": core.Muon.orthogonal,
        "_should_use_adamw": lambda self, variable: self._by_adam(variable.path, variable),
    },
    core.SGD: {"_move": _add_momentum},
}


def _facades() -> dict[str, type[Optimizer]]:
    classes: dict[Any, type[Optimizer]] = {}
    for description, slot_lists in _SLOTS.items():
        base = classes.get(_DERIVED.get(description), Optimizer)
        classes[description] = facade(description, base, __name__, slot_lists=slot_lists, **_PARTS.get(description, {}))
    return {cls.__name__: cls for cls in classes.values()}


FACADES = _facades()
globals().update(FACADES)

_CLASSES = (*FACADES.values(), Optimizer, LossScaleOptimizer, MultiOptimizer, OptimizerMap)
FAMILY = Family("optimizer", {cls.__name__.lower(): cls for cls in _CLASSES}, Optimizer, functions=False)
serialize = FAMILY.serializer("optimizer")


def get(identifier: Any) -> Any:
    """The optimizer that a name in any case, a configuration or an optimizer means; None is returned as None.

    Raises:
        UnknownNameError: no optimizer has that name.
        ArgumentError: the identifier is none of the above.
    """
    if isinstance(identifier, Mapping):
        return FAMILY.get(deserialize(identifier))
    return FAMILY.get(
        identifier.lower() if isinstance(identifier, str) and identifier.lower() in FAMILY.table else identifier
    )


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores an optimizer from the output of `serialize`; `custom_objects` are names known during this call."""
    name = config.get("class_name") if isinstance(config, Mapping) else None
    if isinstance(name, str) and name.lower() in FAMILY.table:
        config = {**config, "class_name": name.lower()}
    return FAMILY.deserialize(config, custom_objects)


add_mirrors(__name__)

__all__ = own_names(__name__, ["schedules"])
