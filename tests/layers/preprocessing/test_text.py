"""TextVectorization against the numbers in Keras's documentation; Keras itself needs TensorFlow for it."""

import numpy as np
import pytest

from jkeras import errors, layers
from jkeras.errors import ArgumentError, InputError
from jkeras.layers.preprocessing.text import TextVectorization

WORDS = ["earth", "wind", "and", "fire"]


def test_documented_example():
    layer = TextVectorization(max_tokens=5000, output_sequence_length=4, vocabulary=WORDS)
    assert layer.get_vocabulary() == ["", "[UNK]", *WORDS]
    assert layer([["earth, wind & Fire!"], ["water and fire and wind and"]]).tolist() == [[2, 3, 5, 0], [1, 4, 5, 4]]
    adapted = TextVectorization(max_tokens=5000, output_sequence_length=4).adapt(
        ["foo bar", "bar baz", "baz bada boom"]
    )
    assert adapted.get_vocabulary() == ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    assert adapted([["foo qux bar"], ["qux baz"]]).tolist() == [[4, 1, 3, 0], [1, 2, 0, 0]]


@pytest.mark.parametrize(
    ("kwargs", "texts", "expected"),
    [
        ({}, ["a b", "b"], [[2, 3], [3, 0]]),
        ({"split": "character"}, ["ba", "c"], [[3, 2], [1, 0]]),
        ({"standardize": None}, ["A b"], [[1, 3]]),
        ({"standardize": "lower"}, ["A, b"], [[1, 3]]),
        ({"standardize": "strip_punctuation"}, ["a, B"], [[2, 1]]),
        ({"standardize": lambda x: np.char.replace(x, "z", "a")}, ["z b"], [[2, 3]]),
        ({"split": lambda x: [text.split("-") for text in x], "standardize": None}, ["a-b"], [[2, 3]]),
        ({"ngrams": 2, "vocabulary": ["a", "b", "a b"]}, ["a b"], [[2, 3, 4]]),
        ({"ngrams": (2,), "vocabulary": ["a", "a b"]}, ["a b a"], [[3, 1]]),
        ({"output_mode": "multi_hot"}, ["a z a", "b"], [[1, 1, 0], [0, 0, 1]]),
        ({"output_mode": "count"}, ["a z a", ""], [[1, 2, 0], [0, 0, 0]]),
        ({"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 5}, ["a z a"], [[1, 2, 0, 0, 0]]),
        ({"output_mode": "tf_idf", "idf_weights": [1.0, 3.0]}, ["a z a b"], [[2, 2, 3]]),
        ({"split": None, "standardize": None}, [["a", "b"]], [[2, 3]]),
        ({}, "a b", [2, 3]),
    ],
)
def test_modes(kwargs, texts, expected):
    layer = TextVectorization(**{"vocabulary": ["a", "b"], **kwargs})
    assert layer(texts).tolist() == expected
    assert layer.replace(name="other")(texts).tolist() == expected
    if not any(callable(value) for value in kwargs.values()):
        config = layer.get_config()
        assert TextVectorization.from_config(config).get_config() == config
        assert set(config) == {
            *("name", "trainable", "dtype", "max_tokens", "standardize", "split", "ngrams", "output_mode", "encoding"),
            *("output_sequence_length", "pad_to_max_tokens", "sparse", "ragged", "vocabulary", "idf_weights"),
            "vocabulary_size",
        }


def test_adapt_to_weights():
    layer = TextVectorization(output_mode="tf_idf").adapt(["a b", "a a"])
    weights = np.log(1 + 2 / np.array([3, 2]))
    np.testing.assert_allclose(layer(["a b c"]), [[weights.mean(), *weights]], rtol=1e-6)


def test_mistakes_are_named():
    with pytest.raises(errors.InputError, match="first"):
        TextVectorization(vocabulary=["a"])(layers.Input((1,)))
    with pytest.raises(errors.InputError, match="one text a row"):
        TextVectorization(vocabulary=["a"])([["a", "b"]])
    with pytest.raises(errors.NotBuiltError, match="no vocabulary"):
        TextVectorization()(["a"])
    with pytest.raises(errors.ArgumentError, match="standardize='upper'"):
        TextVectorization(standardize="upper")
    with pytest.raises(errors.ArgumentError, match="output_sequence_length"):
        TextVectorization(output_mode="count", output_sequence_length=3)


@pytest.mark.parametrize(
    "layer",
    [
        layers.TextVectorization(),
        layers.StringLookup(),
        layers.IntegerLookup(),
        layers.Normalization(),
        layers.Discretization(num_bins=3),
    ],
)
def test_nothing_is_no_data_to_adapt_to(layer):
    with pytest.raises(InputError, match=r"adapt\(None\): expected an array"):
        layer.adapt(None)


@pytest.mark.parametrize("cls", [layers.TextVectorization, layers.StringLookup, layers.IntegerLookup])
def test_a_number_is_no_vocabulary(cls):
    with pytest.raises(ArgumentError, match=rf"{cls.__name__}\(vocabulary=-1\): expected a list of terms, or the path"):
        cls(vocabulary=-1)
