"""What is compiled, and what is not compiled again."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.buffers import owned_copy


class Counted(jk.Layer):
    """Counts how often its `call` is traced in training and in inference."""

    mixes_samples = False
    traces: ClassVar = {True: 0, False: 0}

    def call(self, x, training=False):
        Counted.traces[training] += 1
        return x


class Coupled(Counted):
    mixes_samples = True


@pytest.fixture
def compilations():
    """The names of the functions compiled since the test began."""
    names = []

    def note(event, duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(details.get("fun_name", ""))

    jax.monitoring.register_event_duration_secs_listener(note)
    yield names
    jax.monitoring.unregister_event_duration_listener(note)


def model(width, learning_rate=1e-3, kind=Counted):
    network = jk.Sequential([jk.Input((3,)), layers.Dense(width, activation="relu"), kind(), layers.Dense(2)])
    return network.compile(jk.optimizers.Adam(learning_rate), "mse", metrics=["mae"])


def data(rows=20):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=(rows, 2)).astype("float32")


def steps_in(names):
    return [name for name in names if "train_steps" in name or "train_rows" in name or "train_one" in name]


def fit(model, **options):
    return model.fit(*data(), batch_size=8, epochs=3, verbose=0, **options)


@pytest.mark.smoke
def test_one_compilation_serves_all_batches_the_ragged_one_too(compilations):
    fit(model(11), validation_data=data(12))
    assert len(steps_in(compilations)) == 1
    assert len([name for name in compilations if "eval_steps" in name]) == 1


def test_coupled_samples_take_one_more_for_the_ragged_batch(compilations):
    fit(model(12, kind=Coupled))
    assert len(steps_in(compilations)) == 2


def test_a_second_model_written_the_same_way_compiles_nothing(compilations):
    fit(model(13), validation_data=data(12))
    before = Counted.traces[True]
    compilations.clear()
    fit(model(13), validation_data=data(12))
    assert compilations == []
    assert Counted.traces[True] == before


def test_a_new_learning_rate_compiles_nothing(compilations):
    trained = fit(model(14))
    compilations.clear()
    fit(model(14, learning_rate=0.5))
    fit(trained.with_learning_rate(0.25))
    assert steps_in(compilations) == []


def test_the_step_of_an_own_loop_serves_each_learning_rate_and_each_state(compilations):
    for learning_rate in (1e-3, 1e-2):
        made = model(21, learning_rate).init(0)
        state = made.state
        for _ in range(3):
            state, _ = jk.train_step(made.definition, made.recipe, state, data())
    assert [name for name in compilations if "step" in name] == ["jit(step)"]


class Stepping(jk.Sequential):
    """Counts how often its step is traced."""

    traces = 0

    def train_step(self, state, batch):
        Stepping.traces += 1
        return super().train_step(state, batch)


@pytest.mark.parametrize("step", [
    lambda model, state: jk.train_step(model.definition, model.recipe, state, data())[0],
    lambda model, state: model.with_state(state).train_on_batch(*data())[0].state.replace(metrics=None),
], ids=["train_step", "train_on_batch"])  # fmt: skip
def test_a_step_of_a_models_own_is_not_traced_again(step):
    made = Stepping([jk.Input((3,)), layers.Dense(2)]).compile("sgd", "mse").init(0)
    state = step(made, step(made, made.state))
    before = Stepping.traces
    for _ in range(2):
        state = step(made, state)
    assert Stepping.traces == before > 0


def test_a_callback_that_changes_the_learning_rate_compiles_no_step(compilations):
    fit(model(15))
    compilations.clear()
    fit(model(15), callbacks=[jk.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))])
    assert steps_in(compilations) == []


def test_equal_schedules_compile_nothing_twice(compilations):
    def scheduled():
        return model(16, jk.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))

    fit(scheduled())
    compilations.clear()
    fit(scheduled())
    assert steps_in(compilations) == []


def test_the_number_of_epochs_and_rows_of_a_batch_do_not_matter_where_shapes_agree(compilations):
    x, y = data(24)
    first = model(17).fit(x, y, batch_size=8, epochs=1, verbose=0)
    compilations.clear()
    second = model(17).fit(x, y, batch_size=8, epochs=5, verbose=0)
    assert len(second.history["loss"]) == 5 * len(first.history["loss"])
    assert steps_in(compilations) == []


FIRST_FIT = """
import jax, numpy as np, jkeras as jk
names = []
def note(event, duration, **details):
    if event == "/jax/core/compile/backend_compile_duration":
        names.append(details["fun_name"])
jax.monitoring.register_event_duration_secs_listener(note)
k = __import__({module!r}, fromlist=["layers"])
model = k.Sequential([k.Input((1000,)), k.layers.Dense(3), k.layers.Dropout(0.1), k.layers.Dense(2, activation="softmax")])
model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]) or model
x, y = np.ones((320, 1000), "float32"), np.zeros(320, "int32")
model = model.fit(x, y, verbose=0) or model
print(*names)
"""


# Of the drop-in, whose weights are variables, the last are numbers of the optimizer. `<lambda>` is a trial of an option.
FIRST_PROGRAMS = {
    "jkeras": "<lambda> _drawn train_steps",
    "jkeras.keras": "<lambda> _drawn train_steps convert_element_type stage",
}


@pytest.mark.parametrize("module", FIRST_PROGRAMS)
def test_a_first_fit_compiles_the_weights_and_the_step(module):
    dropped = ("XLA_FLAGS", "JAX_COMPILATION_CACHE_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {"JKERAS_COMPILATION_CACHE": "off", "PYTHONPATH": str(Path(jk.__file__).parents[1])}
    script = FIRST_FIT.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {f"jit({name})" for name in FIRST_PROGRAMS[module].split()}
    assert "jit(train_steps)" in done.stdout


def test_equal_arrays_share_the_program_that_copies_them(compilations):
    tree = {"equal": [np.full((5, 2), i, "float32") for i in range(70)], "other": [np.ones(i) for i in range(3)]}
    tree = jax.device_put(tree)
    for number in range(10):
        copies = owned_copy(tree)
        assert len(compilations) <= (0 if number == 0 else 1 if number < 8 else 2), number
        for old, new in zip(jax.tree.leaves(tree), jax.tree.leaves(copies), strict=True):
            np.testing.assert_array_equal(old, new)
            assert not old.size or old.unsafe_buffer_pointer() != new.unsafe_buffer_pointer()
