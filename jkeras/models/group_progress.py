"""The output while groups of members train, some of them in parallel."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from jkeras.console.progress import ProgressBar
from jkeras.types import Verbose


class GroupProgress:
    """One bar over the epochs of all groups, or a line per finished group.

    Groups train in parallel, so separate bars would overwrite each other; the single bar shows how many groups are
    done, and the values of the group that ended an epoch last (means over its members).

    Args:
        groups: the number of groups.
        epochs: the largest number of epochs of a group.
        verbose: 1 for the bar, 2 for the lines, 0 for nothing, "auto" as in `fit`.
    """

    def __init__(self, groups: int, epochs: int, verbose: Verbose):
        self.groups = groups
        self.epochs = epochs
        self._bar = ProgressBar(groups * epochs, verbose=verbose, unit="epoch")
        self._lock = threading.Lock()
        self._done = 0
        self._ended = 0
        self._logs: dict[str, Any] = {}

    def epoch_ended(self, logs: Mapping[str, Any]) -> None:
        """A group ended an epoch."""
        with self._lock:
            self._done += 1
            self._logs = dict(logs)
            self._bar.update(self._done, self._shown)

    def group_ended(self, epochs: int) -> None:
        """A group has finished after some epochs; those that it skipped count as done."""
        with self._lock:
            self._done += self.epochs - epochs
            self._ended += 1
            if self._bar.verbose == 2 or self._ended == self.groups:
                self._bar.finish(self._shown, step=self._done)

    def _shown(self) -> dict[str, Any]:
        return {"groups": f"{self._ended}/{self.groups}", **self._logs}
