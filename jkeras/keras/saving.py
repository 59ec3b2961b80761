"""The functions of `keras.saving`."""

from __future__ import annotations

from jkeras.keras.deserialization import deserialize_keras_object as deserialize_keras_object
from jkeras.keras.modules import own_names
from jkeras.keras.registration import CustomObjectScope as CustomObjectScope
from jkeras.keras.registration import custom_object_scope as custom_object_scope
from jkeras.keras.registration import get_custom_objects as get_custom_objects
from jkeras.keras.registration import get_registered_name as get_registered_name
from jkeras.keras.registration import get_registered_object as get_registered_object
from jkeras.keras.registration import register_keras_serializable as register_keras_serializable
from jkeras.keras.serialization import serialize_keras_object as serialize_keras_object
from jkeras.lazy import names_from

# Of modules that build on this one.
_ELSEWHERE = {
    **dict.fromkeys(("load_model", "load_weights", "save_model", "save_weights"), "jkeras.keras.files"),
    **dict.fromkeys(("SafeModeScope", "in_safe_mode"), "jkeras.keras.deserialization"),
    "load_weights_only": "jkeras.keras.files:load_weights",
    "save_weights_only": "jkeras.keras.files:save_weights",
    "KerasFileEditor": "jkeras.keras.file_editor",
    "ObjectSharingScope": "jkeras.keras.serialization",
    **dict.fromkeys(("GLOBAL_CUSTOM_NAMES", "GLOBAL_CUSTOM_OBJECTS"), "jkeras.keras.registration"),
}
__getattr__, __dir__ = names_from(__name__, _ELSEWHERE)

__all__ = own_names(__name__, _ELSEWHERE)
