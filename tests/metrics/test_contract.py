"""Every metric against Keras: batch by batch, weighted, merged out of order, filled up, compiled; configurations."""

import inspect
import warnings

import jax
import keras
import numpy as np
import pytest

from jkeras import metrics
from jkeras.metrics import identifiers

SIZES = (6, 6, 6)


def real(rng, n):
    return rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, 3)).astype("float32")


def near(rng, n):
    y_true = rng.normal(size=(n, 3)).astype("float32")
    return y_true, y_true + 0.3 * rng.normal(size=(n, 3)).astype("float32")


def vector(rng, n):
    return rng.normal(size=n).astype("float32"), rng.normal(size=(n, 1)).astype("float32")


def positive(rng, n):
    return tuple(rng.uniform(0.1, 3.0, size=(n, 3)).astype("float32") for _ in range(2))


def signs(rng, n):
    return rng.choice([-1.0, 1.0], size=(n, 3)).astype("float32"), rng.normal(size=(n, 3)).astype("float32")


def scores(rng, n):
    p = rng.uniform(size=(n, 1)).astype("float32")
    p[::3] = np.round(p[::3] * 4) / 4  # some exactly on thresholds, 0 and 1 included
    return rng.integers(0, 2, size=(n, 1)), p


def score_vector(rng, n):
    y_true, y_pred = scores(rng, n)
    return y_true[:, 0], y_pred[:, 0]


def logits(rng, n):
    return rng.integers(0, 2, size=(n, 1)), rng.normal(size=(n, 1)).astype("float32") * 3


def multi_label(rng, n):
    return rng.integers(0, 2, size=(n, 3)), rng.uniform(size=(n, 3)).astype("float32")


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def one_hot(rng, n):
    return np.eye(4, dtype="float32")[rng.integers(0, 4, size=n)], softmax(rng.normal(size=(n, 4)))


def probabilities(rng, n):
    return softmax(rng.normal(size=(n, 4))), softmax(rng.normal(size=(n, 4)))


def ids(rng, n):
    return rng.integers(0, 4, size=n), softmax(rng.normal(size=(n, 4)))


def ids_column(rng, n):
    return rng.integers(0, 4, size=(n, 1)), softmax(rng.normal(size=(n, 4)))


def id_steps(rng, n):
    return rng.integers(0, 4, size=(n, 2)), softmax(rng.normal(size=(n, 2, 4)))


def one_hot_steps(rng, n):
    return np.eye(4, dtype="float32")[rng.integers(0, 4, size=(n, 2))], softmax(rng.normal(size=(n, 2, 4)))


def same_ids(rng, n):
    return rng.integers(0, 3, size=n), rng.integers(0, 3, size=n)


def sorted_ids(rng, n):
    ranked = np.stack([rng.permutation(5) for _ in range(n)])
    return rng.integers(0, 5, size=n), ranked


CASES = [
    ("MeanSquaredError", {}, real),
    ("MeanSquaredError", {}, vector),
    ("RootMeanSquaredError", {}, real),
    ("RootMeanSquaredError", {}, vector),
    ("MeanAbsoluteError", {}, real),
    ("MeanAbsolutePercentageError", {}, positive),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("CosineSimilarity", {}, real),
    ("LogCoshError", {}, real),
    ("R2Score", {}, near),
    ("R2Score", {"class_aggregation": None}, near),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, real),
    ("R2Score", {"num_regressors": 2}, near),
    ("R2Score", {"num_regressors": 100}, near),
    ("PearsonCorrelation", {}, near),
    ("ConcordanceCorrelation", {}, near),
    ("Hinge", {}, signs),
    ("SquaredHinge", {}, signs),
    ("CategoricalHinge", {}, one_hot),
    ("KLDivergence", {}, probabilities),
    ("Poisson", {}, positive),
    ("BinaryCrossentropy", {}, scores),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, logits),
    ("CategoricalCrossentropy", {}, one_hot),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, one_hot_steps),
    ("SparseCategoricalCrossentropy", {}, ids),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, id_steps),
    ("Accuracy", {}, same_ids),
    ("BinaryAccuracy", {}, scores),
    ("BinaryAccuracy", {"threshold": 0.25}, multi_label),
    ("CategoricalAccuracy", {}, one_hot),
    ("CategoricalAccuracy", {}, one_hot_steps),
    ("SparseCategoricalAccuracy", {}, ids),
    ("SparseCategoricalAccuracy", {}, ids_column),
    ("SparseCategoricalAccuracy", {}, id_steps),
    ("TopKCategoricalAccuracy", {"k": 2}, one_hot),
    ("TopKCategoricalAccuracy", {"k": 3}, one_hot_steps),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, ids),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, id_steps),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, sorted_ids),
    ("AUC", {}, scores),
    ("AUC", {}, score_vector),
    ("AUC", {"num_thresholds": 5}, multi_label),
    ("AUC", {"num_thresholds": 5, "label_weights": [0.2, 1.0, 2.0]}, multi_label),
    ("AUC", {"num_thresholds": 2}, scores),
    ("AUC", {"from_logits": True}, logits),
    ("AUC", {"curve": "PR"}, scores),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, scores),
    ("AUC", {"curve": "pr", "summation_method": "majoring"}, scores),
    ("AUC", {"summation_method": "majoring", "num_thresholds": 11}, scores),
    ("AUC", {"curve": "PRGAIN"}, scores),
    ("AUC", {"thresholds": [0.9, 0.1, 0.33]}, scores),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, scores),
    ("AUC", {"multi_label": True, "num_thresholds": 7}, multi_label),
    ("AUC", {"multi_label": True, "num_labels": 3, "curve": "PR", "label_weights": [1.0, 0.0, 3.0]}, multi_label),
    ("AUC", {"multi_label": True, "thresholds": [0.2, 0.7], "summation_method": "minoring"}, multi_label),
    ("TruePositives", {}, scores),
    ("FalsePositives", {"thresholds": 0.25}, score_vector),
    ("TrueNegatives", {"thresholds": [0.7, 0.2]}, multi_label),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, scores),
    ("Precision", {}, scores),
    ("Precision", {"thresholds": [0.8, 0.3, 0.5]}, scores),
    ("Precision", {"top_k": 2}, one_hot),
    ("Precision", {"top_k": 2, "thresholds": 0.3}, one_hot_steps),
    ("Precision", {"class_id": 1}, multi_label),
    ("Precision", {"class_id": 3, "top_k": 2}, one_hot),
    ("Recall", {}, scores),
    ("Recall", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, scores),
    ("Recall", {"top_k": 1}, one_hot),
    ("Recall", {"class_id": 2, "thresholds": 0.1}, multi_label),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, scores),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 5}, scores),
    ("PrecisionAtRecall", {"recall": 0.5, "class_id": 1}, multi_label),
    ("PrecisionAtRecall", {"recall": 0.9, "num_thresholds": 1}, scores),
    ("RecallAtPrecision", {"precision": 0.6}, scores),
    ("RecallAtPrecision", {"precision": 1.0, "num_thresholds": 2}, scores),
    ("F1Score", {}, one_hot),
    ("F1Score", {"average": "macro", "threshold": 0.3}, multi_label),
    ("FBetaScore", {"average": "micro", "beta": 0.5}, multi_label),
    ("FBetaScore", {"average": "weighted", "beta": 2.0, "threshold": 0.5}, multi_label),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, same_ids),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}, id_steps),
    ("MeanIoU", {"num_classes": 5}, same_ids),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1, "dtype": "float32"}, same_ids),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 1]}, one_hot),
    ("OneHotMeanIoU", {"num_classes": 4}, one_hot_steps),
    ("OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True}, lambda rng, n: (one_hot(rng, n)[0], ids(rng, n)[0])),
    ("BinaryIoU", {}, scores),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.25}, score_vector),
]
NAMES = [f"{name}-{'-'.join(map(str, kw.values())) or 'default'}-{data.__name__}" for name, kw, data in CASES]
contract = pytest.mark.parametrize(("name", "kwargs", "data"), CASES, ids=NAMES)


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.metrics.{name}" for name in (*(case[0] for case in CASES), *FUNCTIONS, "Mean", "Sum")}


def keras_result(name, kwargs, batches):
    metric = getattr(keras.metrics, name)(**kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras asks for int64, and for more samples than predictors
        for y_true, y_pred, *weights in batches:
            if y_pred.ndim == 3:
                # A weight per row is a weight for each of its steps; some of Keras's metrics need it spelt out.
                weights = [np.repeat(w[:, None], y_pred.shape[1], axis=1) for w in weights]
            metric.update_state(y_true, y_pred, *weights)
        return np.asarray(metric.result())


def weights_for(name, kwargs, rng, n):
    # The states of intersections over union are integers, so their weights have to be.
    if name.endswith("IoU") and kwargs.get("dtype") is None:
        return rng.integers(1, 4, size=n)
    return rng.uniform(0.1, 2, size=n).astype("float32")


@contract
def test_metric(name, kwargs, data, rng):
    metric = getattr(metrics, name)(**kwargs)
    batches = [data(rng, n) for n in SIZES]
    weighted = [(*batch, weights_for(name, kwargs, rng, len(batch[0]))) for batch in batches]
    y_true, y_pred, weights = weighted[0]
    filler = np.full_like(y_pred[:2], np.nan if y_pred.dtype.kind == "f" else 1)
    filled = np.concatenate([y_true, y_true[:2]]), np.concatenate([y_pred, filler])
    zeros = np.zeros(2, weights.dtype)
    empty = metric.empty(y_true, y_pred)
    rows = tuple(map(np.concatenate, zip(*batches, strict=True)))

    @jax.jit  # all in one program, for the sake of the time that compilations take
    def results():
        def total(*batches, state=empty):
            for batch in batches:
                state = metric.update(state, *batch)
            return metric.compute(state)

        a, b, c = (metric.update(empty, *batch) for batch in weighted)
        return {
            "batch by batch": total(*batches),
            "all rows at once": total(rows if identifiers.adds_rows(metric, y_true, y_pred) else batches[0]),
            "from a state that knows no shapes": total(batches[0], state=metric.empty()),
            "weighted, merged out of order": metric.compute(metric.merge(c, metric.merge(empty, metric.merge(b, a)))),
            "filled up with rows of weight 0": total((*filled, np.concatenate([np.ones_like(weights), zeros]))),
            "weighted and filled up": total((*filled, np.concatenate([weights, zeros]))),
        }

    first, first_weighted = (keras_result(name, kwargs, some[:1]) for some in (batches, weighted))
    by_batch = keras_result(name, kwargs, batches)
    expected = {
        "batch by batch": by_batch,
        "all rows at once": by_batch if identifiers.adds_rows(metric, y_true, y_pred) else first,
        "from a state that knows no shapes": first,
        "weighted, merged out of order": keras_result(name, kwargs, weighted),
        "filled up with rows of weight 0": first,
        "weighted and filled up": first_weighted,
    }
    for what, result in results().items():
        np.testing.assert_allclose(result, expected[what], rtol=1e-5, atol=1e-6, err_msg=what)
    assert metrics.per_sample(metric, y_true, y_pred)
    # One fixed structure without weak types, so that a state may be carried through a loop.
    for batch in (batches[0], weighted[0]):
        assert jax.tree.map(spec_of, jax.eval_shape(metric.update, empty, *batch)) == jax.tree.map(spec_of, empty)


def spec_of(x):
    assert not x.weak_type
    return x.shape, x.dtype


REQUIRED = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 1]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 1]},
    "MeanIoU": {"num_classes": 3},
    "OneHotMeanIoU": {"num_classes": 3},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "MeanMetricWrapper": {"fn": metrics.mean_squared_error},
}


@pytest.mark.parametrize("cls", identifiers.CLASSES, ids=lambda c: c.__name__)
def test_class_is_kerass_class(cls):
    kwargs = REQUIRED.get(cls.__name__, {})
    theirs_class = getattr(keras.metrics, cls.__name__)
    expected = [(k, p.default) for k, p in inspect.signature(theirs_class).parameters.items()]
    assert [(k, p.default) for k, p in inspect.signature(cls).parameters.items()] == expected
    ours = cls(**kwargs)
    if cls is metrics.MeanMetricWrapper:
        theirs = theirs_class(keras.metrics.mean_squared_error)
    else:
        theirs = theirs_class(**kwargs)
        assert {**theirs.get_config(), "name": None} == {**ours.get_config(), "name": None}
        # Keras numbers the names of a process: precision, precision_1.
        assert theirs.name.rstrip("_0123456789") == ours.name.rstrip("_0123456789")
        assert theirs_class.from_config(ours.get_config()).get_config() == ours.get_config()
    assert ours.direction == getattr(theirs, "_direction", None)
    assert cls.from_config(ours.get_config()) == ours
    assert metrics.deserialize(metrics.serialize(ours.replace(name="mine"))) == ours.replace(name="mine")


# -- values and functions -----------------------------------------------------------------------------------------------

FUNCTIONS = {
    "binary_accuracy": multi_label,
    "categorical_accuracy": one_hot_steps,
    "concordance_correlation": near,
    "pearson_correlation": near,
    "sparse_categorical_accuracy": id_steps,
    "sparse_top_k_categorical_accuracy": id_steps,
    "top_k_categorical_accuracy": one_hot_steps,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, rng):
    y_true, y_pred = FUNCTIONS[name](rng, 8)
    for options in ({}, {"k": 2}) if "top_k" in name else ({},):
        expected = np.asarray(getattr(keras.metrics, name)(y_true, y_pred, **options))
        given = np.asarray(getattr(metrics, name)(y_true, y_pred, **options))
        assert given.shape == expected.shape
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_values(name, rng):
    batches = [(rng.normal(size=(n, 2)).astype("float32"), rng.uniform(size=n).astype("float32")) for n in SIZES]
    ours, theirs, weighted = getattr(metrics, name)(), getattr(keras.metrics, name)(), getattr(keras.metrics, name)()
    states = [ours.update(ours.empty(), values, sample_weight=weights) for values, weights in batches]
    plain = ours.empty()
    for values, weights in batches:
        plain = ours.update(plain, values)
        theirs.update_state(values)
        weighted.update_state(values, sample_weight=np.repeat(weights[:, None], 2, axis=1))
    merged = ours.merge(states[2], ours.merge(states[1], states[0]))
    np.testing.assert_allclose(ours.compute(plain), theirs.result(), rtol=1e-5)
    np.testing.assert_allclose(ours.compute(merged), weighted.result(), rtol=1e-5)


def test_a_function_as_a_metric(rng):
    y_true, y_pred = real(rng, 8)
    weights = rng.uniform(size=8).astype("float32")
    ours = metrics.MeanMetricWrapper(metrics.mean_squared_error)
    theirs = keras.metrics.MeanMetricWrapper(keras.metrics.mean_squared_error)
    theirs.update_state(y_true, y_pred, weights)
    np.testing.assert_allclose(
        ours.compute(ours.update(ours.empty(), y_true, y_pred, weights)), theirs.result(), rtol=1e-5
    )
