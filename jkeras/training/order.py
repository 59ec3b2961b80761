"""The order in which the rows of an epoch are visited.

It is drawn on the host: sorting there takes a hundredth of the time that XLA's sort takes on a CPU, and nothing is
compiled. NumPy promises the same bits from the same seed in every version.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.types import Array, ArrayLike

if TYPE_CHECKING:
    from jkeras.training.array_source import ArraySource
    from jkeras.training.run import FitRun


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


def epoch_order(
    key: jax.Array, epoch: ArrayLike, step: ArrayLike, *, rows: int, length: int, shuffle: Any
) -> np.ndarray:
    """The rows of an epoch that begins at a step, in order; of several keys, an order for each. See `draw`."""
    words, first = np.asarray(jax.random.key_data(key)), np.asarray(step)
    order_of = functools.partial(draw, epoch=int(np.asarray(epoch)), rows=rows, length=length, shuffle=shuffle)
    if words.ndim > 1:
        return np.stack([order_of(*each) for each in zip(words, first, strict=True)])
    return order_of(words, first)


def _bits(count: int, key: np.ndarray, name: str, *numbers: int) -> np.ndarray:
    seed = [*map(int, np.ravel(key)), zlib.crc32(name.encode()), *map(int, numbers)]
    return np.random.Philox(np.random.SeedSequence(seed)).random_raw(count)


def _permutation(rows: int, *seed: Any) -> np.ndarray:
    # Random bits above, the row's number below: sorted, the numbers are in random order, and no two are equal.
    width = np.uint64(max(1, (rows - 1).bit_length()))
    keyed = (_bits(rows, *seed) << width) | np.arange(rows, dtype=np.uint64)
    keyed.sort()
    return keyed & ((np.uint64(1) << width) - np.uint64(1))


class Order:
    """The order of rows of each pass through the data; a pass may take several epochs (`steps_per_epoch`)."""

    def __init__(self, run: FitRun, source: ArraySource):
        self.run = run
        self.source = source
        self.lap = -1
        self.step: Any = None
        self.rows: Any = None

    def span(self, epoch: int) -> tuple[Array, int, int]:
        """The order of rows, and the first and last batch of an epoch (half open)."""
        lap, start, stop = self.source.span(epoch)
        if lap != self.lap:
            self._draw(lap, np.asarray(self.run.state.step) - start)
        return self.rows, start, stop

    def get_state(self) -> dict[str, Any]:
        """What the order is drawn from."""
        return {"lap": self.lap, "step": self.step}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Draws the order that `get_state` was asked about."""
        if state["lap"] >= 0:
            self._draw(state["lap"], jax.numpy.asarray(state["step"]))

    def _draw(self, lap: int, step: ArrayLike) -> None:
        run, source = self.run, self.source
        self.lap, self.step = lap, step
        shuffle = run.options.shuffle
        self.rows = epoch_order(
            run.state.rng,
            lap,
            step,
            rows=source.rows,
            length=source.batch_count * source.batch_size,
            shuffle={"batch": source.batch_size, "bootstrap": shuffle}.get(shuffle, bool(shuffle)),
        )
        if source.subset is not None:
            self.rows = jax.numpy.take_along_axis(source.subset, self.rows, axis=-1)
