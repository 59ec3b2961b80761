"""One seed for everything."""

from __future__ import annotations

import random

import numpy as np

from jkeras import arguments, config


def set_random_seed(seed: int) -> None:
    """Sets the seeds of Python's `random` and of NumPy, and the default seed of jkeras.

    jkeras has no hidden generator: all random numbers are computed from an explicit seed, or else from
    `jkeras.config.default_seed`, which this function sets. So the same call gives the same result each time.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ArgumentError: `seed` is something else.

    >>> import jkeras as jk
    >>> set_random_seed(0)
    >>> jk.config.default_seed
    0
    """
    number = arguments.checked("set_random_seed", "seed", seed, arguments.numpy_seed)
    config.default_seed = number
    random.seed(number)
    np.random.seed(number)
