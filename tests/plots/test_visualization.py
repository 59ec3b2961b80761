"""Boxes and masks on images, and galleries of them."""

import functools

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours
from jkeras.errors import ArgumentError, InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 12, 10, 3)).astype("uint8")
MASKS = RNG.integers(0, 4, (3, 12, 10, 1))
BOXES = {"boxes": np.array([[[2, 2, 8, 9]]] * 3), "labels": np.array([[1], [0], [-1]])}
COLOURS = {0: (1, 2, 3), 1: (200, 0, 10), 2: (0, 90, 0), 3: (7, 7, 7)}


@pytest.mark.parametrize(
    "options",
    [{}, {"alpha": 0.3, "ignore_index": 0}, {"color_mapping": COLOURS}, {"blend": False}],
    ids=["palette", "alpha", "mapping", "plain"],
)
def test_masks_are_keras_s(options):
    result = jk.visualization.draw_segmentation_masks(IMAGES, MASKS, num_classes=4, **options)
    want = keras.visualization.draw_segmentation_masks(IMAGES, MASKS, num_classes=4, **options)
    np.testing.assert_array_equal(result, np.asarray(want))
    flat = jk.visualization.draw_segmentation_masks(IMAGES, MASKS[..., 0], **options)
    np.testing.assert_array_equal(flat, result)
    first = [array.transpose(0, 3, 1, 2) for array in (IMAGES, MASKS)]
    channels = jk.visualization.draw_segmentation_masks(*first, data_format="channels_first", **options)
    np.testing.assert_array_equal(channels, result)


def test_frames_lie_on_the_edges():
    drawn = jk.visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(9, 8, 7), line_thickness=1)
    changed = (drawn != IMAGES).any(-1)
    edge = np.zeros((12, 10), bool)
    edge[2:10, 2:9] = True
    edge[3:9, 3:8] = False
    assert (drawn[:2, edge] == (9, 8, 7)).all() and not changed[:2, ~edge].any() and not changed[2].any()
    first = jk.visualization.draw_bounding_boxes(
        IMAGES.transpose(0, 3, 1, 2), BOXES, "xyxy", color=(9, 8, 7), line_thickness=1, data_format="channels_first"
    )
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), drawn)
    other = {**BOXES, "boxes": keras.utils.bounding_boxes.convert_format(BOXES["boxes"], "xyxy", "center_xywh")}
    centred = jk.visualization.draw_bounding_boxes(IMAGES, other, "center_xywh", color=(9, 8, 7), line_thickness=1)
    np.testing.assert_array_equal(centred, drawn)


def test_names_are_written_above_boxes():
    dark = np.zeros((1, 60, 80, 3))
    boxes = {"boxes": [[[10, 40, 60, 55]]], "labels": [[2]], "confidences": [[0.5]]}
    plain, named = (
        jk.visualization.draw_bounding_boxes(dark, boxes, "xyxy", class_mapping=names, color=(255, 0, 0))
        for names in (None, {2: "cat"})
    )
    letters = (plain != named).any(-1)[0]
    assert letters[:38].any() and not letters[38:].any() and not named[..., 1:].any()


def gallery(kind, **options):
    boxes = {**BOXES, "confidences": np.full((3, 1), 0.5)}
    calls = {
        "images": (jk.visualization.plot_image_gallery, {"y_true": [0, 1, 2], "label_map": {0: "a", 1: "b"}}),
        "boxes": (
            jk.visualization.plot_bounding_box_gallery,
            {
                "bounding_box_format": "xyxy",
                "y_true": BOXES,
                "y_pred": boxes,
                "class_mapping": {1: "a"},
                "legend": True,
            },
        ),
        "masks": (
            jk.visualization.plot_segmentation_mask_gallery,
            {"num_classes": 4, "y_true": MASKS, "y_pred": MASKS},
        ),
    }
    function, arguments = calls[kind]
    return function(IMAGES / 255, value_range=(0, 1), **arguments, **options)


@pytest.mark.parametrize(("kind", "panels"), [("images", 4), ("boxes", 4), ("masks", 9)])
def test_galleries(kind, panels, tmp_path):
    import matplotlib.pyplot as plt

    figure = gallery(kind, show=False)
    assert len(figure.axes) == panels
    if kind == "images":
        assert [axes.get_title() for axes in figure.axes] == ["Label: a", "Label: b", "Label: Unknown", ""]
        shown = np.asarray(figure.axes[2].images[0].get_array())
        np.testing.assert_allclose(shown, IMAGES[2], atol=1)
    plt.close(figure)
    assert gallery(kind, path=tmp_path / "g.png") is None and (tmp_path / "g.png").stat().st_size > 500
    assert not plt.get_fignums()


DRAW = jk.visualization
# A table of JSON has the numbers of its classes as texts, which would be those of no class.
TABLES = [2, "cat", ["cat"], {"0": "cat"}]
MISTAKES = [
    (lambda: DRAW.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy"), InputError, "batched 4D"),
    (lambda: DRAW.draw_bounding_boxes(IMAGES, {"boxes": BOXES["boxes"]}, "xyxy"), InputError, "labels"),
    (lambda: DRAW.draw_bounding_boxes(IMAGES[:2], BOXES, "xyxy"), InputError, "2 images"),
    (lambda: DRAW.draw_segmentation_masks(IMAGES, MASKS * 1.0), TypeError, "integer dtype"),
    (lambda: DRAW.draw_segmentation_masks(IMAGES, MASKS[:, 1:]), InputError, "one number for each pixel"),
    (lambda: DRAW.draw_segmentation_masks(IMAGES, MASKS, alpha=2), ArgumentError, "alpha"),
    (lambda: DRAW.plot_image_gallery(IMAGES, path="a.png", show=True), ArgumentError, "either"),
    (lambda: DRAW.plot_image_gallery(IMAGES, y_true=[1, 2, 3]), ArgumentError, "label_map"),
    (lambda: DRAW.plot_image_gallery(IMAGES, value_range=(1, 1), show=False), InputError, "value_range"),
    (lambda: DRAW.plot_image_gallery(IMAGES, value_range=255, show=False), InputError, "value_range"),
    (lambda: gallery("boxes", legend_handles=[1]), ArgumentError, "Only pass"),
    *(
        (functools.partial(DRAW.plot_image_gallery, IMAGES, [0, 1, 2], label_map=t), ArgumentError, "label_map")
        for t in TABLES
    ),
    *(
        (functools.partial(DRAW.draw_bounding_boxes, IMAGES, BOXES, "xyxy", t), ArgumentError, "class_mapping")
        for t in TABLES
    ),
    *(
        (functools.partial(DRAW.draw_segmentation_masks, IMAGES, MASKS, 4, t), ArgumentError, "color_mapping")
        for t in TABLES
    ),
    *(
        (functools.partial(DRAW.plot_bounding_box_gallery, IMAGES, "xyxy", BOXES, **{name: t}), ArgumentError, name)
        for t in TABLES
        for name in ("class_mapping", "ground_truth_mapping", "prediction_mapping")
    ),
]


@pytest.mark.parametrize(("make", "error", "words"), MISTAKES)
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_keras_s_names_are_there():
    assert ours.visualization.draw_bounding_boxes is DRAW.draw_bounding_boxes
