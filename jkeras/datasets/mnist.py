"""MNIST: 70,000 handwritten digits, 28 by 28 pixels."""

from __future__ import annotations

import numpy as np

from jkeras.datasets.source import find_file, load_arrays

FILE_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits 0 to 9 as grey images.

    Args:
        path: file name in `$JKERAS_HOME/datasets`, `$JKERAS_HOME` or `~/.keras/datasets`, or the path of a file. It is
            downloaded if it is in none of these.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(60000, 28, 28)` and `(10000, 28, 28)`, labels `(60000,)` and
        `(10000,)`, all uint8, pixels from 0 (paper) to 255 (ink).

    Raises:
        DownloadError: the file is nowhere and cannot be downloaded; the message says where to put it.
        DamagedFileError: the download has a wrong checksum, or the file lacks these arrays.

    Source: Y. LeCun and C. Cortes, derived from NIST data; CC BY-SA 3.0.
    """
    archive = find_file(path, "mnist.npz", FILE_HASH)
    x_train, y_train, x_test, y_test = load_arrays(archive, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
