"""What a step costs where data comes batch by batch: `python -m benchmarks.streams [--steps 200] [--only generator]`.

`fit` on a Python generator, a `PyDataset`, PyTorch's `DataLoader`, a Grain loader (each where it is installed) and `jk.data`,
and on arrays with a callback that is called after every batch: on the immutable face, in the drop-in and in Keras (JAX), in turn
in one process. Microseconds a step of a small network, for which everything but the step itself counts; medians.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np

from benchmarks.faces import in_turn

BATCH = 32
WIDTH = 16


def network(library: ModuleType) -> Any:
    """A compiled model of two dense layers."""
    hidden = library.layers.Dense(32, activation="relu")
    model = library.Sequential([library.Input((WIDTH,)), hidden, library.layers.Dense(1)])
    return model.compile(optimizer="adam", loss="mse", metrics=["mae"]) or model


def generator(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches without end."""
    while True:
        for start in range(0, len(x), BATCH):
            yield x[start : start + BATCH], y[start : start + BATCH]


def py_dataset(library: ModuleType, x: np.ndarray, y: np.ndarray) -> Any:
    """The same by number."""

    class Data(library.utils.PyDataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return len(x) // BATCH

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            return x[index * BATCH : (index + 1) * BATCH], y[index * BATCH : (index + 1) * BATCH]

    return Data()


def data_loader(x: np.ndarray, y: np.ndarray) -> Any:
    """PyTorch's loader of tensors."""
    import torch

    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH
    )


def grain_loader(x: np.ndarray, y: np.ndarray) -> Any:
    """Grain's pipeline, in this process."""
    import grain

    rows = grain.MapDataset.range(len(x) // BATCH)
    return rows.map(lambda i: (x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH])).to_iter_dataset()


def cases(library: ModuleType, x: np.ndarray, y: np.ndarray) -> dict[str, Callable[[Any], Any]]:
    """By name, what trains a model for an epoch; Keras has not all of them."""
    steps = len(x) // BATCH

    class PerBatch(library.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen = batch

    def fit(data: Callable[[], Any], **options: Any) -> Callable[[Any], Any]:
        return lambda model: model.fit(data(), verbose=0, **options)

    endless = generator(x, y)
    fits = {
        "generator": fit(lambda: endless, steps_per_epoch=steps),
        "generator, per-batch callback": fit(lambda: endless, steps_per_epoch=steps, callbacks=[PerBatch()]),
        "PyDataset": fit(lambda: py_dataset(library, x, y)),
        "arrays, per-batch callback": lambda model: model.fit(
            x, y, batch_size=BATCH, verbose=0, callbacks=[PerBatch()]
        ),
    }
    if importlib.util.find_spec("torch"):
        loader = data_loader(x, y)
        fits["DataLoader"] = fit(lambda: loader)
    if importlib.util.find_spec("grain"):
        rows = grain_loader(x, y)
        fits["Grain"] = fit(lambda: rows)
    if library.__name__.startswith("jkeras"):
        import jkeras as jk

        pipeline = jk.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
        fits["jk.data"] = fit(lambda: pipeline)
    else:  # which does not take it: the same batches from a generator
        fits["jk.data"] = fits["generator"]
    return fits


def main() -> None:
    """Prints a table."""
    import keras

    import jkeras
    import jkeras.keras

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    x = np.random.default_rng(0).normal(size=(BATCH * options.steps, WIDTH)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    libraries = {"jkeras": jkeras, "jkeras.keras": jkeras.keras, "keras": keras}
    models = {name: network(library) for name, library in libraries.items()}
    by_library = {name: cases(library, x, y) for name, library in libraries.items()}
    print("| data | jkeras | drop-in | Keras | jkeras / Keras | drop-in / Keras |\n|---|---|---|---|---|---|")
    for case in by_library["jkeras"]:
        if options.only and case not in options.only:
            continue
        runs = {name: (lambda train=each[case], model=models[name]: train(model)) for name, each in by_library.items()}
        times = in_turn(runs, options.rounds)
        ours, dropin, theirs = (1e6 * times[name][0] / options.steps for name in runs)
        print(f"| {case} | {ours:.0f} | {dropin:.0f} | {theirs:.0f} | {ours / theirs:.2f} | {dropin / theirs:.2f} |")


if __name__ == "__main__":
    main()
