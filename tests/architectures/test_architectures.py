"""Architectures: those of keras.applications load its weight files and give its numbers; all of them train."""

import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import architectures, errors

RNG = np.random.default_rng(0)


IN_KERAS = ["ResNet50", "MobileNetV2", "EfficientNetB0"]


def pair(name):
    size = 33 if name == "EfficientNetB0" else 32
    oracle = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=7)
    return oracle, getattr(architectures, name)((size, size, 3), classes=7), size


@pytest.mark.parametrize("name", IN_KERAS)
def test_layers_and_weights_are_keras(name, monkeypatch):
    # Only names and shapes are compared: nothing has to be drawn, which takes a compilation for each shape.
    for kind in (keras.initializers.VarianceScaling, keras.initializers.Zeros, keras.initializers.Ones):
        monkeypatch.setattr(kind, "__call__", lambda self, shape, dtype=None: np.zeros(shape, "float32"))
    oracle, model, _ = pair(name)
    theirs = [(w.path, tuple(w.shape)) for w in oracle.weights if "normalization/" not in w.path]
    if name == "EfficientNetB0":
        theirs = [(path, shape) for path, shape in theirs if not path.startswith("normalization")]
    assert [(w.name, w.shape) for w in model.description.weights] == theirs


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_KERAS)
def test_numbers_are_keras(name, tmp_path):
    oracle, model, size = pair(name)
    # Statistics that are not those of a fresh model, so that normalization counts.
    weights = [w + RNG.uniform(0, 0.05, w.shape).astype("float32") for w in oracle.get_weights()]
    if name == "EfficientNetB0":  # Keras keeps the mean, the variance and the count of what it adapted to
        kept = [np.zeros(3), np.ones(3), np.zeros(())]
        weights[:3] = [k.astype(w.dtype).reshape(w.shape) for k, w in zip(kept, weights[:3], strict=True)]
    oracle.set_weights(weights)
    oracle.save_weights(tmp_path / "net.weights.h5")
    model = model.load_weights(tmp_path / "net.weights.h5")
    x = RNG.uniform(0, 255, (2, size, size, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), oracle.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_sizes():
    # He et al. and torchvision: 11,689,512 and 21,797,672 weights without the biases before normalizations, which Keras has.
    biases = {"ResNet18": 4800, "ResNet34": 8512}
    for name, known in (("ResNet18", 11_689_512), ("ResNet34", 21_797_672)):
        model = getattr(architectures, name)()
        count = sum(int(np.prod(w.shape)) for w in model.description.weights if w.collection == "params")
        assert count - biases[name] == known


@pytest.mark.parametrize(
    ("build", "shape", "loss"),
    [
        pytest.param(
            lambda: architectures.ViTTiny((8, 8, 1), 3, patch_size=4, width=12, depth=1, heads=3),
            (8, 8, 1),
            "class",
            marks=pytest.mark.slow,
        ),
        (lambda: architectures.GPT(5, 16, width=8, depth=1, heads=2), (8,), "tokens"),
        pytest.param(
            lambda: architectures.UNet((8, 8, 1), filters=4, depth=2), (8, 8, 1), "pixels", marks=pytest.mark.slow
        ),
    ],
    ids=["vit", "gpt", "unet"],
)
def test_training(build, shape, loss, tmp_path):
    model = build()
    x = RNG.integers(0, 5, (8, *shape)) if loss == "tokens" else RNG.normal(size=(8, *shape)).astype("float32")
    if loss == "class":
        y, name = RNG.integers(0, 3, 8), "sparse_categorical_crossentropy"
    elif loss == "tokens":
        y, name = np.roll(x, -1, axis=1), jk.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        y, name = (x > 0).astype("float32"), "binary_crossentropy"
    trained = model.compile(jk.optimizers.Adam(0.01), name).fit(x, y, epochs=12, verbose=0)
    assert trained.history["loss"][-1] < 0.9 * trained.history["loss"][0]
    trained.save(tmp_path / "model.keras")
    again = jk.load_model(tmp_path / "model.keras", custom_objects={"Positions": architectures.transformer.Positions})
    np.testing.assert_array_equal(again.predict(x, verbose=0), trained.predict(x, verbose=0))


def test_gpt_does_not_look_ahead():
    model = architectures.GPT(7, 16, width=8, depth=2, heads=2)
    x = RNG.integers(0, 7, (1, 6))
    changed = np.concatenate([x[:, :4], (x[:, 4:] + 1) % 7], axis=1)
    np.testing.assert_allclose(model(x)[:, :4], model(changed)[:, :4], atol=1e-6)
    assert not np.allclose(model(x)[:, 4:], model(changed)[:, 4:])
    assert model(x[:, :3]).shape == (1, 3, 7)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: architectures.ViTTiny((30, 32, 3), patch_size=16), "30 x 32"),
        (lambda: architectures.GPT(5, heads=3), "divisor"),
        (lambda: architectures.GPT(5, 8), "at least 16"),
        (lambda: architectures.UNet((30, 32, 3)), "multiples of 16"),
        (lambda: architectures.ResNet18(include_top=False, pooling="mean"), "'avg' or 'max'"),
    ],
)
def test_bad_input(build, words):
    with pytest.raises(errors.ArgumentError, match=words):
        build()
