"""How Keras shuffles its data sets and divides them into training and test data."""

from __future__ import annotations

import numpy as np

from jkeras import arguments


def check(seed: int, test_split: float = 0.0) -> None:
    """Checks arguments of `load_data` before a file is looked for.

    Raises:
        ArgumentError: `seed` is not an integer from 0 to 2**32 - 1, or `test_split` is not in [0, 1).
    """
    arguments.checked("load_data", "seed", seed, arguments.numpy_seed)
    arguments.checked("load_data", "test_split", test_split, arguments.between(0, 1, open_high=True))


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
    """The last `test_split` of the rows as test data."""
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])
