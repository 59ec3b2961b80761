"""Quantities as people read them: with a unit, and its prefix."""

from __future__ import annotations


def count(value: float, unit: str) -> str:
    """A number with a metric prefix.

    >>> count(197e12, "FLOP/s")
    '197 TFLOP/s'
    """
    for prefix in ("", "k", "M", "G", "T", "P"):
        if abs(value) < 999.5 or prefix == "P":
            break
        value /= 1000
    return f"{value:.3g} {prefix}{unit}"


def number_of(number: int, noun: str) -> str:
    """A number of things, in the plural where there is not exactly one.

    >>> number_of(1, "layer"), number_of(1200, "layer")
    ('1 layer', '1,200 layers')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def amount(value: float) -> str:
    """Bytes with a metric prefix."""
    return count(value, "B")


def duration(seconds: float) -> str:
    """Seconds in a fitting unit.

    >>> duration(0.0125)
    '12.5 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
