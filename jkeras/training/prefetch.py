"""Items that are made before they are asked for, by a thread, where making them takes long enough for that to pay."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

# One batch to take while the next is made; more would take memory and gain nothing but over single slow batches.
BATCHES_AHEAD = 2
# Taking an item from a thread costs some 0.2 ms of waiting for each other; what is made sooner than this is made at once.
SECONDS_WORTH_A_THREAD = 1e-3
# The share of the latest item in the mean of what they take: one alone that waited for the processor starts no thread.
LATEST = 0.05


class Background:
    """An iterator over another one, which a thread of its own reads ahead.

    The thread holds at most `size` items that nobody took, and one that it makes. An exception arrives unchanged, where its
    item was due. The thread ends with the data, with `close()`, or when nobody holds this object any more.

    Args:
        items: what to read; nobody else may read it meanwhile.
        size: how many items to hold.
        prepare: what to do with each item, in the thread.
        note: called in the thread after each item; `noted` is what it gave for the item that was taken
            last, or at the beginning.

    >>> list(Background(iter("abc"), prepare=str.upper))
    ['A', 'B', 'C']
    """

    def __init__(
        self,
        items: Iterator[Any],
        size: int = 2,
        prepare: Callable[[Any], Any] | None = None,
        note: Callable[[], Any] | None = None,
    ):
        self.noted = None if note is None else note()
        self._queue: queue.Queue[tuple[str, Any, Any]] = queue.Queue(max(size, 1))
        self._stop = threading.Event()
        self._over = False
        # The thread holds no reference to this object, so that it can be collected.
        weakref.finalize(self, self._stop.set)
        # Scopes that the caller is in, such as those of custom objects and strategies, hold in the thread, too.
        run = contextvars.copy_context().run
        arguments = (_read, items, self._queue, self._stop, prepare, note)
        self._thread = threading.Thread(target=run, args=arguments, name="jkeras-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._over:
            raise StopIteration
        kind, item, note = self._queue.get()
        if kind == "item":
            self.noted = note
            return item
        self._over = True
        self._thread.join()
        if kind == "error":
            raise item
        raise StopIteration

    def __enter__(self) -> Background:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread, when the item that it makes is made; what was made and not taken is lost."""
        self._stop.set()
        self._over = True
        if threading.current_thread() is not self._thread:
            self._thread.join()


class ReadAhead:
    """An iterator over another one that makes items when they are asked for, until they turn out to take long to make.

    From then on a `Background` reads them. Whoever uses the items dispatches work and goes on, so that items are made while
    the device computes in either case. Arguments as in `Background`; items are read in the caller's thread at first.

    Args:
        place: what a thread does with each item beside `prepare`; nothing where nobody waits for it.

    >>> list(ReadAhead(iter("abc"), prepare=str.upper))
    ['A', 'B', 'C']
    """

    def __init__(
        self,
        items: Iterator[Any],
        size: int = BATCHES_AHEAD,
        prepare: Callable[[Any], Any] | None = None,
        note: Callable[[], Any] | None = None,
        place: Callable[[Any], Any] | None = None,
    ):
        self.noted = None if note is None else note()
        self._items, self._size, self._note = items, size, note
        self._prepare, self._place = prepare, place
        self._thread: Background | None = None
        self._seconds: float | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._thread is not None:
            item = next(self._thread)
            self.noted = self._thread.noted
            return item
        start = time.perf_counter()
        item = next(self._items)
        if self._note is not None:
            self.noted = self._note()
        if self._prepare is not None:
            item = self._prepare(item)
        seconds = time.perf_counter() - start
        # The first is left out: it opens files and fills buffers.
        mean = 0.0 if self._seconds is None else self._seconds + LATEST * (seconds - self._seconds)
        self._seconds = mean
        if mean > SECONDS_WORTH_A_THREAD:
            self._thread = Background(self._items, self._size, self._both, self._note)
        return item

    def _both(self, item: Any) -> Any:
        item = item if self._prepare is None else self._prepare(item)
        return item if self._place is None else self._place(item)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread, if there is one."""
        if self._thread is not None:
            self._thread.close()


# How often a thread that waits for a place looks whether anybody still wants its items, in seconds.
PATIENCE = 0.05


def _read(
    items: Iterator[Any],
    places: queue.Queue[tuple[str, Any, Any]],
    stop: threading.Event,
    prepare: Callable[[Any], Any] | None,
    note: Callable[[], Any] | None,
) -> None:
    def put(*entry: Any) -> None:
        while not stop.is_set():
            try:
                return places.put(entry, timeout=PATIENCE)
            except queue.Full:
                continue
        return None

    try:
        while not stop.is_set():
            try:
                item = next(items)
            except StopIteration:
                put("end", None, None)
                return
            value = None if note is None else note()
            put("item", item if prepare is None else prepare(item), value)
    except BaseException as error:
        put("error", error, None)
