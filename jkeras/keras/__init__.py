"""The names of Keras over jkeras: `import jkeras.keras as keras` runs a Keras script.

Models, layers and metrics are handles here, small mutable objects that hold an immutable value and rebind it. Everything
else is what jkeras offers under the same name; a layer, loss or callback added to jkeras appears here by itself.
"""

from __future__ import annotations

import sys
from typing import Any

import jkeras
from jkeras.errors import suggestion
from jkeras.keras import layers as layers
from jkeras.keras import metrics as metrics
from jkeras.keras import models as models
from jkeras.keras.modules import Mirror
from jkeras.keras.mutable_layer import SEEDS
from jkeras.keras.mutable_layer import Layer as Layer
from jkeras.keras.mutable_model import Model as Model
from jkeras.keras.mutable_model import Sequential as Sequential
from jkeras.keras.variables import Variable as Variable
from jkeras.layers import Input as Input
from jkeras.lazy import named
from jkeras.losses import Loss as Loss
from jkeras.optimizers import Optimizer as Optimizer

Metric = metrics.Metric
KerasTensor = jkeras.SymbolicTensor
__version__ = "3.15.0"


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy and everything that is built afterwards; see `jkeras.utils.set_random_seed`."""
    jkeras.utils.set_random_seed(seed)
    SEEDS.set(seed)


def version() -> str:
    """The version of Keras whose names these are."""
    return __version__


_SERIALIZATION = {
    name: getattr(models, name)
    for name in ("load_model", "save_model", "custom_object_scope", "CustomObjectScope", "register_keras_serializable")
}
_UTILS = {**{name: _SERIALIZATION[name] for name in list(_SERIALIZATION)[2:]}, "set_random_seed": set_random_seed}
_OBJECTS = dict.fromkeys(
    (
        "deserialize_keras_object",
        "get_custom_objects",
        "get_registered_name",
        "get_registered_object",
        "serialize_keras_object",
    ),
    "jkeras.keras.objects",
)

# Names that a module has from another one than it mirrors: homes of older versions, and Keras's second names.
_MOVED: dict[str, dict[str, str]] = {
    "": {"Initializer": "jkeras.initializers", "Regularizer": "jkeras.regularizers",
         "FloatDTypePolicy": "jkeras.dtype_policies"},
    "mixed_precision": {
        "LossScaleOptimizer": "jkeras.optimizers",
        "Policy": "jkeras.dtype_policies:DTypePolicy",
        "global_policy": "jkeras.dtype_policies:dtype_policy",
        "set_global_policy": "jkeras.dtype_policies:set_dtype_policy",
    },
    "preprocessing.image": {"smart_resize": "jkeras.utils.images"},
    "saving": {**_OBJECTS, "load_weights": "jkeras.keras.objects", "save_weights": "jkeras.keras.objects"},
    "utils": {
        **_OBJECTS,
        "clear_session": "jkeras.backend",
        "is_keras_tensor": "jkeras.backend",
        "standardize_dtype": "jkeras.backend",
    },
}  # fmt: skip

# Modules that mirror one of jkeras: what they stand for, names of their own, whether their functions take handles.
_MIRRORS: dict[str, tuple[str, dict[str, Any], bool]] = {
    **{
        name: (f"jkeras.{name}", {}, False)
        for name in (
            "activations",
            "backend",
            "callbacks",
            "config",
            "constraints",
            "datasets",
            "distribute",
            "distribution",
            "dtype_policies",
            "initializers",
            "losses",
            "ops",
            "optimizers",
            "random",
            "regularizers",
            "tree",
            "wrappers",
        )
    },
    "mixed_precision": ("jkeras.dtype_policies", {}, False),
    "saving": ("jkeras.saving", _SERIALIZATION, True),
    "utils": ("jkeras.utils", _UTILS, True),
    "preprocessing": ("jkeras.utils", {}, False),
    **{f"preprocessing.{name}": ("jkeras.utils", {}, False) for name in ("image", "sequence", "text", "timeseries")},
    **{
        f"datasets.{name}": (f"jkeras.datasets.{name}", {}, False)
        for name in (
            "boston_housing",
            "california_housing",
            "cifar10",
            "cifar100",
            "digits",
            "fashion_mnist",
            "imdb",
            "mnist",
            "reuters",
        )
    },
    "optimizers.legacy": ("jkeras.optimizers", {}, False),
    "optimizers.schedules": ("jkeras.optimizers.schedules", {}, False),
    # The homes of things in older versions.
    **{
        f"layers.{name}": ("jkeras.keras.layers", {}, False)
        for name in (
            "advanced_activations",
            "convolutional",
            "core",
            "embeddings",
            "experimental",
            "experimental.preprocessing",
            "local",
            "merge",
            "noise",
            "normalization",
            "pooling",
            "preprocessing",
            "recurrent",
            "wrappers",
        )
    },
    **{
        f"utils.{name}": ("jkeras.keras.utils", {}, False)
        for name in ("data_utils", "generic_utils", "layer_utils", "np_utils", "vis_utils")
    },
    "engine": ("jkeras.keras.layers", {}, False),
    "engine.topology": ("jkeras.keras.layers", {}, False),
    "engine.training": ("jkeras.keras.models", {}, False),
    "model": ("jkeras.keras.models", {}, False),
}

for _name, (_target, _extra, _lifted) in _MIRRORS.items():
    _module = sys.modules.setdefault(
        f"{__name__}.{_name}", Mirror(f"{__name__}.{_name}", _target, _extra, _lifted, _MOVED.get(_name))
    )
    if "." not in _name:
        globals()[_name] = _module
for _name in _MIRRORS:
    _parent, _, _child = _name.rpartition(".")
    if _parent:
        setattr(sys.modules[f"{__name__}.{_parent}"], _child, sys.modules[f"{__name__}.{_name}"])


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "applications":
        raise AttributeError("keras.applications is not offered: jkeras has no pretrained models.")
    if name in _MOVED[""]:
        return named(_MOVED[""][name], name)
    if hasattr(jkeras, name):
        return getattr(jkeras, name)
    raise AttributeError(f"keras has no {name!r}.{suggestion(name, dir(jkeras))}")
