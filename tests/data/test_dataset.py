"""`jkeras.data.Dataset` against plain Python, and the promise that a pass can be left and gone on with anywhere."""

import importlib
import importlib.util
import itertools
import json
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("grain")

from jkeras.data import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset, TensorSpec
from jkeras.errors import ArgumentError, InputError
from jkeras.utils import text_dataset_from_directory


def plain(element):
    """An element as Python numbers, lists, tuples and dicts."""
    if isinstance(element, tuple):
        return tuple(map(plain, element))
    if isinstance(element, dict):
        return {key: plain(value) for key, value in element.items()}
    return np.asarray(element).tolist()


def listed(dataset, number=None):
    return [plain(e) for e in (dataset if number is None else dataset.iterate(number))]


def generated(n):
    """The same numbers as `Dataset.range(n)`, one after the other."""
    return Dataset.from_generator(lambda: iter(range(n)))


def pairs(n):
    return Dataset.from_tensor_slices((np.arange(n), np.arange(n) % 2))


SOURCES = {"arrays": Dataset.range, "numbered": lambda n: Dataset.range(n).map(lambda i: i), "stream": generated}

# Name: what is done to the numbers 0 to 9, and what plain Python makes of them.
CASES = {
    "map": (lambda d: d.map(lambda i: i * i), [i * i for i in range(10)]),
    "map in threads": (lambda d: d.map(lambda i: i * i, num_parallel_calls=3), [i * i for i in range(10)]),
    "filter": (lambda d: d.filter(lambda i: i % 3 == 0), [0, 3, 6, 9]),
    "take": (lambda d: d.take(3), [0, 1, 2]),
    "take all": (lambda d: d.take(-1), list(range(10))),
    "take none": (lambda d: d.take(0), []),
    "take more than there are": (lambda d: d.take(99), list(range(10))),
    "skip": (lambda d: d.skip(7), [7, 8, 9]),
    "skip all": (lambda d: d.skip(-1), []),
    "shard": (lambda d: d.shard(4, 1), [1, 5, 9]),
    "enumerate": (lambda d: d.skip(8).enumerate(5), [(5, 8), (6, 9)]),
    "batch": (lambda d: d.batch(4), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
    "batch without rest": (lambda d: d.batch(4, drop_remainder=True), [[0, 1, 2, 3], [4, 5, 6, 7]]),
    "batches of batches": (lambda d: d.batch(5).batch(2), [[[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]]),
    "unbatch": (lambda d: d.batch(3).unbatch(), list(range(10))),
    "rebatch": (lambda d: d.batch(3).rebatch(4), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]),
    "rebatch of whole batches": (
        lambda d: d.batch(4).rebatch(3, drop_remainder=True),
        [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
    ),
    "batch of another size": (lambda d: d.batch(3).unbatch().batch(6), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]),
    "repeat": (lambda d: d.take(2).repeat(3), [0, 1] * 3),
    "repeat never": (lambda d: d.repeat(0), []),
    "batches across repeats": (lambda d: d.take(3).repeat(2).batch(4), [[0, 1, 2, 0], [1, 2]]),
    "repeat without end": (lambda d: d.take(3).repeat().take(7), [0, 1, 2, 0, 1, 2, 0]),
    "nothing without end": (lambda d: d.take(0).repeat(), []),
    "concatenate": (lambda d: d.take(2).concatenate(Dataset.range(7, 9)), [0, 1, 7, 8]),
    "zip": (lambda d: Dataset.zip(d, Dataset.range(20, 23)), [(0, 20), (1, 21), (2, 22)]),
    "zip of a dict": (lambda d: Dataset.zip({"a": d, "b": d.skip(8)}), [{"a": 0, "b": 8}, {"a": 1, "b": 9}]),
    "prefetch": (lambda d: d.prefetch(AUTOTUNE), list(range(10))),
    "prefetch nothing": (lambda d: d.prefetch(0), list(range(10))),
    "cache": (lambda d: d.cache(), list(range(10))),
    "apply": (lambda d: d.apply(lambda data: data.take(1)), [0]),
    "interleave": (
        lambda d: d.skip(1).take(3).interleave(lambda i: Dataset.range(i * 10, i * 10 + 3), 2, block_length=2),
        [10, 11, 20, 21, 12, 22, 30, 31, 32],
    ),
    "interleave in threads": (
        lambda d: d.take(2).interleave(lambda i: generated(2), 2, num_parallel_calls=AUTOTUNE),
        [0, 0, 1, 1],
    ),
    "flat_map": (lambda d: d.skip(1).take(3).flat_map(lambda i: Dataset.range(i)), [0, 0, 1, 0, 1, 2]),
    "a whole pipeline": (
        lambda d: (
            d.map(lambda i: (i, -i), 2).filter(lambda i, j: i % 2 == 0).batch(2).map(lambda x, y: x + y, 2).prefetch(2)
        ),
        [[0, 0], [0, 0], [0]],
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", CASES)
def test_elements(name, source):
    change, expected = CASES[name]
    dataset = change(SOURCES[source](10))
    assert listed(dataset) == expected
    assert listed(dataset) == expected  # as often as wanted
    size = dataset.cardinality()
    assert size == UNKNOWN_CARDINALITY or size == len(expected) or (size == INFINITE_CARDINALITY and "end" in name)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", [*CASES, "shuffle", "shuffle and repeat"])
def test_a_pass_can_be_left_and_gone_on_with_anywhere(name, source):
    more = {
        "shuffle": lambda d: d.shuffle(4, seed=1).batch(3),
        "shuffle and repeat": lambda d: d.shuffle(4, seed=1).repeat(2).shuffle(5).prefetch(2),
    }
    dataset = (more.get(name) or CASES[name][0])(SOURCES[source](10))
    whole = listed(dataset, 2)
    for done in {0, 1, len(whole) // 2, len(whole)}:
        first = dataset.iterate(2)
        assert [plain(e) for e in itertools.islice(first, done)] == whole[:done]
        state = json.loads(json.dumps(first.get_state()))
        first.close()
        other = dataset.iterate()
        other.set_state(state)
        assert [plain(e) for e in other] == whole[done:]


@pytest.mark.parametrize("source", SOURCES)
def test_orders(source):
    numbers = SOURCES[source](50)
    dataset = numbers.shuffle(50, seed=3)
    passes = [listed(dataset) for _ in range(3)]
    assert all(sorted(p) == list(range(50)) for p in passes)
    assert len(set(map(tuple, passes))) == 3 and list(range(50)) not in passes
    assert passes == [listed(numbers.shuffle(50, seed=3), i) for i in range(3)]
    assert listed(numbers.shuffle(50, seed=4)) != passes[0]
    fixed = numbers.shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert listed(fixed) == listed(fixed)
    twice = listed(dataset.repeat(2))
    assert sorted(twice[:50]) == sorted(twice[50:]) == list(range(50)) and twice[:50] != twice[50:]


@given(size=st.integers(1, 30), shards=st.integers(1, 5), batch=st.integers(1, 7), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_the_parts_of_the_processes_are_the_whole(size, shards, batch, seed):
    data = Dataset.range(size).map(lambda i: i)
    parts = [listed(data.shard(shards, i).shuffle(size, seed=seed).batch(batch).unbatch()) for i in range(shards)]
    assert sorted(itertools.chain(*parts)) == list(range(size))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.smoke
def test_structures():
    element = {"image": np.zeros((4, 2, 2)), "more": (np.arange(4), [[1], [2], [3], [4]])}
    dataset = Dataset.from_tensor_slices(element).batch(3)
    batch = next(iter(dataset))
    assert batch["image"].shape == (3, 2, 2) and plain(batch["more"]) == ([0, 1, 2], [[1], [2], [3]])
    assert dataset.element_spec == {
        "image": TensorSpec((None, 2, 2), "float64"),
        "more": (TensorSpec((None,), "int64"), TensorSpec((None, 1), "int64")),
    }
    assert Dataset.from_tensors((1, [2, 3])).element_spec == (TensorSpec((), "int64"), TensorSpec((2,), "int64"))
    assert pairs(4).batch(2, drop_remainder=True).element_spec[0].shape == (2,)


def test_frames_are_dicts_of_columns():
    pandas = pytest.importorskip("pandas")
    dataset = Dataset.from_tensor_slices(pandas.DataFrame({"a": [1, 2], "b": [3.5, 4.5]}))
    assert listed(dataset) == [{"a": 1, "b": 3.5}, {"a": 2, "b": 4.5}]


def test_generators_with_a_signature():
    spec = (TensorSpec((None,), "float32"), TensorSpec((), "int32"))

    def make(count):
        for i in range(count):
            yield [0.5] * i, i

    dataset = Dataset.from_generator(make, args=(3,), output_signature=spec)
    assert dataset.element_spec == spec
    assert listed(dataset) == [([], 0), ([0.5], 1), ([0.5, 0.5], 2)]
    assert next(iter(dataset))[0].dtype == np.float32
    old = Dataset.from_generator(lambda: iter([([1, 2], 3)]), (float, "int32"), ((2,), ()))
    assert listed(old) == [([1.0, 2.0], 3)]
    wrong = Dataset.from_generator(lambda: iter([([1.0], 2), ([[1.0]], 3)]), output_signature=spec)
    with pytest.raises(
        InputError,
        match=r"element 1 is \(float64\[1, 1\], int64\[\]\), but \(float32\[None\], int32\[\]\) was declared",
    ):
        listed(wrong)


def test_padded_batches():
    dataset = Dataset.from_generator(lambda: iter([([1], "a"), ([2, 3], "bb"), ([], "")]))
    assert listed(dataset.padded_batch(3)) == [([[1, 0], [2, 3], [0, 0]], ["a", "bb", ""])]
    assert listed(dataset.padded_batch(2, ([3], []), (-1.0, ""))) == [
        ([[1, -1, -1], [2, 3, -1]], ["a", "bb"]),
        ([[-1, -1, -1]], [""]),
    ]
    with pytest.raises(
        InputError, match=r"element 1 of the data set is .*\[2\], which is larger than the padded shape \(1,\)"
    ):
        listed(dataset.padded_batch(3, ((1,), ())))


def test_cached_elements_are_made_once():
    for source in SOURCES.values():
        calls = []
        dataset = source(5).map(lambda i, calls=calls: calls.append(int(i)) or i).cache().shuffle(5, seed=0)
        passes = [listed(dataset) for _ in range(2)]
        assert sorted(passes[0]) == sorted(passes[1]) == list(range(5)) == sorted(calls)


@pytest.mark.parametrize("source", SOURCES)
def test_threads_work_at_the_same_time(source):
    meeting = threading.Barrier(3, timeout=20)

    def wait(i):
        meeting.wait()
        return i

    assert listed(SOURCES[source](6).map(wait, num_parallel_calls=3)) == list(range(6))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("threads", [None, 2])
@pytest.mark.parametrize("ahead", [0, 2])
def test_the_users_exception_arrives_when_its_element_is_due(source, threads, ahead):
    class OwnError(Exception):
        pass

    error = OwnError("not this one")

    def refuse(i):
        if i == 3:
            raise error
        return i

    iterator = iter(SOURCES[source](6).map(refuse, threads).prefetch(ahead))
    assert [int(next(iterator)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OwnError) as caught:
        next(iterator)
    assert caught.value is error


@pytest.mark.parametrize("source", SOURCES)
def test_elements_that_do_not_go_together(source):
    other_shape = SOURCES[source](6).map(lambda i: np.zeros(3 if i == 4 else 2)).batch(3)
    with pytest.raises(
        InputError, match=r"element 4 of the data set is float64\[3\], but the elements before are float64\[2\]"
    ):
        listed(other_shape)
    other_structure = SOURCES[source](3).map(lambda i: (i, i) if i == 1 else {"a": i}).batch(3)
    with pytest.raises(InputError, match=r"element 1 of the data set is \(int64\[\], int64\[\]\).*\{'a': int64\[\]\}"):
        listed(other_structure)


MISTAKES = {
    "different lengths": (lambda: Dataset.from_tensor_slices(([1, 2], [3])), "same number of rows"),
    "a number": (lambda: Dataset.from_tensor_slices(3), "same number of rows"),
    "a generator, not its function": (lambda: Dataset.from_generator(iter([1])), "Pass the function itself"),
    "batch of 0": (lambda: pairs(3).batch(0), r"batch\(batch_size=0\): expected an integer of at least 1"),
    "batch of True": (lambda: pairs(3).batch(True), "expected an integer"),
    "shard out of range": (lambda: pairs(3).shard(2, 2), "below num_shards"),
    "cache in a file": (lambda: pairs(3).cache("x"), "caches in memory"),
    "no return": (lambda: listed(pairs(3).map(lambda x, y: None)), "forget to `return`"),
    "zip of arrays": (lambda: Dataset.zip(np.arange(3)), "expected data sets"),
    "concatenate with an array": (lambda: pairs(3).concatenate(np.arange(3)), "expected a jkeras.data.Dataset"),
    "interleave of arrays": (lambda: listed(pairs(3).interleave(lambda x, y: x)), "must return a Dataset"),
    "unbatch of numbers": (lambda: listed(pairs(3).unbatch()), "same number of rows"),
    "spec of nothing": (lambda: pairs(0).element_spec, "empty"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    action, message = MISTAKES[name]
    with pytest.raises((ArgumentError, InputError), match=message):
        action()


def test_lengths():
    assert len(pairs(7).batch(2)) == 4
    for dataset, cardinality in ((pairs(3).repeat(), INFINITE_CARDINALITY), (generated(3), UNKNOWN_CARDINALITY)):
        assert dataset.cardinality() == cardinality and dataset
        with pytest.raises(TypeError):
            len(dataset)
    assert pairs(3).repeat().take(5).cardinality() == 5
    assert Dataset.range(5).reduce(0, lambda total, i: total + i) == 10


def test_threads_end_with_the_iterator():
    before = threading.active_count()
    iterators = [iter(SOURCES[s](100).map(lambda i: i, 2).prefetch(2)) for s in SOURCES]
    for iterator in iterators:
        next(iterator)
    assert threading.active_count() > before
    for iterator in iterators:
        iterator.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_folders_of_files_have_the_methods_of_pipelines(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for i in range(3):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}")
    texts = text_dataset_from_directory(tmp_path, batch_size=4, seed=1, verbose=False)
    assert texts.class_names == ["cats", "dogs"] and isinstance(texts.take(1), Dataset)
    assert len(next(iter(texts.take(1)))[0]) == 4
    cached = texts.map(lambda text, label: label).cache().shuffle(10).prefetch(AUTOTUNE)
    assert cached.cardinality() == len(texts) == 2
    assert sorted(itertools.chain(*listed(cached))) == [0, 0, 0, 1, 1, 1]
    passes = [plain(next(iter(texts.iterate(i)))[1]) for i in range(4)]
    assert (
        passes == [plain(next(iter(texts.skip(0).iterate(i)))[1]) for i in range(4)]
        and len(set(map(tuple, passes))) > 1
    )
    with pytest.raises(AttributeError, match="'Samples' object has no attribute 'mapp'"):
        texts.mapp(len)


def test_without_grain_the_error_says_what_to_install(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "grain" else find(name))
    source = importlib.import_module("jkeras.data")
    with pytest.raises(ImportError, match=r'pip install "jkeras\[data\]"'):
        importlib.reload(source)
    monkeypatch.undo()
    importlib.reload(source)
