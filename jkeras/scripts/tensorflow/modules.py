"""The modules `tensorflow`, `tensorflow.math` ... that scripts import."""

from __future__ import annotations

import importlib.util
import types
from typing import Any

import jkeras
from jkeras.errors import JkerasError, suggestion
from jkeras.keras.modules import Mirror
from jkeras.scripts.notes import script_frame
from jkeras.scripts.old_modules import KerasModule
from jkeras.scripts.tensorflow.table import NAMES, lookup

# Modules that are mirrors of others.
_MIRRORS = {"keras": "jkeras.keras", "distribute": "jkeras.distribute"}
# What to write for parts of TensorFlow that are not in the table.
INSTEAD = {
    "Graph": "nothing; code runs line by line",
    "Module": "`keras.Model` or `keras.layers.Layer`",
    "Session": "nothing; call functions on arrays",
    "RaggedTensor": "`keras.utils.pad_sequences` and a mask",
    "SparseTensor": "arrays of NumPy, or `keras.Input(sparse=False)`",
    "compat": "the names of TensorFlow 2, or `keras`",
    "estimator": "`keras.Model.fit`",
    "feature_column": "the preprocessing layers, `keras.layers.Normalization`, `StringLookup` ...",
    "gradients": "`jax.grad`",
    "lite": "`jkeras.Model.export(path, format=...)`",
    "placeholder": "`keras.Input`",
    "ragged": "`keras.utils.pad_sequences` and a mask",
    "saved_model": '`model.save("model.keras")`, or `model.export(path)`',
    "summary": "`keras.callbacks.TensorBoard`",
    "train": "`keras.callbacks.ModelCheckpoint`, or `keras.callbacks.BackupAndRestore`",
    "linalg": "`keras.ops.linalg` or `jax.numpy.linalg`",
    "signal": "`keras.ops.fft`, `stft` ... or `jax.numpy.fft`",
}


class NotOfferedError(JkerasError, AttributeError):
    """A script asks for a part of TensorFlow that jkeras does not have."""


class NotOfferedImportError(JkerasError, ImportError):
    """A script imports a part of TensorFlow that jkeras does not have."""


def not_offered(name: str, error: type[JkerasError] = NotOfferedError) -> JkerasError:
    """The error for a name of TensorFlow that is not in the table: where it is used, and what to write."""
    inner = name.removeprefix("tf.").removeprefix("tensorflow.")
    frame = script_frame()
    where = "" if frame is None else f"{frame.f_code.co_filename}, line {frame.f_lineno}: "
    instead = INSTEAD.get(inner) or INSTEAD.get(inner.partition(".")[0])
    if instead is None:
        instead = "`keras.ops`, `jax.numpy` or NumPy"
        near = suggestion(inner, NAMES)
        instead += f".{near}" if near.startswith(" Did") else ""
    return error(
        f"{where}`tf.{inner}` is not offered: this script runs on jkeras, which stands in for Keras and has a small part of"
        f" TensorFlow. Write {instead}{'' if instead.endswith('?') else '.'}"
    )


class TensorFlow(types.ModuleType):
    """`tensorflow`, or a module in it.

    Args:
        path: its place in `tensorflow`, with a dot behind; "" for the whole.
    """

    def __init__(self, path: str = ""):
        super().__init__(f"tensorflow.{path}".rstrip("."), "A part of TensorFlow, for scripts.")
        self._path = path
        self.__path__: list[str] = []
        if not path:
            self.__version__ = jkeras.__version__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        full = self._path + name
        if full in NAMES:
            return lookup(full)
        value = module(f"tensorflow.{full}")
        if value is None:
            raise not_offered(full)
        vars(self)[name] = value
        return value

    def __dir__(self) -> list[str]:
        below = (name.removeprefix(self._path) for name in (*NAMES, *_MIRRORS) if name.startswith(self._path))
        return sorted({name.partition(".")[0] for name in below})


def module(name: str) -> types.ModuleType | None:
    """The module of a name that begins with `tensorflow`; None if there is none of that name."""
    path = name.removeprefix("tensorflow").removeprefix(".")
    top, _, rest = path.partition(".")
    if top in _MIRRORS and importlib.util.find_spec(_MIRRORS[top]):
        target = _MIRRORS[top] + (f".{rest}" if rest else "")
        return (KerasModule if top == "keras" else Mirror)(name, target)
    prefix = f"{path}." if path else ""
    return TensorFlow(prefix) if any(known.startswith(prefix) for known in NAMES) else None
