"""The layers of `keras.layers`: mutable versions of all layers of `jkeras.layers`. Layers added there appear here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from jkeras import layers
from jkeras.graph.layer import Layer as Description
from jkeras.keras import saving
from jkeras.keras.facades import layer_facade
from jkeras.keras.image_layers import IMAGES
from jkeras.keras.inner_steps import steps_not_taken
from jkeras.keras.input import Input as Input
from jkeras.keras.input import InputLayer as InputLayer
from jkeras.keras.input import InputSpec as InputSpec
from jkeras.keras.layer import Layer as Layer
from jkeras.keras.layer_extras import BASES, EXTRAS, PARTS
from jkeras.keras.modules import add_mirrors
from jkeras.keras.mutable import facade_of, make_facades_of
from jkeras.lazy import named


def serialize(layer: Any) -> dict[str, Any]:
    """The JSON-able form of a layer."""
    return saving.serialize_keras_object(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> Any:
    """Restores a layer from the output of `serialize`.

    Raises:
        ValueError: it is not a layer.
    """
    layer = saving.deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(
            "`keras.layers.deserialize` was passed a `config` object that is not a `keras.layers.Layer`."
            f" Received: {config}"
        )
    return layer


def facade(description: type[Description]) -> Any:
    """The facade of a layer class of the core."""
    name = description.__name__
    base = {"base": facade_of(getattr(layers, BASES[name]))} if name in BASES else {}
    steps = {"_steps_not_taken": steps_not_taken(name, name in IMAGES)}
    return layer_facade(description, **base, **steps, **EXTRAS.get(name, {}))


make_facades_of(Description, facade)


def __getattr__(name: str) -> Any:
    name = _SECOND_NAMES.get(name, name)
    if name == "TFSMLayer" or name.startswith("_"):
        raise AttributeError(f"keras.layers has no {name!r}.")
    if name in _VALUES:
        raise AttributeError(f"keras.layers has no {name!r}; `jkeras.layers.{name}` is a layer of immutable models.")
    member = named(PARTS[name], name) if name in PARTS else getattr(layers, name)
    value = facade_of(member) if inspect.isclass(member) and issubclass(member, Description) else member
    if inspect.isfunction(value) and name in _FUNCTIONS:
        value = _merge(name)
    if name not in PARTS:  # parts of layers can be found for pickling, but are not names of this module
        globals()[name] = value
    return value


# Names of classes in Keras's own modules that differ from the public names.
_SECOND_NAMES = {"GroupedQueryAttention": "GroupQueryAttention"}
# Layers that Keras does not have: their weights belong to programs, not to objects.
_VALUES = {"Repeat"}
# Functions of lists of tensors, and the classes that they abbreviate.
_FUNCTIONS = {name: name.title() for name in "add subtract multiply average maximum minimum concatenate dot".split()}


def _merge(name: str) -> Any:
    def function(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return __getattr__(_FUNCTIONS[name])(*args, **kwargs)(inputs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{_FUNCTIONS[name]}` as a function."
    return function


__all__ = sorted({"deserialize", "serialize", *(name for name in dir(layers) if not name.startswith("_"))} - _VALUES)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


add_mirrors(__name__)
