"""The functions of `keras.ops`: on arrays they compute, on symbolic tensors they add a layer to the graph.

They are `jax.numpy`, `jax.nn`, `jax.lax`, `jax.scipy` and `jax.image` under Keras's names, arguments and defaults,
and can be used inside `jax.jit`, `grad` and `vmap` like those::

    from jkeras import layers, ops

    x = layers.Input((4,))
    y = ops.concatenate([ops.relu(x), ops.relu(-x)], axis=-1)
"""

from __future__ import annotations

from typing import Any

from jkeras.errors import suggestion
from jkeras.ops import image as image
from jkeras.ops import linalg as linalg
from jkeras.ops import nn as nn
from jkeras.ops import numpy as numpy
from jkeras.ops.table import PUBLIC as _PUBLIC

globals().update({name: function for name, function in _PUBLIC.items() if "." not in name})

__all__ = [*(name for name in _PUBLIC if "." not in name), "image", "linalg", "nn", "numpy"]

__test__ = _PUBLIC  # doctest passes over wrapped functions unless it is told of them


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.ops has no function {name!r}.{suggestion(name, __all__)}")
