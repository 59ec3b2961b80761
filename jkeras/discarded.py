"""Detects statements such as `model.compile(...)` and `layer.adapt(...)` whose result would be lost."""

from __future__ import annotations

import dis
import functools
import sys
from pathlib import PurePath
from types import CodeType, FrameType

from jkeras.errors import DiscardedResultError
from jkeras.tracebacks import caller

# Files of code that only measures: `timeit` and the magic of that name.
_TIMERS = ("<timeit-src>", "<magic-timeit>")
_PROFILERS = ("cProfile", "profile")


@functools.lru_cache(maxsize=4096)
def _fate(code: CodeType, offset: int) -> str:
    """What the next instruction does with the value of the call at `offset`: "drops" or "shows" it; empty if it is used."""
    # The offset may be that of the call or of the inline cache behind it, so the next instruction is the first one after.
    following = next((one for one in dis.get_instructions(code) if one.offset > offset), None)
    if following is None:
        return ""
    if following.opname == "PRINT_EXPR" or following.argrepr == "INTRINSIC_PRINT":
        return "shows"
    return "drops" if following.opname == "POP_TOP" else ""


def _is_mistaken(frame: FrameType) -> bool:
    """Whether code that drops a result is a mistake: not in the standard library, where it is a thread's, nor measured."""
    code, runner = frame.f_code, frame.f_back
    if code.co_filename in _TIMERS or (runner is not None and _module(runner) in _PROFILERS):
        return False
    if _module(frame).partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return False
    return not {"site-packages", "dist-packages"} & set(PurePath(code.co_filename).parts)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def check_used(method: str, depth: int = 2, owner: str = "model", *, may_show: bool = False) -> None:
    """Raises an error if the caller of the calling method throws its result away, or shows it and throws it away.

    Args:
        method: the method's name.
        depth: how many frames up the caller is.
        owner: what the method belongs to.
        may_show: whether the last line of a cell may show it, as for small values that people look at.

    Raises:
        DiscardedResultError: the call is a separate statement, or the last line of a notebook cell.
    """
    if sys.implementation.name != "cpython":
        return
    frame = caller(depth)
    fate = _fate(frame.f_code, frame.f_lasti)
    if fate and not (may_show and fate == "shows") and _is_mistaken(frame):
        lost = "is not used" if fate == "drops" else "would be shown and then lost"
        raise DiscardedResultError(
            f"`{owner}.{method}(...)` returns a new {owner} and leaves the old one as it was, but the result {lost}."
            f" Write `{owner} = {owner}.{method}(...)`."
        )
