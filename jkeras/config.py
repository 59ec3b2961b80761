"""Process-wide defaults: the float type, the image layout, the dtype policy, the seed, the lowering of operations.

They are read when a description is made or a program is traced, never inside a compiled program.
Those without a function that sets them are plain attributes: `jk.config.lowering = "plain"`. A name or value that means
nothing is an `ArgumentError`.
"""

from __future__ import annotations

import os
import sys
import types
import typing as _typing
from typing import Literal

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError, suggestion
from jkeras.lazy import names_from as _names_from
from jkeras.lazy import names_in as _names_in

# "auto" takes the fastest measured form of an operation on each platform, "plain" the textbook JAX form.
lowering: Literal["auto", "plain"] = "auto"

# Whether attention that is not told may use a fused kernel where one is known to work.
flash_attention: bool = True

# Whether messages and progress are printed; if not, messages go to the log of `absl`.
interactive_logging: bool = True

# The seed of everything random when none is given: the same script gives the same run twice.
default_seed: int = 0

# The share of free memory that `fit` may use to keep a whole data set on the device.
data_budget: float = 0.5

# How many bytes of arrays and programs a file may ask for that it does not hold, if 100 times its size is less.
load_budget: int = 64 * 2**20

_FLOATS = arguments.one_of("bfloat16", "float16", "float32", "float64")
_DATA_FORMATS = arguments.one_of("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_dtype_policy: str | None = None


def floatx() -> str:
    """The default float type.

    Returns:
        "float32" unless changed.

    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Sets the default float type.

    Args:
        value: "bfloat16", "float16", "float32" or "float64".

    Raises:
        ArgumentError: `value` is something else.

    >>> set_floatx("float32")
    """
    global _floatx
    _floatx = arguments.checked("set_floatx", "value", value, _FLOATS)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    Returns:
        1e-7 unless changed.

    >>> epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets the small number that keeps divisions and logarithms finite.

    Args:
        value: the number.

    Raises:
        ArgumentError: `value` is not a number above 0.

    >>> set_epsilon(1e-7)
    """
    global _epsilon
    _epsilon = float(
        arguments.checked("set_epsilon", "value", value, arguments.between(0, float("inf"), open_low=True))
    )


def image_data_format() -> str:
    """The layout of layers that do not set `data_format`.

    Returns:
        "channels_last" unless changed, or "channels_first".

    >>> image_data_format()
    'channels_last'
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the layout of layers that do not set `data_format`.

    Args:
        data_format: "channels_last" or "channels_first".

    Raises:
        ArgumentError: `data_format` is something else.

    >>> set_image_data_format("channels_last")
    """
    global _image_data_format
    _image_data_format = arguments.checked("set_image_data_format", "data_format", data_format, _DATA_FORMATS)


def standardize_data_format(data_format: str | None) -> str:
    """The layout that a layer's `data_format` argument means.

    Args:
        data_format: "channels_last", "channels_first", or None for the default layout.

    Returns:
        "channels_last" or "channels_first".

    Raises:
        ArgumentError: `data_format` is something else.

    >>> standardize_data_format(None)
    'channels_last'
    """
    if data_format is None:
        return _image_data_format
    return _DATA_FORMATS(data_format)


def dtype_policy_name() -> str:
    """The name of the policy of layers that do not set `dtype`.

    Returns:
        The name of the default float type unless changed.

    >>> dtype_policy_name()
    'float32'
    """
    return _dtype_policy or _floatx


def set_dtype_policy_name(name: str | None) -> None:
    """Sets the policy of layers that do not set `dtype`.

    Args:
        name: the name of a policy, such as "mixed_bfloat16"; None means the default float type.

    Raises:
        ArgumentError: it is no string.

    >>> set_dtype_policy_name("mixed_bfloat16")
    >>> dtype_policy_name()
    'mixed_bfloat16'
    >>> set_dtype_policy_name(None)
    """
    global _dtype_policy
    _dtype_policy = arguments.checked("set_dtype_policy_name", "name", name, arguments.optional(arguments.text))


def disable_traceback_filtering() -> None:
    """Shows all lines in tracebacks, also those inside jkeras and JAX; `JKERAS_FULL_TRACEBACK=1` does so from the start.

    >>> disable_traceback_filtering()
    >>> is_traceback_filtering_enabled()
    False
    >>> enable_traceback_filtering()
    """
    jax.config.update("jax_traceback_filtering", "off")


def enable_traceback_filtering() -> None:
    """Hides lines inside jkeras and JAX in tracebacks, which is the default.

    >>> enable_traceback_filtering()
    >>> is_traceback_filtering_enabled()
    True
    """
    jax.config.update("jax_traceback_filtering", "auto")


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks hide lines inside jkeras and JAX.

    Returns:
        True unless changed.

    >>> enable_traceback_filtering()
    >>> is_traceback_filtering_enabled()
    True
    """
    return str(jax.config.jax_traceback_filtering) != "off"  # type: ignore[attr-defined]


# One switch for both: JAX also reads its own from the environment at this point.
if os.environ.get("JKERAS_FULL_TRACEBACK", "0") not in ("", "0"):
    disable_traceback_filtering()


_ATTRIBUTES = {
    "lowering": arguments.one_of("auto", "plain"),
    "flash_attention": arguments.flag,
    "interactive_logging": arguments.flag,
    "default_seed": arguments.at_least(0),
    "data_budget": arguments.between(0, 1),
    "load_budget": arguments.at_least(0),
}


class _Config(types.ModuleType):
    """This module, which takes no assignment that would mean nothing."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _ATTRIBUTES:
            try:
                _ATTRIBUTES[name](value)
            except ArgumentError as error:
                raise ArgumentError(f"jkeras.config.{name} = {arguments.shown(value)}: {error}") from None
        elif not name.startswith("_"):
            setter = f" Write `set_{name}(...)`." if f"set_{name}" in vars(self) else suggestion(name, _ATTRIBUTES)
            raise ArgumentError(
                f"jkeras.config.{name} = {arguments.shown(value)}: no such attribute can be set.{setter}"
            )
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Config


# Of modules that build on this one.
if _typing.TYPE_CHECKING:
    from jkeras.backend import backend as backend
    from jkeras.dtype_policies import dtype_policy as dtype_policy
    from jkeras.dtype_policies import set_dtype_policy as set_dtype_policy
else:
    _TABLE = _names_in({"jkeras.backend": "backend", "jkeras.dtype_policies": "dtype_policy set_dtype_policy"})
    __getattr__, __dir__ = _names_from(__name__, _TABLE)
