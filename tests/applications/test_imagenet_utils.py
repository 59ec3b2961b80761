"""Images in, names of classes out, as in Keras."""

import hashlib
import json

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as dropin
from jkeras import applications, errors
from jkeras.applications import imagenet_utils
from jkeras.applications.catalogue import MODULES
from tests.utils.server import serving


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_preprocessing(module, dtype, rng):
    images = rng.uniform(0, 255, (2, 4, 5, 3)).astype(dtype)
    expected = getattr(keras.applications, module).preprocess_input(images.copy())
    for face in (applications, dropin.applications):
        ours = getattr(face, module).preprocess_input(images.copy())
        assert ours.dtype == expected.dtype
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5)])
def test_layouts_and_arrays(mode, shape, rng):
    images = rng.uniform(0, 255, shape).astype("float32")
    theirs = keras.applications.imagenet_utils.preprocess_input(images.copy(), "channels_first", mode)
    arrays = {"numpy": images.copy(), "jax": jnp.asarray(images)}
    for array in arrays.values():
        ours = imagenet_utils.preprocess_input(array, "channels_first", mode)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(arrays["numpy"], images)  # which stays as it was


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_objects_are_written_over(mode, rng):
    images = rng.uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    theirs, ours = images.copy(), images.copy()
    expected = keras.applications.imagenet_utils.preprocess_input(theirs, mode=mode)
    result = dropin.applications.imagenet_utils.preprocess_input(ours, mode=mode)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert np.shares_memory(result, ours)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_in_a_model(mode, rng):
    images = rng.uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(images.copy(), mode=mode)
    for face in (jk, dropin):
        inputs = face.layers.Input(shape=(4, 5, 3))
        model = face.Model(inputs, face.applications.imagenet_utils.preprocess_input(inputs, mode=mode))
        np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_classes(tmp_path, monkeypatch, rng):
    classes = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}
    contents = json.dumps(classes).encode()
    file = imagenet_utils._CLASSES._replace(checksum=hashlib.md5(contents).hexdigest())
    monkeypatch.setattr(imagenet_utils, "_CLASSES", file)
    monkeypatch.setenv("JKERAS_HOME", str(tmp_path))
    imagenet_utils._classes.cache_clear()
    predictions = rng.uniform(0, 1, (3, 1000)).astype("float32")
    with serving({file.place: contents}) as (url, _):
        monkeypatch.setenv("JKERAS_APPLICATIONS_URL", url)
        ours = applications.resnet50.decode_predictions(predictions, top=3)
    monkeypatch.setattr(
        __import__("sys").modules[keras.applications.imagenet_utils.decode_predictions.__module__],
        "CLASS_INDEX",
        classes,
    )
    assert ours == keras.applications.resnet50.decode_predictions(predictions, top=3)
    imagenet_utils._classes.cache_clear()


def test_bad_input():
    with pytest.raises(errors.ArgumentError, match=r"\(batch, 1000\).*\(2, 10\)"):
        applications.vgg16.decode_predictions(np.zeros((2, 10)))
    with pytest.raises(errors.ArgumentError, match="mode"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), mode="tensorflow")
    with pytest.raises(errors.ArgumentError, match="data_format"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), "channels_middle")
    with pytest.raises(errors.InputError, match="3 channels"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 4)))
