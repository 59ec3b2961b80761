"""Attention over heads: the fused kernel where the platform has one, the textbook form elsewhere."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from jkeras import config
from jkeras.dtypes import at_least_float32
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Axis, TensorLike

# What cuDNN's fused attention takes, by the documentation of `jax.nn.dot_product_attention`.
FUSED_TYPES = ("float16", "bfloat16")
FUSED_HEAD_SIZE = 128
GPUS = ("gpu", "cuda")


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
        scale: of the scores; `1 / sqrt(depth)` if None.
        is_causal: whether position i looks only at positions up to i.
        flash_attention: True demands the fused kernel, False avoids it, None takes it where it is known to work.
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
    query, key, value = (array.astype(dtype) for array in arrays)
    mask = None if mask is None else jnp.asarray(mask).astype(bool)
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    fused = _fused(
        query, key, value, False if flash_attention is None and not config.flash_attention else flash_attention
    )
    # Outside of GPUs, programs of the library's function cannot multiply numbers of type float16.
    if attn_logits_soft_cap is not None or (dtype == jnp.float16 and jax.default_backend() not in GPUS):
        scores = attention_scores(query, key, scale)
        if attn_logits_soft_cap is not None:
            scores = scores / (1.0 + jnp.abs(scores) / attn_logits_soft_cap)
        scores = scores if bias is None else scores + bias
        if is_causal:
            causal = causal_mask(query.shape[1], key.shape[1])
            mask = causal if mask is None else mask & causal
        weights = attention_weights(scores, mask).astype(dtype)
        groups = query.shape[2] // key.shape[2]
        return jnp.einsum("bnts,bsnd->btnd", weights, jnp.repeat(value, groups, axis=2))
    size = value.shape[-1]
    # The library's function wants keys and values of one size; zeros change neither the scores nor what is kept.
    widest = max(query.shape[-1], size)
    query, key, value = (_widen(array, widest) for array in (query, key, value))
    attend = _attend if isinstance(scale, (int, float)) else jax.nn.dot_product_attention
    outputs = attend(
        query, key, value, bias, mask, scale=scale, is_causal=is_causal, implementation="cudnn" if fused else "xla"
    )
    return outputs[..., :size]


# As one program: outside of one, JAX goes through the parts one by one.
_attend = jax.jit(jax.nn.dot_product_attention, static_argnames=("scale", "is_causal", "implementation"), inline=True)


def _fused(query: jax.Array, key: jax.Array, value: jax.Array, flash_attention: bool | None) -> bool:
    if flash_attention is False:
        return False
    head = max(query.shape[-1], value.shape[-1])
    problem = None
    if jax.default_backend() not in GPUS:
        problem = f"the platform is {jax.default_backend()!r}"
    elif str(query.dtype) not in FUSED_TYPES:
        problem = f"the type is {query.dtype}; use the dtype policy 'mixed_bfloat16' or 'mixed_float16'"
    elif head % 8 or head > FUSED_HEAD_SIZE:
        problem = f"the head size is {head}; it must be a multiple of 8 up to {FUSED_HEAD_SIZE}"
    elif query.shape[1] % 2 or key.shape[1] % 2:
        problem = f"the lengths are {query.shape[1]} and {key.shape[1]}; gradients under a mask need even ones"
    elif flash_attention is None:
        try:
            # The library checks the chip and the version of cuDNN when it traces.
            wide = (_widen(array, head) for array in (query, key, value))
            jax.eval_shape(functools.partial(jax.nn.dot_product_attention, implementation="cudnn"), *wide)
        except (NotImplementedError, RuntimeError, ValueError) as error:
            problem = str(error)
    if problem is not None and flash_attention:
        raise InputError(f"flash_attention=True is not possible: {problem}. Leave it out to choose by platform.")
    return problem is None


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
