"""What happened in training: logs per epoch."""

from __future__ import annotations

import csv
import html
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jkeras.errors import FrozenError
from jkeras.types import PathLike
from jkeras.values.frozen import FrozenDict, FrozenList

ADVICE = "What happened cannot be changed; `dict(history)` and `list(values)` are copies."


class History(Mapping[str, list[float]]):
    """A read-only mapping from log name to its values, one per epoch.

    Both habits work: `model.history["loss"]`, and Keras's `history = model.fit(...)`, `history.history["loss"]`.

    >>> History({"loss": [0.5, 0.25]}, [0, 1])["loss"]
    [0.5, 0.25]
    """

    _logs: FrozenDict[str, FrozenList[float]]
    _epoch: FrozenList[int]
    _params: FrozenDict[str, Any]

    def __init__(
        self, logs: Mapping[str, list[float]] | None = None, epoch: Any = (), params: Mapping[str, Any] | None = None
    ):
        own = {
            "_logs": FrozenDict({name: FrozenList(values, ADVICE) for name, values in (logs or {}).items()}, ADVICE),
            "_epoch": FrozenList(epoch, ADVICE),
            "_params": FrozenDict(params or {}, ADVICE),
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
        """The curves, validation dashed, best epochs marked; a matplotlib figure, written to `path` if given."""
        from jkeras.plots import plot_history

        return plot_history(self, metrics, path=path)

    def to_pandas(self) -> Any:
        """A pandas data frame with a row for each epoch (numbered from 0) and a column for each log."""
        import pandas

        return pandas.DataFrame({name: pandas.Series(values) for name, values in self._logs.items()}).rename_axis(
            "epoch"
        )

    def to_csv(self, path: PathLike) -> None:
        """Writes the logs as comma-separated values, a row for each epoch."""
        rows = itertools.zip_longest(*self._logs.values(), fillvalue="")
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self._logs])
            writer.writerows([i, *row] for i, row in enumerate(rows))

    def _repr_html_(self) -> str:
        rows = list(enumerate(itertools.zip_longest(*self._logs.values(), fillvalue="")))
        return html_table(["epoch", *self._logs], [[i + 1, *row] for i, row in rows[-10:]], f"{len(rows)} epochs")


def html_table(names: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> str:
    """A small table for notebooks."""

    def show(value: Any) -> str:
        return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))

    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{show(v)}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>{body}</table>"
