"""The same script gives the same run; values stay what they were."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers

SCRIPT = """
import numpy as np, jkeras as jk
from jkeras import layers
rng = np.random.default_rng(0)
x, y = rng.normal(size=(37, 4)).astype("float32"), rng.integers(0, 2, 37)
model = jk.Sequential([jk.Input((4,)), layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(2)])
loss = jk.losses.SparseCategoricalCrossentropy(from_logits=True)
model = model.compile("adam", loss, metrics=["accuracy"]).fit(x, y, epochs=3, batch_size=8, verbose=0)
print({k: [v.hex() for v in vs] for k, vs in model.history.items()}, [w.tobytes().hex() for w in model.get_weights()])
"""


def network():
    return jk.Sequential([jk.Input((4,)), layers.Dense(8, activation="relu"), layers.Dropout(0.3), layers.Dense(2)])


def compiled():
    return network().compile("adam", jk.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])


@pytest.fixture
def data(rng):
    return rng.normal(size=(37, 4)).astype("float32"), rng.integers(0, 2, 37)


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_two_processes_print_the_same():
    runs = [subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout != ""


@pytest.mark.smoke
def test_the_model_that_was_trained_stays_as_it_was(data):
    x, y = data
    model = compiled()
    before = model.predict(x, verbose=0)
    new = model.fit(x, y, epochs=2, verbose=0)
    assert np.array_equal(model.predict(x, verbose=0), before)
    assert not np.array_equal(new.predict(x, verbose=0), before)
    again = new.predict(x, verbose=0)
    newer = new.fit(x, y, epochs=1, verbose=0).fit(x, y, epochs=1, verbose=0)
    assert int(newer.state.step) > int(new.state.step)
    assert np.array_equal(new.predict(x, verbose=0), again)


def test_numpys_global_generator_does_not_matter(data):
    x, y = data
    first = compiled().fit(x, y, epochs=2, verbose=0)
    np.random.random(1000)
    second = compiled().fit(x, y, epochs=2, verbose=0)
    assert equal(first, second) and first.history == second.history


def test_seeds_matter(data):
    x, y = data
    first, second = (compiled().fit(x, y, epochs=1, verbose=0, seed=seed) for seed in (1, 2))
    assert not equal(first, second)
    assert equal(first, compiled().fit(x, y, epochs=1, verbose=0, seed=1))


def test_donation_spares_what_users_hold(data):
    x, y = (jnp.asarray(part) for part in data)
    model = compiled()
    held = [model.params, model.state.rng]
    new = model.fit(x, y, epochs=1, verbose=0, validation_data=(x, y))
    state, _ = jk.train_step(new.definition, new.recipe, new.state, (x, y))
    jk.train_step(new.definition, new.recipe, state, (x, y))
    new.evaluate(x, y, verbose=0)
    for leaf in jax.tree.leaves((held, x, y, new.state, state)):
        assert not leaf.is_deleted()


def test_the_pure_loop_equals_fit(data):
    x, y = data
    model = compiled()
    fitted = model.fit(x[:32], y[:32], epochs=2, batch_size=8, shuffle=False, verbose=0)
    definition, recipe, state = model.definition, model.recipe, model.state
    for _ in range(2):
        state = state.replace(metrics=None)
        for start in range(0, 32, 8):
            rows = slice(start, start + 8)
            state, logs = jk.train_step(definition, recipe, state, (x[rows], y[rows]))
    for result, expected in zip(jax.tree.leaves(state.params), jax.tree.leaves(fitted.params), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-7)
    assert float(logs["loss"]) == pytest.approx(fitted.history["loss"][-1], rel=1e-6)
