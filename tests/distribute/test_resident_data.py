"""Large data are kept in parts: the same numbers, a part on each device, and no more sent than a batch."""

import re

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.distribute import meshes, resident
from jkeras.training.abstract_programs import abstract_programs
from jkeras.training.sources import TrainingData, ValidationData
from jkeras.training.state import Batch
from jkeras.training.task import prepare

d = jk.distribute
# Sizes that no other test has: a program is traced once for its shapes.
ROWS, WIDTH = 203, 37
X = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype("float32")
Y = X[:, :2].copy()


def by_columns():
    layouts = d.LayoutMap(d.DeviceMesh((2, 2), ["batch", "model"]))
    layouts["^dense.*kernel"] = d.TensorLayout([None, "model"])
    return d.ModelParallel(layout_map=layouts)


STRATEGIES = {
    "DataParallel": d.DataParallel,
    "FSDP": lambda: d.FSDP(min_size=16),
    "ModelParallel": by_columns,
    "MirroredStrategy": d.MirroredStrategy,
}


def compiled(strategy, **options):
    first = layers.Dense(8, activation="relu", **options)
    net = jk.Sequential([layers.Input((WIDTH,)), first, layers.Dense(2)])
    return net.compile(jk.optimizers.SGD(0.1), "mse", metrics=["mae"], distribute=strategy)


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr(meshes, "LARGEST_COPY", 0)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_numbers_are_those_of_one_device(name, in_parts):
    found = []
    for strategy in (None, STRATEGIES[name]()):
        model = compiled(strategy).fit(
            X, Y, batch_size=16, epochs=2, verbose=0, sample_weight=Y[:, 0] ** 2, validation_data=(X[:91], Y[:91])
        )
        scores = model.evaluate(X[:67], Y[:67], batch_size=8, verbose=0)
        found.append((dict(model.history), scores, jax.tree.map(np.asarray, dict(model.state.params))))
    for one, other in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", STRATEGIES)
def test_rows_added_for_equal_parts_do_not_count(name, in_parts):
    """A last batch of rows that act on each other is taken without them."""
    found = []
    for strategy in (None, STRATEGIES[name]()):
        model = compiled(strategy, activity_regularizer=jk.regularizers.L2(0.1))
        found.append(model.evaluate(X, Y, batch_size=20, verbose=0))
    for one, other in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("name", STRATEGIES)
def test_last_batches_are_trained_on_whole(name, in_parts):
    found = []
    for strategy in (None, STRATEGIES[name]()):
        model = compiled(strategy, activity_regularizer=jk.regularizers.L2(0.1))
        model = model.fit(X, Y, batch_size=20, verbose=0, shuffle=False)
        found.append(jax.tree.map(np.asarray, dict(model.state.params)))
    for one, other in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint8, bool])
def test_replicas_exchange_rows_of_any_type(kind, in_parts):
    data = (np.arange(ROWS * 3).reshape(ROWS, 3) % 251).astype(kind)
    layout = d.MirroredStrategy().layout()
    placed = layout.place_data(Batch(data))
    order = np.random.default_rng(1).permutation(ROWS)[:20].astype(np.int32)

    def taken(number, placed, order):
        return placed.taken(order.reshape(4, 5)).x

    mapped = jax.pmap(taken, axis_name=resident.AXIS, in_axes=(0, resident.AXES, None))
    rows = mapped(np.arange(4), placed, order)
    assert rows.dtype == kind
    np.testing.assert_array_equal(np.asarray(rows).reshape(20, 3), data[order])


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_device_has_a_part(name, in_parts):
    layout = prepare(compiled(STRATEGIES[name]()), TrainingData(X, Y, batch_size=16), ValidationData()).layout
    parts = 2 if name == "ModelParallel" else 4
    placed = layout.place_data(Batch(X, Y))
    shares = placed.parts if name == "MirroredStrategy" else placed
    assert {shard.data.size for shard in shares.x.addressable_shards} == {204 // parts * WIDTH}
    rows = np.asarray(placed.rows.x if name == "MirroredStrategy" else placed.x)
    assert rows.shape == (204, WIDTH)
    np.testing.assert_array_equal(rows[:ROWS], X)
    assert layout.resident_bytes(X.nbytes) == X.nbytes  # devices of the CPU share their memory


def test_small_data_are_copied():
    layout = prepare(compiled(d.DataParallel()), TrainingData(X, Y, batch_size=16), ValidationData()).layout
    placed = layout.place_data(Batch(X, Y))
    assert {shard.data.shape for shard in placed.x.addressable_shards} == {(ROWS, WIDTH)}
    assert layout.resident_bytes(X.nbytes) == 4 * X.nbytes


@pytest.mark.parametrize("strategy", [d.DataParallel, d.MirroredStrategy])
@pytest.mark.parametrize("loop", ["train_steps", "eval_steps"])
def test_no_more_is_sent_than_a_batch(loop, strategy, in_parts):
    rows, batch_size = 1003, 16
    x = np.zeros((rows, WIDTH), np.float32)
    specs = Batch(*(jax.ShapeDtypeStruct((batch_size, size), np.float32) for size in (WIDTH, 2)))
    task = prepare(compiled(strategy()), TrainingData(x, x[:, :2], batch_size=batch_size), ValidationData())
    program = abstract_programs(task, jax.eval_shape(task.first_state), specs, rows)[loop]
    text = program.program.lower(program.step, *program.arguments).compile().as_text()
    sent = re.findall(r"= (?:\()?f32\[([0-9,]*)\][^=]* (all-reduce|all-gather|all-to-all|collective-permute)", text)
    sizes = [int(np.prod([int(n) for n in shape.split(",") if n])) for shape, _ in sent]
    assert sizes and max(sizes) <= batch_size * WIDTH
