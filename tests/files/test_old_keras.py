"""Models that real Keras 2 wrote are read by both faces, compute the same and train on alike; see `old_keras.py`."""

import io
import re
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import PartialLoadWarning, RestoreError
from tests.files import old_keras
from tests.files.interchange import PAGE

NEWEST = old_keras.VERSIONS[-1]
LAYERS = [kind for kind in old_keras.kinds(NEWEST) if not kind.startswith("optimizer_")]
OPTIMIZERS = [kind for kind in old_keras.kinds(NEWEST) if kind.startswith("optimizer_")]
# What compiles quickly, and between them has every kind of weights and of states.
QUICK = ("dense", "sequence_to_sequence", "arithmetic", "connected_locally", "nested", "losses_of_classes", "frozen")


def _cases(kinds, version=NEWEST):
    return [case for kind in kinds for case in old_keras.cases(version, kind)]


def _unexpected(case, folder, keras=None):
    """What goes wrong with a file and is not among the exceptions."""
    failed = old_keras.check(case, folder, keras)
    return {s: why for s, why in failed.items() if old_keras.excepted(case.kind, case.suffix, s) is None}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_kind_of_model_computes_the_same(kind, tmp_path):
    """One file of each; the others, and training, are in the slow tests."""
    case = next(case for case in old_keras.cases(NEWEST, kind))
    if old_keras.excepted(kind, case.suffix, "load") is not None:
        with pytest.raises(ValueError) as error:
            jk.load_model(case.extract(tmp_path))
        assert isinstance(error.value, jk.errors.JkerasError)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = jk.load_model(case.extract(tmp_path), custom_objects=old_keras.CUSTOM)
    old_keras.same(model(case.named("x")), case)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_trains_on(kind, tmp_path):
    for case in old_keras.cases(NEWEST, kind):
        assert _unexpected(case, tmp_path) == {}


@pytest.mark.parametrize("kind", QUICK)
def test_some_models_train_on(kind, tmp_path):
    for case in old_keras.cases(NEWEST, kind):
        if case.what == "trained":
            assert _unexpected(case, tmp_path) == {}


@pytest.mark.parametrize("kind", ["convolutions", "nested", "numbers_prepared", "attention"])
def test_paths_of_earlier_versions(kind, tmp_path):
    """Keras 2.13 counted layers with weights twice."""
    for case in old_keras.cases("2.13.1", kind):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = jk.load_model(case.extract(tmp_path))
        old_keras.same(model(case.named("x")), case)


@pytest.mark.slow
@pytest.mark.parametrize("version", old_keras.VERSIONS)
def test_everything_with_every_file(version, tmp_path):
    import keras

    wrong = {}
    for case in _cases(old_keras.kinds(version), version):
        if found := _unexpected(case, tmp_path, keras):
            wrong[case.member] = found
    assert wrong == {}


@pytest.mark.parametrize("kind", ["frozen_after_compile", "thawed_after_compile"])
@pytest.mark.parametrize("suffix", old_keras.SUFFIXES)
def test_layers_that_were_frozen_or_thawed_after_compile(kind, suffix, tmp_path):
    case = old_keras.Case(NEWEST, kind, "trained", suffix)
    with pytest.warns(PartialLoadWarning, match="state of the optimizer") as told:
        model = jk.load_model(case.extract(tmp_path))
    assert "optimizer" in told[0].message.skipped
    assert model.recipe is not None and model.state.opt_state is None
    old_keras.same(model(case.named("x")), case)


def test_messages_say_who_wrote_what(tmp_path):
    case = old_keras.Case(NEWEST, "products", "plain", ".keras")
    with pytest.raises(RestoreError, match=r"tf\.einsum.*load_weights"):
        jk.load_model(case.extract(tmp_path))
    case = old_keras.Case(NEWEST, "own_functions", "trained", ".keras")
    with pytest.raises(RestoreError, match=r"Keras 2\.15\.0.*own_loss.*compile=False"):
        jk.load_model(case.extract(tmp_path))


def test_the_page_says_what_the_code_does():
    """The rows of the table are the kinds; what they say is checked by the slow test."""
    written = re.search(f"{old_keras.START}\n(.*?)\n{old_keras.END}", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert [line.split("|")[1].strip() for line in written.splitlines()[2:]] == old_keras.kinds(NEWEST)


def _trains_alike(model, case):
    x, y = case.named("x"), case.named("y")
    rows = len(x[0] if isinstance(x, list) else x)
    history = model.fit(x, y, batch_size=rows, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], case.arrays["losses"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "what", "suffix"),
    [("dense", "trained", ".keras"), ("arithmetic", "plain", ".h5"), ("sequence_to_sequence", "plain", ".keras")],
)
def test_the_other_face_reads_the_same(kind, what, suffix, tmp_path):
    case = old_keras.Case(NEWEST, kind, what, suffix)
    model = jkeras.keras.saving.load_model(case.extract(tmp_path))
    old_keras.same(model(case.named("x")), case)
    if old_keras.trains(case):
        _trains_alike(model, case)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYERS)
def test_the_other_face_reads_every_kind(kind, tmp_path):
    for case in old_keras.cases(NEWEST, kind):
        if old_keras.excepted(kind, case.suffix, "load") is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PartialLoadWarning)
                model = jkeras.keras.saving.load_model(case.extract(tmp_path), custom_objects=old_keras.CUSTOM)
            # Without `training`, layers that change images at random do so, as in Keras 3.
            old_keras.same(model(case.named("x"), training=False), case)


class OwnDense(jkeras.keras.layers.Dense):
    """A user's layer of the other face, under which a file of Keras 2 has one."""


def _with_own_class(path, suffix):
    """The file with its first Dense under the name of the user's class."""

    def renamed(text):
        return text.replace('"class_name": "Dense"', '"class_name": "OwnDense"', 1)

    if suffix == ".h5":
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = renamed(file.attrs["model_config"])
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = renamed(members["config.json"].decode()).encode()
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file.move("layers/dense", "layers/own_dense")
        file.move("layers/dense_1", "layers/dense")
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


@pytest.mark.parametrize("suffix", old_keras.SUFFIXES)
def test_own_classes_in_files_of_keras_2(suffix, tmp_path):
    case = old_keras.Case(NEWEST, "dense", "trained", suffix)
    path = _with_own_class(case.extract(tmp_path), suffix)
    model = jkeras.keras.saving.load_model(path, custom_objects={"OwnDense": OwnDense})
    assert [type(layer).__name__ for layer in model.layers] == ["OwnDense", "Dropout", "Dense"]
    old_keras.same(model(case.named("x")), case)
    if suffix == ".keras":
        _trains_alike(model, case)
