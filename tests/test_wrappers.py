"""Models as estimators of scikit-learn: its own checks, a pipeline, a search."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import jkeras as jk
import jkeras.keras as keras
from jkeras.errors import ArgumentError, InputError, NotCompiledError
from jkeras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


def dense(X, y, loss="mse", hidden=8, activation=None):
    layers = [jk.Input(X.shape[1:]), jk.layers.Dense(hidden, "relu"), jk.layers.Dense(y.shape[1], activation)]
    return jk.Sequential(layers).compile(jk.optimizers.Adam(0.05), loss)


CLASSIFY = {"loss": "categorical_crossentropy", "activation": "softmax"}


# Checks that do not apply, and why.
ROUNDING = "float32 results differ in their last bits with the batch a row is in"
SKIPPED = {
    "check_methods_sample_order_invariance": ROUNDING,
    "check_methods_subset_invariance": ROUNDING,
    "check_sample_weight_equivalence_on_dense_data": "repeated rows are other batches",
    "check_regressor_multioutput": "predictions are float32",
}


CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}", marks=marks)
    for wrapper, marks in (
        (SKLearnClassifier(dense, model_kwargs=CLASSIFY), []),
        (SKLearnRegressor(dense), [pytest.mark.slow]),  # which shares all that they check but the targets
    )
    for estimator, check in estimator_checks_generator(wrapper)
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_checks_of_sklearn(estimator, check):
    if check.func.__name__ in SKIPPED:
        pytest.skip(SKIPPED[check.func.__name__])
    check(estimator)


def test_pipeline_and_search():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    classifier = SKLearnClassifier(dense, model_kwargs=CLASSIFY, fit_kwargs={"epochs": 20})
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier),
        {"sklearnclassifier__model_kwargs": [{**CLASSIFY, "hidden": 1}, {**CLASSIFY, "hidden": 16}]},
        cv=3,
    )
    search.fit(x, names)
    assert search.best_params_["sklearnclassifier__model_kwargs"]["hidden"] == 16
    assert search.best_score_ > 0.9
    assert set(search.predict(x[:5])) <= {"setosa", "versicolor", "virginica"}
    np.testing.assert_allclose(search.predict_proba(x[:5]).sum(axis=1), 1, rtol=1e-5)


def test_a_compiled_model_is_left_alone_and_fits_are_equal():
    x, y = make_regression(40, 3, random_state=0)
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile(jk.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    regressor = SKLearnRegressor(model, fit_kwargs={"epochs": 30})
    scores = cross_val_score(regressor, x, y, cv=3)
    assert scores.min() > 0.99
    first, second = clone(regressor).fit(x, y), clone(regressor).fit(x, y)
    np.testing.assert_array_equal(first.predict(x), second.predict(x))
    assert first.epoch_ == list(range(30)) and first.history_["loss"][-1] < first.history_["loss"][0]
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_warm_start_goes_on():
    x, y = make_regression(40, 3, random_state=0)
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile(jk.optimizers.SGD(0.01), "mse")
    cold, warm = SKLearnRegressor(model), SKLearnRegressor(model, warm_start=True)
    for _ in range(2):
        cold.fit(x, y), warm.fit(x, y)
    assert warm.history_["loss"][0] < cold.history_["loss"][0]
    assert int(warm.model_.state.step) == 2 * int(cold.model_.state.step)


def test_a_frozen_transformer_in_a_pipeline():
    x, y = load_iris(return_X_y=True)
    trained = SKLearnTransformer(dense, model_kwargs={"loss": "mse"}, fit_kwargs={"epochs": 3}).fit(x, y.astype(float))
    assert make_pipeline(FrozenEstimator(trained), LogisticRegression()).fit(x, y).score(x, y) > 0.6


def test_handles_of_the_drop_in_namespace():
    x, y = make_regression(24, 2, random_state=0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()[0].copy()
    assert keras.wrappers.SKLearnRegressor(model, fit_kwargs={"epochs": 20}).fit(x, y).score(x, y) > 0.9
    np.testing.assert_array_equal(before, model.get_weights()[0])


@pytest.mark.parametrize("library", [jk, keras], ids=["jkeras", "keras"])
def test_a_model_whose_one_output_is_in_a_list(library):
    def listed(X, y, outputs=1):
        inputs = library.Input(X.shape[1:])
        model = library.Model(inputs, [library.layers.Dense(y.shape[1], "softmax")(inputs) for _ in range(outputs)])
        return model.compile("sgd", "categorical_crossentropy") or model

    x, y = np.arange(6.0).reshape(3, 2), ["a", "b", "a"]
    assert SKLearnClassifier(listed).fit(x, y).predict(x).shape == (3,)
    several = SKLearnClassifier(listed, model_kwargs={"outputs": 2})
    with pytest.raises((InputError, ValueError), match="output"):
        several.fit(x, y).predict(x)


@pytest.mark.parametrize(
    ("estimator", "y", "error", "words"),
    [
        (SKLearnRegressor(jk.Sequential([jk.layers.Dense(1)])), [0.0, 1.0], NotCompiledError, "compiled model"),
        (SKLearnRegressor("dense"), [0.0, 1.0], ArgumentError, "'dense'"),
        (SKLearnRegressor(lambda X, y: None), [0.0, 1.0], ArgumentError, "not a model"),
        (SKLearnClassifier(dense), ["a", "a"], InputError, "one class"),
        (SKLearnClassifier(dense), [0.5, 1.25], InputError, "continuous"),
    ],
)
def test_what_does_not_work_is_said(estimator, y, error, words):
    with pytest.raises(error, match=words):
        estimator.fit([[0.0], [1.0]], y)
