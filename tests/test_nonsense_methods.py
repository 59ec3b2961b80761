"""Methods of models on both faces that are given nonsense: refused before anything is compiled or written, by name."""

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import JkerasError

X = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
DATA = {"x": X, "y": X[:, :1], "verbose": 0}
NONSENSE = [object(), "nonsense", 1j, float("nan"), 3.7]
COUNTS = "epochs initial_epoch batch_size steps_per_epoch validation_steps validation_batch_size"
FIT = f"{COUNTS} callbacks validation_data class_weight"

# For each method arguments that work, and those that take none of the above.
SHARED = {
    "fit": (DATA, FIT),
    "evaluate": (DATA, "batch_size steps callbacks"),
    "predict": ({"x": X, "verbose": 0}, "batch_size steps callbacks"),
    "train_on_batch": ({"x": X, "y": X[:, :1]}, "class_weight"),
    "get_layer": ({}, "index"),
    "set_weights": ({}, "weights"),
    "summary": ({}, "line_length print_fn layer_range"),
    "save_weights": ({"filepath": "w.weights.h5"}, "max_shard_size"),
    "add": ({"layer": None}, ""),
}
VALUES = {
    **SHARED,
    "fit": (DATA, f"{FIT} donate validation_freq"),
    "evaluate": (DATA, "batch_size steps callbacks return_dict"),
    "summary": ({}, "line_length print_fn layer_range expand_nested show_trainable show_cost"),
    "save": ({"filepath": "m.keras"}, "overwrite include_optimizer"),
    "save_weights": ({"filepath": "w.weights.h5"}, "overwrite max_shard_size"),
    "load_weights": ({"filepath": "w.weights.h5"}, "skip_mismatch by_name"),
    "restore": ({"directory": "r"}, "step"),
    "export": ({"filepath": "m.stablehlo"}, "platforms input_signature"),
    "with_learning_rate": ({}, "value"),
    "enable_lora": ({"rank": 2}, "pattern seed a_initializer b_initializer"),
    "freeze": ({}, ""),
    "count_params": ({}, ""),
    "plot": ({}, "path direction"),
}
# What is a text or a number where one is meant.
SENSE = {
    ("enable_lora", "pattern", str),
    ("with_learning_rate", "value", float),
    ("save_weights", "max_shard_size", float),
}


def model(library):
    made = library.Sequential([library.Input((4,)), library.layers.Dense(1)])
    return made.compile("sgd", "mse") or made


CASES = [(library, method) for library, table in ((jk, VALUES), (jk.keras, SHARED)) for method in table]


@pytest.mark.parametrize(("library", "method"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_nonsense_is_refused_by_name(library, method, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    of = model(library)
    if method == "load_weights":
        of.save_weights("w.weights.h5")
    before = set(tmp_path.iterdir())
    good, names = (VALUES if library is jk else SHARED)[method]
    call = getattr(of, method)
    for name in names.split():
        for value in NONSENSE:
            if (method, name, type(value)) in SENSE:
                continue
            with pytest.raises(JkerasError) as refused:
                _ = call(**{**good, name: value})
            assert name in str(refused.value), (name, value, refused.value)
    with pytest.raises(JkerasError, match="'nonsense'"):
        _ = call(**good, nonsense=3)
    assert set(tmp_path.iterdir()) == before and not capsys.readouterr().out
