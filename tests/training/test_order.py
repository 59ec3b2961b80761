"""The order of rows: permutations that depend on the key, the epoch and the step, and on nothing else."""

import jax
import numpy as np
import pytest

from jkeras.training import order

KEY = np.array([3, 7], np.uint32)
EXPECTED = [3, 0, 4, 7, 2, 5, 6, 1]


def draw(key=KEY, step=0, epoch=0, rows=101, length=101, shuffle=True):
    return order.draw(key, step, epoch=epoch, rows=rows, length=length, shuffle=shuffle)


@pytest.mark.parametrize("rows", [1, 2, 64, 65, 1000])
def test_every_row_comes_once(rows):
    assert sorted(draw(rows=rows, length=rows)) == list(range(rows))


def test_the_same_seed_gives_the_same_order():
    # Written down: it must not change with versions of NumPy or of jkeras either.
    assert draw(rows=8, length=8).tolist() == draw(rows=8, length=8).tolist() == EXPECTED
    others = [draw(key=KEY + np.uint32(1)), draw(step=1), draw(epoch=1), draw(shuffle=False)]
    assert all((draw() != other).any() for other in others)


def test_every_place_is_equally_likely():
    first = [draw(epoch=epoch, rows=5, length=5)[0] for epoch in range(2000)]
    assert np.abs(np.bincount(first, minlength=5) - 400).max() < 80  # 4.5 standard deviations


def test_rows_stay_in_their_batch():
    drawn = draw(rows=10, length=10, shuffle=4)
    assert [set(drawn[:4]), set(drawn[4:8]), set(drawn[8:])] == [{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}]


def test_a_resample_is_the_same_in_every_epoch():
    one, two = draw(shuffle="bootstrap"), draw(epoch=1, shuffle="bootstrap")
    assert (one != two).any() and sorted(one) == sorted(two) and len(set(one)) < 80


def test_many_models_have_orders_of_their_own():
    keys = jax.random.split(jax.random.key(0), 3)
    drawn = order.epoch_order(keys, 0, np.zeros(3, int), rows=50, length=50, shuffle=True)
    assert drawn.shape == (3, 50) and len({tuple(row) for row in np.asarray(drawn).tolist()}) == 3
