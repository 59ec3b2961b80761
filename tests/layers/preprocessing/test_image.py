"""Image layers: those that leave nothing to chance equal Keras, the others keep their promises."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras.graph.runtime  # noqa: F401
from jkeras import errors, layers
from jkeras.layers.preprocessing import image

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (2, 6, 5, 3)).astype("float32")
FIRST = IMAGES.transpose(0, 3, 1, 2).copy()
CASES = [
    ("Rescaling", {"scale": 1 / 255, "offset": -0.5}, IMAGES),
    ("Rescaling", {"scale": [1.0, 2.0, 3.0]}, IMAGES.astype("uint8")),
    ("Resizing", {"height": 3, "width": 7}, IMAGES),
    ("Resizing", {"height": 4, "width": 4, "interpolation": "bicubic", "antialias": True}, IMAGES[0]),
    ("Resizing", {"height": 4, "width": 8, "crop_to_aspect_ratio": True}, IMAGES.astype("uint8")),
    ("Resizing", {"height": 4, "width": 8, "pad_to_aspect_ratio": True, "fill_value": 7.0}, IMAGES),
    ("Resizing", {"height": 4, "width": 8, "data_format": "channels_first"}, FIRST),
    ("CenterCrop", {"height": 3, "width": 2}, IMAGES),
    ("CenterCrop", {"height": 3, "width": 2, "data_format": "channels_first"}, FIRST),
    ("CenterCrop", {"height": 8, "width": 4}, IMAGES[0]),
    ("RandomRotation", {"factor": (0.1, 0.1)}, IMAGES),
    ("RandomRotation", {"factor": (-0.2, -0.2), "fill_mode": "constant", "fill_value": 9.0}, IMAGES[0]),
    ("RandomZoom", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3), "fill_mode": "nearest"}, IMAGES),
    ("RandomZoom", {"height_factor": (0.3, 0.3), "interpolation": "nearest"}, IMAGES),
    ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3), "fill_mode": "wrap"}, IMAGES),
    ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": 0.0, "data_format": "channels_first"}, FIRST),
    ("RandomBrightness", {"factor": (0.1, 0.1)}, IMAGES),
    ("RandomContrast", {"factor": 0.0}, IMAGES),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_equals_keras(case):
    name, kwargs, images = CASES[case]
    layer, theirs = getattr(image, name)(**kwargs), getattr(keras.layers, name)(**kwargs)
    config, expected = layer.get_config(), theirs.get_config()
    assert set(config) == set(expected)
    for key in set(config) - {"name", "dtype"}:
        assert np.array_equal(np.asarray(config[key], object), np.asarray(expected[key], object)), key
    assert type(layer).from_config(config) == layer.replace(dtype="float32")
    training = {"training": True} if name.startswith("Random") else {}
    result, wanted = np.asarray(layer(images, **training)), np.asarray(theirs(jnp.asarray(images), **training))
    assert result.dtype == wanted.dtype
    np.testing.assert_allclose(result, wanted, atol=2e-3)
    shape = (None, *images.shape[-3:]) if images.ndim == 4 else images.shape
    assert layer.compute_output_shape(shape) == (None, *result.shape[1:]) if images.ndim == 4 else result.shape


RANDOM = [
    image.RandomFlip(seed=1),
    image.RandomRotation(0.2),
    image.RandomZoom(0.3),
    image.RandomTranslation(0.3, 0.3),
    image.RandomContrast(0.5),
    image.RandomBrightness(0.3),
    image.RandomCrop(4, 3),
]


@pytest.mark.parametrize("layer", RANDOM, ids=lambda layer: type(layer).__name__)
def test_random_layers(layer):
    many = jnp.broadcast_to(IMAGES[:1], (32, *IMAGES.shape[1:]))
    run = jax.jit(lambda key: layer.apply({}, many, training=True, rng=key))
    one, again, other = run(jax.random.key(0)), run(jax.random.key(0)), run(jax.random.key(1))
    assert jnp.array_equal(one, again) and not jnp.array_equal(one, other)
    assert one.min() >= 0 and one.max() <= 255
    if not isinstance(layer, image.RandomCrop):
        assert not (one == one[:1]).all()  # every image its own draw
        assert jnp.array_equal(layer.apply({}, many), many)  # unchanged in inference
    assert layer(layers.Input((6, 5, 3))).shape == (None, *one.shape[1:])
    # Called on its own it changes images, as in Keras.
    assert layer(IMAGES).shape == (2, *one.shape[1:])


def test_flip_draws_each_direction():
    many = jnp.broadcast_to(IMAGES[:1], (64, *IMAGES.shape[1:]))
    flipped = image.RandomFlip().apply({}, many, training=True, rng=0)
    forms = [many[0], many[0, ::-1], many[0, :, ::-1], many[0, ::-1, ::-1]]
    counts = [int(sum(jnp.array_equal(one, form) for one in flipped)) for form in forms]
    assert sum(counts) == 64 and min(counts) > 4
    horizontal = image.RandomFlip("horizontal").apply({}, many, training=True, rng=0)
    assert all(jnp.array_equal(one, forms[0]) or jnp.array_equal(one, forms[2]) for one in horizontal)


def test_crop_is_a_part():
    crop = np.asarray(image.RandomCrop(4, 3).apply({}, IMAGES, training=True, rng=3))
    parts = [IMAGES[:, i : i + 4, j : j + 3] for i in range(3) for j in range(3)]
    assert any(np.array_equal(crop, part) for part in parts)
    assert image.RandomCrop(4, 3).apply({}, IMAGES).shape == (2, 4, 3, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: image.RandomRotation(2.0), "factor=2.0"),
        (lambda: image.RandomZoom((-1.0, 0.5)), "height_factor"),
        (lambda: image.RandomFlip("diagonal"), "'horizontal', 'vertical'"),
        (lambda: image.RandomTranslation(0.1, 0.1, fill_mode="mirror"), "fill_mode"),
        (lambda: image.Resizing(2, 2, "cubic"), "interpolation"),
        (lambda: image.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "not both"),
        (lambda: image.CenterCrop(2, 2)(layers.Input((3,))), "batch of images"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((errors.ArgumentError, errors.InputError), match=message):
        make()
