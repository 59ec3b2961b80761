"""Process-wide defaults: the float type, the image layout, the dtype policy, the seed, the lowering of operations.

They are read when a description is made or a program is traced, never inside a compiled program.
`lowering`, `default_seed`, `data_budget` and `load_budget` are plain attributes: `jk.config.lowering = "plain"`.
"""

from __future__ import annotations

import os
import typing as _typing
from typing import Literal

import jax

from jkeras import arguments
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
    """The default float type, `"float32"` unless changed.

    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Sets the default float type: "bfloat16", "float16", "float32" or "float64"."""
    global _floatx
    _floatx = arguments.checked("set_floatx", "value", value, _FLOATS)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless changed."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets the small number that keeps divisions and logarithms finite."""
    global _epsilon
    _epsilon = float(arguments.checked("set_epsilon", "value", value, arguments.number))


def image_data_format() -> str:
    """ "channels_last" or "channels_first": the layout of layers that do not set `data_format`."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the layout of layers that do not set `data_format`."""
    global _image_data_format
    _image_data_format = arguments.checked("set_image_data_format", "data_format", data_format, _DATA_FORMATS)


def standardize_data_format(data_format: str | None) -> str:
    """The layout meant by a layer's `data_format` argument; None is the default layout."""
    if data_format is None:
        return _image_data_format
    return _DATA_FORMATS(data_format)


def dtype_policy_name() -> str:
    """The name of the policy of layers that do not set `dtype`."""
    return _dtype_policy or _floatx


def set_dtype_policy_name(name: str | None) -> None:
    """Sets the policy of layers that do not set `dtype`; None goes back to the default float type."""
    global _dtype_policy
    _dtype_policy = name


def disable_traceback_filtering() -> None:
    """Shows all lines in tracebacks, also those inside jkeras and JAX; `JKERAS_FULL_TRACEBACK=1` does so from the start."""
    jax.config.update("jax_traceback_filtering", "off")


def enable_traceback_filtering() -> None:
    """Leaves the lines inside jkeras and JAX out of tracebacks, as is done unless told otherwise."""
    jax.config.update("jax_traceback_filtering", "auto")


def is_traceback_filtering_enabled() -> bool:
    """Whether lines inside jkeras and JAX are left out of tracebacks."""
    return str(jax.config.jax_traceback_filtering) != "off"  # type: ignore[attr-defined]


# One switch for both: JAX also reads its own from the environment at this point.
if os.environ.get("JKERAS_FULL_TRACEBACK", "0") not in ("", "0"):
    disable_traceback_filtering()


# Of modules that build on this one.
if _typing.TYPE_CHECKING:
    from jkeras.backend import backend as backend
    from jkeras.dtype_policies import dtype_policy as dtype_policy
    from jkeras.dtype_policies import set_dtype_policy as set_dtype_policy
else:
    _TABLE = _names_in({"jkeras.backend": "backend", "jkeras.dtype_policies": "dtype_policy set_dtype_policy"})
    __getattr__, __dir__ = _names_from(__name__, _TABLE)
