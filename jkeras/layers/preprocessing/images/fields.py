"""How the arguments of image layers are checked, and arguments that many of them share, each said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jkeras import arguments, config
from jkeras.errors import ArgumentError
from jkeras.ops.boxes import SUPPORTED_FORMATS
from jkeras.values.fields import field

INTERPOLATION = arguments.one_of("nearest", "bilinear")
FILL_MODE = arguments.one_of("reflect", "wrap", "constant", "nearest")
BOX_FORMAT = arguments.optional(arguments.one_of(*SUPPORTED_FORMATS))


def factor(low: float, high: float, *, open_low: bool = False) -> Callable[[object], tuple[float, float]]:
    """A pair of bounds inside `low` and `high`; one number means from its negative, or `low`, to itself."""
    within = arguments.between(low, high, open_low=open_low)
    message = f"expected a number, or two numbers, in {'(' if open_low else '['}{low}, {high}]"

    def convert(value: object) -> tuple[float, float]:
        try:
            if isinstance(value, (tuple, list)) and len(value) == 2:
                first, second = sorted(within(v) for v in value)
                return (first, second)
            size = abs(within(value))
            return (max(-size, low) + 0.0, size) if low == 0 else (max(-size, low), size)
        except (ArgumentError, TypeError):
            raise ArgumentError(message) from None

    return convert


def as_given(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Checks a factor and stores it unchanged, as Keras's configuration does."""

    def convert(value: object) -> Any:
        check(value)
        return tuple(value) if isinstance(value, list) else value

    return convert


def shear(value: object) -> tuple[float, float]:
    """The bounds of a shear: two numbers in [0, 1]; one number f, or Keras's (-f, f), means from -f to f."""
    if isinstance(value, (tuple, list)) and len(value) == 2 and value[0] == -value[1]:
        value = value[1]
    first, second = PART(value)
    return (first, second) if isinstance(value, (tuple, list)) else (-second, second)


def shear_as_given(value: object) -> Any:
    """The bounds of a shear as they were given, where Keras's (-f, f), which it refuses in its own files, is f."""
    low, high = shear(value)
    pair = isinstance(value, (tuple, list)) and high != -low
    return tuple(value) if pair and isinstance(value, (tuple, list)) else high


def value_range(value: object) -> tuple[float, float]:
    """The least and the greatest value of images, in either order."""
    try:
        low, high = sorted(arguments.pair(value))
    except ArgumentError:
        low = high = 0.0
    if low == high:
        raise ArgumentError("expected two different numbers, the least and the greatest value of the images")
    return low, high


def odd_sizes(value: object) -> tuple[int, int]:
    """The height and width of a kernel, two odd integers; a single one means both."""
    try:
        height, width = arguments.ints(2)(value)
    except ArgumentError:
        height = width = 0
    if not (height % 2 and width % 2):
        raise ArgumentError("expected an odd integer of at least 1, or two of them")
    return height, width


def fill(value: object) -> Any:
    """None, a number, or three numbers, one for each channel."""
    if value is None:
        return None
    try:
        if isinstance(value, (tuple, list)):
            if len(value) == 3:
                return tuple(arguments.number(one) for one in value)
        else:
            return arguments.number(value)
    except ArgumentError:
        pass
    raise ArgumentError("expected None, a number, or three numbers")


PART = factor(0.0, 1.0)
SHIFT = factor(-1.0, 1.0)
ZOOM = factor(-1.0, 1.0, open_low=True)
BITS = factor(1, 8)

SEED: Any = field(default=None, convert=arguments.optional(arguments.integer))
DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)
VALUE_RANGE: Any = field(default=(0, 255), convert=value_range)
BILINEAR: Any = field(default="bilinear", convert=INTERPOLATION)
REFLECT: Any = field(default="reflect", convert=FILL_MODE)
FILL_VALUE: Any = field(default=0.0, convert=arguments.number)
WHOLE: Any = field(default=1.0, convert=PART)
