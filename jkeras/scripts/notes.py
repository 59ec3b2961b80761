"""Warnings about old spellings: one for each, at the line of the script that contains it."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType


class OldSpellingWarning(FutureWarning):
    """A script uses a name of Keras 1 or 2; the message shows the current one."""


class Notes:
    """Gives each warning once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, message: str) -> None:
        """Warns, unless the same warning was given before."""
        if message in self._said:
            return
        self._said.add(message)
        frame = script_frame()
        if frame is None:
            warnings.warn(message, OldSpellingWarning, stacklevel=2)
            return
        warnings.warn_explicit(
            message,
            OldSpellingWarning,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=str(frame.f_globals.get("__name__", "__main__")),  # None would drop the warning
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )

    def old(self, old: str, new: str) -> None:
        """Warns of an old spelling and shows the current one."""
        self.say(f"`{old}` is an old spelling; write `{new}`.")

    def left_out(self, old: str) -> None:
        """Warns that something has no meaning today."""
        self.say(f"`{old}` has no meaning any more; leave it out.")

    def forget(self) -> None:
        """Starts over."""
        self._said.clear()


def script_frame() -> FrameType | None:
    """The innermost frame that runs code of neither jkeras nor the import system."""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in ("jkeras", "importlib", "_frozen_importlib"):
            return frame
        frame = frame.f_back
    return None


def script_line() -> str:
    """The script's file and line as the beginning of an error, `"train.py, line 3: "`; empty outside scripts."""
    frame = script_frame()
    return "" if frame is None else f"{frame.f_code.co_filename}, line {frame.f_lineno}: "


NOTES = Notes()
