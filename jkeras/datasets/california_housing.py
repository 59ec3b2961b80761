"""California housing: 20,640 districts of California in 1990 and the median value of their houses."""

from __future__ import annotations

import numpy as np

from jkeras.datasets.source import find_file, load_arrays
from jkeras.datasets.splits import check, shuffled, split
from jkeras.errors import ArgumentError

FILE_HASH = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
SMALL_ROWS = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Eight numbers about each district, and the median value of a house in dollars.

    Args:
        version: "large" for all rows, "small" for the first 600.
        path: file name in the cache folder, or the path of a file.
        test_split: share of the rows that is test data.
        seed: the seed of the shuffle before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `(n, 8)` and `(n,)`. The columns are longitude, latitude, median age of
        the houses, rooms, bedrooms, population, households and median income.

    Raises:
        ArgumentError: `version` is neither "small" nor "large", or `test_split` is not in [0, 1).
        DownloadError: the file is not in the cache and could not be downloaded.
        DamagedFileError: it has another checksum, or does not hold the arrays.

    Source: R. Pace and R. Barry (1997), Statistics and Probability Letters 33.
    """
    if version not in ("small", "large"):
        raise ArgumentError(f"load_data(version={version!r}): expected 'small' or 'large'.")
    check(seed, test_split)
    x, y = load_arrays(find_file(path, "california_housing.npz", FILE_HASH), "x", "y")
    rows = SMALL_ROWS if version == "small" else len(x)
    x, y = shuffled(seed, x[:rows], y[:rows])
    return split(x, y, test_split)
