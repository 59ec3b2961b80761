"""A placed diagram as SVG, or drawn by matplotlib."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from jkeras.plots.layout import LINE, PADDING, Placed, Point, texts

if TYPE_CHECKING:
    from jkeras.plots.diagram import Box, Diagram

FONT = "Helvetica, Arial, sans-serif"
# Fill and border of boxes by what they are: inputs, with trainable weights, with frozen ones, without any.
COLOURS: dict[str | bool | None, tuple[str, str]] = {
    "input": ("#eef3fb", "#5b7db1"),
    True: ("#fdf3e7", "#c98a3b"),
    False: ("#eceff1", "#78909c"),
    None: ("#ffffff", "#9e9e9e"),
}
INK, FAINT, ARROW = "#212121", "#616161", "#757575"


def colours(box: Box) -> tuple[str, str]:
    """Fill and border of a box."""
    return COLOURS["input" if box.kind == "Input" else box.trainable]


def to_svg(diagram: Diagram, placed: Placed) -> str:
    """The picture as an SVG document."""
    width, height = round(placed.width, 1), round(placed.height, 1)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="{FONT}" font-size="12" role="img">',
        f"<title>{escape(diagram.title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{ARROW}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for points in placed.arrows:
        path = _curve(points, diagram.direction)
        out.append(f'<path d="{path}" fill="none" stroke="{ARROW}" stroke-width="1.2" marker-end="url(#tip)"/>')
    for box, (x, y, w, h) in zip(diagram.boxes, placed.boxes, strict=True):
        fill, border = colours(box)
        out.append(
            f'<rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="5" fill="{fill}"'
            f' stroke="{border}"/>'
        )
        for i, line in enumerate(texts(box)):
            style = f'font-weight="bold" fill="{INK}"' if i == 0 else f'fill="{FAINT if i > 1 else INK}"'
            top = y - h / 2 + PADDING + LINE * i + 10
            out.append(f'<text x="{x:.1f}" y="{top:.1f}" text-anchor="middle" {style}>{escape(line)}</text>')
    return "\n".join([*out, "</svg>", ""])


def _curve(points: Sequence[Point], direction: str) -> str:
    """A smooth line through points, that leaves and arrives straight."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if direction == "TB":
            middle = (y0 + y1) / 2
            parts.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
        else:
            middle = (x0 + x1) / 2
            parts.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(parts)


def to_file(diagram: Diagram, placed: Placed, path: Path, dpi: int) -> None:
    """Draws the picture with matplotlib, which knows PNG and PDF."""
    from jkeras.plots.figures import figures

    plt = figures("a diagram as PNG or PDF (without Graphviz)")
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    figure = plt.figure(figsize=(placed.width / 72, placed.height / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, placed.width), ylim=(placed.height, 0))
    axes.axis("off")
    for points in placed.arrows:
        xs, ys = zip(*points, strict=True)
        if len(points) > 2:
            axes.plot(xs[:-1], ys[:-1], color=ARROW, linewidth=1)
        axes.add_patch(
            FancyArrowPatch(points[-2], points[-1], arrowstyle="-|>", mutation_scale=8, color=ARROW, linewidth=1)
        )
    for box, (x, y, w, h) in zip(diagram.boxes, placed.boxes, strict=True):
        fill, border = colours(box)
        style = "round,pad=0,rounding_size=4"
        axes.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle=style, facecolor=fill, edgecolor=border))
        for i, line in enumerate(texts(box)):
            top = y - h / 2 + PADDING + LINE * i + 6
            weight = "bold" if i == 0 else "normal"
            axes.text(x, top, line, ha="center", va="center", fontsize=9, weight=weight, color=INK if i < 2 else FAINT)
    figure.savefig(path, dpi=dpi)
    plt.close(figure)
