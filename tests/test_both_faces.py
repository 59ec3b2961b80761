"""What both faces promise alike, written once: exact resume, files, strategies, ensembles, and the bridge between them."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.keras.value import around
from tests.interruptions import Cut

RNG = np.random.default_rng(3)
X = RNG.normal(size=(22, 6)).astype("float32")
Y = RNG.integers(0, 3, 22)
LIBRARIES = {"values": jk, "objects": jkeras.keras}
FACES = pytest.mark.parametrize("face", LIBRARIES)


def made(face, seed=0, compiled=True):
    """The same model on either face: what couples rows, draws random numbers and has slots and a schedule is in it."""
    library = LIBRARIES[face]
    jkeras.keras.utils.clear_session(free_memory=False)  # names as in a script of its own
    library.utils.set_random_seed(seed)
    layers = library.layers
    model = library.Sequential(
        [
            library.Input((6,)),
            layers.Dense(5, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Dense(3, activation="softmax"),
        ]
    )
    if not compiled:
        return model
    schedule = library.optimizers.schedules.ExponentialDecay(0.05, 3, 0.9)
    recipe = (library.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    return of(model, model.compile(*recipe, metrics=["accuracy"]))


def of(model, result):
    """What a method that changes a model gives: the changed copy, or the model itself."""
    return result if isinstance(result, jk.Model) else model


def fit(model, epochs=3, **options):
    """The model after training, and its history."""
    options = {"x": X, "y": Y, "batch_size": 4, "verbose": 0, **options}
    result = model.fit(epochs=epochs, **options)
    return of(model, result), dict(result.history)


def bits(model):
    """All that training changes and that a file keeps."""
    value = model if isinstance(model, jk.Model) else model.value
    leaves = jax.tree.leaves((value.params, value.model_state, value.state.opt_state))
    return [np.asarray(leaf).tobytes() for leaf in leaves]


def numbers(model, x=X, y=Y):
    """What evaluation and prediction give."""
    return [*model.evaluate(x, y, batch_size=8, verbose=0), model.predict(x, batch_size=8, verbose=0)]


def assert_close(found, expected, tolerance=1e-5):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


# -- exact resume ----------------------------------------------------------------------------------------------------


def numbered(face):
    class Numbered(LIBRARIES[face].utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            rows = slice(4 * index, 4 * index + 4)
            return X[rows], Y[rows]

    return Numbered()


def endless():
    draw = np.random.default_rng(1)
    while True:
        rows = draw.integers(0, 22, 4)
        yield X[rows], Y[rows]


NOT_GIVEN = {"y": None, "batch_size": None}
DATA = {
    "arrays": lambda face: {},
    "numbered": lambda face: {"x": numbered(face), **NOT_GIVEN},
    "generator": lambda face: {"x": endless(), "steps_per_epoch": 5, **NOT_GIVEN},
}


@FACES
@pytest.mark.parametrize("data", DATA)
def test_a_run_that_was_cut_off_ends_with_the_same_bits(face, data, tmp_path):
    def run(*callbacks):
        model, history = fit(made(face), callbacks=list(callbacks), **DATA[data](face))
        return bits(model), {name: values[-2:] for name, values in history.items()}

    def backup(folder="kept"):
        return LIBRARIES[face].callbacks.BackupAndRestore(tmp_path / folder, save_freq=2)

    expected = run(backup("whole"))
    for batches in (3, 7):  # in the first epoch; then, from where that goes on, in a later one
        with pytest.raises(RuntimeError, match="cut off"):
            run(backup(), Cut(batches))
    assert run(backup()) == expected


# -- files and the bridge --------------------------------------------------------------------------------------------

WHOLE = (".keras", ".h5")
WEIGHTS = (".weights.h5", ".h5", ".safetensors", "")


@FACES
@pytest.mark.parametrize("reader", LIBRARIES)
@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_of_either_face_is_read_by_both(face, reader, suffix, tmp_path):
    model, _ = fit(made(face), epochs=1)
    path = str(tmp_path / f"it{suffix}")
    model.save(path)
    again = LIBRARIES[reader].models.load_model(path)
    assert isinstance(again, jk.Model) is (reader == "values")
    assert_close(numbers(again), numbers(model), 1e-6)
    assert bits(again) == bits(model)


@FACES
@pytest.mark.parametrize("reader", LIBRARIES)
@pytest.mark.parametrize("suffix", WEIGHTS)
def test_weights_of_either_face_are_read_by_both(face, reader, suffix, tmp_path):
    model = made(face, compiled=False)
    path = str(tmp_path / f"it{suffix}")
    model.save_weights(path)
    other = made(reader, seed=1, compiled=False)
    other = of(other, other.load_weights(path))
    for one, another in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, another)


def test_a_model_goes_from_face_to_face_and_back():
    trained, _ = fit(made("objects"), epochs=1)
    value = trained.value
    assert_close(numbers(value), numbers(trained), 1e-6)
    back = around(value)
    assert bits(back) == bits(value)
    assert_close(numbers(back), numbers(trained), 1e-6)


# -- strategies and groups -------------------------------------------------------------------------------------------

STRATEGIES = {
    "data parallel": jk.distribute.DataParallel,
    "mirrored": jk.distribute.MirroredStrategy,
    "sharded": lambda: jk.distribute.FSDP(min_size=4),
}


def without_coupling(face):
    library = LIBRARIES[face]
    library.utils.set_random_seed(0)
    model = library.Sequential(
        [library.Input((6,)), library.layers.Dense(8, activation="relu"), library.layers.Dense(3, activation="softmax")]
    )
    optimizer = library.optimizers.SGD(0.1, momentum=0.9)
    return model, {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


@FACES
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_four_devices_give_the_numbers_of_one(face, strategy):
    found = []
    for make in (None, STRATEGIES[strategy]):
        model, recipe = without_coupling(face)
        if make is None:
            model = of(model, model.compile(**recipe))
        else:
            with make().scope():
                model = of(model, model.compile(**recipe))
        model, history = fit(model, epochs=2, batch_size=8, shuffle=False, validation_data=(X[:9], Y[:9]))
        found.append([*history.values(), *model.get_weights(), *numbers(model)])
    assert_close(*found)


@FACES
def test_an_ensemble_of_a_model(face):
    model, recipe = without_coupling(face)
    model = of(model, model.compile(**recipe))
    value = model if face == "values" else model.value
    ensemble = jk.Ensemble(value, [5, 0]).fit(X, Y, epochs=2, batch_size=8, verbose=0)
    for member, seed in zip(ensemble, (5, 0), strict=True):
        alone = value.init(seed).fit(X, Y, epochs=2, batch_size=8, verbose=0, seed=seed)
        assert_close(member.get_weights(), alone.get_weights())
