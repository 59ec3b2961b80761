"""Which groups members train best in: `python -m benchmarks.groupings [--networks dense,conv] [--members 4,16,64] [--rounds 5]`.

For each network and number of members the seconds of a training step of all members (batches of 32, Adam), by how many of them
train in one program: 1 (one after another), the rule's number, as many groups as there are cores, all, and their root; what
`fit` measures. The sizes take turns; shown is the median over the rounds, in milliseconds, and how much faster the fastest is
than all in one program and than the rule's size.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from typing import Any

import jax
import numpy as np

import jkeras as jk
from benchmarks.ahead_of_time import flattened
from jkeras import layers
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import as_batch, first_state
from jkeras.models.group_trial import GroupTrial
from jkeras.models.grouping import candidate_sizes, groups_at_a_time
from jkeras.models.members import stack
from jkeras.training.abstract_programs import abstract_programs
from jkeras.training.compiled_loops import CompiledLoops, loops_of
from jkeras.training.layout import ManyModels
from jkeras.training.sources import TrainingData
from jkeras.training.task import prepare, recipe_of, task_for

NETWORKS = {
    "dense 16-4-10": [layers.Input((16,)), layers.Dense(4, "relu")],
    "dense 784-64-10": [layers.Input((784,)), layers.Dense(64, "relu")],
    "dense 784-512-512-10": [layers.Input((784,)), layers.Dense(512, "relu"), layers.Dense(512, "relu")],
    "LSTM of 16 units, 16 steps": [layers.Input((16, 8)), layers.LSTM(16)],
    "convolutions 8-16, 28x28": [
        layers.Input((28, 28, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
    ],
}
ROWS = 1024
BATCH = 32


def network(name: str) -> Any:
    """The compiled model of a network."""
    model = jk.Sequential([*NETWORKS[name], layers.Dense(10, "softmax")])
    return model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def trials(name: str, count: int) -> tuple[list[int], dict[int, GroupTrial]]:
    """The sizes, the rule's first, and a trial of each."""
    rng = np.random.default_rng(0)
    model = network(name)
    x = rng.random((ROWS, *model.input_shape[1:]), dtype=np.float32)
    y = rng.integers(0, 10, ROWS).astype("int32")
    task = prepare(model, TrainingData(x, y, batch_size=BATCH), in_memory=True)
    task = dataclasses.replace(task, loops=loops_of(many=True))
    state = stack([task.first_state(seed, model.init(seed).state) for seed in range(count)])
    sizes = candidate_sizes(state, count)
    return sizes, {size: GroupTrial(task, state, size, groups_at_a_time(-(-count // size))) for size in sizes}


def cycles(name: str, count: int, topology: chips.Topology) -> int:
    """What the compiler of a chip expects a step of `count` members in one program to take; of one member without its axis."""
    model = network(name)
    recipe = recipe_of(model, "compile")
    batch = as_batch(model, recipe, BATCH)
    state = jax.eval_shape(lambda x: first_state(model, recipe, x), batch.x)
    many = dataclasses.replace(task_for(model, batch, state), loops=CompiledLoops(ManyModels({})))
    abstract = abstract_programs(many, state, batch, ROWS)["train_one"]
    state, *others = abstract.arguments
    state = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape), leaf.dtype), state)
    abstract = abstract._replace(arguments=(state, *others))
    answer = compiling.compile_elsewhere(flattened(abstract, BATCH, True), topology, {}, None)
    return hlo.Module(answer.text).cost().cycles


def expect(names: list[str], counts: list[int], topology: chips.Topology) -> None:
    """Prints the table of expected cycles."""
    print("| network | members | thousand cycles in one program | one after another | ratio |")
    print("|---|---|---|---|---|")
    for name in names:
        alone = cycles(name, 1, topology)
        for count in counts:
            together = cycles(name, count, topology)
            after_another = count * alone
            row = f"{name} | {count} | {together / 1e3:.3g} | {after_another / 1e3:.3g}"
            print(f"| {row} | {after_another / together:.2g} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default="", help="words that are in their names")
    parser.add_argument("--members", default="4,16,64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--topology", default="", help="compile for this chip instead of running here")
    options = parser.parse_args()
    words = options.networks.split(",")
    names = [name for name in NETWORKS if any(word in name for word in words)]
    counts = [int(count) for count in options.members.split(",")]
    if options.topology:
        expect(names, counts, chips.parse(options.topology, []))
        return
    print("| network | members | milliseconds by group size | fastest | against all in one | against the rule |")
    print("|---|---|---|---|---|---|")
    for name in names:
        for count in counts:
            sizes, by_size = trials(name, count)
            times: dict[int, list[float]] = {size: [] for size in sizes}
            for trial in by_size.values():
                trial.compile()
            for _ in range(options.rounds):
                for size, trial in by_size.items():
                    trial.estimate()
                    times[size].append(1e3 * trial.measure())
            median = {size: statistics.median(times[size]) for size in sorted(sizes)}
            best = min(median, key=lambda size: median[size])
            shown = ", ".join(
                f"{size}{' (rule)' if size == sizes[0] else ''}: {value:.3g}" for size, value in median.items()
            )
            ratios = f"{median[count] / median[best]:.2f} | {median[sizes[0]] / median[best]:.2f}"
            print(f"| {name} | {count} | {shown} | {best} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
