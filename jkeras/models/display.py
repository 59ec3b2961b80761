"""A model as a picture and as HTML in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jkeras.console.tables import html_table
from jkeras.models.summary import Contents
from jkeras.types import PathLike

if TYPE_CHECKING:
    from jkeras.models.model import Model


def plot(model: Model, path: PathLike | None = None, **options: Any) -> Any:
    """See `Model.plot`."""
    from jkeras.plots import diagram

    picture = diagram(model, **options)
    if path is not None:
        picture.save(path)
    return picture


def html_of(model: Model) -> str:
    """The summary of a model for a notebook."""
    contents = Contents(model)
    names, rows = contents.table()
    return html_table([name for name, _ in names], rows, contents.title, footer=contents.footer)
