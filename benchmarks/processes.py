"""What needs a fresh process each time: importing, the time to the first epoch, memory.

`python -m benchmarks.processes first keras` prints one measurement, in JSON; `measure` runs them in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.worker import peak_bytes
from benchmarks.workloads import WORKLOADS

IMPORTS = {
    "jkeras": "jkeras", "keras": "keras", "base": "jax, flax.linen, optax", "torch": "torch", "tensorflow": "tensorflow",
}  # fmt: skip
BIG_ROWS, BIG_WIDTH = 262_144, 1024  # 1 GiB of float32


def model_of(library: str, name: str) -> tuple[Any, Any, Any, int]:
    """A compiled model, its data (little of it) and batch size."""
    k = __import__(library)
    workload = WORKLOADS[name]
    x, y = workload.data()
    rows = 10 * workload.batch
    model = workload.build(k)
    compiled = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return compiled or model, x[:rows], y[:rows], workload.batch


def first(library: str, name: str = "cnn") -> dict[str, float]:
    """Seconds from a definition to the end of a first epoch of ten steps, after the import and with it, also of processors.

    With the import is what a program waits for: jkeras loads most of itself when it is used, Keras when it is imported. NumPy
    is loaded before, for both. A warm cache is jkeras's: Keras has one only where JAX's is set up in the environment.
    """
    begin, begin_processors = time.perf_counter(), time.process_time()
    __import__(library)
    imported, imported_processors = time.perf_counter() - begin, time.process_time() - begin_processors
    import numpy as np

    np.random.default_rng(0)
    start, start_processors = time.perf_counter(), time.process_time()
    model, x, y, batch = model_of(library, name)
    result = model.fit(x, y, batch_size=batch, verbose=0)
    del result
    seconds, processors = time.perf_counter() - start, time.process_time() - start_processors
    return {
        "seconds": seconds,
        "with import": imported + seconds,
        "processors": processors,
        "processors with import": imported_processors + processors,
    }


def memory(library: str) -> dict[str, float]:
    """Bytes at the peak of `fit` on an array of 1 GiB, less those before there was any data."""
    import numpy as np

    k = __import__(library)
    layers = k.layers
    model = k.Sequential([k.Input((BIG_WIDTH,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model = model.compile("sgd", "mse") or model
    little = np.zeros((512, BIG_WIDTH), "float32"), np.zeros((512, 1), "float32")
    model = keep(model.fit(*little, batch_size=256, verbose=0), model)
    before = peak_bytes()
    x, y = np.ones((BIG_ROWS, BIG_WIDTH), "float32"), np.zeros((BIG_ROWS, 1), "float32")
    keep(model.fit(x, y, batch_size=256, verbose=0), model)
    return {"bytes": peak_bytes() - before, "data": x.nbytes + y.nbytes}


def keep(result: Any, model: Any) -> Any:
    """The trained model, for libraries that return it and those that do not."""
    return result if hasattr(result, "predict") else model


def fresh(module: str, *arguments: str, **environment: str) -> dict[str, float]:
    """The numbers that a module prints last, in JSON, in a fresh process; Keras runs on JAX there, byte code is kept.

    Raises:
        ImportError: it failed, as where a library is missing.
    """
    command = [sys.executable, "-m", module, *arguments]
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.run(
        command, env={**variables, "KERAS_BACKEND": "jax", **environment}, capture_output=True, text=True
    )
    if process.returncode:
        raise ImportError((process.stderr.strip().splitlines() or ["failed"])[-1])
    numbers: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return numbers


def _run(*arguments: str, **environment: str) -> dict[str, float]:
    return fresh("benchmarks.processes", *arguments, **environment)


def _import(statement: str) -> float:
    program = f"import time; t = time.perf_counter(); import {statement}; print(time.perf_counter() - t)"
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = {**variables, "KERAS_BACKEND": "jax"}
    process = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    if process.returncode:
        raise ImportError((process.stderr.strip().splitlines() or ["failed"])[-1])
    return float(process.stdout.splitlines()[-1])


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Medians by measurement and library."""
    samples: dict[str, dict[str, list[float]]] = {}

    def note(what: str, who: str, value: float) -> None:
        samples.setdefault(what, {}).setdefault(who, []).append(value)

    absent: set[str] = set()
    for number in range(rounds + 1):  # the first fills the file cache, and writes bytecode
        for who, statement in IMPORTS.items():
            if who in absent:
                continue
            try:
                seconds = _import(statement)
            except ImportError as error:
                print(f"import: {who} is skipped, {error}")
                absent.add(who)
                continue
            if number:
                note("import, s", who, seconds)
    with tempfile.TemporaryDirectory() as folder:
        libraries = [who for who in ("jkeras", "keras") if who not in absent]
        for who in libraries:
            _run("first", who, JKERAS_COMPILATION_CACHE=folder)
        for _ in range(rounds):
            for who in libraries:
                for state, cache in (("cold", "off"), ("warm cache", folder)):
                    seconds = _run("first", who, JKERAS_COMPILATION_CACHE=cache)
                    note(f"first epoch, {state}, s", who, seconds["seconds"])
                    note(f"import and first epoch, {state}, s", who, seconds["with import"])
                    note(f"first epoch, {state}, s of processors", who, seconds["processors"])
                    note(f"import and first epoch, {state}, s of processors", who, seconds["processors with import"])
    for who in libraries:
        found = _run("memory", who)
        note("peak memory of fit / bytes of data", who, found["bytes"] / found["data"])
    return {what: {who: statistics.median(found) for who, found in by.items()} for what, by in samples.items()}


def main() -> None:
    what, *arguments = sys.argv[1:]
    print(json.dumps({"first": first, "memory": memory}[what](*arguments)))


if __name__ == "__main__":
    main()
