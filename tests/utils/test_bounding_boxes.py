"""Bounding boxes give Keras's numbers."""

import jax
import keras
import numpy as np
import pytest

from jkeras.errors import ArgumentError, InputError
from jkeras.utils import bounding_boxes

SHARES = {"angle": 20, "translate_x": 0.1, "translate_y": 0.2, "scale": 1, "shear_x": 5, "shear_y": 8}


@pytest.fixture
def boxes(rng):
    def corners(count):
        return np.sort(rng.uniform(1, 20, (2, count, 2, 2)), axis=-2).reshape(2, count, 4).astype("float32")

    return corners(4), corners(3)


def check(name, *args, **kwargs):
    expected, found = (getattr(home.bounding_boxes, name)(*args, **kwargs) for home in (keras.utils, _Ours))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), expected, found)


class _Ours:
    bounding_boxes = bounding_boxes


@pytest.mark.parametrize("source", bounding_boxes.SUPPORTED_FORMATS)
def test_formats(boxes, source):
    for target in bounding_boxes.SUPPORTED_FORMATS:
        check("convert_format", boxes[0], source, target, height=30, width=40)


def test_overlaps(boxes):
    one, other = boxes
    for pair in ((one, other), (one[0], other), (one, other[0]), (one[0], other[0])):
        check("compute_iou", *pair, "xyxy")
    check("compute_iou", one / 40, other / 40, "rel_yxyx", image_shape=(30, 40, 3))
    check("compute_iou", np.concatenate([one, -np.ones((2, 1, 4))], axis=1), other, "xyxy", use_masking=True)
    check("compute_ciou", one[:, :3], other, "center_xywh")


def test_moves(boxes):
    one, _ = boxes
    labelled = {"boxes": one - 8, "labels": np.ones((2, 4), "int32")}
    check("clip_to_image_size", labelled, 10, 12)
    check("clip_to_image_size", {**labelled, "boxes": one / 10}, bounding_box_format="rel_xyxy")
    check("crop", one, 2, 3, 10, 8)
    check("pad", one, 2, 3)
    turns = {name: np.asarray([value, value / 2], "float32") for name, value in SHARES.items()}
    check("affine_transform", one, **turns, height=30, width=40)


@pytest.mark.parametrize("variance", [None, (0.1, 0.1, 0.2, 0.2)])
def test_deltas(boxes, variance):
    one, _ = boxes
    check("encode_box_to_deltas", one[0], one, "xyxy", "yxyx", variance=variance)
    check(
        "decode_deltas_to_boxes",
        {"P3": one[0]},
        {"P3": one / 20},
        "xyxy",
        "rel_xywh",
        variance=variance,
        image_shape=(30, 40, 3),
    )


def test_mistakes(boxes):
    one, other = boxes
    with pytest.raises(InputError, match=r"last dimension of 4.*\(2, 4, 3\)"):
        bounding_boxes.convert_format(one[..., :3], "xyxy", "xywh")
    with pytest.raises(ArgumentError, match="Supported formats.*xyz"):
        bounding_boxes.convert_format(one, "xyz", "xywh")
    with pytest.raises(ArgumentError, match="`height` and `width`"):
        bounding_boxes.convert_format(one, "rel_xyxy", "xywh")
    with pytest.raises(InputError, match="boxes2"):
        bounding_boxes.compute_iou(one, other[0, 0], "xyxy")
    with pytest.raises(ArgumentError, match="encoding_format"):
        bounding_boxes.encode_box_to_deltas(one[0], one, "xyxy", "xyxy", encoding_format="xyxy")
