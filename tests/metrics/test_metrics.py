"""The protocol: means and sums, functions, identifiers, errors, transformations."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras import losses, metrics
from jkeras.errors import ArgumentError, InputError, SignatureError, UnknownNameError
from jkeras.metrics.confusion import counts, exceeded, histogram


def value(metric, *batches):
    state = metric.empty()
    for batch in batches:
        state = metric.update(state, *batch)
    return np.asarray(metric.compute(state))


SHAPES = [
    ((), None),
    ((), ()),
    ((4,), None),
    ((4,), (4,)),
    ((4,), (4, 1)),
    ((4, 1), (4,)),
    ((4, 3), None),
    ((4, 3), (4,)),
    ((4, 3), (4, 1)),
    ((4, 3), (4, 3)),
    ((4, 3, 2), (4, 3)),
    ((4, 3, 2), (4,)),
    ((4, 3), ()),
]


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(("shape", "weights"), SHAPES)
def test_reductions(name, shape, weights, rng):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    state = ours.empty()
    for _ in range(2):
        batch = [rng.normal(size=shape).astype("float32")]
        if weights is not None:
            batch.append(rng.uniform(0.1, 1, size=weights).astype("float32"))
        state = ours.update(state, *batch)
        theirs.update_state(*batch)
    np.testing.assert_allclose(ours.compute(state), theirs.result(), rtol=1e-5)


def test_means_of_nothing_are_zero():
    for metric in (metrics.Mean(), metrics.BinaryAccuracy(), metrics.AUC(), metrics.Precision()):
        assert float(metric.compute(metric.empty())) == 0


def test_weights_per_step():
    accuracy = metrics.SparseCategoricalAccuracy()
    y_true, y_pred = jnp.array([[0, 1], [1, 1]]), jnp.eye(2)[jnp.array([[0, 0], [1, 1]])]
    assert float(value(accuracy, (y_true, y_pred, jnp.array([[1.0, 0.0], [1.0, 1.0]])))) == 1.0
    with pytest.raises(InputError, match="sample_weight"):
        metrics.Mean().update(metrics.Mean().empty(), jnp.ones(()), jnp.ones(3))


def test_functions():
    def error(y_true, y_pred):
        return jnp.abs(y_true - y_pred)

    metric = metrics.get(error)
    assert isinstance(metric, metrics.FunctionMetric)
    assert (metric.name, metric.direction, metric.applies_mask) == ("error", None, True)
    assert metric == metrics.get(error)
    assert value(metric, (jnp.zeros(2), jnp.ones(2)), (jnp.zeros(4), 4 * jnp.ones(4))) == 3.0
    assert metrics.get(losses.huber).direction == "down"
    assert metrics.get(losses.Huber()).name == "huber_loss"
    scaled = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5)
    assert float(value(scaled, (jnp.ones((2, 1)), jnp.zeros((2, 1))))) == pytest.approx(0.375)
    assert scaled.replace(name="other") == metrics.MeanMetricWrapper(losses.huber, "other", delta=0.5)

    def total(y_true, y_pred):
        return jnp.mean(jnp.abs(y_true - y_pred))

    # A number per batch counts once per batch, and no batch may be filled up for it.
    assert value(metrics.get(total), (jnp.zeros(2), jnp.ones(2)), (jnp.zeros(4), 4 * jnp.ones(4))) == 2.5
    y = jax.ShapeDtypeStruct((4, 1), "float32")
    assert metrics.per_sample(metrics.get(error), y, y)
    assert not metrics.per_sample(metrics.get(total), y, y)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("mse", metrics.MeanSquaredError()),
        ("MAE", metrics.MeanAbsoluteError()),
        ("accuracy", metrics.Accuracy()),
        ("AUC", metrics.AUC()),
        ("auc", metrics.AUC()),
        ("f1_score", metrics.F1Score()),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy()),
        (metrics.Recall, metrics.Recall()),
        ({"class_name": "Recall", "config": {"top_k": 2}}, metrics.Recall(top_k=2)),
        (None, None),
    ],
)
def test_get(identifier, expected):
    assert metrics.get(identifier) == expected


def test_get_errors():
    with pytest.raises(UnknownNameError, match="'binary_accuracy'"):
        metrics.get("binary_acuracy")
    with pytest.raises(SignatureError, match="num_classes"):
        metrics.get("mean_io_u")
    with pytest.raises(ArgumentError):
        metrics.get(3)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((None,), (None, 1), "Binary"),
        ((None, 1), (None, 4), "SparseCategorical"),
        ((None, 7), (None, 7, 4), "SparseCategorical"),
        ((None, 4), (None, 4), "Categorical"),
    ],
)
def test_by_shape(y_true, y_pred, kind):
    assert type(metrics.accuracy_for(y_true, y_pred)).__name__ == f"{kind}Accuracy"
    assert type(metrics.crossentropy_for(y_true, y_pred)).__name__ == f"{kind}Crossentropy"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.AUC(curve="RIC"), "ROC"),
        (lambda: metrics.AUC(summation_method="sum"), "interpolation"),
        (lambda: metrics.AUC(num_labels=3), "multi_label"),
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), "from 0 to 1"),
        (lambda: metrics.Precision(top_k=0), "top_k"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall"),
        (lambda: metrics.FBetaScore(beta=0.0), "above 0"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.IoU(2, [2]), "below num_classes=2"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
    ],
)
def test_arguments(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("metric", [metrics.AUC(), metrics.F1Score(), metrics.Precision(), metrics.R2Score()])
def test_data_that_does_not_fit(metric):
    with pytest.raises(InputError, match="to_categorical|needs"):
        value(metric, (jnp.zeros(4), jnp.zeros((4, 3))))


def test_ignored_class_does_not_count():
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    y_true, y_pred = jnp.array([0, -1, 1]), jnp.array([[0.5, 0.5], [0.9, 0.1], [0.75, 0.25]])
    expected = value(metrics.SparseCategoricalCrossentropy(), (y_true[::2], y_pred[::2]))
    np.testing.assert_allclose(value(metric, (y_true, y_pred)), expected, rtol=1e-6)
    np.testing.assert_allclose(value(metric, (y_true, y_pred, jnp.array([1.0, 5.0, 1.0]))), expected, rtol=1e-6)
    np.testing.assert_allclose(
        metric.compute(metric.update(metric.empty(), y_true, y_pred)),
        losses.SparseCategoricalCrossentropy(ignore_class=-1)(y_true, y_pred),
        rtol=1e-6,
    )


def test_hinge_of_a_filled_up_batch_keeps_its_labels():
    y_true, y_pred = jnp.array([[1.0], [0.0], [-1.0]]), jnp.array([[0.3], [0.2], [0.1]])
    weights = jnp.array([1.0, 1.0, 0.0])
    np.testing.assert_allclose(
        value(metrics.Hinge(), (y_true, y_pred, weights)), value(metrics.Hinge(), (y_true[:2], y_pred[:2]))
    )


def test_half_precision_predictions_are_scored_in_float32():
    y_pred = jnp.array([[1.0], [2.0], [3.0]], jnp.bfloat16)
    y_true = jnp.array([[1.001], [2.002], [3.003]])
    expected = np.mean(np.abs(np.asarray(y_true) - np.array([[1.0], [2.0], [3.0]])))
    np.testing.assert_allclose(value(metrics.MeanAbsoluteError(), (y_true, y_pred)), expected, rtol=1e-3)
    big = jnp.zeros((2, 600), jnp.bfloat16).at[0, 513].set(1).at[1, 514].set(1)
    assert value(metrics.SparseCategoricalAccuracy(), (jnp.array([513, 515]), big)) == 0.5


@settings(deadline=None, max_examples=25)
@given(
    thresholds=st.lists(st.integers(0, 20), min_size=3, max_size=3).map(lambda v: tuple(x / 20 for x in v)),
    seed=st.integers(0, 1000),
)
def test_counts_at_thresholds(thresholds, seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, 2, size=8), (rng.integers(0, 21, size=8) / 20).astype("float32")
    weights = rng.uniform(size=8).astype("float32")
    found = counts(histogram(y_true, y_pred, weights, thresholds, False, "float32"), thresholds)
    predicted = y_pred[None] > np.asarray(thresholds, "float32")[:, None]
    for ours, hit in zip(
        found,
        (predicted & (y_true == 1), predicted & (y_true == 0), ~predicted & (y_true == 0), ~predicted & (y_true == 1)),
        strict=True,
    ):
        np.testing.assert_allclose(ours, (hit * weights).sum(1), atol=1e-5)


def test_even_thresholds_find_the_same_buckets():
    thresholds = tuple(i / 199 for i in range(200))
    y_pred = jnp.asarray(np.random.default_rng(0).uniform(size=1000).astype("float32"))
    np.testing.assert_array_equal(exceeded(y_pred, thresholds, True), exceeded(y_pred, thresholds, False))
    assert exceeded(jnp.array([jnp.nan, 0.0, 1.0]), thresholds, True).tolist() == [0, 0, 199]


def test_scan_and_vmap():
    metric = metrics.F1Score(average="macro")
    rng = np.random.default_rng(0)
    y_true = jnp.asarray(np.eye(3, dtype="float32")[rng.integers(0, 3, size=(4, 5))])
    y_pred = jnp.asarray(rng.uniform(size=(4, 5, 3)).astype("float32"))
    specs = jax.ShapeDtypeStruct((5, 3), "float32")
    state, _ = jax.lax.scan(
        lambda s, batch: (metric.update(s, *batch), None), metric.empty(specs, specs), (y_true, y_pred)
    )
    apart = jax.vmap(lambda t, p: metric.update(metric.empty(t, p), t, p))(y_true, y_pred)
    merged = jax.tree.map(lambda x: x.sum(0), apart)
    np.testing.assert_allclose(metric.compute(state), metric.compute(merged), rtol=1e-6)
    np.testing.assert_allclose(
        metric.compute(state), value(metric, (y_true.reshape(-1, 3), y_pred.reshape(-1, 3))), rtol=1e-6
    )


def test_base_class_asks_for_its_methods():
    with pytest.raises(NotImplementedError, match="empty"):
        metrics.Metric().empty()
    with pytest.raises(NotImplementedError, match="values"):
        metrics.MeanMetric().values(None, None)
