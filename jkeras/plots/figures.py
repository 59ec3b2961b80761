"""Matplotlib figures that notebooks show only once."""

from __future__ import annotations

import functools
import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from jkeras import arguments
from jkeras.lazy import needed
from jkeras.writing import creating

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures(what: str) -> Any:  # a module
    """`matplotlib.pyplot`.

    Raises:
        ExtraError: matplotlib is not installed.
    """
    return needed("matplotlib.pyplot", what, "'jkeras[plot]'")


@functools.cache
def _figure_class() -> type[Figure]:
    """A figure that is not shown twice, as the value of a cell and among the figures that are open at its end."""
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def _ipython_display_(self) -> None:
            plt = figures("a plot")
            if plt.get_fignums() and "inline" not in plt.get_backend():
                return  # a window or a widget shows it already
            from IPython.display import Image, display

            plt.close(self)  # so that the end of the cell does not show it again
            picture = io.BytesIO()
            self.savefig(picture, format="png", dpi=96)
            display(Image(picture.getvalue()))

    NotebookFigure.__name__ = "Figure"  # which is how it is shown elsewhere
    return NotebookFigure


def panels_of(what: str, rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, np.ndarray]:
    """A figure and its panels, `(rows, columns)` axes.

    Raises:
        ImportError: matplotlib is not installed; `what` needs it.
    """
    figure, panels = figures(what).subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained", FigureClass=_figure_class()
    )
    return figure, panels


def finish(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    """Returns the figure, after saving it if there is a path."""
    if path is not None:
        with creating(arguments.checked("plot", "path", path, arguments.path)) as file:
            figure.savefig(file, dpi=130)
        figures("a plot").close(figure)
    return figure
