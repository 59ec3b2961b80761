"""What `compile` makes of losses and metrics, and callbacks: the same logs and the same totals as Keras's."""

import keras as oracle
import numpy as np
import pytest

import jkeras.keras as ours

LIBRARIES = (ours, oracle)


def _two_outputs(keras):
    x = keras.Input((3,))
    constant = keras.initializers.Constant(0.1)
    return keras.Model(x, [keras.layers.Dense(2, name="a", kernel_initializer=constant)(x),
                           keras.layers.Dense(1, name="b", kernel_initializer=constant)(x)])  # fmt: skip


def _nested(keras):
    x = keras.Input((3,))
    constant = keras.initializers.Constant(0.1)
    a, b, c = (
        keras.layers.Dense(n, name=name, kernel_initializer=constant)(x) for n, name in ((2, "a"), (1, "b"), (1, "c"))
    )
    return keras.Model(x, {"first": a, "others": [b, c]})


def _data(rng, nested):
    x, a, b, c = (rng.normal(size=(8, n)).astype("float32") for n in (3, 2, 1, 1))
    return x, ({"first": a, "others": [b, c]} if nested else [a, b])


CASES = {
    "one for all": (False, {"loss": "mse"}),
    "a list": (False, {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse", "mae"]]}),
    "by names": (False, {"loss": {"b": "mae", "a": "mse"}, "metrics": {"b": ["mae"]}, "weighted_metrics": {"b": ["mae"]}}),
    "some": (False, {"loss": ["mse", None], "metrics": [None, ["mae"]]}),
    "nested": (True, {"loss": {"first": "mse", "others": ["mae", "mse"]}}),
    "nested metrics": (True, {"loss": "mse", "metrics": {"first": ["mae"], "others": [["mae"], ["mse"]]}}),
    "weights of a nest": (
        True,
        {"loss": {"first": "mse", "others": ["mae", "mse"]}, "loss_weights": {"first": 1.0, "others": [2.0, 0.5]}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_logs_are_those_of_keras(case, rng):
    nested, arguments = CASES[case]
    x, y = _data(rng, nested)
    logs = []
    for keras in LIBRARIES:
        model = (_nested if nested else _two_outputs)(keras)
        model.compile("sgd", **arguments)
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        logs.append((history.history, model.evaluate(x, y, verbose=0, return_dict=True), model.metrics_names))
    (mine, scores, names), (theirs, expected, expected_names) = logs
    assert set(mine) == set(theirs) and names == expected_names
    for name in theirs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5)
        np.testing.assert_allclose(scores[name], expected[name], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"loss": {"a": "mse", "z": "mse"}}, (ValueError, KeyError)),
        ({"loss": "mse", "loss_weights": [1.0, 2.0, 3.0]}, ValueError),
        ({"loss": "mse", "metrics": {"z": ["mae"]}}, ValueError),
        ({"loss": "mse", "metrics": "mae"}, ValueError),
    ],
)
def test_what_does_not_fit_is_an_error(arguments, error, rng):
    x, y = _data(rng, False)

    def train(keras):
        model = _two_outputs(keras)
        model.compile("sgd", **arguments)
        model.fit(x, y, verbose=0)

    for keras in LIBRARIES:
        with pytest.raises(error):
            train(keras)


def _one_output(keras):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.1))]
    )
    averaged = keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.8)
    model.compile(averaged, "mse", metrics=["mae"])
    return model


CALLBACKS = {
    "early stopping": lambda c: [c.EarlyStopping(monitor="val_mae", patience=1, restore_best_weights=True)],
    "averages": lambda c: [
        c.SwapEMAWeights(swap_on_epoch=True),
        c.EarlyStopping(patience=1, restore_best_weights=True),
    ],
    "plateau": lambda c: [c.ReduceLROnPlateau(monitor="mae", factor=0.5, patience=1, min_delta=10.0)],
    "scheduler": lambda c: [c.LearningRateScheduler(lambda epoch, rate: rate * 0.5)],
}


@pytest.mark.parametrize("case", CALLBACKS)
def test_callbacks_do_what_those_of_keras_do(case, rng):
    x = rng.normal(size=(24, 3)).astype("float32")
    results = []
    for keras in LIBRARIES:
        model, seen = _one_output(keras), []
        watching = keras.callbacks.LambdaCallback(
            on_train_begin=lambda logs, s=seen: s.append(("train", dict(logs))),
            on_epoch_begin=lambda epoch, logs, s=seen: s.append((epoch, dict(logs))),
            on_epoch_end=lambda epoch, logs, s=seen: s.append((epoch, sorted(logs))),
        )
        callbacks = [*CALLBACKS[case](keras.callbacks), watching]
        history = model.fit(
            x, 3 * x[:, :1], epochs=4, batch_size=8, shuffle=False, verbose=0, validation_data=(x, 3 * x[:, :1]),
            callbacks=callbacks,
        )  # fmt: skip
        assert isinstance(history, keras.callbacks.History) and history.model is model and model.history is history
        results.append((history.history, history.epoch, seen, model.evaluate(x, 3 * x[:, :1], verbose=0)))
    (mine, epochs, calls, score), (theirs, expected_epochs, expected_calls, expected) = results
    assert epochs == expected_epochs and calls == expected_calls and set(mine) == set(theirs)
    for name in theirs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5)
    np.testing.assert_allclose(score, expected, rtol=1e-5)


def test_a_metric_whose_value_is_its_variable(rng):
    class Counted(ours.metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.rows = self.add_variable(shape=(), initializer="zeros", name="rows")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.rows.assign_add(ours.ops.shape(y_pred)[0])

        def result(self):
            return self.rows

        def reset_state(self):
            self.rows.assign(0)

    x = rng.normal(size=(40, 3)).astype("float32")
    model = ours.Sequential([ours.Input((3,)), ours.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Counted(name="rows")])
    history = model.fit(x, x[:, :1], batch_size=16, epochs=2, verbose=0, validation_data=(x, x[:, :1])).history
    assert history["rows"] == [40.0, 40.0] == history["val_rows"]
    assert model.evaluate(x, x[:, :1], verbose=0)[1] == 40 and model.train_on_batch(x, x[:, :1])[1] == 40
