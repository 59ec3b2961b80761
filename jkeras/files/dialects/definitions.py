"""Converts model definitions of any version of Keras to the form of Keras 3; the only place that distinguishes versions.

Everything is a plain value, before layers are created from it. What already has today's form is returned unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.errors import RestoreError
from jkeras.files import operations
from jkeras.files.dialects import calls, old_names, origin
from jkeras.values.custom_objects import custom_object

# The modules that Keras 3 writes with classes.
MODULES = {"Functional": "keras.src.models.functional", "Sequential": "keras"}


def of_today(config: Any, version: str | None = None) -> Any:
    """The configuration of a model or layer in the form of Keras 3.

    Args:
        config: the configuration in the file.
        version: the version of Keras that wrote it; None if unknown.

    Raises:
        RestoreError: today's layer does not support what an old layer did.

    >>> of_today({"class_name": "Convolution1D", "config": {"nb_filter": 2, "border_mode": "same"}})
    {'class_name': 'Conv1D', 'config': {'filters': 2, 'padding': 'same'}}
    """
    if version is not None and major(version) < 3:
        config = old_names.with_old_functions(config)
    with origin.written_by(version):
        return _value(config)


def major(version: str) -> int:
    """The major version.

    >>> major("2.2.4-tf")
    2
    """
    digits = version.partition(".")[0]
    return int(digits) if digits.isdigit() else 1


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), (Mapping, list)):
            return _entry(value)
        return {key: _value(part) for key, part in value.items()}
    return [_value(part) for part in value] if isinstance(value, list) else value


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Converts a layer, or another object with a class."""
    if operations.is_operation(entry):
        return dict(entry)
    class_name, config = entry["class_name"], entry["config"]
    if isinstance(config, list):  # a Sequential before 2.2.3, or the value of a `__tuple__`
        config = {"layers": config} if class_name == "Sequential" else config
    if isinstance(config, list):
        return {**entry, "config": _value(config)}
    if calls.has_old_calls(config):
        config = calls.with_calls_of_today(config)
    own = any(isinstance(n, str) and custom_object(n) is not None for n in (entry.get("registered_name"), class_name))
    if not own:
        try:
            current, config = old_names.layer(class_name, config)
        except RestoreError as error:
            raise origin.refused(class_name, config.get("name"), str(error)) from None
        entry = _renamed(entry, current)
    return {**entry, "config": {key: _value(part) for key, part in config.items()}}


def _renamed(entry: Mapping[str, Any], current: str) -> dict[str, Any]:
    """An entry with today's name of the class, and its module if the entry has one."""
    renamed = {**entry, "class_name": current}
    if entry.get("module") and current in MODULES and str(entry["module"]).startswith("keras."):
        renamed["module"] = MODULES[current]
    if entry.get("registered_name") == entry["class_name"]:
        renamed["registered_name"] = current
    return renamed
