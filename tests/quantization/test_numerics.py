"""The functions of `jkeras.quantizers`, and those of GPTQ and AWQ, against Keras's."""

import functools

import jax
import keras
import numpy as np
import pytest
from keras.src.quantizers.awq import awq_quantize_matrix
from keras.src.quantizers.gptq import gptq_quantize_matrix

from jkeras import quantizers
from jkeras.quantization import awq, gptq, zero_points

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(10, 6)).astype("float32")
LOW, HIGH = np.full(6, -1, "float32"), np.arange(1, 7, dtype="float32")
THEIRS = keras.quantizers
NUMBERS = RNG.integers(-8, 8, size=(5, 3)).astype("int8")
CALLS = {
    "abs max": ("abs_max_quantize", (TABLE, 0), {}),
    "abs max, host": ("abs_max_quantize", (TABLE, (0, 1)), {"to_numpy": True, "value_range": (-8, 7)}),
    "groups": ("abs_max_quantize_grouped_with_zero_point", (TABLE, 4), {}),
    "groups, host": ("abs_max_quantize_grouped_with_zero_point", (TABLE, 3), {"to_numpy": True}),
    "scale": ("compute_float8_scale", (np.float32([3, 0, np.inf]), np.float32([2, 2, 2]), 448.0), {}),
    "history": ("compute_float8_amax_history", (TABLE, np.float32([1, 2, 3])), {}),
    "rounding": ("quantize_and_dequantize", (TABLE, np.float32(0.1), "float8_e4m3fn", "float32"), {}),
    "fake": ("fake_quant_with_min_max_vars", (TABLE, -0.5, 0.7), {}),
    "fake, narrow": ("fake_quant_with_min_max_vars", (TABLE, LOW, HIGH), {"axis": 1, "num_bits": 4, "narrow_range": True}),
    "packing": ("pack_int4", (NUMBERS,), {}),
    "packing, columns": ("pack_int4", (NUMBERS,), {"axis": -1}),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_functions(call):
    name, args, kwargs = CALLS[call]
    result, want = getattr(quantizers, name)(*args, **kwargs), getattr(THEIRS, name)(*args, **kwargs)
    for a, b in zip(jax.tree.leaves(result), jax.tree.leaves(want), strict=True):
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_what_is_packed_comes_out(axis):
    packed, _, size = quantizers.pack_int4(NUMBERS, axis)
    np.testing.assert_array_equal(quantizers.unpack_int4(packed, size, axis), NUMBERS)


def test_gradients_of_fake_quantization():
    def total(home):
        return lambda x, low, high: home.fake_quant_with_min_max_vars(x, low, high).sum()

    inputs = (TABLE, np.float32(-0.5), np.float32(0.7))
    for a, b in zip(*(jax.grad(total(home), (0, 1, 2))(*inputs) for home in (quantizers, THEIRS)), strict=True):
        np.testing.assert_allclose(a, b)


@pytest.mark.parametrize(
    ("inputs", "size", "bits", "symmetric", "ordered"),
    [
        (12, 4, 4, False, True),
        (12, 6, 2, True, False),
        pytest.param(150, 32, 4, False, False, marks=pytest.mark.slow),  # more than one block
    ],
)
def test_gptq(inputs, size, bits, symmetric, ordered):
    weights, samples = (RNG.normal(size=(count, inputs)).astype("float32") for count in (6, 200))
    hessian = gptq.updated_hessian(np.zeros((inputs, inputs), "float32"), 0, samples)
    inverse, diagonal = gptq.damped_inverse(hessian, 0.01)
    parameters = functools.partial(THEIRS_PARAMETERS, bits=bits, symmetric=symmetric, per_channel=True)
    want = gptq_quantize_matrix(
        weights,
        inverse,
        group_size=size,
        activation_order=ordered,
        order_metric=diagonal,
        compute_scale_zero=parameters,
    )
    result = gptq.gptq_quantize_matrix(
        jax.numpy.asarray(weights),
        inverse,
        bits=bits,
        symmetric=symmetric,
        group_size=size,
        importance=diagonal if ordered else None,
    )
    for a, b in zip(result, want, strict=True):
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), rtol=1e-5, atol=1e-6)


THEIRS_PARAMETERS = zero_points.compute_quantization_parameters


@pytest.mark.parametrize("size", [-1, 4])
def test_awq(size):
    magnitudes = np.abs(TABLE).max(0)
    result = awq.awq_quantize_matrix(jax.numpy.asarray(TABLE), magnitudes, group_size=size)
    for a, b in zip(result, awq_quantize_matrix(TABLE, magnitudes, group_size=size), strict=True):
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), rtol=1e-5, atol=1e-6)
