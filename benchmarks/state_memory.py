"""What a run needs beside the state that it trains: `python -m benchmarks.state_memory [--width 6000]`.

The most memory that a process held during `fit`, less what it held before it made the model, over the bytes of weights and
optimizer (Adam, two slots a weight). Each in a process of its own: jkeras, the same with `donate=True`, the drop-in, and Keras.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import subprocess
import sys

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np

WAYS = (
    "jkeras",
    "jkeras, donate=True",
    "jkeras, second fit",
    "jkeras, donate=True, second fit",
    "jkeras.keras",
    "keras",
)


def peak() -> int:
    """The most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ratio(way: str, width: int) -> float:
    """The peak of one way over the bytes of the state."""
    name, *options = way.split(", ")
    library = importlib.import_module(name)
    x = np.zeros((64, width), "float32")
    y = np.zeros((64, 1), "float32")

    def trained(width: int, times: int) -> None:
        layers = [library.Input((width,)), library.layers.Dense(width, activation="relu"), library.layers.Dense(1)]
        model = library.Sequential(layers)
        model = model.compile(optimizer="adam", loss="mse") or model
        extra = {"donate": True} if "donate=True" in options else {}
        for _ in range(times):
            fitted = model.fit(x[:, :width], y, batch_size=32, epochs=2, verbose=0, **extra)
            model = fitted if name == "jkeras" else model

    times = 2 if "second fit" in options or name != "jkeras" else 1
    trained(8, times)  # what only the first use of a library needs
    before = peak()
    trained(width, times)
    weights = width * width + 2 * width + 1
    return (peak() - before) / (3 * 4 * weights)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--way")
    options = parser.parse_args()
    if options.way:
        print(ratio(options.way, options.width))
        return
    print("| way | peak over state |\n|---|---|")
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.state_memory", "--way", way, "--width", str(options.width)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(f"| {way} | {float(printed.split()[-1]):.2f} |", flush=True)


if __name__ == "__main__":
    main()
