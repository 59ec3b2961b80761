"""Namespaces that gather what is elsewhere: `saving`, `models`, `dtype_policies`, seeds, and the names in `jkeras.keras`."""

import random

import jax
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import ArgumentError, RestoreError, UnknownNameError
from tests.keras_names import aliases, canonical_names

# What `serialize_keras_object` writes and either side reads.
OBJECTS = [
    ("layers", "Dense", {"units": 3, "activation": "relu", "kernel_regularizer": "l2"}),
    ("layers", "Conv2D", {"filters": 2, "kernel_size": 3, "name": "one"}),
    ("losses", "CategoricalCrossentropy", {"from_logits": True}),
    ("metrics", "AUC", {"curve": "PR"}),
    ("optimizers", "SGD", {"learning_rate": 0.5, "momentum": 0.9}),
    ("initializers", "HeNormal", {"seed": 1}),
    ("regularizers", "L1", {"l1": 0.5}),
    ("constraints", "MaxNorm", {"max_value": 3}),
]


@pytest.mark.filterwarnings("ignore:__array__ implementation does:DeprecationWarning")
@pytest.mark.parametrize(("space", "name", "arguments"), OBJECTS)
def test_objects_are_read_by_either_side(space, name, arguments):
    ours = getattr(getattr(jk, space), name)(**arguments)
    theirs = getattr(getattr(keras, space), name)(**arguments)
    written = jk.saving.serialize_keras_object(ours)
    assert jk.saving.deserialize_keras_object(written) == (ours.replace(name="dense") if name == "Dense" else ours)
    reread = keras.saving.deserialize_keras_object(written)
    assert type(reread) is type(theirs)
    again = jk.saving.deserialize_keras_object(keras.saving.serialize_keras_object(theirs))
    assert type(again) is type(ours)
    assert {**again.get_config(), "name": 0, "dtype": 0} == {**ours.get_config(), "name": 0, "dtype": 0}


def test_structures_and_functions():
    written = keras.saving.serialize_keras_object(
        {"a": [1, (2, None)], "f": keras.losses.mean_squared_error, "x": np.ones(2)}
    )
    read = jk.saving.deserialize_keras_object(written)
    assert read["a"] == [1, (2, None)] or read["a"] == [1, [2, None]]
    assert read["f"] is jk.losses.mean_squared_error and read["x"].tolist() == [1, 1]
    assert jk.saving.deserialize_keras_object(jk.saving.serialize_keras_object([jk.losses.Huber(), 3])) == [
        jk.losses.Huber(),
        3,
    ]
    policy = keras.saving.serialize_keras_object(keras.DTypePolicy("mixed_bfloat16"))
    assert jk.saving.deserialize_keras_object(policy) == jk.DTypePolicy("mixed_bfloat16")


def test_objects_of_ones_own():
    @jk.saving.register_keras_serializable("names")
    class Half(jk.layers.Layer):
        def call(self, x):
            return x / 2

    @jk.saving.register_keras_serializable("names")
    def cube(x):
        return x**3

    assert jk.saving.get_registered_name(Half) == "names>Half" and jk.saving.get_registered_name(len) == "len"
    assert jk.saving.get_registered_object("names>cube") is cube is jk.saving.get_custom_objects()["names>cube"]
    assert jk.saving.get_registered_object("square", {"square": abs}) is abs
    assert isinstance(jk.saving.deserialize_keras_object(jk.saving.serialize_keras_object(Half())), Half)
    assert jk.saving.deserialize_keras_object(jk.saving.serialize_keras_object(cube)) is cube
    with pytest.raises(RestoreError, match="no function 'unheard'"):
        jk.saving.deserialize_keras_object({"class_name": "function", "config": "unheard"})
    with pytest.raises(UnknownNameError, match="Unheard"):
        jk.saving.deserialize_keras_object({"class_name": "Unheard", "config": {}, "module": "os"})


def test_models_and_weights_by_function(tmp_path):
    model = jk.models.Sequential([jk.Input((2,)), jk.layers.Dense(3)])
    jk.saving.save_model(model, tmp_path / "m.keras")
    assert np.array_equal(jk.models.load_model(tmp_path / "m.keras").get_weights()[0], model.get_weights()[0])
    jk.saving.save_weights(model, tmp_path / "m.weights.h5")
    other = jk.saving.load_weights(jk.models.clone_model(model), tmp_path / "m.weights.h5")
    assert np.array_equal(other.get_weights()[0], model.get_weights()[0])


# -- policies and settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16"])
def test_policies_are_those_of_keras(name):
    ours, theirs = jk.dtype_policies.get(name), keras.dtype_policies.get(name)
    assert (ours.name, ours.compute_dtype, ours.variable_dtype) == (
        theirs.name,
        theirs.compute_dtype,
        theirs.variable_dtype,
    )
    assert jk.dtype_policies.serialize(ours)["config"] == keras.dtype_policies.serialize(theirs)["config"]
    assert jk.dtype_policies.deserialize(keras.dtype_policies.serialize(theirs)) == ours
    before = keras.config.dtype_policy()
    try:
        jk.config.set_dtype_policy(ours)
        keras.config.set_dtype_policy(theirs)
        assert jk.config.dtype_policy().name == keras.config.dtype_policy().name == name
        assert jk.layers.Dense(1).compute_dtype == keras.layers.Dense(1).compute_dtype
    finally:
        jk.config.set_dtype_policy(None)
        keras.config.set_dtype_policy(before)
    with pytest.raises(ArgumentError, match="Did you mean 'mixed_float16'"):
        jk.config.set_dtype_policy("mixed_flaot16")


def test_traceback_filtering():
    assert jk.config.is_traceback_filtering_enabled()
    jk.config.disable_traceback_filtering()
    try:
        assert not jk.config.is_traceback_filtering_enabled()
    finally:
        jk.config.enable_traceback_filtering()
    assert jk.config.is_traceback_filtering_enabled() and jk.config.backend() == "jax"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "uint32", "bool"])
def test_kinds_of_types(dtype):
    for name in ("is_float_dtype", "is_int_dtype", "standardize_dtype"):
        assert getattr(jk.backend, name)(dtype) == getattr(keras.backend, name)(dtype)


# -- seeds ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def seeds():
    python, numpy, ours = random.getstate(), np.random.get_state(), jk.config.default_seed
    yield
    random.setstate(python)
    np.random.set_state(numpy)
    jk.config.default_seed = ours


@pytest.mark.parametrize("space", [jk.utils, jk.keras.utils])
def test_one_seed_for_everything(space, seeds):
    def drawn(seed):
        space.set_random_seed(seed)
        kernel = jk.Sequential([jk.Input((2,)), jk.layers.Dense(3)]).init().get_weights()[0]
        return random.random(), np.random.random(), kernel.tolist()

    one, two, other = drawn(3), drawn(3), drawn(4)
    assert one == two and not any(a == b for a, b in zip(one, other, strict=True))
    keras.utils.set_random_seed(3)
    assert (random.random(), np.random.random()) == one[:2]
    for bad in (-1, 2**32, 1.5, True):
        with pytest.raises(ArgumentError, match="set_random_seed"):
            space.set_random_seed(bad)


# -- the drop-in namespace --------------------------------------------------------------------------------------------------


def test_everything_of_jkeras_is_in_the_drop_in_namespace():
    spaces = """activations backend callbacks config constraints data datasets dtype_policies initializers layers losses
    metrics models ops optimizers random regularizers saving tree utils wrappers optimizers.schedules""".split()
    for space in spaces:
        ours, mirror = jk, jk.keras
        for part in space.split("."):
            ours, mirror = getattr(ours, part), getattr(mirror, part)
        known = {
            name.rpartition(".")[2] for name in (*canonical_names(), *aliases()) if name.startswith(f"keras.{space}.")
        }
        names = [name for name in dir(ours) if name in known]
        assert [name for name in names if not hasattr(mirror, name)] == [], space


def test_objects_in_the_drop_in_namespace():
    k = jk.keras

    class Half(k.layers.Layer):
        def call(self, x):
            return x / 2

    k.utils.get_custom_objects().update({"Half": Half})
    written = k.layers.serialize(Half())
    assert isinstance(k.layers.deserialize({**written, "registered_name": None}), Half)
    del k.utils.get_custom_objects()["Half"]
    assert isinstance(k.saving.deserialize_keras_object(written, {"Half": Half}), Half)
    assert isinstance(k.layers.deserialize(k.layers.serialize(k.layers.Dense(2))), k.layers.Dense)
    assert k.mixed_precision.Policy("mixed_float16").compute_dtype == "float16"
    assert k.version() == k.__version__ and k.Regularizer is k.regularizers.Regularizer


def test_a_clone_with_other_layers():
    shapes = []
    for k in (keras, jk.keras):

        def change(layer, k=k):
            if isinstance(layer, k.layers.Dense):
                return k.layers.Dense(layer.units * 2)
            return type(layer).from_config(layer.get_config())

        model = k.Sequential([k.layers.Input((2,)), k.layers.Dense(3), k.layers.ReLU(), k.layers.Dense(1)])
        clone = k.models.clone_model(model, clone_function=change)
        shapes.append([w.shape for w in clone.get_weights()])
        assert next(w.shape for w in model.get_weights()) == (2, 3)
    assert shapes[0] == shapes[1] == [(2, 6), (6,), (6, 2), (2,)]


def test_where_tensors_come_from():
    for k in (keras, jk):
        a, b = k.layers.Input((2,)), k.layers.Input((2,))
        joined = k.layers.Concatenate()([k.layers.Dense(2)(b), a, k.layers.Dense(1)(b)])
        found = k.utils.get_source_inputs(joined)
        assert [id(t) for t in found] == [id(b), id(a)]
    assert jax.tree.leaves(found) == found
