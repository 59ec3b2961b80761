"""Data sets read by number, and their splits, against Keras's arithmetic."""

import random

import keras.src.utils.dataset_utils as keras_datasets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras.errors import ArgumentError, InputError
from jkeras.utils import Samples, split_dataset

sizes = st.none() | st.integers(-1, 12) | st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.99, 1.0, 1.5])


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 11), sizes, sizes)
def test_sizes_equal_keras(total, left, right):
    try:
        expected = keras_datasets._rescale_dataset_split_sizes(left, right, total)
    except (ValueError, TypeError):
        expected = None
    if (left is None and right is None) or expected is None or min(expected) <= 0:
        with pytest.raises(ArgumentError, match=r"split_dataset\("):
            split_dataset(np.arange(total), left, right)
        return
    parts = split_dataset(np.arange(total), left, right)
    assert tuple(len(part) for part in parts) == expected


def test_shuffled_split_equals_keras_order():
    order = list(range(10))
    random.Random(4).shuffle(order)
    state = random.getstate()
    left, right = split_dataset(np.arange(10), left_size=7, shuffle=True, seed=4)
    assert [int(s) for s in left] + [int(s) for s in right] == order
    assert random.getstate() == state


def test_structures_are_kept():
    data = {"x": np.arange(8).reshape(4, 2), "y": (np.arange(4),)}
    left, right = split_dataset(data, right_size=0.25)
    assert [sample["y"][0] for sample in left] == [0, 1, 2]
    (batch,) = right.batch(32)
    assert batch["x"].tolist() == [[6, 7]] and batch["y"][0].tolist() == [3]


def test_batches_stay_batches_and_objects_are_read_by_number():
    class Squares:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return np.float32(index), index**2

    left, _right = split_dataset(Squares(), left_size=3)
    assert [float(x) for x, _ in left] == [0, 1, 2]
    batches = split_dataset(left.batch(2), left_size=2)[0]
    assert [(x.tolist(), y.tolist()) for x, y in batches] == [([0, 1], [0, 1])]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.ones(3), np.ones(4)), r"lengths \[3, 4\]"),
        (np.ones(0), r"lengths \[0\]"),
        (3, "got int"),
        ([], r"lengths \[\]"),
        (np.float32(3), "got"),
    ],
)
def test_what_cannot_be_split(data, message):
    with pytest.raises(InputError, match=message):
        split_dataset(data, left_size=0.5)


def test_attributes_follow():
    files = [f"{i}.png" for i in range(4)]
    samples = Samples(4, lambda index: index, 2, class_names=("a", "b"), file_paths=files)
    left, right = split_dataset(samples, left_size=1)
    assert (left.file_paths, right.file_paths, right.class_names) == (files[:1], files[1:], ["a", "b"])
    assert repr(left) == "Samples(1, batch_size=2, shuffle=False)"
