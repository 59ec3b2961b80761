"""Fashion-MNIST: 70,000 pictures of clothes, 28 by 28 pixels."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from jkeras.datasets.source import KERAS_FILES, fetch
from jkeras.errors import DamagedFileError
from jkeras.utils.files import cache_home

FILES: dict[str, tuple[str, tuple[int, ...]]] = {
    "y_train": ("train-labels-idx1-ubyte.gz", (60000,)),
    "x_train": ("train-images-idx3-ubyte.gz", (60000, 28, 28)),
    "y_test": ("t10k-labels-idx1-ubyte.gz", (10000,)),
    "x_test": ("t10k-images-idx3-ubyte.gz", (10000, 28, 28)),
}


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Ten kinds of clothes as grey images: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot.

    The four files are looked for in `datasets/fashion-mnist` of the cache folder. Keras publishes no checksums for
    them; they carry gzip's, and their headers and sizes are compared with what they must be.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(60000, 28, 28)` and `(10000, 28, 28)`, labels `(60000,)` and
        `(10000,)`, all uint8.

    Raises:
        DownloadError: a file is not in the cache and could not be downloaded.
        DamagedFileError: a file is not what it should be.

    Source: H. Xiao, K. Rasul, R. Vollgraf (2017), https://arxiv.org/abs/1708.07747; MIT licence.
    """
    arrays = {name: _read_idx(_find(file_name), shape) for name, (file_name, shape) in FILES.items()}
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _find(file_name: str) -> Path:
    subdir = os.path.join("datasets", "fashion-mnist")
    cached = cache_home() / subdir / file_name
    if cached.is_file():
        return cached
    base = os.environ.get("JKERAS_DATASETS_URL", KERAS_FILES).rstrip("/")
    return fetch(file_name, f"{base}/{file_name}", None, cache_subdir=subdir)


def _read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """An array in the IDX format: two zero bytes, type 8 (uint8), rank, sizes as big-endian int32, values."""
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    length = len(header) + math.prod(shape)
    try:
        with gzip.open(path) as file:
            contents = file.read(length + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedFileError(f"{path} cannot be read ({error}). Remove it to have it downloaded again.") from error
    if not contents.startswith(header) or len(contents) != length:
        raise DamagedFileError(f"{path} does not hold bytes of shape {shape}. Remove it to have it downloaded again.")
    return np.frombuffer(contents, np.uint8, offset=len(header)).reshape(shape)
