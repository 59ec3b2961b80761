"""Products, places of largest values and chosen values against JAX's own forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import losses, lowering, metrics
from jkeras.lowering import products


def both(function, *args):
    """Results in the two forms."""
    found = {}
    for form in ("auto", "plain"):
        with lowering.use(form):
            found[form] = jax.jit(lambda *args: function(*args))(*args)
    return found["auto"], found["plain"]


@pytest.mark.parametrize(
    ("shape", "kernel", "contracted"),
    [
        ((5, 3), (3, 4), 1),
        ((2, 6, 3), (3, 4), 1),
        ((2, 6, 3), (3, 2, 4), 1),
        ((2, 6, 2, 3), (2, 3, 4), 2),
        ((0, 6, 3), (3, 4), 1),
    ],
)
def test_products(shape, kernel, contracted, rng):
    x, w = (rng.normal(size=size).astype("float32") for size in (shape, kernel))

    def results(x, w):
        y, back = jax.vjp(lambda x, w: lowering.product(x, w, contracted), x, w)
        return y, back(jnp.cos(jnp.arange(y.size).reshape(y.shape) * 1.0))

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), *both(results, x, w))
    expected = np.tensordot(x, w, contracted)
    np.testing.assert_allclose(lowering.product(x, w, contracted), expected, rtol=1e-5, atol=1e-5)


def test_places_of_largest_values(rng):
    x = rng.integers(0, 20, size=(12, 100)).astype("float32")  # many ties
    x[1, 40:50] = np.nan
    x[2] = -np.inf
    x[3, 99] = np.inf
    for array in (x, x[4:].astype("int32")):
        ours, plain = both(lowering.last_argmax, array)
        np.testing.assert_array_equal(ours, plain)
        np.testing.assert_array_equal(ours, np.argmax(array, -1))


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
@pytest.mark.parametrize("scale", [0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-3, 1, 1e2, 1e37])
def test_places_of_largest_probabilities_are_found_from_logits(scale, classes, rng):
    z = rng.normal(size=(2_000, classes)).astype("float32")
    z = np.concatenate([z * np.float32(scale) + shift for shift in (0, 1, -5)])  # the smallest scales: ties by rounding
    z[:4, 0], z[3:5, -1] = (np.nan, np.inf, -np.inf, np.inf), np.nan
    expected = jnp.argmax(jax.jit(jax.nn.softmax)(z), -1)
    np.testing.assert_array_equal(jax.jit(products.softmax_argmax)(z), expected)


@pytest.mark.parametrize("classes", [10, 100])
def test_accuracies_of_a_softmax_look_at_its_logits_on_accelerators(classes, rng):
    @lowering.remembered()
    def score(z, ids):
        y = lowering.softmax(z, -1)
        one_hot = jax.nn.one_hot(ids, classes)
        return metrics.sparse_categorical_accuracy(ids, y), metrics.categorical_accuracy(one_hot, y)

    def text(*platforms):
        return jax.jit(score).trace(z, ids).lower(lowering_platforms=platforms).as_text()

    z, ids = rng.normal(size=(40, classes)).astype("float32"), rng.integers(0, classes, 40)
    assert [text(name).count("exponential") for name in ("cpu", "cuda", "tpu")] == [1, 3, 3]
    ours, plain = both(score, z, ids)
    jax.tree.map(np.testing.assert_array_equal, ours, plain)


@pytest.mark.parametrize("dtype", ["int32", "bfloat16", "float16"])
def test_what_softmaxes_of_other_types_were_taken_of_is_not_used(dtype):
    z, ids = jnp.array([[0, 1, 2], [2, 1, 0], [0, 2, 1]], dtype), jnp.array([2, 1, 7])
    with lowering.remembered():
        y = lowering.softmax(z, -1)
        assert lowering.logits_of(y, -1) is None
        np.testing.assert_array_equal(metrics.sparse_categorical_accuracy(ids, y), [1, 0, 0])


@pytest.mark.parametrize("axis", [-1, 1])
def test_chosen_values(axis, rng):
    x = rng.normal(size=(4, 5, 6)).astype("float32")
    ids = rng.integers(-1, 8, size=np.delete(x.shape, axis)).astype("int32")

    def results(x):
        pick = lambda x: lowering.chosen(x, ids, axis)  # noqa: E731
        y, back = jax.vjp(pick, x)
        return y, back(y * 2), jax.jvp(pick, (x,), (x,))[1]

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), *both(results, x))


@pytest.mark.parametrize("from_logits", [True, False])
def test_the_loss_of_class_ids_is_that_of_one_hot_vectors(from_logits, rng):
    z = rng.normal(size=(8, 70)).astype("float32") * 8  # some probabilities are clipped
    ids = np.argmin(z, -1)
    ids[4:] = np.argmax(z[4:], -1)
    one_hot = np.eye(70, dtype="float32")[ids]

    def loss(function, targets):
        def value(z):
            y = z if from_logits else jax.nn.softmax(z)
            return jnp.sum(function(targets, y, from_logits=from_logits))

        return jax.value_and_grad(value)(z)

    ours = loss(losses.sparse_categorical_crossentropy, ids)
    theirs = loss(losses.categorical_crossentropy, one_hot)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), ours, theirs)
    assert np.any(np.asarray(jax.nn.softmax(z)) < 1e-7)


@pytest.mark.parametrize("classes", [3, 100])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32"])
@pytest.mark.parametrize("kind", ["int32", "uint8", "float32"])
def test_whether_an_index_is_that_of_the_largest_value(classes, dtype, kind, rng):
    x = rng.integers(0, 20, size=(300, classes)).astype("float32")  # many ties
    if dtype != "int32":
        x[10:20, classes // 2 :] = np.nan
        x[20:30] = np.where(rng.random((10, classes)) < 0.5, np.nan, np.inf)
        x[30:40] = -np.inf
        x[40:50] = np.nan
    x = jnp.asarray(x).astype(dtype)
    first = np.argmax(np.asarray(x), -1)
    ids = np.where(rng.random(300) < 0.5, first, rng.integers(-2, classes + 3, size=300))
    ids[50:60] = np.argmax(np.asarray(x)[50:60, ::-1], -1)  # the last largest, from the end
    ids = np.asarray(ids).astype(kind)
    ours, plain = both(lowering.is_argmax, x, ids)
    np.testing.assert_array_equal(ours, plain)
    np.testing.assert_array_equal(ours, ids == first)
    ours, plain = both(
        lowering.is_argmax, x.reshape(3, 100, classes), ids.reshape(3, 100) + (0.5 if kind == "float32" else 0)
    )
    np.testing.assert_array_equal(ours, plain)
