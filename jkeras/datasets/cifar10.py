"""CIFAR-10: 60,000 colour images of ten kinds of things, 32 by 32 pixels."""

from __future__ import annotations

import numpy as np

from jkeras.datasets.cifar import find_folder, load_batch

FILE_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)` (channels first
        where `jkeras.config` says so), labels `(50000, 1)` and `(10000, 1)`, all uint8.

    Raises:
        DownloadError: the archive is not in the cache and could not be downloaded.
        DamagedFileError: it has another checksum, or does not hold the batches.

    Source: A. Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    folder = find_folder("cifar-10-batches-py-target", "cifar-10-python.tar.gz", FILE_HASH) / "cifar-10-batches-py"
    batches = [load_batch(folder / f"data_batch_{i}", "labels") for i in range(1, 6)]
    x_train, y_train = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return (x_train, y_train), load_batch(folder / "test_batch", "labels")
