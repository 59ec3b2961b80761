"""Which type a layer computes in and which type it keeps its weights in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, DTypeError, suggestion
from jkeras.types import DTypeLike, DTypePolicyLike
from jkeras.values.spec import Spec

FLOATS = ("bfloat16", "float16", "float32", "float64")
OTHERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool", "complex64", "string")
MIXED = ("mixed_bfloat16", "mixed_float16")
QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


def at_least_float32(dtype: DTypeLike) -> np.dtype[Any]:
    """The type in which sums and statistics of numbers are exact enough: 32 bits or more.

    >>> at_least_float32("bfloat16"), at_least_float32("float32"), at_least_float32("int32")
    (dtype('float32'), dtype('float32'), dtype('float32'))
    """
    dtype = jnp.dtype(dtype)
    exact = jnp.issubdtype(dtype, jnp.inexact) and jnp.finfo(dtype).bits >= 32
    return dtype if exact else np.dtype("float32")


def array_dtype(value: object) -> np.dtype[Any]:
    """The type of an array's elements that a name, a type or a `numpy.dtype` means.

    >>> array_dtype("bfloat16").name, array_dtype(float).name
    ('bfloat16', 'float64')

    Raises:
        ArgumentError: it means none.
    """
    dtype = _dtype(value)
    if dtype is None:
        hint = suggestion(value, FLOATS + OTHERS) if isinstance(value, str) else ""
        raise ArgumentError(f"expected a dtype, such as 'float32'.{hint}")
    return dtype


def _dtype(value: object) -> np.dtype[Any] | None:
    # NumPy also accepts None, lists and dicts as dtypes.
    if value is None or isinstance(value, (list, tuple, dict)):
        return None
    try:
        return np.dtype(cast(DTypeLike, value))
    except (TypeError, ValueError):
        return None


def _policy_name(value: object) -> str:
    if isinstance(value, str):
        name = value
    else:
        dtype = _dtype(value)
        if dtype is None:
            raise ArgumentError(f"expected a dtype or policy name.{suggestion('', FLOATS + MIXED + OTHERS)}")
        name = dtype.name
    if name not in FLOATS + OTHERS + MIXED:
        raise ArgumentError(f"expected a dtype or policy name.{suggestion(name, FLOATS + MIXED + OTHERS)}")
    return name


class DTypePolicy(Spec):
    """A compute type and a weight type, as in `keras.DTypePolicy`.

    `"float32"` and the like use one type for both; `"mixed_bfloat16"` and `"mixed_float16"` compute in 16 bits and keep
    weights in float32.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype, DTypePolicy("mixed_bfloat16").variable_dtype
    ('bfloat16', 'float32')
    """

    keras_module = "keras"

    name: str = "float32"

    def __post_init__(self) -> None:
        try:
            self.name = _policy_name(self.name)
        except ArgumentError as error:
            raise ArgumentError(f"DTypePolicy(name={self.name!r}): {error}") from None

    @property
    def compute_dtype(self) -> str:
        """The type of a layer's arithmetic and output."""
        return self.name.removeprefix("mixed_")

    @property
    def variable_dtype(self) -> str:
        """The type that weights are kept in."""
        return "float32" if self.name in MIXED else self.name

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantised; None is not at all."""
        return None


class QuantizedDTypePolicy(DTypePolicy, own_arguments=True):
    """A policy whose weights are quantised; the other types are those of a policy without.

    Args:
        mode: "int8", "int4", "float8", "gptq" or "awq"; the sizes of the last two and of "int4" are part of it, as in
            "gptq/4/128" and "int4/128".
        source_name: the policy without quantisation; None is the default policy.

    Raises:
        ArgumentError: the mode is unknown, or does not go with the type.

    >>> QuantizedDTypePolicy("int8", "mixed_bfloat16").name
    'int8_from_mixed_bfloat16'
    """

    keras_module = "keras.dtype_policies"
    # The sizes that a mode states behind slashes, each with what it may be.
    _sizes: ClassVar[Mapping[str, tuple[int, ...]]] = {}

    mode: str  # type: ignore[misc] # the base class's argument is not inherited
    source_name: str | None = None

    def __post_init__(self) -> None:
        self.source_name = _policy_name(config.dtype_policy_name() if self.source_name is None else self.source_name)
        base = str(self.mode).partition("/")[0]
        if not isinstance(self.mode, str) or base not in QUANTIZATION_MODES or not self._has_sizes():
            raise ArgumentError(
                f"{type(self).__name__}(mode={self.mode!r}): Invalid quantization mode. Expected one of {QUANTIZATION_MODES}"
                f"{self._expected()}. Received: mode={self.mode}."
            )
        if base == "int8" and self.compute_dtype == "float16":
            raise ArgumentError(
                f"{type(self).__name__}: Quantization mode='int8' doesn't work well with compute_dtype='float16'."
                " Take 'mixed_bfloat16'."
            )

    def _expected(self) -> str:
        if not self._sizes:
            return ""
        return f" with sizes, such as '{'/'.join([self._base, *(str(values[-1]) for values in self._sizes.values())])}'"

    _base: ClassVar[str] = ""

    def _has_sizes(self) -> bool:
        base, *sizes = self.mode.split("/")
        if (self._base and base != self._base) or len(sizes) != len(self._sizes):
            return False
        for size, allowed in zip(sizes, self._sizes.values(), strict=True):
            number = int(size) if re.fullmatch(r"-?\d+", size) else 0
            if number not in allowed and not (-1 in allowed and number > 0):
                return False
        return True

    @property
    def sizes(self) -> dict[str, int]:
        """What the mode states behind slashes, by name."""
        return dict(zip(self._sizes, map(int, self.mode.split("/")[1:]), strict=True))

    @property  # type: ignore[misc]
    def name(self) -> str:  # type: ignore[override]
        """What the policy is called."""
        return f"{self.mode}_from_{self.source_name}"

    @property
    def quantization_mode(self) -> str | None:
        return self.mode.partition("/")[0]

    @property
    def compute_dtype(self) -> str:
        return str(self.source_name).removeprefix("mixed_")

    @property
    def variable_dtype(self) -> str:
        return "float32" if self.source_name in MIXED else str(self.source_name)


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """A policy of products in floats of 8 bits.

    Args:
        mode: "float8".
        source_name: the policy without quantisation; None is the default policy.
        amax_history_length: over how many steps the largest value counts.
    """

    default_amax_history_length: ClassVar[int] = 1024

    mode: str  # type: ignore[misc]
    source_name: str | None = None
    amax_history_length: int = 1024

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.amax_history_length, bool) or not isinstance(self.amax_history_length, int):
            raise DTypeError(
                "QuantizedFloat8DTypePolicy: `amax_history_length` must be an integer."
                f" Received: amax_history_length={self.amax_history_length}."
            )


class Int4DTypePolicy(QuantizedDTypePolicy):  # type: ignore[misc]
    """A policy of weights of 4 bits.

    Args:
        mode: "int4/" and the number of inputs that share a scale; -1 is all.
        source_name: the policy without quantisation; None is the default policy.

    >>> Int4DTypePolicy("int4/128", "float32").block_size
    128
    """

    _base: ClassVar[str] = "int4"
    _sizes: ClassVar[Mapping[str, tuple[int, ...]]] = {"block_size": (-1, 128)}

    @property
    def block_size(self) -> int:
        """How many inputs share a scale; -1 is all."""
        return self.sizes["block_size"]


class GPTQDTypePolicy(QuantizedDTypePolicy):  # type: ignore[misc]
    """A policy of weights that GPTQ rounded.

    Args:
        mode: "gptq/", the bits (2, 3, 4 or 8), "/" and the number of inputs that share a scale; -1 is all.
        source_name: the policy without quantisation; None is the default policy.

    >>> GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
    4
    """

    _base: ClassVar[str] = "gptq"
    _sizes: ClassVar[Mapping[str, tuple[int, ...]]] = {"weight_bits": (2, 3, 8, 4), "group_size": (-1, 128)}

    @property
    def weight_bits(self) -> int:
        """How many bits a weight has."""
        return self.sizes["weight_bits"]

    @property
    def group_size(self) -> int:
        """How many inputs share a scale; -1 is all."""
        return self.sizes["group_size"]


class AWQDTypePolicy(GPTQDTypePolicy):  # type: ignore[misc]
    """A policy of weights that AWQ rounded.

    Args:
        mode: "awq/4/" and the number of inputs that share a scale; -1 is all.
        source_name: the policy without quantisation; None is the default policy.
    """

    _base: ClassVar[str] = "awq"
    _sizes: ClassVar[Mapping[str, tuple[int, ...]]] = {"weight_bits": (4,), "group_size": (-1, 128)}


# The class for each mode, and for a mode that states sizes.
_QUANTIZED: dict[str, tuple[type[QuantizedDTypePolicy], ...]] = {
    "int8": (QuantizedDTypePolicy, QuantizedDTypePolicy),
    "int4": (QuantizedDTypePolicy, Int4DTypePolicy),
    "float8": (QuantizedFloat8DTypePolicy, QuantizedFloat8DTypePolicy),
    "gptq": (GPTQDTypePolicy, GPTQDTypePolicy),
    "awq": (AWQDTypePolicy, AWQDTypePolicy),
}
_CLASSES: dict[str, type[DTypePolicy]] = {"DTypePolicy": DTypePolicy}
_CLASSES.update({cls.__name__: cls for pair in _QUANTIZED.values() for cls in pair})


def quantized_class(name: str) -> tuple[str, str, str]:
    """The parts of a quantised policy's name: its class, its mode and the policy without quantisation.

    Raises:
        ArgumentError: it is not such a name.

    >>> quantized_class("int4/128_from_float32")
    ('Int4DTypePolicy', 'int4/128', 'float32')
    """
    mode, separator, source = name.partition("_from_")
    classes = _QUANTIZED.get(mode.partition("/")[0])
    if not separator or classes is None or "_from_" in source:
        raise ArgumentError(
            "expected a quantized policy, such as 'int8_from_float32'. Cannot convert `policy` into a valid pair (`mode`,"
            f" `source_name`) to instantiate `QuantizedDTypePolicy`. Received: policy={name}."
        )
    return classes["/" in mode].__name__, mode, source


def get(identifier: DTypePolicyLike) -> DTypePolicy | None:
    """The policy that a layer's `dtype` argument means; None leaves the choice to the model around the layer.

    Raises:
        ArgumentError: it means none.
    """
    if isinstance(identifier, Mapping):
        return _configured(identifier)
    if identifier is None:
        name = config.dtype_policy_name()
        return None if name == "float32" else DTypePolicy(name)
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, str) and identifier.startswith(QUANTIZATION_MODES) and identifier not in OTHERS:
        class_name, mode, source = quantized_class(identifier)
        return cast("type[QuantizedDTypePolicy]", _CLASSES[class_name])(mode, source)
    return DTypePolicy(_policy_name(identifier))


def _configured(identifier: Mapping[str, Any]) -> DTypePolicy | None:
    config = identifier.get("config")
    cls = _CLASSES.get(str(identifier.get("class_name")), DTypePolicy)
    if issubclass(cls, QuantizedDTypePolicy) and isinstance(config, Mapping):
        return cls(**config)
    if not isinstance(config, Mapping) or "name" not in config:
        raise ArgumentError("expected a dtype, a policy name, or a policy's configuration")
    return get(cast("DTypePolicyLike", config["name"]))


def is_float(value: object) -> bool:
    """Whether an array-like has a floating type."""
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jnp.floating)
