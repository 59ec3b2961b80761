"""What a save of a large model costs the training that goes on meanwhile.

    python -m benchmarks.saving --gigabytes 1

trains a stack of dense layers and saves it every so many steps, once in the background and once not. Each step is timed, and
counts as one of a save if a save was in progress at any time of it; the steps in between are the measure to compare with. So
both are of the same run, whatever else the machine does.
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
        now = time.perf_counter()
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
        extra = sum(during) - len(during) * float(np.median(alone))
        print(
            f"{'in the background' if background else 'waiting for it':>18}: {1e3 * np.median(alone):.0f} ms a step alone"
            f" ({len(alone)} steps), {1e3 * np.mean(during):.0f} ms during a save ({len(during)} steps):"
            f" {100 * (np.mean(during) / np.median(alone) - 1):+.1f} %, {extra / options.saves:.2f} s a save in all"
        )


if __name__ == "__main__":
    main()
