"""One model in several threads: trained in one at a time, and predicting meanwhile."""

import threading

import numpy as np

import jkeras.keras as keras
from jkeras.errors import ConsumedError

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X[:, :1]


def compiled():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def in_threads(*functions):
    """What each function returned or raised, of functions that run at the same time."""
    results = [None] * len(functions)

    def run(place, function):
        try:
            results[place] = function()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(i, function)) for i, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Meanwhile(keras.callbacks.Callback):
    """Does something in another thread in the middle of training."""

    def __init__(self, function):
        super().__init__()
        self.function, self.results = function, []

    def on_epoch_begin(self, epoch, logs=None):
        self.results += in_threads(self.function)


def test_a_model_that_another_thread_trains_is_not_trained():
    model, alone = compiled(), compiled()
    alone.set_weights(model.get_weights())
    for method in (lambda: model.fit(X, Y, verbose=0), lambda: model.train_on_batch(X, Y)):
        meanwhile = Meanwhile(method)
        history = model.fit(X, Y, epochs=2, verbose=0, shuffle=False, callbacks=[meanwhile]).history
        assert [type(result) for result in meanwhile.results] == [ConsumedError] * 2
        assert history == alone.fit(X, Y, epochs=2, verbose=0, shuffle=False).history
        for ours, theirs in zip(model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_model_is_trained_by_one_thread_after_another():
    model = compiled()
    for number in range(3):
        (history,) = in_threads(lambda: model.fit(X, Y, verbose=0))
        assert history.history.keys() == {"loss"} and int(model.optimizer.iterations) == 2 * (number + 1)


def test_a_run_that_fails_leaves_the_model_to_others():
    model = compiled()
    for _ in range(2):
        (error,) = in_threads(lambda: model.fit(X, Y[:3], verbose=0))
        assert isinstance(error, ValueError) and not isinstance(error, ConsumedError)


def test_models_are_trained_at_the_same_time():
    models = [compiled() for _ in range(3)]
    results = in_threads(*(lambda model=model: model.fit(X, Y, epochs=3, verbose=0) for model in models))
    assert all(len(result.history["loss"]) == 3 for result in results)


def test_a_callback_may_use_the_model_itself():
    model = compiled()
    inner = keras.callbacks.LambdaCallback(on_train_end=lambda logs: model.evaluate(X, Y, verbose=0))
    model.fit(X, Y, verbose=0, callbacks=[inner])
    assert int(model.optimizer.iterations) == 2
