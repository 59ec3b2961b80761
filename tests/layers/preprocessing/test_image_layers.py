"""Image layers against Keras with the random transformation fixed: images, masks, boxes and labels to 1e-5.

A transformation that one side has drawn is given to the other, in both directions.
"""

import copy
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import layers

RNG = np.random.default_rng(0)
BATCH, HEIGHT, WIDTH = 4, 12, 10
IMAGES = RNG.uniform(0, 255, (BATCH, HEIGHT, WIDTH, 3)).astype("float32")
MASKS = RNG.integers(0, 5, (BATCH, HEIGHT, WIDTH, 1)).astype("float32")
LABELS = np.eye(BATCH, dtype="float32")
BOXES = {
    "boxes": np.array([[[1, 2, 5, 6], [0, 0, 10, 12]], [[4, 3, 9, 11], [2, 5, 8, 7]]] * 2, "float32"),
    "labels": np.array([[1, 2], [3, 4]] * 2, "float32"),
}
FORMATS = ("xyxy", "rel_xyxy", "center_xywh")
FIRST = "channels_first"


@dataclasses.dataclass(frozen=True)
class Fixed:
    """One layer and how it is compared.

    Attributes:
        name: the class.
        arguments: of the constructor.
        parts: what is compared: "images", "masks", "boxes", "labels".
        formats: of boxes that Keras moves rightly.
        last_only: whether Keras is wrong for channels first.
        both_ways: whether Keras takes our transformation.
        low: the least value of the images, and the greatest.
        high: likewise.
    """

    name: str
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    parts: tuple[str, ...] = ("images", "masks", "labels", "boxes")
    formats: tuple[str, ...] = FORMATS
    last_only: bool = False
    both_ways: bool = True
    low: float = 0.0
    high: float = 255.0


ALONE = ("images", "masks", "labels")
UNIT = {"value_range": (-1, 1)}
COLOURS = {"low": -1.0, "high": 1.0}


def on_two_ranges(name: str, **arguments: Any) -> dict[str, Fixed]:
    """A layer of colours for values from 0 to 255, and from -1 to 1."""
    return {name: Fixed(name, arguments), f"{name} unit": Fixed(name, arguments | UNIT, **COLOURS)}


CASES = {
    "flip": Fixed("RandomFlip", both_ways=False),
    "flip horizontal": Fixed("RandomFlip", {"mode": "horizontal"}),
    "flip vertical": Fixed("RandomFlip", {"mode": "vertical"}, both_ways=False),
    "rotation": Fixed("RandomRotation", {"factor": 0.2}, formats=("xyxy",), both_ways=False),
    "zoom": Fixed("RandomZoom", {"height_factor": 0.4, "width_factor": (-0.3, 0.2)}),
    "zoom proportional": Fixed("RandomZoom", {"height_factor": 0.4, "fill_mode": "nearest"}),
    "translation": Fixed("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.4, "fill_mode": "wrap"}),
    "shear": Fixed("RandomShear", {"x_factor": 0.5, "y_factor": (0.1, 0.4)}),
    "shear constant": Fixed("RandomShear", {"x_factor": 0.5, "fill_mode": "constant", "fill_value": 3.0}),
    "perspective": Fixed("RandomPerspective", {"scale": 0.4}, formats=("xyxy",)),
    "perspective nearest": Fixed("RandomPerspective", {"scale": 0.4, "interpolation": "nearest"}, formats=("xyxy",)),
    "crop": Fixed("RandomCrop", {"height": 5, "width": 6}, ALONE, both_ways=False),
    "center": Fixed("CenterCrop", {"height": 6, "width": 4}),
    "center larger": Fixed("CenterCrop", {"height": 14, "width": 7}),
    "resizing": Fixed("Resizing", {"height": 7, "width": 15}),
    "resizing padded": Fixed("Resizing", {"height": 8, "width": 14, "pad_to_aspect_ratio": True}),
    "resizing cropped": Fixed("Resizing", {"height": 8, "width": 14, "crop_to_aspect_ratio": True}),
    "number of boxes": Fixed("MaxNumBoundingBoxes", {"max_number": 5}, formats=("xyxy",)),
    "one box": Fixed("MaxNumBoundingBoxes", {"max_number": 1}, formats=("xyxy",)),
    "mix up": Fixed("MixUp", {"alpha": 0.7}, ("images", "labels")),
    "cut mix": Fixed("CutMix", {}, ("images", "labels")),
    "erasing": Fixed("RandomErasing", {"scale": (0.1, 0.6)}),
    "erasing filled": Fixed("RandomErasing", {"scale": (0.1, 0.6), "fill_value": 7.0}),
    "blur": Fixed("RandomGaussianBlur", {"kernel_size": (3, 5), "sigma": (0.3, 1.0)}),
    "grayscale": Fixed("RandomGrayscale", {}, ("images",)),
    "auto contrast": Fixed("AutoContrast", last_only=True),
    "auto contrast unit": Fixed("AutoContrast", UNIT, last_only=True, **COLOURS),
    "clahe": Fixed("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 4)}, ("images",)),
    "clahe unit": Fixed(
        "ContrastLimitedAdaptiveHistogramEqualization", UNIT | {"clip_limit": 0.0, "tile_grid_size": (4, 2)}, ("images",)
        , **COLOURS),
    **on_two_ranges("Equalization", bins=64),
    **on_two_ranges("RandomBrightness", factor=0.5),
    **on_two_ranges("RandomContrast", factor=0.5),
    **on_two_ranges("RandomColorDegeneration", factor=0.8),
    **on_two_ranges("RandomHue", factor=0.8),
    "saturation": Fixed("RandomSaturation", {"factor": 0.9, "value_range": (0, 1)}, low=0.0, high=1.0),
    **on_two_ranges("RandomSharpness", factor=1.0),
    **on_two_ranges("RandomInvert", factor=1.0),
    **on_two_ranges("RandomPosterization", factor=(2, 5)),
    **on_two_ranges("Solarization", addition_factor=0.5, threshold_factor=0.7),
}  # fmt: skip


def laid_out(array: np.ndarray, data_format: str) -> np.ndarray:
    return np.moveaxis(array, -1, 1) if data_format == FIRST else array


@functools.cache
def boxes_in(box_format: str) -> dict[str, np.ndarray]:
    converted = keras.utils.bounding_boxes.convert_format(
        BOXES["boxes"], "xyxy", box_format, height=HEIGHT, width=WIDTH
    )
    return {"boxes": np.asarray(converted), "labels": BOXES["labels"]}


def results(layer: Any, case: Fixed, data_format: str, transformation: Any, box_format: str) -> dict[str, Any]:
    """What a layer of either side makes of everything, given a transformation."""
    images = laid_out(case.low + IMAGES / 255 * (case.high - case.low), data_format)
    given = {"transformation": transformation, "training": True}
    found = {}
    if "images" in case.parts:
        found["images"] = layer.transform_images(jnp.asarray(images), **given)
    if "masks" in case.parts:
        found["masks"] = layer.transform_segmentation_masks(jnp.asarray(laid_out(MASKS, data_format)), **given)
    if "labels" in case.parts:
        found["labels"] = layer.transform_labels(jnp.asarray(LABELS), **given)
    if "boxes" in case.parts:
        boxes = jax.tree.map(jnp.asarray, boxes_in(box_format))
        found["boxes"] = layer.transform_bounding_boxes(boxes, **given)
    return found


def compare(ours: dict[str, Any], theirs: dict[str, Any], scale: float) -> None:
    for part, expected in theirs.items():
        size = scale if part == "images" else 10.0
        jax.tree.map(
            lambda one, other, size=size: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * size),
            ours[part],
            expected,
        )


# Of each layer one case has channels first; what takes longest, and other arguments with channels first, is for later.
LONG = {"clahe unit", "Equalization unit", "auto contrast unit"}
FIRST_OF_LAYER = {case.name: name for name, case in reversed(CASES.items())}


def runs():
    for name, case in CASES.items():
        for data_format in ("channels_last", FIRST):
            if not (case.last_only and data_format == FIRST):  # where Keras looks at other axes
                again = data_format == FIRST and FIRST_OF_LAYER[case.name] != name
                yield pytest.param(name, data_format, marks=[pytest.mark.slow] * (again or name in LONG))


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
@pytest.mark.parametrize(("name", "data_format"), list(runs()))
def test_given_transformation_equals_keras(name, data_format):
    case = CASES[name]
    formats = case.formats if data_format == "channels_last" and "boxes" in case.parts else case.formats[:1]
    images = jnp.asarray(laid_out(IMAGES, data_format))
    for box_format in formats:
        options = {**case.arguments, "data_format": data_format, "bounding_box_format": box_format}
        ours = getattr(layers, case.name)(**options)
        seed = {"seed": 3} if "seed" in vars(ours) else {}
        theirs = getattr(keras.layers, case.name)(**options, **seed)
        drawn = [theirs.get_random_transformation(images, training=True)]
        if case.both_ways and box_format == formats[0]:
            drawn.append(ours.get_random_transformation(images, training=True, seed=1))
        for transformation in drawn:
            expected = results(theirs, case, data_format, copy.copy(transformation), box_format)
            compare(results(ours, case, data_format, transformation, box_format), expected, case.high - case.low)


@pytest.mark.parametrize("factor", [0.25, (0.25, 0.75)])
@pytest.mark.parametrize("name", sorted({case.name for case in CASES.values() if "factor" in case.arguments}))
def test_bounds_are_those_of_keras(name, factor):
    # What is drawn from; one number means from its negative to itself in some layers, and from 0 in others.
    factor = {0.25: 2, (0.25, 0.75): (2, 5)}[factor] if name == "RandomPosterization" else factor
    ours, theirs = (getattr(place, name)(factor) for place in (layers, keras.layers))
    bounds = theirs._factor if hasattr(theirs, "_factor") else theirs.factor
    np.testing.assert_allclose(ours.factor, bounds)


def test_elastic_transform_equals_keras():
    # Keras draws one shift for both directions.
    theirs = keras.layers.RandomElasticTransform(1.0, (0.5, 1.0))
    seed = jnp.array([3, 4], "uint32")
    images = jnp.asarray(np.tile(IMAGES, (1, 2, 2, 1)))
    noise = jnp.broadcast_to(jax.random.normal(seed, images.shape[:3]), (2, *images.shape[:3]))
    masks = jnp.asarray(np.tile(MASKS, (1, 2, 2, 1)))
    fixed = {"apply_transform": jnp.asarray([True, False, True, True]), "distortion_factor": 0.9}
    ours = layers.RandomElasticTransform(1.0, (0.5, 1.0))
    for method, data in (("transform_images", images), ("transform_segmentation_masks", masks)):
        expected = getattr(theirs, method)(data, {**fixed, "seed": _Draws(seed)}, training=True)
        result = getattr(ours, method)(data, {**fixed, "noise": noise})
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=3e-3)
        assert not np.allclose(result, data, atol=1)


class _Draws(keras.random.SeedGenerator):
    """A generator that gives one key again and again."""

    def __init__(self, key):
        super().__init__(0)
        self._key = key

    def next(self, ordered=True):
        return self._key


def test_jitter_equals_keras_layer_by_layer():
    factors = {"brightness_factor": 0.3, "contrast_factor": 0.4, "saturation_factor": 0.8, "hue_factor": 0.5}
    ours = layers.RandomColorJitter((0, 255), **factors)
    values = ours.get_random_transformation(IMAGES, seed=2)
    expected = jnp.asarray(IMAGES)
    for name, factor in factors.items():
        name = name.removesuffix("_factor")
        layer = getattr(keras.layers, f"Random{name.title()}")(factor, value_range=(0, 255))
        expected = layer.transform_images(expected, values[f"random_{name}"], training=True)
    np.testing.assert_allclose(ours.transform_images(IMAGES, values), expected, rtol=1e-5, atol=3e-3)


@pytest.mark.slow
def test_rand_augment_equals_keras():
    theirs = keras.layers.RandAugment(factor=0.6, bounding_box_format="xyxy", seed=1)
    ours = layers.RandAugment(factor=0.6, bounding_box_format="xyxy")
    drawn = theirs.get_random_transformation(jnp.asarray(IMAGES))
    case = Fixed("RandAugment")

    @jax.jit
    def run(indexes):
        values = {**drawn, "layer_idxes": indexes, "input_shape": IMAGES.shape}
        return results(ours, case, "channels_last", values, "xyxy")

    for indexes in ([0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [2, 10]):
        fixed = {**drawn, "layer_idxes": jnp.asarray(indexes)}
        expected = results(theirs, case, "channels_last", fixed, "xyxy")
        compare(run(jnp.asarray(indexes)), expected, 255)


@pytest.mark.slow
def test_aug_mix_equals_keras():
    theirs = keras.layers.AugMix(seed=1)
    ours = layers.AugMix()
    keras.utils.set_random_seed(3)
    drawn = theirs.get_random_transformation(jnp.asarray(IMAGES))
    values = as_ours(drawn, ours)
    expected = theirs.transform_images(jnp.asarray(IMAGES), drawn)
    np.testing.assert_allclose(ours.transform_images(IMAGES, values), expected, rtol=1e-5, atol=3e-3)
    expected = theirs.transform_segmentation_masks(jnp.asarray(MASKS), drawn)
    np.testing.assert_allclose(ours.transform_segmentation_masks(MASKS, values), expected, rtol=1e-5, atol=1e-4)


def as_ours(drawn, layer):
    """Keras's chains of named transformations as numbers of layers, with a transformation for each place."""
    values = dict(layer.get_random_transformation(IMAGES, seed=0))
    names = list(layer._names)
    indexes = np.full((layer.num_chains, layer.chain_depth), len(names))
    transforms = jax.tree.map(np.array, values["transforms"])
    for i, chain in enumerate(drawn["chain_transforms"]):
        for j, step in enumerate(chain):
            name = step["layer_name"]
            indexes[i, j] = names.index(name)
            for key, array in transforms[name].items():
                array[i, j] = step["transformation"][key]
    fixed = {name: drawn[name] for name in ("chain_mixing_weights", "weight_sample")}
    return {**fixed, "layer_idxes": indexes, "transforms": transforms}


def covered():
    """The layers that are compared here, for the page of coverage."""
    more = ("RandomElasticTransform", "RandomColorJitter", "RandAugment", "AugMix")
    return {f"keras.layers.{name}" for name in (*more, *(case.name for case in CASES.values()))}


def test_one_image_and_its_boxes_are_transformed_without_a_batch():
    image = np.random.default_rng(0).normal(size=(4, 4, 1)).astype("float32")
    corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]])
    moved = {
        "apply_perspective": np.array([True]),
        "start_points": corners[None],
        "end_points": corners[None] / 3,
        "input_shape": (4, 4, 1),
    }
    result, want = (
        np.asarray(home.RandomPerspective(data_format="channels_last").transform_images(image, moved))
        for home in (layers, keras.layers)
    )
    np.testing.assert_allclose(result, want, atol=1e-5)
    boxes = {"boxes": np.array([[2, 1, 4, 3], [6, 4, 8, 6]]), "labels": np.array([1, 2])}
    shift = {"translations": np.array([[1.0, 2.0]]), "input_shape": (10, 8, 3)}
    layer = layers.RandomTranslation(0.5, 0.5, bounding_box_format="xyxy", data_format="channels_last")
    changed = layer.transform_bounding_boxes(boxes, shift)
    np.testing.assert_allclose(changed["boxes"], [[3, 3, 5, 5], [7, 6, 8, 8]])
    np.testing.assert_array_equal(changed["labels"], boxes["labels"])
