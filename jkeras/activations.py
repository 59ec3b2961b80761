"""Activation functions: arrays in, arrays of the same shape and type out (`glu` halves one axis).

Each is a pure function that can be passed as a layer's `activation`, used on its own, differentiated and vectorised.
`get` turns what a layer accepts (None, a name, a configuration, a function) into such a function.

Formulas, defaults, and the values at the kinks are those of `keras.activations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import nn
from jax.typing import ArrayLike

from jkeras import registry
from jkeras.dispatch import public
from jkeras.errors import ArgumentError, InputError
from jkeras.lazy import public_names as _public_names
from jkeras.lowering import elementwise, softmaxes
from jkeras.types import Activation, ActivationLike, Config
from jkeras.values.config import serialize as serialize_value

Input = TypeVar("Input")

# As programs: outside one, JAX takes apart a function with a derivative of its own in each call, which takes longer
# than the function. Inside one this changes nothing.
_relu, _relu6 = (jax.jit(function, inline=True) for function in (nn.relu, nn.relu6))

# -- rectifiers -------------------------------------------------------------------------------------------------------


def relu(
    x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> jax.Array:
    """Rectified linear unit: `max(x, 0)`; optionally leaky, capped, or with another threshold.

    `max_value` where x is at least that, x above `threshold`, and `negative_slope * (x - threshold)` below it.

    >>> relu(jnp.array([-10.0, 0.0, 10.0])).tolist()
    [0.0, 0.0, 10.0]
    >>> relu(jnp.array([-10.0, 3.0, 10.0]), negative_slope=0.5, max_value=5.0).tolist()
    [-5.0, 3.0, 5.0]
    """
    x = jnp.asarray(x)
    if negative_slope and max_value is None and not threshold:
        return nn.leaky_relu(x, negative_slope)
    if threshold:
        positive = jnp.where(x > jnp.asarray(threshold, x.dtype), x, jnp.zeros((), x.dtype))
    elif max_value == 6:
        positive, max_value = _relu6(x), None
    else:
        positive = _relu(x)
    if max_value is not None:
        positive = jnp.clip(positive, jnp.zeros((), x.dtype), jnp.asarray(max_value, x.dtype))
    if not negative_slope:
        return positive
    result: jax.Array = positive - negative_slope * _relu(threshold - x if threshold else -x)
    return result


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> jax.Array:
    """`x` where positive, `negative_slope * x` elsewhere. The layer `LeakyReLU` has another default, 0.3.

    >>> leaky_relu(jnp.array([-10.0, 10.0])).tolist()
    [-2.0, 10.0]
    """
    return nn.leaky_relu(jnp.asarray(x), negative_slope)


def relu6(x: ArrayLike) -> jax.Array:
    """`min(max(x, 0), 6)` (Krizhevsky, 2010)."""
    result: jax.Array = _relu6(jnp.asarray(x))
    return result


def elu(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """Exponential linear unit: `alpha * (exp(x) - 1)` below zero (Clevert et al., 2016, arXiv:1511.07289)."""
    return nn.elu(jnp.asarray(x), alpha)


def celu(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """Continuously differentiable ELU: `alpha * (exp(x / alpha) - 1)` below zero (Barron, 2017, arXiv:1704.07483)."""
    return nn.celu(jnp.asarray(x), alpha)


def selu(x: ArrayLike) -> jax.Array:
    """Scaled ELU, which keeps mean 0 and variance 1 through a deep network of `lecun_normal` kernels.

    `1.0507 * x` above zero, `1.0507 * 1.6733 * (exp(x) - 1)` below (Klambauer et al., 2017, arXiv:1706.02515).
    """
    return nn.selu(jnp.asarray(x))


def threshold(x: ArrayLike, threshold: float, default_value: float) -> jax.Array:
    """`x` above the threshold, `default_value` elsewhere.

    >>> threshold(jnp.array([0.0, 1.0, 2.0]), 1.0, -1.0).tolist()
    [-1.0, -1.0, 2.0]
    """
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x, default_value)


# -- smooth gates -----------------------------------------------------------------------------------------------------


def silu(x: ArrayLike) -> jax.Array:
    """Sigmoid linear unit, also called swish: `x * sigmoid(x)` (Ramachandran et al., 2017, arXiv:1710.05941)."""
    return nn.silu(jnp.asarray(x))


def gelu(x: ArrayLike, approximate: bool = False) -> jax.Array:
    """Gaussian error linear unit: `x * P(X <= x)` for a standard normal X (Hendrycks & Gimpel, arXiv:1606.08415).

    `approximate=True` uses the tanh approximation of the paper.
    """
    return nn.gelu(jnp.asarray(x), True) if approximate else elementwise.gelu(jnp.asarray(x))


def mish(x: ArrayLike) -> jax.Array:
    """`x * tanh(softplus(x))` (Misra, 2019, arXiv:1908.08681)."""
    x = jnp.asarray(x)
    return x * jnp.tanh(nn.softplus(x))


def glu(x: ArrayLike, axis: int = -1) -> jax.Array:
    """Gated linear unit: `a * sigmoid(b)` with a and b the halves of `x` (Dauphin et al., 2016, arXiv:1612.08083).

    Args:
        x: shape (..., 2 * n, ...), with 2 * n at `axis`.
        axis: the axis that is halved.

    Returns:
        Shape (..., n, ...).

    Raises:
        InputError: the axis has an odd size.
    """
    x = jnp.asarray(x)
    if x.shape[axis] % 2:
        raise InputError(f"glu halves axis {axis}, which must have an even size; the input has the shape {x.shape}.")
    return nn.glu(x, axis)


# -- squashing functions ----------------------------------------------------------------------------------------------


def sigmoid(x: ArrayLike) -> jax.Array:
    """`1 / (1 + exp(-x))`, between 0 and 1."""
    return nn.sigmoid(jnp.asarray(x))


def log_sigmoid(x: ArrayLike) -> jax.Array:
    """`log(sigmoid(x))`, without the underflow of the two steps."""
    return nn.log_sigmoid(jnp.asarray(x))


def tanh(x: ArrayLike) -> jax.Array:
    """Hyperbolic tangent, between -1 and 1."""
    return jnp.tanh(jnp.asarray(x))


def softsign(x: ArrayLike) -> jax.Array:
    """`x / (abs(x) + 1)`, between -1 and 1."""
    return nn.soft_sign(jnp.asarray(x))


def softplus(x: ArrayLike) -> jax.Array:
    """`log(exp(x) + 1)`, a smooth rectifier."""
    return nn.softplus(jnp.asarray(x))


def squareplus(x: ArrayLike, b: float = 4) -> jax.Array:
    """`(x + sqrt(x**2 + b)) / 2`, a softplus without exponentials (Barron, 2021, arXiv:2112.11687)."""
    return nn.squareplus(jnp.asarray(x), b)


def exponential(x: ArrayLike) -> jax.Array:
    """`exp(x)`."""
    return jnp.exp(jnp.asarray(x))


def linear(x: Input) -> Input:
    """The identity: what a layer without an activation uses."""
    return x


# -- piecewise forms and shrinkage ------------------------------------------------------------------------------------


def hard_sigmoid(x: ArrayLike) -> jax.Array:
    """`relu6(x + 3) / 6`: 0 below -3, 1 above 3, a line between. (Keras 2 had `0.2 * x + 0.5`.)

    >>> hard_sigmoid(jnp.array([-3.0, 0.0, 3.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return nn.hard_sigmoid(jnp.asarray(x))


def hard_sigmoid_keras2(x: ArrayLike) -> jax.Array:
    """`clip(0.2 * x + 0.5, 0, 1)`: the meaning of `hard_sigmoid` in Keras 1 and 2 and in files written by them.

    Args:
        x: an array.

    >>> hard_sigmoid_keras2(jnp.array([-3.0, 0.0, 1.0])).tolist()
    [0.0, 0.5, 0.7]
    """
    x = jnp.asarray(x)
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0).astype(x.dtype)


def hard_silu(x: ArrayLike) -> jax.Array:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019, arXiv:1905.02244)."""
    return nn.hard_silu(jnp.asarray(x))


def hard_tanh(x: ArrayLike) -> jax.Array:
    """`x` limited to the interval from -1 to 1."""
    return nn.hard_tanh(jnp.asarray(x))


def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> jax.Array:
    """Zero where `abs(x) <= threshold`, `x` elsewhere."""
    x = jnp.asarray(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> jax.Array:
    """`x` moved towards zero by `threshold`, and zero where it would change sign.

    >>> soft_shrink(jnp.array([-1.5, 0.25, 1.5])).tolist()
    [-1.0, 0.0, 1.0]
    """
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


def tanh_shrink(x: ArrayLike) -> jax.Array:
    """`x - tanh(x)`."""
    x = jnp.asarray(x)
    return x - jnp.tanh(x)


def sparse_plus(x: ArrayLike) -> jax.Array:
    """0 up to -1, `(x + 1)**2 / 4` up to 1, `x` above: a softplus with exact zeros."""
    return nn.sparse_plus(jnp.asarray(x))


def sparse_sigmoid(x: ArrayLike) -> jax.Array:
    """0 up to -1, `(x + 1) / 2` up to 1, 1 above (Blondel et al., 2019, arXiv:1901.02324)."""
    return nn.sparse_sigmoid(jnp.asarray(x))


# -- over an axis -----------------------------------------------------------------------------------------------------


def softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> jax.Array:
    """`exp(x) / sum(exp(x))`: positive values that sum to 1 over `axis`.

    >>> softmax(jnp.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return softmaxes.softmax(jnp.asarray(x), axis)


def log_softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> jax.Array:
    """`log(softmax(x))`, without the underflow of the two steps."""
    return nn.log_softmax(jnp.asarray(x), axis)


def sparsemax(x: ArrayLike, axis: int = -1) -> jax.Array:
    """A sparse relative of softmax: `max(x - tau, 0)` with a threshold tau for every slice along `axis`.

    The threshold is the one that Keras computes, so that models carry over. It equals that of the paper (Martins &
    Astudillo, 2016, arXiv:1602.02068) where one entry survives or all survivors are equal; otherwise it is larger, and
    the result sums to less than 1.

    >>> sparsemax(jnp.array([2.0, 0.5, -1.0])).tolist()
    [1.0, 0.0, 0.0]
    """
    x = jnp.moveaxis(jnp.asarray(x), axis, -1)
    descending = -jnp.sort(-x, axis=-1)
    totals = jnp.cumsum(descending, axis=-1)
    rank = jnp.arange(1, x.shape[-1] + 1)
    support = descending - (totals - 1) / rank > 0
    size = jnp.sum(support, axis=-1, keepdims=True)
    # The paper takes the last running total of the support here; Keras adds all of them.
    tau = (jnp.sum(jnp.where(support, totals, 0.0), axis=-1, keepdims=True) - 1) / size
    return jnp.moveaxis(jnp.maximum(x - tau, 0.0), -1, axis)


# -- identifiers ------------------------------------------------------------------------------------------------------

_FUNCTIONS = (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
# What users see takes symbolic tensors as well.
_PUBLIC = {function.__name__: public(f"activations.{function.__name__}", function) for function in _FUNCTIONS}
globals().update(_PUBLIC)
swish = silu
hard_swish = hard_silu
__test__ = _PUBLIC  # doctest passes over wrapped functions unless it is told of them

TABLE: Mapping[str, Callable[..., jax.Array]] = {
    **_PUBLIC,
    "swish": silu,
    "hard_swish": hard_silu,
    "hard_sigmoid_keras2": hard_sigmoid_keras2,
}
# Those whose output has the shape and the type of a floating input.
KEEP_SHAPE: frozenset[object] = frozenset(_PUBLIC.values()) - {_PUBLIC["glu"]} | {hard_sigmoid_keras2}


def get(identifier: ActivationLike) -> Activation:
    """The activation function that `identifier` means.

    Args:
        identifier: None (the identity), a name, a configuration, or anything that can be called with an array.

    Raises:
        UnknownNameError: no activation has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("relu") is relu, get(None) is linear
    (True, True)
    >>> get("rleu")
    Traceback (most recent call last):
        ...
    jkeras.errors.UnknownNameError: Unknown activation: 'rleu'. Did you mean 'relu'?
    """
    activation: object = linear if identifier is None else registry.resolve("activation", TABLE, identifier)
    if not callable(activation):
        raise ArgumentError(f"{type(activation).__name__} is not an activation: it cannot be called with an array.")
    return cast("Activation", activation)


def serialize(activation: Activation) -> str | dict[str, Any]:
    """The name of an activation, or its configuration if it is not one of those in this module.

    Args:
        activation: a function.

    >>> serialize(relu)
    'relu'

    Raises:
        ArgumentError: a callable object that has neither a name nor a configuration.
    """
    written: object = serialize_value(activation)
    if not isinstance(written, (str, dict)):
        raise ArgumentError(
            f"{activation!r} has no name to be saved under; write it as a function, or as a Spec with `__call__`."
        )
    return written


def deserialize(config: str | Config, custom_objects: Mapping[str, Any] | None = None) -> Activation:
    """Rebuilds an activation from what `serialize` returned.

    Args:
        config: a name or a configuration.
        custom_objects: classes and functions by name, known during this call.

    Raises:
        UnknownNameError: no activation has that name.

    >>> deserialize("relu") is relu
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


def __dir__() -> list[str]:
    return _public_names(__name__)
