"""Steps in the manner of Keras on JAX, run by Keras and by jkeras: the same class, the same numbers."""

import jax
import keras as real
import numpy as np
import pytest

import jkeras.keras as ours
from jkeras.errors import InputError, NotCompiledError


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
    with pytest.raises(AttributeError, match="Call the argument `batch`"):
        with_step(lambda self, state, data: ({}, state.params)).fit(x, y, verbose=0)
    with pytest.raises(NotCompiledError, match="inside `train_step"):
        with_step(lambda self, state, data: ({}, state)).stateless_call([], [], x)


def test_a_step_that_changes_nothing():
    x, y = np.ones((4, 5), "float32"), np.zeros((4, 1), "float32")
    model = with_step(lambda self, state, data: ({"seen": len(data[0])}, state))
    before = model.get_weights() if model.built else None
    history = model.fit(x, y, verbose=0, epochs=2)
    assert history.history == {"seen": [4.0, 4.0]}
    if before is not None:
        np.testing.assert_array_equal(before[0], model.get_weights()[0])
