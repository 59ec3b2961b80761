"""`keras.backend` as old scripts use it, by values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from keras.src.backend.jax.rnn import rnn as oracle

from jkeras import keras
from jkeras.scripts import backend as K  # noqa: N812  (what scripts call it)

SILENT = pytest.mark.filterwarnings("ignore::jkeras.scripts.OldSpellingWarning")
A = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
PICTURE = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
KERNEL = np.ones((2, 2, 1, 1), "float32")


def cell(value=A):
    return K.variable(value)


CASES = {
    "variable": (lambda: K.variable([1, 2]).numpy(), np.float32([1, 2])),
    "get_value": (lambda: K.get_value(cell()), A),
    "set_value": (lambda: (c := cell(), K.set_value(c, A + 1), c.numpy())[-1], A + 1),
    "batch_get_value": (lambda: K.batch_get_value([cell(), cell(A * 2)])[1], A * 2),
    "batch_set_value": (lambda: (c := cell(), K.batch_set_value([(c, A * 3)]), c.numpy())[-1], A * 3),
    "update": (lambda: K.update(cell(), A * 5), A * 5),
    "update_add": (lambda: K.update_add(cell(), A), A * 2),
    "update_sub": (lambda: K.update_sub(cell(), A), A * 0),
    "moving_average_update": (lambda: K.moving_average_update(cell(), A * 3, 0.5), A * 2),
    "random_normal_variable": (lambda: K.random_normal_variable((2, 2), 3.0, 0.0).numpy(), np.full((2, 2), 3)),
    "random_uniform_variable": (lambda: K.random_uniform_variable((2,), 2.0, 2.0).numpy(), [2, 2]),
    "learning_phase": (K.learning_phase, 0),
    "in_train_phase": (lambda: K.in_train_phase(lambda: A, A * 2, training=True), A),
    "in_test_phase": (lambda: K.in_test_phase(A, A * 2, training=jnp.array(True)), A * 2),
    "batch_dot": (lambda: K.batch_dot(A, A, axes=1), [[5], [25]]),
    "batch_dot of matrices": (lambda: K.batch_dot(A[None], A[None]), (A @ A)[None]),
    "bias_add": (lambda: K.bias_add(A, [1, 2]), A + [1, 2]),
    "spatial_2d_padding": (lambda: K.spatial_2d_padding(PICTURE), np.pad(PICTURE, ((0, 0), (1, 1), (1, 1), (0, 0)))),
    "temporal_padding": (lambda: K.temporal_padding(A[None], (1, 0)), np.pad(A[None], ((0, 0), (1, 0), (0, 0)))),
    "resize_images": (lambda: K.resize_images(PICTURE, 2, 1, "channels_last"), PICTURE.repeat(2, 1)),
    "conv2d": (lambda: K.conv2d(PICTURE, KERNEL), [[[[6]]]]),
    "depthwise_conv2d": (lambda: K.depthwise_conv2d(PICTURE, KERNEL), [[[[6]]]]),
    "pool2d": (lambda: K.pool2d(PICTURE, (2, 2)), [[[[3]]]]),
    "pool2d, average": (lambda: K.pool2d(PICTURE, (2, 2), pool_mode="avg"), [[[[1.5]]]]),
    "foldl": (lambda: K.foldl(lambda a, b: a * 10 + b, [1, 2, 3]), 123),
    "foldr": (lambda: K.foldr(lambda a, b: a * 10 + b, [1, 2, 3]), 321),
    "print_tensor": (lambda: K.print_tensor(A, "{A} = "), A),
    "logsumexp": (lambda: K.logsumexp(A, axis=1), np.log(np.exp(A).sum(1))),
    "is_sparse": (lambda: K.is_sparse(A), False),
    "to_dense": (lambda: K.to_dense(A), A),
    "mean": (lambda: K.mean(cell(), axis=0), A.mean(0)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_function(name):
    run, expected = CASES[name]
    np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-6)


LOOPS = {
    "plain": {},
    "backwards": {"go_backwards": True},
    "masked": {"mask": MASK},
    "masked, zeros": {"mask": MASK, "zero_output_for_mask": True, "go_backwards": True},
    "time first": {"time_major": True, "mask": MASK.T},
    # Keras leaves them out where it does not unroll.
    "constants": {"constants": [np.full((3, 2), 0.5, "float32")], "unroll": True},
    "unrolled": {"unroll": True},
}


@SILENT
@pytest.mark.parametrize("case", LOOPS)
def test_a_loop_over_time(case, rng):
    options = LOOPS[case]
    x = rng.normal(size=(4, 3, 2) if "time_major" in options else (3, 4, 2)).astype("float32")

    def step(inputs, states):
        total = jnp.tanh(inputs + states[0] + (states[2] if len(states) > 2 else 0))
        return total, [total, states[1] + 1]

    states = [jnp.zeros((3, 2)), jnp.ones((3, 1))]
    found, expected = (list(loop(step, x, states, **options)) for loop in (K.rnn, oracle))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)


@SILENT
def test_a_loop_over_time_is_that_of_the_layer(rng):
    x = rng.normal(size=(3, 4, 2)).astype("float32")
    layer = keras.layers.SimpleRNN(5, return_sequences=True)
    outputs = layer(x)
    _, found, _ = K.rnn(layer.cell.call, x, [np.zeros((3, 5), "float32")])
    np.testing.assert_allclose(found, outputs, rtol=1e-5, atol=1e-6)
    last, found, _ = K.rnn(layer.cell.call, x, [np.zeros((3, 5), "float32")], return_all_outputs=False)
    np.testing.assert_allclose(found[:, 0], last)
    np.testing.assert_allclose(last, outputs[:, -1], rtol=1e-5, atol=1e-6)


@SILENT
def test_a_function_of_a_graph(session):
    import keras

    inputs = K.placeholder((None, 2))
    model = keras.Sequential([inputs, keras.layers.Dense(3, use_bias=False), keras.layers.Dropout(0.5, seed=1)])
    run = K.function([model.inputs[0], K.learning_phase()], [model.layers[0].output, model.output])
    hidden, output = run([A, 0])
    np.testing.assert_allclose(hidden, A @ model.layers[0].kernel.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(hidden, output)
    assert (run([A, 1])[1] == 0).any()
    single = K.function(model.inputs[0], model.output)
    np.testing.assert_array_equal(single(A), output)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: K.gradients(1, 2), "jax.grad"),
        (lambda: K.set_learning_phase(1), r"training=True"),
        (lambda: K.get_session(), "no sessions"),
        (lambda: K.function([], [], updates=[1]), "assign"),
    ],
)
def test_what_needs_a_session_shows_the_step_to_write(call, named):
    with pytest.raises(K.SessionError, match=named):
        call()


@SILENT
def test_image_formats():
    assert K.image_dim_ordering() == "tf"
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first"
    K.set_image_dim_ordering("tf")
    with pytest.raises(ValueError, match="expected 'tf' or 'th'"):
        K.set_image_dim_ordering("x")
