"""The update rules by name."""

from __future__ import annotations

from collections.abc import Mapping

from jkeras import registry
from jkeras.arguments import whose
from jkeras.errors import ArgumentError
from jkeras.optimizers.adafactor import Adafactor
from jkeras.optimizers.adagrad import Adadelta, Adagrad
from jkeras.optimizers.adam import Adam, AdamW
from jkeras.optimizers.adam_variants import Adamax, Nadam
from jkeras.optimizers.base import BaseOptimizer
from jkeras.optimizers.ftrl import Ftrl
from jkeras.optimizers.lion_lamb import Lamb, Lion
from jkeras.optimizers.muon import Muon
from jkeras.optimizers.optax_optimizer import OptaxOptimizer, is_transformation
from jkeras.optimizers.rmsprop import RMSprop
from jkeras.optimizers.schedule_free import ScheduleFreeAdamW
from jkeras.optimizers.sgd import SGD
from jkeras.types import OptimizerLike


def named(*classes: type[BaseOptimizer]) -> dict[str, type[BaseOptimizer]]:
    """Every class under its name and its lower-case name, as Keras looks up optimizers."""
    return {name: cls for cls in classes for name in (cls.__name__, cls.__name__.lower())}


RULES: Mapping[str, type[BaseOptimizer]] = named(
    Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop, ScheduleFreeAdamW, SGD
)


def resolve(table: Mapping[str, type[BaseOptimizer]], identifier: OptimizerLike) -> BaseOptimizer | None:
    """The optimizer of `table` that `identifier` means; see `jkeras.optimizers.get`."""
    if is_transformation(identifier):
        return OptaxOptimizer(identifier)
    if isinstance(identifier, str) and registry.custom_object(identifier) is None:
        identifier = identifier.lower()
    if isinstance(identifier, Mapping) and identifier.get("class_name") not in table:
        name = identifier.get("class_name")
        if isinstance(name, str) and name.lower() in table and registry.custom_object(name) is None:
            identifier = {**identifier, "class_name": name.lower()}
    if identifier is None or isinstance(identifier, str | Mapping | BaseOptimizer | type):
        optimizer = registry.resolve("optimizer", table, identifier, BaseOptimizer)
        if optimizer is None or isinstance(optimizer, BaseOptimizer):
            return optimizer
    raise ArgumentError(
        f"expected an optimizer, its name or configuration, or an Optax transformation.{whose(identifier)}"
    )
