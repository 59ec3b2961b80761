"""Handwritten digits that come with the package: real data without a network.

The 1,797 images of the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998, UCI
Machine Learning Repository, https://doi.org/10.24432/C50P49), licensed CC BY 4.0; see `digits.txt` beside this file.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

TRAIN_IMAGES = 1437


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits 0 to 9 as 8 by 8 images, always in the same order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images `(1437, 8, 8)` and `(360, 8, 8)` of integers from 0 (paper) to
        16 (ink), labels `(1437,)` and `(360,)`, all uint8. The last fifth of the file is the test set.

    Source: E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape, x_train.dtype, int(x_train.max())
    ((1437, 8, 8), (360, 8, 8), dtype('uint8'), 16)
    """
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        x, y = arrays["x"], arrays["y"]
    return (x[:TRAIN_IMAGES], y[:TRAIN_IMAGES]), (x[TRAIN_IMAGES:], y[TRAIN_IMAGES:])
