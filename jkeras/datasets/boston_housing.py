"""Boston housing: 506 districts of Boston in the 1970s and the median price of their houses.

One of its variables builds on the idea that racial self-segregation has a positive effect on prices; it is here for
comparison with published results. `california_housing` serves every other purpose.
"""

from __future__ import annotations

import numpy as np

from jkeras.datasets.source import find_file, load_arrays
from jkeras.datasets.splits import check, shuffled, split

FILE_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Thirteen numbers about each district, and the median price in thousands of dollars.

    Args:
        path: file name in the cache folder, or the path of a file.
        test_split: share of the rows that is test data.
        seed: the seed of the shuffle before the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `(n, 13)` and `(n,)`, float64.

    Raises:
        ArgumentError: `test_split` is not in [0, 1).
        DownloadError: the file is not in the cache and could not be downloaded.
        DamagedFileError: it has another checksum, or does not hold the arrays.

    Source: D. Harrison and D. Rubinfeld (1978), Journal of Environmental Economics and Management 5.
    """
    check(seed, test_split)
    x, y = shuffled(seed, *load_arrays(find_file(path, "boston_housing.npz", FILE_HASH), "x", "y"))
    return split(x, y, test_split)
