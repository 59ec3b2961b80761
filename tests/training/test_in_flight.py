"""The host is a bounded number of dispatches ahead of the device."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras.training.in_flight import STEPS_IN_FLIGHT, InFlight

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_oldest_result_is_waited_for(most, monkeypatch):
    waited = []
    monkeypatch.setattr(jax, "block_until_ready", waited.append)
    in_flight = InFlight(most)
    for number in range(5):
        in_flight.add(number)
        assert waited == list(range(number + 1 - most))


def batches():
    while True:
        for start in range(0, len(X), 4):
            yield X[start : start + 4], Y[start : start + 4]


STREAMS = {
    "generator": lambda **options: {"x": batches(), "steps_per_epoch": 10, **options},
    "arrays": lambda **options: {"x": X, "y": Y, "batch_size": 4, **options},
}


@pytest.mark.parametrize("arguments", STREAMS.values(), ids=STREAMS)
def test_batch_by_batch_training_waits_for_all_but_a_few_steps(arguments, monkeypatch):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    waited, noted = [], []
    wait, add = jax.block_until_ready, InFlight.add
    seen = jk.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    model = model.fit(**arguments(epochs=1, verbose=0, callbacks=[seen]))
    monkeypatch.setattr(InFlight, "add", lambda self, result: noted.append(id(result)) or add(self, result))
    monkeypatch.setattr(jax, "block_until_ready", lambda result: waited.append(id(result)) or wait(result))
    model = model.fit(**arguments(epochs=1, verbose=0, callbacks=[seen]))
    assert len(noted) == 10 and waited == noted[:-STEPS_IN_FLIGHT]
