"""Every argument of `fit`, `evaluate` and `predict`, every kind of data, and what bad input gets."""

import os
import signal
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

import jkeras as jk
from jkeras import errors, layers

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")


def network():
    return jk.Sequential([jk.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(2, activation="softmax")])


def compiled(optimizer="adam", **options):
    return network().compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)


def weights_of(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def fit(model=None, x=X, y=Y, **options):
    return (model or compiled()).fit(x, y, **{"epochs": 2, "batch_size": 8, "verbose": 0, **options})


EXPECTED = None


def expected():
    global EXPECTED
    EXPECTED = weights_of(fit(shuffle=False)) if EXPECTED is None else EXPECTED
    return EXPECTED


class Batches:
    """An iterable of batches that can be iterated over again."""

    def __init__(self, as_list=False):
        self.as_list = as_list

    def __iter__(self):
        for start in range(0, 30, 8):
            batch = X[start : start + 8], Y[start : start + 8]
            yield list(batch) if self.as_list else batch


class Data(jk.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 8 : index * 8 + 8], Y[index * 8 : index * 8 + 8]


def endless():
    while True:
        yield from Batches()


KINDS = {
    "numpy": lambda: fit(shuffle=False),
    "jax": lambda: fit(x=jnp.asarray(X), y=jnp.asarray(Y), shuffle=False),
    "pandas": lambda: fit(x=pd.DataFrame(X), y=pd.Series(Y), shuffle=False),
    "lists": lambda: fit(x=X.tolist(), y=Y.tolist(), shuffle=False),
    "float64": lambda: fit(x=X.astype("float64"), y=Y.astype("int64"), shuffle=False),
    "iterable": lambda: fit(x=Batches(), y=None),
    "iterable of lists": lambda: fit(x=Batches(as_list=True), y=None),
    "generator": lambda: fit(x=endless(), y=None, steps_per_epoch=4),
    "PyDataset": lambda: fit(x=Data(), y=None, shuffle=False),
    "one step at a time": lambda: fit(compiled(steps_per_execution=1), shuffle=False),
    "eagerly": lambda: fit(compiled(run_eagerly=True), shuffle=False),
    "with a callback per batch": lambda: fit(
        shuffle=False, callbacks=[jk.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]
    ),
    "checking": lambda: fit(compiled(check_finite=True), shuffle=False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_data_and_of_loops_train_alike(kind):
    np.testing.assert_allclose(weights_of(KINDS[kind]()), expected(), rtol=1e-4, atol=1e-6)


def test_any_optax_transformation_trains():
    model = compiled(optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1)))
    trained = fit(model)
    assert trained.history["loss"][-1] < trained.history["loss"][0]


def test_history_and_both_habits():
    trained = fit(validation_split=0.2)
    assert list(trained.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert trained.history.history["loss"] == trained.history["loss"]
    assert trained.epoch == [0, 1]


def test_epochs():
    assert fit(epochs=5, initial_epoch=3).epoch == [3, 4]
    trained = fit(epochs=4, validation_split=0.2, validation_freq=2)
    assert len(trained.history["val_loss"]) == 2 and len(trained.history["loss"]) == 4
    assert len(fit(epochs=4, validation_split=0.2, validation_freq=[1, 2, 4]).history["val_loss"]) == 3
    assert fit(epochs=0).history == {}


def test_validation_data_takes_weights_and_its_own_batch_size():
    weights = np.linspace(0, 1, 30, dtype="float32")
    trained = fit(validation_data=(X, Y, weights), validation_batch_size=7, epochs=1)
    result = trained.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
    assert trained.history["val_loss"][0] == pytest.approx(result["loss"], rel=1e-3)


def test_class_weights_of_one_hot_targets():
    categorical = network().compile("sgd", "categorical_crossentropy")
    sparse = network().compile("sgd", "sparse_categorical_crossentropy")
    weights = {0: 0.2, 1: 3.0}
    first = fit(categorical, y=jk.utils.to_categorical(Y, 2), class_weight=weights, shuffle=False)
    second = fit(sparse, class_weight=weights, shuffle=False)
    np.testing.assert_allclose(weights_of(first), weights_of(second), rtol=1e-5)


def test_evaluate_and_predict_forms():
    model = fit()
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    as_dict = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert (loss, accuracy) == (as_dict["loss"], as_dict["accuracy"])
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=7, verbose=0), [loss, accuracy], rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(Batches(), verbose=0), [loss, accuracy], rtol=1e-5)
    outputs = model.predict(X, verbose=0)
    np.testing.assert_allclose(model.predict(X, batch_size=7, verbose=0), outputs, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), outputs, rtol=1e-5)
    np.testing.assert_allclose(np.concatenate([model.predict(X[:8], verbose=0), outputs[8:]]), outputs, rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(X, Y), [loss, accuracy], rtol=1e-5)


def test_train_on_batch():
    model = compiled()
    new, (loss, _accuracy) = model.train_on_batch(X[:8], Y[:8])
    assert loss == pytest.approx(model.evaluate(X[:8], Y[:8], verbose=0)[0], rel=1e-5)
    assert not np.array_equal(weights_of(new), weights_of(model))


def test_a_step_of_ones_own():
    class Halved(jk.Sequential):
        def train_step(self, state, batch):
            grads, scored = self.compute_gradients(state, batch)
            grads = {path: grad / 2 for path, grad in grads.items()}
            return self.apply_gradients(state, grads, scored), {"double": scored.loss * 2}

    def build(cls, rate):
        return cls(network().layers).compile(jk.optimizers.SGD(rate), "sparse_categorical_crossentropy")

    halved, plain = fit(build(Halved, 0.2), shuffle=False), fit(build(jk.Sequential, 0.1), shuffle=False)
    np.testing.assert_allclose(weights_of(halved), weights_of(plain), rtol=1e-5, atol=1e-7)
    assert list(halved.history) == ["double"]
    np.testing.assert_allclose(halved.history["double"], 2 * np.array(plain.history["loss"]), rtol=1e-4)


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (2, 4)])
def test_what_is_printed(verbose, lines, capsys):
    fit(verbose=verbose)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == lines
    assert verbose == 0 or ("Epoch 1/2" in out and "accuracy: " in out)


def test_callbacks_see_and_change_the_run():
    seen = []

    class Watch(jk.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.start = self.model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            seen.append(float(self.model.optimizer.learning_rate))
            self.model.optimizer.learning_rate = 0.5
            if epoch == 1:
                self.model.set_weights(self.start)
                self.model.stop_training = True

    watch = Watch()
    trained = fit(epochs=10, callbacks=[watch])
    assert seen == pytest.approx([1e-3, 0.5]) and trained.epoch == [0, 1]
    for result, want in zip(trained.get_weights(), watch.start, strict=True):
        np.testing.assert_array_equal(result, want)


def test_early_stopping_restores_the_best_weights():
    callback = jk.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    trained = fit(compiled(jk.optimizers.SGD(5.0)), epochs=30, validation_split=0.3, callbacks=[callback])
    best = min(trained.history["val_loss"])
    assert trained.evaluate(X[21:], Y[21:], verbose=0)[0] == pytest.approx(best, rel=1e-4)


# -- interrupted runs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", [False, True])
def test_an_interrupt_from_a_callback(capsys, monkeypatch, by_hand):
    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    def run():
        return fit(epochs=9, callbacks=[jk.callbacks.LambdaCallback(on_epoch_end=interrupt)])

    if by_hand:  # a notebook or the REPL
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
        trained = run()
        assert "Interrupted" in capsys.readouterr().out
    else:
        with pytest.raises(KeyboardInterrupt, match="after 8 steps.*stop.model") as stop:
            run()
        trained = stop.value.model
    assert len(trained.history["loss"]) <= 2 and int(trained.state.step) == 8


SCRIPT = """
import numpy as np, jkeras as jk
model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).compile("adam", "mse")
class Ready(jk.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 3:
            print("ready", flush=True)
stop = None
try:
    model = model.fit(np.ones((640, 4)), np.ones((640, 2)), epochs=10**6, verbose=0, callbacks=[Ready()])
except KeyboardInterrupt as error:
    stop, model = error, error.model
print("steps", int(model.state.step) > 0, np.isfinite(model.predict(np.ones((1, 4)), verbose=0)).all())
raise stop
"""


def test_the_interrupt_key_ends_a_script_with_its_status():
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "ready"
    os.kill(process.pid, signal.SIGINT)
    out, problem = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT and "steps True True" in out
    assert "jkeras/" not in problem and "stop.model" in problem


def test_the_bar_of_an_epoch_that_was_cut_short_says_so(capsys):
    class Stop(jk.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    trained = fit(verbose=1, epochs=2, callbacks=[Stop()])
    last = capsys.readouterr().out.split("\r")[-1]
    assert "2/4" in last and int(trained.state.step) == 2


class MineError(Exception):
    pass


def failing_batches():
    yield X[:8], Y[:8]
    raise MineError("from the generator")


def raise_mine(*args, **kwargs):
    raise MineError("mine")


USERS_ERRORS = {
    "call": lambda: jk.Sequential([layers.Lambda(raise_mine)])(X),
    "loss": lambda: fit(network().compile("adam", raise_mine)),
    "callback": lambda: fit(callbacks=[jk.callbacks.LambdaCallback(on_epoch_end=raise_mine)]),
    "generator": lambda: fit(x=failing_batches(), y=None),
}


@pytest.mark.parametrize("where", USERS_ERRORS)
def test_users_own_exceptions_arrive_unchanged(where):
    with pytest.raises(MineError):
        USERS_ERRORS[where]()


# -- bad input -------------------------------------------------------------------------------------------------------

BAD = {
    "not compiled": (lambda: fit(network()), errors.NotCompiledError, "model = model.compile"),
    "wrong input shape": (lambda: fit(x=X[:, :3]), errors.InputError, r"\(8, 3\).*\(None, 4\)"),
    "lengths": (lambda: fit(y=Y[:7]), errors.InputError, "x has 30, y has 7"),
    "empty": (lambda: fit(x=X[:0], y=Y[:0]), errors.InputError, "0 samples"),
    "nothing": (lambda: fit(x=None, y=None), errors.InputError, "no data"),
    "no batches": (lambda: fit(x=iter(()), y=None), errors.InputError, "no batches"),
    "class out of range": (lambda: fit(y=Y + 2), errors.InputError, "2 classes"),
    "ids for one-hot": (
        lambda: fit(network().compile("adam", "categorical_crossentropy")),
        errors.InputError,
        "sparse_categorical_crossentropy",
    ),
    "targets of another width": (
        lambda: fit(network().compile("adam", "mse"), y=np.ones((30, 3))),
        errors.InputError,
        r"\(30, 3\)",
    ),
    "strings": (lambda: fit(x=np.array(["a"] * 30)), errors.InputError, "StringLookup"),
    "ragged lists": (lambda: fit(x=np.array([[1], [1, 2]] * 15, dtype=object)), errors.InputError, "pad_sequences"),
    "NaN when asked to look": (
        lambda: fit(compiled(check_finite=True), x=np.where(X > 1, np.nan, X)),
        errors.NonFiniteError,
        "sample",
    ),
    "epochs": (lambda: fit(epochs=-1), errors.ArgumentError, "epochs=-1"),
    "batch_size": (lambda: fit(batch_size=0), errors.ArgumentError, "batch_size=0"),
    "validation_split": (lambda: fit(validation_split=0.999), errors.ArgumentError, "no data for training"),
    "both weights": (
        lambda: fit(class_weight={0: 1}, sample_weight=np.ones(30)),
        errors.ArgumentError,
        "not both",
    ),
    "y beside an iterable": (lambda: fit(x=Batches(), y=Y), errors.ArgumentError, "y must be None"),
    "optimizer": (lambda: compiled("adma"), errors.UnknownNameError, "Did you mean 'adam'"),
    "loss": (
        lambda: network().compile("adam", "mean_sqared_error"),
        errors.UnknownNameError,
        "Did you mean 'mean_squared_error'",
    ),
    "metric": (
        lambda: network().compile("adam", "mse", metrics=["acuracy"]),
        errors.UnknownNameError,
        "Did you mean 'accuracy'",
    ),
    "activation": (lambda: layers.Dense(3, activation="rleu"), errors.UnknownNameError, "Did you mean 'relu'"),
    "initializer": (
        lambda: layers.Dense(3, kernel_initializer="glorot_unifrom"),
        errors.UnknownNameError,
        "Did you mean 'glorot_uniform'",
    ),
    "argument": (lambda: layers.Dense(3, activaton="relu"), errors.SignatureError, "Did you mean 'activation'"),
    "padding": (lambda: layers.Conv2D(3, 3, padding="smae"), errors.ArgumentError, "Did you mean 'same'"),
    "data_format": (lambda: layers.Flatten(data_format="channels_fisrt"), errors.ArgumentError, "channels_first"),
    "dtype": (lambda: layers.Dense(3, dtype="float23"), errors.ArgumentError, "Did you mean 'float32'"),
    "units": (lambda: layers.Dense(-3), errors.ArgumentError, r"Dense\(units=-3\)"),
    "metrics without a list": (lambda: network().compile("adam", "mse", metrics="mae"), errors.ArgumentError, "list"),
    "hook": (
        lambda: fit(callbacks=[type("C", (jk.callbacks.Callback,), {"on_epoch_edn": raise_mine})()]),
        errors.ArgumentError,
        "Did you mean 'on_epoch_end'",
    ),
    "no loss": (lambda: fit(network().compile("adam")), errors.InputError, "nothing to minimise"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input(what):
    attempt, error, message = BAD[what]
    with pytest.raises(error, match=message):
        attempt()


def test_ids_outside_an_embedding():
    model = jk.Sequential([jk.Input((3,)), layers.Embedding(5, 2), layers.Flatten(), layers.Dense(2)])
    model = model.compile("adam", "mse")
    with pytest.raises(errors.InputError, match="ids 0 to 4"):
        fit(model, x=np.full((30, 3), 7), y=np.ones((30, 2)))


def test_nan_in_the_middle_names_the_layer():
    x = jk.Input((4,))
    broken = layers.Lambda(lambda v: jnp.log(v - 100.0), name="broken")(layers.Dense(3)(x))
    model = jk.Model(x, layers.Dense(2)(broken)).compile("adam", "mse", check_finite=True)
    with pytest.raises(errors.NonFiniteError, match="broken"):
        fit(model, y=np.ones((30, 2)))


class TestOwnSteps:
    """Models that override `train_step` or `test_step`."""

    class Scored(jk.Model):
        def build(self, input_shape):
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def test_step(self, state, batch):
            scored = self.compute_loss(state, batch, training=False)
            error = jnp.abs(scored.outputs[0] - batch.y)
            return self.update_metrics(state, batch, scored), {"worst": jnp.max(error), "mean_error": jnp.mean(error)}

    class Trained(Scored):
        def train_step(self, state, batch):
            grads, scored = self.compute_gradients(state, batch)
            return self.apply_gradients(state, grads, scored), {"plain_loss": scored.loss}

    def test_evaluation_of_its_own(self):
        x, y = np.random.default_rng(0).normal(size=(2, 12, 1)).astype("float32")
        model = self.Scored().compile("sgd", "mse", metrics=["mae"]).build((None, 1))
        logs = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
        assert set(logs) == {"loss", "mae", "worst", "mean_error"}
        np.testing.assert_allclose(logs["mean_error"], logs["mae"], rtol=1e-6)
        errors = np.abs(model.predict(x, verbose=0) - y).reshape(3, 4)
        np.testing.assert_allclose(logs["worst"], errors.max(axis=1).mean(), rtol=1e-5)
        assert jk.eval_step(model.definition, model.recipe, model.state, (x, y)).keys() == logs.keys()
        values = model.evaluate(x, y, batch_size=4, verbose=0)
        assert values == [logs["loss"], logs["mae"], logs["mean_error"], logs["worst"]]

    def test_training_and_validation_have_their_own_logs(self):
        x, y = np.random.default_rng(0).normal(size=(2, 12, 1)).astype("float32")
        model = self.Trained().compile("sgd", "mse").fit(x, y, validation_data=(x, y), epochs=1, verbose=0)
        assert set(model.history) == {"plain_loss", "val_loss", "val_worst", "val_mean_error"}

    def test_a_loss_of_its_own_by_some_weights(self):
        class Distilled(jk.Model):
            def build(self, input_shape):
                self.first, self.last = layers.Dense(3), layers.Dense(1)

            def call(self, x):
                return self.last(self.first(x))

            def train_step(self, state, batch):
                def loss(params):
                    outputs = self.apply(params, batch.x, state=state.model_state)
                    return jnp.mean((outputs - batch.y) ** 2), jnp.max(outputs)

                grads, (value, largest) = self.gradients_of(loss, state, only="last/*")
                grads = {path: jnp.zeros_like(w) for path, w in self.flat(state).items()} | grads
                return self.apply_gradients(state, grads), {"loss": value, "largest": largest}

            def flat(self, state):
                return {f"first/{name}": w for name, w in state.params["first"].items()}

        x, y = np.random.default_rng(0).normal(size=(2, 8, 1)).astype("float32")
        model = Distilled().compile(jk.optimizers.SGD(0.1), "mse").build((None, 1))
        trained = model.fit(x, y, batch_size=8, verbose=0, shuffle=False)
        plain = jk.Sequential([jk.Input((1,)), layers.Dense(3, trainable=False), layers.Dense(1)]).compile(
            jk.optimizers.SGD(0.1), "mse"
        )
        plain = plain.set_weights(model.get_weights()).fit(x, y, batch_size=8, verbose=0, shuffle=False)
        for a, b in zip(trained.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        assert trained.history["loss"] == pytest.approx(plain.history["loss"], rel=1e-5)

        class Misspelt(Distilled):
            def train_step(self, state, batch):
                return self.gradients_of(lambda params: 0.0, state, only="lst/*")

        with pytest.raises(errors.InputError, match="'lst/.*first/kernel"):
            _ = Misspelt().compile("sgd", "mse").fit(x, y, verbose=0)
