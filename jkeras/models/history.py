"""What happened in training: logs per epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class History(Mapping[str, list[float]]):
    """A read-only mapping from log name to its values, one per epoch.

    Both habits work: `model.history["loss"]`, and Keras's `history = model.fit(...)`, `history.history["loss"]`.

    Attributes:
        epoch: the epochs' numbers, from 0.
        params: `epochs`, `steps` and so on of the run.

    >>> History({"loss": [0.5, 0.25]}, [0, 1])["loss"]
    [0.5, 0.25]
    """

    def __init__(
        self, logs: Mapping[str, list[float]] | None = None, epoch: Any = (), params: Mapping[str, Any] | None = None
    ):
        self._logs = {name: tuple(values) for name, values in (logs or {}).items()}
        self.epoch = list(epoch)
        self.params = dict(params or {})

    def __getitem__(self, name: str) -> list[float]:
        return list(self._logs[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._logs)

    def __len__(self) -> int:
        return len(self._logs)

    @property
    def history(self) -> dict[str, list[float]]:
        """The logs as a dict of lists."""
        return {name: list(values) for name, values in self._logs.items()}

    def __repr__(self) -> str:
        return f"History({self.history!r})"
