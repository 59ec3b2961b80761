"""Every loss against Keras: values, gradients, reductions, weights, masks, configuration."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import losses
from jkeras.losses import identifiers

# The last two are other names of the first and the fourth.
REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", None, "mean", "none"]


def real(rng, shape):
    return rng.normal(size=shape).astype("float32"), rng.normal(size=shape).astype("float32")


def positive(rng, shape):
    return tuple(rng.uniform(0.1, 3.0, size=shape).astype("float32") for _ in range(2))


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], size=shape).astype("float32"), rng.normal(size=shape).astype("float32")


def bits(rng, shape):
    return rng.integers(0, 2, size=shape), rng.uniform(0.02, 0.98, size=shape).astype("float32")


def bit_logits(rng, shape):
    return rng.integers(0, 2, size=shape), rng.normal(size=shape).astype("float32") * 3


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def one_hot(rng, shape):
    ids = rng.integers(0, shape[-1], size=shape[:-1])
    return np.eye(shape[-1], dtype="float32")[ids], softmax(rng.normal(size=shape)).astype("float32")


def one_hot_logits(rng, shape):
    return one_hot(rng, shape)[0], rng.normal(size=shape).astype("float32") * 3


def unnormalised(rng, shape):
    return one_hot(rng, shape)[0], rng.uniform(0.1, 2.0, size=shape).astype("float32")


def probabilities(rng, shape):
    return tuple(softmax(rng.normal(size=shape)).astype("float32") for _ in range(2))


def ids(rng, shape):
    return rng.integers(0, shape[-1], size=shape[:-1]), softmax(rng.normal(size=shape)).astype("float32")


def ids_column(rng, shape):
    y_true, y_pred = ids(rng, shape)
    return y_true[..., None], y_pred


def id_logits(rng, shape):
    return ids(rng, shape)[0], rng.normal(size=shape).astype("float32") * 3


def sequences(rng, shape):
    y_true = rng.integers(1, 4, size=(4, 3))
    y_true[1, 2:] = 0
    y_true[2] = [2, 2, 1]
    return y_true, rng.normal(size=(4, 7, 4)).astype("float32")


def embeddings(rng, shape):
    x = rng.normal(size=(6, 4)).astype("float32")
    return np.array([0, 1, 0, 2, 1, 3]), x / np.linalg.norm(x, axis=1, keepdims=True)


CASES = [
    ("MeanSquaredError", {}, real),
    ("MeanAbsoluteError", {}, real),
    ("MeanAbsolutePercentageError", {}, positive),
    ("MeanSquaredLogarithmicError", {}, real),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("CosineSimilarity", {}, real),
    ("CosineSimilarity", {"axis": 1}, real),
    ("Huber", {}, real),
    ("Huber", {"delta": 0.4}, real),
    ("LogCosh", {}, real),
    ("Hinge", {}, signs),
    ("Hinge", {}, bit_logits),
    ("SquaredHinge", {}, signs),
    ("SquaredHinge", {}, bit_logits),
    ("CategoricalHinge", {}, one_hot_logits),
    ("KLDivergence", {}, probabilities),
    ("Poisson", {}, positive),
    ("BinaryCrossentropy", {}, bits),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, bits),
    ("BinaryCrossentropy", {"from_logits": True}, bit_logits),
    ("BinaryFocalCrossentropy", {}, bits),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, bits),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, bit_logits),
    ("CategoricalCrossentropy", {}, one_hot),
    ("CategoricalCrossentropy", {}, unnormalised),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, one_hot),
    ("CategoricalCrossentropy", {"from_logits": True}, one_hot_logits),
    ("CategoricalFocalCrossentropy", {}, one_hot),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1, "gamma": 1.5}, one_hot_logits),
    ("CategoricalGeneralizedCrossEntropy", {}, ids),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.3}, ids),
    ("SparseCategoricalCrossentropy", {}, ids),
    ("SparseCategoricalCrossentropy", {}, ids_column),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, id_logits),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, ids),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, id_logits),
    ("CTC", {}, sequences),
    ("Dice", {}, bits),
    ("Dice", {"axis": (1,)}, bits),
    ("Tversky", {"alpha": 0.3, "beta": 0.6}, bits),
    ("Tversky", {"axis": (1,)}, bits),
    ("Circle", {}, embeddings),
    ("Circle", {"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}, embeddings),
]
IDS = [f"{name}-{'-'.join(map(str, kwargs.values())) or 'default'}-{data.__name__}" for name, kwargs, data in CASES]
# Circle compares rows, Dice and Tversky without an axis sum over them.
BY_ROW = [case for case in CASES if case[0] != "Circle" and (case[0] not in ("Dice", "Tversky") or "axis" in case[1])]
contract = pytest.mark.parametrize(("name", "kwargs", "data"), CASES, ids=IDS)


@contract
def test_means_over_batches_are_means_over_rows_where_the_loss_says_so(name, kwargs, data, rng):
    loss = getattr(losses, name)(**kwargs)
    batches = [data(rng, (4, 3)) for _ in range(2)]
    first = tuple(part[:3] for part in batches[0])
    parts = [first, batches[1]]
    sizes = [len(part[0]) for part in parts]
    if not identifiers.averages_rows(loss, *map(spec, batches[0])):
        assert loss.mixes_samples or name in ("Hinge", "SquaredHinge", "Dice", "Tversky") or "ignore_class" in kwargs
        return
    assert name not in ("Hinge", "SquaredHinge") and not identifiers.averages_rows(
        loss.replace(reduction="sum"), *map(spec, batches[0])
    )
    weights = [rng.uniform(0.1, 2, size=size).astype("float32") for size in sizes]
    whole = [np.concatenate(both) for both in zip(*parts, strict=True)]
    for of_parts, of_all in ((weights, np.concatenate(weights)), ([None, None], None)):
        values = [loss(*part, weight) for part, weight in zip(parts, of_parts, strict=True)]
        np.testing.assert_allclose(np.average(values, weights=sizes), loss(*whole, of_all), rtol=1e-5)


def spec(array):
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def pair(name, kwargs, reduction="sum_over_batch_size"):
    options = {**kwargs, "reduction": reduction}
    return getattr(losses, name)(**options), getattr(keras.losses, name)(**options)


def equal(pairs, **tolerance):
    for what, (ours, theirs) in pairs.items():
        np.testing.assert_allclose(ours, theirs, **{"rtol": 1e-5, "atol": 1e-6, **tolerance}, err_msg=what)


def with_mask(y_pred, mask):
    y_pred = jnp.asarray(y_pred)
    keras.src.backend.set_keras_mask(y_pred, jnp.asarray(mask))
    return y_pred


def scores(name, kwargs, reduction, y_true, y_pred, weights, mask):
    """Pairs (ours, Keras's) of a loss with and without weights and a mask."""
    ours, theirs = pair(name, kwargs, reduction)
    y_pred = y_pred + 0  # an array of its own: Keras hangs masks on arrays
    plain = theirs(y_true, y_pred)
    pairs = {
        f"{reduction}": (ours(y_true, y_pred), plain),
        f"{reduction}, weighted": (ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights)),
    }
    if plain.ndim or reduction not in ("none", None):
        masked = with_mask(y_pred, mask)
        pairs[f"{reduction}, masked"] = ours(y_true, y_pred, mask=mask), theirs(y_true, masked)
        pairs[f"{reduction}, both"] = ours(y_true, y_pred, weights, mask), theirs(y_true, masked, weights)
    return pairs


def covered() -> set[str]:
    """The names that this module compares with Keras: classes, and the functions that they call."""
    classes = {name for name, _, _ in CASES}
    return {f"keras.losses.{found}" for name in classes for found in (name, getattr(losses, name).function.__name__)}


@contract
def test_values_and_gradients(name, kwargs, data, rng):
    y_true, y_pred = data(rng, (5, 3))

    @jax.jit
    def both(y_pred):
        return [jax.value_and_grad(lambda p, loss=loss: loss(y_true, p))(y_pred) for loss in pair(name, kwargs)]

    (value, gradient), (expected, expected_gradient) = both(y_pred)
    assert np.isfinite(gradient).all()
    # Keras's gradient of Circle is not a number where a sample has no partner.
    finite = np.isfinite(expected_gradient)
    pairs = {"value": (value, expected), "gradient": (gradient[finite], expected_gradient[finite])}
    equal(pairs, atol=1e-5)


@contract
def test_reductions_weights_and_masks(name, kwargs, data, rng):
    y_true, y_pred = data(rng, (5, 3))
    rows = len(y_true)
    weights = rng.uniform(0, 2, size=rows).astype("float32")
    mask = np.array([True] * (rows - 2) + [False, True])
    one_program = jax.jit(lambda p: [scores(name, kwargs, r, y_true, p, weights, mask) for r in REDUCTIONS[:4]])
    for pairs in one_program(y_pred):
        equal(pairs)


@pytest.mark.parametrize(
    ("name", "kwargs", "data"),
    [
        ("MeanSquaredError", {}, real),
        ("SparseCategoricalCrossentropy", {}, ids),
        ("SparseCategoricalCrossentropy", {"ignore_class": 2}, ids),
        ("CategoricalCrossentropy", {"from_logits": True}, one_hot_logits),
        ("BinaryCrossentropy", {}, bits),
    ],
)
def test_sequences_with_step_masks_and_weights(name, kwargs, data, rng):
    y_true, y_pred = data(rng, (3, 4, 5))
    weights = rng.uniform(0, 2, size=(3, 4)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
    one_program = jax.jit(lambda p: [scores(name, kwargs, r, y_true, p, weights, mask) for r in REDUCTIONS])
    for pairs in one_program(y_pred):
        equal(pairs)


@pytest.mark.parametrize(("name", "kwargs", "data"), BY_ROW)
def test_a_filled_up_batch_scores_as_the_batch_itself(name, kwargs, data, rng):
    y_true, y_pred = data(rng, (5, 3))
    rows = len(y_true)
    weights = rng.uniform(0.1, 2, size=rows).astype("float32")
    filled_true = np.concatenate([y_true, np.full_like(y_true[:2], 7)])
    filled_pred = np.concatenate([y_pred, np.full_like(y_pred[:2], np.nan)])
    filled_weights = np.concatenate([weights, np.full(2, np.inf, "float32")])
    valid = np.arange(rows + 2) < rows

    @jax.jit
    def results(y_pred, filled_pred):
        pairs = {}
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            ours, _ = pair(name, kwargs, reduction)
            assert losses.per_sample(ours, y_true, y_pred)

            def score(p, truth, weights, valid, loss=ours):
                return loss(truth, p, weights, valid)

            for what, some, more in (("plain", None, None), ("weighted", weights, filled_weights)):
                value, gradient = jax.value_and_grad(score)(y_pred, y_true, some, None)
                filled, filled_gradient = jax.value_and_grad(score)(filled_pred, filled_true, more, valid)
                pairs[f"{reduction}, {what}"] = filled, value
                pairs[f"{reduction}, {what}, gradient"] = filled_gradient[:rows], gradient
                pairs[f"{reduction}, {what}, gradient of the filling"] = (
                    filled_gradient[rows:],
                    jnp.zeros_like(filled_gradient[rows:]),
                )
        return pairs

    equal(results(y_pred, filled_pred))


@pytest.mark.parametrize("cls", identifiers.CLASSES, ids=lambda c: c.__name__)
def test_class_is_kerass_class(cls):
    theirs = getattr(keras.losses, cls.__name__)
    assert cls().get_config() == theirs().get_config()
    parameters = {k: p.default for k, p in inspect.signature(cls).parameters.items()}
    assert list(parameters.items()) == [(k, p.default) for k, p in inspect.signature(theirs).parameters.items()]
    assert cls.from_config(cls(reduction="sum").get_config()) == cls(reduction="sum")
    assert losses.deserialize(losses.serialize(cls(name="mine"))) == cls(name="mine")
    assert theirs.from_config(cls().get_config()).get_config() == cls().get_config()
    function = cls.function
    expected = [
        (k, p.default) for k, p in inspect.signature(getattr(keras.losses, function.__name__)).parameters.items()
    ]
    assert [(k, p.default) for k, p in inspect.signature(function).parameters.items()] == expected


def test_arguments_that_keras_forgets_are_kept():
    for loss in (losses.Huber(2.0), losses.CosineSimilarity(axis=1), losses.MeanSquaredError(dtype="bfloat16")):
        assert losses.deserialize(losses.serialize(loss)) == loss
