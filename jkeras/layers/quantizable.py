"""What layers share whose weights can be quantised, and trained as they are but for a change of low rank.

A layer says in `build` which of its weights are matrices, and computes through `_product` and `_rows`. What a policy makes of
them stands in `jkeras.quantization.modes`; there is nothing about a mode here or in a layer.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, UnsupportedError
from jkeras.graph.in_files import InFiles
from jkeras.graph.layer import Layer
from jkeras.quantization import configs
from jkeras.quantization.matrix import Contraction, Matrix
from jkeras.quantization.modes import MODES, Mode, Use
from jkeras.types import Array
from jkeras.values.fields import field

RANK: Any = field(default=None, convert=arguments.optional(arguments.positive_int), in_config=False)
ALPHA: Any = field(default=None, convert=arguments.optional(arguments.number), in_config=False)
CONFIG: Any = field(default=None, convert=configs.get)


class LowRankAttributes:
    """What the classes declare as arguments, each in Keras's places (see `jkeras.values.fields`)."""

    lora_rank: int | None
    lora_alpha: float | None


class QuantizableAttributes:
    """The same for layers that can be quantised."""

    quantization_config: Any


class LowRankLayer(LowRankAttributes, Layer):
    """A layer whose weight can be left as it is, while training changes `alpha / rank * a @ b` that is added to it.

    Hu et al., "LoRA: low-rank adaptation of large language models", arXiv:2106.09685.
    """

    # The weight that the change is one of.
    _adapted: ClassVar[str] = "kernel"

    @property
    def lora_enabled(self) -> bool:
        """Whether training changes a product of low rank alone."""
        return self.lora_rank is not None

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantised; None is not at all."""
        return self.dtype_policy.quantization_mode

    @property
    def _lora_scale(self) -> float:
        rank = self.lora_rank or 1
        return (rank if self.lora_alpha is None else self.lora_alpha) / rank

    @property
    def _adapters(self) -> tuple[str, str]:
        return f"lora_{self._adapted}_a", f"lora_{self._adapted}_b"

    def _own(self, name: str) -> Any:
        """An argument that is one of the adapted weight, such as its regularizer."""
        return getattr(self, f"{self._adapted}_{name}")

    def _add_adapted(self, shape: tuple[int, ...], initializer: Any, **options: Any) -> None:
        """Makes the weight as floats."""
        name = self._adapted
        if self.lora_enabled:
            weight = self._add_frozen_weight(shape, initializer, name=name, **options)
        else:
            regularizer, constraint = self._own("regularizer"), self._own("constraint")
            weight = self.add_weight(
                shape, initializer, regularizer=regularizer, constraint=constraint, name=name, **options
            )
        setattr(self, name, weight)

    def _add_adapters(self, shape: tuple[int, ...], a_initializer: Any = "he_uniform", b_initializer: Any = "zeros") -> None:
        """Makes the two factors."""
        if not self.lora_enabled:
            return
        sizes = ((*shape[:-1], self.lora_rank), (self.lora_rank, shape[-1]))
        for name, size, initializer in zip(self._adapters, sizes, (a_initializer, b_initializer), strict=True):
            options: Any = {"dtype": "float32", "regularizer": self._own("regularizer"), "name": name}
            setattr(self, name, self.add_weight(size, initializer, **options))

    def _with_adapters(self, weight: Array) -> Array:
        """The weight with the change added to it."""
        if not self.lora_enabled:
            return weight
        a, b = (getattr(self, name) for name in self._adapters)
        changed: Array = (weight + self._lora_scale * jnp.matmul(a, b)).astype(self.compute_dtype)
        return changed

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.lora_enabled:
            alpha = self.lora_rank if self.lora_alpha is None else self.lora_alpha
            config.update(lora_rank=self.lora_rank, lora_alpha=alpha)
        return config

    def _check_lora(self) -> None:
        """Whether a change of low rank can be added.

        Raises:
            ArgumentError: there is one, or a constraint.
        """
        place = f"enable_lora on {self._place!r}"
        if self._own("constraint"):
            raise ArgumentError(
                f"{place}: Lora is incompatible with {self._adapted} constraints. In order to enable lora on this layer, remove"
                f" the `{self._adapted}_constraint` argument."
            )
        if self.lora_enabled:
            raise ArgumentError(
                f"{place}: lora is already enabled, with rank {self.lora_rank}. This can only be done once per layer."
            )

    def with_lora(self, rank: int, lora_alpha: float | None = None) -> Self:
        """A copy whose weight stays as it is, with two factors of low rank that training changes.

        Args:
            rank: the size between the factors.
            lora_alpha: their product counts `lora_alpha / rank`; None is once.

        Raises:
            ArgumentError: the layer has factors, or a constraint.

        >>> from jkeras import layers
        >>> layers.Dense(4).with_lora(2).lora_rank
        2
        """
        self._check_lora()
        return self.replace(lora_rank=rank, lora_alpha=lora_alpha)


class QuantizableLayer(QuantizableAttributes, LowRankLayer):
    """A layer with matrices that a quantised policy keeps in few bits."""

    _in_files: ClassVar[InFiles] = InFiles(
        order=tuple(
            """kernel bias quantized_kernel inputs_scale inputs_amax_history kernel_scale kernel_amax_history
            outputs_grad_scale outputs_grad_amax_history kernel_zero awq_scales embeddings embeddings_scale embeddings_zero
            g_idx reverse_embeddings reverse_embeddings_scale reverse_embeddings_zero""".split()
        ),
        left_out=("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b"),
    )
    # The modes that Keras has for layers of the class.
    _modes: ClassVar[tuple[str, ...]] = tuple(MODES)
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
        return self.dtype_policy

    def _check_mode(self, name: str) -> None:
        if name not in self._modes:
            raise UnsupportedError(
                f"{self._place} ({type(self).__name__}): Invalid quantization mode. Expected one of {self._modes}."
                f" Received: quantization_mode={name}."
            )

    def _add_matrix(self, matrix: Matrix, initializer: Any, **options: Any) -> None:
        """Makes a weight, in the form that the policy gives it."""
        mode, policy = self._mode, self._form_policy
        stored = None if mode is None else mode.stored(matrix, policy)
        if stored is not None:
            self._add_declared(stored)
        elif matrix.name == self._adapted:
            self._add_adapted(matrix.shape, initializer, **options)
        else:
            setattr(self, matrix.name, self.add_weight(matrix.shape, initializer, name=matrix.name, **options))

    def _add_beside(self, matrix: Matrix) -> None:
        """Makes what the policy keeps beside a weight."""
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
        mode, policy = self._mode, self._form_policy
        if mode is None:
            return {matrix.name: getattr(self, matrix.name)}
        stored = mode.stored(matrix, policy)
        names = [matrix.name if stored is None else stored.name, *(d.name for d in mode.others(matrix, policy))]
        if not matrix.owns_groups and hasattr(self, "g_idx"):
            names.append("g_idx")
        return {name: getattr(self, name) for name in names}

    def _use(self) -> Use:
        mode: Any = self._mode
        config = self.quantization_config
        default = self._activations if self._activations is not None else mode.activations
        quantizer = default if config is None else config.activation_quantizer
        return Use(self._form_policy, config, quantizer, self.compute_dtype)

    def _product(self, matrix: Matrix, equation: str, inputs: Array, training: Any = None, adapted: bool = True) -> Array:
        """The product of inputs and a matrix of a quantised layer, with the change of low rank if there is one."""
        mode: Any = self._mode
        contraction = Contraction.of(equation, inputs.ndim)
        arrays = self._stored_arrays(matrix)
        outputs: Array = mode.product(matrix, contraction, inputs, arrays, self._use(), training)
        if self.lora_enabled and adapted:
            a, b = (getattr(self, name) for name in self._adapters)
            change = jnp.matmul(contraction(inputs, a), b)
            outputs = (outputs + self._lora_scale * change).astype(self.compute_dtype)
        return outputs

    def _rows(self, matrix: Matrix, ids: Array) -> Array:
        """Entries of a quantised table of vectors, with the change of low rank if there is one."""
        mode: Any = self._mode
        outputs: Array = mode.rows(matrix, self._stored_arrays(matrix), ids, self._use())
        if self.lora_enabled:
            a, b = (getattr(self, name) for name in self._adapters)
            change = jnp.matmul(jnp.take(a, ids, axis=0, mode="clip"), b)
            outputs = (outputs + self._lora_scale * change).astype(self.compute_dtype)
        return outputs

    def _shown_bias(self, bias: Array) -> Array:
        """The bias as products of the mode take it: those in floats of 8 bits round it to 16, as kernels that fuse it do."""
        mode = self._mode
        rounds = mode is not None and mode.keeps_floats and self.compute_dtype == "float32"
        return bias.astype("bfloat16").astype(bias.dtype) if rounds else bias

    # -- changing the form ----------------------------------------------------------------------------------------

    def _matrices(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
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
