"""The modules `tensorflow`, `tensorflow.math` ... that scripts import."""

from __future__ import annotations

import importlib.util
import types
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.errors import JkerasError, suggestion
from jkeras.keras import ops
from jkeras.keras.modules import Mirror
from jkeras.scripts.notes import script_line
from jkeras.scripts.old_modules import KerasModule
from jkeras.scripts.tensorflow.table import NAMES, lookup

# Modules that are mirrors of others.
_MIRRORS = {"keras": "jkeras.keras", "distribute": "jkeras.distribute"}
# What to write for parts of TensorFlow that are not in the table; the longest name that fits counts.
INSTEAD = {
    "Assert": "`assert`, or raise an error",
    "Graph": "nothing; code runs line by line",
    "Module": "`keras.Model` or `keras.layers.Layer`",
    "Session": "nothing; call functions on arrays",
    "SparseTensor": "arrays of NumPy, or `keras.Input(sparse=False)`",
    "TensorArray": "a list and `keras.ops.stack`, or `keras.ops.scan` for a loop",
    "app": "`argparse`",
    "autodiff": "`jax.grad`, `jax.jvp`",
    "audio": "`keras.utils.audio_dataset_from_directory`",
    "compat": "the names of TensorFlow 2, or `keras`",
    "config": "`keras.config`, or `jax.config`",
    "config.run_functions_eagerly": "`model.compile(run_eagerly=True)`",
    "contrib": "`keras.layers`; TensorFlow 2 removed `tf.contrib`",
    "data": "`tf.data.Dataset` with its methods, or `keras.utils.PyDataset`",
    "data.TFRecordDataset": "`tf.data.Dataset.from_generator` around a reader of the files",
    "debugging": "`keras.ops.isfinite`, `jax.config.update('jax_debug_nans', True)`",
    "dtypes": "`tf.cast`, and types by name, `'float32'`",
    "errors": "the exceptions of Python",
    "estimator": "`keras.Model.fit`",
    "examples": "`keras.datasets`",
    "feature_column": "the preprocessing layers, `keras.layers.Normalization`, `StringLookup` ...",
    "global_variables_initializer": "nothing; variables have their values from the start",
    "gradients": "`jax.grad`",
    "image": "`keras.ops.image`, or the layers `keras.layers.Random...`",
    "io": "`open`, `numpy.load`, `keras.utils.load_img`",
    "layers": "`keras.layers`",
    "linalg": "`keras.ops.linalg` or `jax.numpy.linalg`",
    "lite": "`jkeras.Model.export(path, format=...)`",
    "lookup": "`keras.layers.StringLookup`, `keras.layers.IntegerLookup`",
    "losses": "`keras.losses`",
    "metrics": "`keras.metrics`",
    "nn.rnn_cell": "`keras.layers.LSTMCell`, `GRUCell`",
    "optimizers": "`keras.optimizers`",
    "placeholder": "`keras.Input`",
    "profiler": "`jkeras.profile(model, data)`, or `jax.profiler`",
    "python": "the public names, `tf.keras`, `keras`",
    "ragged": "`tf.ragged.constant` for rows of numbers, or `keras.utils.pad_sequences` and a mask",
    "random": "`keras.random` with a `keras.random.SeedGenerator`",
    "saved_model": '`model.save("model.keras")`, or `model.export(path)`',
    "signal": "`keras.ops.fft`, `stft` ... or `jax.numpy.fft`",
    "sparse": "arrays of NumPy, or `keras.Input(sparse=False)`",
    "summary": "`keras.callbacks.TensorBoard`",
    "test": "`unittest` or pytest",
    "train": "`keras.callbacks.ModelCheckpoint`, `keras.callbacks.BackupAndRestore`, or `keras.optimizers`",
    "variable_scope": "`keras.name_scope`",
    "get_variable": "`keras.Variable`, or `add_weight` in a layer",
}
# Where functions are looked for that are not in the table, and of which parts of TensorFlow.
_HOMES = {"keras.ops": ops, "jax.numpy": jnp, "jax.numpy.linalg": jnp.linalg, "jax.nn": jax.nn, "jax.lax": jax.lax}
_FUNCTIONS_OF = ("", "math", "linalg", "nn", "signal", "raw_ops")


class NotOfferedError(JkerasError, AttributeError):
    """A script asks for a part of TensorFlow that jkeras does not have."""


class NotOfferedImportError(JkerasError, ImportError):
    """A script imports a part of TensorFlow that jkeras does not have."""


def not_offered(name: str, error: type[JkerasError] = NotOfferedError) -> JkerasError:
    """The error for a name of TensorFlow that is not in the table: where it is used, and what to write."""
    inner = name.removeprefix("tf.").removeprefix("tensorflow.")
    return error(
        f"{script_line()}`tf.{inner}` is not supported: this script runs on jkeras, which stands in for Keras and has a small"
        f" part of TensorFlow. {_advice(inner)}"
    )


def _advice(name: str) -> str:
    parts = name.split(".")
    known = next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in INSTEAD), None)
    module, _, function = name.rpartition(".")
    home = next((home for home, owner in _HOMES.items() if callable(getattr(owner, function, None))), None)
    if home is not None and module in _FUNCTIONS_OF and known != name:
        return f"Write `{home}.{function}`."
    near = suggestion(name, NAMES)
    if near.startswith(" Did") and known != name:
        near = near.strip()
        return (
            f"{near} Else write {INSTEAD[known]}." if known else f"{near} Else write `keras.ops`, `jax.numpy` or NumPy."
        )
    return f"Write {INSTEAD[known] if known else '`keras.ops`, `jax.numpy` or NumPy'}."


class TensorFlow(types.ModuleType):
    """`tensorflow`, or a module in it.

    Args:
        path: its place in `tensorflow`, with a dot behind; "" for the whole.
    """

    def __init__(self, path: str = ""):
        super().__init__(f"tensorflow.{path}".rstrip("."), "A part of TensorFlow, for scripts.")
        self._path = path
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and self._path + name not in NAMES:
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
