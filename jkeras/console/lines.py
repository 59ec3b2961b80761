"""A line that is drawn over until it is finished: on a terminal, or as one output of a notebook."""

from __future__ import annotations

import html
import os
import re
import sys
from typing import Any, Protocol, TextIO

BOLD, GREEN, WHITE, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"

_SIGNS = re.compile("\x1b\\[[0-9;]*m")
# What the signs of a terminal are in a notebook; the unfinished part of a bar is grey on any background.
_ELEMENTS = {
    BOLD: "<b>",
    GREEN: '<span style="color:#2a9d3a">',
    WHITE: '<span style="color:#9e9e9e;opacity:.6">',
}
_STYLE = "margin:0;padding:0;white-space:pre-wrap;line-height:1.35;font-size:13px;background:none"


def visible(text: str) -> str:
    """Text without the signs that colour it.

    >>> visible(f"{BOLD}7{PLAIN}/7")
    '7/7'
    """
    return _SIGNS.sub("", text)


class Line(Protocol):
    """A line that can be drawn again and again."""

    def announce(self, text: str) -> None:
        """Writes a line above, which stays."""

    def draw(self, text: str) -> None:
        """Replaces what the line shows."""

    def finish(self, text: str) -> None:
        """Replaces what the line shows for the last time; `text` may have several lines."""

    def erase(self) -> None:
        """Makes the line empty."""

    def columns(self) -> int | None:
        """How many characters fit, None where lines do not wrap or nobody knows."""


class StreamLine:
    """A line of a terminal, or of a file that gets every state of it."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._width = 0

    def announce(self, text: str) -> None:
        self._write(f"{text}\n")

    def draw(self, text: str) -> None:
        width = len(visible(text))
        padding = " " * max(0, self._width - width)
        self._width = width
        self._write(f"\r{text}{padding}")

    def finish(self, text: str) -> None:
        first, *others = text.split("\n")
        self.draw(first)
        self._width = 0
        self._write("".join(f"\n{other}" for other in others) + "\n")

    def erase(self) -> None:
        self.draw("")
        self._write("\r")
        self._width = 0

    def columns(self) -> int | None:
        if not is_terminal(self._stream):
            return None
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or None
        except (OSError, ValueError, AttributeError):
            return None

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class NotebookLine:
    """One output of a notebook's cell, replaced in place, so that a saved notebook has the last state alone."""

    def __init__(self) -> None:
        self._head = ""
        self._handle: Any = None  # of IPython, once something is shown

    def announce(self, text: str) -> None:
        self._head = f"{text}\n"

    def draw(self, text: str) -> None:
        from IPython.display import display

        whole = self._head + text
        bundle = {"text/plain": visible(whole), "text/html": f'<pre style="{_STYLE}">{as_html(whole)}</pre>'}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def finish(self, text: str) -> None:
        self.draw(text)

    def erase(self) -> None:
        self.draw("")

    def columns(self) -> int | None:
        return None


def line_on(stream: TextIO) -> Line:
    """The line that belongs to a stream."""
    return NotebookLine() if is_notebook(stream) else StreamLine(stream)


def as_html(text: str) -> str:
    """Text with the signs of a terminal, as HTML.

    >>> as_html(f"{BOLD}2 < 3{PLAIN}")
    '<b>2 &lt; 3</b>'
    """
    parts, opened, start = [], "", 0
    for sign in _SIGNS.finditer(text):
        parts.append(html.escape(text[start : sign.start()]))
        element = _ELEMENTS.get(sign.group(), "")
        if opened:
            parts.append(opened)
        parts.append(element)
        opened = f"</{element[1:].split()[0].rstrip('>')}>" if element else ""
        start = sign.end()
    return "".join([*parts, html.escape(text[start:]), opened])


def wrapped(head: str, items: list[str], columns: int | None) -> str:
    """Items after a head, ` - ` between them, on as many lines as they need; none is cut.

    >>> print(wrapped("8/8", ["loss: 0.5000", "mae: 0.2500"], 20))
    8/8 - loss: 0.5000
        mae: 0.2500
    """
    lines, current = [], head
    for item in items:
        longer = f"{current} - {item}"
        if columns is not None and len(visible(longer)) >= columns and current.strip():
            lines.append(current)
            longer = f"    {item}"
        current = longer
    return "\n".join([*lines, current])


def is_interactive(stream: TextIO) -> bool:
    """Whether a line can be drawn over: on terminals and in notebooks."""
    return is_terminal(stream) or is_notebook(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty is not None and isatty())


def is_notebook(stream: TextIO) -> bool:
    """Whether a stream shows its text under a cell, and not in a file or in a variable, as with `%%capture`."""
    kernel = sys.modules.get("ipykernel.iostream")
    return kernel is not None and isinstance(stream, kernel.OutStream)
