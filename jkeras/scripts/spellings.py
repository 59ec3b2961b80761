"""Installs the support for old spellings while a script runs."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from jkeras.keras.mutable import MutableMeta
from jkeras.scripts import callbacks, layers, models, optimizers
from jkeras.scripts.constructors import described_class
from jkeras.scripts.notes import NOTES
from jkeras.scripts.patches import Patches
from jkeras.scripts.tensorflow import tensors


class Spellings:
    """Makes the classes of `jkeras.keras` accept the names of Keras 1 and 2, and gives arrays `.numpy()`."""

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        """Installs the support."""
        NOTES.forget()
        self._patches.around(MutableMeta, "__call__", _construct)
        for part in (layers, optimizers, models, callbacks, tensors):
            part.install(self._patches)
        if importlib.util.find_spec("grain"):
            importlib.import_module("jkeras.scripts.tensorflow.data").install(self._patches)

    def uninstall(self) -> None:
        """Removes the support."""
        self._patches.undo()


def _construct(original: Any, cls: Any, *args: Any, **kwargs: Any) -> Any:
    for family in (layers, optimizers):
        if issubclass(cls, family.BASE):
            return family.construct(original, cls, described_class(cls), args, kwargs)
    return original(cls, *args, **kwargs)
