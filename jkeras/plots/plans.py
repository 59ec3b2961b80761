"""A picture of the memory and time of a training step on an accelerator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from jkeras.console.quantities import amount
from jkeras.plots.curves import COLOURS
from jkeras.plots.figures import finish, panels_of
from jkeras.types import PathLike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure


UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
# A bar for a smaller share of the device's memory would be invisible.
SMALL = 0.02


class Planned(Protocol):
    """What is drawn of a `jkeras.distribute.Plan`."""

    @property
    def title(self) -> str: ...
    @property
    def memory(self) -> dict[str, float]: ...
    @property
    def capacity(self) -> float | None: ...
    @property
    def bounds(self) -> Sequence[Any]: ...
    @property
    def bound(self) -> str: ...


def plot_plan(plan: Planned, *, path: PathLike | None = None) -> Figure:
    """Memory of a device as one bar, with the capacity, and the three limits of a step's time.

    Args:
        plan: the result of `jk.distribute.plan`.
        path: a file to write the picture to.

    Raises:
        ImportError: matplotlib is not installed.
    """
    limits = list(plan.bounds)
    rows = 2 if limits else 1
    figure, panels = panels_of("plot_plan", rows, 1, (8.5, 1.5 + 1.6 * rows))
    figure.suptitle(plan.title, fontsize=9)
    _draw_memory(panels[0, 0], plan)
    if limits:
        _draw_limits(panels[1, 0], limits, plan.bound)
    return finish(figure, path)


def _draw_memory(axes: Any, plan: Planned) -> None:
    total, capacity = sum(plan.memory.values()), plan.capacity
    largest = total if capacity is None or total < SMALL * capacity else max(total, capacity)
    unit, name = next(((size, name) for size, name in UNITS if largest >= size), UNITS[-1])
    left = 0.0
    for colour, (part, value) in zip(COLOURS, plan.memory.items(), strict=False):
        if value:
            axes.barh(0, value / unit, left=left, color=colour, label=f"{part} {amount(value)}", height=0.6)
            left += value / unit
    axes.set(yticks=[], ylim=(-0.5, 0.7), xlim=(0, 1.02 * largest / unit))
    title = f"memory of a device, {name}: {amount(total)}"
    if capacity is not None:
        title += f" of {amount(capacity)}"
        if largest >= capacity:
            axes.axvline(capacity / unit, color="black", linestyle="--", linewidth=1)
            axes.text(capacity / unit, 0.36, "capacity ", ha="right", va="bottom", fontsize=8)
    axes.set_title(title, fontsize=9, loc="left")
    axes.legend(fontsize=7, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.25), frameon=False)


def _draw_limits(axes: Any, limits: list[Any], bound: str) -> None:
    names = [each.name for each in limits][::-1]
    values = [1e3 * each.seconds for each in limits][::-1]
    bars = axes.barh(names, values, color=[COLOURS[1] if name == bound else COLOURS[0] for name in names], height=0.6)
    axes.bar_label(bars, [f" {value:.3g}" for value in values], fontsize=8)
    axes.set(xlim=(0, 1.12 * max(values) or 1.0))
    axes.set_title("a step takes at least the longest of these, ms", fontsize=9, loc="left")
