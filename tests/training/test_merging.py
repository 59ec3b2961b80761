"""Batches that are evaluated many at once, against the same batch by batch and against Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.training import merging
from jkeras.training.sources import TrainingData
from jkeras.training.task import prepare

BATCH = 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 3)).astype("float32")
TOKENS = RNG.integers(0, 5, size=(45, 6)).astype("int32")
ONE_HOT = np.eye(2, dtype="float32")[RNG.integers(0, 2, size=45)]
IDS = RNG.integers(0, 2, size=45).astype("int32")
SEQUENCES = RNG.integers(0, 2, size=(45, 6)).astype("int32")
WEIGHTS = RNG.uniform(0.1, 2, size=45).astype("float32")


class Counting(layers.Layer):
    mixes_samples = False

    def build(self, input_shape):
        self.seen = self.add_weight((), "zeros", trainable=False, name="seen")

    def call(self, inputs):
        self.seen = self.seen + 1
        return inputs


class Penalised(layers.Layer):
    mixes_samples = False

    def call(self, inputs):
        self.add_loss(jnp.sum(inputs))
        return inputs


class Scored(jk.Sequential):
    def test_step(self, state, batch):
        return super().test_step(state, batch)


class Largest(jk.metrics.MeanSquaredError):
    pass


class Batches(jk.callbacks.Callback):
    def __init__(self):
        self.seen = 0

    def on_test_batch_end(self, batch, logs=None):
        self.seen += 1


def own_loss(y_true, y_pred):
    return jnp.mean((y_true[:, None] - y_pred) ** 2, axis=-1)


def dense(*more, cls=jk.Sequential):
    return cls(
        [layers.Input((3,)), layers.Dense(4, "relu"), layers.BatchNormalization(), *more, layers.Dense(2, "softmax")]
    )


def tokens(mask, per_step=False):
    body = [layers.LSTM(3, return_sequences=per_step), layers.Dense(2, "softmax")]
    return jk.Sequential([layers.Input((6,), dtype="int32"), layers.Embedding(5, 3, mask_zero=mask), *body])


CE = jk.losses.SparseCategoricalCrossentropy
SUMS = [jk.metrics.AUC(num_thresholds=5), jk.metrics.RootMeanSquaredError(), jk.metrics.R2Score()]
MERGED = {
    "classifier": (dense, X, IDS, {"metrics": ["accuracy", "sparse_top_k_categorical_accuracy"]}),
    "weighted": (dense, X, ONE_HOT, {"loss": "mae", "metrics": ["accuracy"], "weighted_metrics": ["accuracy", "mse"]}),
    "penalties": (lambda: dense(layers.Dense(4, kernel_regularizer="l2")), X, IDS, {}),
    "sums over rows": (dense, X, ONE_HOT, {"loss": "mse", "metrics": SUMS}),
    "a mask inside": (lambda: tokens(True), TOKENS, IDS, {"metrics": ["accuracy"]}),
    "steps": (lambda: tokens(False, per_step=True), TOKENS, SEQUENCES, {"metrics": ["accuracy"]}),
    "mean": (dense, X, IDS, {"loss": CE(reduction="mean")}),
}
APART = {
    "a mask": (lambda: tokens(True, per_step=True), TOKENS, SEQUENCES, {}),
    "a sum": (dense, X, IDS, {"loss": CE(reduction="sum")}),
    "by weights": (dense, X, IDS, {"loss": CE(reduction="mean_with_sample_weight")}),
    "a class left out": (dense, X, IDS, {"loss": CE(ignore_class=1)}),
    "an own loss": (dense, X, IDS, {"loss": own_loss}),
    "a loss of batches": (dense, X, ONE_HOT, {"loss": "hinge"}),
    "an own metric": (dense, X, IDS, {"metrics": [own_loss]}),
    "a derived metric": (dense, X, IDS, {"metrics": [Largest()]}),
    "a metric of batches": (dense, X, IDS, {"metrics": ["hinge"]}),
    "an own layer": (lambda: dense(layers.Lambda(lambda x: x - x.mean(axis=0))), X, IDS, {}),
    "a state": (lambda: dense(Counting()), X, IDS, {}),
    "added losses": (lambda: dense(Penalised()), X, IDS, {}),
    "activities": (lambda: dense(layers.Dense(4, activity_regularizer="l2")), X, IDS, {}),
    "an own step": (lambda: dense(cls=Scored), X, IDS, {}),
}


def compiled(build, options):
    return build().compile("sgd", **{"loss": "sparse_categorical_crossentropy", **options})


def rows_at_once(model, x, y):
    task = prepare(model, TrainingData(x, y, WEIGHTS, BATCH))
    return merging.merged_rows(task.evaluate, task.source.example(), len(x))


@pytest.mark.parametrize("name", MERGED)
def test_numbers_are_those_of_single_batches(name, monkeypatch):
    build, x, y, options = MERGED[name]
    model = compiled(build, options).build_for(x)
    assert rows_at_once(model, x, y) == 48

    def results():
        weighted = model.evaluate(x, y, BATCH, sample_weight=WEIGHTS, verbose=0)
        return weighted, model.evaluate(x, y, BATCH, verbose=0, steps=8), model.evaluate(x, y, 3, verbose=0)

    merged = results()
    monkeypatch.setattr(merging, "MOST_ROWS", 16)
    parts = results()
    monkeypatch.setattr(merging, "MOST_ROWS", 1)
    assert rows_at_once(model, x, y) == BATCH
    for expected, *found in zip(results(), merged, parts, strict=True):
        for result in found:
            np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", APART)
def test_batches_stay_apart_where_they_show(name):
    build, x, y, options = APART[name]
    assert rows_at_once(compiled(build, options), x, y) == BATCH


def test_memory_bounds_the_rows(monkeypatch):
    model = compiled(dense, {})
    monkeypatch.setattr(merging, "MOST_BYTES", 16 * 10)  # the widest array has four numbers in a row
    assert rows_at_once(model, X, IDS) == 8


def test_hooks_of_batches_are_called_for_each():
    callback = Batches()
    compiled(dense, {}).evaluate(X, IDS, BATCH, verbose=0, callbacks=[callback])
    assert callback.seen == 12


def test_validation_is_kerass():
    def histories(k):
        net = [k.layers.Input((3,)), k.layers.Dense(4, activation="relu"), k.layers.BatchNormalization()]
        model = k.Sequential([*net, k.layers.Dense(2, activation="softmax")])
        model = model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"]) or model
        if k is keras:
            model.set_weights(start)
        else:
            model = model.build_for(X)
            start.extend(map(np.asarray, model.get_weights()))
        found = model.fit(X, IDS, BATCH, 2, verbose=0, shuffle=False, validation_data=(X[:30], IDS[:30], WEIGHTS[:30]))
        return found.history.history if k is jk else found.history

    start = []
    ours, theirs = histories(jk), histories(keras)
    for name in ("val_loss", "val_accuracy"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


def test_the_largest_array_is_found_in_loops_and_calls():
    from jkeras.graph.array_sizes import largest_array

    def program(weight, x):
        grown, _ = jax.lax.scan(lambda c, _: (jax.jit(lambda v: v[:, None] * v)(c).sum(0), None), x, None, length=3)
        return grown + jnp.sum(weight[:, None] * weight)

    made = jax.make_jaxpr(program)(jnp.ones(50), jnp.ones(10))
    assert largest_array(made, constants=1) == 400
