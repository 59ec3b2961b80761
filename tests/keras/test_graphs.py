"""Symbolic tensors, functional and sequential models, copies and configurations of the drop-in: the same answers as Keras's."""

import copy
import json
import pickle

import keras as oracle
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.fixture(autouse=True)
def _fresh_names():
    for library in (ours, oracle):
        library.utils.clear_session(free_memory=False)
        library.utils.set_random_seed(0)


def shape_and_type(tensor):
    return tuple(tensor.shape), tensor.dtype


# -- programs over either library, whose answers must be equal --------------------------------------------------------


def arithmetic(keras):
    a, b = keras.Input((4,)), keras.Input((4,), dtype="int32")
    results = [
        a + 1,
        1 - b,
        b / 2,
        a * b,
        a**2,
        a > 0,
        a != b,
        -a,
        abs(b),
        a[:, 1:],
        a @ keras.KerasTensor((4, 2)),
        round(a),
    ]
    return [shape_and_type(result) for result in results]


def unknown_sizes(keras):
    a, b, ops = keras.KerasTensor((None, 3)), keras.KerasTensor((2, None)), keras.ops
    results = [a + b, ops.mean(a, axis=0), ops.reshape(a, (-1,)), ops.concatenate([a, a]), ops.expand_dims(b, 0)]
    results += [ops.where(a > 0, a, 0.0), ops.matmul(a, keras.KerasTensor((None, 5))), ops.transpose(b), ops.relu(a)]
    return [shape_and_type(result) for result in results]


def control_flow(keras):
    x, ops = keras.KerasTensor((5, 3)), keras.ops
    carry, ys = ops.scan(lambda c, row: (c + row, c), keras.KerasTensor((3,)), x)
    results = [carry, ys, ops.map(lambda row: row * 2, x), ops.while_loop(lambda v: True, lambda v: v + 1, x)]
    results += [ops.cond(keras.KerasTensor((), "bool"), lambda: ops.ones((1, 3)), lambda: ops.zeros((1, 3)))]
    results += [ops.slice(x, (1, 1), (-1, 2)), *ops.unstack(x, axis=1)]
    return [shape_and_type(result) for result in results]


def names(keras):
    inputs = keras.Input((4,)), keras.Input((4,))
    total = keras.layers.Add()(list(inputs))
    model = keras.Model(inputs, keras.ops.relu(keras.layers.Dense(2)(total)) + 1)
    other = keras.layers.Dense(2)
    return (
        [layer.name for layer in model.layers],
        [op.name for op in model.operations],
        model.name,
        other.name,
        inputs[1].name,
    )


def structures(keras):
    inputs = {"b": keras.Input((4,), name="b"), "a": keras.Input((1,), name="a")}
    outputs = {"sum": inputs["b"] + inputs["a"], "both": [keras.layers.Concatenate()(list(inputs.values()))]}
    model = keras.Model(inputs, outputs)
    results = model({"b": X, "a": X[:, :1]})
    return list(results), np.array(results["sum"]).tolist(), model.output_names, [s.name for s in model.input_spec]


def inputs_by_name(keras):
    first, second = keras.Input((4,), name="first"), keras.Input((1,), name="second")
    model = keras.Model([first, second], first * 2 + second)
    given = {"second": X[:, 0], "first": X.astype("float64")}  # an axis is missing, a type is another
    return np.array(model(given)).tolist(), np.array(model.predict(given, verbose=0)).tolist()


def optional_inputs(keras):
    class Shift(keras.layers.Layer):
        def call(self, x, shift=None):
            return x if shift is None else x + shift

    x, shift = keras.Input((4,)), keras.Input((4,), optional=True)
    model = keras.Model([x, shift], Shift()(x, shift))
    return np.array(model([X, None])).tolist(), np.array(model([X, X])).tolist()


def middle_of_a_graph(keras):
    x = keras.Input((4,))
    hidden = keras.layers.Dense(3, kernel_initializer="ones")(x)
    whole = keras.Model(x, keras.ops.exp(hidden) + hidden)
    part = keras.Model(hidden, keras.ops.exp(hidden) + hidden)
    return (
        np.allclose(whole(X), part(keras.Model(x, hidden)(X))),
        len(part.weights),
        [op.name for op in part.operations],
    )


def shared_and_nested(keras):
    inner_input = keras.Input((4,))
    shared = keras.layers.Dense(4, name="shared")
    inner = keras.Model(inner_input, shared(shared(inner_input)), name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, [inner(inner(x)), shared(x)])
    config = json.loads(json.dumps(model.get_config()))
    again = keras.Model.from_config(config)
    again.set_weights(model.get_weights()[: len(again.weights)] * (len(again.weights) // len(model.weights)))
    return (
        [layer.name for layer in again.layers],
        [w.path for w in model.weights],
        np.allclose(model(X)[0], again(X)[0]),
    )


def masks(keras):
    x = keras.Input((3,), dtype="int32")
    embedded = keras.layers.Embedding(5, 2, mask_zero=True)(x)
    model = keras.Model(x, keras.layers.LSTM(2)(embedded))
    tokens = np.array([[1, 2, 0]])
    return np.allclose(
        model(tokens), keras.layers.LSTM.call(model.layers[-1], model.layers[1](tokens[:, :2])), atol=1e-6
    )


def deferred(keras):
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    before = model.built, len(model.weights), hasattr(model, "inputs"), hasattr(model, "output_shape")
    model.build((None, 4))
    return before, model.built, len(model.weights), model.input_shape, [layer.name for layer in model.layers]


def added_and_popped(keras):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.add(keras.layers.Dense(2))
    shapes = [model.output_shape]
    popped = model.pop()
    shapes.append(model.output_shape)
    return shapes, popped.name, len(model.weights), model(X).shape


def old_input_shape(keras):
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,)), keras.layers.Dense(2)])
    return model.built, model.input_shape, len(model.layers)


def dictionaries(keras):
    class Sum(keras.layers.Layer):
        def call(self, parts):
            return parts["a"] + parts["b"]

    model = keras.Sequential([Sum(), keras.layers.Dense(2, kernel_initializer="ones")])
    return np.array(model({"a": X, "b": X})).tolist()


def recursive_clone(keras):
    seen = []

    def clone(layer):
        seen.append(type(layer).__name__)
        return type(layer).from_config(layer.get_config())

    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1)])
    cloned = keras.models.clone_model(model, clone_function=clone, recursive=True)
    return seen, [layer.name for layer in cloned.layers], len(cloned.weights)


def clone_with_calls(keras):
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2)(x))

    def call(layer, *args, **kwargs):
        return layer(*args, **kwargs) * 2 if isinstance(layer, keras.layers.Dense) else layer(*args, **kwargs)

    cloned = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return np.allclose(cloned(X), 2 * np.array(model(X))), cloned.layers[1] is model.layers[1]


def subclasses_of_functional(keras):
    class Plain(keras.Model):
        pass

    class Sized(keras.Model):
        def __init__(self, units=2):
            x = keras.Input((4,))
            super().__init__(x, keras.layers.Dense(units)(x))
            self.units = units

        def get_config(self):
            return {"units": self.units}

    x = keras.Input((4,))
    plain = Plain.from_config(Plain(x, keras.layers.Dense(3)(x)).get_config())
    sized = Sized.from_config(Sized(5).get_config())
    return type(plain).__name__, plain.output_shape, type(sized).__name__, sized.output_shape, isinstance(plain, Plain)


def functions(keras):
    x = keras.KerasTensor((None, 3))
    function = keras.Function({"x": x}, [x * 2, keras.ops.sum(x)])
    doubled, total = function({"x": X[:, :3]})
    return np.array(doubled).tolist(), float(total), function.compute_output_shape({"x": (5, 3)})


def written(keras):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "relu", kernel_regularizer="l2")])
    x = keras.Input((4,))
    hidden = keras.layers.Conv1D(2, 3, padding="same")(keras.layers.Reshape((4, 1))(x))
    graph = keras.Model(x, keras.ops.relu(keras.ops.mean(hidden, axis=-1, keepdims=True))[:, 0] + 1)
    return [json.loads(json.dumps(keras.saving.serialize_keras_object(value))) for value in (model, graph)]


def values(keras):
    value = {"a": (1, np.arange(3)), "b": slice(None, 2), "c": ..., "d": b"x", "e": np.float32(0.5)}
    config = keras.saving.serialize_keras_object(value)
    return config, str(keras.saving.deserialize_keras_object(json.loads(json.dumps(config))))


def custom_objects(keras):
    def shift(x):
        return x + 1

    class Wide(keras.layers.Dense):
        pass

    x = keras.Input((4,))
    model = keras.Model(x, Wide(2, activation=shift)(x))
    config = json.loads(json.dumps(model.get_config()))
    again = keras.Model.from_config(config, custom_objects={"Wide": Wide, "shift": shift})
    with keras.saving.custom_object_scope({"Wide": Wide, "shift": shift}):
        third = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    return type(again.layers[1]).__name__, again.layers[1].activation is shift, type(third.layers[1]).__name__


def random_numbers(keras):
    generator = keras.random.SeedGenerator(3)
    drawn = [np.array(keras.random.normal((2,), seed=generator)).tolist() for _ in range(2)]
    drawn += [np.array(getattr(keras.random, name)((3,), seed=5)).tolist() for name in ("uniform", "truncated_normal")]
    return drawn, np.array(generator.state.value).tolist(), np.array(keras.random.randint((3,), 0, 9, seed=1)).tolist()


PROGRAMS = [
    arithmetic, unknown_sizes, control_flow, names, structures, inputs_by_name, optional_inputs, middle_of_a_graph,
    shared_and_nested, deferred, added_and_popped, old_input_shape, dictionaries, recursive_clone, clone_with_calls,
    subclasses_of_functional, functions, written, values, custom_objects, random_numbers,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_answers_are_those_of_keras(program):
    assert program(ours) == program(oracle)


# -- the drop-in alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_models_are_copied_and_pickled(duplicate):
    x = ours.Input((4,))
    graph = ours.Model(x, ours.ops.relu(ours.layers.Dense(2)(x)) + 1)
    for model in (graph, ours.Sequential([ours.Input((4,)), ours.layers.Dense(2)])):
        twin = duplicate(model)
        np.testing.assert_array_equal(twin(X), model(X))
        twin.layers[-1].kernel.assign(twin.layers[-1].kernel * 0)
        assert not np.array_equal(twin(X), model(X))


MISTAKES = [
    (lambda: ours.Model(ours.Input((2,)), 3), ValueError, "KerasTensors"),
    (lambda: ours.Model(ours.Input((2,)), ours.Input((2,)) * 2), ValueError, "not connected"),
    (lambda: ours.Sequential([3]), ValueError, "Only instances"),
    (lambda: ours.Sequential([ours.layers.Dense(2, name="a"), ours.layers.Dense(2, name="a")]), ValueError, "unique"),
    (lambda: ours.KerasTensor((2, 3)) + ours.KerasTensor((2, 4)), ValueError, "broadcast"),
    (lambda: bool(ours.KerasTensor((2,))), TypeError, "boolean"),
    (lambda: iter(ours.KerasTensor((2,))), NotImplementedError, "Iterating"),
    (lambda: setattr(ours.KerasTensor((2,)), "shape", (3,)), AttributeError, "immutable"),
    (lambda: np.asarray(ours.KerasTensor((2,))), ValueError, "no values"),
    (lambda: ours.ops.reshape(ours.KerasTensor((2, 3)), (4,)), ValueError, "cannot be reshaped"),
    (lambda: ours.saving.deserialize_keras_object({"class_name": "Denze", "config": {}}), TypeError, "Denze"),
    (
        lambda: ours.saving.deserialize_keras_object(
            {"module": "keras.utils", "class_name": "get_file", "config": {}, "registered_name": "get_file"}
        ),
        ValueError,
        "not a modeling function",
    ),
    (
        lambda: ours.saving.deserialize_keras_object(
            {"class_name": "__lambda__", "config": {"value": ["", None, None]}}
        ),
        ValueError,
        "arbitrary code execution",
    ),
]


@pytest.mark.parametrize(("mistake", "error", "message"), MISTAKES)
def test_mistakes_are_named(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


def test_lambdas_are_read_when_asked_for():
    with pytest.warns(UserWarning, match="lambda"):
        config = json.loads(json.dumps(ours.saving.serialize_keras_object(lambda x: x + 1)))
    assert ours.saving.deserialize_keras_object(config, safe_mode=False)(2) == 3


def test_unseeded_numbers_differ_and_are_refused_where_they_would_be_constant():
    first, second = (np.array(ours.random.normal((3,))) for _ in range(2))
    assert not np.array_equal(first, second)

    class Noise(ours.layers.Layer):
        def call(self, x):
            return x + ours.random.normal(x.shape)

    with pytest.raises(ValueError, match="SeedGenerator"):
        Noise()(ours.Input((4,)))


@pytest.mark.parametrize("name", "softmax log_softmax normalize mean std var argmax sum max sort flip glu".split())
def test_an_axis_that_is_not_there_is_named(name):
    arrays = np.ones((2, 3), "float32")
    for library, x in (
        (ours, ours.KerasTensor((2, 3))),
        (ours, arrays),
        (jk, jk.Input(batch_shape=(2, 3))),
        (jk, arrays),
    ):
        with pytest.raises(ValueError, match="axis 5 is out of bounds"):
            getattr(library.ops, name)(x, axis=5)
