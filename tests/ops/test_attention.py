"""cuDNN's attention: which programs take it, and that what it is given means the same as the plain form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras.ops import attention, dot_product_attention

LOW = -(2.0**41)  # what JAX adds to scores that cuDNN is not to see, in bfloat16


@pytest.fixture
def taken(monkeypatch):
    """As if cuDNN were there; the calls of its kernel, which are computed as it computes."""
    calls = []

    def kernel(operands, scale, is_causal, implementation="xla"):
        if implementation == "cudnn":
            calls.append(is_causal)
            mask = operands.mask
            bias = mask if mask is None else jnp.where(mask, 0.0, LOW).astype(jnp.float32)
            operands = operands._replace(bias=bias, mask=None)
        return library(operands, scale, is_causal)

    library = attention._library
    monkeypatch.setattr(attention, "_library", kernel)
    monkeypatch.setattr(attention, "_detected", lambda *args: None)
    jax.clear_caches()
    yield calls
    jax.clear_caches()


def arrays(dtype="bfloat16", length=4, size=8, heads=2, key_heads=2):
    rng = np.random.default_rng(0)
    shapes = [(2, length, heads, size), (2, length, key_heads, size), (2, length, key_heads, size)]
    return [jnp.asarray(rng.normal(size=shape), dtype) for shape in shapes]


MASK = np.tril(np.ones((4, 4), bool))[None, None]
CASES = {  # what is given, and whether programs for CUDA take the kernel
    "bfloat16": ({}, {}, True),
    "float16": ({"dtype": "float16"}, {}, True),
    "causal": ({}, {"is_causal": True}, True),
    "grouped": ({"heads": 4}, {}, True),
    "mask": ({}, {"mask": MASK}, True),
    "float32": ({"dtype": "float32"}, {}, False),
    "odd length": ({"length": 5}, {}, False),
    "odd size": ({"size": 12}, {}, False),
    "large heads": ({"size": 136}, {}, False),
    "bias": ({}, {"bias": np.zeros((1, 2, 4, 4), "float32")}, False),
    "mask in float16": ({"dtype": "float16"}, {"mask": MASK}, False),
    "soft cap": ({}, {"attn_logits_soft_cap": 2.0}, False),
    "avoided": ({}, {"flash_attention": False}, False),
}


@pytest.mark.parametrize("name", CASES)
def test_which_programs_take_the_kernel(name, taken):
    sizes, options, fused = CASES[name]
    jax.jit(lambda *args: dot_product_attention(*args, **options)).trace(*arrays(**sizes))
    assert bool(taken) == fused


def test_other_platforms_and_programs_that_are_told_not_to_do_without(taken, monkeypatch):
    query, key, value = arrays()
    expected = attention.attention_weights(attention.attention_scores(query, key, 8**-0.5), None)
    expected = jnp.einsum("bnts,bsnd->btnd", expected.astype(query.dtype), value)
    np.testing.assert_allclose(*map(np.float32, (dot_product_attention(query, key, value), expected)), atol=0.02)
    taken.clear()
    with attention.kernels_left_out():
        jax.jit(lambda *args: dot_product_attention(*args)).trace(query, key, value)
    monkeypatch.setattr(jk.config, "flash_attention", False)
    jax.jit(lambda *args: dot_product_attention(*args)).trace(query, key, value)
    assert not taken


def test_without_cudnn_nothing_is_chosen():
    assert attention._detected((2, 2), 8, "bfloat16")


@pytest.mark.parametrize("is_causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize("shape", [None, (2, 1, 4, 4), (2, 1, 1, 4), (1, 2, 4, 1)], ids=str)
def test_the_kernel_gets_masks_that_mean_the_same(taken, shape, is_causal):
    """Also where a query may look nowhere: it gets the mean of all values."""
    mask = None if shape is None else jnp.asarray(np.random.default_rng(1).random(shape) > 0.6)
    query, key, value = arrays()
    options = {"scale": 0.5, "is_causal": is_causal}
    operands = attention.Operands(query, key, value, None, mask)
    found = jax.jit(lambda operands: attention._cudnn(operands, **options))(operands)
    exact = operands._replace(**{name: getattr(operands, name).astype("float32") for name in ("query", "key", "value")})
    np.testing.assert_allclose(np.float32(found), attention._explicit(exact, **options), atol=0.05)
    assert taken == [is_causal and mask is None]
