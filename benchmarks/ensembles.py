"""Sixteen networks in one program, next to sixteen fits: `python -m benchmarks.ensembles [--members 16] [--hidden 64]`.

Dense networks of 784-hidden-10 on 60,000 random rows, batches of 32, Adam; an ensemble of 16 seeds and a sweep of 16 learning
rates, in turn with as many calls of `fit`, everything compiled before. Small networks (`--hidden 4`) show the other end.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import jkeras as jk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--inputs", type=int, default=784)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.random((options.rows, options.inputs), dtype=np.float32)
    y = rng.integers(0, 10, options.rows).astype("int32")
    layers = jk.layers
    net = jk.Sequential(
        [jk.Input((options.inputs,)), layers.Dense(options.hidden, "relu"), layers.Dense(10, "softmax")]
    )
    base = net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seeds = list(range(options.members))
    rates = np.geomspace(1e-4, 1e-2, options.members).tolist()
    seeded = [base.init(seed) for seed in seeds]
    rated = [
        net.compile(jk.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]) for rate in rates
    ]

    def separately(models: list[Any]) -> Callable[[], Any]:
        return lambda: [jax.block_until_ready(model.fit(x, y, verbose=0).params) for model in models]

    runs: dict[str, Callable[[], Any]] = {
        "fits with different seeds": separately(seeded),
        "Ensemble": lambda: jk.Ensemble(base, seeds).fit(x, y, verbose=0),
        "fits with different learning rates": separately(rated),
        "sweep": lambda: jk.sweep(base, learning_rate=rates).fit(x, y, verbose=0),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for number in range(options.rounds + 1):  # the first compiles
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            if number:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    median = {name: [statistics.median(part) for part in zip(*of, strict=True)] for name, of in times.items()}
    for name, (wall, cpu) in median.items():
        print(f"{options.members} members, {name:36} {wall:8.2f} s, {cpu:8.2f} s of processors")
    for one, all_ in (("fits with different seeds", "Ensemble"), ("fits with different learning rates", "sweep")):
        print(f"{all_} is {median[one][0] / median[all_][0]:.2f} times as fast as the {one}")


if __name__ == "__main__":
    main()
