"""The base of layers whose weights can be quantised.

A layer says in `build` which of its weights are matrices, and computes through `quantized_product` and `_rows`. What a
policy makes of them is in `jkeras.quantization.modes`; neither this file nor the layers contain code for a mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax.numpy as jnp

from jkeras import dtypes
from jkeras.errors import ArgumentError, UnsupportedError
from jkeras.graph.in_files import InFiles
from jkeras.layers.low_rank import ALPHA, RANK, LowRankLayer, from_file, to_file
from jkeras.quantization import configs
from jkeras.quantization.matrix import Contraction, Matrix
from jkeras.quantization.modes import Declared, Mode, Use
from jkeras.quantization.table import MODES
from jkeras.types import Array
from jkeras.values.fields import field

CONFIG: Any = field(default=None, convert=configs.get)


# The arguments that make up the form of a layer.
FORM: dict[str, Any] = {
    "dtype": field(default=None, convert=dtypes.get),
    "quantization_config": CONFIG,
    "lora_rank": RANK,
    "lora_alpha": ALPHA,
}


class QuantizableAttributes:
    """What the classes declare as arguments, each in Keras's place (see `jkeras.values.fields`)."""

    quantization_config: Any


class QuantizableLayer(QuantizableAttributes, LowRankLayer):
    """A layer with matrices that a quantised policy keeps in few bits."""

    _in_files: ClassVar[InFiles] = InFiles(
        order=tuple(
            """kernel bias quantized_kernel inputs_scale inputs_amax_history kernel_scale kernel_amax_history
            outputs_grad_scale outputs_grad_amax_history kernel_zero awq_scales embeddings embeddings_scale embeddings_zero
            g_idx reverse_embeddings reverse_embeddings_scale reverse_embeddings_zero""".split()
        ),
        left_out=("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b"),
        to_file=to_file,
        from_file=from_file,
    )
    # The modes that Keras has for layers of the class.
    quantization_modes: ClassVar[tuple[str, ...]] = tuple(MODES)
    # What makes integers of inputs where the policy alone says that the layer is quantised; None leaves that to the mode.
    _activations: ClassVar[Any] = None

    @property
    def _mode(self) -> Mode | None:
        """How weights are quantised; None is not at all."""
        name = self.quantization_mode
        if name is None:
            return None
        self._check_mode(name)
        return MODES[name]

    @property
    def _form_policy(self) -> Any:
        """The policy whose sizes count."""
        mode = self._mode
        return self.dtype_policy if mode is None else mode.sized(self.dtype_policy, self.quantization_config)

    def _check_mode(self, name: str) -> None:
        if name not in self.quantization_modes:
            raise UnsupportedError(
                f"{self._place} ({type(self).__name__}): Invalid quantization mode. Expected one of {self.quantization_modes}."
                f" Received: quantization_mode={name}."
            )

    def _add_matrix(self, matrix: Matrix, initializer: Any, **options: Any) -> None:
        """Creates a weight in the form that the policy requires."""
        mode, policy = self._mode, self._form_policy
        stored = None if mode is None else mode.stored(matrix, policy)
        if stored is not None:
            self._add_declared(stored)
        elif matrix.name == self._adapted:
            self._add_adapted(matrix.shape, initializer, **options)
        else:
            setattr(self, matrix.name, self.add_weight(matrix.shape, initializer, name=matrix.name, **options))

    def _add_beside(self, matrix: Matrix) -> None:
        """Creates what the policy stores besides a weight."""
        mode = self._mode
        for declared in () if mode is None else mode.others(matrix, self._form_policy):
            self._add_declared(declared)

    def _add_declared(self, declared: Any) -> None:
        weight = self.add_weight(
            declared.shape,
            declared.initializer,
            dtype=declared.dtype,
            trainable=declared.overwritten,
            autocast=not declared.overwritten,
            overwrite_with_gradient=declared.overwritten,
            name=declared.name,
        )
        setattr(self, declared.name, weight)

    def _stored_arrays(self, matrix: Matrix) -> dict[str, Any]:
        """The weights that a matrix is made of."""
        return {name: getattr(self, name) for name in self._stored_names(matrix)}

    def _stored_names(self, matrix: Matrix) -> list[str]:
        mode: Any = self._mode
        stored = mode.stored(matrix, self._form_policy)
        beside = mode.others(matrix, self._form_policy)
        names = [matrix.name if stored is None else stored.name, *(declared.name for declared in beside)]
        if not matrix.owns_groups and any(name.endswith("_zero") for name in names):
            names.append("g_idx")
        return names

    def _use(self) -> Use:
        mode: Any = self._mode
        config = self.quantization_config
        default = self._activations if self._activations is not None else mode.activations
        quantizer = default if config is None else config.activation_quantizer
        return Use(self._form_policy, config, quantizer, self.compute_dtype)

    def quantized_product(
        self, matrix: Matrix, equation: str, inputs: Array, training: bool | None = None, adapted: bool = True
    ) -> Array:
        """The product of inputs and a matrix of a quantised layer, with the change of low rank if there is one."""
        mode: Any = self._mode
        contraction = Contraction.of(equation, inputs.ndim)
        arrays = self._stored_arrays(matrix)
        outputs: Array = mode.product(matrix, contraction, inputs, arrays, self._use(), training)
        if self.lora_enabled and adapted:
            a, b = (getattr(self, name) for name in self.factor_names)
            change = jnp.matmul(contraction(inputs, a), b)
            outputs = (outputs + self._lora_scale * change).astype(self.compute_dtype)
        return outputs

    def _rows(self, matrix: Matrix, ids: Array) -> Array:
        """Entries of a quantised table of vectors, with the change of low rank if there is one."""
        mode: Any = self._mode
        outputs: Array = mode.rows(matrix, self._stored_arrays(matrix), ids, self._use())
        if self.lora_enabled:
            a, b = (getattr(self, name) for name in self.factor_names)
            change = jnp.matmul(jnp.take(a, ids, axis=0, mode="clip"), b)
            outputs = (outputs + self._lora_scale * change).astype(self.compute_dtype)
        return outputs

    def _shown_bias(self, bias: Array) -> Array:
        """The bias as products of the mode take it: those in floats of 8 bits round it to 16, as kernels that fuse it do."""
        mode = self._mode
        rounds = mode is not None and mode.keeps_floats and self.compute_dtype == "float32"
        return bias.astype("bfloat16").astype(bias.dtype) if rounds else bias

    # -- changing the form ----------------------------------------------------------------------------------------

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        """The matrices of a layer whose weights, as floats, have these shapes."""
        raise NotImplementedError

    def quantized(self, mode: str | None = None, config: Any = None) -> Self:
        """A copy that keeps its matrices in few bits. It has no weights; those of models are quantised by `Model.quantize`.

        Args:
            mode: "int8", "int4" or "float8".
            config: a configuration of `jkeras.quantizers`.

        Raises:
            ArgumentError: the mode is unknown, or the layer is quantised.
            UnsupportedError: the layer has no such mode.

        >>> from jkeras import layers
        >>> layers.Dense(4).quantized("int8").dtype.name
        'int8_from_float32'
        """
        config = configs.resolved(mode, config)
        self._check_quantize(config.mode)
        policy = MODES[config.mode].policy(config, self.dtype_policy.name)
        return self.replace(dtype=policy, quantization_config=config.without_data())

    def _check_quantize(self, mode: str) -> None:
        """Whether the layer can be quantised.

        Raises:
            ArgumentError: it is already.
            UnsupportedError: it has no such mode.
        """
        if self.quantization_mode is not None:
            raise ArgumentError(
                f"quantize({mode!r}): Layer '{self._place}' is already quantized with"
                f" dtype_policy='{self.dtype_policy.name}'. Received: mode={mode}."
            )
        self._check_mode(mode)

    def _check_lora(self) -> None:
        super()._check_lora()
        mode = self._mode
        if mode is not None and (mode.keeps_floats or mode.calibrated):
            raise UnsupportedError(
                f"enable_lora on {self._place!r}: lora is not currently supported with {mode.name.upper()} quantization."
                " Enable it on the layer as floats, or on one of 'int8' or 'int4'."
            )

    def merged_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        mode = self._mode
        if mode is None:
            return super().merged_values(values)
        # A quantised weight is converted to floats, changed, and quantised again.
        change = self._change(values)
        matrix = self._matrix_of(self._adapted, tuple(change.shape))
        rest = {each: value for each, value in values.items() if each not in self.factor_names}
        arrays = {each: rest[each] for each in self._stored_names(matrix)}
        weight = mode.dequantize(matrix, arrays, self._form_policy, self.compute_dtype).reshape(matrix.shape)
        merged = mode.quantize(matrix, weight + change, self._form_policy, None)
        return {**rest, **{each: jnp.reshape(value, rest[each].shape) for each, value in merged.items()}}

    def _matrix_of(self, name: str, shape: tuple[int, ...]) -> Matrix:
        """The matrix of a weight that has this shape as floats."""
        return next(matrix for matrix in self.matrices_of({name: shape}) if matrix.name == name)

    def quantized_values(self, matrices: list[Matrix], values: Mapping[str, Any]) -> dict[str, Any]:
        """The own weights, by name, as the policy wants them, from those of a layer of floats."""
        mode: Any = self._mode
        quantized = dict(values)
        for matrix in matrices:
            if mode.stored(matrix, self._form_policy) is not None:
                del quantized[matrix.name]
            quantized.update({d.name: _first_value(d) for d in mode.others(matrix, self._form_policy)})
            quantized.update(mode.quantize(matrix, values[matrix.name], self._form_policy, self.quantization_config))
        return quantized


def _first_value(declared: Declared) -> Array:
    dtype = declared.dtype or "float32"
    if callable(declared.initializer):
        return jnp.asarray(declared.initializer(declared.shape, dtype))
    return jnp.full(declared.shape, {"ones": 1, "zeros": 0}[declared.initializer], dtype)
