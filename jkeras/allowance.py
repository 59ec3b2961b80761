"""Limits what may be created while a file is loaded: as much as its size justifies, whatever numbers it contains.

A definition of a few bytes may ask for a metric with 1e12 counters, or for 1e8 windows that are traced one by one. What makes
something whose size follows from a number charges it here first. Outside a load nothing is counted: there the numbers
are the user's own.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from jkeras import config
from jkeras.errors import RestoreError

# What a byte of a file may become: arrays in it may be compressed, and an optimizer keeps several for each.
RATIO = 100
# An operation of a traced program, in bytes: this many are traced in about the time that it takes to fill as many bytes twice.
OPERATION = 2**15

_budget: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("jkeras_allowance", default=None)


@contextlib.contextmanager
def of_file(size: int) -> Iterator[None]:
    """Around reading a file of that many bytes; a file inside a file has what is left to the outer one."""
    if _budget.get() is not None:
        yield
        return
    token = _budget.set([max(config.load_budget, RATIO * size)])
    try:
        yield
    finally:
        _budget.reset(token)


def charge(count: int, what: str, each: int = 1) -> None:
    """Counts what is about to be made.

    Args:
        count: how many.
        what: of what, in the plural, for the message.
        each: bytes of one; `OPERATION` for what is traced.

    Raises:
        RestoreError: a file is being loaded, and it asks for more than it may.
    """
    budget = _budget.get()
    if budget is None:
        return
    if count * each > budget[0]:
        raise RestoreError(
            f"The file asks for {count} {what}, which goes beyond what it may ask for by its size. If you trust it, set"
            f" `jk.config.load_budget` (now {config.load_budget} bytes) to a larger number, such as"
            f" {max(count * each, 2 * config.load_budget)}, and load it again."
        )
    budget[0] -= count * each


def check(count: int, what: str, each: int, where: object) -> None:
    """Refuses a file that holds more of something than is read, whose limit grows with `jk.config.load_budget`.

    Args:
        count: how many it holds.
        what: of what, in the plural, for the message.
        each: bytes of memory that one takes.
        where: the file.

    Raises:
        RestoreError: it holds more.
    """
    if count * each > config.load_budget:
        raise RestoreError(
            f"{where} is refused: it holds {count} {what}, and {config.load_budget // each} are read. If you trust it, set"
            f" `jk.config.load_budget` (now {config.load_budget} bytes) to {count * each} or more, and load it again."
        )
