"""Pooling: windows, whole axes, or a fixed number of windows.

Each family has one class that does the work; the public classes differ in rank and in what they take from a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config, lowering
from jkeras.allowance import OPERATION, charge
from jkeras.errors import InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import show_shape
from jkeras.types import Array, Bool, DataFormatField, Num, OptionalSizesField, SizesField
from jkeras.values.fields import field

DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)
PADDING: Any = field(default="valid", convert=arguments.one_of("valid", "same"))


class _Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    pool_size: SizesField
    strides: OptionalSizesField
    padding: str
    data_format: DataFormatField
    output_size: SizesField


class _Spatial(_Attributes, Layer):
    """Base of layers over `rank` spatial axes."""

    mixes_samples: ClassVar[bool | None] = False
    rank: ClassVar[int]

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    @property
    def channels_first(self) -> bool:
        """Whether channels come before the spatial axes."""
        return self.data_format == "channels_first"

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes that are pooled over."""
        first = 2 if self.channels_first else 1
        return tuple(range(first, first + self.rank))


class _Pooling(_Spatial):
    """A window moves over the spatial axes."""

    pool: ClassVar[Callable[..., jax.Array]]

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    def __post_init__(self) -> None:
        if self.strides is None:
            self.strides = self.pool_size

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes channels"]:
        outputs = type(self).pool(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            channels_first=self.channels_first,
        )
        if 0 in outputs.shape[1:]:
            raise InputError(
                f"{self._place} ({type(self).__name__}) has windows of {show_shape(self.pool_size)}, which do not fit into an"
                f" input of shape {show_shape(inputs.shape)}. Use padding='same' or a smaller pool_size."
            )
        return outputs


class MaxPooling1D(_Pooling):
    """The largest value of each window of `(batch, time, channels)`.

    Shapes: `(batch, time, channels)` to `(batch, new_time, channels)`.

    Args:
        pool_size: the size of the window.
        strides: the stride of the window; None means the size of the window.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".

    Raises:
        InputError: the input has another rank, or no window fits into it.

    >>> MaxPooling1D(2).compute_output_shape((None, 10, 4))
    (None, 5, 4)
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[Callable[..., jax.Array]] = lowering.max_pool

    pool_size: SizesField = field(default=2, convert=arguments.ints(1))
    strides: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(1)))
    padding: str = PADDING
    data_format: DataFormatField = DATA_FORMAT
    name: str | None = None


class MaxPooling2D(MaxPooling1D):
    """The largest value of each window of images.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, channels)`.

    >>> MaxPooling2D(2).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    rank: ClassVar[int] = 2

    pool_size: SizesField = field(default=(2, 2), convert=arguments.ints(2))
    strides: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(2)))


class MaxPooling3D(MaxPooling1D):
    """The largest value of each window of volumes.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, new_depth, new_height, new_width, channels)`.

    >>> MaxPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank: ClassVar[int] = 3

    pool_size: SizesField = field(default=(2, 2, 2), convert=arguments.ints(3))
    strides: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(3)))


class AveragePooling1D(MaxPooling1D):
    """The mean of each window of `(batch, time, channels)`; padding does not count.

    >>> AveragePooling1D(2)(jnp.array([[[1.0], [3.0], [5.0], [7.0]]])).tolist()
    [[[2.0], [6.0]]]
    """

    pool: ClassVar[Callable[..., jax.Array]] = lowering.average_pool

    pool_size: SizesField = field(convert=arguments.ints(1))


class AveragePooling2D(MaxPooling2D):
    """The mean of each window of images; padding does not count.

    >>> AveragePooling2D(2).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    pool: ClassVar[Callable[..., jax.Array]] = lowering.average_pool

    pool_size: SizesField = field(convert=arguments.ints(2))


class AveragePooling3D(MaxPooling3D):
    """The mean of each window of volumes; padding does not count.

    >>> AveragePooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    pool: ClassVar[Callable[..., jax.Array]] = lowering.average_pool

    pool_size: SizesField = field(convert=arguments.ints(3))


class _GlobalPooling(_Spatial):
    """Reduces the spatial axes to one value."""

    reduce: ClassVar[Callable[..., jax.Array]]

    data_format: DataFormatField = DATA_FORMAT
    keepdims: bool = field(default=False, convert=arguments.boolean)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *pooled"]:
        return type(self).reduce(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest value over time.

    Shapes: `(batch, time, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalMaxPooling1D()(jnp.array([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[3.0, 4.0]]
    """

    rank: ClassVar[int] = 1
    reduce: ClassVar[Callable[..., jax.Array]] = jnp.max


class GlobalMaxPooling2D(GlobalMaxPooling1D):
    """The largest value over each image.

    Shapes: `(batch, height, width, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalMaxPooling2D()(jnp.arange(4.0).reshape(1, 2, 2, 1)).tolist()
    [[3.0]]
    """

    rank: ClassVar[int] = 2


class GlobalMaxPooling3D(GlobalMaxPooling1D):
    """The largest value over each volume.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalMaxPooling3D()(jnp.arange(8.0).reshape(1, 2, 2, 2, 1)).tolist()
    [[7.0]]
    """

    rank: ClassVar[int] = 3


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over time; masked steps do not count.

    Shapes: `(batch, time, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalAveragePooling1D()(jnp.array([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[2.0, 3.0]]
    """

    rank: ClassVar[int] = 1
    reduce: ClassVar[Callable[..., jax.Array]] = jnp.mean
    supports_masking: ClassVar[bool] = True

    def call(
        self, inputs: Num[Array, "batch *sizes channels"], mask: Bool[Array, "batch steps"] | None = None
    ) -> Num[Array, "batch *pooled"]:
        if mask is None:
            return super().call(inputs)
        valid = mask.astype(bool)[..., None]
        if self.channels_first:
            valid = jnp.swapaxes(valid, 1, 2)
        axis = self.spatial_axes[0]
        # Masked values may be infinite or NaN.
        total = jnp.sum(jnp.where(valid, inputs, 0), axis=axis, keepdims=self.keepdims)
        return total / jnp.sum(valid, axis=axis, keepdims=self.keepdims, dtype=inputs.dtype)

    def compute_mask(self, inputs: jax.Array, previous_mask: Bool[Array, "batch steps"] | None) -> None:
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean over each image.

    Shapes: `(batch, height, width, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalAveragePooling2D()(jnp.arange(4.0).reshape(1, 2, 2, 1)).tolist()
    [[1.5]]
    """

    rank: ClassVar[int] = 2
    reduce: ClassVar[Callable[..., jax.Array]] = jnp.mean


class GlobalAveragePooling3D(GlobalAveragePooling2D):
    """The mean over each volume.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, channels)`, or with axes of size 1 if `keepdims`.

    >>> GlobalAveragePooling3D()(jnp.arange(8.0).reshape(1, 2, 2, 2, 1)).tolist()
    [[3.5]]
    """

    rank: ClassVar[int] = 3


class _AdaptivePooling(_Spatial):
    """Divides each spatial axis into a fixed number of windows of nearly equal size, which may overlap by one."""

    reduce: ClassVar[Callable[..., jax.Array]]

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes channels"]:
        outputs = inputs
        for axis, count in zip(self.spatial_axes, self.output_size, strict=True):
            size = inputs.shape[axis]
            charge(count, "windows of a pooling layer", OPERATION)
            windows = []
            for i in range(count):
                start, stop = i * size // count, -(-(i + 1) * size // count)
                window = jax.lax.slice_in_dim(outputs, start, stop, axis=axis)
                windows.append(type(self).reduce(window, axis=axis, keepdims=True))
            outputs = jnp.concatenate(windows, axis=axis)
        return outputs


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """The means of `output_size` windows over time.

    Shapes: `(batch, time, channels)` to `(batch, output_size, channels)`.

    Args:
        output_size: the number of windows: one number, or one for each axis.

    >>> AdaptiveAveragePooling1D(2).compute_output_shape((None, 4, 3))
    (None, 2, 3)
    """

    rank: ClassVar[int] = 1
    reduce: ClassVar[Callable[..., jax.Array]] = jnp.mean

    output_size: SizesField = field(convert=arguments.ints(1))
    data_format: DataFormatField = DATA_FORMAT


class AdaptiveAveragePooling2D(AdaptiveAveragePooling1D):
    """The means of `output_size` windows over each image.

    Shapes: `(batch, height, width, channels)` to `(batch, *output_size, channels)`.

    >>> AdaptiveAveragePooling2D(2).compute_output_shape((None, 8, 8, 3))
    (None, 2, 2, 3)
    """

    rank: ClassVar[int] = 2

    output_size: SizesField = field(convert=arguments.ints(2))


class AdaptiveAveragePooling3D(AdaptiveAveragePooling1D):
    """The means of `output_size` windows over each volume.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, *output_size, channels)`.

    >>> AdaptiveAveragePooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 2, 2, 2, 3)
    """

    rank: ClassVar[int] = 3

    output_size: SizesField = field(convert=arguments.ints(3))


class AdaptiveMaxPooling1D(AdaptiveAveragePooling1D):
    """The largest values of `output_size` windows over time.

    >>> AdaptiveMaxPooling1D(2).compute_output_shape((None, 4, 3))
    (None, 2, 3)
    """

    reduce: ClassVar[Callable[..., jax.Array]] = jnp.max


class AdaptiveMaxPooling2D(AdaptiveAveragePooling2D):
    """The largest values of `output_size` windows over each image.

    >>> AdaptiveMaxPooling2D(2).compute_output_shape((None, 8, 8, 3))
    (None, 2, 2, 3)
    """

    reduce: ClassVar[Callable[..., jax.Array]] = jnp.max


class AdaptiveMaxPooling3D(AdaptiveAveragePooling3D):
    """The largest values of `output_size` windows over each volume.

    >>> AdaptiveMaxPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 2, 2, 2, 3)
    """

    reduce: ClassVar[Callable[..., jax.Array]] = jnp.max


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

__all__ = [
    *(f"{kind}Pooling{rank}D" for kind in ("Max", "Average", "GlobalMax", "GlobalAverage") for rank in (1, 2, 3)),
    *(f"{kind}Pool{rank}D" for kind in ("Max", "Avg", "GlobalMax", "GlobalAvg") for rank in (1, 2, 3)),
    *(f"Adaptive{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)),
]
