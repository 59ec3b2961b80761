"""Logs and histories that also accept the names of metrics in earlier versions."""

from __future__ import annotations

from typing import Any

from jkeras.scripts.notes import NOTES


class SpelledLogs(dict[str, Any]):
    """Logs in which "acc" and "accuracy" are the same key, and "lr" is the learning rate.

    Keras before 2.3 called both spellings of the metric "acc".
    """

    def __missing__(self, name: str) -> Any:
        prefix, bare = ("val_", name[4:]) if name.startswith("val_") else ("", name)
        other = prefix + {"acc": "accuracy", "accuracy": "acc", "lr": "learning_rate"}.get(bare, bare)
        if other == name or other not in self:
            raise KeyError(name)
        NOTES.old(f'history["{name}"]', f'history["{other}"]')
        return self[other]

    def get(self, name: str, default: Any = None) -> Any:
        """The value under a name of any version."""
        try:
            return self[name]
        except KeyError:
            return default
