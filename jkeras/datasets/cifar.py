"""What CIFAR-10 and CIFAR-100 share: pickled batches of 32 by 32 colour images in a tar file."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path

import numpy as np

from jkeras.config import image_data_format
from jkeras.datasets.source import fetch, unpickle_arrays
from jkeras.errors import DamagedFileError

ORIGIN = "https://www.cs.toronto.edu/~kriz/"

# MD5 of the files that are read, by folder and name. They hold pickles, so only the originals are read, whatever the checksum
# of the archive that they once came from.
CHECKSUMS = {
    "cifar-10-batches-py": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    "cifar-100-python": {
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    },
}


def find_folder(name: str, remote_name: str, file_hash: str) -> Path:
    """The folder that the archive was unpacked to; downloaded first if it is not there."""
    base = os.environ.get("JKERAS_DATASETS_URL", ORIGIN).rstrip("/")
    return fetch(name, f"{base}/{remote_name}", file_hash, extract=True)


def load_batch(path: Path, label_key: str) -> tuple[np.ndarray, np.ndarray]:
    """One file: images `(n, 32, 32, 3)`, or `(n, 3, 32, 32)` with channels first, and labels `(n, 1)`, both uint8.

    Raises:
        DamagedFileError: the file has another checksum, or is not such a batch.
    """
    try:
        contents = path.read_bytes()
        digest, expected = hashlib.md5(contents).hexdigest(), CHECKSUMS[path.parent.name][path.name]
        if digest != expected:
            raise DamagedFileError(
                f"it has the checksum {digest}, expected {expected}; remove its folder to have it made again"
            )
        batch = unpickle_arrays(io.BytesIO(contents), encoding="bytes")
        images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(batch[label_key.encode()], np.uint8).reshape(-1, 1)
    except (OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise DamagedFileError(f"{path} is not a batch of CIFAR images ({error}).") from error
    if image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels
