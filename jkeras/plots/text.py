"""A diagram as text: Mermaid, and Graphviz's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jkeras.plots.layout import texts

if TYPE_CHECKING:
    from jkeras.plots.diagram import Diagram


def to_mermaid(diagram: Diagram) -> str:
    """Mermaid's flowchart."""
    lines = [f"flowchart {diagram.direction}"]
    for i, box in enumerate(diagram.boxes):
        label = "<br/>".join(line.replace('"', "&quot;") for line in texts(box))
        lines.append(f'    n{i}["{label}"]')
    lines += [f"    n{source} --> n{target}" for source, target in diagram.arrows]
    return "\n".join(lines) + "\n"


def to_dot(diagram: Diagram, **attributes: object) -> str:
    """Graphviz's language; `attributes` are those of the graph."""
    from jkeras.plots.drawing import colours

    settings = {"rankdir": diagram.direction, **attributes}
    lines = ["digraph {", *(f"    {name}={_quoted(value)};" for name, value in settings.items())]
    lines.append('    node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];')
    for i, box in enumerate(diagram.boxes):
        fill, border = colours(box)
        label = _quoted("\\n".join(texts(box)), escaped=True)
        lines.append(f'    n{i} [label={label}, fillcolor="{fill}", color="{border}"];')
    lines += [f"    n{source} -> n{target};" for source, target in diagram.arrows]
    return "\n".join([*lines, "}", ""])


def _quoted(value: object, escaped: bool = False) -> str:
    text = str(value) if escaped else str(value).replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'
