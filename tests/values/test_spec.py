"""Every description: equal when it says the same, the same after a round trip through JSON, frozen, copied in one way."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers, regularizers
from jkeras.errors import FrozenError, RestoreError, SignatureError
from jkeras.values.config import deserialize, serialize
from jkeras.values.fields import field
from jkeras.values.keys import key_of
from jkeras.values.spec import Spec

SPACES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
)
# Bases that nobody makes, and what holds the user's own objects, which have no configuration.
LEFT_OUT = {"Layer", "Loss", "Metric", "MeanMetric", "BaseOptimizer", "Optimizer", "Initializer", "RandomInitializer",
            "Regularizer", "Constraint", "InputSpec", "FlaxLayer", "JaxLayer", "Lambda", "OptaxOptimizer", "OptimizerMap",
            "MultiOptimizer", "FunctionInitializer", "FunctionRegularizer", "FunctionConstraint", "FunctionLoss",
            "FunctionMetric", "MeanMetricWrapper", "Wrapper", "LearningRateSchedule"}  # fmt: skip
REQUIRED = {
    "activation": "relu", "output_size": 2, "rate": 0.5, "pool_size": 2, "height": 4, "width": 4, "filters": 2,
    "kernel_size": 3, "units": 3, "axes": 1, "equation": "ab,bc->ac", "output_shape": 3, "input_dim": 5, "output_dim": 2,
    "stddev": 0.1, "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "num_bins": 3, "num_heads": 2,
    "key_dim": 2, "dims": (2, 1), "factor": 0.2, "height_factor": 0.2, "width_factor": 0.2, "times": 2, "n": 2, "scale": 0.5,
    "target_shape": (2, 2), "num_classes": 3, "target_class_ids": [0, 1], "recall": 0.5, "precision": 0.5,
    "specificity": 0.5, "sensitivity": 0.5, "initial_learning_rate": 0.1, "decay_steps": 10, "first_decay_steps": 10,
    "decay_rate": 0.9, "boundaries": [10, 20], "values": [0.1, 0.01, 0.001], "learning_rate": 0.1,
}  # fmt: skip
MADE = {
    "Bidirectional": lambda cls: cls(layers.LSTM(2)),
    "TimeDistributed": lambda cls: cls(layers.Dense(2)),
    "SpectralNormalization": lambda cls: cls(layers.Dense(2)),
    "Repeat": lambda cls: cls(layers.Dense(2), 2),
    "RNN": lambda cls: cls(layers.LSTMCell(2)),
    "StackedRNNCells": lambda cls: cls([layers.LSTMCell(2), layers.GRUCell(3)]),
    "LossScaleOptimizer": lambda cls: cls(jk.optimizers.Adam(0.1)),
    "InputLayer": lambda cls: cls((3,)),
    "Discretization": lambda cls: cls([0.0, 1.0]),
    "Normalization": lambda cls: cls(mean=np.zeros(2), variance=np.ones(2)),
    "Constant": lambda cls: cls(2.0),
    "CategoryEncoding": lambda cls: cls(3),
    "MaxNumBoundingBoxes": lambda cls: cls(4),
    "Pipeline": lambda cls: cls([layers.Rescaling(2.0)]),
    "RandomPosterization": lambda cls: cls(4),
}


def classes():
    for space in SPACES:
        module = jk
        for part in space.split("."):
            module = getattr(module, part)
        for name in dir(module):
            cls = getattr(module, name)
            own = inspect.isclass(cls) and cls.__name__ == name and name not in LEFT_OUT
            if own and issubclass(cls, Spec) and not issubclass(cls, jk.Model):
                yield pytest.param(cls, id=f"{space}.{name}")


def make(cls):
    if cls.__name__ in MADE:
        return MADE[cls.__name__](cls)
    parameters = cls.__signature__.parameters.values()
    return cls(**{p.name: REQUIRED[p.name] for p in parameters if p.default is p.empty and p.name in REQUIRED})


@pytest.mark.parametrize("cls", list(classes()))
def test_every_description_is_a_value(cls):
    value, again = make(cls), make(cls)
    assert value == again and hash(value) == hash(again) and key_of(value) == key_of(again)
    assert value.replace() == value and value._evolve() == value and hash(value._evolve()) == hash(value)
    assert repr(value) == repr(again) and repr(value).startswith(cls.__name__)
    for same in (copy.deepcopy(value), copy.copy(value), pickle.loads(pickle.dumps(value))):
        assert same == value and hash(same) == hash(value)
        with pytest.raises(FrozenError):
            same.name = "other"
    with pytest.raises(FrozenError, match="cannot be assigned"):
        value.anything = 1


@pytest.mark.parametrize("cls", list(classes()))
def test_every_configuration_comes_back(cls):
    value = make(cls)
    written = json.loads(json.dumps(jk.saving.serialize_keras_object(value)))
    read = jk.saving.deserialize_keras_object(written)
    assert type(read) is cls
    assert jk.saving.serialize_keras_object(read) == jk.saving.serialize_keras_object(value)
    same = cls.from_config(value.get_config())
    if isinstance(value, layers.Layer):  # which writes the policy in force, whether it was given or not
        assert same.get_config() == value.get_config()
        value = same
        same = cls.from_config(value.get_config())
    assert same == value and hash(same) == hash(value)


def test_a_configuration_is_a_copy():
    value = layers.Conv2D(2, 3)
    value.get_config()["kernel_size"][0] = 7
    value.get_config()["kernel_initializer"]["config"]["seed"] = 7
    assert value.get_config() == layers.Conv2D(2, 3).get_config()


class Pair(Spec):
    """Two fields, one of which a converter makes."""

    first: int = field(convert=int)
    second: tuple[int, ...] = field(default=(), convert=tuple)


class Triple(Pair):
    """One more, in front of nothing."""

    third: str = field(default="c", kw_only=True)


class Hand(Spec):
    """A constructor of its own."""

    def __init__(self, size, *more, scale=1, **options):
        self.total = size + sum(more) * scale
        self.options = options


class HandAgain(Hand):
    """Calls its base's constructor and goes on assigning: frozen only when the outermost has returned."""

    def __init__(self, size, **kwargs):
        super().__init__(size, **kwargs)
        self.late = [size]


def test_fields_are_arguments():
    value = Triple("1", [2, 3], third="d")
    assert (value.first, value.second, value.third) == (1, (2, 3), "d")
    assert str(inspect.signature(Triple)) == "(first, second=(), *, third='c')"
    assert value.replace(first=2) == Triple(2, (2, 3), third="d") != value
    for wrong in (
        lambda: Triple(), lambda: Triple(1, 2, 3), lambda: Triple(1, first=2), lambda: Triple(1, fourth=2),
        lambda: value.replace(fourth=2),
    ):  # fmt: skip
        with pytest.raises(SignatureError):
            wrong()


def test_constructors_are_captured():
    hand = Hand(1, scale=2, extra={"a": [1]})
    assert hand.get_config() == {"size": 1, "scale": 2, "extra": {"a": [1]}}
    assert hand.replace(size=3).total == 3 and Hand.from_config(hand.get_config()) == hand
    again = HandAgain(2, extra=1)
    assert again.late == (2,) and again.get_config() == {"size": 2, "extra": 1} and again.replace(size=5).late == (5,)
    with pytest.raises(FrozenError):
        again.late = ()


def test_equality_follows_what_is_said():
    assert Pair(1) != Triple(1) and Pair(1) != (1, ())
    assert key_of(1) != key_of(1.0) != key_of(True) and key_of(float("nan")) == key_of(float("nan"))
    assert key_of({"a": np.ones(2)}) == key_of({"a": np.ones(2)}) != key_of({"a": np.ones(2, "float32")})

    def scaled(factor):
        return lambda x: x * factor

    assert key_of(scaled(2)) == key_of(scaled(2)) != key_of(scaled(3))
    shared = layers.Dense(2)

    class Twice(layers.Layer):
        def __init__(self, one, other):
            super().__init__()
            self.one, self.other = one, other

    assert Twice(shared, shared) != Twice(layers.Dense(2), layers.Dense(2)) == Twice(layers.Dense(2), layers.Dense(2))


def test_copies_drop_what_was_remembered():
    value = Pair(1, (2,))
    key = value._key()
    other = value._evolve(second=[3])
    assert other.second == (3,) and hash(other) == hash(Pair(1, (3,))) and value._key() is key
    assert value._evolve()._key() == key and other != value


def test_copies_and_pickles_are_values_of_their_own():
    array = jk.initializers.Constant(np.ones(3))
    lock = object()  # compared by identity
    for value in (array, Pair(1, (2,)), Hand(1, extra=lock), Hand(1, extra=[lock, {"a": np.ones(2)}])):
        hash(value)
        same = copy.deepcopy(value)
        assert hash(same) == hash(same.replace()) and same == same.replace()
        with pytest.raises(FrozenError):
            same.other = 1
    same = pickle.loads(pickle.dumps(array))
    assert "_spec_key" not in vars(same) and same == array
    for one in (same, copy.deepcopy(array)):
        with pytest.raises(ValueError, match="read-only|WRITEABLE"):
            one.value.setflags(write=True)


def test_the_one_reader_reads_containers_and_arrays():
    written = {
        "list": [1, {"class_name": "__tuple__", "config": [1, 2]}],
        "array": {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "int32"}},
        "slice": {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": 2}},
        "rest": {"class_name": "__ellipsis__", "config": {}},
        "object": {"class_name": "Other", "config": {}},
    }
    read = deserialize(written, lambda entry, depth: (entry["class_name"], depth))
    assert read["list"] == [1, (1, 2)] and read["slice"] == slice(1, None, 2) and read["rest"] is Ellipsis
    assert read["object"] == ("Other", 1) and read["array"].dtype == "int32" and read["array"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "written",
    [
        {"class_name": "__numpy__"},
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "nothing"}},
        {"class_name": "__numpy__", "config": {"value": [[1], [1, 2]], "dtype": "int32"}},
        {"class_name": "__slice__", "config": {"start": 1}},
        {"class_name": "__slice__", "config": 3},
    ],
)
def test_damaged_configurations_are_errors_of_ours(written):
    with pytest.raises(RestoreError):
        deserialize(written, lambda entry, depth: entry)
    nested = written
    for _ in range(100):
        nested = [nested]
    with pytest.raises(RestoreError, match="deeply"):
        deserialize(nested, lambda entry, depth: entry)


def test_names_that_were_registered_are_written():
    @jk.saving.register_keras_serializable("values")
    class Penalty(regularizers.Regularizer):
        """Of one's own."""

        size: float = field(default=0.5)

        def __call__(self, x):
            return self.size * x

    @jk.saving.register_keras_serializable("values")
    def halved(y_true, y_pred):
        return (y_true - y_pred) / 2

    written = serialize(layers.Dense(2, kernel_regularizer=Penalty(0.25)))
    assert written["config"]["kernel_regularizer"]["registered_name"] == "values>Penalty"
    assert jk.saving.deserialize_keras_object(written).kernel_regularizer == Penalty(0.25)
    assert serialize(halved)["config"] == "values>halved"
    assert jk.saving.deserialize_keras_object(serialize(halved)) is halved
    assert jk.losses.deserialize(jk.losses.serialize(halved)) is halved
