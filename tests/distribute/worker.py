"""What each of several processes runs: `python worker.py FOLDER MODEL:STRATEGY...` trains; process 0 writes the numbers.

At the end the processes disagree about their data, on purpose.
"""

import os
import sys
from pathlib import Path

import jax
import numpy as np

import jkeras as jk

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.distribute import cases


def strategies():
    """Strategies over the devices of all processes."""
    everywhere = jk.distribute.MultiWorkerMirroredStrategy()  # first: it finds the other processes
    return {"MultiWorkerMirroredStrategy": everywhere, "FSDP": jk.distribute.FSDP(min_size=16)}


def main(folder, runs):
    """Trains each model under its strategy."""
    known = strategies()
    for run in runs:
        name, label = run.split(":")
        _, found = cases.run(name, known[label])
        print(f"process {jax.process_index()} of {jax.process_count()}, {jax.device_count()} devices: {name} {label}")
        if jax.process_index() == 0:
            np.savez(os.path.join(folder, f"{name}-{label}.npz"), **found)
    disagree(jk.distribute.DataParallel(), folder)


def disagree(strategy, folder):
    """Only process 0 prints and writes; then each process has another number of rows."""
    number = jax.process_index()
    model, x, y, loss = cases.made("mlp")
    model = model.compile("sgd", loss, distribute=strategy)
    saved = [jk.callbacks.ModelCheckpoint(f"{folder}/written-by-{number}.keras"), Talk()]
    model = model.fit(x, y, batch_size=32, verbose=2, callbacks=saved)
    try:
        model = model.fit(x[: 54 - number], y[: 54 - number], verbose=0)
    except jk.errors.ProcessError as error:
        print(error)


class Talk(jk.callbacks.Callback):
    """Prints."""

    def on_epoch_end(self, epoch, logs=None):
        """Says so."""
        print("a callback talks")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
