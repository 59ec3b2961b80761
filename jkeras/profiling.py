"""Where the time of training goes: `jk.profile(model, x, y)`."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from typing import Any

import jax

from jkeras.errors import ArgumentError


@dataclasses.dataclass(frozen=True)
class Profile:
    """What `profile` measured.

    Attributes:
        compile_seconds: the first step's time less that of a later one: tracing, compiling and drawing weights.
        transfer_seconds: bringing the measured batches to the device.
        step_seconds: one step inside of `fit`, everything included.
        steps: how many steps were measured.
        trace: a folder that TensorBoard's profiler and Perfetto can open.
    """

    compile_seconds: float
    transfer_seconds: float
    step_seconds: float
    steps: int
    trace: str

    def __str__(self) -> str:
        share = self.transfer_seconds / self.steps
        lines = [
            ("compile, once", self.compile_seconds),
            ("step", self.step_seconds),
            ("of it transfer, at most", share),
        ]
        text = "\n".join(f"{name:24} {1e3 * seconds:10.3f} ms" for name, seconds in lines)
        return f"{text}\n{self.steps} steps; trace in {self.trace}"


def profile(model: Any, x: Any, y: Any = None, batch_size: int = 32, *, steps: int = 20, folder: Any = None) -> Profile:
    """Trains a copy of a compiled model for some steps and says where the time went; the model stays as it was.

    Args:
        model: a compiled model.
        x: inputs, arrays.
        y: targets.
        batch_size: rows in a batch.
        steps: how many steps to measure, and to trace for TensorBoard and Perfetto.
        folder: where the trace goes; a temporary folder if None.

    Raises:
        ArgumentError: `steps` is no positive integer.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ArgumentError(f"profile(steps={steps!r}): expected an integer of at least 1.")
    folder = str(folder) if folder is not None else tempfile.mkdtemp(prefix="jkeras-profile-")
    rows = steps * batch_size
    data = jax.tree.map(lambda part: part[:rows], (x, y))
    steps = max(1, -(-len(jax.tree.leaves(data)[0]) // batch_size))

    def train() -> float:
        start = time.perf_counter()
        trained = model.fit(*data, batch_size=batch_size, verbose=0)
        jax.block_until_ready(trained.params)
        return time.perf_counter() - start

    cold = train()
    start = time.perf_counter()
    jax.block_until_ready(jax.device_put(data))
    transfer = time.perf_counter() - start
    warm = min(train() for _ in range(2))
    with jax.profiler.trace(folder):
        train()
    return Profile(max(cold - warm, 0.0), transfer, warm / steps, steps, folder)
