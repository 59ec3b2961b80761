"""How the drop-in runs: shared compilations, no growth, the bridge to the immutable face, exact resumption."""

import gc
import os
import signal

import jax
import keras as real
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.keras.layers import Dense
from jkeras.keras.run import shared_loops
from jkeras.keras.value import around
from jkeras.training.compiled_loops import EVAL_STEPS, TRAIN_STEPS
from jkeras.training.inner_loops import ChosenByLoops


@pytest.fixture
def data(rng):
    x = rng.normal(size=(48, 4)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def small(rate=1e-2, functional=False):
    if functional:
        inputs = keras.Input((4,))
        model = keras.Model(inputs, Dense(1)(Dense(5, activation="tanh")(inputs)))
    else:
        model = keras.Sequential([keras.Input((4,)), Dense(5, activation="tanh"), Dense(1)])
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = Dense(3), Dense(1)

    def call(self, x):
        return self.head(self.hidden(x))


def steps_compiled():
    loops = shared_loops()
    functions = (loops.program(TRAIN_STEPS), loops.program(EVAL_STEPS), loops.predict_batch, loops.train_batch)
    programs = [function.compiled for function in functions]
    parts = [(p.flat, p.nested) if isinstance(p, ChosenByLoops) else (getattr(p, "called", p),) for p in programs]
    return [sum(part._cache_size() for part in program) for program in parts]


@pytest.mark.parametrize("functional", [False, True], ids=["sequential", "functional"])
def test_equal_models_share_compilations(data, functional):
    def use(model):
        model.fit(*data, batch_size=16, verbose=0)
        model.evaluate(*data, batch_size=16, verbose=0)
        model.predict(data[0], verbose=0)
        model.train_on_batch(*data)

    use(small(functional=functional))
    before = steps_compiled()
    for model in (small(functional=functional), small(0.5, functional)):
        use(model)
        model.optimizer.learning_rate = 0.125
        use(model)
    assert steps_compiled() == before and all(before)


@pytest.mark.parametrize("make", [small, Net], ids=["built-in", "own class"])
def test_no_growth(data, make):
    def one(model):
        model.fit(*data, verbose=0)
        model.predict(data[0], verbose=0)
        model(data[0])

    def made():
        model = make()
        if not model.compiled:
            model.compile("adam", "mse")
        return model

    model = made()
    one(model)
    counts = []
    for _ in range(2):
        for _ in range(10):
            one(model)
        one(made())
        gc.collect()
        counts.append(len(jax.live_arrays()))
    assert counts[1] <= counts[0]


def test_arrays_are_lent_and_come_back(data):
    model = small()
    held = [weight.value for weight in model.weights]
    model.fit(*data, verbose=0)
    assert not any(array.is_deleted() for array in held)
    assert not any(cell.is_lent for cell in (*model.variables, *model.optimizer.variables, *model.metrics_variables))


def test_weights_are_there_after_an_exception(data):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise OSError("no space left")

    model = small()
    with pytest.raises(OSError):
        model.fit(*data, verbose=0, callbacks=[Fails()])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert int(model.optimizer.iterations) == 2


def test_an_interrupt_is_raised(data):
    class Interrupts(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, verbose=0, callbacks=[Interrupts()])
    assert int(model.optimizer.iterations) == 1


@pytest.mark.parametrize("library", [real, keras], ids=["keras", "jkeras"])
@pytest.mark.parametrize("verbose", [0, 2])
def test_the_interrupt_key_ends_neither_the_epoch_nor_the_training(library, verbose, data, capsys):
    called = []

    class Presses(library.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if called == ["epoch"] and batch == 1:
                os.kill(os.getpid(), signal.SIGINT)

        def on_epoch_end(self, epoch, logs=None):
            called.append("epoch")

        def on_train_end(self, logs=None):
            called.append("end")

    model = library.Sequential([library.Input((3,)), library.layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.ones((32, 3)), np.ones((32, 2)), batch_size=8, epochs=3, verbose=verbose, callbacks=[Presses()])
    assert called == ["epoch"] and model.history.epoch == [0]
    if library is keras:  # the real one loses the weights of the epoch
        assert int(model.optimizer.iterations) == 6
    lines = capsys.readouterr().out.split("\n")
    assert [line.split(" - ")[0] for line in lines] == (["Epoch 1/3", "4/4", "Epoch 2/3", ""] if verbose else [""])


def test_the_value_goes_on_where_the_object_is(data):
    model = small()
    model.fit(*data, verbose=0)
    value = model.value
    np.testing.assert_allclose(
        value.predict(data[0], verbose=0), model.predict(data[0], verbose=0), rtol=1e-5, atol=1e-6
    )
    again = around(value)
    np.testing.assert_array_equal(again.predict(data[0], verbose=0), model.predict(data[0], verbose=0))
    histories = [
        model.fit(*data, verbose=0, shuffle=False).history,
        again.fit(*data, verbose=0, shuffle=False).history,
        value.fit(*data, verbose=0, shuffle=False).history.history,
    ]
    for other in histories[1:]:
        np.testing.assert_allclose(other["loss"], histories[0]["loss"], rtol=1e-5)


def test_an_object_of_ones_own_is_a_node_of_a_value(data):
    model = Net()
    model.compile("adam", "mse")
    model.fit(*data, verbose=0)
    np.testing.assert_allclose(
        model.value.predict(data[0], verbose=0), model.predict(data[0], verbose=0), rtol=1e-5, atol=1e-6
    )


def test_an_ensemble_of_a_drop_in_model(data):
    ensemble = jk.Ensemble(small().value, 3).fit(*data, epochs=2, verbose=0)
    assert np.asarray(ensemble.predict(data[0])).shape[-2:] == (48, 1)


def test_a_run_goes_on_from_a_backup_exactly(data, tmp_path):
    class Stops(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise OSError("the power went off")

    start = small().get_weights()

    def fresh():
        model = small()
        model.set_weights(start)
        return model

    whole = fresh()
    expected = whole.fit(*data, epochs=4, verbose=0, shuffle=False).history["loss"]
    broken = fresh()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(OSError):
        broken.fit(*data, epochs=4, verbose=0, shuffle=False, callbacks=[backup, Stops()])
    resumed = fresh()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    resumed.fit(*data, epochs=4, verbose=0, shuffle=False, callbacks=[backup])
    np.testing.assert_allclose(resumed.evaluate(*data, verbose=0), whole.evaluate(*data, verbose=0), rtol=1e-5)
    assert expected[-1] < expected[0]
