"""Steps in the manner of Keras on JAX, run by Keras and by jkeras: the same class, the same numbers."""

import jax
import keras as real
import numpy as np
import pytest

import jkeras.keras as ours
from jkeras.errors import InputError


def compiled_metrics_class(keras):
    class Custom(keras.Model):
        def loss_and_updates(self, trainable, rest, x, y, sample_weight, training):
            y_pred, rest = self.stateless_call(trainable, rest, x, training=training)
            return self.compute_loss(x, y, y_pred, sample_weight), (y_pred, rest)

        def train_step(self, state, data):
            trainable, rest, slots, metric_variables = state
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            function = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (y_pred, rest)), grads = function(trainable, rest, x, y, sample_weight, training=True)
            trainable, slots = self.optimizer.stateless_apply(slots, grads, trainable)
            logs, metric_variables = self.measured(metric_variables, loss, y, y_pred)
            return logs, (trainable, rest, slots, metric_variables)

        def test_step(self, state, data):
            trainable, rest, metric_variables = state
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            y_pred, rest = self.stateless_call(trainable, rest, x, training=False)
            loss, (trainable, rest, metric_variables) = self.stateless_compute_loss(
                trainable, rest, metric_variables, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
            )
            logs, metric_variables = self.measured(metric_variables, loss, y, y_pred)
            return logs, (trainable, rest, metric_variables)

        def measured(self, variables, loss, y, y_pred):
            new, logs = [], {}
            for metric in self.metrics:
                mine = variables[len(new) : len(new) + len(metric.variables)]
                if metric.name == "loss":
                    mine = metric.stateless_update_state(mine, loss)
                else:
                    mine = metric.stateless_update_state(mine, y, y_pred)
                result = metric.stateless_result(mine)
                logs.update(result if isinstance(result, dict) else {metric.name: result})
                new += mine
            return logs, new

    return Custom


def own_metrics_class(keras):
    class Custom(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.error = keras.metrics.MeanAbsoluteError(name="mae")

        @property
        def metrics(self):
            return [self.loss_tracker, self.error]

        def loss_of(self, trainable, rest, x, y):
            y_pred, rest = self.stateless_call(trainable, rest, x, training=True)
            return keras.ops.mean(keras.losses.mean_squared_error(y, y_pred)), (y_pred, rest)

        def train_step(self, state, data):
            trainable, rest, slots, (total, count, *error) = state
            x, y = data
            (loss, (y_pred, rest)), grads = jax.value_and_grad(self.loss_of, has_aux=True)(trainable, rest, x, y)
            trainable, slots = self.optimizer.stateless_apply(slots, grads, trainable)
            tracked = self.loss_tracker.stateless_update_state([total, count], loss)
            error = self.error.stateless_update_state(error, y, y_pred)
            logs = {
                "loss": self.loss_tracker.stateless_result(tracked),
                "mae": self.error.stateless_result(error),
            }
            return logs, (trainable, rest, slots, [*tracked, *error])

    return Custom


def network(keras, cls):
    x = keras.Input((5,))
    h = keras.layers.Dense(4, activation="tanh", name="first")(x)
    h = keras.layers.BatchNormalization(name="norm")(h)
    return cls(x, keras.layers.Dense(1, name="last")(h))


@pytest.mark.parametrize("make", [compiled_metrics_class, own_metrics_class])
def test_equal_to_keras(make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 5)).astype("float32"), rng.normal(size=(24, 1)).astype("float32")
    weighted = {"sample_weight": rng.uniform(size=24).astype("float32")} if make is compiled_metrics_class else {}
    oracle, model = network(real, make(real)), network(ours, make(ours))
    model.set_weights(oracle.get_weights())
    histories = []
    for side in (oracle, model):
        metrics = ["mae"] if make is compiled_metrics_class else None
        side.compile("adam", "mse", metrics=metrics)
        histories.append(
            side.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, **weighted).history,
        )
    assert set(histories[1]) == set(histories[0])
    for name in histories[0]:
        np.testing.assert_allclose(histories[1][name], histories[0][name], rtol=1e-4, err_msg=name)
    for a, b in zip(oracle.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    if make is compiled_metrics_class:
        np.testing.assert_allclose(
            model.evaluate(x, y, batch_size=8, verbose=0), oracle.evaluate(x, y, batch_size=8, verbose=0), rtol=1e-4
        )


def with_step(step):
    cls = type("Custom", (ours.Model,), {"train_step": step})
    model = network(ours, cls)
    model.compile("sgd", "mse")
    return model


def test_wrong_steps_are_explained():
    x, y = np.zeros((4, 5), "float32"), np.zeros((4, 1), "float32")
    with pytest.raises(InputError, match=r"must return \(logs, state\)"):
        with_step(lambda self, state, data: (state, {})).fit(x, y, verbose=0)
    with pytest.raises(InputError, match="given 2 metric variables and returned 0"):
        with_step(lambda self, state, data: ({}, (*state[:3], []))).fit(x, y, verbose=0)
    with pytest.raises(TypeError, match="positional argument"):  # in TensorFlow's manner
        with_step(lambda self, data: {}).fit(x, y, verbose=0)


def test_weights_survive_a_wrong_step():
    model = with_step(lambda self, state, data: ({}, state[:3]))
    before = model.get_weights()
    with pytest.raises(InputError):
        model.fit(np.zeros((4, 5)), np.zeros((4, 1)), verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_step_that_changes_nothing():
    x, y = np.ones((4, 5), "float32"), np.zeros((4, 1), "float32")
    model = with_step(lambda self, state, data: ({"seen": len(data[0])}, state))
    before = model.get_weights()
    history = model.fit(x, y, verbose=0, epochs=2)
    assert history.history == {"seen": [4.0, 4.0]}
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_functions_of_ones_own_are_run():
    """What `make_train_function` sets is what `fit` calls, once for each batch."""
    seen = []

    class Custom(ours.Model):
        def make_train_function(self, force=False):
            def function(state, iterator):
                seen.append(next(iterator)[0].shape)
                return {"count": len(seen)}, state

            self.train_function = function

    model = network(ours, Custom)
    model.compile("sgd", "mse")
    history = model.fit(np.zeros((5, 5)), np.zeros((5, 1)), batch_size=2, verbose=0)
    assert seen == [(2, 5), (2, 5), (1, 5)] and history.history == {"count": [3]}


def test_every_other_method_is_honoured():
    calls = []

    class Custom(ours.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            calls.append(("loss", training))
            return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "extra": ours.ops.sum(y_pred)}

        def reset_metrics(self):
            calls.append("reset")
            super().reset_metrics()

        def evaluate(self, *args, **kwargs):
            calls.append("evaluate")
            return super().evaluate(*args, **kwargs)

    plain, model = network(ours, ours.Model), network(ours, Custom)
    model.set_weights(plain.get_weights())
    x, y = np.ones((4, 5), "float32"), np.zeros((4, 1), "float32")
    for each in (plain, model):
        each.compile(ours.optimizers.SGD(0.0), "mse")
    expected = plain.fit(x, y, verbose=0, validation_data=(x, y)).history
    history = model.fit(x, y, verbose=0, validation_data=(x, y)).history
    assert history["loss"][0] == pytest.approx(2 * expected["loss"][0], rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(2 * expected["val_loss"][0], rel=1e-5)
    assert set(history) == {"loss", "extra", "val_loss", "val_extra"}
    assert ("loss", True) in calls and ("loss", False) in calls and "evaluate" in calls and calls.count("reset") == 2
