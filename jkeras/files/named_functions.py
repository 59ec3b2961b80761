"""Functions of Lambda layers: a file may name a function that the program knows, but never contains its code.

Keras stores the function of a Lambda as marshalled bytecode, which it runs with `safe_mode=False`. Whoever can write the file
could then run anything (CVE-2024-3660, CVE-2025-9905), so jkeras refuses it regardless of `safe_mode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.errors import RestoreError
from jkeras.registry import custom_object

FUNCTIONS = ("function", "output_shape", "mask")
KEPT = (*FUNCTIONS, "arguments", "name", "trainable", "dtype")


def lambda_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a Lambda layer, with the functions named in its configuration.

    Raises:
        RestoreError: it contains code, or names a function that is neither registered nor in `custom_objects`.
    """
    arguments = {key: value for key, value in config.items() if key in KEPT}
    for key in FUNCTIONS:
        is_function = config.get(f"{key}_type") in ("function", "lambda") or key == "function"
        if is_function or (isinstance(config.get(key), Mapping) and "class_name" in config[key]):
            arguments[key] = _function(config.get(key), config.get("name"))
    return arguments


def _function(written: Any, layer: Any) -> Any:
    name = _name(written)
    if name is None or name == "<lambda>":
        raise RestoreError(
            f"The layer {layer!r} is a Lambda whose function would have to be loaded as code from the file, which is refused,"
            f" even with safe_mode=False. Write the function with a name and save the model again, then"
            f" `load_model(path, custom_objects={{'name': function}})` finds it; or make it a layer class; or build the"
            f" model in code and use `load_weights`."
        )
    function = custom_object(name)
    if function is None or not callable(function):
        raise RestoreError(
            f"The layer {layer!r} is a Lambda with the function {name!r}, which is unknown:"
            f" `load_model(path, custom_objects={{{name!r}: function}})`, or decorate the function with"
            f" `register_keras_serializable()`."
        )
    return function


def _name(written: object) -> str | None:
    """The name in `{"class_name": "function", "config": name}`, or a bare name; None for code."""
    if isinstance(written, Mapping) and written.get("class_name") == "function":
        written = written.get("config")
    return written if isinstance(written, str) else None
