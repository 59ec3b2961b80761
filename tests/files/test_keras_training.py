"""`.keras` and `.h5` files with real Keras as the other side: training configuration and optimizer state."""

import json
import zipfile

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import layers
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import optimizer_order
from tests.files.keras_sides import SUFFIXES, dicts, plain, rounded, same_outputs, sequential, trained, without_count

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # of real Keras: about .h5, and about models without a training configuration


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
