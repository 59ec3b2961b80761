"""What each of several processes runs: `python worker.py FOLDER MODEL...` trains models and process 0 writes the numbers."""

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


def main(folder, names):
    """Trains each model under each strategy."""
    for label, strategy in strategies().items():
        for name in names:
            model, found = cases.run(name, strategy)
            print(f"process {jax.process_index()} of {jax.process_count()}, {jax.device_count()} devices: {name} {label}")
            if jax.process_index() == 0:
                np.savez(os.path.join(folder, f"{name}-{label}.npz"), **found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
