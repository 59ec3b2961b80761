"""Saves over a file or directory, killed at random moments: what is there is always one of the models, whole.

    python -m tests.files.save_kills --kills 100

For every format, one writer and then two that write to one place save two models in turns, as fast as they can. Each kill
(SIGKILL) comes at a random moment. After it the place must hold one of the two models; after one more save nothing else is left.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tests.files.kill_test import context

WEIGHTS = (".weights.h5", ".safetensors")
FORMATS = ("", ".keras", ".h5", *WEIGHTS)
SIZES = (40, 300)  # of the two models, so that a mixture of both would be noticed


def model(number: int) -> Any:
    import jkeras as jk
    from jkeras import layers

    made = jk.Sequential([jk.Input((SIZES[number],)), layers.Dense(SIZES[number]), layers.Dense(1)]).compile(
        "adam", "mse"
    )
    return made.init(number)


def place(folder: Path, suffix: str) -> Path:
    return folder / f"model{suffix}"


def write(one: Any, path: Path, suffix: str) -> None:
    (one.save_weights if suffix in WEIGHTS else one.save)(path)


def writer(folder: Path, suffix: str, first: int) -> None:
    """Saves until it is killed."""
    models = [model(0), model(1)]
    write(models[first], place(folder, suffix), suffix)
    (folder / f"started-{os.getpid()}").touch()
    for number in itertools.count(first + 1):
        write(models[number % 2], place(folder, suffix), suffix)


def found(models: list[Any], folder: Path, suffix: str) -> int:
    """Which of the models is there; raises an error if it is none."""
    import jkeras as jk

    path = place(folder, suffix)
    for number, expected in enumerate(models):
        if suffix in WEIGHTS:
            try:
                weights = model(number).load_weights(path).get_weights()
            except jk.errors.RestoreError as error:
                if "does not match" in str(error):
                    continue
                raise
        else:
            weights = jk.load_model(path).get_weights()
        wanted = expected.get_weights()
        if all(a.shape == b.shape and np.array_equal(a, b) for a, b in zip(weights, wanted, strict=True)):
            return number
    raise SystemExit(f"{path} holds neither of the models.")


def hidden(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.startswith("."))


def kills(count: int, suffix: str, writers: int, dice: random.Random, folder: Path, processes: Any) -> Counter[str]:
    """Kills that many times; what was counted."""
    counted: Counter[str] = Counter()
    models = [model(0), model(1)]
    while counted["kills"] < count:
        for leftover in folder.glob("started-*"):
            leftover.unlink()
        running = [processes.Process(target=writer, args=(folder, suffix, number)) for number in range(writers)]
        for process in running:
            process.start()
        while len(list(folder.glob("started-*"))) < writers:
            if any(process.exitcode is not None for process in running):
                raise SystemExit(f"A writer of {suffix!r} ended by itself.")
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.3))
        for process in running:
            if process.exitcode is not None:
                raise SystemExit(f"A writer of {suffix!r} ended by itself.")
            process.kill()
            counted["kills"] += 1
            process.join()
            if process is not running[-1]:  # the others go on
                time.sleep(dice.uniform(0, 0.1))
        counted["left something hidden"] += bool(hidden(folder))
        counted[f"model {found(models, folder, suffix)}"] += 1
        write(models[0], place(folder, suffix), suffix)
        if found(models, folder, suffix) != 0 or hidden(folder):
            raise SystemExit(f"After the next save there is {hidden(folder)} beside {place(folder, suffix)}.")
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice, processes = random.Random(options.seed), context()
    each = -(-options.kills // (2 * len(FORMATS)))
    total = 0
    for suffix, writers in itertools.product(FORMATS, (1, 2)):
        with tempfile.TemporaryDirectory() as folder:
            counted = kills(each, suffix, writers, dice, Path(folder), processes)
        total += counted["kills"]
        print(f"{suffix or 'directory'}, {writers} writers: {dict(counted)}", flush=True)
    print(f"{total} kills, and every time one of the models was there, whole.")


if __name__ == "__main__":
    multiprocessing.freeze_support()
    main()
