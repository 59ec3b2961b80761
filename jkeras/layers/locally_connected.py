"""Convolutions with a separate kernel at every position, which Keras had until version 3: for models from old files."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.errors import InputError
from jkeras.graph.shapes import show_shape
from jkeras.layers.convolution_base import (
    ACTIVATION,
    CONSTRAINT,
    DATA_FORMAT,
    INITIALIZER,
    REGULARIZER,
    SAME_OR_VALID,
    USE_BIAS,
    ZEROS,
    Convolution,
    per_axis,
)
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    DataFormatField,
    InitializerField,
    Num,
    RegularizerField,
    SizesField,
)
from jkeras.values.fields import field


class LocallyConnected1D(Convolution):
    """A convolution over time whose kernel differs from place to place.

    Args:
        filters: the number of outputs at each place.
        kernel_size: the size of the window.
        implementation: how the weights are laid out: 1 has `(places, window * channels, filters)`, 2 has a weight for every
            pair of input and output, 3 one for each pair that is connected.
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = per_axis(1, 1)
    padding: str = SAME_OR_VALID
    data_format: DataFormatField = DATA_FORMAT
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT
    implementation: int = field(default=1, convert=arguments.one_of(1, 2, 3))

    def __post_init__(self) -> None:
        """These have no dilation, whose combination with strides the base class checks."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        sizes = input_shape[2:] if self.channels_first else input_shape[1:-1]
        if None in sizes:
            raise InputError(f"{self._place}: the sizes of the input must be known, input {show_shape(input_shape)}.")
        channels = self._channels(input_shape)
        ins, outs = math.prod(size or 0 for size in sizes), self._new_sizes(sizes)
        window = _window(sizes, outs, self.kernel_size, self.strides, self.padding)
        shape: tuple[int, ...] = (math.prod(outs), window.shape[1] * channels, self.filters)
        if self.implementation == 2:
            sides = ((sizes, channels), (outs, self.filters))
            pairs = [(number, *places) if self.channels_first else (*places, number) for places, number in sides]
            shape = tuple(size or 0 for pair in pairs for size in pair)
        elif self.implementation == 3:
            shape = (int(np.sum(window < ins)) * channels * self.filters,)
        self.kernel: Array = self.add_weight(
            shape,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(*outs, self.filters)

    def _new_sizes(self, sizes: tuple[int | None, ...]) -> tuple[int, ...]:
        new_sizes = []
        for size, window, stride in zip(sizes, self.kernel_size, self.strides, strict=True):
            places = size or 0 if self.padding == "same" else (size or 0) - window + 1
            new_sizes.append(-(-places // stride))
        if min(new_sizes) < 1:
            raise InputError(
                f"{self._place}: the window {self.kernel_size} does not fit into an input of sizes {sizes}."
            )
        return tuple(new_sizes)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes filters"]:
        x = jnp.moveaxis(inputs, 1, -1) if self.channels_first else inputs
        sizes, channels = x.shape[1:-1], x.shape[-1]
        outs = self._new_sizes(sizes)
        window = _window(sizes, outs, self.kernel_size, self.strides, self.padding)
        # One additional position, with zeros, represents everything outside.
        flat = jnp.pad(x.reshape(x.shape[0], -1, channels), ((0, 0), (0, 1), (0, 0)))
        kernel = self._kernel_by_place(window, flat.shape[1] - 1, channels)
        y = jnp.einsum("bpwc,pwcf->bpf", flat[:, window], kernel)
        y = y.reshape(x.shape[0], *outs, self.filters)
        if self.use_bias:
            y = y + self.bias
        y = self.activation(y)
        return jnp.moveaxis(y, -1, 1) if self.channels_first else y

    def _kernel_by_place(self, window: np.ndarray, ins: int, channels: int) -> jax.Array:
        """The kernel as `(place, window, channels, filters)`."""
        places, size = window.shape
        kernel = self.kernel
        if self.implementation == 1:
            if self.channels_first:
                return kernel.reshape(places, channels, size, self.filters).swapaxes(1, 2)
            return kernel.reshape(places, size, channels, self.filters)
        if self.implementation == 2:
            if self.channels_first:
                kernel = kernel.reshape(channels, ins, self.filters, places).transpose(1, 0, 3, 2)
            kernel = kernel.reshape(ins, channels, places, self.filters)
            kernel = jnp.pad(kernel, ((0, 1), (0, 0), (0, 0), (0, 0)))
            return kernel[window, :, np.arange(places)[:, None], :]
        order = _sparse_order(window, ins, channels, self.filters, self.channels_first)
        return jnp.pad(kernel, (0, 1))[order]


class LocallyConnected2D(LocallyConnected1D):
    """A convolution over images whose kernel differs from place to place; see `LocallyConnected1D`."""

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = per_axis(2, (1, 1))


def _window(
    sizes: tuple[int | None, ...],
    outs: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
) -> np.ndarray:
    """For each place of the output, the places of the input that it sees, `(outputs, window)`; their number for outside."""
    known = [size or 0 for size in sizes]
    axes = []
    for out, width, stride in zip(outs, kernel, strides, strict=True):
        start = np.arange(out) * stride - (width // 2 if padding == "same" else 0)
        axes.append(start[:, None] + np.arange(width))
    places = np.zeros((math.prod(outs), math.prod(kernel)), np.int64)
    for place, position in enumerate(itertools.product(*map(range, outs))):
        window = itertools.product(*(axis[at] for axis, at in zip(axes, position, strict=True)))
        for offset, point in enumerate(window):
            inside = all(0 <= p < size for p, size in zip(point, known, strict=True))
            places[place, offset] = np.ravel_multi_index(point, known) if inside else math.prod(known)
    return places


def _sparse_order(window: np.ndarray, ins: int, channels: int, filters: int, channels_first: bool) -> np.ndarray:
    """Where in the vector of all weights, sorted by output and input, each one is; behind its end for those that are not."""
    places, _ = window.shape
    place = np.arange(places)[:, None, None, None]
    point, channel, filter_ = window[:, :, None, None], np.arange(channels)[:, None], np.arange(filters)
    output = filter_ * places + place if channels_first else place * filters + filter_
    source = channel * ins + point if channels_first else point * channels + channel
    keys = np.broadcast_to(output * (ins * channels) + source, (*window.shape, channels, filters))
    inside = np.broadcast_to(point < ins, keys.shape)
    order = np.full(keys.shape, int(np.sum(inside)), np.int64)
    ranks = np.empty(order.max(), np.int64)
    ranks[np.argsort(keys[inside])] = np.arange(len(ranks))
    order[inside] = ranks
    return order
