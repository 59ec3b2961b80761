"""How Keras shuffles its data sets and divides them into training and test data."""

from __future__ import annotations

import numpy as np

from jkeras.errors import ArgumentError


def shuffled(seed: int | np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays, their rows in an order that depends on the seed and the length alone."""
    # Keras's numbers come from NumPy's legacy generator, so ours do too.
    generator = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    order = np.arange(len(arrays[0]))
    generator.shuffle(order)
    return [array[order] for array in arrays]


def split(
    x: np.ndarray, y: np.ndarray, test_split: float
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The last `test_split` of the rows as test data.

    Raises:
        ArgumentError: `test_split` is not in [0, 1).
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(f"load_data(test_split={test_split!r}): expected a number in [0, 1).")
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])
