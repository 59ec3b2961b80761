"""Where data enters a graph: `Input(...)` and the layer that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from jkeras import arguments, config, dtypes
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import Shape
from jkeras.graph.symbolic import symbolic_call
from jkeras.types import DTypePolicyLike, PartialShapeLike, PolicyField
from jkeras.values.fields import field

if TYPE_CHECKING:
    from jkeras.graph.symbolic import SymbolicTensor


class InputLayer(Layer):
    """The place where data enters a functional model. `Input(...)` makes one and returns its tensor.

    Shapes: `(batch_size, *shape)`, unchanged.

    Args:
        shape: the shape of a sample; None for a size that varies.
        batch_size: the size of a batch, if it is fixed.
        sparse: accepted for compatibility with Keras; only False is supported.
        ragged: accepted for compatibility with Keras; only False is supported.
        batch_shape: the shape with the batch axis, instead of `shape`.
        input_tensor: accepted for compatibility with Keras; only None is supported.
        optional: whether None may be passed.

    >>> InputLayer((28, 28, 1)).batch_shape
    (None, 28, 28, 1)
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(init=False)
        _name: str | None = field(init=False)

    shape: Any = field(default=None, in_config=False)
    batch_size: int | None = field(default=None, convert=arguments.optional(arguments.positive_int), in_config=False)
    dtype: PolicyField = field(default=None)
    sparse: bool | None = field(default=None, convert=arguments.optional(arguments.boolean))
    ragged: bool | None = field(default=None, convert=arguments.optional(arguments.boolean))
    batch_shape: Any = field(default=None, convert=arguments.optional(arguments.shape))
    input_tensor: Any = field(default=None, convert=arguments.optional(lambda value: _tensor(value)), in_config=False)
    optional: bool = field(default=False, convert=arguments.boolean, in_config=False)
    name: str | None = None

    def __post_init__(self) -> None:
        if self.shape is not None and self.batch_shape is not None:
            raise ArgumentError(f"Input(shape={self.shape!r}, batch_shape={self.batch_shape!r}): give one, not both.")
        if self.batch_shape is None:
            if self.shape is None:
                raise ArgumentError(
                    "Input(shape=None): expected the shape of one sample, such as `Input((28, 28, 1))`."
                )
            self.batch_shape = (self.batch_size, *_sample_shape(self.shape))
        if self.sparse or self.ragged:
            raise ArgumentError("Input(sparse=True) and Input(ragged=True) are not supported: pass dense arrays.")
        self.dtype = dtypes.get(self.dtype or config.floatx()) or dtypes.DTypePolicy("float32")
        if self.compute_dtype == "string":
            raise ArgumentError(
                "Input(dtype='string'): compiled programs cannot read strings. Apply the layer that reads them to the data"
                " first, `x = layer(texts)`, and give `x` to the model."
            )
        # Kept in one form only, so that equal inputs are equal values.
        self.shape = self.batch_size = self.sparse = self.ragged = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return symbolic_call(self, args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Shape:
        return Shape(self.batch_shape, self.compute_dtype)

    def call(self, *args: Any) -> Any:
        return args[0]

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self.dtype_policy.name,
            "sparse": False,
            "ragged": False,
            "optional": self.optional,
            "name": self.name,
        }


def _tensor(value: object) -> object:
    if not is_symbolic(value):
        raise ArgumentError("expected a symbolic tensor")
    return value


def _sample_shape(shape: PartialShapeLike | None) -> tuple[int | None, ...]:
    try:
        return arguments.shape(shape)
    except ArgumentError as error:
        raise ArgumentError(f"Input(shape={shape!r}): {error}") from None


def Input(  # noqa: N802  (Keras's name)
    shape: PartialShapeLike | None = None,
    batch_size: int | None = None,
    dtype: DTypePolicyLike = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: PartialShapeLike | None = None,
    name: str | None = None,
    tensor: SymbolicTensor | None = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor for data of a given shape.

    Args:
        shape: the shape of one sample, without the batch axis; None for sizes not known in advance.
        batch_size: the number of samples, if fixed.
        dtype: the type that data is cast to; the default float type if None.
        sparse: not supported, accepted for compatibility with Keras.
        ragged: not supported, accepted for compatibility with Keras.
        batch_shape: the shape with the batch axis, instead of `shape`.
        name: the name of the input.
        tensor: an existing symbolic tensor to return unchanged.
        optional: whether None may be passed.

    >>> Input((28, 28, 1))
    <SymbolicTensor shape=(None, 28, 28, 1) dtype=float32>
    """
    if tensor is not None:
        return tensor
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, optional=optional, name=name)
    return layer()
