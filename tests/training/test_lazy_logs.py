"""Logs of batches that are fetched when they are read: they behave like the dict of numbers that they stand for."""

import collections
import copy
import json
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.training.lazy_logs import LazyLogs

NUMBERS = {"accuracy": 1.0, "loss": 0.5}

READS = {
    "item": lambda logs: logs["loss"],
    "get": lambda logs: (logs.get("loss"), logs.get("none"), logs.get("none", 1)),
    "items": lambda logs: list(logs.items()),
    "values": lambda logs: list(logs.values()),
    "keys": lambda logs: list(logs.keys()),
    "iteration": list,
    "membership": lambda logs: ("loss" in logs, "none" in logs),
    "length": len,
    "truth": bool,
    "equality": lambda logs: (logs == NUMBERS, logs == NUMBERS, logs != NUMBERS),
    "text": repr,
    "dict": dict,
    "starred": lambda logs: {**logs},
    "keywords": lambda logs: "{loss} {accuracy}".format(**logs),
    "percent": lambda logs: "%(loss).2f".__mod__(logs),
    "format_map": "{loss:.1f}".format_map,
    "update of another": lambda logs: dict(a=1) | logs,
    "union": lambda logs: logs | {"a": 1},
    "json": json.dumps,
    "copy": lambda logs: logs.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)),
    "chain": lambda logs: dict(collections.ChainMap(logs)),
    "counter": lambda logs: collections.OrderedDict(logs),
    "pop": lambda logs: (logs.pop("loss"), list(logs)),
    "popitem": lambda logs: (logs.popitem(), list(logs)),
    "setdefault": lambda logs: (logs.setdefault("loss", 3), logs.setdefault("a", 3), dict(logs)),
    "assignment": lambda logs: (logs.__setitem__("loss", 3), dict(logs)),
    "deletion": lambda logs: (logs.__delitem__("loss"), dict(logs)),
    "update": lambda logs: (logs.update(a=1), dict(logs)),
    "update in place": lambda logs: logs.__ior__({"a": 1}),
    "clear": lambda logs: (logs.clear(), dict(logs)),
    "reversed": lambda logs: list(reversed(logs)),
    "match": lambda logs: [case for case in (logs,) if isinstance(case, dict)],
}


def lazy():
    return LazyLogs({"loss": jnp.float32(0.5), "accuracy": jnp.float32(1)})


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_lazy_logs_read_like_numbers(read):
    expected, result = read(dict(NUMBERS)), read(lazy())
    assert result == expected
    assert repr(result) == repr(expected)


def test_every_method_of_a_dict_is_the_subject_of_a_test():
    used = {name for name in dir(dict) if name not in dir(object)} - {"fromkeys", "__class_getitem__"}
    covered = set(READS) | {"__contains__", "__getitem__", "__iter__", "__len__", "__or__", "__ror__", "__ior__"}
    covered |= {"__setitem__", "__delitem__", "__reversed__"}
    assert used <= covered


def test_logs_of_several_results_stay_arrays():
    logs = LazyLogs({"f1": jnp.arange(2.0)})
    assert isinstance(logs["f1"], np.ndarray) and logs["f1"].tolist() == [0, 1]


@pytest.mark.parametrize("data", ["arrays", "generator"])
@pytest.mark.parametrize("library", [jk, jkeras.keras], ids=["jkeras", "jkeras.keras"])
def test_logs_that_are_read_late_are_those_of_their_batch(library, data):
    x = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)

    class Notes(library.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.now, self.late = [], []

        def on_train_batch_end(self, batch, logs=None):
            (self.now if batch % 2 else self.late).append(dict(logs) if batch % 2 else logs)

        def on_test_batch_end(self, batch, logs=None):
            self.on_train_batch_end(batch, logs)

    def batches():
        while True:
            yield from ((x[i : i + 4], y[i : i + 4]) for i in range(0, 24, 4))

    def notes(shifted):
        library.utils.set_random_seed(0)
        dense = library.layers.Dense(1, kernel_initializer="ones")
        model = library.Sequential([library.Input((3,)), dense])
        model = model.compile("adam", "mse", metrics=["mae"]) or model
        keeper = Notes()
        if shifted:
            keeper.on_train_batch_end = lambda batch, logs=None: Notes.on_train_batch_end(keeper, batch + 1, logs)
        source = (x, y) if data == "arrays" else (batches(),)
        trained = model.fit(
            *source, batch_size=4 if data == "arrays" else None, epochs=2, steps_per_epoch=6, shuffle=False, verbose=0,
            callbacks=[keeper], validation_data=(x, y), validation_batch_size=4,
        )  # fmt: skip
        assert trained is not None
        return keeper

    first, second = notes(False), notes(True)
    assert len(first.late) == len(first.now) == 12
    assert first.now == second.late and first.late == second.now
    assert all(type(value) is float for logs in (*first.late, *second.late) for value in logs.values())


def test_a_hook_that_reads_nothing_does_not_wait_for_numbers():
    fetched = []

    class Silent(jk.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            fetched.append(logs)

    x = np.ones((8, 3), "float32")
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    trained = model.fit(x, x[:, :1], batch_size=4, verbose=0, callbacks=[Silent()])
    assert trained.steps_taken == 2
    assert all(dict.__getitem__(logs, "loss").shape == () for logs in fetched)  # arrays of the device still
    assert all(type(logs["loss"]) is float for logs in fetched)
