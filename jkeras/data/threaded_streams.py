"""Iterators over elements that threads prepare ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import grain

from jkeras.data.elements import Element
from jkeras.data.streams import State
from jkeras.training.prefetch import Background


class Mapped(grain.DatasetIterator):  # type: ignore[misc]
    """Elements prepared by several threads, in order."""

    def __init__(self, parent: grain.DatasetIterator, function: Callable[[Element, int], Element], threads: int):
        super().__init__(parent)
        self.parent = parent
        self.function = function
        self.threads = threads
        self.pending: deque[tuple[Future[Element], State]] = deque()
        self.pool: ThreadPoolExecutor | None = None
        self.count: int = 0  # the number of elements read
        self.state: State = {"parent": parent.get_state(), "count": 0}

    def __next__(self) -> Element:
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix="jkeras-map")
        while len(self.pending) < 2 * self.threads:
            try:
                element = next(self.parent)
            except StopIteration:
                break
            future = self.pool.submit(self.function, element, self.count)
            self.count += 1
            self.pending.append((future, {"parent": self.parent.get_state(), "count": self.count}))
        if not self.pending:
            raise StopIteration
        future, state = self.pending.popleft()
        result = future.result()
        self.state = state
        return result

    def get_state(self) -> State:
        return self.state

    def set_state(self, state: State) -> None:
        self._drop()
        self.parent.set_state(state["parent"])
        self.count = state["count"]
        self.state = state

    def close(self) -> None:
        self._drop()
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _drop(self) -> None:
        while self.pending:
            self.pending.pop()[0].cancel()


class Ahead(grain.DatasetIterator):  # type: ignore[misc]
    """Elements that one thread prepares ahead."""

    def __init__(self, parent: grain.DatasetIterator, count: int):
        super().__init__(parent)
        self.parent = parent
        self.count = count
        self.state: State = parent.get_state()
        self.background: Background | None = None

    def __next__(self) -> Element:
        if self.background is None:
            self.background = Background(self.parent, self.count, note=self.parent.get_state)
        element = next(self.background)
        self.state = cast(State, self.background.noted)
        return element

    def get_state(self) -> State:
        return self.state

    def set_state(self, state: State) -> None:
        self._stop()
        self.parent.set_state(state)
        self.state = state

    def close(self) -> None:
        self._stop()
        super().close()

    def _stop(self) -> None:
        if self.background is not None:
            self.background.close()
            self.background = None
