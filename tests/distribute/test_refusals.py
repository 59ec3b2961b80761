"""What cannot be distributed is refused before the first step, and both sides are named."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import ArgumentError, FrozenError, InputError, ProcessError
from tests.distribute import cases

d = jk.distribute


def layouts(**rules):
    found = d.LayoutMap(d.DeviceMesh((1, 4), ["batch", "model"]))
    found.update({key.replace("_all_", ".*"): value for key, value in rules.items()})
    return found


def fit(name="mlp", batch_size=16, rows=None, **strategy):
    model, x, y, loss = cases.made(name)
    return model.compile("sgd", loss, **strategy).fit(x[:rows], y[:rows], batch_size=batch_size, verbose=0)


def stateful():
    model = jk.Sequential([layers.Input((3, 2), batch_size=8), layers.LSTM(4, stateful=True)])
    model = model.compile("sgd", "mse", distribute=d.MirroredStrategy())
    return model.fit(np.ones((8, 3, 2)), np.ones((8, 4)), batch_size=8, verbose=0)


REFUSED = {
    "more devices than there are": (
        lambda: d.MirroredStrategy(devices=9),
        ArgumentError,
        ["9 devices", "are 4", "cpu:0"],
    ),
    "devices that are not there": (
        lambda: d.DataParallel(devices=["gpu:0", "gpu:1"]),
        ArgumentError,
        ["gpu:0", "cpu:3"],
    ),
    "the same device twice": (lambda: d.DataParallel(devices=["cpu:0", "cpu:0"]), ArgumentError, ["distinct"]),
    "not a list of devices": (lambda: d.FSDP(devices="cpu:0"), ArgumentError, ["['gpu:0', 'gpu:1']"]),
    "a mesh and devices": (lambda: d.DataParallel(d.DeviceMesh((4,), ["b"]), ["cpu:0"]), ArgumentError, ["not both"]),
    "a mesh of more places": (lambda: d.DeviceMesh((4, 2), ["a", "b"]), ArgumentError, ["4 x 2 = 8", "4 devices"]),
    "names that do not match": (lambda: d.DeviceMesh((4,), ["a", "b"]), ArgumentError, ["1 sizes", "2 names"]),
    "a layout of no axis": (lambda: layouts(kernel=(None, "column")), ArgumentError, ["'column'", "'model'"]),
    "a key twice": (
        lambda: layouts(kernel=(None, "model")).__setitem__("kernel", (None, None)),
        ArgumentError,
        ["'kernel'"],
    ),
    "a changed map": (
        lambda: d.ModelParallel(layout_map=layouts()).layout_map.__setitem__("k", (None,)),
        FrozenError,
        ["another LayoutMap"],
    ),
    "no batch axis": (
        lambda: d.ModelParallel(layout_map=layouts(), batch_dim_name="rows"),
        ArgumentError,
        ["'rows'", "'batch'"],
    ),
    "a strategy that is none": (lambda: fit(distribute="mirrored"), ArgumentError, ["MirroredStrategy()", "str"]),
    "fewer rows than devices": (
        lambda: fit(batch_size=3, distribute=d.MirroredStrategy()),
        InputError,
        ["3 rows", "4 devices", "batch_size=4"],
    ),
    "less data than devices": (lambda: fit(rows=2, distribute=d.DataParallel()), InputError, ["2 rows", "4 devices"]),
    "coupled rows that do not divide": (
        lambda: fit("cnn", batch_size=18, distribute=d.DataParallel()),
        InputError,
        ["18 rows", "4 devices", "BatchNormalization", "16 or 20"],
    ),
    "a rule that fits nothing": (
        lambda: fit(distribute=d.ModelParallel(layout_map=layouts(conv_all_kernel=(None, "model")))),
        ArgumentError,
        ["'conv.*kernel'", "dense/kernel"],
    ),
    "a rule that does not divide": (
        lambda: fit(distribute=d.ModelParallel(layout_map=layouts(dense_1_all_kernel=(None, "model")))),
        ArgumentError,
        ["dense_1/kernel", "(32, 2)", "size 2", "4 devices"],
    ),
    "a rule of another rank": (
        lambda: fit(distribute=d.ModelParallel(layout_map=layouts(bias=(None, "model")))),
        ArgumentError,
        ["dense/bias", "(32,)", "1 axes", "for 2"],
    ),
    "two rules for one weight": (
        lambda: fit(
            distribute=d.ModelParallel(layout_map=layouts(kernel=(None, "model"), dense_all_kernel=(None, None)))
        ),
        ArgumentError,
        ["dense/kernel", "'kernel'", "'dense.*kernel'"],
    ),
    "states of rows under pmap": (stateful, ArgumentError, ["lstm", "stateful", "DataParallel"]),
    "no address": (lambda: d.initialize("10.0.0.1", 2, 0), ArgumentError, ["host:port"]),
    "a number beyond the count": (lambda: d.initialize("a:1", 2, 2), ArgumentError, ["process_id=2", "number 1"]),
    "more addresses than processes": (lambda: d.initialize("a:1,b:1", 3, 0), ArgumentError, ["2 addresses", "3"]),
    "no number": (lambda: d.initialize("a:1", 2), ArgumentError, ["process_id"]),
    "no device of a kind": (lambda: d.list_devices("tpu"), ArgumentError, ["'tpu'", "cpu:0"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, kind, words = REFUSED[case]
    with pytest.raises(kind) as caught:
        call()
    assert all(word in str(caught.value) for word in words), caught.value


def test_processes_that_differ():
    from jkeras.distribute import consistency
    from jkeras.training.program import build_program

    def said(units, rows, version="0.1.0"):
        model = jk.Sequential([layers.Input((8,)), layers.Dense(units)]).compile("sgd", "mse")
        source = jk.training.sources.as_source(np.ones((rows, 8)), np.ones((rows, units)))
        program = build_program(model.definition, model.recipe, source.example())
        return {**consistency.facts(program, source, d.DataParallel()), "jkeras": version}

    consistency.compare([said(4, 64), said(4, 64)])
    for other, words in {
        "model": (said(5, 64), ["weight dense/kernel: float32[8, 4] in process 0, float32[8, 5] in process 1"]),
        "data": (said(4, 60), ["number of rows: 64 in process 0, 60 in process 1"]),
        "version": (said(4, 64, "0.2.0"), ["jkeras: 0.1.0 in process 0, 0.2.0 in process 1"]),
    }.values():
        with pytest.raises(ProcessError) as caught:
            consistency.compare([said(4, 64), other])
        assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({}, (None, None, None)),
        (
            {
                "KERAS_DISTRIBUTION_JOB_ADDRESSES": "a:1,b:2",
                "KERAS_DISTRIBUTION_PROCESS_ID": "1",
            },
            ("a:1", 2, 1),
        ),
        (
            {"TF_CONFIG": '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}'},
            ("a:1", 2, 1),
        ),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}, "task": {"index": 0}}'}, (None, None, None)),
    ],
)
def test_jobs_that_the_environment_describes(environment, job):
    from jkeras.distribute.processes import described

    assert tuple(described(None, None, None, environment)) == job
