"""Pictures against Keras's utilities: files, conversions, sizes."""

import io

import keras
import numpy as np
import pytest

from jkeras.errors import ArgumentError, InputError
from jkeras.utils.images import array_to_img, img_to_array, load_img, resize, save_img, smart_resize

pytest.importorskip("PIL")

SIZES = [(5, 7), (12, 9), (3, 20), (8, 8)]


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("size", SIZES)
def test_resize_equals_keras(rng, interpolation, size):
    images = rng.uniform(0, 255, (2, 8, 11, 3)).astype("float32")
    ours = resize(images, size, interpolation)
    theirs = keras.ops.image.resize(images, size, interpolation)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keeping", ["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
def test_keeping_the_shape_equals_keras(rng, keeping, size):
    image = rng.uniform(0, 255, (8, 11, 3)).astype("float32")
    theirs = keras.ops.image.resize(image, size, **{keeping: True})
    np.testing.assert_allclose(resize(image, size, **{keeping: True}), theirs, atol=2e-3)
    first = resize(image.transpose(2, 0, 1), size, data_format="channels_first", **{keeping: True})
    np.testing.assert_allclose(first.transpose(1, 2, 0), theirs, atol=2e-3)
    if keeping == "crop_to_aspect_ratio":
        np.testing.assert_allclose(
            smart_resize(image, size), keras.preprocessing.image.smart_resize(image, size), atol=2e-3
        )


def test_resize_bad_arguments():
    with pytest.raises(ArgumentError, match="interpolation='cubic'"):
        resize(np.ones((2, 2, 1)), (3, 3), "cubic")
    with pytest.raises(ArgumentError, match="Only one of"):
        resize(np.ones((2, 2, 1)), (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)
    with pytest.raises(InputError, match=r"got the shape \(2, 2\)"):
        resize(np.ones((2, 2)), (3, 3))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("scale", [True, False])
def test_arrays_and_images(rng, channels, data_format, scale):
    x = rng.uniform(0, 255, (4, 5, channels)).astype("float32")
    x = x.transpose(2, 0, 1) if data_format == "channels_first" else x
    image = array_to_img(x, data_format, scale)
    back = img_to_array(image, data_format)
    assert back.shape == x.shape and back.dtype == np.float32
    expected = (x - x.min()) / (x.max() - x.min()) * 255 if scale else x
    assert np.abs(back - expected).max() <= 1
    theirs = keras.utils.img_to_array(image, data_format)
    np.testing.assert_array_equal(back, theirs)


def test_array_to_img_of_other_arrays():
    assert array_to_img(np.full((2, 2, 1), 70_000.0), scale=False).mode == "I"
    assert np.asarray(array_to_img(np.zeros((2, 2, 3)))).max() == 0
    for shape in [(2, 2), (2, 2, 2)]:
        with pytest.raises(InputError, match="1, 3 or 4 channels"):
            array_to_img(np.ones(shape))
    with pytest.raises(InputError, match="needs an image"):
        img_to_array(np.ones((2, 2, 2, 2)))


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("target", [None, (6, 4), (4, 12)])
@pytest.mark.parametrize("keep", [True, False])
def test_load_img_equals_keras(tmp_path, rng, color_mode, target, keep):
    path = tmp_path / "a.png"
    save_img(path, rng.uniform(0, 255, (9, 7, 3)))
    arguments = {"color_mode": color_mode, "target_size": target, "keep_aspect_ratio": keep, "interpolation": "bicubic"}
    ours = load_img(path, **arguments)
    assert ours.mode == {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}[color_mode]
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(keras.utils.load_img(path, **arguments)))
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(load_img(io.BytesIO(path.read_bytes()), **arguments)))


def test_load_img_bad_arguments(tmp_path):
    save_img(tmp_path / "a.png", np.zeros((2, 2, 3)))
    with pytest.raises(ArgumentError, match="color_mode='gray'"):
        load_img(tmp_path / "a.png", "gray")
    with pytest.raises(ArgumentError, match="interpolation='area'"):
        load_img(str(tmp_path / "a.png"), target_size=(1, 1), interpolation="area")


def test_jpeg_has_no_transparency(tmp_path, rng):
    with pytest.warns(UserWarning, match="without it"):
        save_img(tmp_path / "a.jpg", rng.uniform(0, 255, (4, 4, 4)))
    assert load_img(tmp_path / "a.jpg").size == (4, 4)
