"""Image layers on dictionaries, in models and pipelines, in both faces, and what they say to data that do not fit."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as jkk
from jkeras import errors, layers
from tests.layers.preprocessing.test_image_layers import BOXES, IMAGES, LABELS, MASKS

DATA = {"images": IMAGES, "labels": LABELS, "bounding_boxes": BOXES, "segmentation_masks": MASKS, "names": "abcd"}


def moved(layer, data=DATA, **options):
    return jax.tree.map(np.asarray, layer(data, **options))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_everything_moves_together(data_format):
    # Masks are a channel of the image here, and boxes the places where it is not zero.
    image = np.zeros((8, 16, 12, 1), "float32")
    image[:, 3:9, 2:7] = 1
    first = data_format == "channels_first"
    image = np.moveaxis(image, -1, 1) if first else image
    boxes = {"boxes": np.full((8, 1, 4), [2, 3, 7, 9], "float32"), "labels": np.zeros((8, 1), "float32")}
    data = {"images": image, "segmentation_masks": image, "bounding_boxes": boxes}
    options = {"bounding_box_format": "xyxy", "data_format": data_format, "seed": 3}
    chain = [
        layers.RandomFlip(**options),
        layers.RandomTranslation((0.25, 0.25), (-1 / 6, -1 / 6), "constant", **options),
        layers.RandomCrop(14, 11, **options),
        layers.Resizing(28, 22, interpolation="nearest", bounding_box_format="xyxy", data_format=data_format),
    ]
    result = jk.layers.Pipeline(chain)(data)
    images = np.asarray(result["images"])[:, 0] if first else np.asarray(result["images"])[..., 0]
    np.testing.assert_array_equal(result["images"], result["segmentation_masks"])
    for one, (box,) in zip(images, np.asarray(result["bounding_boxes"]["boxes"]), strict=True):
        rows, columns = np.nonzero(one)
        np.testing.assert_allclose(box, [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], atol=1e-3)


def test_both_faces_give_dictionaries_back():
    for place in (layers, jkk.layers):
        layer = place.RandomRotation(0.2, bounding_box_format="xyxy", seed=1)
        result = layer(DATA)
        assert result["names"] == "abcd" and DATA["images"] is IMAGES
        assert set(result) == set(DATA) and result["bounding_boxes"]["boxes"].shape == BOXES["boxes"].shape
        single = layer({"images": IMAGES[0], "bounding_boxes": {name: part[0] for name, part in BOXES.items()}})
        assert single["images"].shape == IMAGES.shape[1:] and single["bounding_boxes"]["boxes"].shape == (2, 4)
        still = layer(DATA, training=False)
        np.testing.assert_array_equal(still["images"], IMAGES)
        np.testing.assert_array_equal(still["bounding_boxes"]["boxes"], BOXES["boxes"])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("RandAugment", marks=pytest.mark.slow),
        "RandomErasing",
        "RandomHue",
        "RandomPosterization",
        "RandomShear",
    ],
)
def test_each_image_has_its_own_draw(name):
    many = jnp.broadcast_to(IMAGES[:1], (16, *IMAGES.shape[1:]))
    arguments = {"RandomShear": (0.5,), "RandomHue": (1.0,), "RandomPosterization": ((1, 6),)}.get(name, ())
    layer = getattr(layers, name)(*arguments)
    changed = np.asarray(layer.apply({}, many, training=True, rng=0))
    assert len({one.tobytes() for one in changed}) > 3
    np.testing.assert_array_equal(changed, layer.apply({}, many, training=True, rng=0))
    np.testing.assert_array_equal(layer.apply({}, many), many)


def test_mixtures_mix_labels_and_masks():
    keys = jax.random.split(jax.random.key(0), 3)
    for key in keys:
        parts = {name: DATA[name] for name in ("images", "labels", "segmentation_masks")}
        mixed = layers.CutMix().transform(parts, True, key)
        own = np.diagonal(np.asarray(mixed["labels"]))
        np.testing.assert_allclose(np.sum(mixed["labels"], 1), 1, rtol=1e-6)
        assert mixed["segmentation_masks"].shape == MASKS.shape and (own >= -1e-6).all()
    two = layers.MixUp(0.5, bounding_box_format="xyxy").transform(
        {"images": IMAGES, "bounding_boxes": BOXES, "segmentation_masks": MASKS}, True, keys[0]
    )
    assert two["bounding_boxes"]["boxes"].shape == (4, 4, 4) and two["bounding_boxes"]["labels"].shape == (4, 4)


def test_erasing_with_a_colour():
    erased = np.asarray(layers.RandomErasing((1.0, 1.0), (0.3, 0.3), (1, 2, 3)).apply({}, IMAGES, training=True, rng=1))
    changed = (erased != IMAGES).any(-1)
    assert changed.any((1, 2)).all() and not changed.all()
    np.testing.assert_array_equal(erased[changed], np.broadcast_to([1, 2, 3], (changed.sum(), 3)))


def test_in_a_model_and_in_data():
    augment = layers.Pipeline([layers.RandomFlip(), layers.RandomBrightness(0.2), layers.AutoContrast()])
    model = jk.Sequential([jk.Input((12, 10, 3)), augment, layers.GlobalAveragePooling2D(), layers.Dense(4)])
    model = model.compile("sgd", "mse").fit(IMAGES, LABELS, epochs=1, verbose=0)
    assert model.predict(IMAGES, verbose=0).shape == (4, 4)
    config = model.get_config()
    assert type(model).from_config(config).get_config() == config
    stream = jk.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(2)
    images, _ = next(iter(stream.map(lambda x, y: (layers.CenterCrop(4, 4)(x), y))))
    assert images.shape == (2, 4, 4, 3)


def test_pipeline_crosses_to_keras(tmp_path):
    ours = layers.Pipeline([layers.RandomShear(0.2, seed=1), layers.Solarization(0.1), layers.MaxNumBoundingBoxes(3)])
    theirs = keras.layers.Pipeline.from_config(ours.get_config())
    assert [type(layer).__name__ for layer in theirs.layers] == ["RandomShear", "Solarization", "MaxNumBoundingBoxes"]
    path = tmp_path / "pipeline.keras"
    keras.Sequential([keras.Input((12, 10, 3)), theirs]).save(path)
    (back,) = jk.saving.load_model(path).layers
    assert [type(layer).__name__ for layer in back.layers] == ["RandomShear", "Solarization", "MaxNumBoundingBoxes"]
    again = jkk.layers.Pipeline.from_config(theirs.get_config())
    assert again(IMAGES).shape == IMAGES.shape


def test_a_user_s_transformation_is_used():
    class Darker(jkk.layers.RandomBrightness):
        def get_random_transformation(self, data, training=True, seed=None):
            return {"rgb_delta": jnp.full((4, 1, 1, 1), -10.0)}

    np.testing.assert_allclose(Darker(0.1)(IMAGES), np.clip(IMAGES - 10, 0, 255), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomHue(1.5), "factor=1.5"),
        (lambda: layers.RandomShear(-0.5), "x_factor=-0.5"),
        (lambda: layers.RandomPosterization(9), "factor=9"),
        (lambda: layers.AutoContrast((1, 1)), r"value_range=\(1, 1\)"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "kernel_size=4"),
        (lambda: layers.RandomErasing(fill_value="red"), "fill_value='red'"),
        (lambda: layers.RandomFlip(bounding_box_format="corners"), "bounding_box_format='corners'"),
        (lambda: layers.MixUp(alpha=0), "alpha=0"),
        (lambda: layers.AugMix(num_chains=0), "num_chains=0"),
        (lambda: layers.Pipeline([1]), "expected a list of layers"),
        (lambda: layers.RandomHue(0.5)(MASKS), "expected images with 3 channels"),
        (lambda: layers.RandomFlip()({"labels": LABELS}), "no 'images'"),
        (lambda: layers.RandomFlip()(DATA), "bounding_box_format='xyxy'"),
        (lambda: layers.RandomFlip(bounding_box_format="rel_xyxy")(DATA), r"inside of images of 12 by 10 pixels; got \[1.0, 2"),
        (lambda: layers.CutMix(bounding_box_format="xyxy")(DATA), "cannot move bounding boxes"),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")({**DATA, "bounding_boxes": BOXES["boxes"]}),
            "'boxes' and 'labels'",
        ),
        (
            lambda: layers.RandomZoom(0.1, bounding_box_format="xyxy")(
                {**DATA, "bounding_boxes": {**BOXES, "labels": BOXES["labels"][:, :1]}}
            ),
            "as many 'labels'",
        ),
        (
            lambda: layers.CenterCrop(4, 4, bounding_box_format="xyxy")(
                {"images": IMAGES, "bounding_boxes": {name: part[:3] for name, part in BOXES.items()}}
            ),
            "'boxes' with the same number of samples",
        ),
        (lambda: layers.MixUp()({"images": IMAGES, "labels": LABELS[:3]}), "'labels' with the same number of samples"),
        (lambda: layers.CutMix()({"images": IMAGES, "labels": LABELS[:3]}), "'labels' with the same number of samples"),
        (lambda: layers.RandomFlip()({"images": IMAGES, "segmentation_masks": MASKS[:, :9]}), "same batch, height and width"),
        (lambda: layers.RandomShear(0.1)({"images": IMAGES, "segmentation_masks": MASKS[..., 0]}), "an axis of channels"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make, message):
    with pytest.raises((errors.ArgumentError, errors.InputError), match=message):
        make()
