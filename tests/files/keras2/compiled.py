"""What models are trained with: losses, metrics, constraints, and every optimizer and schedule of Keras 2; see `models.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from models import KINDS, Kind, kind, numbers, regression, whole


@kind
def constraints() -> Kind:
    R, C, init = keras.regularizers, keras.constraints, keras.initializers
    x = inputs = L.Input((4,))
    makers = [
        {
            "kernel_regularizer": R.L1(0.01),
            "kernel_constraint": C.MaxNorm(0.7),
            "kernel_initializer": init.RandomNormal(0.1, 0.2, seed=1),
        },
        {
            "kernel_regularizer": R.L2(0.02),
            "bias_constraint": C.NonNeg(),
            "kernel_initializer": init.TruncatedNormal(stddev=0.1),
        },
        {
            "kernel_regularizer": "l1_l2",
            "kernel_constraint": C.UnitNorm(axis=0),
            "bias_initializer": init.Constant(0.3),
        },
        {
            "bias_regularizer": R.L1L2(0.01, 0.02),
            "kernel_constraint": C.MinMaxNorm(0.2, 0.9, 0.5),
            "kernel_initializer": init.VarianceScaling(2.0, "fan_avg", "uniform"),
        },
        {"activity_regularizer": R.l2(0.01), "kernel_initializer": init.Orthogonal(0.5), "bias_initializer": "ones"},
        {"kernel_initializer": init.Identity(0.9), "use_bias": False},
        {"kernel_regularizer": R.OrthogonalRegularizer(0.01), "kernel_initializer": init.HeNormal()},
        {"kernel_initializer": init.LecunUniform(), "bias_initializer": init.RandomUniform(-0.1, 0.1)},
        {"kernel_initializer": "glorot_normal", "bias_initializer": init.Zeros()},
    ]
    for arguments in makers:
        x = L.Dense(4, **arguments)(x)
    return regression(keras.Model(inputs, x), numbers(8, 4))


@kind
def metrics() -> Kind:
    M = keras.metrics
    model = keras.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    chosen = [
        "accuracy",
        "mae",
        M.CategoricalAccuracy(name="hits"),
        M.AUC(num_thresholds=20, multi_label=True),
        M.Precision(thresholds=0.4),
        M.Recall(class_id=1),
        M.TopKCategoricalAccuracy(2),
        M.MeanSquaredError(),
        M.RootMeanSquaredError(),
        M.CosineSimilarity(),
        M.KLDivergence(),
        M.CategoricalCrossentropy(label_smoothing=0.1),
        M.TruePositives(),
        M.FalseNegatives(),
        M.PrecisionAtRecall(0.5),
        M.SensitivityAtSpecificity(0.5),
        M.Hinge(),
        M.LogCoshError(),
        M.MeanAbsolutePercentageError(),
        M.OneHotMeanIoU(num_classes=3),
        M.BinaryAccuracy(threshold=0.4),
    ]
    y = np.eye(3, dtype="float32")[whole(3, 8)]
    return Kind(
        model,
        numbers(8, 4),
        y,
        {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": chosen, "weighted_metrics": ["mse"]},
    )


@kind
def losses() -> Kind:
    N = keras.losses
    chosen = {
        "a": N.MeanSquaredError(),
        "b": N.MeanAbsoluteError(reduction="sum_over_batch_size"),
        "c": N.Huber(0.5),
        "d": N.LogCosh(),
        "e": "mean_squared_logarithmic_error",
        "f": N.BinaryCrossentropy(label_smoothing=0.1),
        "g": N.BinaryFocalCrossentropy(gamma=1.5),
        "h": N.Poisson(),
        "i": N.KLDivergence(),
        "j": N.CosineSimilarity(axis=-1),
        "k": N.Hinge(reduction="sum"),
        "l": N.SquaredHinge(),
        "m": N.CategoricalHinge(),
        "n": N.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
        "o": N.MeanAbsolutePercentageError(name="percent"),
        "p": "kl_divergence",
    }
    inputs = L.Input((4,))
    outputs = [L.Dense(3, activation="linear" if name == "n" else "sigmoid", name=name)(inputs) for name in chosen]
    y = {name: np.eye(3, dtype="float32")[whole(3, 8)] * 0.85 + 0.05 for name in chosen}
    return Kind(keras.Model(inputs, outputs), numbers(8, 4), y, {"optimizer": "sgd", "loss": chosen})


@kind
def losses_of_classes() -> Kind:
    inputs = L.Input((4,))
    outputs = [L.Dense(3, name="a")(inputs), L.Dense(3, activation="softmax", name="b")(inputs)]
    chosen = {
        "a": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "b": keras.losses.CategoricalCrossentropy(),
    }
    y = {"a": whole(3, 8), "b": np.eye(3, dtype="float32")[whole(3, 8)]}
    return Kind(
        keras.Model(inputs, outputs),
        numbers(8, 4),
        y,
        {"optimizer": "sgd", "loss": chosen, "metrics": {"a": "sparse_categorical_accuracy"}},
    )


def own_loss(y_true: Any, y_pred: Any) -> Any:
    """A user's loss, which files name."""
    return tf.reduce_mean(tf.abs(y_true - y_pred) ** 3, axis=-1)


@kind
def own_functions() -> Kind:
    model = keras.Sequential([L.Input((4,)), L.Dense(2)])
    return Kind(model, numbers(8, 4), numbers(8, 2), {"optimizer": "sgd", "loss": own_loss, "metrics": [own_loss]})


def _trained(optimizer: Callable[[], Any]) -> Callable[[], Kind]:
    def make() -> Kind:
        model = keras.Sequential([L.Input((4,)), L.Dense(3, activation="tanh"), L.Dense(2)])
        return Kind(model, numbers(8, 4), numbers(8, 2), {"optimizer": optimizer(), "loss": "mse"})

    return make


optim, schedules = keras.optimizers, keras.optimizers.schedules
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optim.SGD(0.05),
    "sgd_momentum": lambda: optim.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd_average": lambda: optim.SGD(0.05, momentum=0.5, use_ema=True, ema_momentum=0.8),
    "adam": lambda: optim.Adam(0.01, clipnorm=0.5),
    "adam_amsgrad": lambda: optim.Adam(0.01, amsgrad=True, weight_decay=0.01),
    "rmsprop": lambda: optim.RMSprop(0.01),
    "rmsprop_centered": lambda: optim.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: optim.Adagrad(0.05, clipvalue=0.5),
    "adadelta": lambda: optim.Adadelta(0.5),
    "adamax": lambda: optim.Adamax(0.01),
    "nadam": lambda: optim.Nadam(0.01),
    "ftrl": lambda: optim.Ftrl(0.05, l1_regularization_strength=0.01),
    "adamw": lambda: optim.AdamW(0.01, global_clipnorm=1.0),
    "adafactor": lambda: optim.Adafactor(0.05),
    "lion": lambda: optim.Lion(0.01),
    "legacy_sgd": lambda: optim.legacy.SGD(0.05, momentum=0.9, decay=0.01),
    "legacy_adam": lambda: optim.legacy.Adam(0.01, epsilon=1e-5),
    "legacy_rmsprop": lambda: optim.legacy.RMSprop(0.01, momentum=0.2, centered=True),
    "legacy_adagrad": lambda: optim.legacy.Adagrad(0.05),
    "legacy_adamax": lambda: optim.legacy.Adamax(0.01),
    "legacy_nadam": lambda: optim.legacy.Nadam(0.01),
    "legacy_adadelta": lambda: optim.legacy.Adadelta(0.5),
    "legacy_ftrl": lambda: optim.legacy.Ftrl(0.05),
    "exponential": lambda: optim.SGD(schedules.ExponentialDecay(0.1, 2, 0.5, staircase=True)),
    "cosine": lambda: optim.Adam(schedules.CosineDecay(0.1, 10, alpha=0.1)),
    "cosine_restarts": lambda: optim.SGD(schedules.CosineDecayRestarts(0.1, 3)),
    "inverse_time": lambda: optim.SGD(schedules.InverseTimeDecay(0.1, 1, 0.5)),
    "piecewise": lambda: optim.SGD(schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.05, 0.01]), momentum=0.9),
    "polynomial": lambda: optim.SGD(schedules.PolynomialDecay(0.1, 5, power=2.0, cycle=True)),
}
for _name, _optimizer in OPTIMIZERS.items():
    KINDS[f"optimizer_{_name}"] = _trained(_optimizer)
