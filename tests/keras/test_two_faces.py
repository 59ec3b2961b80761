"""Objects of one face given to the other: refused, with a message that says whose they are."""

from __future__ import annotations

import pytest

import jkeras as jk
from jkeras import keras
from jkeras.errors import ArgumentError


def recipe(**arguments):
    """A model that was compiled with such arguments."""
    return jk.Sequential([jk.layers.Dense(1)]).compile(**arguments)


MIXED = {
    "a layer on a tensor": lambda: keras.layers.Dense(3)(jk.Input((4,))),
    "a layer in a Sequential": lambda: jk.Sequential([jk.Input((4,)), keras.layers.Dense(3)]),
    "a layer in a Sequential without an input": lambda: jk.Sequential([keras.layers.Dense(3)]),
    "a model in a Sequential": lambda: jk.Sequential([jk.Input((4,)), keras.Sequential([keras.layers.Dense(3)])]),
    "a layer in a wrapper": lambda: jk.layers.TimeDistributed(keras.layers.Dense(3)),
    "a layer as an activation": lambda: jk.layers.Dense(3, activation=keras.layers.ReLU()),
    "an initializer": lambda: jk.Sequential(
        [jk.Input((4,)), jk.layers.Dense(3, kernel_initializer=keras.initializers.Zeros())]
    ),
    "a loss": lambda: recipe(loss={"out": keras.losses.MeanSquaredError()}),
    "the class of a loss": lambda: recipe(loss=keras.losses.Huber),
    "a metric": lambda: recipe(metrics=[[keras.metrics.AUC()]]),
    "a weighted metric": lambda: recipe(weighted_metrics=[keras.metrics.MeanSquaredError()]),
    "an optimizer": lambda: recipe(optimizer=keras.optimizers.Adam()),
    "an optimizer in an optimizer": lambda: recipe(optimizer=jk.optimizers.LossScaleOptimizer(keras.optimizers.SGD())),
    "a schedule": lambda: recipe(optimizer=jk.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))),
    "a tensor under a layer": lambda: jk.layers.Dense(3)(keras.Input((4,))),
    "a tensor in a Sequential": lambda: jk.Sequential([keras.Input((4,)), jk.layers.Dense(3)]),
    "a tensor in a model": lambda: jk.Model(keras.Input((4,)), keras.Input((4,))),
}


@pytest.mark.parametrize("mixed", MIXED)
def test_an_object_of_the_drop_in_is_refused_by_the_immutable_face(mixed):
    with pytest.raises(ArgumentError, match=r"(layer|object|tensor) of `jkeras\.keras`"):
        MIXED[mixed]()


def test_values_become_objects_in_the_drop_in():
    layer = keras.layers.Dense(3, kernel_initializer=jk.initializers.Zeros())
    layer.build((None, 2))
    assert layer.get_weights()[0].tolist() == [[0.0] * 3] * 2
