"""Which process prints and writes: of several that train one model together, the first."""

from __future__ import annotations

import contextlib
import contextvars
import io
from collections.abc import Iterator

_silent: contextvars.ContextVar[bool] = contextvars.ContextVar("jkeras_silent", default=False)


def silent() -> bool:
    """Whether this process leaves printing and writing to another."""
    return _silent.get()


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """While the block runs, this process prints nothing and writes no files of models and callbacks."""
    before = _silent.set(True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        _silent.reset(before)
