"""What happened in training: logs per epoch."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jkeras import arguments
from jkeras.console.tables import html_table as html_table
from jkeras.errors import FrozenError
from jkeras.lazy import needed
from jkeras.types import PathLike
from jkeras.values.frozen import FrozenDict, FrozenList
from jkeras.writing import creating

ADVICE = "What happened cannot be changed; `dict(history)` and `list(values)` are copies."


class History(Mapping[str, list[float]]):
    """A read-only mapping from log name to its values, one per epoch.

    Both habits work: `model.history["loss"]`, and Keras's `history = model.fit(...)`, `history.history["loss"]`.

    Args:
        logs: the values of each log.
        epoch: the numbers of the epochs, from 0.
        params: facts about the run, such as `epochs` and `steps`.

    Raises:
        FrozenError: something is assigned to it.

    >>> History({"loss": [0.5, 0.25]}, [0, 1])["loss"]
    [0.5, 0.25]
    """

    _logs: FrozenDict[str, FrozenList[float]]
    _epoch: FrozenList[int]
    _params: FrozenDict[str, Any]

    def __init__(
        self, logs: Mapping[str, list[float]] | None = None, epoch: Any = (), params: Mapping[str, Any] | None = None
    ):
        logs = arguments.checked("History", "logs", {} if logs is None else logs, arguments.table)
        epoch = arguments.checked("History", "epoch", epoch, arguments.entries)
        params = arguments.checked("History", "params", {} if params is None else params, arguments.table)
        own = {
            "_logs": FrozenDict({name: FrozenList(values, ADVICE) for name, values in logs.items()}, ADVICE),
            "_epoch": FrozenList(epoch, ADVICE),
            "_params": FrozenDict(params, ADVICE),
        }
        vars(self).update(own)

    @property
    def epoch(self) -> FrozenList[int]:
        """The epochs' numbers, from 0."""
        return self._epoch

    @property
    def params(self) -> FrozenDict[str, Any]:
        """`epochs`, `steps` and so on of the run."""
        return self._params

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenError(f"A History is immutable; `{name}` cannot be assigned.")

    def __delattr__(self, name: str) -> None:
        raise FrozenError(f"A History is immutable; `{name}` cannot be deleted.")

    def __getitem__(self, name: str) -> FrozenList[float]:
        return self._logs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._logs)

    def __len__(self) -> int:
        return len(self._logs)

    @property
    def history(self) -> FrozenDict[str, FrozenList[float]]:
        """The logs as a dict of lists, which cannot be written to."""
        return self._logs

    def __repr__(self) -> str:
        return f"History({self.history!r})"

    def plot(self, metrics: Sequence[str] | None = None, path: PathLike | None = None) -> Any:
        """The curves as a matplotlib figure, with validation dashed and the best epochs marked.

        Args:
            metrics: the names to draw, without `val_`; None draws all.
            path: a file to write the picture to.
        """
        from jkeras.plots import plot_history

        return plot_history(self, metrics, path=path)

    def to_pandas(self) -> Any:
        """A pandas data frame with a row for each epoch and a column for each log.

        Epochs count from 1, as in the bar, in `plot` and in `to_csv`; `epoch` has the numbers that callbacks get, from 0.
        """
        pandas = needed("pandas", "History.to_pandas", "pandas")

        frame = pandas.DataFrame({name: pandas.Series(values) for name, values in self._logs.items()})
        return frame.set_axis(pandas.Index(self._counted(len(frame)), name="epoch", dtype="int64"), axis="index")

    def _counted(self, rows: int) -> list[int]:
        """What the epochs are called, from 1."""
        return [epoch + 1 for epoch in self._epoch] if len(self._epoch) == rows else list(range(1, rows + 1))

    def to_csv(self, path: PathLike) -> None:
        """Writes the logs as comma-separated values, a row for each epoch, counted from 1.

        Args:
            path: the file to write.

        Raises:
            ArgumentError: it is no path; a number would be an open file.
            SaveError: the file cannot be written.
        """
        path = arguments.checked("to_csv", "path", path, arguments.path)
        with creating(path), path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self._logs])
            writer.writerows(self._rows())

    def _repr_html_(self) -> str:
        rows = self._rows()
        shown = rows if len(rows) <= 12 else [*rows[:3], ["..."] * (1 + len(self._logs)), *rows[-8:]]
        return html_table(["epoch", *self._logs], shown, f"History of {len(rows)} epoch{'s'[: len(rows) != 1]}")

    def _rows(self) -> list[list[Any]]:
        rows = list(itertools.zip_longest(*self._logs.values(), fillvalue=""))
        return [[epoch, *row] for epoch, row in zip(self._counted(len(rows)), rows, strict=True)]
