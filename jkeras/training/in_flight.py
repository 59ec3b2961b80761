"""How far the host is ahead of the device."""

from __future__ import annotations

import collections
from typing import Any

import jax

# Of short steps the next is dispatched while some are computed: whoever waits for each of them sleeps and is woken up once a
# step. More would hold more batches on the device.
STEPS_IN_FLIGHT = 4


class InFlight:
    """Dispatches whose results nobody waited for yet.

    Args:
        most: how many there may be; the host waits for the oldest of more.
    """

    def __init__(self, most: int):
        self.most = most
        self._results: collections.deque[Any] = collections.deque()

    def add(self, result: Any) -> None:
        """Notes a result of a dispatch, arrays that no later one takes over."""
        self._results.append(result)
        if len(self._results) > self.most:
            jax.block_until_ready(self._results.popleft())
