"""Automatic names `dense`, `dense_1`, ..., by counters that `clear_session` resets."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jkeras.registry import snake_case
from jkeras.registry import snake_case as to_snake_case  # noqa: F401  # under the name that libraries look for

_uses: Counter[str] = Counter()


def auto_name(prefix: str) -> str:
    """A new name: the prefix in snake case, with a number from the second use on."""
    return uniquify(snake_case(prefix))


def uniquify(name: str) -> str:
    """`name`, with a number from the second use on."""
    number = _uses[name]
    _uses[name] += 1
    return f"{name}_{number}" if number else name


def get_uid(prefix: str = "") -> int:
    """How often the prefix has been used, including this time."""
    _uses[prefix] += 1
    return _uses[prefix]


def reset_uids() -> None:
    """Starts counting again."""
    _uses.clear()


def get_object_name(value: Any) -> str:
    """The name of a Keras object, a function or, in snake case, a class."""
    if hasattr(value, "name"):
        return str(value.name)
    return snake_case(getattr(value, "__name__", type(value).__name__))
