"""Runs of one step: the numbers of the loop over steps, in a program that takes no array away."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras.training import loop, one_step

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def compiled(optimizer="adam", kind=jk.Sequential, layers=(), **options):
    parts = [jk.Input((4,)), jk.layers.Dense(8, activation="relu"), *layers, jk.layers.Dense(1)]
    return kind(parts).compile(optimizer, "mse", metrics=["mae"], **options).init(3)


@pytest.fixture
def kinds(monkeypatch):
    """Whether each run was one of a single step."""
    seen = []

    def noted(task, state, options, *others):
        seen.append(options.is_one_step)
        return fit(task, state, options, *others)

    fit = loop.fit
    monkeypatch.setattr(loop, "fit", noted)
    return seen


class OwnStep(jk.Sequential):
    def train_step(self, state, batch):
        new, logs = super().train_step(state, batch)
        return new, {**logs, "norm": jax.numpy.linalg.norm(new.params["dense"]["kernel"])}


MODELS = {
    "dense": {},
    "sgd": {"optimizer": "sgd"},
    "accumulated": {"optimizer": lambda: jk.optimizers.Adam(gradient_accumulation_steps=2)},
    "batch normalization": {"layers": [jk.layers.BatchNormalization()]},
    "own step": {"kind": OwnStep},
    "mixed": {"dtype": "mixed_bfloat16"},
}


def made(options):
    options = dict(options)
    if callable(options.get("optimizer")):
        options["optimizer"] = options["optimizer"]()
    dtype = options.pop("dtype", "float32")
    options["layers"] = [*options.get("layers", ()), jk.layers.Dense(6, dtype=dtype)]
    return compiled(**options)


DATA = {
    "batch": {"batch_size": 12},
    "default size, which is more": {},
    "one step of an epoch": {"batch_size": 12, "steps_per_epoch": 1},
    "weights": {"batch_size": 12, "sample_weight": np.arange(12, dtype="float32")},
    "in order": {"batch_size": 12, "shuffle": False},
    "later epoch": {"batch_size": 12, "epochs": 4, "initial_epoch": 3},
    "validated": {"batch_size": 12, "validation_data": (X, Y)},
    "other seed": {"batch_size": 12, "seed": 5},
}


@pytest.mark.parametrize(
    ("model", "options"), [*(("dense", name) for name in DATA), *((name, "batch") for name in MODELS)]
)
def test_the_numbers_are_those_of_the_loop(model, options, kinds, monkeypatch):
    one = other = made(MODELS[model])
    for _ in range(2):
        one = one.fit(X, Y, verbose=0, **DATA[options])
    monkeypatch.setattr(one_step, "LEAST_BYTES", 0)
    for _ in range(2):
        other = other.fit(X, Y, verbose=0, **DATA[options])
    assert kinds == [True, True, False, False]
    assert one.history.keys() == other.history.keys()
    for name, values in other.history.items():
        np.testing.assert_allclose(one.history[name], values, rtol=1e-5)
    assert int(one.state.step) == int(other.state.step) == 2
    assert (jax.random.key_data(one.state.rng) == jax.random.key_data(other.state.rng)).all()
    for a, b in zip(
        jax.tree.leaves(one.state.replace(rng=None)), jax.tree.leaves(other.state.replace(rng=None)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_the_old_model_stays_and_runs_repeat_to_the_bit(model, kinds):
    old = made(MODELS[model])
    before = old.get_weights()
    first, second = (old.fit(X, Y, batch_size=12, verbose=0) for _ in range(2))
    again, twice = (trained.fit(X, Y, batch_size=12, verbose=0) for trained in (first, second))
    assert all(kinds)
    for kept, was in zip(old.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, was)
    for one, other in ((first, second), (again, twice)):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    # What a longer run gives its arrays away from is its own copy.
    _ = again.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert np.isfinite(again.evaluate(X, Y, verbose=0)[0])


def test_large_networks_go_through_the_loop(kinds, monkeypatch):
    monkeypatch.setattr(one_step, "MOST_WEIGHTS", 4 * 8 + 8 + 8 + 1)
    _ = compiled().fit(X, Y, batch_size=12, verbose=0)
    monkeypatch.setattr(one_step, "MOST_WEIGHTS", 4 * 8 + 8 + 8 + 2)
    _ = compiled().fit(X, Y, batch_size=12, verbose=0)
    assert kinds == [False, True]


OTHERS = {
    "two batches": {"batch_size": 6},
    "two epochs": {"batch_size": 12, "epochs": 2},
    "no epoch": {"batch_size": 12, "epochs": 1, "initial_epoch": 1},
    "given away": {"batch_size": 12, "donate": True},
}


@pytest.mark.parametrize("options", OTHERS)
def test_other_runs_go_through_the_loop(options, kinds):
    _ = compiled().fit(X, Y, verbose=0, **OTHERS[options])
    assert kinds == [False]


@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"check_finite": True}])
def test_steps_that_are_looked_into_go_through_the_loop(options, kinds):
    _ = compiled(**options).fit(X, Y, batch_size=12, verbose=0)
    assert kinds == [False]


class Told(jk.callbacks.Callback):
    """Notes what it is told, and can ask for an end or change weights."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.calls, self.stop_at = [], stop_at

    def note(self, hook, logs=None):
        self.calls.append((hook, sorted(logs or {})))
        if hook == self.stop_at:
            self.model.stop_training = True

    def on_train_begin(self, logs=None):
        self.note("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch begin")

    def on_train_batch_begin(self, batch, logs=None):
        self.note("batch begin")

    def on_train_batch_end(self, batch, logs=None):
        self.note("batch end", logs)

    def on_epoch_end(self, epoch, logs=None):
        self.note("epoch end", logs)


@pytest.mark.parametrize("stop_at", [None, "train begin", "batch begin", "batch end"])
def test_callbacks_are_told_the_same(stop_at, kinds, monkeypatch):
    one, other = Told(stop_at), Told(stop_at)
    _ = compiled().fit(X, Y, batch_size=12, verbose=0, callbacks=[one])
    monkeypatch.setattr(one_step, "LEAST_BYTES", 0)
    _ = compiled().fit(X, Y, batch_size=12, verbose=0, callbacks=[other])
    assert kinds == [True, False]
    assert one.calls == other.calls


HOOKS = {
    "begin": "on_train_batch_begin",
    "end": "on_train_batch_end",
    "old begin": "on_batch_begin",
    "old end": "on_batch_end",
}


@pytest.mark.parametrize("data", ["one step", "arrays", "generator", "ragged"])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_with_one_hook_of_batches_is_told_of_each(hook, data):
    told = []
    kind = type("One", (jk.callbacks.Callback,), {HOOKS[hook]: lambda self, batch, logs=None: told.append(batch)})
    model = compiled(layers=[jk.layers.BatchNormalization()])
    if data == "generator":
        _ = model.fit(((X[:4], Y[:4]) for _ in range(3)), steps_per_epoch=3, verbose=0, callbacks=[kind()])
    else:
        size = {"one step": 12, "arrays": 4, "ragged": 5}[data]
        _ = model.fit(X, Y, batch_size=size, verbose=0, callbacks=[kind()])
    assert told == list(range(1 if data == "one step" else 3))


class Watcher(jk.callbacks.Callback):
    def on_non_finite(self, explanation):
        self.explanation = explanation


def test_a_callback_for_what_is_not_finite_goes_through_the_loop(kinds):
    old = compiled()
    watcher = Watcher()
    _ = old.fit(X * np.inf, Y, batch_size=12, verbose=0, callbacks=[watcher])
    assert kinds == [False]
    assert watcher.explanation
    assert np.isfinite(old.evaluate(X, Y, verbose=0)[0])


def test_a_change_that_a_callback_makes_counts(kinds):
    class Zeroed(jk.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.set_weights([0 * weight for weight in self.model.get_weights()])

    old = compiled("sgd")
    trained = old.fit(X, Y, batch_size=12, verbose=0, callbacks=[Zeroed()])
    assert kinds == [True]
    kernel, bias = trained.get_weights()[-2:]
    assert not kernel.any()
    assert bias.any()
    assert old.get_weights()[0].any()
