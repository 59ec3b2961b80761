"""`.keras` and `.h5` files with real Keras as the other side: definitions, weights, training configuration, optimizer state."""

import dataclasses
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import layers
from jkeras.errors import ArgumentError, RestoreError, UnknownNameError
from jkeras.files import optimizer_order

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # of real Keras: about .h5, and about models without a training configuration

SUFFIXES = (".keras", ".h5")


# -- definitions ---------------------------------------------------------------------------------------------------


def sequential(side):
    return side.Sequential(
        [
            side.Input((6,)),
            side.layers.Dense(5, "relu"),
            side.layers.BatchNormalization(),
            side.layers.Dense(3, "softmax"),
        ]
    )


def nested(side):
    """A model inside a model, twice; a Sequential inside; a shared layer; two inputs."""
    inner_input = side.Input((6,))
    middle = side.layers.Dense(4, name="shared")
    inner = side.Model(inner_input, middle(side.layers.Dense(6, "tanh")(inner_input)), name="encoder")
    tail = side.Sequential([side.Input((4,)), side.layers.Dense(2), side.layers.PReLU()], name="tail")
    a, b = side.Input((6,), name="a"), side.Input((6,), name="b")
    both = side.layers.Concatenate()([inner(a), inner(b)])
    shared = side.layers.Dense(4)
    first, second = shared(both), shared(side.layers.Rescaling(2.0)(both))
    return side.Model([a, b], tail(side.layers.Subtract()([first, second])))


def dicts(side):
    """Inputs and outputs by name."""
    one, two = side.Input((6,), name="one"), side.Input((6,), name="two")
    total = side.layers.Add()([one, two])
    return side.Model(
        {"one": one, "two": two},
        {"left": side.layers.Dense(2, name="left")(total), "right": side.layers.Dense(3)(total)},
    )


def functions(side):
    """Operators and functions between the layers."""
    ops = side.ops
    x = side.Input((6, 4))
    y = (x * 0.5 + 1.0) - x[:, ::-1]
    y = ops.concatenate([y, -x], axis=-1) / 3.0
    z = ops.mean(ops.abs(y), axis=1, keepdims=True)
    z = ops.reshape(z, (-1, 8)) @ ops.ones((8, 2)) + ops.einsum("bij,bij->b", x, x)[:, None]
    return side.Model(x, ops.sqrt(ops.maximum(ops.relu(z), 0.1)) ** 2)


def twice(side):
    """A model applied to its own output."""
    inner_input = side.Input((6,))
    inner = side.Model(inner_input, side.layers.Dense(6)(inner_input), name="inner")
    x = side.Input((6,))
    return side.Model(x, inner(inner(x)))


def states(side):
    """An encoder's states in a decoder; attention with a mask that is an input."""
    x, z, mask = side.Input((5, 3)), side.Input((4, 3)), side.Input((4, 5), dtype="bool")
    encoded, *state = side.layers.LSTM(4, return_state=True, return_sequences=True)(x)
    decoded = side.layers.LSTM(4, return_sequences=True)(z, initial_state=state)
    attended, scores = side.layers.MultiHeadAttention(2, 2)(
        decoded, encoded, attention_mask=mask, return_attention_scores=True
    )
    return side.Model([x, z, mask], [attended, scores])


def masked(side):
    """A Bidirectional with a mask."""
    x = side.Input((6,), dtype="int32")
    y = side.layers.Embedding(9, 4, mask_zero=True)(x)
    y = side.layers.Bidirectional(side.layers.LSTM(3))(y)
    return side.Model(x, side.layers.Dense(1)(y))


def mixed(side):
    """Layers with types of their own."""
    x = side.Input((6,))
    y = side.layers.Dense(4, dtype="mixed_bfloat16")(x)
    return side.Model(x, side.layers.Dense(2, dtype="float32")(y))


@dataclasses.dataclass(frozen=True)
class Definition:
    build: Callable[[Any], Any]
    inputs: Any
    ids: int = 0

    def arrays(self, rng):
        def one(shape):
            if shape == (2, 4, 5):
                return np.tri(4, 5, dtype=bool)[None].repeat(2, 0)
            return (
                rng.integers(0, self.ids, shape).astype("int32")
                if self.ids
                else rng.normal(size=shape).astype("float32")
            )

        if isinstance(self.inputs, dict):
            return {k: one(shape) for k, shape in self.inputs.items()}
        return [one(shape) for shape in self.inputs] if isinstance(self.inputs, list) else one(self.inputs)


DEFINITIONS = {
    "sequential": Definition(sequential, (3, 6)),
    "nested": Definition(nested, [(3, 6), (3, 6)]),
    "twice": Definition(twice, (3, 6)),
    "states": Definition(states, [(2, 5, 3), (2, 4, 3), (2, 4, 5)]),
    "dicts": Definition(dicts, {"one": (3, 6), "two": (3, 6)}),
    "functions": Definition(functions, (3, 6, 4)),
    "masks": Definition(masked, (3, 6), ids=3),
    "mixed": Definition(mixed, (3, 6)),
}


def same_outputs(one, other, x, tolerance=1e-5):
    found, wanted = one(x), other(x)
    if isinstance(wanted, dict):
        assert sorted(found) == sorted(wanted)
        found, wanted = [found[k] for k in sorted(found)], [wanted[k] for k in sorted(wanted)]
    for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_models_go_both_ways(name, suffix, tmp_path, rng):
    one = DEFINITIONS[name]
    x, path = one.arrays(rng), str(tmp_path / f"model{suffix}")
    theirs = one.build(keras)
    theirs.save(path)
    loaded = jk.load_model(path)
    same_outputs(loaded, theirs, x)
    ours = one.build(jk).init(3)
    ours.save(path)
    if (name, suffix) != ("functions", ".h5"):  # Keras does not find functions in its own files either
        same_outputs(keras.models.load_model(path), ours, x)
    again = jk.load_model(path)
    assert again.to_json() == ours.to_json()
    for a, b in zip(again.weights, ours.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", (".keras", ".h5", ".weights.h5"))
def test_what_normalization_learned(suffix, tmp_path, rng):
    """Keras keeps it with the weights, we with the arguments."""
    path, x = str(tmp_path / f"model{suffix}"), rng.normal(2.0, 3.0, (20, 4)).astype("float32")
    theirs = keras.layers.Normalization()
    theirs.adapt(x)
    theirs = keras.Sequential([keras.Input((4,)), theirs, keras.layers.Dense(2)])
    ours = jk.Sequential([jk.Input((4,)), layers.Normalization().adapt(x), layers.Dense(2)]).init(1)
    if suffix != ".weights.h5":
        theirs.save(path)
        same_outputs(jk.load_model(path), theirs, x)
        ours.save(path)
        same_outputs(keras.models.load_model(path), ours, x)
        return
    theirs.save_weights(path)
    same_outputs(ours.load_weights(path), theirs, x)
    other = jk.Sequential([jk.Input((4,)), layers.Normalization().adapt(x + 1), layers.Dense(2)])
    with pytest.raises(RestoreError, match="normalization/mean: .* in the file, .* in the model"):
        other = other.load_weights(path)
    ours.save_weights(path)
    theirs.load_weights(path)
    same_outputs(theirs, ours, x)


@pytest.mark.parametrize("suffix", (".keras", ".h5", ".weights.h5"))
def test_states_of_recurrent_layers_are_in_no_file(suffix, tmp_path, rng):
    path, x = str(tmp_path / f"model{suffix}"), rng.normal(size=(2, 4, 3)).astype("float32")
    theirs, ours = (
        side.Sequential([side.Input(batch_shape=(2, 4, 3)), side.layers.LSTM(2, stateful=True)]) for side in (keras, jk)
    )
    if suffix == ".weights.h5":
        theirs.save_weights(path)
        ours = ours.load_weights(path)
        ours.save_weights(path)
        theirs.load_weights(path)
    else:
        theirs.save(path)
        ours = jk.load_model(path)
        ours.save(path)
        theirs = keras.models.load_model(path)
    same_outputs(ours, theirs, x)


def shared_across(side):
    """A layer that is in a model and beside it; Keras cannot load such a model from its own files."""
    dense, inner_input, x = side.layers.Dense(6, name="shared"), side.Input((6,)), side.Input((6,))
    inner = side.Model(inner_input, dense(inner_input), name="inner")
    return side.Model(x, dense(inner(x)))


@pytest.mark.parametrize("suffix", ("", ".keras", ".h5"))
def test_layers_that_are_in_several_models(suffix, tmp_path, rng):
    x, path = rng.normal(size=(2, 6)).astype("float32"), str(tmp_path / f"model{suffix}")
    model = shared_across(jk).init(1)
    model.save(path)
    loaded = jk.load_model(path)
    assert len(loaded.weights) == 2 and loaded.definition == model.definition
    same_outputs(loaded, model, x)
    assert jk.models.model_from_json(model.to_json()).definition == model.definition


@pytest.mark.parametrize("suffix", ("", ".keras", ".h5"))
def test_training_that_was_asked_for_stays(suffix, tmp_path):
    x = jk.Input((4,))
    normal = layers.BatchNormalization()(layers.Dense(4)(x), training=False)
    model = jk.Model(x, layers.Dropout(0.5)(normal, training=True))
    model.save(tmp_path / f"model{suffix}")
    assert jk.load_model(tmp_path / f"model{suffix}").definition == model.definition


# -- the user's own classes ----------------------------------------------------------------------------------------


@jk.saving.register_keras_serializable(package="files")
class Scale(layers.Layer):
    """A weight, an argument, a layer inside."""

    def __init__(self, factor=2.0, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = inner or layers.Dense(3)

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")

    def call(self, x):
        return self.inner(x * self.gain * self.factor)


@keras.saving.register_keras_serializable(package="files", name="Scale")
class KerasScale(keras.layers.Layer):
    """The same."""

    def __init__(self, factor=2.0, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = (
            keras.saving.deserialize_keras_object(inner) if isinstance(inner, dict) else inner or keras.layers.Dense(3)
        )

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x * self.gain * self.factor)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "factor": self.factor, "inner": inner}


KerasScale.__name__ = "Scale"  # Keras's files name places after classes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_own_classes(suffix, tmp_path, rng):
    x, path = rng.normal(size=(2, 4)).astype("float32"), str(tmp_path / f"model{suffix}")
    ours = jk.Sequential([jk.Input((4,)), Scale(0.5, layers.Dense(2, "tanh")), layers.Dense(1)]).init(1)
    theirs = keras.Sequential(
        [keras.Input((4,)), KerasScale(0.5, keras.layers.Dense(2, "tanh")), keras.layers.Dense(1)]
    )
    ours.save(path)
    same_outputs(jk.load_model(path), ours, x)
    same_outputs(keras.models.load_model(path), ours, x)
    theirs.save(path)
    loaded = jk.load_model(path)
    assert loaded.layers[-2].factor == 0.5
    same_outputs(loaded, theirs, x)


class Unregistered(layers.Layer):
    def call(self, x):
        return x * 3.0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_classes_that_are_not_registered(suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    model = jk.Sequential([jk.Input((4,)), Unregistered()])
    model.save(path)
    with pytest.raises(UnknownNameError, match="Unregistered"):
        jk.load_model(path)
    loaded = jk.load_model(path, custom_objects={"Unregistered": Unregistered})
    same_outputs(loaded, model, np.ones((1, 4), "float32"))
    with jk.saving.custom_object_scope({"Unregistered": Unregistered}):
        assert jk.load_model(path).definition == model.definition


@jk.saving.register_keras_serializable(package="files")
class Block(jk.Model):
    """A model that is a subclass, with layers of every kind of attribute."""

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = layers.Dense(width)
        self.rest = [layers.Dense(width), layers.LayerNormalization()]
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.out(x)


@keras.saving.register_keras_serializable(package="files", name="Block")
class KerasBlock(keras.Model):
    """The same."""

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = keras.layers.Dense(width)
        self.rest = [keras.layers.Dense(width), keras.layers.LayerNormalization()]
        self.out = keras.layers.Dense(1)

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.out(x)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


def test_subclassed_models(tmp_path, rng):
    x, path = rng.normal(size=(2, 4)).astype("float32"), str(tmp_path / "model.keras")
    ours = Block(5).build((None, 4)).init(2)
    ours.save(path)
    same_outputs(jk.load_model(path), ours, x)
    same_outputs(keras.models.load_model(path), ours, x)
    theirs = KerasBlock(5)
    theirs(x)
    theirs.save(path)
    same_outputs(jk.load_model(path), theirs, x)


# -- training ------------------------------------------------------------------------------------------------------


def trained(side, optimizer):
    model = side.Sequential(
        [side.Input((4,)), side.layers.Dense(5, "relu"), side.layers.BatchNormalization(), side.layers.Dense(1)]
    )
    return model.compile(optimizer, "mse", metrics=["mae"]) or model


def data(rng):
    return rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")


def test_training_goes_on_alike(tmp_path, rng):
    """Two steps on one side, a file, two steps on both: the same weights and the same optimizer."""
    x, y = data(rng)
    options = {"epochs": 2, "batch_size": 8, "verbose": 0, "shuffle": False}

    def adam(side):
        schedule = side.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
        return side.optimizers.Adam(schedule, weight_decay=0.01, clipnorm=1.0, amsgrad=True)

    theirs, ours = trained(keras, adam(keras)), trained(jk, adam(jk)).init(4)
    theirs.fit(x, y, **options)
    ours = ours.fit(x, y, **options)
    results = []
    for suffix in SUFFIXES:
        path = str(tmp_path / f"model{suffix}")
        theirs.save(path)
        loaded = jk.load_model(path)
        from_them = (loaded, loaded.fit(x, y, **options))
        ours.save(path)
        same_training(jk.load_model(path), ours)
        same_training(jk.load_model(path).fit(x, y, **options), ours.fit(x, y, **options))
        other = keras.models.load_model(path)
        if suffix == ".keras":  # from `.h5`, Keras starts with a new state
            other.fit(x, y, **options)
            same_training(ours.fit(x, y, **options), other)
        results.append(from_them)
    theirs.fit(x, y, **options)
    for loaded, continued in results:
        assert int(loaded.state.step) == 2
        same_training(continued, theirs)


def same_training(one, other):
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-4, rtol=1e-4)


OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "Adam": {"amsgrad": True, "use_ema": True},
    "AdamW": {},
    "Adamax": {},
    "Nadam": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {},
    "Adadelta": {},
    "Ftrl": {},
    "Lion": {},
    "Lamb": {},
    "Muon": {},
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_both_ways(name, suffix, tmp_path, rng):
    """Configuration and state; the numbers in the state are drawn, since what the rules do with them is tested elsewhere."""
    path = str(tmp_path / f"model{suffix}")
    theirs = trained(keras, getattr(keras.optimizers, name)(0.01, **OPTIMIZERS[name]))
    theirs.optimizer.build(theirs.trainable_variables)
    for variable in theirs.optimizer.variables:
        if variable.dtype == "float32" and variable.path.rpartition("/")[2] != "learning_rate":
            variable.assign(rng.uniform(0.1, 1.0, variable.shape))
    theirs.optimizer.iterations.assign(5)
    theirs.save(path)
    loaded = jk.load_model(path)
    found = optimizer_order.variables(
        loaded.recipe.optimizer,
        loaded.state.opt_state,
        [info.name for info in loaded.description.weights if info.trainable],
    )
    same_state([v.value for v in found], theirs.optimizer.variables)
    assert int(loaded.state.step) == 5
    if name == "Lamb" and suffix == ".h5":
        return  # which Keras cannot find there
    loaded.save(path)
    again = keras.models.load_model(path)
    assert rounded(again.optimizer.get_config()) == rounded(theirs.optimizer.get_config())
    if suffix == ".keras":  # from `.h5`, Keras starts with a new state
        same_state([v.value for v in again.optimizer.variables], theirs.optimizer.variables)
    again.optimizer.build(again.trainable_variables)


def same_state(found, wanted):
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)


def rounded(value):
    """A configuration with numbers as float32 has them."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return float(np.float32(value)) if isinstance(value, float) else value


def recipe_cases(side):
    """Arguments of `compile` for models with outputs `left` and `right`."""
    losses, metrics, optimizers = side.losses, side.metrics, side.optimizers
    return {
        "names": {
            "optimizer": "adam",
            "loss": {"left": "mse", "right": "mae"},
            "loss_weights": {"left": 1.0, "right": 0.5},
        },
        "objects": {
            "optimizer": optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=3)),
            "loss": {
                "left": losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
                "right": losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
            },
            "metrics": {
                "left": [metrics.MeanAbsoluteError(), metrics.RootMeanSquaredError()],
                "right": [metrics.TopKCategoricalAccuracy(2)],
            },
            "weighted_metrics": {"left": [metrics.MeanSquaredError(name="weighted")]},
        },
        "execution": {
            "optimizer": optimizers.RMSprop(0.01, global_clipnorm=1.0),
            "loss": {"left": "mse"},
            "steps_per_execution": 4,
        },
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", recipe_cases(jk))
def test_recipes_go_both_ways(name, suffix, tmp_path, rng):
    path = str(tmp_path / f"model{suffix}")
    theirs = dicts(keras)
    theirs.compile(**recipe_cases(keras)[name])
    theirs.save(path)
    wanted = dicts(jk).compile(**recipe_cases(jk)[name])
    loaded = jk.load_model(path)
    compared = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
    for key in compared:
        assert without_count(config_of(loaded, key)) == without_count(config_of(wanted, key)), key
    reloaded = keras.models.load_model(path) if suffix == ".keras" else theirs  # in which names have become objects
    wanted.save(path)
    again = keras.models.load_model(path)
    assert without_count(rounded(again.optimizer.get_config())) == without_count(rounded(theirs.optimizer.get_config()))
    if suffix == ".keras":
        for key in compared:
            found, expected = (without_count(plain(m.get_compile_config()[key])) for m in (again, reloaded))
            assert found == expected, key
    x = {k: rng.normal(size=(4, 6)).astype("float32") for k in ("one", "two")}
    y = {"left": np.ones((4, 2), "float32"), "right": np.eye(4, 3, dtype="float32")}
    if name == "objects":
        for a, b in zip(again.weights, wanted.weights, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        found = wanted.evaluate(x, y, verbose=0, return_dict=True)
        expected = again.evaluate(x, y, verbose=0, return_dict=True)
        for key in expected:
            assert found[key] == pytest.approx(expected[key], abs=1e-5), key


def config_of(model, key):
    return plain(model.recipe.get_config()[key])


def plain(value):
    """A configuration without modules, and losses that are named by their class in both forms that they have."""
    if (
        isinstance(value, dict)
        and value.get("module") == "keras.losses"
        and set(value["config"]) == {"name", "reduction"}
    ):
        return value["config"]["name"]
    if isinstance(value, str) and value in ("mse", "mae"):
        return keras.losses.get(value).__name__
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("registered_name", "module")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else rounded(value)


def without_count(value):
    """A configuration in which the names of optimizers are as if each were the only one."""
    if isinstance(value, dict):
        return {k: re.sub(r"_\d+$", "", v) if k == "name" and v else without_count(v) for k, v in value.items()}
    return [without_count(v) for v in value] if isinstance(value, list) else value


def test_parts_can_be_left_out(tmp_path, rng):
    x, y = data(rng)
    model = trained(jk, "adam").init(0).fit(x, y, epochs=1, batch_size=8, verbose=0)
    for suffix in SUFFIXES:
        path = tmp_path / f"model{suffix}"
        model.save(path)
        assert jk.load_model(path, compile=False).recipe is None
        other = jk.load_model(path, compile=False).recipe
        assert other is None
        model.save(path, include_optimizer=False)
        bare = jk.load_model(path)
        assert bare.recipe is None and bare.state.opt_state is None
        same_outputs(bare, model, x)
        with pytest.raises(FileExistsError):
            model.save(path, overwrite=False)


def test_our_own_keras_file_keeps_everything(tmp_path, rng):
    x, y = data(rng)
    model = trained(jk, "adam").init(0).fit(x, y, epochs=2, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = jk.load_model(tmp_path / "model.keras")
    assert loaded.history == model.history
    assert loaded.recipe == model.recipe
    again = [m.fit(x, y, epochs=1, batch_size=4, verbose=0) for m in (model, loaded)]
    for a, b in zip(again[0].weights, again[1].weights, strict=True):
        np.testing.assert_array_equal(a, b)  # the key and the step are in the file


def test_what_keras_has_no_words_for(tmp_path):
    import optax

    model = jk.Sequential([jk.Input((4,)), layers.Dense(1)]).compile(optax.adam(1e-3), "mse")
    for suffix in SUFFIXES:
        with pytest.raises((ArgumentError, NotImplementedError), match="include_optimizer=False|directory"):
            model.save(tmp_path / f"model{suffix}")
        assert not (tmp_path / f"model{suffix}").exists()
        model.save(tmp_path / f"model{suffix}", include_optimizer=False)
        jk.load_model(tmp_path / f"model{suffix}")


@keras.saving.register_keras_serializable(package="files")
def keras_double(x):
    return 2.0 * x


def test_functions_of_lambda_layers(tmp_path):
    """A function with a name is found where it is known; code is never run."""
    x = np.ones((2, 3), "float32")
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(keras_double)])
    theirs.save(tmp_path / "named.keras")
    loaded = jk.load_model(tmp_path / "named.keras", custom_objects={"files>keras_double": lambda x: 2.0 * x})
    same_outputs(loaded, theirs, x)
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)]).save(tmp_path / "code.keras")
    with pytest.raises(RestoreError, match="code from the file"):
        jk.load_model(tmp_path / "code.keras", safe_mode=False)


def test_the_file_of_keras_itself(tmp_path):
    """The members, and the words in them, that Keras looks for."""
    model = trained(jk, "sgd").init(0)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert set(archive.namelist()) == {"metadata.json", "config.json", "model.weights.h5"}
        config = json.loads(archive.read("config.json"))
        assert json.loads(archive.read("metadata.json"))["keras_version"].startswith("3.")
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert set(config) >= {"module", "class_name", "config", "registered_name", "build_config", "compile_config"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_handles_read_and_write(suffix, tmp_path):
    path = str(tmp_path / f"model{suffix}")
    x = np.ones((2, 6), "float32")
    model = sequential(jkeras.keras)
    model.compile("adam", "mse")
    model.save(path)
    same_outputs(keras.models.load_model(path), model, x)
    same_outputs(jkeras.keras.models.load_model(path), model, x)
    theirs = sequential(keras)
    theirs.save(path)
    same_outputs(jkeras.keras.models.load_model(path), theirs, x)


# -- configurations ------------------------------------------------------------------------------------------------


def test_json_goes_both_ways(rng):
    x = rng.normal(size=(3, 6)).astype("float32")
    ours, theirs = sequential(jk).init(0), sequential(keras)
    from_ours = keras.models.model_from_json(ours.to_json())
    from_ours.set_weights(ours.get_weights())
    same_outputs(from_ours, ours, x)
    from_theirs = jk.models.model_from_json(theirs.to_json()).set_weights(theirs.get_weights())
    same_outputs(from_theirs, theirs, x)
    assert type(ours).from_config(ours.get_config()).definition == ours.definition


def test_clones_have_weights_of_their_own():
    model = sequential(jk).init(3).compile("sgd", "mse")
    clone = jk.models.clone_model(model)
    assert clone.definition == model.definition and clone.recipe is None
    assert not np.array_equal(clone.weights[0], model.weights[0])
    wider = jk.models.clone_model(
        model, clone_function=lambda layer: layer.replace(activation="tanh") if type(layer) is layers.Dense else layer
    )
    assert [layer.activation.__name__ for layer in wider.layers if type(layer) is layers.Dense] == ["tanh", "tanh"]


def objects(side):
    return [
        side.layers.Dense(3, activation="relu", kernel_regularizer=side.regularizers.L2(0.5)),
        side.optimizers.Adam(0.5, beta_1=0.5),
        side.losses.CategoricalCrossentropy(label_smoothing=0.25),
        side.metrics.TopKCategoricalAccuracy(3),
        side.initializers.HeNormal(seed=1),
        side.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5),
        side.constraints.MaxNorm(3),
    ]


def test_objects_go_both_ways():
    """`serialize_keras_object` of one side and `deserialize_keras_object` of the other."""
    for ours, theirs in zip(objects(jk), objects(keras), strict=True):
        found = jk.saving.deserialize_keras_object(keras.saving.serialize_keras_object(theirs))
        assert type(found) is type(ours)
        one, other = (without_count(plain(it.get_config())) for it in (found, ours))
        assert {**one, "name": None} == {**other, "name": None}
        back = keras.saving.deserialize_keras_object(jk.saving.serialize_keras_object(ours))
        assert type(back) is type(theirs)
    assert jk.saving.get_registered_name(Scale) == "files>Scale"
    assert jk.saving.get_registered_object("files>Scale") is Scale
    inner = jk.saving.serialize_keras_object([Scale(3.0), {"a": (1, 2)}])
    assert jk.saving.deserialize_keras_object(json.loads(json.dumps(inner)))[0] == Scale(3.0, name="scale")


def test_the_functions_take_handles():
    keras_names = jkeras.keras
    model = sequential(keras_names)
    clone = keras_names.models.clone_model(model)
    assert clone.get_config()["layers"] == model.get_config()["layers"]
    again = keras_names.models.model_from_json(model.to_json())
    assert isinstance(again, keras_names.Model)
    config = keras_names.saving.serialize_keras_object(keras_names.layers.Dense(3))
    assert keras_names.saving.deserialize_keras_object(config).units == 3


def test_large_arrays_are_the_bytes_of_the_file_until_they_change(tmp_path):
    """They are not copied, and training does not write into what others hold."""
    x = np.ones((4, 600), "float32")
    model = jk.Sequential([jk.Input((600,)), jk.layers.Dense(600), jk.layers.Dense(1)]).compile("sgd", "mse").init(2)
    model.save(tmp_path / "m.keras")
    loaded = jk.load_model(tmp_path / "m.keras")
    before = [weight.copy() for weight in loaded.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    trained = loaded.fit(x, x[:, :1], verbose=0)
    assert not np.array_equal(trained.get_weights()[0], before[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, loaded.get_weights(), strict=True))
