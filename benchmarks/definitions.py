"""What defining a model costs next to Keras: `python -m benchmarks.definitions`.

Each figure is taken in a fresh process, jkeras and Keras (on JAX) in turn, in milliseconds of processor time; the table
gives medians. `layer` is one layer made and called on a symbolic tensor, `alike` with the arguments of one before and
`new` with others. `model` is a functional model of 200 layers, `count` its `count_params()`, asked for the
first time, and `sizes` a model of 20 layers that all differ. Keras draws the weights at once, which jkeras does later.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

DEPTH = 200
PROGRAM = """
import gc, json, sys, time
if sys.argv[1] == "keras":
    import keras as library
    from keras import layers
else:
    import jkeras as library
    from jkeras import layers
Input = layers.Input

def milliseconds(function):
    start = time.process_time()
    result = function()
    return 1e3 * (time.process_time() - start), result

def model(units):
    tensor = entrance = Input((16,))
    for size in units:
        tensor = layers.Dense(size, activation="relu")(tensor)
    return library.Model(entrance, tensor)

def calls(make):
    image = Input((32, 32, 3))
    made = [milliseconds(lambda: make(i, image))[0] for i in range(9)]
    return sorted(made)[len(made) // 2]

depth = int(sys.argv[2])
gc.disable()
model([3, 4]).count_params()
figures = {
    "dense, new": calls(lambda i, image: layers.Dense(i + 1, activation="relu")(image)),
    "dense, alike": calls(lambda i, image: layers.Dense(8, activation="relu")(image)),
    "convolution, new": calls(lambda i, image: layers.Conv2D(i + 1, 3, activation="relu")(image)),
    "convolution, alike": calls(lambda i, image: layers.Conv2D(8, 3, activation="relu")(image)),
    "pooling, alike": calls(lambda i, image: layers.MaxPooling2D()(image)),
}
figures["model"], deep = milliseconds(lambda: model([16] * depth))
figures["count"] = milliseconds(deep.count_params)[0]
figures["sizes"] = milliseconds(lambda: model(range(16, 36)))[0]
print(json.dumps(figures))
"""


def measure(library: str) -> dict[str, float]:
    """The figures of one process."""
    command = [sys.executable, "-c", PROGRAM, library, str(DEPTH)]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = [(measure("jkeras"), measure("keras")) for _ in range(options.rounds)]
    print("| | jkeras | keras | ratio |\n|---|---|---|---|")
    for name in rounds[0][0]:
        ours, theirs = (statistics.median(figures[i][name] for figures in rounds) for i in (0, 1))
        print(f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
