"""A model as a picture, and in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from jkeras.models.summary import summary
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
    lines: list[str] = []
    summary(model, print_fn=lines.append, line_length=90)
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
