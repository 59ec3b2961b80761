"""`keras.models`: models, and functions that load and clone them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import allowance, arguments
from jkeras.errors import ArgumentError
from jkeras.files import untrusted
from jkeras.files.containers import documents
from jkeras.keras.cloning import clone_model as clone_model
from jkeras.keras.functional import Functional as Functional
from jkeras.keras.model import Model as Model
from jkeras.keras.modules import own_names
from jkeras.keras.old_configs import object_from
from jkeras.keras.sequential import Sequential as Sequential
from jkeras.lazy import names_from


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores a model from `model.to_json()`, with fresh weights.

    Raises:
        RestoreError: the text does not describe a model.
    """
    arguments.checked("model_from_json", "json_string", json_string, arguments.json_text)
    arguments.checked("model_from_json", "custom_objects", custom_objects, arguments.optional(arguments.table))
    config = documents.parse(json_string, "The JSON text")
    own = (custom_objects or {}).values()
    with untrusted.reading("The JSON text", own), allowance.of_file(len(json_string)):
        return model_from_config(config, custom_objects)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Creates a model from a configuration, with fresh weights.

    Raises:
        ArgumentError: the configuration is a list of layers.
    """
    if isinstance(config, list):
        raise ArgumentError(
            "`model_from_config` expects a dictionary, not a list. Did you mean to use `Sequential.from_config(config)`?"
        )
    return object_from(config, custom_objects)


# Of modules that build on this one.
_ELSEWHERE = dict.fromkeys(("load_model", "save_model"), "jkeras.keras.files")
__getattr__, __dir__ = names_from(__name__, _ELSEWHERE)

__all__ = own_names(__name__, _ELSEWHERE)
