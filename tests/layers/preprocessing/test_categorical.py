"""Layers of categories: against Keras, or where it needs TensorFlow against the numbers in its documentation."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras.keras
from jkeras import errors, layers
from jkeras.layers.preprocessing import categorical, hashed_crossing, hashing, lookup
from tests.layers.contract import OURS, THEIRS, case, check, check_signature, is_first

IDS = np.array([[0, 2, 2], [3, 1, 0]])
NUMBERS = np.array([[-1.5, 1.0, 3.4], [0.5, 0.0, 1.2]], "float32")
VOCABULARY = [12, 36, 1138, 42]
TERMS = ["a", "b", "c", "d"]


BINS = {"bin_boundaries": [0.0, 1.0]}
CASES = {
    "multi hot": case("CategoryEncoding", {"num_tokens": 4}, (2, 3), ids=4),
    "one hot": case("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, (2, 1), ids=4),
    "one hot each": case("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, (2, 3), ids=4),
    "count": case("CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}, (2, 3), ids=4),
    "bins": case("Discretization", {"bin_boundaries": [0.0, 1.0, 2.0]}, (2, 3)),
    "bins one hot": case("Discretization", BINS | {"output_mode": "one_hot"}, (2, 3)),
    "bins count": case("Discretization", BINS | {"output_mode": "count"}, (2, 3)),
    "bins multi hot": case("Discretization", BINS | {"output_mode": "multi_hot"}, (2, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


# The lookups need TensorFlow in Keras, their signatures do not.
@pytest.mark.parametrize(
    "name",
    "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup TextVectorization".split(),
)
def test_signature_is_that_of_keras(name):
    check_signature(name)


def test_weighted_counts_equal_keras():
    ours, theirs = (kind["CategoryEncoding"](4, output_mode="count") for kind in (OURS, THEIRS))
    np.testing.assert_array_equal(ours(IDS, count_weights=NUMBERS), theirs(jnp.asarray(IDS), count_weights=NUMBERS))


@pytest.mark.parametrize("sizes", [(1000,), (7, 300, 40)])
def test_discretization_adapts_as_keras(sizes, rng):
    data = [rng.normal(size=size).astype("float32") for size in sizes]
    theirs = keras.layers.Discretization(num_bins=6)
    for batch in data:
        theirs.update_state(batch)
    theirs.finalize_state()
    layer = categorical.Discretization(num_bins=6)
    adapted = layer.adapt(data[0] if len(data) == 1 else iter(data))
    np.testing.assert_allclose(adapted.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
    assert layer.bin_boundaries is None and categorical.Discretization.from_config(
        adapted.get_config()
    ) == adapted.replace(dtype="float32")


def test_hashes_are_those_of_keras():
    words = [["A"], ["B"], ["C"], ["D"], ["E"]]
    assert hashing.Hashing(3)(words).ravel().tolist() == [1, 0, 1, 1, 2]
    assert hashing.Hashing(3, salt=[133, 137])(words).ravel().tolist() == [1, 2, 1, 0, 2]
    assert hashing.Hashing(3, salt=133)(words).ravel().tolist() == [0, 0, 2, 1, 0]
    masked = hashing.Hashing(3, mask_value="")([["A"], ["B"], [""], ["C"], ["D"]])
    assert masked.ravel().tolist() == [1, 1, 0, 2, 2]
    numbers = np.array([100, 300, 700, 1100, 1700, 2000])
    assert hashing.bins(numbers, 4).tolist() == [3, 3, 2, 2, 0, 1]
    assert hashing.Hashing(4)(numbers).tolist() == [3, 3, 2, 2, 0, 1]
    assert hashing.Hashing(3, output_mode="one_hot")(words).shape == (5, 3)
    config = hashing.Hashing(3, salt=133).get_config()
    assert config["dtype"]["config"] == {"name": "int64"} and config["salt"] == [133, 133]
    assert hashing.Hashing.from_config(config)(words).ravel().tolist() == [0, 0, 2, 1, 0]
    # The vectors of the paper's reference implementation.
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert hashing.siphash(bytes(range(15)), key) == 0xA129CA6149BE45E5
    assert hashing.siphash(b"", key) == 0x726FDB47DD0E0E31


def test_crosses_are_those_of_keras():
    first, second = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    layer = hashed_crossing.HashedCrossing(5)
    assert layer((first, second)).tolist() == [1, 4, 1, 1, 3]
    assert hashed_crossing.HashedCrossing(10)((np.array("A"), np.array(101))).tolist() == 1
    encoded = hashed_crossing.HashedCrossing(5, output_mode="one_hot")([first[:, None], second[:, None]])
    assert np.argmax(encoded, axis=-1).tolist() == [1, 4, 1, 1, 3] and encoded.shape == (5, 5)
    # Of three features, of negative integers, and after a configuration.
    other = layer.from_config(layer.get_config())
    negative = np.array([-1, 2, -3, 4, -5])
    assert other == layer.replace(dtype="int64")
    assert other((first, second, negative)).tolist() == layer((first, second, negative)).tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.array(1), "list or tuple"),
        ([np.array(1)], "at least two inputs"),
        ((np.ones((1, 1, 1)), np.ones((1, 1, 1))), "inputs should have shape"),
        ((np.array([1]), np.array([1, 2])), "equal shape"),
        ((np.array([1.0]), np.array([1.0])), "should have an integer or string"),
    ],
)
@pytest.mark.parametrize("face", [layers, jkeras.keras.layers])
def test_crosses_of_something_else(face, data, message):
    with pytest.raises(ValueError, match=message):
        face.HashedCrossing(10)(data)


@pytest.mark.parametrize(
    ("kwargs", "data", "expected"),
    [
        ({}, [[12, 1138, 42], [42, 1000, 36]], [[1, 3, 4], [4, 0, 2]]),
        ({"num_oov_indices": 2}, [[12, 1138, 42], [37, 1000, 36]], [[2, 4, 5], [1, 0, 3]]),
        ({"mask_token": 0}, [[12, 0, 7]], [[2, 0, 1]]),
        ({"output_mode": "one_hot"}, [12, 7], [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]),
        (
            {"output_mode": "multi_hot"},
            [[12, 1138, 42, 42], [42, 7, 36, 7]],
            [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]],
        ),
        ({"output_mode": "count"}, [[12, 1138, 42, 42], [42, 7, 36, 7]], [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]]),
        (
            {"output_mode": "tf_idf", "idf_weights": [0.25, 0.75, 0.6, 0.4]},
            [[12, 1138, 42, 42], [42, 7, 36, 7]],
            [[0, 0.25, 0, 0.6, 0.8], [1.0, 0, 0.75, 0, 0.4]],
        ),
        (
            {"output_mode": "count", "mask_token": 7, "max_tokens": 6, "pad_to_max_tokens": True},
            [[12, 7]],
            [[0, 1, 0, 0, 0, 0]],
        ),
        ({"invert": True}, [[1, 3, 4], [4, 0, 2]], [[12, 1138, 42], [42, -1, 36]]),
    ],
)
def test_integer_lookup(kwargs, data, expected):
    layer = lookup.IntegerLookup(vocabulary=VOCABULARY, **kwargs)
    np.testing.assert_allclose(layer(data), expected, rtol=1e-6)
    # The same inside of a compiled program and in a graph.
    np.testing.assert_allclose(jax.jit(lambda x: layer.apply({}, x))(np.array(data)), expected, rtol=1e-6)
    shape = (None, *np.shape(data)[1:])
    assert layer(layers.Input(shape[1:], dtype="int32")).shape == (None, *np.shape(expected)[1:])
    config = layer.get_config()
    assert layer.from_config(config).get_config() == config
    assert config["vocabulary"][-4:] == VOCABULARY and config["vocabulary_size"] == layer.vocabulary_size()


def test_vocabulary_with_special_tokens():
    weights = [0.9, 0.25, 0.75, 0.6, 0.4]
    layer = lookup.IntegerLookup(vocabulary=[-1, *VOCABULARY], output_mode="tf_idf", idf_weights=weights)
    np.testing.assert_allclose(layer([[42, 7, 36, 7]]), [[1.8, 0, 0.75, 0, 0.4]], rtol=1e-6)
    assert layer.get_vocabulary() == [-1, *VOCABULARY]


def test_string_lookup(tmp_path):
    layer = lookup.StringLookup(vocabulary=TERMS)
    assert layer([["a", "c", "d"], ["d", "z", "b"]]).tolist() == [[1, 3, 4], [4, 0, 2]]
    assert layer([b"a", "d"]).tolist() == [1, 4]
    back = lookup.StringLookup(vocabulary=layer.get_vocabulary(), invert=True)
    assert back([[1, 3, 9], [4, 0, 2]]).tolist() == [["a", "c", "[UNK]"], ["d", "[UNK]", "b"]]
    path = tmp_path / "words.txt"
    path.write_text("\n".join(TERMS))
    assert lookup.StringLookup(vocabulary=str(path)) == layer
    counted = lookup.StringLookup(vocabulary=TERMS, output_mode="count", mask_token="m")
    assert counted([["a", "d", "d", "z", "m"]]).tolist() == [[1, 1, 0, 0, 2]]
    several = lookup.StringLookup(vocabulary=TERMS, num_oov_indices=3)
    assert several(["A", "B", "C", "D", "E", "a"]).tolist() == [1, 0, 1, 1, 2, 3]


def test_adapt_returns_a_new_layer():
    layer = lookup.IntegerLookup()
    data = np.array([[12, 1138, 42], [42, 1000, 36]])
    adapted = layer.adapt(data)
    assert adapted.get_vocabulary() == [-1, 42, 1138, 1000, 36, 12] and layer.vocabulary is None
    assert layer.replace(max_tokens=3).adapt(data).get_vocabulary() == [-1, 42, 1138]
    weighed = lookup.StringLookup(output_mode="tf_idf").adapt(np.array([["a", "b"], ["a", "a"]]))
    np.testing.assert_allclose(weighed.idf_weights[1:], [np.log(1 + 2 / 3), np.log(1 + 2 / 2)])
    np.testing.assert_allclose(weighed.idf_weights[0], np.mean(weighed.idf_weights[1:]))
    assert lookup.StringLookup().adapt(iter([["b", "b"], ["a"]])).get_vocabulary(False) == ["b", "a"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: categorical.CategoryEncoding(), "num_tokens"),
        (lambda: categorical.CategoryEncoding(3)(IDS, count_weights=NUMBERS), "count_weights"),
        (lambda: categorical.Discretization(), "bin_boundaries"),
        (lambda: categorical.Discretization([1.0, 0.0]), "increasing"),
        (lambda: categorical.Discretization(num_bins=3)(NUMBERS), "adapt"),
        (lambda: lookup.IntegerLookup()([1]), "^IntegerLookup has no vocabulary yet"),
        (
            lambda: layers.TextVectorization()(["a"]),
            r"^TextVectorization has no vocabulary yet.*`TextVectorization\(voc",
        ),
        (lambda: lookup.IntegerLookup(vocabulary=[1, 1]), "repeats"),
        (lambda: lookup.IntegerLookup(vocabulary=[1, 2], max_tokens=2), "max_tokens=2"),
        (lambda: lookup.IntegerLookup(vocabulary=[1], num_oov_indices=0)([2]), "not in its vocabulary"),
        (lambda: lookup.IntegerLookup(vocabulary=[1]).adapt([1]), "vocabulary already"),
        (lambda: lookup.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "needs `idf_weights`"),
        (lambda: lookup.StringLookup(vocabulary="no/such/file"), "no such file"),
        (lambda: lookup.StringLookup(sparse=True), "sparse=True"),
        (lambda: lookup.StringLookup(vocabulary=TERMS)(layers.Input((2,))), "before|first"),
        (lambda: hashing.Hashing(3, salt="x"), "salt='x'"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((errors.ArgumentError, errors.InputError, errors.NotBuiltError), match=message):
        make()
