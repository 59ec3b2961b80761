"""One device and four give the same numbers, under every strategy."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.training.compiled_loops import loops_of
from tests.distribute import cases

d = jk.distribute


def by_columns(*shape):
    """Kernels split along the mesh's second axis."""
    layouts = d.LayoutMap(d.DeviceMesh(shape, ["batch", "model"]))
    layouts["^dense.*kernel"] = d.TensorLayout([None, "model"])
    return d.ModelParallel(layout_map=layouts)


# The rest of the matrix is in `matrix.py`.
RUNS = {
    "mlp, tensor parallel": ("mlp", lambda: by_columns(2, 2)),
    "cnn with BatchNormalization, pmap": ("cnn", lambda: d.MirroredStrategy()),
    "cnn with BatchNormalization, FSDP": ("cnn", lambda: d.FSDP(min_size=16)),
    "lstm with masks, pmap": ("lstm", lambda: d.MirroredStrategy()),
    "lstm with masks, data parallel": ("lstm", lambda: d.DataParallel()),
}


@pytest.fixture(scope="module")
def alone():
    """The outcome on one device, by model."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = cases.run(name, None)[1]
        return found[name]

    return of


MOSTLY_COMPILE = ("cnn with BatchNormalization, FSDP", "lstm with masks, pmap")


@pytest.mark.parametrize("case", [pytest.param(c, marks=[pytest.mark.slow] * (c in MOSTLY_COMPILE)) for c in RUNS])
def test_four_devices_give_the_numbers_of_one(case, alone):
    name, strategy = RUNS[case]
    _, found = cases.run(name, strategy())
    far, where = cases.distance(alone(name), found)
    assert far < 1e-5, where


def stream(x, y):
    """Batches one after another, the last one ragged."""

    class Stream:
        def __iter__(self):
            return ((x[i : i + 16], y[i : i + 16]) for i in range(0, len(x), 16))

    return Stream()


@pytest.mark.parametrize("make", [d.DataParallel, d.MirroredStrategy])
def test_streams_whose_last_batch_does_not_divide(make):
    model, x, y, loss = cases.made("mlp")
    found = []
    for strategy in (None, make()):
        model = model.compile(jk.optimizers.SGD(0.1), loss, metrics=["accuracy"], distribute=strategy)
        trained = model.fit(stream(x, y), epochs=2, verbose=0, validation_data=stream(x[:21], y[:21]))
        found.append(trained)
    assert all(np.allclose(found[0].history[k], found[1].history[k], atol=1e-6) for k in found[0].history)
    assert np.allclose(found[0].params["dense"]["kernel"], found[1].params["dense"]["kernel"], atol=1e-6)


def wide():
    return jk.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(256, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(4),
        ]
    )


def test_fsdp_holds_a_quarter_on_each_device_and_saves(tmp_path):
    x = np.random.default_rng(0).normal(size=(32, 64)).astype("float32")
    model = wide().compile("adam", "mse", distribute=d.FSDP()).fit(x, x[:, :4], batch_size=8, verbose=0)
    placement = d.describe(model, verbose=False)
    assert placement.bytes_per_device <= 0.30 * placement.nbytes
    assert d.describe(model, d.DataParallel(), verbose=False).bytes_per_device == placement.nbytes
    leaves = jax.tree.leaves((model.state.params, model.state.opt_state))
    held = dict.fromkeys(jax.devices(), 0)
    for shard in (shard for leaf in leaves for shard in leaf.addressable_shards):
        held[shard.device] += shard.data.nbytes
    assert max(held.values()) <= placement.bytes_per_device
    assert "dense/kernel" in str(placement) and "batch" in str(placement)
    model.save(tmp_path / "model.keras")
    same = jk.load_model(tmp_path / "model.keras")
    assert np.allclose(same.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    assert model(x[:3]).shape == (3, 4)


def test_the_optimizer_state_follows_the_weights():
    model = wide().compile("adam", "mse", distribute=by_columns(1, 4))
    lines = {line.name: line for line in d.describe(model, verbose=False).lines}
    kernels = {name: line.layout for name, line in lines.items() if name.endswith("dense/kernel")}
    assert len(kernels) == 3 and set(kernels.values()) == {"-, model"}
    assert lines["params/dense/kernel"].nbytes_per_device * 4 == lines["params/dense/kernel"].nbytes


def test_each_replica_draws_random_numbers_of_its_own():
    rows = np.ones((8, 256), "float32")
    model = jk.Sequential([layers.Input((256,)), layers.Dropout(0.5), layers.Dense(1, use_bias=False)])
    seen = {}
    for name, strategy in {"alone": None, "mirrored": d.MirroredStrategy()}.items():
        compiled = model.compile(jk.optimizers.SGD(1.0), "mae", distribute=strategy)
        before = compiled.init(0)
        after = before.compile(jk.optimizers.SGD(1.0), "mae", distribute=strategy).fit(
            rows, np.full((8, 1), 1e6, "float32"), batch_size=8, verbose=0
        )
        # The gradient of a weight counts the rows in which its input was not dropped.
        step = np.asarray(after.params["dense"]["kernel"] - before.params["dense"]["kernel"])
        seen[name] = np.round(step[:, 0] * 8 / 2).astype(int)
    # Equal replicas of two rows could only give even counts.
    assert (seen["mirrored"] % 4).any() and 3.0 < seen["mirrored"].mean() < 5.0


def test_strategies_are_values_and_share_what_is_compiled():
    assert d.MirroredStrategy(devices=2) == d.MirroredStrategy(devices=2) != d.MirroredStrategy()
    assert loops_of(d.FSDP()) is loops_of(d.FSDP()) is not loops_of(d.DataParallel())
    with d.DataParallel().scope() as strategy:
        model = wide().compile("sgd", "mse")
        with d.FSDP().scope():
            assert wide().compile("sgd", "mse").recipe.distribute == d.FSDP()
    assert model.recipe.distribute is strategy
    assert wide().compile("sgd", "mse").recipe.distribute is None
    assert jk.distribution.distribution() is None
    assert "distribute" not in model.recipe.get_config()


def test_one_batch_at_a_time():
    x = np.random.default_rng(0).normal(size=(6, 64)).astype("float32")
    found = []
    for strategy in (None, d.MirroredStrategy()):
        model = wide().compile("sgd", "mse", distribute=strategy)
        model, loss = model.train_on_batch(x, x[:, :4])
        found.append((loss, np.asarray(model.params["dense"]["kernel"])))
    assert np.isclose(found[0][0], found[1][0]) and np.allclose(found[0][1], found[1][1], atol=1e-6)
