"""The order in which the rows of an epoch are visited.

It is drawn on the host: sorting there takes a hundredth of the time that XLA's sort takes on a CPU, and nothing is
compiled. NumPy promises the same bits from the same seed in every version.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from jkeras.types import Array


def draw(
    key: np.ndarray, step: np.ndarray | Array | int, *, epoch: int, rows: int, length: int, shuffle: Any
) -> np.ndarray:
    """The rows of an epoch in order, cut or filled up with row 0 to `length`.

    Args:
        key: the words of the run's random key.
        step: the training step that the epoch begins at: training that is taken up again sees an order of its own, even
            in an epoch of the same number.
        epoch: the number of the pass through the data.
        rows: how many rows there are.
        length: how many to give.
        shuffle: True; False; "bootstrap", one resample with replacement for all epochs in an order of its own for each;
            or the size of batches that rows stay in.

    >>> key = np.zeros(2, np.uint32)
    >>> draw(key, 0, epoch=0, rows=3, length=4, shuffle=False)
    array([0, 1, 2, 0], dtype=int32)
    >>> sorted(draw(key, 0, epoch=0, rows=3, length=3, shuffle=True).tolist())
    [0, 1, 2]
    """
    seed: tuple[Any, ...] = (key, "shuffle", epoch, step)
    if shuffle == "bootstrap":
        order = (_bits(rows, key, "bootstrap") % np.uint64(rows))[_permutation(rows, *seed)]
    elif isinstance(shuffle, int) and not isinstance(shuffle, bool):
        order = np.lexsort((_bits(rows, *seed), np.arange(rows) // shuffle))
    elif shuffle:
        order = _permutation(rows, *seed)
    else:
        order = np.arange(rows)
    full = np.zeros(length, np.int32)
    full[: min(rows, length)] = order[:length]
    return full


def _bits(count: int, key: np.ndarray, name: str, *numbers: int) -> np.ndarray:
    seed = [*map(int, np.ravel(key)), zlib.crc32(name.encode()), *map(int, numbers)]
    return np.random.Philox(np.random.SeedSequence(seed)).random_raw(count)


def _permutation(rows: int, *seed: Any) -> np.ndarray:
    # Random bits above, the row's number below: sorted, the numbers are in random order, and no two are equal.
    width = np.uint64(max(1, (rows - 1).bit_length()))
    keyed = (_bits(rows, *seed) << width) | np.arange(rows, dtype=np.uint64)
    keyed.sort()
    return keyed & ((np.uint64(1) << width) - np.uint64(1))
