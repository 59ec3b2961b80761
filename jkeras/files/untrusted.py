"""Errors of a file that the readers did not foresee."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jkeras.errors import DescriptionError, JkerasError, RestoreError
from jkeras.registry import custom_modules


@contextlib.contextmanager
def reading(where: Any, own: Iterable[Any] = ()) -> Iterator[None]:
    """Makes whatever goes wrong while a definition is made and its weights are put in place an error about the file.

    What the operating system says, and errors in a user's own classes, stay as they are.

    Args:
        where: the file.
        own: classes and functions of the user's, beside those that are registered.

    Raises:
        RestoreError: the file is at fault; a DescriptionError in the place of a TypeError.
    """
    try:
        yield
    except (JkerasError, OSError, Warning):  # warnings, where they are errors
        raise
    except RecursionError:
        raise RestoreError(f"{where} is nested too deeply to be a model.") from None
    except Exception as error:
        # A definition may ask for anything, and the errors of JAX and Flax about it have no common class.
        if is_users(error, own):
            raise
        kind = DescriptionError if isinstance(error, TypeError) else RestoreError
        raise kind(f"{where} is damaged, or describes no model that works: {type(error).__name__}: {error}") from error


def size(path: Path) -> int:
    """The bytes of a file, or of all files in a directory."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(p.stat(follow_symlinks=False).st_size for p in path.rglob("*"))


def is_users(error: BaseException, own: Iterable[Any] = ()) -> bool:
    """Whether code of a custom object, or of one of those, had a part in it."""
    modules = custom_modules(own)
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_globals.get("__name__") in modules:
            return True
        place = place.tb_next
    return False
