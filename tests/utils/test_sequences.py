"""Padded sequences and windows over time, against Keras's."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras.errors import ArgumentError, InputError
from jkeras.utils import pad_sequences, timeseries_dataset_from_array

sequences = st.lists(st.lists(st.integers(-5, 5), max_size=6), min_size=1, max_size=5)
sides = st.sampled_from(["pre", "post"])
dtypes = st.sampled_from(["int32", "float32"])


@settings(deadline=None, max_examples=80)
@given(sequences, st.none() | st.integers(1, 8), sides, sides, dtypes, st.integers(-2, 2))
def test_pad_sequences_equals_keras(rows, maxlen, padding, truncating, dtype, value):
    arguments = {"maxlen": maxlen, "dtype": dtype, "padding": padding, "truncating": truncating, "value": value}
    ours, theirs = pad_sequences(rows, **arguments), keras.utils.pad_sequences(rows, **arguments)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_elements_that_are_arrays_or_strings(rng, padding):
    rows = [rng.normal(size=(n, 2, 3)) for n in (0, 4, 2)]
    theirs = keras.utils.pad_sequences(rows, dtype="float64", padding=padding)
    np.testing.assert_array_equal(pad_sequences(rows, dtype="float64", padding=padding), theirs)
    words = [["a"], ["b", "c"]]
    theirs = keras.utils.pad_sequences(words, dtype=object, value="", padding=padding)
    np.testing.assert_array_equal(pad_sequences(words, dtype=object, value="", padding=padding), theirs)


def test_rows_of_no_length():
    assert pad_sequences([[1, 2], [3]], maxlen=0).shape == (2, 0)
    assert pad_sequences([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("rows", "arguments", "error", "message"),
    [
        ([[1]], {"padding": "left"}, ArgumentError, "padding='left'"),
        ([[1]], {"truncating": "left"}, ArgumentError, "truncating='left'"),
        ([["a"]], {"value": "x"}, ArgumentError, "strings need dtype=object"),
        ([1, 2], {}, InputError, "it contains 1"),
        (iter([[1]]), {}, InputError, "needs a list of sequences"),
        ([[[1, 2]], [[3]]], {}, InputError, "elements of sequence 1"),
    ],
)
def test_pad_sequences_bad_input(rows, arguments, error, message):
    with pytest.raises(error, match=message):
        pad_sequences(rows, **arguments)


WINDOWS = [
    {"sequence_length": 4},
    {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3},
    {"sequence_length": 5, "start_index": 4, "end_index": 20},
    {"sequence_length": 2, "batch_size": None, "end_index": 9},
    {"sequence_length": 1, "batch_size": 7, "start_index": 3},
]


@pytest.mark.parametrize("arguments", WINDOWS)
@pytest.mark.parametrize("with_targets", [True, False])
def test_windows_equal_keras(rng, arguments, with_targets):
    pytest.importorskip("grain")
    data = rng.normal(size=(30, 2)).astype("float32")
    targets = np.arange(30) if with_targets else None
    theirs = list(keras.utils.timeseries_dataset_from_array(data, targets, format="grain", **arguments))
    ours = timeseries_dataset_from_array(data, targets, **arguments)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        for our_part, their_part in zip(our, their, strict=True) if with_targets else [(our, their)]:
            np.testing.assert_array_equal(our_part, their_part)


def test_shuffled_windows(rng):
    arguments = {"sequence_length": 3, "batch_size": 4, "shuffle": True}
    data = np.arange(20)
    first, second = (timeseries_dataset_from_array(data, data, seed=s, **arguments) for s in (1, 1))
    passes = [[x[:, 0].tolist() for x, _ in windows] for windows in (first, first, second)]
    assert passes[0] == passes[2] != passes[1]
    assert sorted(np.concatenate(passes[0])) == sorted(np.concatenate(passes[1])) == list(range(18))
    for x, y in first:
        np.testing.assert_array_equal(x[:, 0], y)


@pytest.mark.parametrize(
    "arguments",
    [
        {"sequence_length": 0},
        {"sequence_length": 31},
        {"sequence_length": 2, "start_index": -1},
        {"sequence_length": 2, "start_index": 30},
        {"sequence_length": 2, "start_index": 9, "end_index": 9},
        {"sequence_length": 2, "end_index": 30},
        {"sequence_length": 2, "sampling_rate": 0},
        {"sequence_length": 2, "sequence_stride": 30},
        {"sequence_length": 2, "format": "torch"},
        {"sequence_length": 2, "batch_size": 0},
    ],
)
def test_windows_bad_arguments(arguments):
    with pytest.raises(ArgumentError, match="expected"):
        timeseries_dataset_from_array(np.arange(30), None, **arguments)
