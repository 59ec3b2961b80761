"""`keras.backend` as scripts of Keras 1 and 2 use it: the functions of `jkeras.keras.backend`, and those that change values or
need a session there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, JkerasError
from jkeras.keras import backend as _today
from jkeras.keras import initializers, ops
from jkeras.keras.input import Input
from jkeras.keras.model import Model
from jkeras.keras.recorded import on_tensors
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import Variable
from jkeras.scripts.notes import NOTES
from jkeras.scripts.recurrence import rnn as rnn
from jkeras.types import DTypeLike, TensorLike


class SessionError(JkerasError, NotImplementedError):
    """A function needs a session of TensorFlow 1, which does not exist here; the message shows the step to write."""


# -- values that change -----------------------------------------------------------------------------------------------


def variable(
    value: TensorLike, dtype: DTypeLike | None = None, name: str | None = None, constraint: Any = None
) -> Variable:
    """A variable with this value, in the default float type unless another is given."""
    cell = Variable(np.asarray(value), dtype=dtype or _today.floatx(), name=name)
    if constraint is not None:
        cell.constraint = constraint
    return cell


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> Any:
    """A symbolic tensor to build a model from; the first size is that of the batch."""
    sizes = (None,) * (ndim or 0) if shape is None else tuple(shape)
    return Input(batch_shape=sizes, dtype=dtype, sparse=sparse, name=name)


def get_value(x: TensorLike) -> Any:
    """The values of a variable or an array."""
    array = _today.get_value(x.value if isinstance(x, Variable) else x)
    return array if np.ndim(array) else array[()]


def set_value(x: Variable, value: TensorLike) -> None:
    """Replaces the value of a variable."""
    if not isinstance(x, Variable):
        raise ArgumentError(f"K.set_value: expected a variable, got {type(x).__name__}; is it a schedule's rate?")
    x.assign(value)


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """The values of several variables."""
    return [get_value(tensor) for tensor in tensors]


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Replaces the values of several variables, from pairs."""
    for cell, value in tuples:
        set_value(cell, value)


def update(x: Variable, new_x: Any) -> Any:
    """Assigns a value and returns it."""
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Any:
    """Adds in place and returns the new value."""
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Any:
    """Subtracts in place and returns the new value."""
    return x.assign_sub(decrement)


def moving_average_update(x: Variable, value: Any, momentum: float) -> Any:
    """Moves a variable towards a value."""
    return x.assign(x.value * momentum + value * (1.0 - momentum))


def random_normal_variable(
    shape: Any,
    mean: float,
    scale: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """A variable of normally distributed values."""
    return Variable(initializers.RandomNormal(mean, scale, seed), shape=shape, dtype=dtype, name=name)


def random_uniform_variable(
    shape: Any,
    low: float,
    high: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """A variable of uniformly distributed values."""
    return Variable(initializers.RandomUniform(low, high, seed), shape=shape, dtype=dtype, name=name)


# -- functions of a graph ---------------------------------------------------------------------------------------------------


class LearningPhase(int):
    """The number 0; among the inputs of `K.function`, the place of the training flag."""


_PHASE = LearningPhase(0)


def learning_phase() -> LearningPhase:
    """0, since models outside of `fit` run in inference mode; see `function`."""
    return _PHASE


def set_learning_phase(value: int) -> NoReturn:
    """Not offered: there is no mode for all models.

    Raises:
        SessionError: always.
    """
    raise SessionError(
        f"K.set_learning_phase({value}): models have no global mode. Write `model(x, training={bool(value)})`; `fit` trains,"
        " `evaluate` and `predict` do not. To keep layers as they are while others train, set `layer.trainable = False`."
    )


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> Callable[[Any], Any]:
    """A function from arrays for the inputs to arrays of the outputs, all of them symbolic tensors of one model.

    Args:
        inputs: symbolic tensors; `K.learning_phase()` among them means 0 or 1.
        outputs: symbolic tensors, a list of them or one.
        updates: not supported.
        name: accepted for compatibility with Keras.

    Raises:
        SessionError: `updates` are given.
    """
    if updates:
        raise SessionError("K.function(updates=...): assign to variables after the call, `variable.assign(value)`.")
    several = isinstance(outputs, (list, tuple))
    places = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    model = Model(
        [place for place in places if not isinstance(place, LearningPhase)], list(outputs) if several else [outputs]
    )

    def run(values: Any) -> Any:
        arguments = list(values) if isinstance(inputs, (list, tuple)) else [values]
        arrays = [jnp.asarray(v) for v, p in zip(arguments, places, strict=False) if not isinstance(p, LearningPhase)]
        flags = [v for v, p in zip(arguments, places, strict=False) if isinstance(p, LearningPhase)]
        results = model(arrays, training=bool(flags and flags[0]))
        host_arrays = [np.asarray(result) for result in (results if isinstance(results, (list, tuple)) else [results])]
        return host_arrays if several else host_arrays[0]

    return run


def gradients(loss: Any, variables: Any) -> NoReturn:
    """Not offered: gradients are of functions.

    Raises:
        SessionError: always.
    """
    raise SessionError(
        "K.gradients(loss, variables) is a part of a TensorFlow session. Gradients are of functions; write\n\n"
        "    import jax, jax.numpy as jnp\n"
        "    slope = jax.grad(lambda x: jnp.sum(model(x)[:, 0]))   # what the loss is, as a function of what it depends on\n"
        "    gradients = slope(images)\n"
    )


def get_session(*args: Any) -> NoReturn:
    """Not offered: there are no sessions.

    Raises:
        SessionError: always.
    """
    raise SessionError("There are no sessions: call models and functions on arrays, `model(x)`, `keras.ops.mean(x)`.")


set_session = get_session


def in_train_phase(x: TensorLike, alt: Any, training: Any = None) -> Any:
    """`x` where `training` is true, else `alt`; both may be functions.

    Raises:
        ArgumentError: `training` is not given, and there is no mode for all models.
    """
    if training is None:
        raise ArgumentError("K.in_train_phase: give `training`, the argument of the layer's `call`.")
    if not any_symbolic_tensors((training,)) and not isinstance(training, jax.core.Tracer):
        branch = x if training else alt
        return branch() if callable(branch) else branch
    return _today.switch(training, x, alt)


def in_test_phase(x: TensorLike, alt: Any, training: Any = None) -> Any:
    """`alt` where `training` is true, else `x`."""
    return in_train_phase(alt, x, training)


# -- computations -------------------------------------------------------------------------------------------------------------


@on_tensors
def batch_dot(x: TensorLike, y: TensorLike, axes: Any = None) -> Any:
    """The product of each pair of rows, over one axis of each; of two matrices over all of it, `(batch, 1)`."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    if axes is None:
        axes = (1, 1) if y.ndim == 2 and x.ndim == 2 else (x.ndim - 1, max(y.ndim - 2, 1))
    left, right = (axes, axes) if isinstance(axes, int) else axes
    product = jax.vmap(lambda a, b: jnp.tensordot(a, b, ((left % x.ndim - 1,), (right % y.ndim - 1,))))(x, y)
    return product[:, None] if product.ndim == 1 else product


@on_tensors
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """Adds a bias for each channel."""
    if (data_format or _today.image_data_format()) == "channels_first" and x.ndim > 2:
        bias = jnp.reshape(jnp.asarray(bias), (-1, *(1,) * (x.ndim - 2)))
    return x + jnp.asarray(bias)


@on_tensors
def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around images."""
    first = (data_format or _today.image_data_format()) == "channels_first"
    sizes = ((0, 0), (0, 0), *padding) if first else ((0, 0), *padding, (0, 0))
    return jnp.pad(jnp.asarray(x), sizes)


@on_tensors
def temporal_padding(x: TensorLike, padding: tuple[int, int] = (1, 1)) -> Any:
    """Zeros before and after sequences."""
    return jnp.pad(jnp.asarray(x), ((0, 0), padding, (0, 0)))


@on_tensors
def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    """Images enlarged by whole factors."""
    first = data_format == "channels_first"
    height, width = x.shape[-2:] if first else x.shape[1:3]
    size = (height * height_factor, width * width_factor)
    return ops.image.resize(x, size, interpolation=interpolation, data_format=data_format)


def _convolution(x: TensorLike, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
                 dilation_rate: Any = 1) -> Any:  # fmt: skip
    """A convolution, see `keras.ops.conv`."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


conv1d = conv2d = conv3d = _convolution


def depthwise_conv2d(x: TensorLike, depthwise_kernel: Any, strides: Any = 1, padding: str = "valid",
                     data_format: str | None = None, dilation_rate: Any = 1) -> Any:  # fmt: skip
    """See `keras.ops.depthwise_conv`."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def pool2d(x: TensorLike, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
           pool_mode: str = "max") -> Any:  # fmt: skip
    """The largest or average value in a window that moves over images.

    Raises:
        ArgumentError: `pool_mode` is neither "max" nor "avg".
    """
    functions = {"max": ops.max_pool, "avg": ops.average_pool}
    if pool_mode not in functions:
        raise ArgumentError(f"K.pool2d(pool_mode={pool_mode!r}): expected 'max' or 'avg'.")
    return functions[pool_mode](x, pool_size, strides, padding, data_format)


pool3d = pool2d


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(accumulated, element)` over the elements from the first to the last."""
    elements = list(jnp.asarray(elems))
    value = elements.pop(0) if initializer is None else initializer
    for element in elements:
        value = fn(value, element)
    return value


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(accumulated, element)` over the elements from the last to the first."""
    return foldl(fn, jnp.asarray(elems)[::-1], initializer)


def print_tensor(x: TensorLike, message: str = "") -> Any:
    """Prints values, also from inside a compiled program, and returns them."""
    jax.debug.callback(lambda values: print(f"{message}{values}"), jnp.asarray(x))
    return x


def logsumexp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """See `keras.ops.logsumexp`."""
    return ops.logsumexp(x, axis=axis, keepdims=keepdims)


def is_sparse(tensor: TensorLike) -> bool:
    """Always False, since there are no sparse tensors."""
    return False


def to_dense(tensor: TensorLike) -> Any:
    """The tensor, which is dense."""
    return tensor


# -- settings -----------------------------------------------------------------------------------------------------------------

_ORDERINGS = {"th": "channels_first", "tf": "channels_last"}


def image_dim_ordering() -> str:
    """The image format by its names in Keras 1, "tf" or "th"."""
    NOTES.old("K.image_dim_ordering()", "K.image_data_format()")
    return {new: old for old, new in _ORDERINGS.items()}[_today.image_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the image format by its names in Keras 1."""
    if dim_ordering not in _ORDERINGS:
        raise ArgumentError(f"K.set_image_dim_ordering({dim_ordering!r}): expected 'tf' or 'th'.")
    NOTES.old(f"K.set_image_dim_ordering({dim_ordering!r})", f"K.set_image_data_format({_ORDERINGS[dim_ordering]!r})")
    _today.set_image_data_format(_ORDERINGS[dim_ordering])


def __getattr__(name: str) -> Any:
    return getattr(_today, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_today)})
