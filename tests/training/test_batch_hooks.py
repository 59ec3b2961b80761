"""Callbacks are told of each batch by the hooks that they define, on both faces."""

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as keras

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X[:, :1]
BATCHES = 3
PHASES = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
KEYS = {"train": ["loss"], "test": ["loss"], "predict": ["outputs"]}
CASES = [
    (phase, hooks)
    for phase, names in PHASES.items()
    for hooks in (*((name,) for name in names), names[:2], names[::-1])
]


def compiled(face):
    parts = [face.Input((3,)), face.layers.Dense(1)]
    model = face.Sequential(parts)
    return model.compile("sgd", "mse").init(0) if face is jk else model.compile("sgd", "mse") or model


def run(model, phase, arrays, callback):
    generator = ((X[i : i + 8], Y[i : i + 8]) for i in range(0, 20, 8))
    options = {"verbose": 0, "callbacks": [callback], **({"batch_size": 8} if arrays else {})}
    if phase == "predict":
        return model.predict(X if arrays else (x for x, _ in generator), **options)
    data = (X, Y) if arrays else (generator,)
    return model.fit(*data, **options) if phase == "train" else model.evaluate(*data, **options)


@pytest.mark.parametrize("arrays", [True, False], ids=["arrays", "generator"])
@pytest.mark.parametrize("face", [jk, keras], ids=["jkeras", "keras"])
@pytest.mark.parametrize(("phase", "hooks"), CASES, ids=["+".join(hooks) for _, hooks in CASES])
def test_the_hooks_that_a_callback_defines_are_called_around_each_batch(face, phase, hooks, arrays):
    told = []

    def hook(name):
        return lambda self, batch, logs=None: told.append((name, batch, sorted(logs or {})))

    callback = type("Told", (face.callbacks.Callback,), {name: hook(name) for name in hooks})()
    run(compiled(face), phase, arrays, callback)
    # A callback's own `on_train_batch_end` takes the place of the one that calls `on_batch_end`.
    called = [name for name in hooks if name.startswith(f"on_{phase}")] if f"on_{phase}_batch_end" in hooks else hooks
    order = sorted(called, key=lambda name: name.endswith("_end"))
    expected = [(n, i, KEYS[phase] if n.endswith("_end") else []) for i in range(BATCHES) for n in order]
    assert told == expected
