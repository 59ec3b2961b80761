"""A model as a picture, and in a notebook."""

from __future__ import annotations

import html
from typing import Any

from jkeras.models.summary import summary


def plot(model: Any, path: Any = None, **options: Any) -> Any:
    """See `Model.plot`."""
    from jkeras.plots import diagram

    picture = diagram(model, **options)
    if path is not None:
        picture.save(path)
    return picture


def html_of(model: Any) -> str:
    """The summary of a model for a notebook."""
    lines: list[str] = []
    summary(model, print_fn=lines.append, line_length=90)
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
