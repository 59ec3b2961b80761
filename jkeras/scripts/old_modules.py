"""Modules and names of earlier versions of Keras, and their replacements."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jkeras import layers
from jkeras.errors import ArgumentError, JkerasError
from jkeras.files.dialects import old_names
from jkeras.keras.modules import Mirror
from jkeras.keras.mutable import facade_of
from jkeras.lazy import named
from jkeras.scripts.layers import with_kernel_size
from jkeras.scripts.notes import NOTES

_KERAS = "jkeras.keras"
_SCRIPTS = "jkeras.scripts"


class GoneError(JkerasError, AttributeError):
    """A name of an earlier version of Keras has no counterpart today; the message says what to write."""


# Modules that were in another place or had another name, by their path in `keras`.
MODULES: dict[str, str] = {
    "backend": f"{_SCRIPTS}.backend",
    "backend.tensorflow_backend": f"{_SCRIPTS}.backend",
    "preprocessing.image": f"{_SCRIPTS}.preprocessing.image",
    "preprocessing.sequence": f"{_SCRIPTS}.preprocessing.sequence",
    "preprocessing.text": f"{_SCRIPTS}.preprocessing.text",
    "wrappers.scikit_learn": f"{_SCRIPTS}.scikit_learn",
    "objectives": f"{_KERAS}.losses",
    "initializations": f"{_KERAS}.initializers",
    "utils.visualize_util": f"{_KERAS}.utils",
    "utils.io_utils": f"{_KERAS}.utils",
    "utils.training_utils": f"{_KERAS}.utils",
    **{f"layers.{name}": f"{_KERAS}.layers" for name in ("convolutional_recurrent", "cudnn_recurrent", "pooling")},
    **{
        f"engine.{name}": f"{_KERAS}.layers"
        for name in ("base_layer", "base_layer_v1", "input_layer", "input_spec", "topology")
    },
    **{f"engine.{name}": f"{_KERAS}.models" for name in ("network", "functional", "sequential", "training")},
    **{f"optimizer_v2.{name}": f"{_KERAS}.optimizers" for name in ("adam", "gradient_descent", "rmsprop")},
    **{f"optimizers.optimizer_v2.{name}": f"{_KERAS}.optimizers" for name in ("adam", "gradient_descent", "rmsprop")},
    "optimizer_v2": f"{_KERAS}.optimizers",
    "optimizers.optimizer_v2": f"{_KERAS}.optimizers",
}


def home_of(module: str) -> str:
    """The module that replaces one below `jkeras.keras`.

    >>> home_of("jkeras.keras.objectives"), home_of("jkeras.keras.layers")
    ('jkeras.keras.losses', 'jkeras.keras.layers')
    """
    return MODULES.get(module.removeprefix(_KERAS + "."), module)


# The current class or function by module and old name, with a rule for its arguments.
_OTHERWISE = ("Model", "GroupedQueryAttention", "ThresholdedReLU")
# Names that Keras 3 has as well, where the positional arguments of Keras 1 mean something else.
POSITIONAL = {
    **{name: old_names.CLASSES[name] for name in ("Convolution2D", "Convolution3D", "SeparableConvolution2D")},
    **{name: old_names.CLASSES[name] for name in ("Convolution2DTranspose", "Convolution3DTranspose")},
}
NAMES: dict[str, dict[str, str]] = {
    "layers": {
        name: new for name, new in old_names.CLASSES.items() if name not in _OTHERWISE and not hasattr(layers, name)
    },
    "constraints": {
        "maxnorm": "MaxNorm",
        "nonneg": "NonNeg",
        "unitnorm": "UnitNorm",
        "max_norm": "MaxNorm",
        "non_neg": "NonNeg",
        "unit_norm": "UnitNorm",
        "min_max_norm": "MinMaxNorm",
    },
    "regularizers": {
        "l1l2": "L1L2",
        "WeightRegularizer": "L1L2",
        "ActivityRegularizer": "L1L2",
        "activity_l1": "L1",
        "activity_l2": "L2",
        "activity_l1l2": "L1L2",
    },
    "losses": {"cosine_proximity": "cosine_similarity"},
    "utils": {"plot": "plot_model"},
    "initializers": {"normal": "RandomNormal", "uniform": "RandomUniform"},
}
# Arguments with other names today, by the current class.
ARGUMENTS: dict[str, dict[str, str]] = {
    "MaxNorm": {"m": "max_value"},
    "L1": {"l": "l1"},
    "L2": {"l": "l2"},
    "RandomNormal": {"scale": "stddev"},
    "plot_model": {"show_layer_name": "show_layer_names"},
}
_MERGE = "keras.layers.Concatenate()([a, b]), Add, Multiply, Average, Maximum, Dot"
# Names without a counterpart, and what to write.
GONE: dict[str, dict[str, str]] = {
    "layers": {
        "Highway": "two Dense layers and `keras.layers.Multiply`.",
        "MaxoutDense": "a Dense layer, `keras.layers.Reshape` and a maximum.",
        "Merge": f"the functional form with {_MERGE}.",
        "Recurrent": "`keras.layers.RNN` with a cell.",
    },
    "models": {
        "Graph": "the functional form, `keras.Model(inputs, outputs)`.",
        "model_from_yaml": "`model_from_json`; reading YAML ran code.",
    },
    "utils": {
        "HDF5Matrix": "`h5py.File(path)[name]`.",
        "multi_gpu_model": "`with jkeras.distribute.MirroredStrategy().scope():` around the model.",
    },
    "metrics": dict.fromkeys(("fbeta_score", "fmeasure", "matthews_correlation"), "your own metric."),
}


@functools.cache
def keras3_names() -> frozenset[str]:
    """The public names of Keras 3."""
    return frozenset(Path(__file__).with_name("keras3_names.txt").read_text(encoding="utf-8").split())


class OldClass:
    """A current class under an old name: it can be called, subclassed, and used with `isinstance`.

    Objects belong to the current class, whose name is written to files.

    Args:
        module: the module of today's class, `"layers"`.
        old: the old name.
        new: today's name.
    """

    def __init__(self, module: str, old: str, new: str):
        self._module, self._old, self._new = module, old, new

    @property
    def _cls(self) -> Any:
        return getattr(importlib.import_module(f"{_KERAS}.{self._module}"), self._new)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._say()
        table = ARGUMENTS.get(self._new, {})
        kwargs = {table.get(name, name): value for name, value in kwargs.items()}
        if self._module == "layers":
            args = with_kernel_size(self._new, args)
            if self._old.startswith("Deconvolution"):  # the size of the output, which follows from the other arguments
                args, _ = args[:2], kwargs.pop("output_shape", None)
            if self._old == "CuDNNGRU":
                kwargs["reset_after"] = True
        return self._cls(*args, **kwargs)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        self._say()
        return (self._cls,)

    def _say(self) -> None:
        if self._old not in POSITIONAL:
            NOTES.old(f"keras.{self._module}.{self._old}", f"keras.{self._module}.{self._new}")

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._cls)

    def __subclasscheck__(self, cls: type) -> bool:
        return issubclass(cls, self._cls)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._cls, name)

    def __repr__(self) -> str:
        return f"<{self._old}, today keras.{self._module}.{self._new}>"


def merge(inputs: Any, mode: str = "sum", concat_axis: int = -1, dot_axes: Any = -1, name: str | None = None) -> Any:
    """Keras 1's function of several tensors.

    Raises:
        ArgumentError: the mode is none of its modes.
    """
    if mode not in old_names.MERGES:
        raise ArgumentError(f"merge(mode={mode!r}): expected one of {', '.join(map(repr, old_names.MERGES))}.")
    arguments = {"mode": mode, "concat_axis": concat_axis, "dot_axes": dot_axes, "name": name}
    new, kwargs = old_names.layer("Merge", arguments)
    NOTES.old(f"merge(tensors, mode={mode!r})", f"keras.layers.{new}()(tensors)")
    return getattr(importlib.import_module(f"{_KERAS}.layers"), new)(**kwargs)(list(inputs))


def thresholded_relu(theta: float = 1.0, **kwargs: Any) -> Any:
    """A layer that sets values up to `theta` to zero."""
    NOTES.old(f"keras.layers.ThresholdedReLU({theta})", f"keras.layers.ReLU(threshold={theta})")
    return importlib.import_module(f"{_KERAS}.layers").ReLU(threshold=theta, **kwargs)


def locally_connected(name: str, *args: Any, **kwargs: Any) -> Any:
    """A layer whose kernel differs by position, as in Keras before version 3."""
    importlib.import_module(f"{_KERAS}.layers")  # which makes classes of descriptions
    return facade_of(named("jkeras.layers.locally_connected", name))(*args, **kwargs)


FUNCTIONS: dict[str, dict[str, Callable[..., Any]]] = {
    "layers": {
        "merge": merge,
        "ThresholdedReLU": thresholded_relu,
        **{name: functools.partial(locally_connected, name) for name in ("LocallyConnected1D", "LocallyConnected2D")},
    }
}


class KerasModule(Mirror):
    """A module of `keras` as scripts see it: that of `jkeras.keras` with additional old names."""

    def __getattr__(self, name: str) -> Any:
        if name in POSITIONAL and self._target == f"{_KERAS}.layers":
            return OldClass("layers", name, POSITIONAL[name])
        target = self._target.removeprefix(_KERAS).removeprefix(".")
        if name in GONE.get(target, {}):  # also where the inside of Keras 3 has the name
            raise GoneError(f"keras.{target}.{name} was removed in Keras 3; write {GONE[target][name]}")
        try:
            value = super().__getattr__(name)
        except AttributeError:
            if name.startswith("__"):
                raise
            return self._old(name)
        if isinstance(value, types.ModuleType) and value.__name__ == f"{self._target}.{name}":
            vars(self)[name] = value = KerasModule(f"{self.__name__}.{name}", home_of(value.__name__))
        return value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """A name that was a module in Keras 2 was a function in Keras 1."""
        module, _, name = self._target.removeprefix(_KERAS + ".").rpartition(".")
        if name not in FUNCTIONS.get(module, {}):
            raise TypeError(f"{self.__name__} is a module, which cannot be called.")
        return FUNCTIONS[module][name](*args, **kwargs)

    def _public_names(self) -> list[str]:
        target = self._target.removeprefix(_KERAS).removeprefix(".")
        return [*super()._public_names(), *NAMES.get(target, ()), *FUNCTIONS.get(target, ())]

    def _old(self, name: str) -> Any:
        target = self._target.removeprefix(_KERAS).removeprefix(".")
        inner = f"{target}.{name}" if target else name
        if any(module == inner or module.startswith(f"{inner}.") for module in MODULES):
            vars(self)[name] = module = KerasModule(f"{self.__name__}.{name}", home_of(f"{_KERAS}.{inner}"))
            return module
        if name in FUNCTIONS.get(target, {}):
            return FUNCTIONS[target][name]
        if name in NAMES.get(target, {}):
            return OldClass(target, name, NAMES[target][name])
        try:
            return super().__getattr__(name)
        except AttributeError as error:
            raise AttributeError(f"{error} {_in_keras3(inner)}") from None


def _in_keras3(name: str) -> str:
    """What Keras 3 offers for a missing name such as `"layers.Adam"`."""
    if name.startswith("src."):
        return "jkeras has Keras's public names in the modules of its inside, and what libraries were seen to use of the rest."
    if any(f"{known}.".startswith(f"keras.{name}.") for known in keras3_names()):
        return "Keras 3 has it, jkeras has not."
    last = name.rpartition(".")[2]
    elsewhere = sorted(known for known in keras3_names() if known.rpartition(".")[2] == last)
    where = f", but {elsewhere[0]}" if elsewhere else ""
    return f"Keras 3 has no such name{where}."
