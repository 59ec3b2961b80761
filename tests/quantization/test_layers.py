"""Every layer in every mode: weights and outputs are Keras's."""

import jax
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from tests.quantization import oracle

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(3, 7)).astype("float32")
CUBE = RNG.normal(size=(3, 5, 6)).astype("float32")
IDS = RNG.integers(0, 9, size=(3, 4)).astype("int32")
CASES = {
    "dense": ("Dense", {"units": 5, "activation": "relu"}, ROWS),
    "dense, three axes": ("Dense", {"units": 4, "use_bias": False}, CUBE),
    "einsum": ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}, CUBE),
    "einsum, heads": (
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (None, 3, 2), "bias_axes": "de"},
        CUBE,
    ),
    "einsum, two sums": ("EinsumDense", {"equation": "abc,bcd->ad", "output_shape": 3, "bias_axes": "d"}, CUBE),
    "einsum, turned": ("EinsumDense", {"equation": "abc,dc->abd", "output_shape": (None, 3)}, CUBE),
    "embedding": ("Embedding", {"input_dim": 9, "output_dim": 5}, IDS),
    "reversible": ("ReversibleEmbedding", {"input_dim": 9, "output_dim": 6, "tie_weights": False}, IDS),
}


QUICK = {"dense", "einsum, heads", "embedding"}


@pytest.mark.parametrize("setting", oracle.SETTINGS)
@pytest.mark.parametrize(
    "case", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_numbers_are_those_of_keras(case, setting):
    name, arguments, x = CASES[case]
    if "mbedding" in name and setting == "float8":
        with pytest.raises(jk.errors.ArgumentError, match="none of the layers"):
            oracle.pair(name, arguments, x)[0].quantize("float8")
        return
    ours, theirs = oracle.quantize(*oracle.pair(name, arguments, x), setting)
    oracle.assert_alike(ours, theirs, x)


@pytest.mark.parametrize("setting", [name for name in oracle.SETTINGS if name != "float8"])
@pytest.mark.parametrize("tied", [True, False])
def test_scores_of_a_reversible_embedding(setting, tied):
    mode = oracle.SETTINGS[setting][0]
    vectors = RNG.normal(size=(2, 4, 6)).astype("float32")
    theirs = keras.layers.ReversibleEmbedding(9, 6, tie_weights=tied, logit_soft_cap=3.0)
    theirs.build()
    inputs = jk.Input((4,), dtype="int32")
    ours = layers.ReversibleEmbedding(9, 6, tie_weights=tied, logit_soft_cap=3.0)
    model = jk.Model(inputs, ours(ours(inputs), reverse=True)).set_weights(theirs.get_weights())
    theirs.quantize(mode, config=oracle.config(keras.quantizers, setting))
    model = model.quantize(mode, config=oracle.config(jk.quantizers, setting))
    layer = model.get_layer("reversible_embedding")
    result = layer.apply({"params": {}, "state": model.model_state["reversible_embedding"]}, vectors, reverse=True)
    np.testing.assert_allclose(result, theirs(vectors, reverse=True), rtol=1e-5, atol=1e-5)


def test_dots_in_an_equation():
    # Keras 3.15 cannot quantise these; a kernel without dots says what is right.
    model = jk.Sequential([jk.Input((5, 6)), layers.EinsumDense("...x,xy->...y", 4, bias_axes="y")])
    plain = jk.Sequential([jk.Input((5, 6)), layers.EinsumDense("abx,xy->aby", (None, 4), bias_axes="y")])
    plain = plain.set_weights(model.get_weights())
    for mode in ("int8", "int4"):
        result, want = (each.quantize(mode).predict(CUBE, verbose=0) for each in (model, plain))
        np.testing.assert_allclose(result, want, rtol=1e-6)


def test_products_are_of_integers():
    model = jk.Sequential([jk.Input((7,)), layers.Dense(5)]).quantize("int8")
    program = jax.make_jaxpr(lambda params, state, x: model.apply(params, x, state=state))
    assert "preferred_element_type=int32" in str(program(dict(model.params), dict(model.model_state), ROWS))


def test_gradients_of_inputs_are_those_of_the_kernel_as_floats():
    ours, _ = oracle.quantize(*oracle.pair("Dense", {"units": 3}, ROWS), "int8")
    gradient = jax.grad(lambda x: ours(x).sum())(ROWS)
    kernel, scale = ours.model_state["dense"]["kernel"], ours.model_state["dense"]["kernel_scale"]
    want = np.ones((3, 3)) @ (np.asarray(kernel) / np.asarray(scale)).T
    np.testing.assert_allclose(gradient, want, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", pytest.param("adam", marks=pytest.mark.slow)])
def test_training_in_eight_bits(optimizer):
    x, y = RNG.normal(size=(16, 6)).astype("float32"), RNG.normal(size=(16, 2)).astype("float32")
    ours, theirs = oracle.quantize(*oracle.pair("Dense", {"units": 2}, x), "float8")
    theirs.compile(optimizer, "mse")
    theirs.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    ours = ours.compile(optimizer, "mse").fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    oracle.assert_alike(ours, theirs, x, tolerance=1e-4)


def test_size_of_a_quantised_model(tmp_path):
    model = jk.Sequential([jk.Input((256,)), layers.Dense(512), layers.Dense(256)])
    small = model.quantize("int8")

    def size(each):
        each.save(tmp_path / "m.keras")
        return sum(w.nbytes for w in each.weights), (tmp_path / "m.keras").stat().st_size

    for quantised, floats in zip(size(small), size(model), strict=True):
        assert quantised <= 0.27 * floats
    assert small is not model and model.weights[0].dtype == "float32"


def test_keys_of_programs_differ():
    model = jk.Sequential([jk.Input((7,)), layers.Dense(5)])
    definitions = {model.definition, *(model.quantize(mode).definition for mode in ("int8", "int4", "float8"))}
    definitions.add(model.enable_lora(2).definition)
    assert len(definitions) == 5
    assert model.quantize("int8").definition == model.quantize("int8").definition
