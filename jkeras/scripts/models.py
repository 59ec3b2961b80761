"""Methods of models that Keras 3 no longer has, and old names of arguments."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jkeras.errors import ArgumentError
from jkeras.keras.compiling import Compiling
from jkeras.keras.layers import RNN
from jkeras.keras.metrics import Metric
from jkeras.keras.model import Model
from jkeras.keras.sequential import Sequential
from jkeras.keras.trainer import Trainer
from jkeras.scripts.callbacks import follow_names
from jkeras.scripts.constructors import renamed
from jkeras.scripts.logs import SpelledLogs
from jkeras.scripts.notes import NOTES
from jkeras.scripts.patches import Patches
from jkeras.types import TensorLike

_QUEUES = (
    "workers",
    "use_multiprocessing",
    "max_queue_size",
    "max_q_size",
    "nb_worker",
    "pickle_safe",
    "wait_time",
    "show_accuracy",
)
# The current names of arguments, by method.
RENAMED: dict[str, dict[str, str]] = {
    "fit": {"nb_epoch": "epochs"},
    "fit_generator": {"nb_epoch": "epochs"},
}
# Arguments without a meaning today.
WITHOUT: dict[str, tuple[str, ...]] = {
    "fit": _QUEUES,
    "evaluate": _QUEUES,
    "predict": _QUEUES,
    "compile": ("class_mode", "sample_weight_mode", "options", "run_metadata"),
}
# Arguments that count batches; in Keras 1 they counted samples.
_STEPS = {"samples_per_epoch": "steps_per_epoch", "nb_val_samples": "validation_steps", "val_samples": "steps"}
_LOSSES = {"cosine_proximity": "cosine_similarity"}


def install(patches: Patches) -> None:
    """Gives models their old methods."""
    for owner, name in ((Trainer, "fit"), (Trainer, "evaluate"), (Trainer, "predict"), (Compiling, "compile")):
        patches.around(owner, name, _method(name))
    for name in ("input", "output"):
        patches.set(Sequential, name, _single(name))
    added: dict[type, dict[str, Callable[..., Any]]] = {
        Model: {
            "fit_generator": fit_generator,
            "evaluate_generator": evaluate_generator,
            "predict_generator": predict_generator,
            "to_yaml": _to_yaml,
            "reset_states": reset_states,
        },
        Sequential: {"predict_classes": predict_classes, "predict_proba": predict_proba},
        **{cls: {"reset_states": _reset_states} for cls in (RNN, Metric) if not hasattr(cls, "reset_states")},
    }
    for cls, methods in added.items():
        for name, method in methods.items():
            patches.set(cls, name, method)


def _method(name: str) -> Callable[..., Any]:
    def call(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs = renamed(name, kwargs, RENAMED.get(name, {}), WITHOUT[name])
        if name == "compile":
            return original(self, *args, **_losses(kwargs))
        if name != "fit":
            return original(self, *args, **kwargs)
        bound = inspect.signature(original).bind_partial(self, *args, **kwargs).arguments
        follow_names(bound.get("callbacks"), _metric_names(self))
        history = original(self, *args, **kwargs)
        history.history = SpelledLogs(history.history)
        return history

    return call


def _single(name: str) -> property:
    def get(self: Sequential) -> Any:
        """The only input or output tensor."""
        tensors = getattr(self, f"{name}s", None)
        if not tensors:
            raise AttributeError(f"{self.name} has no {name} before its first layer knows its input.")
        return tensors[0] if len(tensors) == 1 else tensors

    return property(get)


def _metric_names(model: Model) -> set[str]:
    compiled = model.compiled_metrics
    return set() if compiled is None else {name for name in jax.tree.leaves(compiled.given) if isinstance(name, str)}


def _losses(kwargs: dict[str, Any]) -> dict[str, Any]:
    loss = kwargs.get("loss")
    if isinstance(loss, str) and loss in _LOSSES:
        NOTES.old(f"loss={loss!r}", f"loss={_LOSSES[loss]!r}")
        return {**kwargs, "loss": _LOSSES[loss]}
    return kwargs


# -- generators ---------------------------------------------------------------------------------------------------------------


def fit_generator(self: Any, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **kwargs: Any) -> Any:
    """`fit` on batches.

    Args:
        generator: yields batches.
        steps_per_epoch: the batches of an epoch. Keras 1's `samples_per_epoch` was the number of samples instead.
        epochs: how often.
        **kwargs: as for `fit`; `nb_val_samples` of Keras 1 is the number of samples to validate on.
    """
    NOTES.old("model.fit_generator(...)", "model.fit(...)")
    kwargs = renamed("fit_generator", {"epochs": epochs, **kwargs}, RENAMED["fit_generator"], _QUEUES)
    if "samples_per_epoch" in kwargs:
        generator, steps_per_epoch = _in_batches(generator, kwargs.pop("samples_per_epoch"), "samples_per_epoch")
    if "nb_val_samples" in kwargs:
        samples = kwargs.pop("nb_val_samples")
        kwargs["validation_data"], kwargs["validation_steps"] = _in_batches(
            kwargs.get("validation_data"), samples, "nb_val_samples"
        )
    return self.fit(generator, steps_per_epoch=steps_per_epoch, **kwargs)


def evaluate_generator(self: Any, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
    """`evaluate` on batches; `val_samples` of Keras 1 is the number of samples."""
    NOTES.old("model.evaluate_generator(...)", "model.evaluate(...)")
    generator, steps = _of_steps(generator, steps, kwargs)
    return self.evaluate(generator, steps=steps, **renamed("evaluate_generator", kwargs, {}, _QUEUES))


def predict_generator(self: Any, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
    """`predict` on batches; `val_samples` of Keras 1 is the number of samples."""
    NOTES.old("model.predict_generator(...)", "model.predict(...)")
    generator, steps = _of_steps(generator, steps, kwargs)
    return self.predict(generator, steps=steps, **renamed("predict_generator", kwargs, {}, _QUEUES))


def _of_steps(generator: Any, steps: int | None, kwargs: dict[str, Any]) -> tuple[Any, int | None]:
    if "val_samples" in kwargs:
        return _in_batches(generator, kwargs.pop("val_samples"), "val_samples")
    return generator, steps


def _in_batches(generator: Any, samples: int, name: str) -> tuple[Any, int]:
    """The generator, and the number of its batches that contain that many samples."""
    rows = getattr(generator, "batch_size", None)
    if rows is None:
        if not isinstance(generator, Iterator):
            raise ArgumentError(f"{name}={samples}: expected a generator, got {type(generator).__name__}.")
        first = next(generator)
        rows = len(jax.tree.leaves(first)[0])
        generator = itertools.chain([first], generator)
    steps = math.ceil(samples / rows)
    NOTES.say(f"`{name}={samples}` counts samples; write the number of batches, `{_STEPS[name]}={steps}`.")
    return generator, steps


# -- classes ------------------------------------------------------------------------------------------------------------------


def predict_proba(self: Any, x: TensorLike, batch_size: int | None = 32, verbose: Any = 0) -> Any:
    """The result of `predict`."""
    NOTES.old("model.predict_proba(x)", "model.predict(x)")
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def predict_classes(self: Any, x: TensorLike, batch_size: int | None = 32, verbose: Any = 0) -> np.ndarray:
    """The most likely class of each row; for a single output, whether it exceeds 0.5."""
    probabilities: np.ndarray = np.asarray(self.predict(x, batch_size=batch_size, verbose=verbose))
    if probabilities.shape[-1] > 1:
        NOTES.old("model.predict_classes(x)", "model.predict(x).argmax(axis=-1)")
        return np.asarray(np.argmax(probabilities, axis=-1))
    NOTES.old("model.predict_classes(x)", '(model.predict(x) > 0.5).astype("int32")')
    return np.asarray(probabilities > 0.5, "int32")


def reset_states(self: Any) -> None:
    """Resets the states of all stateful layers."""
    NOTES.old("model.reset_states()", "layer.reset_state()")
    for layer in self.layers:
        if isinstance(layer, Model):
            reset_states(layer)
        elif isinstance(layer, RNN) and layer.stateful:
            layer.reset_state()


def _reset_states(self: Any) -> None:
    """Starts over."""
    NOTES.old("reset_states()", "reset_state()")
    self.reset_state()


def _to_yaml(self: Any, **kwargs: Mapping[str, Any]) -> str:
    raise ArgumentError("model.to_yaml() ran code when it was read, and is gone; write `model.to_json()`.")
