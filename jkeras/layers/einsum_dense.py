"""A dense layer over any axes, described by an einsum equation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from jkeras import activations, arguments, constraints, initializers, regularizers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.shapes import show_shape
from jkeras.initializers.random import FanInitializer
from jkeras.layers.low_rank import ALPHA, RANK
from jkeras.layers.quantizable import CONFIG, QuantizableLayer
from jkeras.quantization.matrix import Contraction, Matrix
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    InitializerField,
    Num,
    RegularizerField,
    RegularizerLike,
)
from jkeras.values.fields import field

_FORM = re.compile(r"(?P<left>\.{3})?([a-zA-Z]+)(?P<right>\.{3})?,([a-zA-Z]+)->(?P<out_left>\.{3})?([a-zA-Z]+)(\.{3})?")


def _equation(value: object) -> str:
    message = "expected an equation such as 'ab,bc->ac', '...x,xy->...y' or 'ab...,bc->ac...'"
    match = _FORM.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
    if match is None or not isinstance(value, str):
        raise ArgumentError(message)
    left, inputs, right, kernel, out_left, outputs, out_right = match.groups()
    if (left, right) != (out_left, out_right) or (left and right):
        raise ArgumentError(f"{message}, with the dots on the same side of input and output")
    for letter in outputs:
        if letter not in inputs + kernel:
            raise ArgumentError(f"expected the output's axis {letter!r} in the input or the kernel")
    for letter in kernel:
        if letter not in inputs + outputs:
            raise ArgumentError(f"expected the kernel's axis {letter!r} in the input or the output")
    return value


def _partial_shape(value: object) -> tuple[int | None, ...]:
    return arguments.shape(value)


class EinsumDense(QuantizableLayer):
    """A fully connected layer over the axes that an equation names: `activation(einsum(equation, x, kernel) + bias)`.

    Shapes: as the equation says; `output_shape` has the sizes of the output's axes without the batch axis.

    Args:
        equation: letters for the axes of `input,kernel->output`; three dots stand for axes that stay as they are, all on
            the left or all on the right.
        output_shape: the sizes of the output's axes without the batch axis and those that dots stand for; None where the
            size is that of the input.
        activation: name or function; None is linear.
        bias_axes: the output's letters along which the bias varies; None for no bias.
        kernel_initializer: name, instance or function; the equation determines fan-in and fan-out.
        bias_initializer: likewise.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        kernel_constraint: a projection of the kernel after each update.
        bias_constraint: likewise for the bias.
        lora_rank: the rank of a trainable low-rank change that replaces training of the kernel; None trains the kernel.
        lora_alpha: the change counts `lora_alpha / lora_rank`; None is once.
        gptq_unpacked_column_size: in files of Keras; follows from the kernel here.
        quantization_config: how the kernel is quantised, if `dtype` is a quantised policy.

    Raises:
        ArgumentError: the equation has another form, or names an axis that it does not define.
        InputError: (when called) `output_shape` and the input's shape do not fit the equation.

    >>> EinsumDense("abc,cde->abde", (None, 4, 2), bias_axes="e").compute_output_shape((None, 7, 3))
    (None, 7, 4, 2)
    """

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

    equation: str = field(convert=_equation)
    output_shape: Any = field(convert=_partial_shape)
    activation: ActivationField = field(default=None, convert=activations.get)
    bias_axes: str | None = field(default=None, convert=arguments.optional(arguments.text))
    kernel_initializer: InitializerField = field(default="glorot_uniform", convert=initializers.get)
    bias_initializer: InitializerField = field(default="zeros", convert=initializers.get)
    kernel_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    bias_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    kernel_constraint: ConstraintField = field(default=None, convert=constraints.get)
    bias_constraint: ConstraintField = field(default=None, convert=constraints.get)
    lora_rank: int | None = RANK
    lora_alpha: float | None = ALPHA
    gptq_unpacked_column_size: int | None = field(
        default=None, convert=arguments.optional(arguments.positive_int), in_config=False
    )
    quantization_config: Any = CONFIG
    activity_regularizer: RegularizerField = field(default=None, convert=regularizers.get, kw_only=True)

    @property
    def mixes_samples(self) -> bool | None:  # type: ignore[override]
        inputs, kernel, outputs = self.axis_letters
        return not self.equation.startswith("...") and (inputs[0] != outputs[0] or inputs[0] in kernel)

    def __post_init__(self) -> None:
        for letter in self.bias_axes or "":
            if letter not in self.axis_letters[2]:
                raise ArgumentError(
                    f"EinsumDense(bias_axes={self.bias_axes!r}): {letter!r} is not an axis of the output in"
                    f" {self.equation!r}."
                )

    @property
    def axis_letters(self) -> tuple[str, str, str]:
        """The named axes of input, kernel and output."""
        inputs, kernel, outputs = re.split(",|->", re.sub(r"[. ]", "", self.equation))
        return inputs, kernel, outputs

    def _sizes(self, input_shape: tuple[int | None, ...]) -> dict[str, int | None]:
        """The size of each named axis."""
        inputs, _, outputs = self.axis_letters
        hidden = len(input_shape) - len(inputs)
        left = self.equation.startswith("...")
        # An ellipsis on the left includes the batch axis; otherwise that is the output's first letter.
        full_output = self.output_shape if left and hidden else (input_shape[0], *self.output_shape)
        if hidden < 0 or ("..." not in self.equation and hidden) or len(full_output) != len(outputs):
            raise InputError(
                f"{self._place} (EinsumDense) computes {self.equation!r} with output_shape={self.output_shape} (without the"
                f" batch axis and the axes of dots), which does not fit an input of shape {show_shape(input_shape)}."
            )
        input_sizes = dict(zip(inputs, input_shape[hidden:] if left else input_shape, strict=False))
        sizes = dict(input_sizes)
        for letter, size in zip(outputs, full_output, strict=True):
            if size is not None and input_sizes.get(letter, size) != size:
                raise InputError(
                    f"{self._place} (EinsumDense): axis {letter!r} of {self.equation!r} has size {input_sizes[letter]} in the"
                    f" input of shape {show_shape(input_shape)} and {size} in output_shape={self.output_shape}."
                )
            sizes[letter] = size if size is not None else input_sizes.get(letter)
        return sizes

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        inputs, kernel, outputs = self.axis_letters
        sizes = self._sizes(input_shape)
        initializer = self.kernel_initializer
        if isinstance(initializer, FanInitializer) and None in (initializer.input_axes, initializer.output_axes):
            initializer = initializer.replace(
                input_axes=[i for i, letter in enumerate(kernel) if letter not in outputs],
                output_axes=[i for i, letter in enumerate(kernel) if letter in outputs],
            )
        shape: Any = tuple(sizes[letter] for letter in kernel)
        self._matrix = self._einsum_matrix(shape, len(input_shape))
        self._add_matrix(self._matrix, initializer)
        if self.bias_axes is not None:
            first = min((outputs.index(letter) for letter in self.bias_axes), default=len(outputs))
            bias = [sizes[letter] if letter in self.bias_axes else 1 for letter in outputs[first:]]
            if not self.equation.startswith("..."):
                bias += [1] * (len(input_shape) - len(inputs))
            self.bias: Array = self.add_weight(
                tuple(bias),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self._add_beside(self._matrix)
        self._add_adapters(self._matrix.shape)

    def _einsum_matrix(self, shape: tuple[int, ...], rank: int) -> Matrix:
        product = Contraction.of(self.equation, rank)
        return Matrix("kernel", shape, product.summed, product.order, product.sizes_in_output(shape))

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        return [self._einsum_matrix(shapes["kernel"], len(self.axis_letters[0]) + ("..." in self.equation))]

    def call(
        self, inputs: Num[Array, "batch *features"], training: bool | None = None
    ) -> Num[Array, "batch *new_features"]:
        if self.quantization_mode is None:
            outputs = jnp.einsum(self.equation, inputs, self._with_adapters(self.kernel))
        else:
            outputs = self.quantized_product(self._matrix, self.equation, inputs, training)
        if self.bias_axes is not None:
            outputs = outputs + self._shown_bias(self.bias)
        return self.activation(outputs)


__all__ = ["EinsumDense"]
