"""Runs that are killed at random moments and started again end with the same bits as one that is left alone.

    python -m tests.files.kill_test --kills 30

The run has dropout, BatchNormalization, a learning rate schedule, EarlyStopping, a callback of the user's with a state, and a
ragged last batch; it saves every few steps. Half of the kills (SIGKILL) come at a random moment, the other half as soon as a
save is seen in progress. After each, every checkpoint that is there must be readable.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import numpy as np

EPOCHS, ROWS, BATCH, SAVE_EVERY = 3, 107, 8, 3
# How the data comes: whole on the device in dispatches of many steps; with hooks after each batch; from a generator.
MODES = ("device", "batches", "generator")
PAUSE = 0.015


# -- the run that is killed ------------------------------------------------------------------------------------------


def child(folder: Path, mode: str) -> None:
    import jkeras as jk
    from jkeras import callbacks, layers
    from jkeras.training.state import named_arrays

    class Average(callbacks.Callback):
        """A callback of the user's, whose state decides about the learning rate's noise in the history."""

        state_names = ("mean", "count")

        def on_train_begin(self, logs=None):
            self.mean, self.count = 0.0, 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
            self.mean += (logs["loss"] - self.mean) / self.count
            logs["mean_loss"] = self.mean

    class Slow(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            time.sleep(PAUSE)

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 6)).astype("float32"), rng.integers(0, 3, ROWS)
    model = jk.Sequential(
        [
            jk.Input((6,)),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(3, activation="softmax"),
        ]
    )
    schedule = jk.optimizers.schedules.ExponentialDecay(0.02, 10, 0.9)
    model = model.compile(jk.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    several = [
        callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True),
        Average(),
        callbacks.BackupAndRestore(folder / "backup", save_freq=SAVE_EVERY),
        *([] if mode == "device" else [Slow()]),
    ]

    def endless():
        numbers = np.random.default_rng(1)
        while True:
            rows = numbers.integers(0, ROWS, BATCH)
            yield x[rows], y[rows]

    data = {"x": endless(), "steps_per_epoch": 14} if mode == "generator" else {"x": x, "y": y, "batch_size": BATCH}
    (folder / "started").touch()
    model = model.fit(**data, validation_data=(x[:50], y[:50]), epochs=EPOCHS, verbose=0, callbacks=several)
    arrays = {name: np.asarray(value) for name, value in named_arrays(model.state).items()}
    history = {name: [float(value).hex() for value in values] for name, values in model.history.items()}
    np.savez(folder / "result.new.npz", history=json.dumps([history, model.history.epoch]), **arrays)
    os.replace(folder / "result.new.npz", folder / "result.npz")


# -- the one who kills -----------------------------------------------------------------------------------------------


def context() -> multiprocessing.context.ForkServerContext:
    """Makes processes that have imported everything and started nothing."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["jkeras", "orbax.checkpoint"])
    return processes


def start(processes: multiprocessing.context.ForkServerContext, folder: Path, mode: str) -> multiprocessing.Process:
    folder.mkdir(exist_ok=True)
    (folder / "started").unlink(missing_ok=True)
    process = processes.Process(target=child, args=(folder, mode))
    process.start()
    return process


def wait_for_start(process: multiprocessing.Process, folder: Path) -> None:
    while not (folder / "started").exists() and process.is_alive():
        time.sleep(0.002)


def finish(process: multiprocessing.Process) -> None:
    process.join(120)
    if process.exitcode != 0:
        raise SystemExit(f"The run failed with status {process.exitcode}.")


def saving(folder: Path) -> bool:
    """Whether a save is in progress."""
    try:
        return any((folder / "backup").glob(".step-*"))
    except FileNotFoundError:  # the run is over, and has just deleted its checkpoints
        return False


def kill(process: multiprocessing.Process, folder: Path, dice: random.Random, seconds: float) -> bool | None:
    """Kills the run within so many seconds; whether that was during a save, or None if it was over before."""
    wait_for_start(process, folder)
    process.join(dice.uniform(0, seconds))
    if dice.random() < 0.5:
        while not saving(folder) and process.is_alive():
            pass
    if not process.is_alive():
        return None
    os.kill(process.pid, signal.SIGSTOP)  # so that what is looked at is what the kill leaves
    during = saving(folder)
    process.kill()
    process.join()
    return during


def readable(folder: Path) -> int:
    """The number of checkpoints; raises an error if one cannot be read."""
    from jkeras.files.containers import checkpoints, directory

    steps = checkpoints.steps(folder / "backup")
    for step in steps:
        found = directory.find(checkpoints.path(folder / "backup", step))
        directory.read_arrays(found, directory.read_config(found)["arrays"])
    return len(steps)


def result(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "result.npz") as file:
        return dict(file)


def differences(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[str]:
    """What is not equal bit for bit."""
    same = {name for name in first if name in second and first[name].tobytes() == second[name].tobytes()}
    return sorted((set(first) | set(second)) - same)


def test(kills: int, seed: int, scratch: Path, modes: tuple[str, ...] = MODES) -> dict[str, int]:  # noqa: PT028  (not of pytest)
    """Kills and compares; what was counted."""
    dice, processes = random.Random(seed), context()
    expected: dict[str, tuple[dict[str, np.ndarray], float]] = {}
    counted: dict[str, int] = {"kills": 0, "during a save": 0, "before the first checkpoint": 0, "runs": 0}
    while counted["kills"] < kills:
        mode = modes[counted["kills"] * len(modes) // kills]
        if mode not in expected:
            whole = scratch / f"whole-{mode}"
            process = start(processes, whole, mode)
            wait_for_start(process, whole)
            began = time.perf_counter()
            finish(process)
            expected[mode] = result(whole), time.perf_counter() - began
        folder = scratch / f"run-{counted['runs']}"
        process = start(processes, folder, mode)
        while counted["kills"] * len(modes) // kills == modes.index(mode):
            during = kill(process, folder, dice, 0.7 * expected[mode][1])
            if during is None:
                break
            counted["kills"] += 1
            counted["during a save"] += during
            counted["before the first checkpoint"] += readable(folder) == 0
            process = start(processes, folder, mode)
        finish(process)
        counted["runs"] += 1
        wrong = differences(expected[mode][0], result(folder))
        if wrong:
            raise SystemExit(f"Run {counted['runs']} ({mode}) ended differently: {', '.join(wrong)}")
        if (folder / "backup").exists():
            raise SystemExit(f"Run {counted['runs']} ({mode}) left its backup.")
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", choices=MODES, help="only this way of feeding data")
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        counted = test(options.kills, options.seed, Path(scratch), (options.mode,) if options.mode else MODES)
    print(", ".join(f"{name}: {count}" for name, count in counted.items()))
    print(
        f"All {counted['runs']} runs ended with the same bits as those left alone ({time.perf_counter() - began:.0f} s)."
    )


if __name__ == "__main__":
    main()
