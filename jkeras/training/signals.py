"""Signals while a model trains: the interrupt key, and the system that wants the program to end."""

from __future__ import annotations

import dataclasses
import signal
import threading
from types import TracebackType
from typing import Any

from jkeras.errors import JkerasError
from jkeras.training.layout import Layout


class PreemptedError(JkerasError):
    """The program was told to end, and everything is saved; caught by `TerminationSignal`."""


class Signals:
    """The flags that signals raise. Several processes raise them together, once all have agreed.

    Args:
        layout: knows the other processes.

    Attributes:
        interrupted: the interrupt key was pressed: training ends after the dispatch.
        preempted: the program is to end, and what it has is to be saved.
    """

    def __init__(self, layout: Layout):
        self._layout = layout
        self.interrupted: threading.Event = threading.Event()
        self.preempted: threading.Event = threading.Event()
        # The signals that came to this process, and the flags that they raise.
        self._pending: list[tuple[threading.Event, threading.Event]] = []

    def raised_for(self, flag: threading.Event) -> threading.Event:
        """What a signal sets in order to raise a flag: the flag itself, unless several processes raise it together."""
        if not self._layout.votes:
            return flag
        signalled = threading.Event()
        self._pending.append((signalled, flag))
        return signalled

    def vote(self) -> None:
        """Raises, in all processes, the flags for which a signal came to one of them."""
        if self._pending:
            came = self._layout.anywhere([signalled.is_set() for signalled, _ in self._pending])
            for raised, (_, flag) in zip(came, self._pending, strict=True):
                if raised:
                    flag.set()


@dataclasses.dataclass
class InterruptKey:
    """Turns the first interrupt key into a flag, so that no step is cut in half; the second acts at once."""

    flag: threading.Event
    previous: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: Any) -> None:
        if self.flag.is_set():
            raise KeyboardInterrupt
        self.flag.set()

    def __exit__(self, *details: Any) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGINT, self.previous)


@dataclasses.dataclass
class TerminationSignal:
    """Turns SIGTERM into a flag, where there is one: nothing is installed for None, or outside the main thread.

    A handler of the user's is called when everything is saved; without one the program ends.
    """

    flag: threading.Event | None
    previous: Any = None

    def __enter__(self) -> None:
        if self.flag is not None and threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGTERM)
            if previous is not signal.SIG_IGN:
                self.previous = previous
                signal.signal(signal.SIGTERM, lambda number, frame: self.flag.set())  # type: ignore[union-attr]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self.previous is None:
            return False
        signal.signal(signal.SIGTERM, self.previous)
        if not isinstance(error, PreemptedError) and not (
            error is None and self.flag is not None and self.flag.is_set()
        ):
            return False
        if callable(self.previous):
            signal.raise_signal(signal.SIGTERM)
            return True
        raise SystemExit(128 + signal.SIGTERM) from None
