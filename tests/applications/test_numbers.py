"""Every network gives Keras's numbers, on both faces, with weights that Keras has written."""

import keras
import numpy as np
import pytest

import jkeras.keras as dropin
from jkeras import applications
from jkeras.applications.catalogue import HOMES, MODULES
from tests.applications.facts import without_drawing_here

# The least images of each module; widths other than heights show what is swapped.
SHAPES = {
    "efficientnet": (33, 40, 3),
    "inception_resnet_v2": (75, 80, 3),
    "inception_v3": (75, 80, 3),
    "xception": (71, 80, 3),
}
# Whose networks take numbers from 0 to 255; the others are meant for small ones, by which no activation is saturated.
SCALES = {"convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"}
# The variance of kernels times their inputs, of modules and networks: 2 keeps the size of signals where half of them are cut
# off, but many gated blocks without normal statistics amplify rounding errors a million times.
GAINS = {"efficientnet_v2": 1.0, "EfficientNetB6": 1.7, "EfficientNetB7": 1.7}
# Beside the size of the images.
OPTIONS = {
    "MobileNet": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Large": {"minimalistic": True},
    **{name: {"include_top": False, "pooling": "max"} for name in ("VGG16", "VGG19")},
}
# Seconds each; the others take minutes, mostly of compilation, and up to 5 GB of memory.
EVERYDAY = {"MobileNet", "MobileNetV2", "VGG16"}
# How far two libraries may be apart, as a share of the largest number, and what a changed weight must make of it at least.
CLOSE, APART = 1e-4, 1e-3


def draw(shape, rng, gain):
    """Weights of about the size that keeps signals as they are; small biases."""
    if len(shape) == 1:
        return rng.normal(0, 0.02, shape).astype("float32")
    inputs = np.prod(shape[:2] if shape[-1] == 1 else shape[:-1])  # of each channel alone, in depthwise kernels
    return rng.normal(0, np.sqrt(gain / inputs), shape).astype("float32")


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
            variable.assign(draw(variable.shape, rng, GAINS.get(name, GAINS.get(HOMES[name], 2.0))))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):  # as it is after its weights are loaded
            layer.finalize_state()
    return model


def difference(ours, expected):
    """The largest difference as a share of the largest number."""
    return np.abs(ours - expected).max() / np.abs(expected).max()


def test_all_networks_are_compared():
    assert (
        set(SHAPES) | SCALES < set(MODULES)
        and set(GAINS) < {*MODULES, *HOMES}
        and EVERYDAY | set(OPTIONS) <= set(HOMES)
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in EVERYDAY else pytest.mark.slow) for name in HOMES]
)
def test_numbers(name, rng, monkeypatch, tmp_path):
    # Without softmax, which gives ones and zeros for large numbers, whatever they are.
    options = {
        "input_shape": SHAPES.get(HOMES[name], (32, 40, 3)),
        "classifier_activation": None,
        **OPTIONS.get(name, {}),
    }
    keras.utils.clear_session()
    theirs = oracle(name, options, rng, monkeypatch)
    path = tmp_path / "net.weights.h5"
    theirs.save_weights(path)
    low, high = (0, 255) if HOMES[name] in SCALES else (-1, 1)
    images = rng.uniform(low, high, (2, *options["input_shape"])).astype("float32")
    expected = theirs.predict(images, verbose=0)
    del theirs
    keras.utils.clear_session()
    assert np.isfinite(expected).all() and difference(expected[:1], expected[1:]) > APART
    without_drawing_here(monkeypatch)
    model = getattr(applications, name)(weights=path, **options)
    assert difference(model.predict(images, verbose=0), expected) < CLOSE
    # The comparison can fail: another sign of the first, the last and the largest other kernel shows.
    weights = model.get_weights()
    kernels = [index for index, weight in enumerate(model.description.weights) if weight.name.endswith("kernel")]
    _, largest = max((np.size(weights[index]), index) for index in kernels[1:-1])
    for index in (kernels[0], largest, kernels[-1]):
        changed = [*weights]
        changed[index] = -np.asarray(weights[index])
        assert difference(model.set_weights(changed).predict(images, verbose=0), expected) > APART, index
    del model, weights, changed
    model = getattr(dropin.applications, name)(weights=path, **options)
    assert difference(model.predict(images, verbose=0), expected) < CLOSE
