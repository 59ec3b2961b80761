"""What CIFAR-10 and CIFAR-100 share: pickled batches of 32 by 32 colour images in a tar file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np

from jkeras.config import image_data_format
from jkeras.datasets.source import fetch, unpickle_arrays
from jkeras.errors import DamagedFileError

ORIGIN = "https://www.cs.toronto.edu/~kriz/"


def find_folder(name: str, remote_name: str, file_hash: str) -> Path:
    """The folder that the archive was unpacked to; downloaded first if it is not there."""
    base = os.environ.get("JKERAS_DATASETS_URL", ORIGIN).rstrip("/")
    return fetch(name, f"{base}/{remote_name}", file_hash, extract=True)


def load_batch(path: Path, label_key: str) -> tuple[np.ndarray, np.ndarray]:
    """One file: images `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` with channels first, and labels `(n, 1)`, both uint8.

    Raises:
        DamagedFileError: the file is not such a batch, or its pickle asks for anything but arrays.
    """
    try:
        with open(path, "rb") as file:
            batch = unpickle_arrays(file, encoding="bytes")
        images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(batch[label_key.encode()], np.uint8).reshape(-1, 1)
    except (OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise DamagedFileError(f"{path} is not a batch of CIFAR images ({error}).") from error
    if image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels
