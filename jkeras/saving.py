"""Files and directories that models are saved in, with the names of `keras.saving`. Nothing else touches these formats."""

from typing import TYPE_CHECKING

from jkeras.lazy import names_from, names_in

if TYPE_CHECKING:
    from jkeras.files.file_editor import KerasFileEditor as KerasFileEditor
    from jkeras.files.loading import load_model as load_model
    from jkeras.files.objects import deserialize_keras_object as deserialize_keras_object
    from jkeras.files.objects import load_weights as load_weights
    from jkeras.files.objects import save_model as save_model
    from jkeras.files.objects import save_weights as save_weights
    from jkeras.files.objects import serialize_keras_object as serialize_keras_object
    from jkeras.registry import CustomObjectScope as CustomObjectScope
    from jkeras.registry import custom_object_scope as custom_object_scope
    from jkeras.registry import get_custom_objects as get_custom_objects
    from jkeras.registry import get_registered_name as get_registered_name
    from jkeras.registry import get_registered_object as get_registered_object
    from jkeras.registry import register_keras_serializable as register_keras_serializable
else:
    _TABLE = names_in(
        {
            "jkeras.files.file_editor": "KerasFileEditor",
            "jkeras.files.loading": "load_model",
            "jkeras.files.objects": (
                "deserialize_keras_object load_weights save_model save_weights serialize_keras_object"
            ),
            "jkeras.registry": (
                "CustomObjectScope custom_object_scope get_custom_objects get_registered_name get_registered_object"
                " register_keras_serializable"
            ),
        }
    )
    __all__ = [*_TABLE]
    __getattr__, __dir__ = names_from(__name__, _TABLE)
