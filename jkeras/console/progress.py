"""What `fit`, `evaluate` and `predict` print while they work.

Keras's bar and lines, so that a Keras user recognises them; the differences are that the values of a step are asked for
only when they are drawn, so that drawing never makes the loop wait for the device more often than that, that a line
which would not fit the terminal is cut while it is being redrawn and wrapped between values at the end, and that it says
so when a step is being compiled. In a notebook a bar is one output, which is replaced.
"""

from __future__ import annotations

import contextlib
import contextvars
import operator
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TextIO, TypeAlias, TypeVar

import numpy as np

from jkeras.console.lines import BOLD, GREEN, PLAIN, WHITE, Line, StreamLine, is_interactive, line_on, visible, wrapped
from jkeras.errors import ArgumentError
from jkeras.garbage import collector_paused

Values: TypeAlias = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None
Item = TypeVar("Item")
Verbosity: TypeAlias = Literal["auto", 0, 1, 2]

# What a bar's line says during the first dispatch, which contains compilation.
COMPILING = "compiling {} step"
WIDTH = 20
SECONDS_BETWEEN_DRAWS = 0.05
# What is quicker than this needs no explanation, and what takes longer is counted in such steps.
SECONDS_UNTIL_WAITING_SHOWS = 0.5
SECONDS_BETWEEN_COUNTS = 0.1
# Work that is not asked to report, such as `adapt`, has a bar when it lasts longer.
SECONDS_UNTIL_BAR = 2.0


class ProgressBar:
    """Prints the progress of one epoch, evaluation or prediction.

    With `verbose` 1 a bar that is redrawn at most every 0.05 s, with 2 one line at the end, with 0 nothing; "auto" is 1
    on a terminal or in a notebook and 2 elsewhere. Estimates leave out the first update, which contains compilation.

    >>> import sys
    >>> bar = ProgressBar(total=2, epoch=0, epochs=5, verbose=2, stream=sys.stdout, clock=lambda: 0.0)
    Epoch 1/5
    >>> bar.update(1, {"loss": 0.5})
    >>> bar.finish({"loss": 0.25, "mae": 1e-4})
    2/2 - 0s - 0s/step - loss: 0.2500 - mae: 1.0000e-04

    Args:
        total: number of steps, or None when it is unknown.
        epoch: index of the epoch, from 0.
        epochs: number of epochs; with more than one the epoch is announced.
        verbose: see above.
        stream: where to print, `sys.stdout` unless given.
        clock: seconds since some moment; for tests.
        unit: what is counted.
        interval: seconds between two drawings of the bar at least.
        width: characters that the bar consists of.
    """

    def __init__(
        self,
        total: int | None,
        epoch: int = 0,
        epochs: int | None = 1,
        verbose: Verbosity | bool | str = "auto",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        unit: str = "step",
        interval: float = SECONDS_BETWEEN_DRAWS,
        width: int = WIDTH,
    ):
        self.stream: TextIO | Any = sys.stdout if stream is None else stream
        self.verbose: int = resolve_verbosity(verbose, self.stream)
        self.total = total or None
        self.unit = unit
        self._interval = interval
        self._width = width
        self._clock = clock
        self._start = clock()
        self._last_draw = -float("inf")
        self._first: tuple[int, float] | None = None
        self._step = 0
        # Lines that are not drawn over are text in a notebook, too.
        self._line: Line = line_on(self.stream) if self.verbose == 1 else StreamLine(self.stream)
        if self.verbose and epochs is not None and epochs > 1:
            self._line.announce(f"Epoch {epoch + 1}/{epochs}")

    def update(self, step: int, values: Values = None) -> None:
        """Notes that `step` steps are done, and redraws the bar if it is time to.

        Args:
            step: number of steps done so far.
            values: what to show after the bar by name, or a function that returns it, called only if it is drawn.
        """
        self._step = step
        now = self._clock()
        if self._first is None:
            self._first = (step, now)
        if self.verbose == 1 and now - self._last_draw >= self._interval:
            self._last_draw = now
            self._draw(step, now, values, final=False)

    def finish(self, values: Values = None, step: int | None = None) -> None:
        """Prints the last state of the bar, or the line of `verbose=2`.

        Args:
            values: as for `update`.
            step: number of steps done, if that is neither the total nor what `update` was last told.
        """
        if not self.verbose:
            return
        if step is None:
            step = self._step if self.total is None else self.total
        self.total = self.total or step
        now = self._clock()
        if self.verbose == 1:
            self._draw(step, now, values, final=True)
        else:
            times = f"{now - self._start:.0f}s - {self._pace(step, now)}"
            self._line.announce(wrapped(f"{self._counter(step)} - {times}", _listing(values), self._line.columns()))

    @contextlib.contextmanager
    def compiling(self, step: str) -> Iterator[None]:
        """Goes around the call that compiles a step, and says so with `waiting`."""
        with collector_paused(), self.waiting(COMPILING.format(step)):
            yield

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """While the block runs, says in the place of a bar what takes so long: `compiling train step ... 2.1 s`.

        Only where a bar is redrawn, on a terminal or in a notebook, and only if it takes longer than half a second. The
        block must print nothing itself.
        """
        if self.verbose != 1 or not is_interactive(self.stream):
            yield
            return
        over = threading.Event()
        # The block is one call into the compiler, so that only another thread can count; it ends before the block does.
        # A notebook finds the cell to write to in the context.
        context = contextvars.copy_context()
        counter = threading.Thread(target=context.run, args=(self._count, what, over), daemon=True)
        counter.start()
        try:
            yield
        finally:
            over.set()
            counter.join()

    def _count(self, what: str, over: threading.Event) -> None:
        start, pause = self._clock(), SECONDS_UNTIL_WAITING_SHOWS
        shown = False
        with contextlib.suppress(OSError, ValueError):  # the stream is gone
            while not over.wait(pause):
                shown, pause = True, SECONDS_BETWEEN_COUNTS
                text = f"{what} ... {self._clock() - start:.1f} s"
                room = self._line.columns()
                self._line.draw(text if room is None else text[: room - 1])
            if shown:
                self._line.erase()

    def _draw(self, step: int, now: float, values: Values, final: bool) -> None:
        if self.total is not None and not final:
            time_shown = duration(self._seconds_per_step(step, now) * (self.total - step))
        else:
            time_shown = f"{now - self._start:.0f}s"
        head = f"{BOLD}{self._counter(step)}{PLAIN}{self._bar(step)} {BOLD}{time_shown}{PLAIN}"
        tail = f" {self._pace(step, now)}"
        room = self._line.columns()
        if final:
            self._line.finish(wrapped(head + tail, _listing(values), room))
            return
        tail = wrapped(tail, _listing(values), None)
        if room is not None:
            tail = tail[: max(0, room - 1 - len(visible(head)))]
        self._line.draw(head + tail)

    def _counter(self, step: int) -> str:
        if self.total is None:
            return f"{step:7d}/Unknown"
        return f"{step:{len(str(self.total))}d}/{self.total}"

    def _bar(self, step: int) -> str:
        if self.total is None:
            return ""
        done = min(self._width, int(self._width * step / max(self.total, 1)))
        stroke = self._stroke()
        return (
            " " + (f"{GREEN}{stroke * done}{PLAIN}" if done else "") + f"{WHITE}{stroke * (self._width - done)}{PLAIN}"
        )

    def _stroke(self) -> str:
        try:
            "━".encode(getattr(self.stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return "="
        return "━"

    def _seconds_per_step(self, step: int, now: float) -> float:
        if not step:
            return 0.0
        if self._first is not None and step > self._first[0]:
            first_step, then = self._first
            return (now - then) / (step - first_step)
        return (now - self._start) / step

    def _pace(self, step: int, now: float) -> str:
        seconds = self._seconds_per_step(step, now)
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit}"
        if seconds >= 1e-3:
            return f"{seconds * 1e3:.0f}ms/{self.unit}"
        return f"{seconds * 1e6:.0f}us/{self.unit}"


def tracked(
    items: Iterable[Item],
    total: int | None = None,
    unit: str = "batch",
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Item]:
    """Goes through items; if that takes long, a bar appears where one can be drawn, on a terminal or in a notebook.

    Args:
        items: what to go through.
        total: how many there are; by default what they say themselves.
        unit: what they are.
        clock: seconds since some moment; for tests.
    """
    bar = ProgressBar(total or operator.length_hint(items, 0), clock=clock, unit=unit)
    start, step, drawn = clock(), 0, False
    for step, item in enumerate(items, 1):
        yield item
        if bar.verbose == 1 and clock() - start > SECONDS_UNTIL_BAR:
            drawn = True
            bar.update(step)
    if drawn:
        bar.finish(step=step)


def resolve_verbosity(verbose: Verbosity | bool | str, stream: TextIO | None = None) -> int:
    """0, 1 or 2; "auto" is 1 on a terminal or in a notebook, and 2 elsewhere.

    Raises:
        ArgumentError: `verbose` is none of "auto", 0, 1, 2.
    """
    if verbose == "auto":
        return 1 if is_interactive(sys.stdout if stream is None else stream) else 2
    if verbose not in (0, 1, 2):
        raise ArgumentError(f"verbose={verbose!r}: expected 'auto', 0 (silent), 1 (a bar) or 2 (one line an epoch).")
    return int(verbose)


def duration(seconds: float) -> str:
    """A time to go, as Keras writes it.

    >>> [duration(s) for s in (7, 75, 3723)]
    ['7s', '1:15', '1:02:03']
    """
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _listing(values: Values) -> list[str]:
    values = values() if callable(values) else values
    return [f"{name}: {_shown(value)}" for name, value in (values or {}).items()]


def _shown(value: Any) -> str:
    try:
        number = float(np.mean(value))
    except (TypeError, ValueError):
        return str(value)
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"
