"""`KerasFileEditor` on both faces: what it shows, changes, saves and refuses."""

import h5py
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours
from jkeras import layers
from jkeras.errors import ArgumentError, RestoreError


def model(*units):
    return jk.Sequential([jk.Input((2,)), *map(layers.Dense, units)])


def inside():
    return jk.Sequential([jk.Input((2,)), layers.Dense(3), jk.Sequential([layers.Dense(4)])])


X = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize("make", [lambda: model(3, 4), inside])
def test_what_is_saved_unchanged_is_the_same(make, suffix, tmp_path, capsys):
    first = make().compile("adam", "mse").fit(X, np.zeros((3, 4)), verbose=0)
    path = tmp_path / f"m{suffix}"
    (first.save if suffix == ".keras" else first.save_weights)(path)
    editor = jk.saving.KerasFileEditor(path)
    editor.summary()
    assert "0: float32(2, 3)" in capsys.readouterr().out
    if suffix == ".keras":
        assert editor.compare(first) == {"status": "success", "error_count": 0, "match_count": 14}
        assert editor.config["class_name"] == "Sequential" and editor.metadata["keras_version"]
    editor.save(tmp_path / "again.weights.h5")
    again = first.init(1).load_weights(tmp_path / "again.weights.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), first.predict(X, verbose=0))
    assert jk.saving.KerasFileEditor(tmp_path / "again.weights.h5")._names == editor._names


def test_a_layer_between_others(tmp_path):
    old, new = model(3, 3), model(3, 3, 3)
    old.save_weights(tmp_path / "old.weights.h5")
    editor = jk.saving.KerasFileEditor(tmp_path / "old.weights.h5")
    changed = editor.rename_object("layers/dense_1", "dense_2").add_object(
        "layers/dense_1", {"0": np.eye(3, dtype="float32")}
    )
    assert changed.compare(new)["error_count"] == 1
    changed = changed.add_weights("dense_1", {"1": np.zeros(3, "float32")})
    assert changed.compare(new)["status"] == "success" and editor.compare(old)["status"] == "success"
    changed.resave_weights(tmp_path / "new.weights.h5")
    for load in (new.load_weights, keras_of(new).load_weights):
        loaded = load(tmp_path / "new.weights.h5")
        result = (loaded or keras_of.last).predict(X, verbose=0)
        np.testing.assert_allclose(result, old.predict(X, verbose=0), rtol=1e-6)
    assert changed.delete_weight("dense_1", "1").delete_object("layers/dense_2").compare(new)["error_count"] == 2


def keras_of(value):
    """The same network as Keras has it."""
    keras_of.last = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(layer.units) for layer in value.layers)])
    return keras_of.last


def test_objects_change_in_place(tmp_path):
    network = ours.Sequential([ours.Input((2,)), ours.layers.Dense(3)])
    network.save(tmp_path / "m.keras")
    editor = ours.saving.KerasFileEditor(tmp_path / "m.keras")
    assert editor.compare(network)["status"] == "success"
    editor.delete_weight("dense", "1")
    editor.add_weights("layers/dense", {"1": np.ones(3)})
    editor.save(tmp_path / "w.weights.h5")
    network.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(network.layers[0].bias, np.ones(3))
    assert list(editor.weights_dict["layers"]) == ["dense"] and editor.config and editor.metadata


MISTAKES = {
    "Path": lambda e: e.delete_object("layers/nothing"),
    "does not appear": lambda e: e.delete_object("nothing"),
    "more than once": lambda e: e.delete_object("0"),
    "not a path": lambda e: e.rename_object("dense", "layers/other"),
    "next to it": lambda e: e.rename_object("layers/dense", "dense_1"),
    "should be a dict": lambda e: e.add_object("layers/other", [np.zeros(3)]),
    "not found in model": lambda e: e.add_object("other/dense", {"0": np.zeros(3)}),
    "array of numbers": lambda e: e.add_weights("dense", {"0": "text"}),
    "names of weights": lambda e: e.add_weights("dense", {"a/b": np.zeros(3)}),
    "Weights found": lambda e: e.delete_weight("dense", "7"),
    "not an object": lambda e: e.delete_weight("layers/dense/0", "1"),
    "extension": lambda e: e.save("weights.h5"),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_named(words, tmp_path):
    model(3, 3).save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ArgumentError, match=words):
        MISTAKES[words](jk.saving.KerasFileEditor(tmp_path / "m.weights.h5"))


def external(file):
    file["layers"] = h5py.ExternalLink("other.h5", "/layers")


def soft(file):
    file.create_group("real")
    file["layers"] = h5py.SoftLink("/real")


def virtual(file):
    layout = h5py.VirtualLayout(shape=(5,), dtype="float32")
    layout[:] = h5py.VirtualSource("other.h5", "s", shape=(5,))
    file.create_group("layers/dense/vars").create_virtual_dataset("0", layout)


@pytest.mark.parametrize("write", [external, soft, virtual])
def test_what_leads_elsewhere_is_refused(write, tmp_path):
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        write(file)
    with pytest.raises(RestoreError, match="refused"):
        jk.saving.KerasFileEditor(tmp_path / "m.weights.h5")


def test_other_files_are_refused(tmp_path):
    for name, error, words in (("m.h5", ArgumentError, "extension"), ("no.keras", ArgumentError, "no such file")):
        with pytest.raises(error, match=words):
            jk.saving.KerasFileEditor(tmp_path / name)
    (tmp_path / "bad.keras").write_bytes(b"zip")
    with pytest.raises(RestoreError):
        jk.saving.KerasFileEditor(tmp_path / "bad.keras")
