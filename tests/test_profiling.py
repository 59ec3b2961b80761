"""`jk.profile` measures, names layers, writes a trace, and leaves the model as it was."""

from pathlib import Path

import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import ArgumentError
from jkeras.profiling import profile


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    rng = np.random.default_rng(0)
    x, y = rng.random((403, 16), dtype=np.float32), rng.random((403, 1), dtype=np.float32)
    inner = jk.Sequential([jk.Input((16,)), jk.layers.Dense(64, name="wide", activation="relu")], name="inner")
    model = jk.Sequential([jk.Input((16,)), inner, jk.layers.Dense(1, name="narrow")]).compile("adam", "mse")
    before = [np.asarray(weight) for weight in model.weights]
    result = profile(model, x, y, batch_size=100, steps=9, folder=tmp_path_factory.mktemp("trace"))
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    return result


def test_times(found):
    assert found.steps == 4  # whole batches alone
    assert found.compile_seconds > found.step_seconds > 0
    assert found.device_seconds > 0 and found.host_seconds >= 0 and found.transfer_seconds > 0
    assert found.device_seconds + found.host_seconds == pytest.approx(found.step_seconds)
    assert found.traced_seconds > 0 and found.note == ""


def test_layers(found):
    rows = {row.layer: row for row in found.layers}
    assert {"inner/wide", "narrow", "(optimizer)", "(loss)", "(batch)"} <= set(rows)
    assert sum(row.share for row in found.layers) == pytest.approx(1)
    assert all(0 <= row.backward_seconds <= row.seconds * 1.0001 for row in found.layers)
    assert [row.seconds for row in found.layers] == sorted((row.seconds for row in found.layers), reverse=True)
    wide = rows["inner/wide"]
    assert 0 < wide.backward_seconds < wide.seconds
    assert 0 < sum(seconds for _, seconds in wide.top) <= wide.seconds * 1.0001
    assert not rows["(optimizer)"].backward_seconds


def test_the_table_and_the_trace(found):
    text = str(found)
    for part in ("compile, once", "device", "host", "ms per step", "inner/wide", found.trace):
        assert part in text
    assert list(Path(found.trace).rglob("*.xplane.pb")) and list(Path(found.trace).rglob("*.trace.json.gz"))


def test_what_is_not_known_is_said(tmp_path):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse", run_eagerly=True)
    found = profile(model, x, y, batch_size=4, folder=tmp_path)
    assert found.layers == () and "not known" in str(found) and found.step_seconds > 0
    assert found.device_seconds == found.host_seconds == 0 and "host" not in str(found)


def test_another_program_is_not_taken_for_the_one_that_is_read(tmp_path):
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse", check_finite=True)
    found = profile(model, x, y, batch_size=4, folder=tmp_path)
    assert found.layers == () and "cannot be read" in found.note and found.device_seconds > 0


def test_one_step_is_one_of_the_loop():
    x, y = np.ones((32, 64), "float32"), np.ones((32, 1), "float32")
    inner = [jk.layers.Dense(128, "relu", name="wide"), jk.layers.Dense(1)]
    found = profile(jk.Sequential([jk.Input((64,)), *inner]).compile("sgd", "mse"), x, y, batch_size=32)
    assert found.steps == 1 and "wide" in {row.layer for row in found.layers} and not found.note


@pytest.mark.parametrize(
    "arguments", [{"steps": 0}, {"steps": True}, {"batch_size": 2.0}, {"folder": 3}, {"folder": ["a"]}]
)
def test_arguments_of_the_wrong_kind_are_named(arguments):
    with pytest.raises(ArgumentError, match=rf"^profile\({next(iter(arguments))}=.*(at least 1|expected a path)"):
        profile(None, np.zeros((4, 1)), **arguments)


def test_data_must_be_arrays():
    with pytest.raises(ArgumentError, match="expected arrays"):
        profile(None, iter([]))
