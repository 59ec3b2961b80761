"""Messages and questions as `keras.src.utils.io_utils` has them."""

from __future__ import annotations

from jkeras.console.messages import print_msg as print_msg
from jkeras.errors import ArgumentError
from jkeras.keras.config import disable_interactive_logging as disable_interactive_logging
from jkeras.keras.config import enable_interactive_logging as enable_interactive_logging
from jkeras.keras.config import is_interactive_logging_enabled as is_interactive_logging_enabled

_LEVELS = ("FATAL", "ERROR", "WARNING", "INFO", "DEBUG")


def set_logging_verbosity(level: str) -> None:
    """Sets which messages the log of `absl` shows.

    Raises:
        ArgumentError: there is no such level.
    """
    from absl import logging

    if level not in _LEVELS:
        raise ArgumentError(
            f"Please pass a valid level for logging verbosity. Expected one of: {set(_LEVELS)}. Received: {level}"
        )
    logging.set_verbosity(level.lower())


def ask_to_proceed_with_overwrite(filepath: object) -> bool:
    """Whether the user, who is asked, lets a file be replaced."""
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
