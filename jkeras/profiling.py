"""Where the time of training goes: `jk.profile(model, x, y)`."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

import jax

from jkeras import arguments, trace_reader
from jkeras.console.tables import html_table
from jkeras.errors import ArgumentError
from jkeras.trace_reader import LayerTime as LayerTime
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batches import is_array_data
from jkeras.training.compiled_loops import TRAIN_STEPS
from jkeras.training.layout import Span
from jkeras.training.sources import TrainingData, as_source
from jkeras.training.state import Batch
from jkeras.training.task import prepare
from jkeras.types import PyTree

if TYPE_CHECKING:
    from jkeras.models.model import Model

MORE_EPOCHS = 2  # of a longer run: what it takes longer than the shorter one is steps alone
PROGRAM = "jit_train_steps"  # whose operations have layers: `_Run.program_text` reads it


@dataclasses.dataclass(frozen=True)
class Profile:
    """What `profile` measured; printing it gives a table.

    Attributes:
        compile_seconds: the first `fit` less a later one: tracing, compiling and drawing weights, once.
        start_seconds: what each `fit` takes besides its steps: checks, bringing weights and data to the device.
        transfer_seconds: of it bringing the measured batches to the device.
        step_seconds: one step inside of `fit`.
        device_seconds: the part of a step in which the device ran it; 0 where the trace does not say.
        host_seconds: the rest of the step, in which the device waited for the host.
        traced_seconds: one step while it was traced, which takes longer; 0 where the trace does not say.
        steps: how many steps were measured.
        layers: the time of each layer while it was traced, the longest first; empty where the trace does not say.
        note: what could not be told, and why; empty if all could.
        trace: a folder that TensorBoard's profiler and, in its `*.trace.json.gz`, Perfetto can open.
    """

    compile_seconds: float
    start_seconds: float
    transfer_seconds: float
    step_seconds: float
    device_seconds: float
    host_seconds: float
    traced_seconds: float
    steps: int
    layers: tuple[LayerTime, ...]
    note: str
    trace: str

    def _times(self) -> list[tuple[str, float]]:
        rows = [
            ("compile, once", self.compile_seconds),
            ("start of fit, once", self.start_seconds),
            ("  of it transfer of data", self.transfer_seconds),
            ("step", self.step_seconds),
        ]
        if self.device_seconds:
            rows += [("  device", self.device_seconds), ("  host", self.host_seconds)]
            rows += [("step while traced", self.traced_seconds)]
        return rows

    def _repr_html_(self) -> str:
        times = html_table(["", "ms"], [[n.strip(), f"{1e3 * s:.3f}"] for n, s in self._times()], "Time of training")
        rows = [
            [
                row.layer,
                f"{row.share:.1%}",
                f"{1e3 * row.seconds:.3f}",
                ", ".join(f"{n} {1e3 * s:.3f}" for n, s in row.top),
            ]
            for row in self.layers
        ]
        footer = [*([self.note] if self.note else []), f"{self.steps} steps; trace in {self.trace}"]
        return times + html_table(["layer", "share", "ms per step", "what"], rows, "Time by layer", footer=footer)

    def __str__(self) -> str:
        lines = [f"{name:28}{1e3 * seconds:12.3f} ms" for name, seconds in self._times()]
        if self.layers:
            width = max(len(row.layer) for row in self.layers) + 2
            lines += ["", f"{'layer':{width}}{'share':>7}{'ms per step':>13}  what"]
            for row in self.layers:
                what = ", ".join(f"{name} {1e3 * seconds:.3f}" for name, seconds in row.top)
                lines.append(f"{row.layer:{width}}{row.share:7.1%}{1e3 * row.seconds:13.3f}  {what}")
        if self.note:
            lines += ["", self.note]
        return "\n".join([*lines, "", f"{self.steps} steps; trace in {self.trace}"])


def profile(
    model: Model,
    x: PyTree[Any],
    y: PyTree[Any] | None = None,
    batch_size: int = 32,
    *,
    steps: int = 20,
    folder: str | PathLike[str] | None = None,
) -> Profile:
    """Trains a copy of a compiled model for some steps and reports where the time went; the model is not changed.

    The table has each layer's share of the time of all operations, forward and backward, and its longest operations. On
    CPUs operations run on several threads at once, so that their sum can be more than the step, and on threads that the
    trace does not show, so that it can be less. An operation that XLA made of several counts for one layer.

    >>> import jkeras as jk, numpy as np
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2, name="last")]).compile("sgd", "mse")
    >>> profile = jk.profile(model, np.ones((64, 4), "float32"), np.ones((64, 2), "float32"), steps=2)
    >>> "last" in [row.layer for row in profile.layers]
    True

    Args:
        model: a compiled model.
        x: inputs, arrays.
        y: targets.
        batch_size: rows in a batch.
        steps: how many steps to measure and to trace; fewer if there is less data. Small networks need hundreds of them for
            steady numbers, as each epoch's own cost is spread over its steps.
        folder: where the trace goes; a temporary folder if None.

    Raises:
        ArgumentError: `steps` or `batch_size` is not a positive integer, `folder` is no path, or `x` is not an array.
        NotCompiledError: the model was not compiled.
    """
    for name, value in {"steps": steps, "batch_size": batch_size}.items():
        arguments.checked("profile", name, value, arguments.positive_int)
    folder = arguments.checked("profile", "folder", folder, arguments.optional(arguments.path))
    if not is_array_data(x):
        raise ArgumentError(f"profile(x={type(x).__name__}): expected arrays; join some batches of the data.")
    source = cast(ArraySource, as_source(x, y, None, batch_size))
    # Whole batches alone: a last one with fewer rows would be another program.
    steps = max(1, min(steps, source.rows // batch_size))
    data = jax.tree.map(lambda part: part[: steps * batch_size], source.data)
    folder = str(folder) if folder is not None else tempfile.mkdtemp(prefix="jkeras-profile-")

    # A run of a single step is another program than the loop over steps.
    epochs = 1 if steps > 1 else 2
    done = epochs * steps

    def train(epochs: int = epochs) -> float:
        start = time.perf_counter()
        trained = model.fit(data.x, data.y, batch_size=batch_size, epochs=epochs, verbose=0)
        jax.block_until_ready(trained.params)
        return time.perf_counter() - start

    cold = train()
    short = min(train() for _ in range(2))
    long = min(train(epochs + MORE_EPOCHS) for _ in range(2))
    step = max(long - short, 0.0) / (MORE_EPOCHS * steps) or short / done
    run = _Run(model, data, batch_size)
    start = time.perf_counter()
    jax.block_until_ready(run.placed())
    transfer = time.perf_counter() - start

    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # calls of Python functions would slow down what is measured
    with jax.profiler.trace(folder, profiler_options=options):
        train()
    events = trace_reader.read(folder)
    operations = trace_reader.operations(events)
    text = run.program_text()
    layers = trace_reader.by_layer(trace_reader.operations(events, PROGRAM), text, done) if text else ()
    ran, window = trace_reader.busy(operations)
    device = min(ran / done, step)  # tracing makes operations slower
    return Profile(
        compile_seconds=max(cold - short, 0.0),
        start_seconds=max(short - step * done, 0.0),
        transfer_seconds=transfer,
        step_seconds=step,
        device_seconds=device,
        host_seconds=step - device if device else 0.0,
        traced_seconds=window / done,
        steps=steps,
        layers=layers,
        note=_note(bool(operations), bool(layers)),
        trace=folder,
    )


def _note(operations: bool, layers: bool) -> str:
    if not operations:
        return "The trace names no operations of the training step, so the time of each layer is not known."
    return (
        "" if layers else "The program of this way of training cannot be read, so the time of each layer is not known."
    )


class _Run:
    """What `fit` does with this data, for looking at its parts."""

    def __init__(self, model: Model, data: Batch, batch_size: int):
        self.task = prepare(
            model, TrainingData(data.x, data.y, batch_size=batch_size), method="profile", in_memory=True
        )

    def placed(self) -> Batch:
        """The data on the device."""
        return self.task.layout.place_data(self.task.arrays.data)

    def program_text(self) -> str:
        """The program that `fit` ran, compiled already; empty if it ran another."""
        task, source = self.task, self.task.arrays
        if task.model.recipe.distribute is not None or task.run_eagerly:
            return ""
        state = task.first_state().replace(metrics=steps.empty_metrics(task.train.program, source.example()))
        order = jax.numpy.arange(source.rows, dtype="int32")
        arguments = (state, self.placed(), order, Span(0, 1, source.rows, source.batch_size))
        return task.loops.program(TRAIN_STEPS).lower(task.train, *arguments).compile().as_text() or ""
