"""What callbacks and loops say in words: to standard output, or to the log where nobody watches."""

from __future__ import annotations

import sys

from jkeras import config


def print_msg(message: object, line_break: bool = True) -> None:
    """Prints a message; after `keras.config.disable_interactive_logging()` it goes to the log of `absl` instead, as INFO.

    Args:
        message: what is said.
        line_break: whether the line ends with it.

    >>> print_msg("Epoch 3: early stopping")
    Epoch 3: early stopping
    """
    if not config.interactive_logging:
        from absl import logging  # takes long to import, and most programs never log

        logging.info(str(message))
        return
    text = f"{message}\n" if line_break else str(message)
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.replace("━", "=").encode(encoding, errors="ignore").decode(encoding))
    sys.stdout.flush()
