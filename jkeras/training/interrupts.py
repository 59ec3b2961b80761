"""The interrupt key while a model trains."""

from __future__ import annotations

import dataclasses
import signal
import threading
from typing import Any


@dataclasses.dataclass
class interruptible:
    """Turns the first interrupt key into a flag, so that no step is cut in half; the second acts at once."""

    flag: threading.Event
    previous: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.previous = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: Any) -> None:
        if self.flag.is_set():
            raise KeyboardInterrupt
        self.flag.set()

    def __exit__(self, *details: Any) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGINT, self.previous)
