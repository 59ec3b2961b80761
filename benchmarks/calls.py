"""What one small call costs: `python -m benchmarks.calls [--layers 2 50] [--rows 64] [--rounds 15] [--only fit evaluate]`.

Models of 2 and of 50 dense layers, on the immutable face, in the drop-in and in Keras (JAX), in turn in one process: a call of
the model on one row, the methods of one batch, and `predict`, `evaluate` and `fit` of one batch of rows. Milliseconds, medians.
Loops of reinforcement learning, of adversarial networks and notebooks live on these calls.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np

from benchmarks.faces import in_turn

WIDTH = 16
# What is called again and again is compiled after some calls.
WARMING = 10
Call = Callable[[], Any]


def sequential(library: ModuleType, layers: int) -> Any:
    """A compiled model of that many dense layers."""
    hidden = [library.layers.Dense(WIDTH, activation="relu") for _ in range(layers - 1)]
    model = library.Sequential([library.Input((WIDTH,)), *hidden, library.layers.Dense(1)])
    compiled = model.compile(optimizer="adam", loss="mse")
    rows = np.zeros((8, WIDTH), "float32")
    # One fit before, so that every optimizer has its slots.
    trained = (compiled or model).fit(rows, rows[:, :1], verbose=0)
    return model if compiled is None else trained


def calls(model: Any, rows: int) -> dict[str, Call]:
    """The calls by name."""
    x = np.random.default_rng(0).normal(size=(rows, WIDTH)).astype("float32")
    y = x[:, :1]
    one, weights = x[:1], model.get_weights()
    return {
        "model(x)": lambda: model(one),
        "model(x, training=True)": lambda: model(one, training=True),
        "predict": lambda: model.predict(x, verbose=0),
        "predict_on_batch": lambda: model.predict_on_batch(x),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "test_on_batch": lambda: model.test_on_batch(x, y),
        "evaluate": lambda: model.evaluate(x, y, batch_size=rows, verbose=0),
        "fit": lambda: model.fit(x, y, batch_size=rows, epochs=1, verbose=0),
        "get_weights": lambda: model.get_weights(),
        "set_weights": lambda: model.set_weights(weights),
    }


def main() -> None:
    """Prints a table."""
    import keras

    import jkeras
    import jkeras.keras

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", type=int, nargs="*", default=[2, 50])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    libraries = {"jkeras": jkeras, "jkeras.keras": jkeras.keras, "keras": keras}
    print("| call | layers | jkeras | drop-in | Keras | jkeras / Keras | drop-in / Keras | in processor time | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for layers in options.layers:
        by_library = {name: calls(sequential(library, layers), options.rows) for name, library in libraries.items()}
        for call in by_library["keras"]:
            if options.only and call not in options.only:
                continue
            runs = {name: each[call] for name, each in by_library.items()}
            for run in runs.values():
                for _ in range(WARMING):
                    run()
            (ours, our_cpu), (dropin, dropin_cpu), (theirs, their_cpu) = in_turn(
                runs, options.rounds, options.times
            ).values()
            cells = [f"{1000 * seconds:.2f}" for seconds in (ours, dropin, theirs)]
            ratios = (ours / theirs, dropin / theirs, our_cpu / their_cpu, dropin_cpu / their_cpu)
            cells += [f"{ratio:.2f}" for ratio in ratios]
            print(f"| `{call}` | {layers} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
