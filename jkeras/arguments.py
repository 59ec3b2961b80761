"""Checks and normalisations of constructor arguments, used as `field(convert=...)`.

Each takes the value given and returns the value kept, or raises `ArgumentError` whose message starts with "expected ";
`Spec` completes it with the class, the argument and the value.
"""

from __future__ import annotations

import math
import numbers
import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar, cast

import numpy as np

from jkeras.errors import ArgumentError, UnknownNameError, nearest

if TYPE_CHECKING:
    from jkeras.types import NestedNumbers

Value = TypeVar("Value")
Result = TypeVar("Result")


def checked(function: str, argument: str, value: Value, convert: Callable[[Value], Result]) -> Result:
    """The argument of a function, converted; an error names the function, the argument and the value.

    >>> checked("random.normal", "shape", 3, shape)
    (3,)
    >>> checked("random.normal", "shape", -1, shape)
    Traceback (most recent call last):
        ...
    jkeras.errors.ArgumentError: random.normal(shape=-1): expected a shape: a tuple of integers and None
    """
    try:
        return convert(value)
    except UnknownNameError as error:
        raise error.of(f"{function}({argument}={shown(value)})") from None
    except ArgumentError as error:
        raise ArgumentError(f"{function}({argument}={shown(value)}): {error}") from None


def shown(value: object) -> str:
    """A value as a message shows it: in one line, and not much of it."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


# Packages whose objects are taken for those of jkeras, with what to write instead.
_PACKAGES = {
    "keras": "It is an object of Keras itself, which jkeras does not use: take the one of that name from `jkeras`.",
    "tf_keras": "It is an object of Keras itself, which jkeras does not use: take the one of that name from `jkeras`.",
    "tensorflow": "It is an object of TensorFlow, which jkeras does not use.",
    "torch": "It is an object of PyTorch, which jkeras does not use: write its like from `jkeras.layers`.",
    "flax": "It is a module of Flax: write `layers.FlaxLayer(module)`.",
    "equinox": "It is a module of Equinox, which jkeras does not use: wrap its function, `layers.Lambda(function)`.",
}


def whose(value: object) -> str:
    """A sentence that says whose an object is, with a space in front; empty if it is nobody's whom people confuse us with."""
    kinds = (value if isinstance(value, type) else type(value)).__mro__
    packages = (kind.__module__.partition(".")[0] for kind in kinds)
    return next((f" {_PACKAGES[package]}" for package in packages if package in _PACKAGES), "")


def optional(convert: Callable[[Any], Result]) -> Callable[[Any], Result | None]:
    """`None` stays `None`; anything else goes through `convert`."""
    return lambda value: None if value is None else convert(value)


def integer(value: object) -> int:
    """Any integer, NumPy's included; booleans and floats are refused."""
    if isinstance(value, (bool, np.bool_)):
        raise ArgumentError("expected an integer")
    try:
        return operator.index(cast(SupportsIndex, value))
    except TypeError:
        raise ArgumentError("expected an integer") from None


def at_least(minimum: int) -> Callable[[object], int]:
    """An integer of at least `minimum`."""

    def convert(value: object) -> int:
        try:
            number = integer(value)
        except ArgumentError:
            number = None
        if number is None or number < minimum:
            raise ArgumentError(f"expected an integer of at least {minimum}")
        return number

    return convert


positive_int: Callable[[object], int] = at_least(1)


def numpy_seed(value: object) -> int:
    """A seed of NumPy's older generator, an integer from 0 to 2**32 - 1."""
    try:
        seed = integer(value)
    except ArgumentError:
        seed = -1
    if not 0 <= seed < 2**32:
        raise ArgumentError("expected an integer from 0 to 2**32 - 1")
    return seed


def number(value: object) -> float:
    """A real number; an integer stays one."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real) or plain != plain:
        raise ArgumentError("expected a number")
    return cast(float, plain)


def finite(value: object) -> float:
    """A real number other than infinity; an integer stays one."""
    result = _number_or_none(value)
    if result is None or not math.isfinite(result):
        raise ArgumentError("expected a finite number")
    return result


def between(low: float, high: float, *, open_low: bool = False, open_high: bool = False) -> Callable[[object], float]:
    """A real number in the interval from `low` to `high`."""
    left, right = "(["[not open_low], ")]"[not open_high]

    def convert(value: object) -> float:
        result = _number_or_none(value)
        if (
            result is None
            or not (result > low or (result == low and not open_low))
            or not (result < high or (result == high and not open_high))
        ):
            raise ArgumentError(f"expected a number in {left}{low}, {high}{right}")
        return result

    return convert


def non_negative(value: object) -> float:
    """A real number of at least zero."""
    result = _number_or_none(value)
    if result is None or not result >= 0:
        raise ArgumentError("expected a number of at least 0")
    return result


def finite_non_negative(value: object) -> float:
    """A real number of at least zero other than infinity."""
    return finite(non_negative(value))


probability: Callable[[object], float] = between(0, 1)
finite_positive: Callable[[object], float] = between(0, math.inf, open_low=True, open_high=True)


def boolean(value: object) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError("expected True or False")
    return bool(value)


def flag(value: object) -> bool:
    """True or False, or the numbers that many write for them; "False" would be true."""
    if not isinstance(value, (bool, int, np.bool_)) or value not in (0, 1):
        raise ArgumentError("expected True or False")
    return bool(value)


def flags(function: str, **values: object) -> None:
    """Checks arguments of a function that are True or False.

    Raises:
        ArgumentError: one of them is something else.
    """
    for name, value in values.items():
        checked(function, name, value, boolean)


def one_of(*allowed: Result) -> Callable[[object], Result]:
    """One of a few values; strings are compared without regard to case."""

    def convert(value: object) -> Result:
        folded = value.lower() if isinstance(value, str) else value
        for candidate in allowed:
            if type(candidate) is type(folded) and candidate in (folded, value):
                return candidate
        names = [candidate for candidate in allowed if isinstance(candidate, str)]
        hint = nearest(value, names) if isinstance(value, str) else ""
        raise ArgumentError(f"expected one of {', '.join(map(repr, allowed))}.{hint}")

    return convert


def ints(n: int, minimum: int = 1) -> Callable[[object], tuple[int, ...]]:
    """`n` integers of at least `minimum`; a single integer is repeated."""
    one = at_least(minimum)
    message = f"expected an integer of at least {minimum}, or {n} of them"

    def convert(value: object) -> tuple[int, ...]:
        try:
            result = tuple(one(v) for v in value) if isinstance(value, (tuple, list, np.ndarray)) else (one(value),) * n
        except ArgumentError:
            raise ArgumentError(message) from None
        if len(result) != n:
            raise ArgumentError(message)
        return result

    return convert


def integers(value: object) -> int | tuple[int, ...]:
    """An integer, or a tuple of several; each stays what it is."""
    try:
        return tuple(integer(one) for one in value) if isinstance(value, (tuple, list)) else integer(value)
    except ArgumentError:
        raise ArgumentError("expected an integer, or several") from None


def numeric(value: object) -> NestedNumbers:
    """A number, or an array or nested list of numbers, unchanged except that lists become tuples."""
    try:
        kind: str = np.asarray(value).dtype.kind
    except ValueError:  # lists of unequal length
        kind = "?"
    if kind not in "iuf":
        raise ArgumentError("expected a number or an array of numbers")
    return tuple(value) if isinstance(value, list) else cast("NestedNumbers", value)


def pair(value: object) -> tuple[float, float]:
    """Two numbers."""
    message = "expected two numbers"
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ArgumentError(message)
    try:
        return number(value[0]), number(value[1])
    except ArgumentError:
        raise ArgumentError(message) from None


def several(value: object) -> tuple[Any, ...]:
    """A list or tuple, as a tuple."""
    if not isinstance(value, (tuple, list)):
        raise ArgumentError("expected a list")
    return tuple(value)


def entries(value: object) -> tuple[Any, ...]:
    """The entries of a list, tuple, array or other iterable, but no string."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ArgumentError("expected a list")
    return tuple(value)


def texts(value: object) -> list[str]:
    """A list, tuple or set of strings, as a list."""
    if not isinstance(value, (tuple, list, set, frozenset)) or not all(isinstance(one, str) for one in value):
        raise ArgumentError("expected a list of strings")
    return list(value)


def some_texts(value: object) -> list[str]:
    """The same, of at least one string."""
    if not texts(value):
        raise ArgumentError("expected at least one string")
    return texts(value)


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ArgumentError("expected a string")
    return value


def json_text(value: object) -> str | bytes:
    """Text of JSON."""
    if not isinstance(value, (str, bytes)):
        raise ArgumentError("expected the text that `to_json` returns")
    return value


def pattern(value: object) -> re.Pattern[str]:
    """A regular expression."""
    try:
        return re.compile(text(value))
    except re.error as error:
        raise ArgumentError(f"expected a regular expression: {error}") from None


def shape(value: object) -> tuple[int | None, ...]:
    """A shape: integers of at least zero, and None where the size is unknown."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        value = (value,)
    if not isinstance(value, (tuple, list)):
        raise ArgumentError("expected a shape: a tuple of integers and None")
    size = at_least(0)
    try:
        return tuple(None if v is None else size(v) for v in value)
    except ArgumentError:
        raise ArgumentError("expected a shape: a tuple of integers and None") from None


def scalar(value: object) -> float:
    """A real number, also as an array without axes."""
    if not isinstance(value, (str, bytes)):
        try:
            return number(np.asarray(value)[()])
        except (ArgumentError, TypeError, ValueError):
            pass
    raise ArgumentError("expected a number")


def path(value: object) -> Path:
    """A path: a string or a path-like object."""
    if not isinstance(value, (str, os.PathLike)) or value == "":
        raise ArgumentError("expected a path: a string or a path object")
    if "\0" in os.fsdecode(value):
        raise ArgumentError("expected a path without zero characters")
    return Path(value)


def array(value: object) -> np.ndarray:
    """A NumPy array of numbers or booleans, of whatever NumPy makes one of."""
    try:
        result = np.asarray(value)
    except (TypeError, ValueError):  # lists of unequal length
        raise ArgumentError("expected an array of numbers") from None
    if result.dtype.kind not in "biufcV":  # V has the small floats, such as bfloat16
        raise ArgumentError("expected an array of numbers")
    return result


def table(value: object) -> Mapping[str, Any]:
    """Objects by name."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ArgumentError("expected a dict of objects by name")
    return value


def by_number(value: object) -> Mapping[int, Any]:
    """Objects by the number of a class."""
    if not isinstance(value, Mapping) or not all(isinstance(key, (int, np.integer)) for key in value):
        raise ArgumentError("expected a dict by the number of each class, such as {0: ..., 1: ...}")
    return value


def function(value: object) -> Callable[..., Any]:
    """Anything that can be called."""
    if not callable(value):
        raise ArgumentError("expected a function")
    return cast(Callable[..., Any], value)


def named(value: Value) -> Value:
    """A class or function, which has a name."""
    if not isinstance(getattr(value, "__name__", None), str):
        raise ArgumentError("expected a class or a function")
    return value


def name_of(function: object) -> str | None:
    """The name that a function has, also one that is wrapped or compiled; None for other objects.

    >>> name_of(shape), name_of(3)
    ('shape', None)
    """
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else None


def _number_or_none(value: object) -> float | None:
    try:
        return number(value)
    except ArgumentError:
        return None
