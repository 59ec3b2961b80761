"""Catches `model.compile(...)` on a line of its own, whose result would be lost."""

from __future__ import annotations

import dis
import functools
import sys
from types import CodeType

from jkeras.errors import DiscardedResultError
from jkeras.tracebacks import caller


@functools.lru_cache(maxsize=4096)
def _discards(code: CodeType, offset: int) -> bool:
    """Whether the value of the call at `offset` is dropped by the next instruction."""
    # The offset may be that of the call or of the inline cache behind it, so the next instruction is the first one after.
    following = next((one for one in dis.get_instructions(code) if one.offset > offset), None)
    return following is not None and following.opname == "POP_TOP"


def check_used(method: str, depth: int = 2) -> None:
    """Raises an error if the caller of the calling method throws its result away.

    Args:
        method: the method's name.
        depth: how many frames up the caller is.

    Raises:
        DiscardedResultError: the call is a statement of its own.
    """
    frame = caller(depth)
    if sys.implementation.name == "cpython" and _discards(frame.f_code, frame.f_lasti):
        raise DiscardedResultError(
            f"`model.{method}(...)` returns a new model and leaves the old one as it was, but the result is not used."
            f" Write `model = model.{method}(...)`."
        )
