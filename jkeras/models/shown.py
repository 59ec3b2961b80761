"""How a model is shown: as a table, as a picture, in a notebook."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from jkeras.models.summary import summary


class Shown:
    """The methods of `Model` that print and draw it."""

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: tuple[str, str] | None = None,
        *,
        show_cost: bool = False,
    ) -> None:
        """Prints the layers, their output shapes and numbers of weights as a table.

        Args:
            line_length: the table's width; that of the terminal if None.
            positions: accepted for Keras's signature.
            print_fn: gets the text instead of the terminal.
            expand_nested: whether models inside are listed layer by layer.
            show_trainable: whether a column says which layers training changes.
            layer_range: the names of the first and the last layer to list.
            show_cost: adds the operations and the bytes of output of each layer for one sample in a forward pass, and, for
                a compiled model, what XLA counts for a training step of 32 samples.
        """
        summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range, show_cost)

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The model as boxes and arrows: a `jkeras.plots.Diagram`, which notebooks show and `print` gives as Mermaid text.

        Args:
            path: writes it there, if given: `.svg`, `.png`, `.pdf`, `.dot` or `.mmd`.
            **options: what `jkeras.plots.diagram` takes: `show_shapes`, `expand_nested`, `direction` and so on.
        """
        from jkeras.plots import diagram

        picture = diagram(self, **options)
        if path is not None:
            picture.save(path)
        return picture

    def _repr_html_(self) -> str:
        lines: list[str] = []
        self.summary(print_fn=lines.append, line_length=90)
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
