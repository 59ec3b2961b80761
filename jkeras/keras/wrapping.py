"""On the way into jkeras, handles become the values that they hold."""

from __future__ import annotations

from typing import Any


def to_value(value: Any) -> Any:
    """`value` with every handle in it (also in lists, tuples and dicts) replaced by the value that it holds."""
    if not isinstance(value, type) and hasattr(type(value), "_pure_value"):
        return value._pure_value()
    if type(value) in (list, tuple):
        return type(value)(to_value(v) for v in value)
    if type(value) is dict:
        return {k: to_value(v) for k, v in value.items()}
    return value
