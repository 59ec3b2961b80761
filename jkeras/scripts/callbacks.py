"""Arguments of callbacks that are called differently today, and metrics that callbacks follow under old names."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable
from typing import Any

from jkeras.callbacks.monitor import Monitor
from jkeras.errors import ArgumentError
from jkeras.keras.callbacks import CallbackList, ModelCheckpoint, ReduceLROnPlateau, TensorBoard
from jkeras.scripts.constructors import renamed
from jkeras.scripts.logs import SpelledLogs
from jkeras.scripts.notes import NOTES
from jkeras.scripts.patches import Patches

# Today's names of arguments, by class.
RENAMED: dict[type, dict[str, str]] = {
    ReduceLROnPlateau: {"epsilon": "min_delta"},
    ModelCheckpoint: {},
    TensorBoard: {},
}
# Arguments that say nothing any more.
WITHOUT: dict[type, tuple[str, ...]] = {
    TensorBoard: ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
}

# After how many epochs a checkpoint is due, and how many went by since the last.
_periods: weakref.WeakKeyDictionary[ModelCheckpoint, list[int]] = weakref.WeakKeyDictionary()


def install(patches: Patches) -> None:
    """Callbacks take the arguments of their time."""
    for cls in RENAMED:
        patches.around(cls, "__init__", _constructor(cls))
    patches.around(ModelCheckpoint, "on_epoch_end", _end_period)
    patches.around(CallbackList, "on_epoch_end", _end_epoch)


def _end_epoch(original: Any, self: CallbackList, epoch: int, logs: dict[str, Any] | None = None) -> None:
    """With logs in which callbacks find metrics under the names of their time."""
    spelled = SpelledLogs(logs or {})
    original(self, epoch, spelled)
    if logs is not None:
        logs.update(spelled)


def _end_period(original: Any, self: ModelCheckpoint, epoch: int, logs: dict[str, Any] | None = None) -> None:
    """Saves after every so many epochs alone, where a period was given."""
    due = _periods.get(self)
    if due is not None:
        period, passed = due
        due[1] = (passed + 1) % period
        if due[1]:
            return
    original(self, epoch, logs)


def _constructor(cls: type) -> Callable[..., None]:
    def construct(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs = renamed(cls.__name__, kwargs, RENAMED[cls], WITHOUT.get(cls, ()))
        if cls is ModelCheckpoint:
            _checkpoint(original, self, args, kwargs)
        else:
            original(self, *args, **kwargs)

    return construct


def _checkpoint(original: Any, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """With files of any ending that the time had."""
    period = kwargs.pop("period", 1)
    if not isinstance(period, int) or period < 1:
        raise ArgumentError(f"ModelCheckpoint(period={period!r}): expected a number of epochs, 1 or more.")
    if period > 1:
        NOTES.old(f"ModelCheckpoint(period={period})", f"ModelCheckpoint(save_freq={period} * batches_per_epoch)")
        _periods[self] = [period, 0]
    path = str(args[0] if args else kwargs.pop("filepath"))
    weights = kwargs.get("save_weights_only", args[4] if len(args) > 4 else False)
    plain = path.endswith((".h5", ".hdf5")) and not path.endswith(".weights.h5")
    if not plain or (path.endswith(".h5") and not weights):
        original(self, path, *args[1:], **kwargs)
        return
    ending = ".weights.h5" if weights else ".keras"
    NOTES.old(f"ModelCheckpoint({path!r})", f"ModelCheckpoint({path.rpartition('.')[0] + ending!r})")
    original(self, "checkpoint" + ending, *args[1:], **kwargs)
    self.filepath = path  # which `save` and `save_weights` write, in the format of the time


def follow_names(callbacks: Any, metrics: Collection[str]) -> None:
    """Has callbacks that follow "acc" follow "accuracy" where that is the model's metric, and the other way round."""
    for old, new in (("acc", "accuracy"), ("accuracy", "acc")):
        if new not in metrics or old in metrics:
            continue
        for callback in callbacks if isinstance(callbacks, Iterable) else [callbacks]:
            if not isinstance(callback, Monitor):
                continue
            for prefix in ("", "val_"):
                if callback.monitor == prefix + old:
                    NOTES.old(f'monitor="{prefix}{old}"', f'monitor="{prefix}{new}"')
                    callback.monitor = prefix + new
                if isinstance(callback, ModelCheckpoint):
                    for mark in (":", "}"):
                        callback.filepath = callback.filepath.replace(
                            f"{{{prefix}{old}{mark}", f"{{{prefix}{new}{mark}"
                        )
