"""The compiler's options change no numbers: random programs of products, sums and rearrangements, with them and without."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import lowering


def _against_ones(x, axis, width):
    return x.reshape(-1, x.shape[-1]) @ jnp.ones((x.shape[-1], width))


def _against_constants(x, axis, width):
    flat = x.reshape(x.shape[0], -1)
    return flat @ jnp.linspace(-1.0, 1.0, flat.shape[1] * width).reshape(-1, width)


PARTS = (
    lambda x, axis, width: jnp.abs(jnp.concatenate([x, x[..., ::-1]], axis)),
    lambda x, axis, width: jnp.tanh(x) * x,
    lambda x, axis, width: jnp.swapaxes(x, axis, -1),
    lambda x, axis, width: x.sum(axis, keepdims=True),
    lambda x, axis, width: x.mean(axis, keepdims=True) + x,
    lambda x, axis, width: x - x.max(axis, keepdims=True),
    lambda x, axis, width: jnp.einsum("...i,...i->...", x, x + 1)[..., None],
    _against_ones,
    _against_constants,
)


@pytest.mark.parametrize("seed", range(24))
def test_random_programs(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, size=rng.integers(2, 5)).tolist())
    steps = [(PARTS[part], int(number), int(width)) for part, number, width in rng.integers(0, len(PARTS), (4, 3))]

    def program(x):
        for part, number, width in steps:
            x = part(x, number % x.ndim, width % 3 + 1)
        return x, (x * x).sum(0)

    x = rng.normal(size=shape).astype("float32")
    compiled = jax.jit(program, compiler_options=lowering.compiler_options())(x)
    with jax.disable_jit():
        expected = program(jnp.asarray(x))
    for one, other in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * max(1.0, float(jnp.abs(other).max())))
