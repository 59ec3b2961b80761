"""CIFAR-100: 60,000 colour images of a hundred kinds of things in twenty groups, 32 by 32 pixels."""

from __future__ import annotations

import numpy as np

from jkeras.datasets.cifar import find_folder, load_batch
from jkeras.errors import ArgumentError

FILE_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The images with the labels of the hundred kinds ("fine") or of the twenty groups ("coarse").

    Args:
        label_mode: "fine" or "coarse".

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)` (channels first
        where `jkeras.config` says so), labels `(50000, 1)` and `(10000, 1)`, all uint8.

    Raises:
        ArgumentError: `label_mode` is neither "fine" nor "coarse".
        DownloadError: the archive is not in the cache and could not be downloaded.
        DamagedFileError: it has another checksum, or does not hold the batches.

    Source: A. Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"load_data(label_mode={label_mode!r}): expected 'fine' or 'coarse'.")
    folder = find_folder("cifar-100-python-target", "cifar-100-python.tar.gz", FILE_HASH) / "cifar-100-python"
    return load_batch(folder / "train", f"{label_mode}_labels"), load_batch(folder / "test", f"{label_mode}_labels")
