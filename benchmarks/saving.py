"""What a save of a large model costs the training that goes on meanwhile.

    python -m benchmarks.saving --gigabytes 1

trains a stack of dense layers and saves it every so many steps, once in the background and once not. Each step is timed, and
counts as one of a save if a save was in progress at any time of it; the steps in between are the measure to compare with.
The processor's time is given beside the clock's: it tells what a save costs also where other programs use the machine.
"""

import argparse
import shutil
import tempfile
import time

import jax
import numpy as np

import jkeras as jk
from jkeras import callbacks, layers

WIDTH = 4096


class Clock(callbacks.Callback):
    """Times steps, and notes during which a save was in progress."""

    def __init__(self, keeper, every):
        super().__init__()
        self.keeper, self.every = keeper, every
        self.steps = []
        self.last = None
        self.saving = False

    def on_train_batch_begin(self, batch, logs=None):
        now = np.array([time.perf_counter(), time.process_time()])
        saving = self.keeper.saving
        if self.last is not None:  # from one beginning to the next, so that the copy of the state counts as well
            self.steps.append((now - self.last, saving or self.saving or batch % self.every == 0))
        self.last, self.saving = now, saving


def network(gigabytes):
    count = max(1, round(gigabytes * 1e9 / (4 * WIDTH * WIDTH)))
    hidden = [layers.Dense(WIDTH, activation="relu") for _ in range(count)]
    model = jk.Sequential([jk.Input((WIDTH,)), *hidden, layers.Dense(1)])
    return model.compile(jk.optimizers.SGD(1e-4), "mse")


def measure(gigabytes, batch, every, saves, background, root):
    """Seconds of steps alone and of steps during saves, and of a save."""
    folder = tempfile.mkdtemp(dir=root)
    rng = np.random.default_rng(0)
    steps = every * (saves + 1)
    x = rng.normal(size=(batch * 4, WIDTH)).astype("float32")

    def data():
        for step in range(steps):
            rows = slice(step % 4 * batch, (step % 4 + 1) * batch)
            yield x[rows], x[rows, :1]

    keeper = callbacks.OrbaxCheckpoint(folder, save_freq=every, save_on_background=background)
    clock = Clock(keeper, every)
    _ = network(gigabytes).fit(data(), steps_per_epoch=steps, verbose=0, callbacks=[clock, keeper])
    shutil.rmtree(folder)
    return clock.steps[2:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--every", type=int, default=30, help="steps between two saves")
    parser.add_argument("--saves", type=int, default=4)
    parser.add_argument("--folder", help="where to save; a temporary folder unless given")
    options = parser.parse_args()
    print(f"{options.gigabytes:g} GB of weights on {jax.devices()[0].device_kind}, batches of {options.batch}")
    for background in (True, False):
        steps = measure(options.gigabytes, options.batch, options.every, options.saves, background, options.folder)
        alone = [seconds for seconds, saving in steps if not saving]
        during = [seconds for seconds, saving in steps if saving]
        print(
            f"{'in the background' if background else 'waiting for it'}: {len(alone)} steps alone, {len(during)} during saves"
        )
        for name, one, other in zip(("clock", "processor"), np.transpose(alone), np.transpose(during), strict=True):
            usual = np.median(one)
            print(
                f"  {name:>9}: {1e3 * usual:.0f} ms a step alone (median; quartiles {1e3 * np.quantile(one, 0.25):.0f} and"
                f" {1e3 * np.quantile(one, 0.75):.0f}), {1e3 * np.mean(other):.0f} during a save (mean; median"
                f" {1e3 * np.median(other):.0f}): {100 * (np.mean(other) / usual - 1):+.1f} %,"
                f" {(sum(other) - len(other) * usual) / options.saves:.2f} s for a save in all"
            )


if __name__ == "__main__":
    main()
