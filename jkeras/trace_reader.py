"""What a trace of `jax.profiler` says about a compiled program: which operations took how long, and for which layer.

The trace names an operation as the compiled program does. The program's text gives the place in the Python code that an
operation came from (`op_name`), and with it the layer: every layer runs in a scope of its name, and the other parts of a
step in scopes called `batch`, `loss`, `metrics` and `optimizer`. XLA puts operations together; what it made counts for the
layer of the operation that it is named after.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

MODULES = r"jit_+(train_\w+|step|step_in_place)"  # the programs that `fit` runs
DEVICE_LINE = "XLA Ops"  # where an accelerator's operations are, each once
UNNAMED = "(unnamed)"

_INSTRUCTION = re.compile(r'^\s*(?:ROOT )?%?([\w.\-]+) = .*?\bop_name="((?:[^"\\]|\\.)*)"')
_LAYER = re.compile(r"(\w[^/()]*)\.enter$")
_PART = re.compile(r"(?:\w+\()*(batch|loss|metrics|optimizer)\)*$")


# An event of a trace, as JSON has it.
Event: TypeAlias = Mapping[str, Any]
# The process and the thread of an event.
Line: TypeAlias = tuple[object, object]


class Operation(NamedTuple):
    """One run of an operation.

    Attributes:
        name: in the program.
        run: the run of the program that it was in; None where the trace does not number them.
        start: microseconds.
        end: microseconds.
        own: microseconds, less those of operations inside it.
    """

    name: str
    run: int | str | None
    start: float
    end: float
    own: float


class Place(NamedTuple):
    """What an operation belongs to: the layer's path or a part of the step in brackets, the pass, and what it does."""

    layer: str
    backward: bool
    what: str


@dataclasses.dataclass(frozen=True)
class LayerTime:
    """The time of one layer in a step.

    Attributes:
        layer: its path in the model, or a part of the step in brackets: `(batch)`, `(loss)`, `(metrics)`, `(optimizer)`,
            `(loop)` for the rest of the step, `(unnamed)` for what XLA added by itself, such as copies.
        seconds: the time of its operations in one step, the sum over all threads or streams.
        backward_seconds: of them in the backward pass.
        share: the share of all operations.
        top: its longest operations with their seconds per step.
    """

    layer: str
    seconds: float
    backward_seconds: float
    share: float
    top: tuple[tuple[str, float], ...]


def read(folder: str | Path) -> list[Event]:
    """The events of the newest trace in a folder; none if there is no trace in JSON."""
    paths = sorted(Path(folder).rglob("*.trace.json.gz"), key=lambda path: path.stat().st_mtime)
    if not paths:
        return []
    with gzip.open(paths[-1], "rt", encoding="utf-8") as file:
        events: list[Event] = json.load(file)["traceEvents"]
    return events


def operations(events: Iterable[Event], modules: str = MODULES) -> list[Operation]:
    """The operations of all programs whose name matches, in order of time on each thread."""
    lines: dict[Line, list[Event]] = defaultdict(list)
    device_lines: set[Line] = set()
    for event in events:
        line, details = (event.get("pid"), event.get("tid")), event.get("args") or {}
        if event.get("name") == "thread_name" and details.get("name") == DEVICE_LINE:
            device_lines.add(line)
        known = event.get("ph") == "X" and "hlo_op" in details
        if known and re.fullmatch(modules, str(details.get("hlo_module"))):
            lines[line].append(event)
    devices = {pid for pid, _ in device_lines}
    operations_read = []
    for line, inside in lines.items():
        if line[0] not in devices or line in device_lines:
            operations_read.extend(_own_times(inside))
    return operations_read


def _own_times(events: list[Event]) -> list[Operation]:
    """Each event of a thread, without the time of those that lie inside it."""
    events = sorted(events, key=lambda event: (event["ts"], -event["dur"]))
    own = [event["dur"] for event in events]
    around: list[int] = []
    for index, event in enumerate(events):
        while around and events[around[-1]]["ts"] + events[around[-1]]["dur"] <= event["ts"]:
            around.pop()
        if around:
            own[around[-1]] -= event["dur"]
        around.append(index)
    return [
        Operation(e["args"]["hlo_op"], e["args"].get("run_id"), e["ts"], e["ts"] + e["dur"], max(mine, 0.0))
        for e, mine in zip(events, own, strict=True)
    ]


def busy(operations: Iterable[Operation]) -> tuple[float, float]:
    """Seconds in which at least one run of the program was under way, and from the first one's start to the last one's end.

    A run lasts from the start of its first operation to the end of its last, so that work which the trace does not show,
    such as that of threads that an operation starts, is in it. Where runs have no numbers each operation counts as one.
    """
    runs: dict[object, tuple[float, float]] = {}
    for index, operation in enumerate(operations):
        run = ("operation", index) if operation.run is None else operation.run
        start, end = runs.get(run, (operation.start, operation.end))
        runs[run] = min(start, operation.start), max(end, operation.end)
    if not runs:
        return 0.0, 0.0
    total, latest = 0.0, min(start for start, _ in runs.values())
    first = latest
    for start, end in sorted(runs.values()):
        total += max(end - max(start, latest), 0.0)
        latest = max(latest, end)
    return total / 1e6, (latest - first) / 1e6


def origins(text: str) -> dict[str, str]:
    """The `op_name` of each instruction of a compiled program that has one.

    >>> origins('  %dot.1 = f32[2]{0} dot(%a, %b), metadata={op_name="jit(f)/dense.enter/dot_general"}')
    {'dot.1': 'jit(f)/dense.enter/dot_general'}
    """
    return {match[1]: match[2] for line in text.splitlines() if (match := _INSTRUCTION.match(line))}


def place(op_name: str) -> Place:
    """What an operation of that origin belongs to.

    >>> place("jit(train_steps)/while/body/transpose(jvp(LayerModule.enter))/LayerModule.enter/block.enter/a.enter/dot_general")
    Place(layer='block/a', backward=True, what='dot_general')
    >>> place("jit(train_steps)/while/body/jvp(loss)/log")
    Place(layer='(loss)', backward=False, what='log')
    """
    scopes = op_name.split(";")[0].split("/")
    layers = [match[1] for scope in scopes if (match := _LAYER.match(scope)) and match[1] != "LayerModule"]
    parts = [match[1] for scope in scopes if (match := _PART.match(scope))]
    if layers:
        layer = "/".join(layers)
    elif op_name:
        layer = f"({parts[0] if parts else 'loop'})"
    else:
        layer = UNNAMED
    return Place(layer, "transpose(jvp" in op_name, scopes[-1])


def by_layer(operations: Iterable[Operation], text: str, steps: int, most: int = 2) -> tuple[LayerTime, ...]:
    """The time of each layer in a step, the longest first, with its `most` longest operations."""
    names = origins(text)
    seconds: dict[str, dict[tuple[bool, str], float]] = defaultdict(lambda: defaultdict(float))
    for operation in operations:
        layer, backward, what = place(names.get(operation.name, ""))
        what = what or re.sub(r"[.\d]+$", "", operation.name)
        seconds[layer][backward, what] += operation.own / 1e6 / steps
    total = sum(sum(times.values()) for times in seconds.values())
    rows = []
    for layer, times in seconds.items():
        mine = sum(times.values())
        backward_times = sum(value for (backward, _), value in times.items() if backward)
        longest = sorted(times.items(), key=lambda item: -item[1])[:most]
        top = tuple((what + " backward" * backward, value) for (backward, what), value in longest)
        rows.append(LayerTime(layer, mine, backward_times, mine / total if total else 0.0, top))
    return tuple(sorted(rows, key=lambda row: -row.seconds))
