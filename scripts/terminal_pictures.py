"""What a function prints to a terminal, as a picture of one."""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios

from rich.console import Console
from rich.text import Text

COLUMNS = 118  # the longest line of a run with two metrics and validation


class Terminal(io.StringIO):
    """Keeps what is written, and says that it is a terminal of `COLUMNS` characters a line."""

    def __init__(self, device):
        super().__init__()
        self._device = device

    def isatty(self):
        return True

    def fileno(self):
        return self._device


def printed(show):
    """What `show()` prints, with the signs of a terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    before, sys.stdout = sys.stdout, Terminal(follower)
    try:
        show()
        return sys.stdout.getvalue()
    finally:
        sys.stdout = before
        os.close(leader)
        os.close(follower)


def save(path, prompt, text):
    """Draws a terminal that shows a prompt and below it a text, as SVG."""
    # What a terminal shows in the end: of a line that was drawn again and again, the last drawing.
    lines = [re.split(r"\r|\x1b\[2K|\x1b\[1G", line.rstrip("\r"))[-1] for line in text.replace("\x08", "").split("\n")]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(prompt, style="bold", highlight=False)
    console.print(Text.from_ansi("\n".join(lines).rstrip()))
    console.save_svg(str(path), title="jkeras")
