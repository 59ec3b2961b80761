"""Finds the built-in class that reads a constructor's arguments, and translates old names of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jkeras.scripts.notes import NOTES


def described_class(cls: type) -> Any:
    """The built-in class whose constructor a call of `cls` runs; None if a user's class has its own constructor."""
    for base in cls.__mro__:
        if vars(base).get("description") is not None:
            return base
        if "__init__" in vars(base) and not base.__module__.startswith("jkeras."):
            return None
    return None


def renamed(
    where: str, kwargs: Mapping[str, Any], table: Mapping[str, str], without: Iterable[str] = ()
) -> dict[str, Any]:
    """Translates arguments to their current names, with a note for each, also for those without a meaning today.

    Args:
        where: the class or method, for the warnings.
        kwargs: what was given.
        table: today's names by the old ones.
        without: old arguments to leave out.
    """
    arguments: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name in table:
            NOTES.old(f"{where}({name}=...)", f"{where}({table[name]}=...)")
            arguments[table[name]] = value
        elif name in without:
            NOTES.left_out(f"{where}({name}=...)")
        else:
            arguments[name] = value
    return arguments
