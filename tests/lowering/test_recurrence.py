"""The hand-written way back of each recurrence equals the derivative of the plain loop; the values are Keras's."""

import chex
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras import activations, lowering
from jkeras.lowering import recurrence

KINDS = {
    # name: function, number of gates, number of states, options, bias shape in units
    "lstm": (recurrence.lstm, 4, 2, {}, (4,)),
    "gru": (recurrence.gru, 3, 1, {}, (2, 3)),
    "gru_reset_before": (recurrence.gru, 3, 1, {"reset_after": False}, (3,)),
    "simple_rnn": (recurrence.simple_rnn, 1, 1, {}, (1,)),
}
KERAS = {
    "lstm": (keras.layers.LSTM, {}),
    "gru": (keras.layers.GRU, {}),
    "gru_reset_before": (keras.layers.GRU, {"reset_after": False}),
    "simple_rnn": (keras.layers.SimpleRNN, {}),
}
BATCH, TIME, FEATURES, UNITS = 3, 5, 2, 4


@pytest.fixture(params=["by time", "inside", "by sample"])
def placement(request, monkeypatch):
    """Products inside and outside of the loop, whatever the sizes; by sample, as on accelerators."""
    monkeypatch.setattr(recurrence, "ROWS_PER_SAMPLE", 100 if request.param == "inside" else 0)
    if request.param == "by sample":
        monkeypatch.setattr(recurrence, "on_cpu", lambda fast, stock, *args: stock(*args))


def arguments(kind, rng, bias=True, dtype=jnp.float32):
    _, gates, states, _, bias_shape = KINDS[kind]
    shapes = [(BATCH, TIME, FEATURES), *[(BATCH, UNITS)] * states, (FEATURES, gates * UNITS), (UNITS, gates * UNITS)]
    values = [jnp.asarray(rng.normal(size=shape) * 0.7, dtype) for shape in shapes]
    shape = (*bias_shape[:-1], bias_shape[-1] * UNITS)
    return [*values, jnp.asarray(rng.normal(size=shape), dtype) if bias else None]


def results(kind, values, **options):
    """Values of one call, and the gradients of a sum that weighs every number of every result differently."""
    function, _, _, fixed, _ = KINDS[kind]

    def total(values):
        found = function(*values, **fixed, **options)
        leaves = jax.tree.leaves(found)
        waves = [jnp.cos(jnp.arange(leaf.size) + n).reshape(leaf.shape) for n, leaf in enumerate(leaves)]
        return sum(jnp.sum(leaf * wave.astype(leaf.dtype)) for leaf, wave in zip(leaves, waves, strict=True)), found

    (_, found), gradients = jax.value_and_grad(total, has_aux=True)(values)
    return found, gradients


def assert_equal_forms(kind, values, tolerance=1e-5, **options):
    fast = jax.jit(lambda v: results(kind, v, **options))(values)
    with lowering.use("plain"):
        stock = jax.jit(lambda v: results(kind, v, **options))(values)
    chex.assert_trees_all_close(fast, stock, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_values_and_gradients(kind, masked, placement, rng):
    mask = jnp.asarray(rng.random((BATCH, TIME)) > 0.4) if masked else None
    assert_equal_forms(kind, arguments(kind, rng), mask=mask, reverse=masked)


@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    options=st.fixed_dictionaries(
        {
            "reverse": st.booleans(),
            "return_sequences": st.booleans(),
            "zero_output_for_mask": st.booleans(),
            "activation": st.sampled_from([activations.tanh, jnp.tanh, activations.relu, activations.linear]),
        }
    ),
    bias=st.booleans(),
    masked=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_any_options(kind, options, bias, masked, seed):
    rng = np.random.default_rng(seed)
    mask = jnp.asarray(rng.random((BATCH, TIME)) > 0.4) if masked else None
    assert_equal_forms(kind, arguments(kind, rng, bias), mask=mask, **options)


@pytest.mark.parametrize("kind", KERAS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("zeros", [False, True], ids=["repeat", "zeros"])
def test_values_are_those_of_keras(kind, reverse, zeros, rng):
    x, *states, kernel, recurrent_kernel, bias = arguments(kind, rng)
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
    cls, options = KERAS[kind]
    layer = cls(
        UNITS, return_sequences=True, return_state=True, go_backwards=reverse, zero_output_for_mask=zeros, **options
    )
    layer.build(x.shape)
    layer.set_weights([kernel, recurrent_kernel, bias])
    expected = layer(x, initial_state=states, mask=mask)
    function, _, _, fixed, _ = KINDS[kind]
    values = x, *states, kernel, recurrent_kernel, bias
    options = {**fixed, "reverse": reverse, "zero_output_for_mask": zeros}
    last, outputs, after = function(*values, mask=jnp.asarray(mask), **options)
    chex.assert_trees_all_close([outputs, *after], list(expected), rtol=1e-5, atol=1e-5)
    chex.assert_trees_all_close(last, outputs[:, -1], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_bits(kind, rng):
    values = arguments(kind, rng, dtype=jnp.bfloat16)
    found, gradients = results(kind, values)
    chex.assert_trees_all_equal_dtypes(gradients, values)
    exact = results(kind, jax.tree.map(lambda v: v.astype(jnp.float32), values))
    widened = jax.tree.map(lambda v: v.astype(jnp.float32), (found, gradients))
    chex.assert_trees_all_close(widened, exact, rtol=0.1, atol=0.15)


@pytest.mark.smoke
def test_vmap_scan_and_export(rng):
    values = arguments("lstm", rng)

    def gradient(values):
        return results("lstm", values)[1]

    expected = jax.jit(gradient)(values)
    several = jax.tree.map(lambda v: jnp.stack([v, 2 * v]), values)
    mapped = jax.jit(jax.vmap(gradient))(several)
    chex.assert_trees_all_close(jax.tree.map(lambda v: v[0], mapped), expected, rtol=1e-5, atol=1e-5)
    _, looped = jax.lax.scan(lambda carry, item: (carry, gradient(item)), 0, several)
    chex.assert_trees_all_close(looped, mapped, rtol=1e-5, atol=1e-5)
    exported = jax.export.export(jax.jit(gradient), platforms=["cpu", "cuda"])(values)
    chex.assert_trees_all_close(exported.call(values), expected, rtol=1e-5, atol=1e-5)


def test_gradients_of_gradients(placement, rng):
    values = arguments("gru", rng)

    def second():
        def slope(kernel):
            return jnp.sum(results("gru", [*values[:2], kernel, *values[3:]], return_sequences=False)[1][2] ** 2)

        return jax.jit(jax.grad(slope))(values[2])

    fast = second()
    with lowering.use("plain"):
        chex.assert_trees_all_close(fast, second(), rtol=1e-4, atol=1e-4)


def test_forward_mode_needs_the_plain_form(rng):
    values = arguments("simple_rnn", rng)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: recurrence.simple_rnn(x, *values[1:])[0], values[:1], values[:1])
    with lowering.use("plain"):
        jax.jvp(lambda x: recurrence.simple_rnn(x, *values[1:])[0], values[:1], values[:1])


def test_other_activations_take_the_plain_loop(rng):
    values = arguments("lstm", rng)
    x, rest = values[0], values[1:]
    jax.jvp(lambda x: recurrence.lstm(x, *rest, activation=jax.nn.soft_sign)[0], (x,), (x,))


def test_no_steps(rng):
    x, h0, kernel, recurrent_kernel, bias = arguments("simple_rnn", rng)
    last, outputs, (state,) = recurrence.simple_rnn(x[:, :0], h0, kernel, recurrent_kernel, bias)
    assert outputs.shape == (BATCH, 0, UNITS)
    chex.assert_trees_all_equal(last, state, h0)


def test_the_loop_is_not_unrolled(rng):
    values = arguments("lstm", rng)
    text = jax.jit(lambda v: results("lstm", v)[1]).lower(values).as_text()
    assert text.count("stablehlo.while") == 2
    assert recurrence.CELLS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ["lstm", "simple_rnn"])
def test_inputs_may_be_projected_already(kind, rng):
    x, *states, kernel, recurrent_kernel, bias = arguments(kind, rng)
    form = recurrence.Form(kind, activations.tanh, activations.sigmoid, False, True, False)
    inputs = jnp.swapaxes(x, 0, 1)

    def apart(inputs, kernel):
        weights = {"recurrent_kernel": recurrent_kernel}
        return recurrence.run(form, inputs @ kernel + bias, states, weights)

    def together(inputs, kernel):
        weights = {"kernel": kernel, "bias": bias, "recurrent_kernel": recurrent_kernel}
        return recurrence.run(form, inputs, states, weights)

    chex.assert_trees_all_close(
        *(jax.grad(lambda v, run=run: jnp.sum(run(*v)[0] ** 2))((inputs, kernel)) for run in (apart, together)),
        rtol=1e-5,
        atol=1e-5,
    )
