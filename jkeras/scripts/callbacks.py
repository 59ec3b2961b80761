"""Old names of callbacks' arguments, and of the metrics that callbacks monitor."""

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

# The current names of arguments, by class.
RENAMED: dict[type, dict[str, str]] = {
    ReduceLROnPlateau: {"epsilon": "min_delta"},
    ModelCheckpoint: {},
    TensorBoard: {},
}
# Arguments without a meaning today.
WITHOUT: dict[type, tuple[str, ...]] = {
    TensorBoard: ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")
}

# The number of epochs between checkpoints, and since the last one.
_periods: weakref.WeakKeyDictionary[ModelCheckpoint, list[int]] = weakref.WeakKeyDictionary()


def install(patches: Patches) -> None:
    """Makes callbacks accept old arguments."""
    for cls in RENAMED:
        patches.around(cls, "__init__", _constructor(cls))
    patches.around(ModelCheckpoint, "on_epoch_end", _end_period)
    patches.around(CallbackList, "on_epoch_end", _end_epoch)


def _end_epoch(original: Any, self: CallbackList, epoch: int, logs: dict[str, Any] | None = None) -> None:
    """Passes logs in which callbacks find metrics under their old names."""
    spelled = SpelledLogs(logs or {})
    original(self, epoch, spelled)
    if logs is not None:
        logs.update(spelled)


def _end_period(original: Any, self: ModelCheckpoint, epoch: int, logs: dict[str, Any] | None = None) -> None:
    """Saves only after each `period` epochs, if there is one."""
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
    """Accepts every suffix that old versions accepted."""
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
    self.filepath = path  # which `save` and `save_weights` write in the old format


def follow_names(callbacks: Any, metrics: Collection[str]) -> None:
    """Makes callbacks that monitor "acc" monitor "accuracy" if that is the model's metric, and vice versa."""
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
