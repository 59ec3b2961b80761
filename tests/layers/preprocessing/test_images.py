"""Image layers: those that leave nothing to chance equal Keras, the others keep their promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import OURS, THEIRS, case, check, check_signature

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (2, 6, 5, 3)).astype("float32")
X, FIRST_X = (2, 6, 5, 3), (2, 3, 6, 5)
FIRST = {"data_format": "channels_first"}
SMALL = {"height": 4, "width": 8}


def image_case(name, arguments, shape=X, **options):
    """A case on images with values from 0 to 255."""
    return case(name, arguments, shape, draw=lambda shape, rng: rng.uniform(0, 255, shape), **options)


# The random layers have ranges of one value, so that they leave nothing to chance. In inference Keras does not cut.
CASES = {
    "rescaling": image_case("Rescaling", {"scale": 1 / 255, "offset": -0.5}, mask=True, unknown=(1, 2)),
    "rescaling channels": image_case("Rescaling", {"scale": [1.0, 2.0, 3.0]}),
    "resizing": image_case("Resizing", {"height": 3, "width": 7}, unknown=(1, 2)),
    "resizing bicubic": image_case(
        "Resizing", {"height": 4, "width": 4, "interpolation": "bicubic", "antialias": True}
    ),
    "resizing one": image_case("Resizing", {"height": 4, "width": 4, "interpolation": "lanczos3"}, X[1:], shapes=False),
    "resizing cropped": image_case("Resizing", SMALL | {"crop_to_aspect_ratio": True}),
    "resizing padded": image_case("Resizing", SMALL | {"pad_to_aspect_ratio": True, "fill_value": 7.0}),
    "resizing first": image_case("Resizing", SMALL | FIRST, FIRST_X),
    "center": image_case("CenterCrop", {"height": 3, "width": 2}),
    "center first": image_case("CenterCrop", {"height": 3, "width": 2} | FIRST, FIRST_X),
    "center larger": image_case("CenterCrop", {"height": 8, "width": 4}),
    "rotation": image_case("RandomRotation", {"factor": (0.1, 0.1)}),
    # Sine and cosine differ by their machine code, which the options of XLA in conftest.py choose.
    "rotation constant": image_case(
        "RandomRotation", {"factor": (-0.2, -0.2), "fill_mode": "constant", "fill_value": 9.0}, tolerance=10
    ),
    "zoom": image_case(
        "RandomZoom", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3), "fill_mode": "nearest"}
    ),
    "zoom proportional": image_case("RandomZoom", {"height_factor": (0.3, 0.3), "interpolation": "nearest"}),
    "translation": image_case(
        "RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3), "fill_mode": "wrap"}
    ),
    "translation first": image_case(
        "RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": 0.0} | FIRST, FIRST_X
    ),
    "brightness": image_case("RandomBrightness", {"factor": (0.1, 0.1)}),
    "contrast": image_case("RandomContrast", {"factor": 0.0}),
    "flip": image_case("RandomFlip", {"mode": "horizontal", "seed": 1}, training=False),
    "crop": image_case("RandomCrop", {"height": 6, "width": 5, "seed": 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=False)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


@pytest.mark.parametrize("name", ["Rescaling", "Resizing"])
def test_whole_numbers_equal_keras(name):
    arguments = {"scale": [1.0, 2.0, 3.0]} if name == "Rescaling" else SMALL
    images = IMAGES.astype("uint8")
    result, expected = (np.asarray(kind[name](**arguments)(jnp.asarray(images))) for kind in (OURS, THEIRS))
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


RANDOM = [
    layers.RandomFlip(seed=1),
    layers.RandomRotation(0.2),
    layers.RandomZoom(0.3),
    layers.RandomTranslation(0.3, 0.3),
    layers.RandomContrast(0.5),
    layers.RandomBrightness(0.3),
    layers.RandomCrop(4, 3),
]


@pytest.mark.parametrize("layer", RANDOM, ids=lambda layer: type(layer).__name__)
def test_random_layers(layer):
    many = jnp.broadcast_to(IMAGES[:1], (32, *IMAGES.shape[1:]))
    run = jax.jit(lambda key: layer.apply({}, many, training=True, rng=key))
    one, again, other = run(jax.random.key(0)), run(jax.random.key(0)), run(jax.random.key(1))
    assert jnp.array_equal(one, again) and not jnp.array_equal(one, other)
    assert one.min() >= 0 and one.max() <= 255
    if not isinstance(layer, layers.RandomCrop):
        assert not (one == one[:1]).all()  # every image its own draw
        assert jnp.array_equal(layer.apply({}, many), many)  # unchanged in inference
    assert layer(layers.Input((6, 5, 3))).shape == (None, *one.shape[1:])
    # Called on its own it changes images, as in Keras.
    assert layer(IMAGES).shape == (2, *one.shape[1:])


def test_flip_draws_each_direction():
    many = jnp.broadcast_to(IMAGES[:1], (64, *IMAGES.shape[1:]))
    flipped = layers.RandomFlip().apply({}, many, training=True, rng=0)
    forms = [many[0], many[0, ::-1], many[0, :, ::-1], many[0, ::-1, ::-1]]
    counts = [int(sum(jnp.array_equal(one, form) for one in flipped)) for form in forms]
    assert sum(counts) == 64 and min(counts) > 4
    horizontal = layers.RandomFlip("horizontal").apply({}, many, training=True, rng=0)
    assert all(jnp.array_equal(one, forms[0]) or jnp.array_equal(one, forms[2]) for one in horizontal)


def test_contrast_equals_keras_for_the_factor_drawn():
    arguments = {"factor": (0.3, 0.6), "value_range": (-1e4, 1e4)}
    many = np.repeat(IMAGES, 8, axis=0)
    changed = np.asarray(layers.RandomContrast(**arguments).apply({}, many, training=True, rng=0))
    centred, moved = (x - x.mean((1, 2), keepdims=True) for x in (many, changed))
    factors = np.sum(centred * moved, (1, 2, 3)) / np.sum(centred**2, (1, 2, 3))
    assert 0.7 <= factors.min() < 0.9 and 1.3 < factors.max() <= 1.6
    transformation = {"contrast_factor": jnp.asarray(factors)[:, None, None, None]}
    expected = THEIRS["RandomContrast"](**arguments).transform_images(jnp.asarray(many), transformation, training=True)
    np.testing.assert_allclose(changed, expected, rtol=1e-4, atol=1e-2)


def test_crop_is_a_part():
    crop = np.asarray(layers.RandomCrop(4, 3).apply({}, IMAGES, training=True, rng=3))
    parts = [IMAGES[:, i : i + 4, j : j + 3] for i in range(3) for j in range(3)]
    assert any(np.array_equal(crop, part) for part in parts)
    assert layers.RandomCrop(4, 3).apply({}, IMAGES).shape == (2, 4, 3, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomRotation(2.0), "factor=2.0"),
        (lambda: layers.RandomZoom((-1.0, 0.5)), "height_factor"),
        (lambda: layers.RandomFlip("diagonal"), "'horizontal', 'vertical'"),
        (lambda: layers.RandomTranslation(0.1, 0.1, fill_mode="mirror"), "fill_mode"),
        (lambda: layers.Resizing(2, 2, "cubic"), "interpolation"),
        (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "not both"),
        (lambda: layers.CenterCrop(2, 2)(layers.Input((3,))), "batch of images"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((errors.ArgumentError, errors.InputError), match=message):
        make()
