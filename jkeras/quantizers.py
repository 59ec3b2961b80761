"""Quantizers, configurations of quantisation and their arithmetic: the names of `keras.quantizers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import registry
from jkeras.quantization.abs_max import abs_max_quantize as abs_max_quantize
from jkeras.quantization.abs_max import (
    abs_max_quantize_grouped_with_zero_point as abs_max_quantize_grouped_with_zero_point,
)
from jkeras.quantization.configs import AWQConfig as AWQConfig
from jkeras.quantization.configs import Float8QuantizationConfig as Float8QuantizationConfig
from jkeras.quantization.configs import GPTQConfig as GPTQConfig
from jkeras.quantization.configs import Int4QuantizationConfig as Int4QuantizationConfig
from jkeras.quantization.configs import Int8QuantizationConfig as Int8QuantizationConfig
from jkeras.quantization.configs import QuantizationConfig as QuantizationConfig
from jkeras.quantization.configs import get as get
from jkeras.quantization.fake_quantization import fake_quant_with_min_max_vars as fake_quant_with_min_max_vars
from jkeras.quantization.float8 import compute_float8_amax_history as compute_float8_amax_history
from jkeras.quantization.float8 import compute_float8_scale as compute_float8_scale
from jkeras.quantization.float8 import quantize_and_dequantize as quantize_and_dequantize
from jkeras.quantization.packing import pack_int4 as pack_int4
from jkeras.quantization.packing import unpack_int4 as unpack_int4
from jkeras.quantization.quantizers import AbsMaxQuantizer as AbsMaxQuantizer
from jkeras.quantization.quantizers import Quantizer as Quantizer
from jkeras.values.config import serialize as serialize_value


def serialize(quantizer: Any) -> Any:
    """The JSON-able form of a quantizer or a configuration."""
    return serialize_value(quantizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The quantizer or configuration that `serialize` described."""
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
