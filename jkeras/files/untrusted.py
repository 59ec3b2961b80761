"""Unforeseen errors while reading a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jkeras.errors import DescriptionError, JkerasError, RestoreError
from jkeras.registry import custom_modules


@contextlib.contextmanager
def reading(where: Any, own: Iterable[Any] = ()) -> Iterator[None]:
    """Converts any error while a model is created and its weights are assigned to an error about the file.

    Errors of the operating system and of users' own classes are not converted.

    Args:
        where: the file.
        own: the user's classes and functions, in addition to registered ones.

    Raises:
        RestoreError: the file is at fault; instead of a TypeError, a DescriptionError.
    """
    try:
        yield
    except (JkerasError, OSError, Warning):  # warnings, where they are errors
        raise
    except RecursionError:
        raise RestoreError(f"{where} is nested too deeply to be a model.") from None
    except Exception as error:
        # A definition may contain anything, and the resulting errors of JAX and Flax have no common class.
        if is_users(error, own):
            raise
        kind = DescriptionError if isinstance(error, TypeError) else RestoreError
        raise kind(
            f"{where} is damaged, or does not describe a working model: {type(error).__name__}: {error}"
        ) from error


def size(path: Path) -> int:
    """The bytes of a file, or of all files in a directory."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(p.stat(follow_symlinks=False).st_size for p in path.rglob("*"))


def is_users(error: BaseException, own: Iterable[Any] = ()) -> bool:
    """Whether code of a custom object, or of a given one, was involved in an error."""
    modules = custom_modules(own)
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_globals.get("__name__") in modules:
            return True
        place = place.tb_next
    return False
