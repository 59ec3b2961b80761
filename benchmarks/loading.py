"""Loading `.keras` files: a deep one against Keras 3, a large one against reading the same bytes; memory to load weights.

    python -m benchmarks.loading --layers 200 --gigabytes 1 --repeats 5

Both sides load in turns in one process; what counts is the median, of seconds and of seconds of the processor. Memory is the most
that a process of its own gets while it loads, beyond what it had before (Linux).
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")


def timed(action):
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def in_turns(sides, repeats):
    """Prints the medians of each side after one round that does not count, and returns them.

    What one side loaded is freed before the other starts, so that both find the memory of the process in the same state.
    """
    seconds = {name: [] for name in sides}
    for number in range(repeats + 1):
        for name, action in sides.items():
            gc.collect()
            wall, processor = timed(action)
            if number:
                seconds[name].append((wall, processor))
    medians = {name: [median(column) for column in zip(*values, strict=True)] for name, values in seconds.items()}
    for name, (wall, processor) in medians.items():
        print(f"  {name:24s} {wall:8.3f} s, of the processor {processor:8.3f} s")
    return medians


def deep(layers, repeats, folder):
    """A file with many layers, as Keras 3 writes it."""
    import keras

    import jkeras as jk
    import jkeras.keras

    x = inputs = keras.Input((16,))
    for _ in range(layers // 2):
        x = keras.layers.BatchNormalization()(keras.layers.Dense(16, activation="relu")(x))
    model = keras.Model(inputs, x)
    model.compile("adam", "mse")
    path = str(Path(folder, "deep.keras"))
    model.save(path)
    print(f"{layers} layers, {os.path.getsize(path) / 1e6:.1f} MB")
    medians = in_turns(
        {
            "Keras 3": lambda: keras.models.load_model(path),
            "jkeras": lambda: jk.load_model(path),
            "jkeras.keras": lambda: jkeras.keras.models.load_model(path),
        },
        repeats,
    )
    print(f"  jkeras / Keras 3: {medians['jkeras'][1] / medians['Keras 3'][1]:.2f} of the processor's time")


def large(gigabytes, repeats, folder):
    """A file with few layers and many bytes."""
    import jax

    import jkeras as jk
    from jkeras import layers

    units = int((gigabytes * 2**30 / 4 / 4) ** 0.5)
    model = jk.Sequential([jk.Input((units,)), *(layers.Dense(units, use_bias=False) for _ in range(4))])
    arrays = [np.ones((units, units), "float32") for _ in range(4)]
    model = model.set_weights(arrays)
    path, plain = Path(folder, "large.keras"), Path(folder, "large.npz")
    model.save(path)
    np.savez(plain, *arrays)
    del arrays, model
    print(f"{path.stat().st_size / 1e9:.2f} GB")

    def numpy_load():
        with np.load(plain) as file:
            return [file[name] for name in file]

    medians = in_turns(
        {"numpy.load": numpy_load, "jkeras": lambda: jax.block_until_ready(jk.load_model(path).params)}, repeats
    )
    print(f"  jkeras / numpy.load: {medians['jkeras'][0] / medians['numpy.load'][0]:.2f}")


FORMATS = (".h5", ".weights.h5", ".weights.json", ".safetensors", "")
CHILD = """
import sys, time, gc, jax, benchmarks.loading as loading
model = loading.wide(float(sys.argv[1]))
jax.block_until_ready(model.init(0).params)
gc.collect()
before = loading.most(reset=True)
start = time.perf_counter()
jax.block_until_ready(model.load_weights(sys.argv[2]).params)
print(time.perf_counter() - start, loading.most() - before)
"""


def most(reset=False):
    """The most bytes of memory of this process, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def wide(gigabytes):
    """A model with four kernels of so many bytes in all."""
    import jkeras as jk

    units = int((gigabytes * 2**30 / 4 / 4) ** 0.5)
    dense = (jk.layers.Dense(units, use_bias=False, kernel_initializer="ones") for _ in range(4))
    return jk.Sequential([jk.Input((units,)), *dense])


def weights(gigabytes, folder):
    """Memory and time to load weights of every format."""
    model = wide(gigabytes)
    for suffix in FORMATS:
        path = Path(folder, f"weights{suffix}")
        model.save_weights(path)
        size = sum(array.nbytes for array in model.get_weights())
        command = [sys.executable, "-c", CHILD, str(gigabytes), str(path)]
        seconds, grown = map(float, subprocess.run(command, capture_output=True, check=True).stdout.split())
        print(
            f"  load_weights, {suffix or 'directory':15s} {seconds:8.3f} s, {grown / size:5.2f} times the size in memory"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=200)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.layers:
            deep(options.layers, options.repeats, folder)
        if options.gigabytes:
            large(options.gigabytes, options.repeats, folder)
            weights(options.gigabytes, folder)


if __name__ == "__main__":
    main()
