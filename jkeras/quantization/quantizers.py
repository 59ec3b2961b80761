"""Quantizers of weights and activations as immutable values: `AbsMaxQuantizer` and its base class."""

from __future__ import annotations

from typing import Any

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.quantization.abs_max import EPSILON, INT8, abs_max_quantize
from jkeras.types import Array, ArrayLike, Axis
from jkeras.values.fields import field
from jkeras.values.spec import Spec


class Quantizer(Spec):
    """Base of quantizers: `quantizer(x)` quantises `x`. The base class returns `x` unchanged.

    Args:
        output_dtype: the dtype of the integers.
    """

    keras_module = "keras.quantizers"

    output_dtype: str = "int8"

    def __call__(self, x: ArrayLike) -> Any:
        return x


def _axes(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    axes = arguments.integers(value)
    return axes if isinstance(axes, tuple) else (axes,)


def _range(value: Any) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not value[0] < value[1]:
        raise ArgumentError("expected the smallest and largest integer, such as (-127, 127)")
    return value[0], value[1]


class AbsMaxQuantizer(Quantizer, own_arguments=True):
    """Scales by the largest absolute value; see `abs_max_quantize`.

    Args:
        axis: the axes that share a scale; None means that calls pass them.
        value_range: the smallest and the largest integer.
        epsilon: keeps the scale of zeros finite.
        output_dtype: the dtype of the integers.

    Raises:
        ArgumentError: the range does not fit into the dtype.

    >>> import numpy as np
    >>> quantized, scale = AbsMaxQuantizer()(np.array([[0.4, 1.0]], "float32"))
    >>> quantized.tolist()
    [[51, 127]]
    """

    axis: Any = field(default=None, convert=_axes)
    value_range: Any = field(default=INT8, convert=_range)
    epsilon: float = field(default=EPSILON, convert=arguments.non_negative)
    output_dtype: str = "int8"

    def __post_init__(self) -> None:
        if self.output_dtype == "int8" and (self.value_range[0] < -128 or self.value_range[1] > 127):
            raise ArgumentError(
                f"AbsMaxQuantizer(value_range={self.value_range}): Quantizer with output_dtype='int8' requires value_range to"
                f" be within the interval [-128, 127]. Received: value_range={self.value_range}."
            )

    def __call__(self, x: ArrayLike, axis: Axis | None = None, to_numpy: bool = False) -> tuple[Array, Array]:
        """The integers, and the scale with axes of size 1.

        Args:
            x: floats.
            axis: the axes that share a scale; None takes those of the constructor, or else the last axis.
            to_numpy: whether to compute on the host.
        """
        own = -1 if self.axis is None else self.axis
        axis = own if axis is None else axis
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self.axis is not None else {key: value for key, value in config.items() if key != "axis"}


__all__ = ["AbsMaxQuantizer", "Quantizer"]
