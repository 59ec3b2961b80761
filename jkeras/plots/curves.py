"""Curves of training and of sweeps, drawn by matplotlib."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError, suggestion
from jkeras.plots.figures import figures, finish, panels_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jkeras.models.sweep import Sweep

# The values of an epoch by the names of the logs.
Logs: TypeAlias = Mapping[str, Sequence[float]]


@runtime_checkable
class Trained(Protocol):
    """An object with logs, such as a trained model or a `History`."""

    @property
    def history(self) -> Logs:
        """The logs."""


@runtime_checkable
class Numbered(Protocol):
    """Logs that know the numbers of their epochs, from 0."""

    @property
    def epoch(self) -> Sequence[int]:
        """The numbers."""


COLOURS = ("#1f77b4", "#d95f02", "#2ca02c", "#7570b3", "#e7298a", "#66a61e", "#8c564b", "#17becf")


def plot_history(
    history: Logs | Trained, metrics: Sequence[str] | None = None, *, path: str | os.PathLike[str] | None = None
) -> Figure:
    """The curves of a run: one panel for each metric, validation dashed, the best epoch marked.

    Args:
        history: a `History`, a model that was trained, or a mapping from name to values per epoch.
        metrics: the names to draw, without `val_`; None draws all. The learning rate gets a panel if the logs contain it.
        path: a file to write the picture to.

    Returns:
        The matplotlib figure.

    Raises:
        ArgumentError: the logs do not contain a metric.
        InputError: nothing was logged.

    >>> figure = plot_history({"loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.7, 0.6]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss']
    """
    values_by_name = history.history if isinstance(history, Trained) else history
    if not isinstance(values_by_name, Mapping):
        raise ArgumentError(f"plot_history(history={arguments.shown(history)}): expected a History or a trained model.")
    logs = {name: np.asarray(values, float) for name, values in values_by_name.items() if np.ndim(values) == 1}
    names = [name for name in logs if not name.startswith("val_")]
    if not names:
        raise InputError("There is nothing to plot: the history is empty. Train first: `model = model.fit(x, y)`.")
    if metrics is not None:
        metrics = arguments.checked("plot", "metrics", metrics, arguments.some_texts)
        for name in metrics:
            if name not in names:
                raise ArgumentError(f"plot(metrics=...): the history has no {name!r}.{suggestion(name, names)}")
        names = list(metrics)
    names.sort(key=lambda name: (name == "learning_rate", name != "loss"))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure, grid = panels_of("plot_history", rows, columns, size=(4.6 * columns, 3.3 * rows))
    first = next((next(iter(one.epoch), 0) for one in (history, values_by_name) if isinstance(one, Numbered)), 0)
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, name, first + 1, logs[name], logs.get(f"val_{name}"))
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    return finish(figure, path)


def _panel(axes: Axes, name: str, first: int, values: np.ndarray, validation: np.ndarray | None) -> None:
    epochs: np.ndarray = first + np.arange(len(values))
    axes.plot(epochs, values, color=COLOURS[0], label="training", marker="." if len(values) < 30 else None)
    watched, colour = values, COLOURS[0]
    if validation is not None:
        # With `validation_freq` there are fewer values than epochs; they are spread over the run.
        at = epochs if len(validation) == len(values) else np.linspace(epochs[0], epochs[-1], len(validation))
        axes.plot(
            at, validation, color=COLOURS[1], linestyle="--", label="validation", marker="." if len(at) < 30 else None
        )
        watched, colour, epochs = validation, COLOURS[1], at
    if name == "learning_rate":
        axes.set_yscale("log" if np.all(values > 0) else "linear")
    elif np.isfinite(watched).any():
        best = int(np.nanargmax(watched) if _grows(name) else np.nanargmin(watched))
        axes.plot(epochs[best], watched[best], "o", color=colour, fillstyle="none", markersize=11)
        axes.annotate(
            f"{watched[best]:.4g}",
            (epochs[best], watched[best]),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=colour,
        )
        axes.margins(y=0.15)
    axes.set(title=name, xlabel="epoch")
    if len(values) == 1:
        axes.set_xticks(epochs)
        return
    locator: Any = axes.xaxis.get_major_locator()  # of the kind that linear axes have
    locator.set_params(integer=True)
    axes.grid(alpha=0.25)
    if validation is not None:
        axes.legend(frameon=False, fontsize=8)


def _grows(name: str) -> bool:
    words = ("acc", "auc", "precision", "recall", "f1", "fbeta", "score", "iou", "r2", "similarity")
    return any(word in name for word in words)


def plot_sweep(sweep: Sweep, metric: str | None = None, *, path: str | os.PathLike[str] | None = None) -> Figure:
    """The results of a sweep: the curve of each model, and its last value for each varying hyperparameter.

    Args:
        sweep: a trained `jk.sweep`.
        metric: a name in the logs; `val_loss` or `loss` by default.
        path: a file to write the picture to.

    Returns:
        The matplotlib figure.

    Raises:
        ArgumentError: the logs do not have the metric.
        NotBuiltError: the sweep has not been trained.

    >>> import jkeras as jk
    >>> x = np.linspace(-1, 1, 16, dtype="float32")[:, None]
    >>> line = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> sweep = jk.sweep(line, learning_rate=[0.01, 0.1]).fit(x, 3 * x, epochs=2, verbose=0)
    >>> len(plot_sweep(sweep).axes)
    2
    """
    if not callable(getattr(sweep, "ranked", None)):
        raise ArgumentError(f"plot_sweep(sweep={arguments.shown(sweep)}): expected a `jk.sweep(...)` that was trained.")
    order = sweep.ranked(metric)
    history = sweep.history
    metric = metric or ("val_loss" if "val_loss" in history else "loss")
    plt = figures("plot_sweep")
    varied = [name for name in sweep.settings[0] if len({setting[name] for setting in sweep.settings}) > 1]
    varied = varied or list(sweep.settings[0])[:1]
    count = 1 + len(varied)
    figure, panels = panels_of("plot_sweep", 1, count, size=(4.4 * count, 3.4))
    curves, table = panels[0][0], history[metric]
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(order)))
    last = np.asarray([h[metric][-1] for h in sweep.histories])
    for place, i in reversed(list(enumerate(order))):
        label = ", ".join(f"{name}={sweep.settings[i][name]:g}" for name in varied)
        shown = label if place in (0, len(order) - 1) else None
        curves.plot(np.arange(1, len(table) + 1), table[:, i], color=shades[place], label=shown)
    curves.set(title=metric, xlabel="epoch")
    curves.xaxis.get_major_locator().set_params(integer=True)
    curves.legend(framealpha=0.85, fontsize=7, title="best and worst", title_fontsize=7)
    place_of = np.argsort(order)
    for axes, name in zip(panels[0][1:], varied, strict=True):
        values = np.asarray([setting[name] for setting in sweep.settings], float)
        axes.scatter(values, last, c=shades[place_of], zorder=2)
        best = order[0]
        axes.plot(values[best], last[best], "o", color="black", fillstyle="none", markersize=12)
        positive = values > 0
        if positive.all() and values.max() / values.min() > 20:
            axes.set_xscale("log")
        axes.set(title=f"{metric} by {name}", xlabel=name)
    for axes in panels.flat:
        axes.grid(alpha=0.25)
    finite = last[np.isfinite(last)]
    if len(finite) and finite.min() > 0 and finite.max() / finite.min() > 50:
        for axes in panels.flat:
            axes.set_yscale("log")
    return finish(figure, path)
