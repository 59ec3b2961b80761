"""Attention over heads: the fused kernel where the platform has one, the textbook form elsewhere."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.export import is_symbolic_dim

from jkeras import config
from jkeras.dtypes import at_least_float32
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Axis, TensorLike

# What cuDNN's fused attention takes, by the documentation of `jax.nn.dot_product_attention`.
FUSED_TYPES = ("float16", "bfloat16")
FUSED_HEAD_SIZE = 128
GPUS = ("gpu", "cuda")


class Operands(NamedTuple):
    """The arrays of one attention; see `dot_product_attention` for their shapes."""

    query: jax.Array
    key: jax.Array
    value: jax.Array
    bias: jax.Array | None
    mask: jax.Array | None

    @property
    def lengths(self) -> tuple[int, int]:
        """How many queries and keys there are."""
        return self.query.shape[1], self.key.shape[1]

    @property
    def groups(self) -> int:
        """How many query heads share a key head."""
        count: int = self.query.shape[2] // self.key.shape[2]
        return count


_kernels_left_out: contextvars.ContextVar[bool] = contextvars.ContextVar("jkeras_kernels_left_out", default=False)


@contextlib.contextmanager
def kernels_left_out() -> Iterator[None]:
    """While a block runs, programs that are traced take no fused kernel unless `flash_attention=True` demands it."""
    token = _kernels_left_out.set(True)
    try:
        yield
    finally:
        _kernels_left_out.reset(token)


def dot_product_attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    bias: jax.Array | None = None,
    mask: jax.Array | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> jax.Array:
    """`softmax(scale * query @ key.T + bias) @ value` for every head, the softmax in float32.

    Shapes: query `(batch, T, heads, depth)`, key `(batch, S, key_heads, depth)`, value `(batch, S, key_heads,
    value_depth)`, output `(batch, T, heads, value_depth)`; `heads` is a multiple of `key_heads`, and consecutive
    query heads share a key head. Bias and mask broadcast to `(batch, heads, T, S)`.

    Args:
        query: the queries.
        key: the keys.
        value: the values.
        bias: added to the scores.
        mask: True where a query may look; a query that may look nowhere gets the mean of the values.
        scale: the scaling factor of the scores; `1 / sqrt(depth)` if None.
        is_causal: whether position i looks only at positions up to i.
        flash_attention: True demands cuDNN's fused kernel, False avoids it. With None, programs for CUDA take it where it is
            known to work: 16 bits, head sizes that are multiples of 8 up to 128, even lengths, no bias, no mask in float16.
        attn_logits_soft_cap: bends scores towards the range from minus to plus this number.

    Raises:
        ArgumentError: an array does not have four axes.
        InputError: `flash_attention=True` and the platform or the arrays do not allow it.
    """
    arrays = [jnp.asarray(x) for x in (query, key, value)]
    for name, array in zip(("query", "key", "value"), arrays, strict=True):
        if array.ndim != 4:
            raise ArgumentError(
                f"dot_product_attention({name}=...): expected an array with the axes (batch, time, heads, depth), got"
                f" shape {array.shape}."
            )
    dtype = jnp.result_type(*arrays)
    mask = None if mask is None else jnp.asarray(mask).astype(bool)
    query, key, value = (array.astype(dtype) for array in arrays)
    operands = Operands(query, key, value, bias, mask)
    scale = operands.query.shape[-1] ** -0.5 if scale is None else scale
    if flash_attention is None and (_kernels_left_out.get() or not config.flash_attention):
        flash_attention = False
    fused = flash_attention is not False and _fused(operands, scale, bool(flash_attention))
    if attn_logits_soft_cap is not None:
        return _explicit(operands, scale, is_causal, attn_logits_soft_cap)
    number = isinstance(scale, (int, float))
    attend = _as_one_program if number else _attend
    return attend(operands, scale=scale, is_causal=is_causal, fused=fused and number)


def _attend(
    operands: Operands,
    *,
    scale: TensorLike,
    is_causal: bool,
    fused: bool,
) -> jax.Array:
    # Outside GPUs, programs of the library's function cannot multiply numbers of type float16.
    by_hand = operands.query.dtype == jnp.float16 and jax.default_backend() not in GPUS
    stock = functools.partial(_explicit if by_hand else _library, scale=scale, is_causal=is_causal)
    if not fused:
        return stock(operands)
    kernel = functools.partial(_cudnn, scale=scale, is_causal=is_causal)
    outputs: jax.Array = lax.platform_dependent(operands, cuda=kernel, default=stock)
    return outputs


# As one program: outside one, JAX goes through the parts one by one.
_as_one_program = jax.jit(_attend, static_argnames=("scale", "is_causal", "fused"), inline=True)


def _explicit(
    operands: Operands,
    scale: TensorLike,
    is_causal: bool,
    soft_cap: float | None = None,
) -> jax.Array:
    """The textbook form."""
    scores = attention_scores(operands.query, operands.key, scale)
    if soft_cap is not None:
        scores = scores / (1.0 + jnp.abs(scores) / soft_cap)
    scores = scores if operands.bias is None else scores + operands.bias
    mask = operands.mask
    if is_causal:
        causal = causal_mask(*operands.lengths)
        mask = causal if mask is None else mask & causal
    weights = attention_weights(scores, mask).astype(operands.query.dtype)
    return jnp.einsum("bnts,bsnd->btnd", weights, jnp.repeat(operands.value, operands.groups, axis=2))


def _library(
    operands: Operands,
    scale: TensorLike,
    is_causal: bool,
    implementation: Literal["xla", "cudnn"] = "xla",
) -> jax.Array:
    """JAX's function, which wants keys and values of one size; zeros change neither the scores nor what is kept."""
    size = operands.value.shape[-1]
    wide = (_widen(array, max(operands.query.shape[-1], size)) for array in operands[:3])
    # The library's annotations have no scale that is an array, which its plain form takes.
    attend: Callable[..., jax.Array] = jax.nn.dot_product_attention
    outputs = attend(
        *wide, operands.bias, operands.mask, scale=scale, is_causal=is_causal, implementation=implementation
    )
    return outputs[..., :size]


def _cudnn(
    operands: Operands,
    scale: TensorLike,
    is_causal: bool,
) -> jax.Array:
    """The kernel. It adds a large negative number where the mask is False, and looks at nothing behind a causal edge.

    With both in the mask, a fully masked query has equal scores everywhere: it gets the mean of all values.
    """
    mask = operands.mask
    if mask is not None:
        mask = mask & causal_mask(*operands.lengths) if is_causal else mask
        mask = jnp.broadcast_to(mask, jnp.broadcast_shapes(mask.shape, (1, 1, *operands.lengths)))
    return _library(operands._replace(mask=mask), scale, is_causal and mask is None, "cudnn")


def _fused(
    operands: Operands,
    scale: TensorLike,
    demanded: bool,
) -> bool:
    """Whether programs for CUDA take the kernel; other platforms have none.

    Raises:
        InputError: it is demanded, and not possible.
    """
    query, key, lengths = operands.query, operands.key, operands.lengths
    head = max(query.shape[-1], operands.value.shape[-1])
    problem = None
    if demanded and jax.default_backend() not in GPUS:
        problem = f"the platform is {jax.default_backend()!r}"
    elif str(query.dtype) not in FUSED_TYPES:
        problem = f"the type is {query.dtype}; use the dtype policy 'mixed_bfloat16' or 'mixed_float16'"
    elif head % 8 or head > FUSED_HEAD_SIZE:
        problem = f"the head size is {head}; it must be a multiple of 8 up to {FUSED_HEAD_SIZE}"
    elif any(is_symbolic_dim(length) or length % 2 for length in lengths):
        problem = f"the lengths are {lengths[0]} and {lengths[1]}; gradients under a mask need even ones"
    elif operands.bias is not None:
        problem = "a bias is given, and the kernel's gradient of it is not defined for every shape"
    elif operands.mask is not None and query.dtype == jnp.float16:
        problem = "a mask is given, and the kernel has no float16 that is low enough for it; use bfloat16"
    elif not isinstance(scale, (int, float)):
        problem = "the scale is an array"
    elif not demanded:
        problem = _detected((query.shape[2], key.shape[2]), head, str(query.dtype))
    if problem is not None and demanded:
        raise InputError(f"flash_attention=True is not possible: {problem}. Leave it out to choose by platform.")
    return problem is None


@functools.lru_cache(maxsize=64)
def _detected(heads: tuple[int, int], size: int, dtype: str) -> str | None:
    """Why the library refuses the kernel: it looks for cuDNN and at the chip when it traces. None if it does not."""
    query, key = (jax.ShapeDtypeStruct((1, 2, count, size), dtype) for count in heads)
    try:
        jax.eval_shape(functools.partial(jax.nn.dot_product_attention, implementation="cudnn"), query, key, key)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        return str(error)
    return None


def _widen(array: jax.Array, size: int) -> jax.Array:
    missing = size - array.shape[-1]
    return jnp.pad(array, ((0, 0), (0, 0), (0, 0), (0, missing))) if missing else array


def attention_scores(query: jax.Array, key: jax.Array, scale: TensorLike) -> jax.Array:
    """`scale * query @ key.T` for every head, `(batch, heads, T, S)`; key heads are shared by groups of query heads."""
    groups = query.shape[2] // key.shape[2]
    return jnp.einsum("btnd,bsnd->bnts", query * jnp.asarray(scale, query.dtype), jnp.repeat(key, groups, axis=2))


@functools.partial(jax.jit, static_argnames=("axes",), inline=True)
def attention_weights(scores: jax.Array, mask: jax.Array | None, axes: Axis | None = -1) -> jax.Array:
    """The softmax of the scores over `axes`, in float32, spread evenly where everything is masked."""
    exact = scores.astype(at_least_float32(scores.dtype))
    if mask is not None:
        exact = jnp.where(mask, exact, -0.7 * jnp.finfo(exact.dtype).max)
    return jax.nn.softmax(exact, axis=axes)


def causal_mask(queries: int, keys: int) -> jax.Array:
    """True where position i may look at position j, `(queries, keys)`."""
    return jnp.tril(jnp.ones((queries, keys), bool))
