"""`keras.applications`: the networks of `jkeras.applications`, as models of Keras.

Its modules (`keras.applications.resnet50` and so on) mirror those of `jkeras.applications`; see `homes`.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from jkeras import config
from jkeras.applications import imagenet_utils as values
from jkeras.applications.application import function
from jkeras.applications.catalogue import HOMES, MODULES
from jkeras.applications.face import Face
from jkeras.errors import suggestion
from jkeras.keras import layers
from jkeras.keras.graph import get_source_inputs
from jkeras.keras.models import Functional, Sequential
from jkeras.keras.modules import add_mirrors
from jkeras.keras.mutable import facade_of
from jkeras.keras.tensor import is_keras_tensor
from jkeras.keras.variables import name_scope


def _load(model: Any, path: Any) -> Any:
    model.load_weights(path)
    return model


OBJECTS = Face(
    name="jkeras.keras",
    layers=layers,
    model=Functional,
    sequential=Sequential,
    is_symbolic=is_keras_tensor,
    source_inputs=get_source_inputs,
    layer_class=facade_of,
    load=_load,
    normalization=lambda channels, path: {},
    names_at_creation=True,
    name_scope=name_scope,
)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Rescales images with values from 0 to 255. As in Keras, NumPy arrays of floats are overwritten.

    Args:
        x: `(..., height, width, 3)` or, with channels first, `(..., 3, height, width)`.
        data_format: the data format; None means the configured one.
        mode: "tf" for values from -1 to 1; "torch" for mean 0 and standard deviation 1; "caffe" for BGR with mean 0.

    Returns:
        The rescaled images.

    Raises:
        ArgumentError: `data_format` or `mode` is unknown.
        InputError: in the modes with a mean per channel, images do not have 3 channels.
    """
    result = values.preprocess_input(x, data_format, mode)
    if not isinstance(x, np.ndarray) or x.dtype != result.dtype or not x.flags.writeable:
        return result
    if mode == "caffe":  # the result has reversed channels, but the array itself keeps their order
        axis = x.ndim - (3 if config.standardize_data_format(data_format) == "channels_first" else 1)
        x = np.flip(x, axis)
    x[...] = result
    return x


def _in_mode(mode: str) -> Any:
    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format, mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = "\n".join(
        line for line in (preprocess_input.__doc__ or "").split("\n") if not line.strip().startswith("mode: ")
    )
    return preprocess


preprocess_caffe, preprocess_tf, preprocess_torch = map(_in_mode, ("caffe", "tf", "torch"))


def __getattr__(name: str) -> Any:
    if name in HOMES:
        home = importlib.import_module(f"jkeras.applications.{HOMES[name]}")
        globals()[name] = function(home.APPLICATIONS[name], OBJECTS, __name__)
        return globals()[name]
    raise AttributeError(f"keras.applications has no {name!r}.{suggestion(name, __all__)}")


__all__ = sorted({*HOMES, *MODULES, "imagenet_utils"})


def __dir__() -> list[str]:
    return __all__


add_mirrors(__name__)
