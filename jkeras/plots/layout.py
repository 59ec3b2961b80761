"""Where boxes and arrows go: layers of boxes by their distance from the inputs, few crossings (Sugiyama et al., 1981)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from jkeras.plots.diagram import Box, Diagram

Point: TypeAlias = tuple[float, float]

# Sizes in points, for a sans-serif font of 12.
CHARACTER, LINE, PADDING = 6.9, 16.0, 10.0
BETWEEN_RANKS, BETWEEN_BOXES, MARGIN = 34.0, 26.0, 14.0
SWEEPS = 6


@dataclasses.dataclass(frozen=True)
class Placed:
    """A layout: the picture's size, the centre and size of each box, and the points of each arrow."""

    width: float
    height: float
    boxes: tuple[tuple[float, float, float, float], ...]
    arrows: tuple[tuple[Point, ...], ...]


def texts(box: Box) -> list[str]:
    """The lines inside a box."""
    return [line for line in (box.name, box.kind, *box.lines) if line]


def size(box: Box) -> tuple[float, float]:
    """Width and height of a box that holds its lines."""
    lines = texts(box)
    return max(len(line) for line in lines) * CHARACTER + 2 * PADDING, len(lines) * LINE + 2 * PADDING - 4


def arrange(diagram: Diagram) -> Placed:
    """Places a diagram's boxes and arrows."""
    count, across = len(diagram.boxes), diagram.direction == "LR"
    ranks = _ranks(count, diagram.arrows)
    # An arrow over several ranks passes through a point in each of those between, so that boxes make room for it.
    chains, node_ranks = [], list(ranks)
    for source, target in diagram.arrows:
        points = list(range(len(node_ranks), len(node_ranks) + max(0, ranks[target] - ranks[source] - 1)))
        node_ranks += range(ranks[source] + 1, ranks[target])
        chains.append([source, *points, target])
    rows = _ordered(node_ranks, chains)
    sizes = [size(box) for box in diagram.boxes] + [(4.0, 0.0)] * (len(node_ranks) - count)
    if across:
        sizes = [(h, w) if i < count else (w, h) for i, (w, h) in enumerate(sizes)]
    centres = _centres(rows, sizes)
    width = max(x + sizes[i][0] / 2 for i, (x, _) in enumerate(centres)) + MARGIN
    height = max(y + sizes[i][1] / 2 for i, (_, y) in enumerate(centres)) + MARGIN
    arrows = tuple(_points(chain, centres, sizes) for chain in chains)
    boxes = tuple((*centres[i], *sizes[i]) for i in range(count))
    if across:
        boxes = tuple((y, x, h, w) for x, y, w, h in boxes)
        arrows = tuple(tuple((y, x) for x, y in points) for points in arrows)
        width, height = height, width
    return Placed(width, height, boxes, arrows)


def _ranks(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """The length of the longest way to each box."""
    ranks = [0] * count
    for _ in range(count):
        changed = False
        for source, target in arrows:
            if ranks[target] < ranks[source] + 1 <= count:
                ranks[target], changed = ranks[source] + 1, True
        if not changed:
            break
    return ranks


def _ordered(ranks: list[int], chains: list[list[int]]) -> list[list[int]]:
    """The nodes of each rank from left to right, each near the middle of those that it is connected to."""
    above: dict[int, list[int]] = {i: [] for i in range(len(ranks))}
    below: dict[int, list[int]] = {i: [] for i in range(len(ranks))}
    for chain in chains:
        for source, target in itertools.pairwise(chain):
            above[target].append(source)
            below[source].append(target)
    rows = [[i for i, rank in enumerate(ranks) if rank == r] for r in range(max(ranks, default=0) + 1)]
    for sweep in range(SWEEPS):
        neighbours, order = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        place = {node: i for row in rows for i, node in enumerate(row)}
        for row in order:
            middle = {
                node: sum(place[n] for n in neighbours[node]) / len(neighbours[node])
                if neighbours[node]
                else place[node]
                for node in row
            }
            row.sort(key=middle.__getitem__)
            place.update((node, i) for i, node in enumerate(row))
    return rows


def _centres(rows: list[list[int]], sizes: list[Point]) -> list[Point]:
    widths = [sum(sizes[i][0] for i in row) + BETWEEN_BOXES * (len(row) - 1) for row in rows]
    whole, top = max(widths), MARGIN
    centres = [(0.0, 0.0)] * len(sizes)
    for row, width in zip(rows, widths, strict=True):
        left = MARGIN + (whole - width) / 2
        height = max(sizes[i][1] for i in row)
        for i in row:
            if sizes[i][1] == 0.0:
                sizes[i] = (sizes[i][0], height)  # an arrow passes straight between the boxes of a rank
            centres[i] = (left + sizes[i][0] / 2, top + height / 2)
            left += sizes[i][0] + BETWEEN_BOXES
        top += height + BETWEEN_RANKS
    return centres


def _points(chain: list[int], centres: list[Point], sizes: list[Point]) -> tuple[Point, ...]:
    first, last = chain[0], chain[-1]
    (x0, y0), (x1, y1) = centres[first], centres[last]
    inner = [(centres[i][0], centres[i][1] + side * sizes[i][1] / 2) for i in chain[1:-1] for side in (-1, 1)]
    return ((x0, y0 + sizes[first][1] / 2), *inner, (x1, y1 - sizes[last][1] / 2))
