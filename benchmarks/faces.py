"""What Keras's object model costs: `python -m benchmarks.faces [--only runs eager models growth] [--rounds 9]`.

`runs`: `fit`, `evaluate` and `predict` through `jkeras.keras` and through `jkeras` in turn, in one process. `eager`: layers
called on arrays, and `models`: models made, by `jkeras.keras` and by Keras in turn, in one process. `growth`: what 300 rounds
of `fit`, `predict` and a call, and 100 models that are made and dropped, leave behind, in a process of its own.

The processor time of a round counts all threads. It tells more than the time that passes where a machine is busy.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np

from benchmarks.peers import keras_like
from benchmarks.workloads import WORKLOADS, Workload

Times = dict[str, tuple[float, float]]


def in_turn(runs: Mapping[str, Callable[[], Any]], rounds: int, times: int = 1) -> Times:
    """Medians of the seconds that passed, and of those of processors, of one call of each.

    Args:
        runs: by name; the two come in turn, so that both see the same machine.
        rounds: of which the medians are taken.
        times: calls in a round.
    """
    for run in runs.values():
        for _ in range(3):
            jax.block_until_ready(run())
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for number in range(rounds):
        order = list(runs) if number % 2 else list(runs)[::-1]
        for name in order:
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(times):
                result = runs[name]()
            jax.block_until_ready(result)
            seconds[name].append(((time.perf_counter() - wall) / times, (time.process_time() - cpu) / times))
    return {name: tuple(map(statistics.median, zip(*each, strict=True))) for name, each in seconds.items()}  # type: ignore[misc]


def row(name: str, ours: tuple[float, float], other: tuple[float, float], unit: float) -> None:
    """A line of a table: wall and processor time of both, and their ratios."""
    cells = [f"{a * unit:,.3f} | {b * unit:,.3f} | {a / b:.2f}" for a, b in zip(ours, other, strict=True)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def heading(first: str, ours: str, other: str, unit: str) -> None:
    """The first lines of a table."""
    print(f"\n| {first} | {ours}, {unit} | {other} | ratio | {ours}, {unit} of processors | {other} | ratio |")
    print("|---|---|---|---|---|---|---|", flush=True)


# -- fit, evaluate, predict ----------------------------------------------------------------------------------------------


def tasks(k: Any, workload: Workload) -> dict[str, Callable[[], Any]]:
    """Calls of a compiled model, by name."""
    x, y = workload.data()
    model = workload.build(k)
    model = model.compile(**keras_like.RECIPE) or model

    def fit() -> Any:
        nonlocal model
        result = model.fit(x, y, batch_size=workload.batch, verbose=0)
        model = result if hasattr(result, "predict") else model
        return [jax.numpy.asarray(weight) for weight in model.get_weights()]

    return {
        "fit": fit,
        "evaluate": lambda: model.evaluate(x, y, batch_size=workload.batch, verbose=0),
        "predict": lambda: model.predict(x, verbose=0),
        "predict, batch by batch": lambda: model.predict(x, batch_size=workload.batch, verbose=0),
    }


def measure_runs(rounds: int) -> None:
    """Both faces on the workloads, per step."""
    import jkeras
    import jkeras.keras

    heading("workload", "objects", "values", "ms")
    for name in ("mlp", "cnn", "lstm"):
        workload = WORKLOADS[name]
        objects, values = (tasks(k, workload) for k in (jkeras.keras, jkeras))
        for task in objects:
            times = in_turn({"objects": objects[task], "values": values[task]}, rounds)
            row(f"{name}, {task}", times["objects"], times["values"], 1e3 / workload.steps)


# -- layers called on arrays ---------------------------------------------------------------------------------------------


def eager_calls(k: Any) -> dict[str, Callable[[], Any]]:
    """Calls of built layers on arrays, by name."""
    layers, ops = k.layers, k.ops

    class Own(layers.Layer):  # type: ignore[name-defined,misc]
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], 8), name="kernel")

        def call(self, inputs: Any) -> Any:
            return ops.relu(ops.matmul(inputs, self.kernel))

    class OwnModel(k.Model):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.hidden = layers.Dense(16, activation="relu")
            self.head = layers.Dense(4)

        def call(self, inputs: Any) -> Any:
            return self.head(self.hidden(inputs))

    rng = np.random.default_rng(0)

    def array(*shape: int) -> jax.Array:
        return jax.numpy.asarray(rng.random(shape, dtype=np.float32))

    rows, steps, image = array(32, 64), array(32, 16, 32), array(8, 16, 16, 3)
    tokens = jax.numpy.asarray(rng.integers(0, 100, (32, 16)).astype("int32"))
    calls = {
        "Dense": (layers.Dense(32, activation="relu"), (rows,)),
        "LayerNormalization": (layers.LayerNormalization(), (rows,)),
        "BatchNormalization": (layers.BatchNormalization(), (rows,)),
        "MultiHeadAttention": (layers.MultiHeadAttention(4, 8), (steps, steps)),
        "Add": (layers.Add(), ([rows, rows],)),
        "Conv2D": (layers.Conv2D(8, 3), (image,)),
        "LSTM": (layers.LSTM(16), (steps,)),
        "Dropout": (layers.Dropout(0.5), (rows,)),
        "Embedding": (layers.Embedding(100, 16), (tokens,)),
        "a layer of one's own": (Own(), (rows,)),
        "a model of one's own": (OwnModel(), (rows,)),
    }
    return {name: lambda layer=layer, args=args: layer(*args) for name, (layer, args) in calls.items()}


def measure_eager(rounds: int) -> None:
    """Layers called on arrays, next to Keras."""
    import keras

    import jkeras.keras

    ours, other = eager_calls(jkeras.keras), eager_calls(keras)
    heading("layer", "jkeras.keras", "keras", "us")
    for name in ours:
        jax.block_until_ready(other[name]())
        start = time.perf_counter()
        jax.block_until_ready(other[name]())
        calls = max(1, min(30, int(0.05 / (time.perf_counter() - start))))
        times = in_turn({"ours": ours[name], "other": other[name]}, rounds, times=calls)
        row(name, times["ours"], times["other"], 1e6)


# -- models made ---------------------------------------------------------------------------------------------------------


def constructions(k: Any) -> dict[str, Callable[[], Any]]:
    """Models made, by name."""
    layers = k.layers

    def chain(layer: Callable[[], Any], shape: tuple[int, ...]) -> Callable[[], Any]:
        def make() -> Any:
            tensor = inputs = k.Input(shape)
            for _ in range(20):
                tensor = layer()(tensor)
            return k.Model(inputs, tensor)

        return make

    return {
        "20 Dense": chain(lambda: layers.Dense(16, activation="relu"), (16,)),
        "20 Conv2D": chain(lambda: layers.Conv2D(8, 3, padding="same", activation="relu"), (8, 8, 8)),
        "20 BatchNormalization": chain(layers.BatchNormalization, (16,)),
        "20 Dropout": chain(lambda: layers.Dropout(0.5), (16,)),
        "20 LSTM": chain(lambda: layers.LSTM(8, return_sequences=True), (6, 8)),
    }


def measure_models(rounds: int) -> None:
    """Models made, next to Keras."""
    import keras

    import jkeras.keras

    ours, other = constructions(jkeras.keras), constructions(keras)
    heading("model", "jkeras.keras", "keras", "ms")
    for name in ours:
        times = in_turn({"ours": lambda n=name: ours[n]() and 0, "other": lambda n=name: other[n]() and 0}, rounds)
        row(name, times["ours"], times["other"], 1e3)


# -- growth --------------------------------------------------------------------------------------------------------------


def left_behind() -> tuple[int, int, float]:
    """Python's objects, JAX's arrays, and megabytes of memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return len(gc.get_objects()), len(jax.live_arrays()), pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure_growth(rounds: int) -> None:
    """What many rounds, and many models, leave behind."""
    import jkeras.keras as k

    x = np.ones((64, 8), "float32")
    y = np.ones((64, 1), "float32")

    def make() -> Any:
        model = k.Sequential([k.Input((8,)), k.layers.Dense(16, activation="relu"), k.layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        return model

    def use(model: Any) -> None:
        model.fit(x, y, verbose=0)
        model.predict(x, verbose=0)
        model(x)

    def drop() -> None:
        use(make())

    print("\n| after | objects of Python | arrays | memory, MB |\n|---|---|---|---|")
    model = make()
    for what, repeated, marks in (
        ("rounds of fit, predict and a call", lambda: use(model), (50, 300)),
        ("models made, trained and dropped", drop, (20, 100)),
    ):
        done = 0
        for mark in marks:
            for _ in range(mark - done):
                repeated()
            done = mark
            objects, arrays, memory = left_behind()
            print(f"| {mark} {what} | {objects:,} | {arrays} | {memory:.1f} |", flush=True)


PARTS = {"runs": measure_runs, "eager": measure_eager, "models": measure_models, "growth": measure_growth}


def main() -> None:
    """Prints a table for each part, each from a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if len(options.only) == 1:
        PARTS[options.only[0]](options.rounds)
        return
    for part in options.only:
        command = [sys.executable, "-m", "benchmarks.faces", "--only", part, "--rounds", str(options.rounds)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
