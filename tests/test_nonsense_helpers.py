"""Registries, settings, devices, trees and pictures on both faces that are given nonsense: refused by name."""

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import JkerasError

NONSENSE = [object(), "nonsense", 1j, float("nan"), -1.5, [[1], [2, 3]], np.zeros(0), {"a": 1}, {1: 2}]
MESH = jk.distribute.DeviceMesh((1,), ("batch",), devices=["cpu:0"])
KEEP = type("Keep", (), {"get_config": dict})


def registered(library, **arguments):
    return library.saving.register_keras_serializable(**arguments)(KEEP)


def scope(library, **arguments):
    with library.saving.custom_object_scope(**arguments):
        return


GOOD_FILE = {
    "untar": False,
    "extract": False,
    "force_download": False,
    "hash_algorithm": "auto",
    "archive_format": "zip",
}


def table(library, file="m.keras"):
    saving, model = library.saving, library.Sequential([library.Input((2,)), library.layers.Dense(1)])
    loss = saving.serialize_keras_object(library.losses.MeanSquaredError())
    return {
        "deserialize_keras_object": (
            lambda **given: saving.deserialize_keras_object(loss, **given),
            {"custom_objects": {}, "safe_mode": True},
        ),
        "get_registered_name": (saving.get_registered_name, {"obj": len}),
        "get_registered_object": (
            saving.get_registered_object,
            {"name": "a", "custom_objects": {}, "module_objects": {}},
        ),
        "register_keras_serializable": (lambda **given: registered(library, **given), {"package": "p", "name": "n"}),
        "custom_object_scope|CustomObjectScope": (lambda **given: scope(library, **given), {"custom_objects": {}}),
        "set_epsilon": (library.config.set_epsilon, {"value": 1e-7}),
        "set_distribution": (library.distribution.set_distribution, {"value": None}),
        "DeviceMesh": (
            lambda **given: library.distribution.DeviceMesh((1,), ("a",), **given),
            {"devices": ["cpu:0"]},
        ),
        "TensorLayout": (
            lambda **given: library.distribution.TensorLayout(["batch"], **given),
            {"device_mesh": MESH},
        ),
        "DataParallel": (library.distribution.DataParallel, {"devices": ["cpu:0"]}),
        "traverse": (lambda **given: library.tree.traverse(structure=[1], **given), {"func": lambda part: None}),
        "map_shape_structure": (
            lambda **given: library.tree.map_shape_structure(structure=[(1,)], **given),
            {"func": lambda shape: shape},
        ),
        "pack_sequence_as": (lambda **given: library.tree.pack_sequence_as([1], **given), {"flat_sequence": [1]}),
        "get_file": (
            lambda **given: library.utils.get_file("m.keras", "file:///none", cache_dir=".", cache_subdir=".", **given),
            GOOD_FILE,
        ),
        "FeatureSpace": (
            lambda **given: library.utils.FeatureSpace({"a": "float", "b": "float"}, **given),
            {"crosses": [("a", "b")]},
        ),
        "cross": (lambda **given: library.utils.FeatureSpace.cross(crossing_dim=3, **given), {"feature_names": ["a"]}),
        "float_normalized": (library.utils.FeatureSpace.float_normalized, {"name": "a"}),
        "KerasFileEditor": (
            lambda **given: library.saving.KerasFileEditor(**{"filepath": file, **given}),
            {"filepath": file},
        ),
        "clone_model": (
            lambda **given: library.models.clone_model(model, **given),
            {"clone_function": None, "call_function": None, "recursive": False},
        ),
        "model_from_json": (
            lambda **given: library.models.model_from_json(**{"json_string": model.to_json(), **given}),
            {"json_string": model.to_json(), "custom_objects": {}},
        ),
        "save_model": (
            lambda **given: saving.save_model(filepath="m.keras", **given),
            {"model": model, "overwrite": True},
        ),
        "save_weights": (
            lambda **given: saving.save_weights(filepath="m.weights.h5", **given),
            {"model": model, "overwrite": True},
        ),
        "load_weights": (
            lambda **given: saving.load_weights(**{"model": model, "filepath": file, **given}),
            {"model": model, "skip_mismatch": False},
        ),
        "load_model": (
            lambda **given: saving.load_model(file, **given),
            {"custom_objects": {}, "compile": True, "safe_mode": True},
        ),
        "distribute_tensor": (
            lambda **given: library.distribution.distribute_tensor(
                **{"tensor": np.zeros(2), "layout": jk.distribute.TensorLayout([None], MESH), **given}
            ),
            {"layout": jk.distribute.TensorLayout([None], MESH)},
        ),
        "model_to_dot": (
            lambda **given: library.utils.model_to_dot(**{"model": model, **given}),
            {"model": model, "rankdir": "TB", "dpi": 100, "subgraph": False, "show_layer_names": True},
        ),
    }


# What is no nonsense there: any text is a name; a table; other leaves.
SENSE = {
    ("float_normalized", "name"): (str,),
    ("FeatureSpace", "crosses"): (np.ndarray,),
    ("get_registered_object", "name"): (str,),
    ("register_keras_serializable", "package"): (str,),
    ("register_keras_serializable", "name"): (str,),
    ("pack_sequence_as", "flat_sequence"): (dict,),
}
ALSO = {"FeatureSpace": ["Cross"], "model_from_json": ["The JSON text"]}
TABLES = ("custom_objects", "module_objects")
CASES = [(library, name) for library in (jk, jk.keras) for name in table(jk)]


@pytest.mark.parametrize(("library", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_nonsense_is_refused_by_name(library, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = library.Sequential([library.Input((2,)), library.layers.Dense(1)])
    small.save("m.keras")
    call, good = table(library)[name]
    call(**good)
    for argument in good:
        for value in NONSENSE:
            named = argument in TABLES and isinstance(value, dict) and "a" in value
            if named or isinstance(value, SENSE.get((name, argument), ())):
                continue
            with pytest.raises(JkerasError) as refused:
                call(**{**good, argument: value})
            message = str(refused.value)
            words = (argument, *name.split("|"), *ALSO.get(name, ()))
            assert any(word in message for word in words), (argument, value, message)
    assert jk.config.epsilon() == 1e-7 and jk.distribution.distribution() is None


def test_a_policy_is_a_name():
    with pytest.raises(JkerasError, match=r"set_dtype_policy_name\(name=3\): expected a string"):
        jk.config.set_dtype_policy_name(3)


TRAINED = jk.History({"loss": [1.0, 0.5]}, [0, 1])
MODEL = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse")
X = np.zeros((4, 2), "float32")
# Of the immutable face alone: the call, arguments that work, and those that any text suits.
VALUES = {
    "History": (jk.History, {"logs": {}, "epoch": (), "params": {}}, ()),
    "to_csv": (TRAINED.to_csv, {"path": "h.csv"}, ("path",)),
    "plot": (TRAINED.plot, {"metrics": ["loss"]}, ()),
    "plot_sweep": (lambda sweep: jk.plots.plot_sweep(sweep), {"sweep": None}, ()),
    "plot_confusion": (
        lambda **g: jk.plots.plot_confusion([0, 1], [0, 1], **g),
        {"labels": None, "normalize": False},
        (),
    ),
    "image_grid": (lambda **g: jk.plots.image_grid(np.zeros((1, 2, 2)), **g), {"titles": ["a"]}, ()),
    "describe": (
        lambda **g: jk.distribute.describe(**{"model": MODEL, "verbose": False, **g}),
        {"model": MODEL, "strategy": None, "verbose": False},
        (),
    ),
    "train_on_batch": (lambda **g: MODEL.train_on_batch(X, X[:, :1], **g), {"return_dict": True}, ()),
    "test_on_batch": (lambda **g: MODEL.test_on_batch(X, X[:, :1], **g), {"return_dict": True}, ()),
    "enable_lora": (lambda **g: MODEL.enable_lora(**g), {"rank": 1}, ()),
}


@pytest.mark.parametrize("name", VALUES)
def test_nonsense_is_refused_by_the_immutable_face(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    call, good, texts = VALUES[name]
    if name != "plot_sweep":
        call(**good)
    before = list(tmp_path.iterdir())
    for argument in good:
        for value in (object(), "nonsense", 1j, float("nan"), -1.5, 3):
            if (argument in texts and isinstance(value, str)) or (name, argument, value) == ("enable_lora", "rank", 3):
                continue
            with pytest.raises(JkerasError, match=f"{name}|{argument}"):
                _ = call(**{**good, argument: value})
    assert list(tmp_path.iterdir()) == before
