"""A cross-entropy of what is known as a softmax is computed from its logits, and its numbers are Keras's."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as drop_in
from jkeras import activations, losses, lowering

CLASSES = 5
IDS = np.random.default_rng(0).integers(0, CLASSES, 64)
ONE_HOT = np.eye(CLASSES, dtype="float32")[IDS]
X = np.random.default_rng(1).normal(size=(64, 6)).astype("float32")

# How each library is asked for a loss, and its targets.
LOSSES = {
    "ids, by name": (lambda k: "sparse_categorical_crossentropy", IDS),
    "ids": (lambda k: k.losses.SparseCategoricalCrossentropy(), IDS),
    "ignored class": (lambda k: k.losses.SparseCategoricalCrossentropy(ignore_class=2), IDS),
    "vectors, by name": (lambda k: "categorical_crossentropy", ONE_HOT),
    "smoothed": (lambda k: k.losses.CategoricalCrossentropy(label_smoothing=0.1), ONE_HOT),
    "function": (lambda k: k.losses.sparse_categorical_crossentropy, IDS),
}
ENDS = {
    "activation": lambda k: [k.layers.Dense(CLASSES, activation="softmax")],
    "layer": lambda k: [k.layers.Dense(CLASSES), k.layers.Softmax()],
}


@pytest.fixture
def found(monkeypatch):
    """Whether logits were found, each time that a loss asked for them in a step of training or evaluation."""
    answers = []
    original = lowering.logits_of

    def spy(*args):
        logits = original(*args)
        answers.append(logits is not None)
        return logits

    monkeypatch.setattr(lowering, "logits_of", spy)
    return answers


def trained(k, case, end, weights):
    """The loss before training, and the weights after three epochs of a model that starts from `weights`."""
    loss, y = LOSSES[case]
    net = k.Sequential([k.Input((6,)), *ENDS[end](k)])
    optimizer = k.optimizers.SGD(0.1)
    loss = loss(k)
    if k is jk:
        net = net.build_for(X).compile(optimizer, loss).set_weights(weights)
        before = net.evaluate(X, y, verbose=0)
        net = net.fit(X, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    else:
        net.compile(optimizer, loss)
        net.set_weights(weights)
        before = net.evaluate(X, y, verbose=0)
        net.fit(X, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    return before, net.get_weights()


# Large weights saturate: probabilities are beyond the bounds that Keras clips them to, and have no gradient there.
@pytest.mark.parametrize("scale", [0.3, 5, 100])
@pytest.mark.parametrize("case", LOSSES)
@pytest.mark.parametrize("k", [jk, drop_in], ids=["immutable", "drop-in"])
def test_numbers_are_those_of_keras(k, case, scale):
    draw = np.random.default_rng(2)
    weights = [draw.normal(0, scale, (6, CLASSES)).astype("float32"), np.zeros(CLASSES, "float32")]
    end = "layer" if scale == 5 else "activation"
    loss, got = trained(k, case, end, weights)
    expected_loss, expected = trained(keras, case, end, weights)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", LOSSES)
@pytest.mark.parametrize("k", [jk, drop_in], ids=["immutable", "drop-in"])
def test_logits_are_found(k, case, found):
    """In training; a model of a size of its own, since equal programs are compiled once."""
    loss, y = LOSSES[case]
    net = k.Sequential([k.Input((6,)), k.layers.Dense(9 + list(LOSSES).index(case)), *ENDS["activation"](k)])
    compiled = net.compile("sgd", loss(k))
    found.clear()
    _ = (net if compiled is None else compiled).fit(X, y, batch_size=len(y) // 2, verbose=0)
    assert True in found


def values_and_gradients(loss, y, logits, axis=-1, remembered=True):
    def total(logits):
        return jnp.sum(loss(y, activations.softmax(logits, axis)))

    if remembered:
        total = lowering.remembered()(total)
    return jax.value_and_grad(total)(logits)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (losses.sparse_categorical_crossentropy, jnp.array([0, 1, 7])),  # there is no class 7
        (losses.categorical_crossentropy, jnp.eye(3)),
    ],
)
def test_impossible_classes_have_finite_losses(loss, y):
    logits = jnp.array([[-jnp.inf, 0.0, 1.0], [3.0, -200.0, 0.0], [0.0, 1.0, 2.0]])
    for one, other in zip(
        values_and_gradients(loss, y, logits), values_and_gradients(loss, y, logits, remembered=False), strict=True
    ):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("axis", [1, -1, 0])
def test_the_axis_counts(axis, found):
    logits = jax.random.normal(jax.random.key(0), (4, 4, 4))
    y = jax.nn.one_hot(jnp.zeros((4, 4), int), 4, axis=1)
    loss = functools.partial(losses.categorical_crossentropy, axis=1)
    one, other = (values_and_gradients(loss, y, logits, axis, remembered) for remembered in (True, False))
    assert found == [axis == 1, False]
    np.testing.assert_allclose(one[1], other[1], rtol=1e-5, atol=1e-6)


def test_rounded_probabilities_count_as_they_are(found):
    """In 16 bits, and where a user asks for the plain forms."""
    logits = jax.random.normal(jax.random.key(0), (8, 4))
    y = jnp.arange(8) % 4
    values_and_gradients(losses.sparse_categorical_crossentropy, y, logits.astype("bfloat16"))
    with lowering.use("plain"):
        values_and_gradients(losses.sparse_categorical_crossentropy, y, logits)
    assert found == [False, False]


def test_nothing_is_remembered_outside_of_a_step():
    probabilities = activations.softmax(jnp.ones((2, 3)))
    with lowering.remembered():
        inside = activations.softmax(jnp.ones((2, 3)))
        assert lowering.logits_of(inside, 1) is not None
        assert lowering.logits_of(probabilities, 1) is None
    assert lowering.logits_of(inside, 1) is None


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_divided_classes_are_summed_once(loss):
    """A sum over devices for the largest logit and one for the normalizer, as if the loss were written from logits."""
    mesh = jk.distribute.DeviceMesh((1, 4), ["batch", "model"], devices=4)
    layout = jk.distribute.LayoutMap(mesh, {"dense/kernel": (None, "model"), "dense/bias": ("model",)})

    def sums(end, **options):
        net = jk.Sequential([jk.Input((16,)), jk.layers.Dense(32, activation=end)])
        name = "".join(part.title() for part in loss.split("_"))
        net = net.compile("sgd", getattr(losses, name)(**options))
        plan = jk.distribute.plan(net, 8, "here", jk.distribute.ModelParallel(layout_map=layout))
        return {each.kind: each.count for each in plan.collectives}

    assert sums("softmax") == sums(None, from_logits=True)
