"""Attention of several heads with learned projections: MultiHeadAttention and GroupQueryAttention."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import activations, arguments, constraints, initializers, regularizers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.in_files import InFiles
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import show_shape
from jkeras.initializers.random import FanInitializer
from jkeras.layers.attention import drop
from jkeras.layers.low_rank import ALPHA, RANK
from jkeras.layers.quantizable import CONFIG, QuantizableLayer
from jkeras.ops.attention import attention_weights, causal_mask, dot_product_attention
from jkeras.quantization.matrix import Contraction, Matrix
from jkeras.types import (
    ActivationField,
    Array,
    Bool,
    ConstraintField,
    InitializerField,
    Key,
    Num,
    PartialShape,
    RegularizerField,
    RegularizerLike,
)
from jkeras.values.fields import field


def _sizes(value: object) -> tuple[int, ...]:
    value = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return tuple(arguments.positive_int(size) for size in value)


def _axes(value: object) -> tuple[int, ...]:
    return tuple(map(arguments.integer, value)) if isinstance(value, (tuple, list)) else (arguments.integer(value),)


class Projection(QuantizableLayer):
    """A dense map from the last axes of its input to axes of given sizes; a part of the layers below.

    Shapes: kernel `(*contracted axes, *sizes)`, bias `sizes`.

    Args:
        sizes: the sizes of the axes of the output.
        contracted: how many axes of the input are summed over.
        activation: applied at the end.
    """

    mixes_samples: ClassVar[bool | None] = False

    sizes: tuple[int, ...] = field(convert=_sizes)
    contracted: int = 1
    activation: ActivationField = field(default=None, convert=activations.get)
    use_bias: bool = True
    kernel_initializer: InitializerField = field(default="glorot_uniform", convert=initializers.get)
    bias_initializer: InitializerField = field(default="zeros", convert=initializers.get)
    kernel_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    bias_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    kernel_constraint: ConstraintField = field(default=None, convert=constraints.get)
    bias_constraint: ConstraintField = field(default=None, convert=constraints.get)
    lora_rank: int | None = RANK
    lora_alpha: float | None = ALPHA
    quantization_config: Any = CONFIG

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape: Any = (*input_shape[-self.contracted :], *self.sizes)
        initializer: Any = self.kernel_initializer
        if isinstance(initializer, FanInitializer) and None in (initializer.input_axes, initializer.output_axes):
            axes = tuple(range(len(shape)))
            initializer = initializer.replace(input_axes=axes[: self.contracted], output_axes=axes[self.contracted :])
        self._matrix = self._projection_matrix(shape, len(input_shape))
        self._add_matrix(self._matrix, initializer)
        if self.use_bias:
            self.bias: Array = self.add_weight(
                self.sizes,
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self._add_beside(self._matrix)
        self._add_adapters(shape)

    @property
    def _equation(self) -> str:
        summed, free = string.ascii_lowercase[: self.contracted], string.ascii_uppercase[: len(self.sizes)]
        return f"...{summed},{summed}{free}->...{free}"

    def _projection_matrix(self, shape: tuple[int, ...], rank: int) -> Matrix:
        product = Contraction.of(self._equation, rank)
        return Matrix("kernel", shape, product.summed, product.order, product.sizes_in_output(shape))

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        return [self._projection_matrix(shapes["kernel"], self.contracted + 1)]

    def call(self, inputs: Num[Array, "*batch features"], training: bool | None = None) -> Num[Array, "..."]:
        if self.quantization_mode is None:
            outputs = jnp.tensordot(inputs, self._with_adapters(self.kernel), axes=self.contracted)
        else:
            outputs = self.quantized_product(self._matrix, self._equation, inputs, training)
        return self.activation(outputs + self._shown_bias(self.bias) if self.use_bias else outputs)


def equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """The einsum equations of scores, from keys and queries, and of outputs, from weights and values.

    Args:
        rank: the rank of queries, keys and values, `(batch, *attended, heads, size)`.
        axes: the axes attended over.

    >>> equations(4, (1,))
    ('aecd,abcd->acbe', 'acbe,aecd->abcd')
    """
    letters = iter(string.ascii_letters)
    target = [next(letters) for _ in range(rank)]
    source = [next(letters) if axis in axes else letter for axis, letter in enumerate(target)]
    source[-1] = target[-1]
    batch = [letter for axis, letter in enumerate(target[:-1]) if axis not in axes]
    scored = "".join(batch + [target[axis] for axis in axes] + [source[axis] for axis in axes])
    queries, keys = "".join(target), "".join(source)
    return f"{keys},{queries}->{scored}", f"{scored},{keys}->{queries}"


def masked_softmax(scores: jax.Array, mask: jax.Array | None, attended: int) -> jax.Array:
    """Weights over the last `attended` axes: 0 where the mask, which may lack axes before those, is False."""
    if mask is not None:
        # Axes are added before the attended ones, the heads' axis first of all.
        while mask.ndim < scores.ndim:
            mask = jnp.expand_dims(mask, -2 * attended - 1)
    weights = attention_weights(scores, mask, tuple(range(-attended, 0)))
    return weights if mask is None else jnp.where(mask, weights, 0)


class _Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    dropout: float
    sliding_window: int | None
    flash_attention: bool | None
    use_gate: bool
    seed: int | None
    use_bias: bool
    kernel_initializer: InitializerField
    bias_initializer: InitializerField
    kernel_regularizer: RegularizerField
    bias_regularizer: RegularizerField
    kernel_constraint: ConstraintField
    bias_constraint: ConstraintField


class _Heads(_Attributes, Layer):
    """What the two layers share: projections, masks, and the choice between fused and explicit attention."""

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

    def __post_init__(self) -> None:
        if self.flash_attention and self.dropout > 0:
            raise ArgumentError(
                f"{type(self).__name__}(flash_attention=True, dropout={self.dropout}): the fused kernel has no dropout."
            )

    def _build_projections(
        self, query: int, key: int, value: int, value_size: int, head: int, outputs: tuple[Any, ...]
    ) -> None:
        shared: dict[str, Any] = {
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "kernel_regularizer": self.kernel_regularizer,
            "bias_regularizer": self.bias_regularizer,
            "activity_regularizer": self.activity_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint,
        }
        self.query: Projection = Projection((query, head), **shared)
        self.key: Projection = Projection((key, head), **shared)
        if self.use_gate:
            self.gate: Projection = Projection((query, value_size), activation="sigmoid", **shared)
        self.value: Projection = Projection((value, value_size), **shared)
        self.attention_output: Projection = Projection(outputs, 2, **shared)

    def call(
        self,
        query: Num[Array, "batch steps channels"],
        value: Num[Array, "batch steps channels"],
        key: jax.Array | None = None,
        query_mask: Bool[Array, "batch steps"] | None = None,
        value_mask: Bool[Array, "batch steps"] | None = None,
        key_mask: Bool[Array, "batch steps"] | None = None,
        attention_mask: jax.Array | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        if self.flash_attention and return_attention_scores:
            raise InputError(f"{self._place}: the fused kernel gives no scores; use flash_attention=False for them.")
        source = value if key is None else key
        queries, keys = self.query(query), self.key(source)
        gate = self.gate(query) if self.use_gate else None
        values = self.value(value)
        dropping = bool(training) and self.dropout > 0
        options = {"return_attention_scores": True} if return_attention_scores else {}
        masks = (query_mask, value_mask, key_mask, attention_mask)
        only_causal = use_causal_mask and self.sliding_window is None and all(mask is None for mask in masks)
        mask = None
        # The fused kernel handles causality itself.
        if only_causal and self._attends_fused and queries.ndim == 4 and not dropping and not return_attention_scores:
            options = {"use_causal_mask": True}
        else:
            mask = self._compute_attention_mask(query, value, *masks, use_causal_mask=use_causal_mask)
        outputs, scores = self._compute_attention(queries, keys, values, mask, training, **options)
        outputs = self.attention_output(outputs if gate is None else outputs * gate)
        return (outputs, scores) if return_attention_scores else outputs

    @property
    def _attends_fused(self) -> bool:
        """Whether outputs are computed from queries, keys and values as here, not by a subclass's own method."""
        return type(self)._compute_attention is _Heads._compute_attention

    def _compute_attention(
        self,
        query: jax.Array,
        key: jax.Array,
        value: jax.Array,
        attention_mask: jax.Array | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[jax.Array, jax.Array | None]:
        """Outputs of projected queries, keys and values, and the weights where they are asked for or needed."""
        dropping = bool(training) and self.dropout > 0
        if query.ndim != 4 or dropping or return_attention_scores:
            if use_causal_mask:
                causal = causal_mask(query.shape[1], value.shape[1])[None]
                attention_mask = causal if attention_mask is None else attention_mask & causal
            return self._explicit(query, key, value, attention_mask, dropping)
        if attention_mask is not None and attention_mask.ndim == 3:
            attention_mask = attention_mask[:, None]
        outputs = dot_product_attention(
            query,
            key,
            value,
            mask=attention_mask,
            scale=1.0 / math.sqrt(query.shape[-1]),
            is_causal=use_causal_mask,
            flash_attention=self.flash_attention,
        )
        return outputs, None

    def _compute_attention_mask(
        self,
        query: Array,
        value: Array,
        query_mask: Array | None = None,
        value_mask: Array | None = None,
        key_mask: Array | None = None,
        attention_mask: Array | None = None,
        use_causal_mask: bool = False,
    ) -> jax.Array | None:
        """The masks combined: True where a query may look, `(batch, T, S)` or what was given for it."""
        parts = []
        if query_mask is not None:
            parts.append(jnp.expand_dims(query_mask, -1))
        parts += [jnp.expand_dims(mask, -2) for mask in (value_mask, key_mask) if mask is not None]
        sizes = query.shape[1], value.shape[1]
        if use_causal_mask:
            parts.append(causal_mask(*sizes)[None])
        if self.sliding_window is not None:
            distance = jnp.abs(jnp.arange(sizes[0])[:, None] - jnp.arange(sizes[1]))
            parts.append((distance < self.sliding_window)[None])
        if attention_mask is not None:
            parts.append(attention_mask)
        combined = None
        for part in parts:
            part = jnp.asarray(part).astype(bool)
            combined = part if combined is None else combined & part
        return combined

    def _explicit(
        self, query: jax.Array, key: Key[Array, ""], value: jax.Array, mask: jax.Array | None, dropping: bool
    ) -> tuple[jax.Array, jax.Array]:
        """Outputs `(batch, T, heads, size)` and weights `(batch, heads, T, S)`, over any axes."""
        axes = self._attended(query.ndim)
        scored, combined = equations(query.ndim, axes)
        query = query * jnp.asarray(1.0 / math.sqrt(query.shape[-1]), query.dtype)
        weights = masked_softmax(jnp.einsum(scored, key, query), mask, len(axes)).astype(query.dtype)
        used = drop(self, weights, self.dropout, self.seed) if dropping else weights
        return jnp.einsum(combined, used, value), weights

    def _attended(self, ndim: int) -> tuple[int, ...]:
        return tuple(range(1, ndim - 2))


class MultiHeadAttention(_Heads):
    """Attention of several heads (Vaswani et al., 2017, arXiv:1706.03762).

    Called as `layer(query, value, key=None)`; without a key the value is used. Shapes: query `(batch, T, dim)`,
    value and key `(batch, S, ...)`, output `(batch, T, dim)`. Kernels: query, key and value `(features, num_heads,
    size)`, attention_output `(num_heads, value_dim, dim)`.

    Masks of query, value and key (as they come with the tensors, or given), `attention_mask` of shape `(batch, T,
    S)`, the causal mask and the sliding window are combined by "and".

    Call arguments: `return_attention_scores` also returns the weights `(batch, num_heads, T, S)`; `use_causal_mask`
    hides later positions.

    Shapes: query `(batch, queries, features)`, value and key `(batch, keys, ...)`; the output is `(batch, queries,
    features)`.

    Args:
        num_heads: the number of heads.
        key_dim: the size of each head's queries and keys; scores are divided by its square root.
        value_dim: the size of each head's values; `key_dim` if None.
        dropout: the share of attention weights dropped in training.
        use_bias: whether the projections add a bias.
        output_shape: the sizes of the output's last axes; those of the query if None.
        attention_axes: the axes attended over; all but the batch and the last if None.
        sliding_window: positions further apart than this number less one do not see each other.
        flash_attention: True requires the fused kernel; None uses it if it is known to work. See
            `jkeras.ops.dot_product_attention`.
        kernel_initializer: the initializer of every projection.
        bias_initializer: likewise.
        kernel_regularizer: likewise.
        bias_regularizer: likewise.
        activity_regularizer: likewise, of the projections' outputs.
        kernel_constraint: likewise.
        bias_constraint: likewise.
        use_gate: whether a sigmoid projection of the query multiplies the heads' outputs.
        seed: the seed of the dropout.

    >>> MultiHeadAttention(num_heads=2, key_dim=4).compute_output_shape((None, 8, 16), (None, 4, 16))
    (None, 8, 16)
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True
    _in_files: ClassVar[InFiles] = InFiles(
        children={
            "query": ("query_dense", "_query_dense"),
            "key": ("key_dense", "_key_dense"),
            "value": ("value_dense", "_value_dense"),
            "gate": ("_gate_dense",),
            "attention_output": ("output_dense", "_output_dense"),
        }
    )

    num_heads: int = field(convert=arguments.positive_int)
    key_dim: int = field(convert=arguments.positive_int)
    value_dim: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    dropout: float = field(default=0.0, convert=arguments.between(0, 1, open_high=True))
    use_bias: bool = field(default=True, convert=arguments.boolean)
    output_shape: Any = field(default=None, convert=arguments.optional(_sizes))
    attention_axes: Any = field(default=None, convert=arguments.optional(_axes))
    sliding_window: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    flash_attention: bool | None = field(default=None, convert=arguments.optional(arguments.boolean), in_config=False)
    kernel_initializer: InitializerField = field(default="glorot_uniform", convert=initializers.get)
    bias_initializer: InitializerField = field(default="zeros", convert=initializers.get)
    kernel_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    bias_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    activity_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    kernel_constraint: ConstraintField = field(default=None, convert=constraints.get)
    bias_constraint: ConstraintField = field(default=None, convert=constraints.get)
    use_gate: bool = field(default=False, convert=arguments.boolean)
    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.value_dim = self.value_dim or self.key_dim

    def build(  # type: ignore[override]
        self, query_shape: PartialShape, value_shape: PartialShape, key_shape: PartialShape | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise InputError(
                f"{self._place} (MultiHeadAttention) got a value of shape {show_shape(value_shape)} and a key of shape"
                f" {show_shape(key_shape)}; they must agree in all axes but the last."
            )
        n = self.num_heads
        outputs = self.output_shape or (query_shape[-1],)
        self._build_projections(n, n, n, self.value_dim or self.key_dim, self.key_dim, outputs)
        # As in Keras, the penalty is on the outputs of the projections only, not on the result again.
        self.activity_regularizer = None

    def _attended(self, ndim: int) -> tuple[int, ...]:
        if self.attention_axes is None:
            return super()._attended(ndim)
        return tuple(axis if axis >= 0 else ndim - 1 + axis for axis in self.attention_axes)


class GroupQueryAttention(_Heads):
    """Attention in which groups of query heads share a key and a value head (Ainslie et al., 2023, arXiv:2305.13245).

    Calls, shapes and masks are those of `MultiHeadAttention`. Kernels: query `(features, num_query_heads,
    head_dim)`, key and value `(features, num_key_value_heads, head_dim)`, attention_output `(num_query_heads,
    head_dim, features)`.

    Shapes: query `(batch, queries, features)`, value and key `(batch, keys, ...)`; the output is `(batch, queries,
    features)`.

    Args:
        head_dim: the size of each head.
        num_query_heads: the number of query heads, a multiple of the next.
        num_key_value_heads: the number of key and value heads.
        dropout: see `MultiHeadAttention`, as for those that follow.
        use_bias: likewise.
        sliding_window: likewise.
        flash_attention: likewise.
        kernel_initializer: likewise.
        bias_initializer: likewise.
        kernel_regularizer: likewise.
        bias_regularizer: likewise.
        activity_regularizer: likewise, and of the layer's output.
        kernel_constraint: likewise.
        bias_constraint: likewise.
        use_gate: likewise.
        seed: likewise.

    >>> GroupQueryAttention(4, 6, 2).compute_output_shape((None, 8, 16), (None, 4, 16))
    (None, 8, 16)
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True
    _in_files: ClassVar[InFiles] = InFiles(
        class_name="GroupedQueryAttention",
        children={
            "query": ("_query_dense",),
            "key": ("_key_dense",),
            "value": ("_value_dense",),
            "gate": ("_gate_dense",),
            "attention_output": ("_output_dense",),
        },
    )

    head_dim: int = field(convert=arguments.positive_int)
    num_query_heads: int = field(convert=arguments.positive_int)
    num_key_value_heads: int = field(convert=arguments.positive_int)
    dropout: float = field(default=0.0, convert=arguments.between(0, 1, open_high=True))
    use_bias: bool = field(default=True, convert=arguments.boolean)
    sliding_window: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    flash_attention: bool | None = field(default=None, convert=arguments.optional(arguments.boolean), in_config=False)
    kernel_initializer: InitializerField = field(default="glorot_uniform", convert=initializers.get)
    bias_initializer: InitializerField = field(default="zeros", convert=initializers.get)
    kernel_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    bias_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    activity_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    kernel_constraint: ConstraintField = field(default=None, convert=constraints.get)
    bias_constraint: ConstraintField = field(default=None, convert=constraints.get)
    use_gate: bool = field(default=False, convert=arguments.boolean)
    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                f"GroupQueryAttention(num_query_heads={self.num_query_heads},"
                f" num_key_value_heads={self.num_key_value_heads}): the first must be a multiple of the second."
            )

    def build(  # type: ignore[override]
        self, query_shape: PartialShape, value_shape: PartialShape, key_shape: PartialShape | None = None
    ) -> None:
        few = self.num_key_value_heads
        self._build_projections(self.num_query_heads, few, few, self.head_dim, self.head_dim, (query_shape[-1],))

    def _explicit(
        self, query: jax.Array, key: Key[Array, ""], value: jax.Array, mask: jax.Array | None, dropping: bool
    ) -> tuple[jax.Array, jax.Array]:
        groups = self.num_query_heads // self.num_key_value_heads
        return super()._explicit(query, jnp.repeat(key, groups, 2), jnp.repeat(value, groups, 2), mask, dropping)


__all__ = ["GroupQueryAttention", "MultiHeadAttention"]
