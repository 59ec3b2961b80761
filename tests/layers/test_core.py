"""Dense, embedding and the plain layers against Keras."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import (
    SOME_FLOAT32,
    case,
    check,
    check_configuration,
    check_numbers,
    check_precisions,
    check_signature,
    check_types,
    is_first,
)
from tests.layers.drawing import ACTIVATIONS, Draw, drawn

X = (2, 3, 4)
FULL = {"activation": "tanh", "kernel_regularizer": "l2", "bias_initializer": "ones", "kernel_constraint": "max_norm"}
CASES = {
    "dense": case("Dense", {"units": 3}, (2, 4)),
    "dense time": case("Dense", {"units": 5} | FULL, X, mask=True, unknown=(1,)),
    "dense no bias": case("Dense", {"units": 5, "use_bias": False}, (2, 2, 3, 4)),
    "einsum": case("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 5, "bias_axes": "c"}, (2, 4)),
    "einsum time": case("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (3, 6), "bias_axes": "d"}, X),
    "einsum heads": case(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": [3, 2, 5], "bias_axes": "de", "activation": "tanh"},
        X,
    ),
    "einsum left": case(
        "EinsumDense", {"equation": "...x,xy->...y", "output_shape": 6, "bias_axes": "y"}, (2, 3, 3, 4)
    ),
    "einsum right": case(
        "EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 6, "bias_axes": "c"}, (2, 4, 3)
    ),
    "einsum kept": case("EinsumDense", {"equation": "abc,bc->abc", "output_shape": (3, 4), "bias_axes": "b"}, X),
    "activation": case("Activation", {"activation": "softplus"}, X, mask=True, unknown=(1, 2)),
    "identity": case("Identity", {}, X, mask=True, unknown=(1,)),
    "lambda": case("Lambda", {"function": lambda x: x * 2 + 1}, X, configuration=False, unknown=(1,)),
    "masking": case("Masking", {"mask_value": 0.5}, X, draw=lambda shape, rng: rng.integers(0, 2, shape) / 2),
    "embedding": case("Embedding", {"input_dim": 5, "output_dim": 3}, (2, 4), ids=5, unknown=(1,)),
    "embedding mask": case("Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": True}, (2, 4), ids=5, mask=True),
}


def dense(draw: Draw):
    """Dense with any arguments."""
    arguments = draw.some(activation=ACTIVATIONS, use_bias=(True, False)) | draw.weights("kernel", "bias")
    return case("Dense", {"units": draw.size(1, 4), **arguments}, (2, *draw.sizes(draw.size(1, 3), 1, 4)))


def einsum(draw: Draw):
    """EinsumDense with a random equation: which axes of the input are kept, and which the kernel adds."""
    letters, sizes = "bcd"[: draw.size(1, 3)], draw.sizes(3, 1, 4)
    known = dict(zip("bcd", sizes, strict=True)) | {"x": draw.size(1, 3), "y": draw.size(1, 3)}
    kept = "".join(letter for letter in letters[:-1] if draw.of(True, False))
    summed = "".join(letter for letter in letters if letter not in kept)
    new = draw.of("x", "xy")
    shared = "".join(letter for letter in kept if draw.of(True, False))
    kernel, outputs = shared + summed + new, kept + new
    bias = draw.of(None, *("".join(part) for part in (outputs, outputs[-1:], outputs[:1])))
    arguments = {
        "equation": f"a{letters},{kernel}->a{outputs}",
        "output_shape": tuple(known[letter] for letter in outputs),
        "bias_axes": bias,
        **draw.some(activation=ACTIVATIONS),
        **draw.weights("kernel", "bias"),
    }
    return case("EinsumDense", arguments, (2, *(known[letter] for letter in letters)))


def embedding(draw: Draw):
    """Embedding with any arguments."""
    arguments = {"input_dim": 5, "output_dim": draw.size(1, 4), "mask_zero": draw.of(True, False)}
    options = draw.weights("embeddings") | draw.some(weights=(None,))
    return case("Embedding", arguments | options, (2, draw.size(1, 4)), ids=5)


DRAWN = drawn(dense, 4) | drawn(einsum, 6) | drawn(embedding, 3)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


@pytest.mark.parametrize("name", ["dense time", "einsum heads", "embedding"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng, SOME_FLOAT32)


EinsumDense = layers.EinsumDense
WRONG = [
    (lambda: layers.Dense(0), r"units=0.*at least 1"),
    (lambda: layers.Dense(3, kernel_initializer="glorot"), r"glorot"),
    (lambda: layers.Embedding(5, "3"), r"output_dim='3'"),
    (lambda: layers.Input(), r"shape of one sample"),
    (lambda: layers.Lambda(3), r"function=3.*function"),
    (lambda: EinsumDense("ab,bc", 3), r"equation='ab,bc'.*such as"),
    (lambda: EinsumDense("ab,bc->ad", 3), r"axis 'd'"),
    (lambda: EinsumDense("...a,ab->b...", 3), r"same side"),
    (lambda: EinsumDense("ab,bc->ac", 3, bias_axes="b"), r"'b' is not an axis of the output"),
]
IMPOSSIBLE = [
    (layers.Dense(3), [()], r"Dense.*at least 2 axes"),
    (EinsumDense("ab,bc->ac", 3), [(2, 4)], r"does not fit"),
    (EinsumDense("abc,cd->abd", (5, 3)), [(2, 4)], r"axis 'b'.*size 2.*and 5"),
]


@pytest.mark.parametrize(("make", "words"), WRONG)
def test_wrong_arguments_fail_at_once(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make()


@pytest.mark.parametrize(("layer", "shapes", "words"), IMPOSSIBLE)
def test_impossible_shapes_fail_when_the_layer_is_applied(layer, shapes, words):
    inputs = [layers.Input(shape) for shape in shapes]
    with pytest.raises(errors.InputError, match=words):
        layer(inputs if len(inputs) > 1 else inputs[0])


def test_einsum_of_a_size_left_open(rng):
    # Keras calls the size unknown even where the input gives it, so shapes are not compared.
    open_size = {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}
    one = case("EinsumDense", open_size, X)
    check_numbers(one, rng)
    check_configuration(one)
    check_types(one)
    assert EinsumDense(**open_size)(layers.Input((None, 4))).shape == (None, None, 6)


def test_einsum_mixes_samples_only_where_the_equation_does():
    assert not EinsumDense("abc,cd->abd", (None, 6)).mixes_samples
    assert not EinsumDense("...x,xy->...y", 6).mixes_samples
    assert EinsumDense("ab,ac->bc", 3).mixes_samples


def test_the_fans_of_an_einsum_kernel_follow_the_equation():
    layer = EinsumDense("abc,cde->abde", (None, 50, 40), kernel_initializer="glorot_uniform")
    kernel = layer.init(0, (1, 2, 30))["params"]["kernel"]
    limit = (6 / (30 + 50 * 40)) ** 0.5
    assert 0.98 * limit < float(jnp.abs(kernel).max()) <= limit


def test_lambda_gets_what_its_function_names():
    double = layers.Lambda(lambda x, factor, training=False: x * factor + training, arguments={"factor": 2})
    x = jnp.ones((1, 2))
    np.testing.assert_array_equal(double(x), [[2.0, 2.0]])
    np.testing.assert_array_equal(double.apply({}, x, training=True), [[3.0, 3.0]])
    assert double(layers.Input((None, 2))).shape == (None, None, 2)


def test_ids_outside_of_a_table_are_an_error():
    layer = layers.Embedding(3, 2)
    variables = layer.init(0, np.zeros((1, 1), "int32"))
    with pytest.raises(errors.InputError, match=r"id 7.*ids 0 to 2.*input_dim=8"):
        layer.apply(variables, np.array([[7]]))


def test_an_embedding_may_start_from_a_given_table():
    table = np.arange(6.0, dtype="float32").reshape(3, 2)
    variables = layers.Embedding(3, 2, weights=[table]).init(0, np.zeros((1, 1), "int32"))
    np.testing.assert_array_equal(variables["params"]["embeddings"], table)


def test_inputs_are_described_as_in_keras():
    ours = layers.InputLayer(shape=(3, None), name="it")
    theirs = keras.layers.InputLayer(shape=(3, None), name="it")
    config, expected = ours.get_config(), theirs.get_config()
    assert {k: config[k] for k in expected} == {k: list(v) if isinstance(v, tuple) else v for k, v in expected.items()}
    assert layers.InputLayer.from_config(config) == ours
    with pytest.raises(errors.ArgumentError, match="give one, not both"):
        layers.Input((3,), batch_shape=(1, 3))
