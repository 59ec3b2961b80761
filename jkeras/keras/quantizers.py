"""Quantizers, quantisation configurations and their functions, with the names of `keras.quantizers`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jkeras import quantizers
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.identifiers import Family
from jkeras.keras.layer_calibration import AWQ as AWQ
from jkeras.keras.layer_calibration import GPTQ as GPTQ
from jkeras.keras.mutable import Mutable, facade
from jkeras.keras.recorded import FunctionCall
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import unwrap
from jkeras.quantization import awq, configs, zero_points


class Quantizer(Mutable, quantizers.Quantizer):
    """Base of quantizers: a subclass defines `__call__(self, x)`.

    Args:
        output_dtype: the dtype of the integers.
    """

    def __init__(self, output_dtype: str = "int8"):
        self.output_dtype = output_dtype

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; subclasses define it.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        if self.is_facade():
            return super().get_config()
        raise NotImplementedError(f"{self} does not implement get_config()")


class QuantizationConfig(Mutable, quantizers.QuantizationConfig):
    """Base of configurations: a subclass has the property `mode`.

    Args:
        weight_quantizer: quantises weights to integers; None means the mode's default.
        activation_quantizer: quantises inputs to integers; None leaves them in floating point.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None):
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        own = self._arguments().items()
        return {name: None if name in self._data else serialize_keras_object(value) for name, value in own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Restores a configuration from `get_config()`."""
        return cls(**{name: deserialize_keras_object(value) for name, value in config.items()})


def _facades() -> dict[str, Any]:
    classes: dict[str, Any] = {"Quantizer": Quantizer, "QuantizationConfig": QuantizationConfig}
    for name, description in configs.TABLE.items():
        if name in classes or description.__name__ != name:
            continue
        base: Any = QuantizationConfig if issubclass(description, configs.QuantizationConfig) else Quantizer
        own = {key: getattr(description, key) for key in ("__init__",)}
        classes[name] = facade(description, base, __name__, **own)
        # Only this class's, not merged with those of the base.
        classes[name]._fields = description._fields
    return classes


TABLE = _facades()
globals().update(TABLE)
_NAMES = {key: TABLE[cls.__name__] for key, cls in configs.TABLE.items()}
FAMILY = Family("quantizer", _NAMES, (quantizers.Quantizer, quantizers.QuantizationConfig))  # type: ignore[arg-type]
serialize, deserialize = FAMILY.serializer("initializer"), FAMILY.deserialize


def get(identifier: Any, **kwargs: Any) -> Any:
    """The quantizer or configuration that a name, a dict, a class or an object means; None is returned as None.

    Raises:
        ArgumentError: it is none of these.
    """
    return FAMILY.get(identifier)


def validate_and_resolve_config(mode: str | None, config: Any) -> Any:
    """The configuration that `quantize(mode, config=config)` means.

    Raises:
        ArgumentError: the mode is unknown, contradicts the configuration, or needs one.
    """
    resolved = configs.resolved(mode, config)
    return resolved if resolved is config else TABLE[type(resolved).__name__]()


def _on_arrays(function: Callable[..., Any], is_operation: bool = False) -> Callable[..., Any]:
    """A function of arrays that also accepts variables, and symbolic tensors if it is an operation."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_operation and any_symbolic_tensors(args[:1]):
            return FunctionCall(lambda *tensors: function(*tensors, **kwargs))(*args)
        args, kwargs = jax.tree.map(unwrap, (args, kwargs))
        return function(*args, **kwargs)

    call.__module__ = __name__
    call.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return call


_FUNCTIONS = """abs_max_quantize abs_max_quantize_grouped_with_zero_point compute_float8_amax_history compute_float8_scale
pack_int4 quantize_and_dequantize unpack_int4""".split()
globals().update({name: _on_arrays(getattr(quantizers, name)) for name in _FUNCTIONS})
# Of Keras's inside, which libraries import, as they do `GPTQ` and `AWQ`.
globals().update({name: _on_arrays(getattr(module, name)) for module in (zero_points, awq) for name in module.__all__})
fake_quant_with_min_max_vars = _on_arrays(quantizers.fake_quant_with_min_max_vars, is_operation=True)

__all__ = sorted([*TABLE, *_FUNCTIONS, "fake_quant_with_min_max_vars", "get", "serialize", "deserialize"])
