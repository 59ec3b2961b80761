"""`PyDataset`: batches made by the user's Python code, in the background if wanted."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from jkeras import arguments
from jkeras.types import PyTree


class PyDataset:
    """Base of data sets that compute batches by index.

    A subclass has `__getitem__(index)`, which returns a whole batch (`x`, `(x, y)` or `(x, y, sample_weight)`), and
    `__len__()`, the number of batches, or the property `num_batches`, which may be None for a data set without end. It
    may have `on_epoch_begin()` and `on_epoch_end()`, for example to shuffle.

    Args:
        workers: the number of threads in which `fit` prepares batches, if more than one.
        use_multiprocessing: makes batches in the background even with one worker. Threads are used all the same:
            processes that fork after JAX has started can hang.
        max_queue_size: the maximum number of batches to prepare ahead.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> list(Squares())
    [0, 1, 4]
    """

    # On the class, so that a subclass that does not call `super().__init__()` works too.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        name = type(self).__name__
        arguments.checked(name, "workers", workers, arguments.at_least(0))
        arguments.checked(name, "max_queue_size", max_queue_size, arguments.positive_int)
        arguments.flags(name, use_multiprocessing=use_multiprocessing)
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> PyTree[Any]:
        """The batch with this index."""
        raise NotImplementedError(f"{type(self).__name__} needs `__getitem__(self, index)`, which returns a batch.")

    @property
    def num_batches(self) -> int | None:
        """Number of batches in an epoch; None if there is no end."""
        if isinstance(self, Sized):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} needs `__len__(self)`, or a property `num_batches`: the number of batches."
        )

    def __iter__(self) -> Iterator[PyTree[Any]]:
        """All batches in order, made one after the other when they are asked for."""
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def in_order(self, order: Iterable[int] | None = None) -> Iterator[PyTree[Any]]:
        """The batches of the numbers given, made ahead by the workers if there are several; all from 0 if None."""
        return iterate(self, order)

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def iterate(dataset: PyDataset, order: Iterable[int] | None = None) -> Iterator[PyTree[Any]]:
    """The batches of a data set in a given order, made ahead by its workers if it has several.

    The order of the batches never depends on which worker is faster. An exception in the user's code arrives unchanged,
    when its batch is due. Closing the iterator stops the workers.

    Args:
        dataset: what makes the batches.
        order: their numbers; the default is all of them from 0.
    """
    if order is None:
        count = dataset.num_batches
        order = itertools.count() if count is None else range(count)
    if dataset.workers > 1 or (dataset.workers > 0 and dataset.use_multiprocessing):
        yield from _ahead(dataset, iter(order))
    else:
        for index in order:
            yield dataset[index]


def _ahead(dataset: PyDataset, order: Iterator[int]) -> Iterator[PyTree[Any]]:
    pending: deque[Future[PyTree[Any]]] = deque()
    pool = ThreadPoolExecutor(dataset.workers, thread_name_prefix="jkeras-dataset")
    try:
        for index in itertools.islice(order, dataset.max_queue_size):
            pending.append(pool.submit(dataset.__getitem__, index))
        while pending:
            batch = pending.popleft().result()
            for index in itertools.islice(order, 1):
                pending.append(pool.submit(dataset.__getitem__, index))
            yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
