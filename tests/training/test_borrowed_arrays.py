"""Rows of arrays that JAX reads in place equal those of the arrays."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras.training import borrowed_arrays


def unaligned(shape, dtype, offset, rng):
    """An array whose address is `offset` bytes after a multiple of 64."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    array = memory[start : start + size].view(dtype).reshape(shape)
    array[...] = rng.integers(0, 100, shape)
    return array


@pytest.fixture
def eager_lending(monkeypatch):
    monkeypatch.setattr(borrowed_arrays, "LEAST_BYTES", 0)


CASES = [
    ((9, 5), "float32", 16), ((9, 3), "float32", 4), ((40, 2), "float32", 8), ((9, 4, 3), "uint8", 1), ((30, 1), "int32", 60),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "dtype", "offset"), CASES)
def test_rows_equal_those_of_the_array(shape, dtype, offset, rng, eager_lending):
    array = unaligned(shape, dtype, offset, rng)
    placed = borrowed_arrays.place({"x": array})
    assert isinstance(placed["x"], borrowed_arrays.BorrowedArray) and borrowed_arrays.row_count(placed) == shape[0]
    order = rng.permutation(shape[0]).astype(np.int32)
    np.testing.assert_array_equal(jax.jit(borrowed_arrays.take)(placed, order)["x"], array[order])
    cut = jax.jit(borrowed_arrays.cut, static_argnums=2)
    for start, size in ((0, 1), (0, 4), (1, 3), (shape[0] - 4, 4), (0, shape[0])):
        np.testing.assert_array_equal(cut(placed, start, size)["x"], array[start : start + size])


def test_memory_is_not_copied(rng):
    array = unaligned((600, 500), "float32", 16, rng)
    lent = borrowed_arrays.place(array)
    assert lent.body.unsafe_buffer_pointer() == array.ctypes.data + 48


@pytest.mark.parametrize(
    "array", [np.zeros(9, "float32"), np.zeros((4, 3), "float32"), np.zeros((4, 6), "float32")[:, ::2]]
)
def test_other_arrays_are_handed_over_whole(array):
    assert isinstance(borrowed_arrays.place(array), jax.Array)


def test_training_and_evaluation_do_not_depend_on_the_address(rng, eager_lending):
    y = rng.random((21, 1)).astype("float32")
    lent, whole = (unaligned((21, 5), "float32", offset, np.random.default_rng(0)) for offset in (16, 0))
    model = jk.Sequential([jk.Input((5,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    trained = [model.fit(x / 100, y, batch_size=8, epochs=2, validation_split=0.3, verbose=0) for x in (lent, whole)]
    assert trained[0].history == trained[1].history
    assert trained[0].evaluate(lent, y, batch_size=8, verbose=0) == trained[1].evaluate(
        whole, y, batch_size=8, verbose=0
    )
