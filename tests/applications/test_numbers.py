"""Every family gives Keras's numbers, on both faces, with weights that Keras has written."""

import keras
import numpy as np
import pytest

import jkeras.keras as dropin
from jkeras import applications
from tests.applications.facts import without_drawing_here

# Small images; with the classifier where it does not fix the size.
CASES = [
    ("ConvNeXtTiny", {"input_shape": (32, 40, 3)}),
    ("DenseNet121", {"input_shape": (32, 40, 3)}),
    ("EfficientNetB0", {"input_shape": (33, 40, 3)}),
    ("EfficientNetV2B0", {"input_shape": (32, 40, 3)}),
    ("EfficientNetV2S", {"input_shape": (32, 40, 3)}),
    ("InceptionResNetV2", {"input_shape": (75, 80, 3)}),
    ("InceptionV3", {"input_shape": (75, 80, 3)}),
    ("MobileNet", {"input_shape": (32, 40, 3), "alpha": 0.25}),
    ("MobileNetV2", {"input_shape": (32, 40, 3), "alpha": 0.35}),
    ("MobileNetV3Small", {"input_shape": (32, 40, 3)}),
    ("MobileNetV3Large", {"input_shape": (32, 40, 3), "minimalistic": True}),
    ("NASNetMobile", {"input_shape": (32, 40, 3)}),
    ("ResNet50", {"input_shape": (32, 40, 3)}),
    ("ResNet50V2", {"input_shape": (32, 40, 3)}),
    ("VGG16", {"input_shape": (32, 40, 3), "include_top": False, "pooling": "max"}),
    ("Xception", {"input_shape": (71, 80, 3)}),
]
EVERYDAY = ("MobileNet",)


def draw(shape, rng):
    """Weights of about the size that keeps signals as they are."""
    inputs = np.prod(shape[:-1]) if len(shape) > 1 else 1
    return rng.normal(0, 1 / np.sqrt(inputs), shape).astype("float32")


def oracle(name, options, rng, monkeypatch):
    """Keras's network with weights such that every one of them counts, those of normalizations included."""
    for kind in ("VarianceScaling", "Zeros", "Ones", "Constant"):
        monkeypatch.setattr(
            getattr(keras.initializers, kind), "__call__", lambda self, shape, dtype=None: np.zeros(shape, "float32")
        )
    model = getattr(keras.applications, name)(weights=None, **options)
    for variable in model.variables:
        kind = variable.path.rpartition("/")[2]
        if kind in ("gamma", "moving_variance", "variance"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif kind.startswith("variable"):  # the scales of ConvNeXt
            variable.assign(rng.uniform(0.05, 0.2, variable.shape))
        elif "float" in str(variable.dtype):
            variable.assign(draw(variable.shape, rng))
    return model


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*case, marks=() if case[0] in EVERYDAY else pytest.mark.slow, id=case[0]) for case in CASES],
)
def test_numbers(name, options, rng, monkeypatch, tmp_path):
    theirs = oracle(name, options, rng, monkeypatch)
    path = tmp_path / "net.weights.h5"
    theirs.save_weights(path)
    images = rng.uniform(0, 255, (2, *options["input_shape"])).astype("float32")
    expected = theirs.predict(images, verbose=0)
    assert np.isfinite(expected).all() and np.ptp(expected) > 0
    without_drawing_here(monkeypatch)
    for face in (applications, dropin.applications):
        model = getattr(face, name)(weights=path, **options)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-4 * scale)
