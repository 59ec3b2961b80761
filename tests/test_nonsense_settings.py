"""Settings of the process, of training and of layers of text and categories that mean nothing are refused by name."""

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import JkerasError

X, Y = np.ones((4, 4), "float32"), np.ones((4, 1), "float32")


def fitted(**arguments):
    model = jkeras.keras.Sequential([jkeras.keras.Input((4,)), jkeras.keras.layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("lowring", "plain", "Did you mean 'lowering'"),
        ("floatx", "float16", r"Write `set_floatx\(...\)`"),
        ("lowering", "plian", "Did you mean 'plain'"),
        ("flash_attention", "no", "True or False"),
        ("interactive_logging", None, "True or False"),
        ("default_seed", -1, "at least 0"),
        ("default_seed", "0", "at least 0"),
        ("data_budget", float("nan"), r"\[0, 1\]"),
        ("data_budget", 2, r"\[0, 1\]"),
        ("load_budget", -1, "at least 0"),
    ],
)
def test_settings_of_the_process_are_checked_when_they_are_set(name, value, advice):
    before = getattr(jk.config, name, None)
    with pytest.raises(JkerasError, match=rf"jkeras\.config\.{name} = .*{advice}"):
        setattr(jk.config, name, value)
    assert getattr(jk.config, name, None) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lowering", "plain"),
        ("flash_attention", False),
        ("default_seed", 3),
        ("data_budget", 0.0),
        ("load_budget", 2**20),
    ],
)
def test_settings_that_mean_something_are_taken(name, value, monkeypatch):
    monkeypatch.setattr(jk.config, name, value)
    assert getattr(jk.config, name) == value


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"validation_freq": 2}, "validation_freq=2"),
        ({"validation_freq": [1, 3]}, r"validation_freq=\[1, 3\]"),
        ({"validation_steps": 2}, "validation_steps=2"),
        ({"validation_batch_size": 2, "validation_steps": 3}, "validation_batch_size=2, validation_steps=3"),
    ],
)
def test_arguments_about_validation_need_data_to_validate_on(arguments, named):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    with pytest.raises(JkerasError, match=rf"fit\({named}\): there is no data to validate on"):
        _ = model.fit(X, Y, verbose=0, **arguments)
    assert fitted().history.keys() == {"loss"}


@pytest.mark.parametrize("steps", [0, -1, 1.5, float("nan"), "nonsense", None, object()])
def test_steps_per_execution_of_the_drop_in_are_a_number(steps):
    with pytest.raises(JkerasError, match="steps_per_execution"):
        fitted(steps_per_execution=steps)


@pytest.mark.parametrize("loss", [{}, []])
def test_no_loss_for_any_output_is_named(loss):
    with pytest.raises(JkerasError, match="loss"):
        fitted(loss=loss)


@pytest.mark.parametrize("library", [jk, jkeras.keras])
def test_what_layers_of_text_and_categories_cannot_use_is_named(library):
    layers = library.layers
    for make in (layers.StringLookup, layers.TextVectorization):
        with pytest.raises(JkerasError, match=r"encoding='utf-9'\): expected an encoding"):
            make(encoding="utf-9")
    for number in (1.5, float("nan"), float("inf")):
        with pytest.raises(JkerasError, match="expected integers"):
            layers.IntegerLookup(vocabulary=[number])
    assert layers.IntegerLookup(vocabulary=[1.0, 2]).get_vocabulary()[-2:] == [1, 2]
    hashing = layers.Hashing(num_bins=3)
    with pytest.raises(JkerasError, match="fractions"):
        hashing(np.array([[1.5]]))
    assert np.array_equal(hashing(np.array([[4.0]])), hashing(np.array([[4]])))


def test_features_are_a_dict():
    with pytest.raises(JkerasError, match=r"FeatureSpace\(features=3\)"):
        jkeras.keras.utils.FeatureSpace(features=3)


@pytest.mark.parametrize("family", ["optimizers", "losses", "metrics"])
@pytest.mark.parametrize("library", [jk, jkeras.keras])
def test_configurations_of_nothing_are_refused(library, family):
    with pytest.raises(JkerasError):
        getattr(library, family).get({})


def test_columns_of_a_summary_end_where_they_are_told(capsys):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)])
    model.summary(line_length=60, positions=[0.5, 0.8, 1.0])
    rule = capsys.readouterr().out.splitlines()[1]
    assert [place for place, character in enumerate(rule) if character in "┳┓"] == [30, 48, 60 - 1]
    for positions in ([0.5, 1.0], [0.5, 0.4, 1.0], [0.5, 0.8, 1.2], "nonsense", 3):
        with pytest.raises(JkerasError, match="positions"):
            model.summary(positions=positions)


def test_arguments_that_a_clone_cannot_use_are_refused():
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)])
    for name in ("input_tensors", "call_function"):
        with pytest.raises(JkerasError, match=name):
            jk.clone_model(model, **{name: jk.Input((4,))})


def test_the_place_of_an_export_is_printed_on_request(tmp_path, capsys):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)])
    model.export(tmp_path / "quiet.stablehlo")
    assert not capsys.readouterr().out
    model.export(tmp_path / "loud.stablehlo", verbose=True)
    assert "loud.stablehlo" in capsys.readouterr().out


def test_a_bar_is_as_wide_as_it_is_told(capsys):
    jk.utils.Progbar(3, width=7).update(3)
    assert capsys.readouterr().out.count("━") == 7


@pytest.mark.parametrize("train", ["Ensemble", "sweep", "cross_validate"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", value) for value in (object(), "nonsense", float("nan"), -1, 3.7, {}, None)]
    + [("shuffle", value) for value in (object(), "nonsense", float("nan"), -1, 3.7, {}, None)],
)
def test_many_models_need_a_number_of_epochs_and_an_order(train, name, value):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    trains = {
        "Ensemble": jk.Ensemble(model, 2).fit,
        "sweep": jk.sweep(model, learning_rate=[0.1, 0.2]).fit,
        "cross_validate": lambda *data, **options: jk.cross_validate(model, *data, **options),
    }
    with pytest.raises(JkerasError, match=name):
        _ = trains[train](X, Y, **{name: value})


@pytest.mark.parametrize("seed", [object(), "nonsense", float("nan"), 3.7, {}, None])
def test_the_seed_of_folds_is_an_integer(seed):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    with pytest.raises(JkerasError, match="seed"):
        _ = jk.cross_validate(model, X, Y, seed=seed)
