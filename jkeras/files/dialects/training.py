"""Converts training configurations of any version of Keras (optimizers, losses, metrics) to the form of Keras 3.

Everything is a plain value; what already has today's form is returned unchanged.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

from jkeras.files.dialects import old_names, origin
from jkeras.values.custom_objects import custom_object

Json: TypeAlias = Any

OPTIMIZERS = {
    "SGDOptimizer": "SGD",
    "LossScaleOptimizerV3": "LossScaleOptimizer",
    "LossScaleOptimizerV1": "LossScaleOptimizer",
}
# Redundant arguments of losses and metrics, which follow from their class.
FUNCTION = ("fn",)
# Classes that only wrap the function that they name.
WRAPPERS = ("LossFunctionWrapper", "MeanMetricWrapper", "SumOverBatchSizeMetricWrapper")
REDUCTIONS = {"auto": "sum_over_batch_size", "sum_over_nonzero_weights": "sum_over_batch_size"}
METRICS = {"CosineProximity": "CosineSimilarity"}


def of_today(config: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the arguments of `compile` in `.keras` files of Keras 2 to the form of Keras 3."""
    current = {key: value for key, value in config.items() if value is not None}
    if isinstance(current.get("optimizer"), Mapping):
        current["optimizer"] = _public(optimizer(current["optimizer"]), "keras.optimizers")
    for key, module in (("loss", "keras.losses"), ("metrics", "keras.metrics"), ("weighted_metrics", "keras.metrics")):
        if key in current:
            current[key] = _each(current[key], module)
    return current


def _each(value: Json, module: str) -> Json:
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _each(part, module) for key, part in value.items()}
    if isinstance(value, list):
        return [_each(part, module) for part in value]
    return _public(loss_or_metric(value), module)


def _public(value: Json, module: str) -> Json:
    """Adds Keras 3's module to an object, and to the objects inside it."""
    own = isinstance(value, Mapping) and str(value.get("module") or "keras").startswith("keras")
    if (
        not own
        or custom_object(str(value.get("class_name"))) is not None
        or not isinstance(value.get("config"), Mapping)
    ):
        return value
    config = dict(value["config"])
    if isinstance(config.get("learning_rate"), Mapping):
        config["learning_rate"] = _public(config["learning_rate"], "keras.optimizers.schedules")
    if isinstance(config.get("inner_optimizer"), Mapping):
        config["inner_optimizer"] = _public(config["inner_optimizer"], module)
    return {"module": module, "class_name": value["class_name"], "config": config, "registered_name": None}


def optimizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an optimizer with today's names.

    >>> optimizer({"class_name": "SGD", "config": {"lr": 0.1, "decay": 0.0}})
    {'class_name': 'SGD', 'config': {'learning_rate': 0.1}}
    """
    name = str(config.get("class_name", ""))
    name = name if custom_object(name) is not None else name.rpartition(">")[2]
    name = OPTIMIZERS.get(name, name)
    arguments = {k: v for k, v in (config.get("config") or {}).items() if k not in old_names.IGNORED}
    if "lr" in arguments:
        arguments["learning_rate"] = arguments.pop("lr")
    inner = arguments.get("inner_optimizer", arguments.pop("optimizer", None) if name == "LossScaleOptimizer" else None)
    if isinstance(inner, Mapping):
        arguments["inner_optimizer"] = optimizer(inner)
    if name == "LossScaleOptimizer":
        arguments.pop("dynamic", None)
    decay = arguments.pop("decay", 0.0)
    slow = (config.get("config") or {}).get("schedule_decay", decay) if name == "Nadam" else 0.0
    if slow:
        warnings.warn(
            f"{origin.writer()} trained this model with a Nadam whose momentum was scheduled with a decay of {slow:g}; the"
            f" Nadam of Keras since 2.11, which trains it further, has a decay of 1.",
            UserWarning,
            stacklevel=2,
        )
    elif decay and not isinstance(arguments.get("learning_rate"), Mapping):
        rate = {"initial_learning_rate": arguments.get("learning_rate", 0.01), "decay_steps": 1, "decay_rate": decay}
        arguments["learning_rate"] = {"class_name": "InverseTimeDecay", "config": rate}
    if arguments.get("epsilon", 0) is None:
        arguments.pop("epsilon")
    arguments |= {key: _schedule(value) for key, value in arguments.items() if key == "learning_rate"}
    return {**{k: v for k, v in config.items() if k == "module"}, "class_name": name, "config": arguments}


def _schedule(rate: Json) -> Json:
    """Converts a learning rate; schedules were written with the name None."""
    if not isinstance(rate, Mapping) or not isinstance(rate.get("config"), Mapping):
        return rate
    return {**rate, "config": {k: v for k, v in rate["config"].items() if k != "name" or v is not None}}


def loss_or_metric(written: Json) -> Json:
    """A loss or metric with today's names: a name, or a configuration.

    >>> loss_or_metric({"class_name": "Hinge", "config": {"reduction": "auto", "fn": "hinge"}})
    {'class_name': 'Hinge', 'config': {'reduction': 'sum_over_batch_size'}}
    >>> loss_or_metric({"class_name": "MeanMetricWrapper", "config": {"name": "acc", "fn": "binary_accuracy"}})
    'binary_accuracy'
    """
    if isinstance(written, str) and ">" in written and custom_object(written) is None:
        return written.rpartition(">")[2]  # `Custom>name`: registered without a package
    if not isinstance(written, Mapping) or not isinstance(written.get("config"), Mapping):
        return written
    name, arguments = str(written.get("class_name")), dict(written["config"])
    if custom_object(name) is not None:
        return written
    if name in WRAPPERS:
        return loss_or_metric(arguments.get("fn"))
    arguments = {key: value for key, value in arguments.items() if key not in FUNCTION}
    if arguments.get("reduction") in REDUCTIONS:
        arguments["reduction"] = REDUCTIONS[arguments["reduction"]]
    return {**written, "class_name": METRICS.get(name, name), "config": arguments}
