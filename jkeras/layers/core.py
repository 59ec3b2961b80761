"""Dense layers, activations, embeddings and functions as layers."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import activations, arguments, constraints, dtypes, initializers, lowering, regularizers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import Shape, keeps_shape
from jkeras.layers.low_rank import ALPHA, RANK
from jkeras.layers.quantizable import CONFIG, QuantizableLayer
from jkeras.quantization import configs
from jkeras.quantization.matrix import Matrix
from jkeras.quantization.quantizers import AbsMaxQuantizer
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    ConstraintLike,
    DTypeLike,
    DTypePolicyLike,
    InitializerField,
    InitializerLike,
    Num,
    PyTree,
    RegularizerField,
    RegularizerLike,
    TensorLike,
)
from jkeras.values.fields import field

if TYPE_CHECKING:
    pass


class Dense(QuantizableLayer):
    """A fully connected layer: `activation(inputs @ kernel + bias)` over the last axis.

    Shapes: `(batch, ..., features)` to `(batch, ..., units)`; kernel `(features, units)`, bias `(units,)`.

    Args:
        units: the number of outputs.
        activation: name or function; None is linear.
        use_bias: whether to add a bias.
        kernel_initializer: name, instance or function.
        bias_initializer: likewise.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output, divided by the batch size.
        kernel_constraint: a projection of the kernel after each update.
        bias_constraint: likewise for the bias.
        lora_rank: the rank of a trainable low-rank change that replaces training of the kernel; None trains the kernel.
        lora_alpha: the change counts `lora_alpha / lora_rank`; None is once.
        quantization_config: how the kernel is quantised, if `dtype` is a quantised policy.

    >>> import jkeras as jk
    >>> jk.Sequential([jk.Input((4,)), Dense(3, activation="relu")]).output_shape
    (None, 3)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

    units: int = field(convert=arguments.positive_int)
    activation: ActivationField = field(default=None, convert=activations.get)
    use_bias: bool = field(default=True, convert=arguments.boolean)
    kernel_initializer: InitializerField = field(default="glorot_uniform", convert=initializers.get)
    bias_initializer: InitializerField = field(default="zeros", convert=initializers.get)
    kernel_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    bias_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    activity_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    kernel_constraint: ConstraintField = field(default=None, convert=constraints.get)
    bias_constraint: ConstraintField = field(default=None, convert=constraints.get)
    lora_rank: int | None = RANK
    lora_alpha: float | None = ALPHA
    quantization_config: Any = CONFIG

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self._matrix = dense_matrix((input_shape[-1], self.units))
        self._add_matrix(self._matrix, self.kernel_initializer)
        if self.use_bias:
            self.bias: Array = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self._add_beside(self._matrix)
        self._add_adapters(self._matrix.shape)

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        return [dense_matrix(shapes["kernel"])]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["activity_regularizer"] is None:
            del config["activity_regularizer"]  # written only where there is one, as Keras does in this layer
        return config

    def known_output(self, inputs: Shape) -> Shape | None:
        known = self.activation in activations.KEEP_SHAPE
        return Shape((*inputs.shape[:-1], self.units), inputs.dtype) if known else None

    def call(
        self, inputs: Num[Array, "*batch features"], training: bool | None = None
    ) -> Num[Array, "*batch {self.units}"]:
        if self.quantization_mode is None:
            outputs = lowering.product(inputs, self._with_adapters(self.kernel))
        else:
            outputs = self.quantized_product(self._matrix, "...a,ab->...b", inputs, training)
        if self.use_bias:
            outputs = outputs + self._shown_bias(self.bias)
        return self.activation(outputs)


def dense_matrix(shape: tuple[Any, ...], name: str = "kernel") -> Matrix:
    """A kernel whose first axis is summed over."""
    return Matrix(name, shape, (0,), (1,), (shape[1],))


class Activation(Layer):
    """Applies an activation function.

    Shapes: any, unchanged.

    >>> import jax.numpy as jnp
    >>> Activation("relu")(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    activation: ActivationField = field(convert=activations.get)

    def known_output(self, inputs: Shape) -> Shape | None:
        return inputs if self.activation in activations.KEEP_SHAPE else None

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return self.activation(inputs)


class Identity(Layer):
    """Returns its input unchanged.

    Shapes: any, unchanged.

    >>> import jax.numpy as jnp
    >>> Identity()(jnp.array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    known_output = keeps_shape

    def call(self, inputs: PyTree[Array]) -> Any:
        return inputs


def _keywords(value: object) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise ArgumentError("expected a dictionary of keyword arguments")
    return dict(value or {})


class Lambda(Layer):
    """A function as a layer.

    The function must be pure and work on JAX arrays. Models with different closures or global numbers are different. The rows
    of a batch may affect each other, so a model with a `Lambda` never pads a ragged last batch.

    Shapes: any, to those that the function returns; the batch axis comes first.

    Args:
        function: takes the inputs, and `mask` or `training` if it has arguments of these names.
        output_shape: accepted for compatibility with Keras; shapes are found by tracing.
        mask: the output's mask, or a function of the inputs and their mask.
        arguments: more keyword arguments for the function.

    >>> import jax.numpy as jnp
    >>> Lambda(lambda x: x * 2)(jnp.ones(2)).tolist()
    [2.0, 2.0]
    """

    function: Callable[..., Any] = field(convert=arguments.function)
    output_shape: Any = field(
        default=None, convert=arguments.optional(lambda value: value if callable(value) else arguments.shape(value))
    )
    mask: Any = field(default=None, convert=arguments.optional(arguments.function))
    arguments: Any = field(default=None, convert=lambda value: _keywords(value))

    def call(self, inputs: PyTree[Array], mask: Array | None = None, training: bool | None = None) -> Any:
        offered = {"mask": mask, "training": training}
        function = self.function.__func__ if isinstance(self.function, types.MethodType) else self.function
        code = function.__code__ if isinstance(function, types.FunctionType) else None
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        return self.function(inputs, **self.arguments, **{k: v for k, v in offered.items() if k in names})

    def compute_mask(self, inputs: PyTree[Array], previous_mask: PyTree[Array | None]) -> Any:
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask


class Masking(Layer):
    """Marks the time steps in which every feature equals a value, and sets them to zero.

    Shapes: `(batch, time, features)`, unchanged; the mask is `(batch, time)`.

    Args:
        mask_value: the value that marks a step.

    >>> import jax.numpy as jnp
    >>> Masking()(jnp.array([[[1.0, 2.0], [0.0, 0.0]]])).tolist()
    [[[1.0, 2.0], [0.0, 0.0]]]
    >>> Masking().compute_mask(jnp.array([[[1.0, 2.0], [0.0, 0.0]]]), None).tolist()
    [[True, False]]
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    mask_value: float = field(default=0.0, convert=arguments.numeric)

    def compute_mask(self, inputs: jax.Array, previous_mask: PyTree[Array | None]) -> jax.Array:
        result: jax.Array = _seen(inputs, self.mask_value)
        return result

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        result: jax.Array = _zero_masked(inputs, self.mask_value)
        return result


@functools.partial(jax.jit, inline=True)
def _seen(inputs: jax.Array, mask_value: float) -> jax.Array:
    return jnp.any(inputs != mask_value, axis=-1)


@functools.partial(jax.jit, inline=True)
def _zero_masked(inputs: jax.Array, mask_value: float) -> jax.Array:
    result: jax.Array = inputs * _seen(inputs, mask_value)[..., None].astype(inputs.dtype)
    return result


class Embedding(QuantizableLayer):
    """A table of vectors, one for each integer id.

    Shapes: `(batch, ...)` of integers to `(batch, ..., output_dim)`; the table is `(input_dim, output_dim)`.
    An id outside `0 ... input_dim - 1` is an error when the ids are concrete, that is when data enters `fit`, `evaluate` or
    `predict`; inside a traced program it takes the nearest id of the table. Keras gives NaN or wraps around.

    Args:
        input_dim: the number of ids.
        output_dim: the length of a vector.
        embeddings_initializer: the initializer of the table.
        embeddings_regularizer: a penalty on the table.
        embeddings_constraint: a projection of the table after each update.
        mask_zero: whether id 0 is padding, to be skipped by later layers.
        weights: an initial table.
        lora_rank: the rank of a trainable low-rank change that replaces training of the table; None trains the table.
        lora_alpha: the change counts `lora_alpha / lora_rank`; None is once.
        quantization_config: how the table is quantised, if `dtype` is a quantised policy.

    Raises:
        InputError: an id is outside the table; data is checked before it enters a program.

    >>> import jkeras as jk
    >>> jk.Sequential([jk.Input((10,), dtype="int32"), Embedding(1000, 16)]).output_shape
    (None, 10, 16)
    """

    mixes_samples: ClassVar[bool | None] = False
    _adapted: ClassVar[str] = "embeddings"
    quantization_modes: ClassVar[tuple[str, ...]] = ("int8", "int4")

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

    input_dim: int = field(convert=arguments.positive_int)
    output_dim: int = field(convert=arguments.positive_int)
    embeddings_initializer: InitializerField = field(default="uniform", convert=initializers.get)
    embeddings_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    embeddings_constraint: ConstraintField = field(default=None, convert=constraints.get)
    mask_zero: bool = field(default=False, convert=arguments.boolean)
    weights: Any = field(default=None, convert=arguments.optional(lambda value: _table(value)), in_config=False)
    lora_rank: int | None = RANK
    lora_alpha: float | None = ALPHA
    quantization_config: Any = CONFIG
    activity_regularizer: RegularizerField = field(default=None, convert=regularizers.get, kw_only=True)
    autocast: bool = field(default=False, convert=arguments.boolean, kw_only=True, in_config=False)

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        length = kwargs.pop("input_length", None)
        if length is not None:
            kwargs.setdefault("input_shape", tuple(length) if isinstance(length, (list, tuple)) else (length,))
        return super()._bind(args, kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        initializer = self.embeddings_initializer
        initial_weights = vars(self)["weights"]
        if initial_weights is not None:
            table = initial_weights[0] if isinstance(initial_weights, (list, tuple)) else initial_weights
            initializer = initializers.Constant(np.asarray(table))
        self._matrix = table_matrix((self.input_dim, self.output_dim))
        self._add_matrix(self._matrix, initializer, autocast=False)
        self._add_beside(self._matrix)
        self._add_adapters(self._matrix.shape)

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        return [table_matrix(shapes["embeddings"])]

    def call(self, inputs: Num[Array, "*batch"]) -> Num[Array, "*batch {self.output_dim}"]:
        if isinstance(inputs, np.ndarray) or not isinstance(inputs, jax.core.Tracer):
            check_ids(self._place, np.asarray(inputs), self.input_dim)
        ids = inputs.astype(jnp.int32)
        if self.quantization_mode is not None:
            return self._rows(self._matrix, ids)
        return jnp.take(self._with_adapters(self.embeddings), ids, axis=0, mode="clip").astype(self.compute_dtype)

    def compute_mask(self, inputs: jax.Array, previous_mask: PyTree[Array | None]) -> Any:
        return inputs != 0 if self.mask_zero else None


def table_matrix(shape: tuple[int, ...]) -> Matrix:
    """A table of vectors."""
    return Matrix("embeddings", shape, (1,), (0,), (shape[0],), reduced=-1)


class ReversibleEmbedding(Embedding, own_arguments=True):
    """An embedding that is also used in reverse: `layer(vectors, reverse=True)` returns scores of all ids.

    Shapes: as `Embedding`; reversed, `(batch, ..., output_dim)` to `(batch, ..., input_dim)`.

    Args:
        input_dim: the number of ids.
        output_dim: the length of a vector.
        tie_weights: whether the scores use the same table; otherwise they use a separate one, `reverse_embeddings`.
        embeddings_initializer: the initializer of the table.
        embeddings_regularizer: a penalty on the table.
        embeddings_constraint: a projection of the table after each update.
        mask_zero: whether id 0 is padding, to be skipped by later layers.
        reverse_dtype: the type in which scores are computed.
        logit_soft_cap: scores are kept between plus and minus this number by `tanh`.
        weights: the table, if it is known already.
        lora_rank: the rank of a trainable low-rank change that replaces training of the table; None trains the table.
        lora_alpha: the change counts `lora_alpha / lora_rank`; None is once.
        quantization_config: how the table is quantised, if `dtype` is a quantised policy.

    >>> ReversibleEmbedding(1000, 16).compute_output_shape((None, 10))
    (None, 10, 16)
    """

    _activations: ClassVar[Any] = AbsMaxQuantizer(axis=-1)

    input_dim: int = field(convert=arguments.positive_int)
    output_dim: int = field(convert=arguments.positive_int)
    tie_weights: bool = field(default=True, convert=arguments.boolean)
    embeddings_initializer: InitializerField = field(default="uniform", convert=initializers.get)
    embeddings_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    embeddings_constraint: ConstraintField = field(default=None, convert=constraints.get)
    mask_zero: bool = field(default=False, convert=arguments.boolean)
    reverse_dtype: str | None = field(default=None, convert=arguments.optional(lambda value: _float_type(value)))
    logit_soft_cap: float | None = field(default=None, convert=arguments.optional(arguments.number))
    weights: Any = field(
        default=None, convert=arguments.optional(lambda value: _table(value)), kw_only=True, in_config=False
    )
    lora_rank: int | None = field(
        default=None, convert=arguments.optional(arguments.positive_int), kw_only=True, in_config=False
    )
    lora_alpha: float | None = field(
        default=None, convert=arguments.optional(arguments.number), kw_only=True, in_config=False
    )
    quantization_config: Any = field(default=None, convert=configs.get, kw_only=True)

    if TYPE_CHECKING:  # for whom a field that is declared again keeps its place

        def __init__(
            self,
            input_dim: int,
            output_dim: int,
            tie_weights: bool = True,
            embeddings_initializer: InitializerLike = "uniform",
            embeddings_regularizer: RegularizerLike = None,
            embeddings_constraint: ConstraintLike = None,
            mask_zero: bool = False,
            reverse_dtype: DTypeLike | None = None,
            logit_soft_cap: float | None = None,
            *,
            activity_regularizer: RegularizerLike = None,
            trainable: bool = True,
            dtype: DTypePolicyLike = None,
            autocast: bool = False,
            name: str | None = None,
            weights: TensorLike | None = None,
            lora_rank: int | None = None,
            lora_alpha: float | None = None,
            quantization_config: Any = None,
        ) -> None: ...

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        super().build(input_shape or ())
        if not self.tie_weights:
            self._reverse_matrix = reverse_matrix((self.output_dim, self.input_dim))
            self._add_matrix(self._reverse_matrix, self.embeddings_initializer)
            self._add_beside(self._reverse_matrix)

    def matrices_of(self, shapes: dict[str, tuple[int, ...]]) -> list[Matrix]:
        reverse = shapes.get("reverse_embeddings")
        return [*super().matrices_of(shapes), *([] if reverse is None else [reverse_matrix(reverse)])]

    def call(self, inputs: Num[Array, "*batch"], reverse: bool = False) -> Num[Array, "*outputs"]:
        if not reverse:
            return super().call(inputs)
        if self.quantization_mode is None:
            kernel = self._with_adapters(self.embeddings).T if self.tie_weights else self.reverse_embeddings
            kernel = kernel.astype(self.reverse_dtype or self.compute_dtype)
            scores = jnp.matmul(inputs.astype(kernel.dtype), kernel)
        elif self.tie_weights:
            scores = self.quantized_product(self._matrix, "...d,vd->...v", inputs, adapted=False)
        else:
            scores = self.quantized_product(self._reverse_matrix, "...d,dv->...v", inputs, adapted=False)
        return scores if self.logit_soft_cap is None else jnp.tanh(scores / self.logit_soft_cap) * self.logit_soft_cap

    def compute_mask(self, inputs: jax.Array, previous_mask: PyTree[Array | None]) -> Any:
        ids = jnp.issubdtype(inputs.dtype, jnp.integer)  # vectors have no padding
        return super().compute_mask(inputs, previous_mask) if ids else None


def reverse_matrix(shape: tuple[int, ...]) -> Matrix:
    """A table from vectors to scores."""
    return Matrix("reverse_embeddings", shape, (0,), (1,), (shape[1],), packed=0, owns_groups=False, zero_dtype=None)


def _float_type(value: object) -> str:
    """The name of a type of floating-point numbers."""
    dtype = dtypes.array_dtype(value)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ArgumentError("expected a type of floating-point numbers, 'float32' for example")
    return dtype.name


def _table(value: object) -> Any:
    """Initial weights: a table, or a list of one."""
    table = np.asarray(value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value)
    if table.ndim != 2 or table.dtype.kind not in "iuf":
        raise ArgumentError("expected a table of numbers with two axes, or a list of one")
    return tuple(value) if isinstance(value, list) else value


def check_ids(path: str, ids: np.ndarray, size: int) -> None:
    """Compares concrete ids with the size of a table.

    Raises:
        InputError: an id is not in the table.
    """
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        bad = ids.min() if ids.min() < 0 else ids.max()
        raise InputError(
            f"{path} (Embedding) got the id {int(bad)}; its table has ids 0 to {size - 1}."
            f" Write `Embedding(input_dim={int(ids.max()) + 1}, ...)`, or map unknown words to one id."
        )


__all__ = ["Activation", "Dense", "Embedding", "Identity", "Lambda", "Masking", "ReversibleEmbedding", "check_ids"]
