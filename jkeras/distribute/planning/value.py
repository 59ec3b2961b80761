"""What a training step takes on an accelerator, as a value that prints, plots and converts."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING, Any

from jkeras.console.quantities import amount, count, duration
from jkeras.console.tables import aligned
from jkeras.distribute.planning.chips import Chip
from jkeras.distribute.planning.hlo import Collective, Cost
from jkeras.lazy import needed
from jkeras.plots.plans import plot_plan
from jkeras.types import PathLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a device holds, as the table names it, and what it is.
MEMORY = {
    "weights": "trained",
    "optimizer": "its state",
    "other state": "moving statistics, metrics",
    "batch": "this device's rows",
    "temporaries": "activations, gradients",
    "padding": "of the above, to tiles",
    "program": "machine code",
}


@dataclasses.dataclass(frozen=True)
class Bound:
    """One of the limits of a step.

    Attributes:
        name: `compute`, `memory` or `network`.
        amount: operations or bytes of one step on one device.
        rate: how many of them the chip does in a second at best, by its data sheet.
    """

    name: str
    amount: float
    rate: float

    @property
    def seconds(self) -> float:
        """The shortest time that this part of a step can take."""
        return self.amount / self.rate

    @property
    def formula(self) -> str:
        """How `seconds` is computed."""
        what = {"compute": "operations", "memory": "bytes moved", "network": "bytes sent"}[self.name]
        unit = "FLOP/s" if self.name == "compute" else "B/s"
        return f"{what} / {count(self.rate, unit)}"


@dataclasses.dataclass(frozen=True)
class Target:
    """What a step is compiled for.

    Attributes:
        topology: as it was given.
        chip: the data sheet that bounds are computed by; None where none is known.
        kind: what the compiler calls the device.
        size: how many devices the topology has.
        capacity: bytes of a device's memory; None where that is not known.
    """

    topology: str
    chip: Chip | None
    kind: str
    size: int
    capacity: float | None


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A compiled step, as far as its text and its compiler tell.

    Attributes:
        cost: operations, bytes and collectives on one device.
        donated: bytes of the state that the step overwrites instead of copying it.
        callbacks: calls to the host inside the step.
        float64: instructions with 64-bit floats.
        seconds: how long compiling took here.
        peak: bytes that the compiler's process held at most; None for the devices that are here.
        text: the program.
    """

    cost: Cost
    donated: float
    callbacks: int
    float64: int
    seconds: float
    peak: int | None
    text: str = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What one training step takes on each device of a topology, read from the compiled program; nothing was run.

    Attributes:
        model: the model's name.
        strategy: how the step is spread, as a text.
        devices: how many devices work.
        batch_size: rows of a step, all devices together.
        dtype: that the model computes in.
        memory: bytes on one device: `weights`, `optimizer`, `other state`, `batch`, `temporaries`, `padding`, `program`.
        target: what the step is compiled for.
        compiled: what came of it.
    """

    model: str
    strategy: str
    devices: int
    batch_size: int
    dtype: str
    memory: dict[str, float]
    target: Target
    compiled: Compiled

    @property
    def topology(self) -> str:
        """The topology's name."""
        return self.target.topology

    @property
    def chip(self) -> Chip | None:
        """The data sheet that bounds are computed by; None where none is known."""
        return self.target.chip

    @property
    def kind(self) -> str:
        """What the compiler calls the device."""
        return self.target.kind

    @property
    def size(self) -> int:
        """How many devices the topology has."""
        return self.target.size

    @property
    def capacity(self) -> float | None:
        """Bytes of a device's memory; None where that is not known."""
        return self.target.capacity

    @property
    def flops(self) -> float:
        """Operations of products and convolutions on one device."""
        return self.compiled.cost.flops

    @property
    def bytes_accessed(self) -> float:
        """Bytes that one device moves to and from its memory; what the compiler keeps on the chip costs none."""
        return self.compiled.cost.nbytes

    @property
    def collectives(self) -> tuple[Collective, ...]:
        """What devices send each other, by kind; what sends most comes first."""
        return tuple(sorted(self.compiled.cost.collectives, key=lambda each: -each.sent))

    @property
    def donated(self) -> float:
        """Bytes of the state that the step overwrites instead of copying it."""
        return self.compiled.donated

    @property
    def callbacks(self) -> int:
        """Calls to the host inside the step."""
        return self.compiled.callbacks

    @property
    def float64(self) -> int:
        """Instructions with 64-bit floats."""
        return self.compiled.float64

    @property
    def compile_seconds(self) -> float:
        """How long compiling took here."""
        return self.compiled.seconds

    @property
    def compile_memory(self) -> int | None:
        """Bytes that the compiler's process held at most; None for the devices that are here."""
        return self.compiled.peak

    @property
    def program(self) -> str:
        """The compiled program's text."""
        return self.compiled.text

    @property
    def bytes_per_device(self) -> float:
        """What a device has to hold at once."""
        return sum(self.memory.values())

    @property
    def fits(self) -> bool | None:
        """Whether that is at most the device's memory; None where the memory is not known."""
        return None if self.capacity is None else self.bytes_per_device <= self.capacity

    @property
    def bytes_sent(self) -> float:
        """Bytes that one device sends to others in a step, if collectives run as rings."""
        return sum(each.sent for each in self.collectives)

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The three limits of a step; empty where no data sheet is known.

        A step takes at least the longest of `operations / peak`, `bytes moved / bandwidth of the memory` and `bytes sent /
        bandwidth of the links`; how far above it stays, only a run tells.
        """
        if self.chip is None:
            return ()
        return (
            Bound("compute", self.flops, self.chip.peak(self.dtype)),
            Bound("memory", self.bytes_accessed, self.chip.bandwidth),
            Bound("network", self.bytes_sent, self.chip.network),
        )

    @property
    def bound(self) -> str:
        """What limits the step: `compute`, `memory` or `network`; empty where no data sheet is known."""
        return max(self.bounds, key=lambda each: each.seconds).name if self.bounds else ""

    @property
    def seconds(self) -> float | None:
        """The least that a step can take, by the data sheet; None where none is known."""
        return max(each.seconds for each in self.bounds) if self.bounds else None

    # -- showing it ----------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """Model, devices, strategy and batch in one line."""
        chips = (
            f"{self.devices} x {self.kind}"
            if self.devices == self.size
            else f"{self.devices} of {self.size} x {self.kind}"
        )
        where = "the devices here" if self.topology == "here" else self.topology
        return f"{self.model} on {where} ({chips}), {self.strategy}, batches of {self.batch_size} rows, {self.dtype}"

    @property
    def verdict(self) -> str:
        """Whether it fits and what limits it, in a sentence."""
        need = amount(self.bytes_per_device)
        if self.capacity is None:
            fits = f"Each device needs {need}."
        else:
            fits = (
                f"Fits: each device needs {need} of its {amount(self.capacity)}."
                if self.fits
                else f"Does not fit: each device needs {need} and has {amount(self.capacity)}."
            )
        if self.seconds is None:
            return fits
        rate = f"{float(f'{self.batch_size / self.seconds:.3g}'):,.0f} rows/s" if self.seconds else "-"
        return f"{fits} Bound by {self.bound}: at least {duration(self.seconds)} a step, at most {rate}."

    def tables(self) -> list[tuple[list[str], list[list[str]]]]:
        """Heads and rows of the tables that printing shows."""
        memory = [[name, amount(value), MEMORY[name]] for name, value in self.memory.items() if value]
        memory.append(["in all", amount(self.bytes_per_device), f"{amount(self.donated)} of it overwritten in place"])
        times = {each.name: each for each in self.bounds}

        def row(what: str, shown: str, name: str) -> list[str]:
            each = times.get(name)
            return [what, shown] if each is None else [what, shown, duration(each.seconds), each.formula]

        work = [
            row("operations", count(self.flops, "FLOP"), "compute"),
            row("memory traffic", amount(self.bytes_accessed), "memory"),
            row("sent to others", amount(self.bytes_sent), "network"),
        ]
        tables = [
            (["memory of a device", "bytes", ""], memory),
            (["a step on a device", "amount", *(["at least", "formula"] if times else [])], work),
        ]
        if self.collectives:
            rows = [[each.kind, str(each.count), amount(each.nbytes), amount(each.sent)] for each in self.collectives]
            tables.append((["collectives of a step", "count", "bytes", "sent"], rows))
        return tables

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be said."""
        lines = []
        if self.callbacks:
            lines.append(f"The step calls the host {self.callbacks} times, which makes the device wait.")
        if self.float64:
            lines.append(f"{self.float64} instructions compute in float64, which accelerators do slowly or not at all.")
        if self.chip is not None and self.chip.platform == "cuda" and self.devices > 1 and "16" in self.dtype:
            lines.append("Attention is planned without cuDNN's fused kernel, which these GPUs may take.")
        if self.chip is not None:
            lines.append(f"Peak numbers: {self.chip.name}, {self.chip.source}.")
        lines.append(f"Compiled in {self.compile_seconds:.1f} s. Nothing was run.")
        return tuple(lines)

    def __str__(self) -> str:
        parts = [self.title, self.verdict]
        parts += ["\n" + _text_table(*table) for table in self.tables()]
        return "\n".join([*parts, "", *self.notes])

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{html.escape(self.title)}</b><br>{html.escape(self.verdict)}</p>"]
        for head, rows in self.tables():
            cells = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in head)
            body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            parts.append(f"<table><tr>{cells}</tr>{body}</table>")
        return "".join(parts) + f"<p>{html.escape(' '.join(self.notes))}</p>"

    def plot(self, path: PathLike | None = None) -> Figure:
        """A picture of the memory and of the three limits; a matplotlib figure, written to `path` if given.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return plot_plan(self, path=path)

    def as_dict(self) -> dict[str, Any]:
        """All numbers by name, flat."""
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("model", "topology", "kind", "strategy", "devices", "batch_size", "dtype")
        }
        values |= {name.replace(" ", "_") + "_bytes": value for name, value in self.memory.items()}
        for name in ("bytes_per_device", "donated", "capacity", "fits", "flops", "bytes_accessed", "bytes_sent"):
            values[name] = getattr(self, name)
        for each in self.collectives:
            name = each.kind.replace("-", "_")
            values |= {f"{name}_count": each.count, f"{name}_bytes": each.nbytes}
        values |= {f"{each.name}_seconds": each.seconds for each in self.bounds}
        for name in ("bound", "seconds", "compile_seconds", "compile_memory"):
            values[name] = getattr(self, name)
        return values

    def to_pandas(self) -> Any:
        """A pandas data frame with one row; `pandas.concat` puts those of several plans together."""
        pandas = needed("pandas", "Plan.to_pandas", "pandas")

        return pandas.DataFrame([self.as_dict()])


def _text_table(head: list[str], rows: list[list[str]]) -> str:
    numbers = {i for i in range(1, len(head)) if head[i] not in ("", "formula")}
    title, *lines = aligned([head, *rows], numbers)
    return "\n".join([title, "-" * max(map(len, [title, *lines])), *lines])
