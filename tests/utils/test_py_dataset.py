"""`PyDataset` and how its batches are made in the background."""

import itertools
import threading
import time

import numpy as np
import pytest

from jkeras.errors import ArgumentError
from jkeras.utils import PyDataset, Sequence
from jkeras.utils.py_dataset import iterate


class Squares(PyDataset):
    def __init__(self, count, delays=None, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.delays = delays
        self.threads = set()
        self.made = 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.made += 1
        self.threads.add(threading.current_thread())
        if self.delays is not None:
            time.sleep(self.delays[index])
        return index**2


@pytest.mark.parametrize("arguments", [{}, {"workers": 3}, {"workers": 1, "use_multiprocessing": True}])
def test_order_does_not_depend_on_the_workers(rng, arguments):
    dataset = Squares(20, delays=rng.uniform(0, 0.004, 20), **arguments)
    assert list(iterate(dataset)) == [i**2 for i in range(20)]
    assert list(iterate(dataset, [3, 1, 2])) == [9, 1, 4]
    in_background = threading.main_thread() not in dataset.threads
    assert in_background == bool(arguments)
    assert list(dataset) == [i**2 for i in range(20)]


def test_only_so_many_batches_are_made_ahead():
    dataset = Squares(100, workers=2, max_queue_size=4)
    batches = iterate(dataset)
    assert next(batches) == 0
    time.sleep(0.05)
    assert dataset.made <= 5
    batches.close()
    assert dataset.made <= 5
    assert not any(t.is_alive() for t in dataset.threads)


def test_a_data_set_without_end():
    class Counting(PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return np.full(2, index)

    for workers in (1, 3):
        batches = iterate(Counting(workers=workers))
        assert [int(b[0]) for b in itertools.islice(batches, 5)] == [0, 1, 2, 3, 4]
        batches.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_users_exception_arrives_unchanged_in_its_place(workers):
    mistake = KeyError("mine")

    class Broken(Squares):
        def __getitem__(self, index):
            if index == 3:
                raise mistake
            return super().__getitem__(index)

    batches = iterate(Broken(9, workers=workers))
    assert [next(batches) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(KeyError) as caught:
        next(batches)
    assert caught.value is mistake


def test_a_subclass_may_forget_its_base():
    class Forgetful(Sequence):
        def __init__(self):
            pass

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return index

    dataset = Forgetful()
    assert (list(iterate(dataset)), dataset.workers, dataset.max_queue_size) == ([0, 1], 1, 10)
    dataset.on_epoch_begin()
    dataset.on_epoch_end()


def test_what_is_missing_is_said():
    with pytest.raises(NotImplementedError, match="PyDataset needs `__len__"):
        list(PyDataset())
    with pytest.raises(NotImplementedError, match="PyDataset needs `__getitem__"):
        PyDataset()[0]
    with pytest.raises(ArgumentError, match=r"PyDataset\(max_queue_size=0\): expected an integer of at least 1"):
        PyDataset(max_queue_size=0)
