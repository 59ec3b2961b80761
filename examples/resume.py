"""A run that is cut off again and again, and ends with the same bits as one that was left alone.

    python examples/resume.py [--data auto|mnist|digits] [--picture resume.png]

trains a network on digits, then trains it once more with failures at random moments, after each of which `fit` is called
again. To see the same with real kills, run

    python examples/resume.py --folder /tmp/resume-example --die

until it says that it is done: each time the process kills itself (SIGKILL) at a random moment.
"""

import argparse
import os
import random
import signal
import tempfile
from pathlib import Path

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import callbacks, layers


class Failure(callbacks.Callback):
    """Fails, or dies, after a random number of batches."""

    def __init__(self, most, die=False):
        super().__init__()
        self.left = random.randint(most // 4, most)
        self.die = die

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left > 0:
            return
        self.step = int(self.model.state.step)
        if self.die:
            print(f"Dying at step {self.step}; run me again.", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError(f"a failure at step {self.step}")


class Streak(callbacks.Callback):
    """Counts epochs that got better. Its count is in the checkpoints, because `state_names` says so."""

    state_names = ("best", "streak")

    def on_train_begin(self, logs=None):
        self.best, self.streak = 0.0, 0

    def on_epoch_end(self, epoch, logs=None):
        self.streak = self.streak + 1 if logs["val_accuracy"] > self.best else 0
        self.best = max(self.best, logs["val_accuracy"])
        logs["streak"] = float(self.streak)


def build(shape):
    model = jk.Sequential(
        [
            layers.Input(shape),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    rate = jk.optimizers.schedules.CosineDecay(0.01, 500)
    return model.compile(jk.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])


def train(model, data, epochs, *extra):
    x, y = data
    stop = callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    return model.fit(x, y, epochs=epochs, validation_split=0.2, verbose=0, callbacks=[stop, Streak(), *extra])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, help="the number of images to train and test with")
    parser.add_argument("--folder", type=Path, help="where the backups are; a temporary folder unless given")
    parser.add_argument("--die", action="store_true", help="kill this process rather than raise an error")
    parser.add_argument("--picture", default="resume.png", help="the curves, with a line for each failure")
    options = parser.parse_args(arguments)

    data, test = load_digits(options.data, options.images)
    model = build(data[0].shape[1:])
    steps_per_epoch = -(-len(data[0]) * 8 // 10 // 32)  # a fifth is for validation
    most = max(steps_per_epoch * options.epochs // 2, 6)
    failures = []

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "backup"
        for attempt in range(1, 100):
            # Every 5 steps, in the background; and the last moment before SIGTERM.
            backup, failure = callbacks.BackupAndRestore(folder, save_freq=5), Failure(most, options.die)
            try:
                resumed = train(model, data, options.epochs, backup, failure)
                break
            except RuntimeError as error:
                print(f"Attempt {attempt} ended with {error}.")
                failures.append(failure.step / steps_per_epoch)
        else:
            raise SystemExit("It never came to its end.")
    print(f"Done: {len(resumed.history['loss'])} epochs in the history, {int(resumed.state.step)} steps.")

    whole = train(model, data, options.epochs)
    same = all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    same = same and whole.history == resumed.history
    print(f"A run without failures ends with {'the same' if same else 'OTHER'} bits and history.")
    if not same:
        raise SystemExit(1)
    loss, accuracy = resumed.evaluate(*test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f} (loss {loss:.4f})")

    figure = resumed.history.plot(["loss", "accuracy"])
    for axes in figure.axes:
        for epoch in failures:
            axes.axvline(epoch, color="crimson", linewidth=1)
    figure.savefig(options.picture, dpi=80)
    print(f"The curves, and where it failed, are in {options.picture}.")
    return resumed


if __name__ == "__main__":
    main()
