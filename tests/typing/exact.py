"""Types that a checker must work out exactly. It is read by checkers, never run, and neither may find anything here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

import jax
import numpy as np

import jkeras as jk
from jkeras import constraints, initializers, layers, losses, metrics, optimizers, regularizers

x, y = np.ones((8, 4)), np.ones((8, 1))

# Constructors, and what their attributes hold.
dense = assert_type(layers.Dense(3), layers.Dense)
assert_type(dense.units, int)
assert_type(dense.activation, Callable[..., jax.Array])
assert_type(dense.kernel_initializer, initializers.Initializer | None)
assert_type(dense.kernel_regularizer, regularizers.Regularizer | None)
assert_type(dense.kernel_constraint, constraints.Constraint | None)
assert_type(dense.name, str | None)
assert_type(dense.trainable, bool)
assert_type(dense.replace(units=4), layers.Dense)
layers.Dense(3, "relu", False, "zeros", name="dense", dtype="float16", activity_regularizer="l2")
conv = assert_type(layers.Conv2D(8, 3, (2, 2), "same", activation=jax.nn.relu), layers.Conv2D)
assert_type(conv.kernel_size, tuple[int, ...])
assert_type(layers.LSTM(8, return_sequences=True).return_sequences, bool)
layers.LSTM(8, "tanh", "sigmoid", True, "glorot_uniform", dropout=0.1, name="lstm")
layers.Bidirectional(layers.LSTM(8), "sum")
layers.RNN([layers.LSTMCell(4), layers.GRUCell(4)], True)
layers.MaxPooling2D((2, 2), 2, "same", None, "pool")
layers.SpatialDropout2D(0.5, "channels_last", 3, "drop")

assert_type(losses.Huber(2.0, "sum", "huber").delta, float)
assert_type(losses.MeanSquaredError("sum", "mse", "float32").dtype, str)
assert_type(losses.CategoricalCrossentropy(True, 0.1).name, str | None)
assert_type(metrics.Mean("loss", "float32"), metrics.Mean)
assert_type(metrics.AUC(100, "PR", name="auc").num_thresholds, int)
assert_type(metrics.Precision([0.1, 0.5], 3, name="precision"), metrics.Precision)
assert_type(optimizers.Adam(1e-3, 0.9, weight_decay=0.1, name="adam"), optimizers.Adam)
assert_type(optimizers.AdamW(1e-3, 0.004, 0.9), optimizers.AdamW)
optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), 0.9, True)
assert_type(initializers.HeNormal(3).seed, int | None)
assert_type(initializers.VarianceScaling(2.0, "fan_out")((3, 4)), jax.Array)
assert_type(regularizers.L2(0.1)(x), jax.Array)
assert_type(constraints.MaxNorm(2).max_value, float)


# Classes of users, in both styles.
class Pinball(losses.Loss):
    quantile: float = 0.5


class Twice(layers.Layer):
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, inputs: jax.Array) -> Any:
        return 2 * self.dense(inputs)


class Scale(layers.Layer):
    factor: float = 2.0


assert_type(Pinball(0.7, reduction="sum", name="pinball").quantile, float)
assert_type(Twice(3, name="twice").dense, layers.Dense)
assert_type(Scale(3.0, name="scale").factor, float)

# Models.
model = assert_type(jk.Sequential([layers.Input((4,)), layers.Dense(1)]), jk.Sequential)
compiled = assert_type(model.compile("sgd", "mse", metrics=["mae"]), jk.Sequential)
trained = assert_type(compiled.fit(x, y, epochs=2, batch_size=8), jk.Sequential)
assert_type(trained.history, jk.History)
assert_type(trained.freeze("dense"), jk.Sequential)
assert_type(trained.count_params(), int)
assert_type(trained.evaluate(x, y), float | list[float])
assert_type(trained.evaluate(x, y, return_dict=True), dict[str, float])
assert_type(trained.test_on_batch(x, y), float | list[float])
assert_type(trained.train_on_batch(x, y, return_dict=True)[0], jk.Sequential)
assert_type(trained.train_on_batch(x, y, return_dict=True)[1], dict[str, float])
