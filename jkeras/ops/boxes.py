"""Bounding boxes: their formats, how they are moved, and how much they overlap.

Boxes are arrays `(..., 4)`. A format says what the four numbers are: two corners (`xyxy`, `yxyx`), a corner and the size
(`xywh`), or the center and the size (`center_xywh`, `center_yxhw`); with `rel_` in front they are shares of the image's size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Array, ArrayLike

# What the numbers are, and whether y comes first.
_LAYOUTS = {
    "xyxy": ("corners", False),
    "yxyx": ("corners", True),
    "xywh": ("corner", False),
    "center_xywh": ("center", False),
    "center_yxhw": ("center", True),
}
SUPPORTED_FORMATS = (*_LAYOUTS, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def _halves(boxes: Array) -> tuple[Array, Array]:
    return boxes[..., :2], boxes[..., 2:]


def _to_corners(boxes: Array, layout: str) -> Array:
    kind, y_first = _LAYOUTS[layout]
    first, second = _halves(boxes)
    if kind == "corner":
        second = first + second
    elif kind == "center":
        first, second = first - second / 2, first + second / 2
    return _joined(first, second, y_first)


def _from_corners(boxes: Array, layout: str) -> Array:
    kind, y_first = _LAYOUTS[layout]
    first, second = _halves(boxes)
    if kind != "corners":
        size = second - first
        first, second = (first + size / 2 if kind == "center" else first), size
    return _joined(first, second, y_first)


def _joined(first: Array, second: Array, swap: bool) -> Array:
    if swap:
        first, second = first[..., ::-1], second[..., ::-1]
    return jnp.concatenate([first, second], axis=-1)


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: an array `(..., 4)`, or a mapping with one under "boxes".
        source: their current format; case does not matter.
        target: the format that is wanted.
        height: the height of the image; needed between relative and other formats.
        width: the width of the image, under the same conditions.
        dtype: the type of the result.

    Raises:
        ArgumentError: a format is unknown, or the image's size is missing.
        InputError: there are not four numbers in the last axis.

    >>> convert_format([[10, 20, 30, 50]], "xyxy", "center_xywh").tolist()
    [[20.0, 35.0, 20.0, 30.0]]
    """
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = jnp.asarray(boxes)
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise InputError(
            f"`boxes` must be a tensor with the last dimension of 4. Received: boxes.shape={tuple(boxes.shape)}"
        )
    source, target = source.lower(), target.lower()
    if source not in SUPPORTED_FORMATS or target not in SUPPORTED_FORMATS:
        raise ArgumentError(
            f"Invalid source or target format. Supported formats: {SUPPORTED_FORMATS}. Received: source={source!r},"
            f" target={target!r}"
        )
    relative = [name.startswith("rel_") for name in (source, target)]
    if any(relative) and (height is None or width is None):
        raise ArgumentError(
            "convert_format() must receive `height` and `width` transforming between relative and absolute formats."
            f" convert_format() received source=`{source}`, target=`{target}`, but height={height} and width={width}."
        )
    boxes = boxes.astype(dtype)
    if source == target:
        return boxes
    size = None if relative[0] == relative[1] else _image_size(height, width, boxes)
    corners = _to_corners(boxes, source.removeprefix("rel_"))
    if size is not None and relative[0]:
        corners = corners * size
    result = _from_corners(corners, layout := target.removeprefix("rel_"))
    if size is not None and relative[1]:
        result = result / (size[..., ::-1] if _LAYOUTS[layout][1] else size)
    return result


def _image_size(height: Any, width: Any, boxes: Array) -> Array:
    height, width = jnp.asarray(height, boxes.dtype), jnp.asarray(width, boxes.dtype)
    if height.ndim and height.shape[-1] == 1:  # one size for each image of a batch, with an axis for its numbers
        height, width = height[..., 0], width[..., 0]
    return jnp.stack([width, height, width, height], axis=-1)


def _only_corners(bounding_box_format: str, formats: tuple[str, ...] = ("xyxy",)) -> None:
    if bounding_box_format not in formats:
        raise NotImplementedError(f"`bounding_box_format` must be one of {formats}. Received: {bounding_box_format!r}")


def _clipped(boxes: Array, height: Any, width: Any) -> Array:
    limits = jnp.stack([jnp.asarray(limit, boxes.dtype) for limit in (width, height, width, height)], axis=-1)
    return jnp.clip(boxes, 0, limits)


def clip_to_image_size(
    bounding_boxes: Mapping[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes without what is outside the image; the label of a box that is gone becomes -1.

    Args:
        bounding_boxes: "boxes", an array `(..., 4)`, and perhaps "labels", an array `(...)`.
        height: the height of the image; needed for "xyxy".
        width: the width of the image, under the same conditions.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Raises:
        NotImplementedError: the format is another one.
        ArgumentError: the image's size is missing.
    """
    _only_corners(bounding_box_format, ("xyxy", "rel_xyxy"))
    if bounding_box_format == "xyxy" and (height is None or width is None):
        raise ArgumentError("`height` and `width` must be set if `format='xyxy'`.")
    limits = (height, width) if bounding_box_format == "xyxy" else (1, 1)
    boxes = _clipped(jnp.asarray(bounding_boxes["boxes"]), *limits)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        result["labels"] = jnp.where(_area(boxes) > 0, jnp.asarray(bounding_boxes["labels"]), -1)
    return result


def crop(boxes: ArrayLike, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Array:
    """Boxes in a part of the image, which is `height` by `width` large and begins at `top` and `left`.

    Raises:
        NotImplementedError: the format is not "xyxy".
    """
    return _clipped(
        pad(boxes, -jnp.asarray(top), -jnp.asarray(left), bounding_box_format=bounding_box_format), height, width
    )


def pad(
    boxes: ArrayLike, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Array:
    """Boxes in an image to which `top` rows and `left` columns were added.

    Raises:
        NotImplementedError: the format is not "xyxy".
    """
    _only_corners(bounding_box_format)
    x1, y1, x2, y2 = jnp.split(jnp.asarray(boxes), 4, axis=-1)
    return jnp.concatenate([x1 + left, y1 + top, x2 + left, y2 + top], axis=-1)


def affine_transform(
    boxes: ArrayLike,
    angle: ArrayLike,
    translate_x: ArrayLike,
    translate_y: ArrayLike,
    scale: ArrayLike,
    shear_x: ArrayLike,
    shear_y: ArrayLike,
    height: Any,
    width: Any,
    center_x: ArrayLike | None = None,
    center_y: ArrayLike | None = None,
    bounding_box_format: str = "xyxy",
) -> Array:
    """The boxes around rotated, moved, scaled and sheared boxes.

    Args:
        boxes: `(batch, boxes, 4)`.
        angle: degrees, `(batch,)`, as all of the following.
        translate_x: a share of the width.
        translate_y: a share of the height.
        scale: a factor.
        shear_x: degrees.
        shear_y: degrees.
        height: the height of the image.
        width: the width of the image.
        center_x: a share of the width; None is the middle.
        center_y: a share of the height; None is the middle.
        bounding_box_format: only "xyxy" is supported.

    Raises:
        NotImplementedError: the format is another one.
    """
    _only_corners(bounding_box_format)
    angle = jnp.asarray(angle)
    matrix = _inverse_affine_matrix(
        angle,
        (jnp.asarray(0.5 if center_x is None else center_x), jnp.asarray(0.5 if center_y is None else center_y)),
        (jnp.asarray(translate_x), jnp.asarray(translate_y)),
        jnp.asarray(scale),
        (jnp.asarray(shear_x), jnp.asarray(shear_y)),
        (height, width),
    )
    x1, y1, x2, y2 = jnp.moveaxis(jnp.asarray(boxes).astype(matrix.dtype), -1, 0)
    corners = jnp.stack([jnp.stack(corner, -1) for corner in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))], axis=2)
    homogeneous = jnp.concatenate([corners, jnp.ones_like(corners[..., :1])], axis=-1)
    moved = jnp.einsum("bncy,bzy->bncz", homogeneous, matrix)
    return jnp.concatenate([moved.min(axis=2), moved.max(axis=2)], axis=-1)


def _inverse_affine_matrix(
    angle: Array,
    center: tuple[Array, Array],
    translation: tuple[Array, Array],
    scale: Array,
    shear: tuple[Array, Array],
    size: tuple[Any, Any],
) -> Array:
    """The first two rows, `(batch, 2, 3)`, of the map from the new image to the old one."""
    height, width = size
    center_x, center_y = center[0] * (width - 1), center[1] * (height - 1)
    moved_x, moved_y = center_x - translation[0] * (width - 1), center_y - translation[1] * (height - 1)
    rotation, shear_x, shear_y = (-degrees * (math.pi / 180) for degrees in (angle, *shear))
    a = jnp.cos(rotation - shear_y) / jnp.cos(shear_y)
    b = a * jnp.tan(shear_x) + jnp.sin(rotation)
    c = -jnp.sin(rotation - shear_y) / jnp.cos(shear_y)
    d = jnp.cos(rotation) - c * jnp.tan(shear_x)
    rows = [(d * scale, -b * scale, center_x), (-c * scale, a * scale, center_y)]
    entries = [[x, y, middle - x * moved_x - y * moved_y] for x, y, middle in rows]
    return jnp.stack([jnp.stack(jnp.broadcast_arrays(*row), -1) for row in entries], axis=-2)


def _deltas_arguments(name: str, encoding: str, variance: Any) -> Any:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ArgumentError(f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding}")
    variance = None if variance is None else jnp.asarray(variance, "float32")
    if variance is not None and variance.shape[-1] != 4:
        raise ArgumentError(f"`variance` must be length 4, got {variance}")
    return variance


def _sizes(image_shape: Any) -> dict[str, Any]:
    height, width = (None, None) if image_shape is None else tuple(image_shape)[:2]
    return {"height": height, "width": width}


def encode_box_to_deltas(
    anchors: ArrayLike,
    boxes: ArrayLike,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Array:
    """What has to be done to anchors to get boxes: steps in units of the anchor, and logarithms of the ratio of the sizes.

    Args:
        anchors: `(boxes, 4)`.
        boxes: `(boxes, 4)` or `(batch, boxes, 4)`.
        anchor_format: the format of the anchors.
        box_format: the format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh": the order of the result.
        variance: four numbers by which the result is divided.
        image_shape: `(height, width, channels)`; needed where a format is relative.

    Raises:
        ArgumentError: the encoding is another one, or there are not four variances.
    """
    variance = _deltas_arguments("encoding_format", encoding_format, variance)
    anchor_center, anchor_size = _halves(convert_format(anchors, anchor_format, encoding_format, **_sizes(image_shape)))
    center, size = _halves(convert_format(boxes, box_format, encoding_format, **_sizes(image_shape)))
    anchor_size, size = jnp.maximum(anchor_size, config.epsilon()), jnp.maximum(size, config.epsilon())
    deltas = jnp.concatenate([(center - anchor_center) / anchor_size, jnp.log(size / anchor_size)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The inverse of `encode_box_to_deltas`.

    Args:
        anchors: `(boxes, 4)`, or a mapping of such arrays, by level for example.
        boxes_delta: `(boxes, 4)` or `(batch, boxes, 4)`, or a mapping with the same keys.
        anchor_format: the format of the anchors.
        box_format: the format of the result.
        encoded_format: "center_yxhw" or "center_xywh".
        variance: four numbers by which the deltas are multiplied.
        image_shape: `(height, width, channels)`; needed where a format is relative.

    Raises:
        ArgumentError: the encoding is another one, or there are not four variances.
    """
    if isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping):
        rest = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {key: decode_deltas_to_boxes(anchor, boxes_delta[key], *rest) for key, anchor in anchors.items()}
    variance = _deltas_arguments("encoded_format", encoded_format, variance)
    deltas = jnp.asarray(boxes_delta)
    step, ratio = _halves(deltas if variance is None else deltas * variance)
    anchor_center, anchor_size = _halves(convert_format(anchors, anchor_format, encoded_format, **_sizes(image_shape)))
    boxes = jnp.concatenate([step * anchor_size + anchor_center, jnp.exp(ratio) * anchor_size], axis=-1)
    return convert_format(boxes, encoded_format, box_format, **_sizes(image_shape))


def _area(corners: Array) -> Array:
    first, second = _halves(corners)
    return jnp.prod(second - first, axis=-1)


def _overlap(boxes1: Array, boxes2: Array) -> Array:
    (first1, second1), (first2, second2) = _halves(boxes1), _halves(boxes2)
    return jnp.prod(jnp.maximum(jnp.minimum(second1, second2) - jnp.maximum(first1, first2), 0), axis=-1)


def compute_iou(
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Array:
    """The intersection over union of every box with every other.

    Args:
        boxes1: `(n, 4)` or `(batch, n, 4)`.
        boxes2: `(m, 4)` or `(batch, m, 4)`.
        bounding_box_format: the format of both.
        use_masking: whether boxes with negative numbers alone are none.
        mask_val: what such a box gets.
        image_shape: `(height, width, channels)`; needed where the format is relative.

    Returns:
        `(n, m)`, or `(batch, n, m)`.

    Raises:
        InputError: boxes have another number of axes.
        ArgumentError: the format is relative and the image's shape is missing.

    >>> compute_iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 3, 2]], "xyxy").round(3).tolist()
    [[1.0, 0.3330000042915344]]
    """
    boxes1, boxes2 = jnp.asarray(boxes1), jnp.asarray(boxes2)
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if boxes.ndim not in (2, 3):
            raise InputError(
                f"compute_iou() expects {name} to be batched, or to be unbatched. Received"
                f" len(boxes1.shape)={boxes1.ndim}, len(boxes2.shape)={boxes2.ndim}. Expected either"
                f" len({name}.shape)=2 AND or len({name}.shape)=3."
            )
    if "rel" in bounding_box_format and image_shape is None:
        raise ArgumentError(
            "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` argument must be provided."
            f" Received `image_shape`: {image_shape}"
        )
    rows = convert_format(boxes1, bounding_box_format, "xyxy", **_sizes(image_shape))[..., :, None, :]
    columns = convert_format(boxes2, bounding_box_format, "xyxy", **_sizes(image_shape))[..., None, :, :]
    overlap = _overlap(rows, columns)
    iou = overlap / (_area(rows) + _area(columns) - overlap + config.epsilon())
    if not use_masking:
        return iou
    return jnp.where((rows.max(-1) < 0) | (columns.max(-1) < 0), jnp.asarray(mask_val, iou.dtype), iou)


def compute_ciou(boxes1: ArrayLike, boxes2: ArrayLike, bounding_box_format: str, image_shape: Any = None) -> Array:
    """The complete intersection over union (Zheng et al., 2020) of boxes in pairs: distance of the centers and ratio of the
    sides count as well.

    Args:
        boxes1: `(..., 4)`.
        boxes2: `(..., 4)`.
        bounding_box_format: the format of both; no relative one.
        image_shape: accepted for compatibility with Keras.

    Raises:
        ArgumentError: the format is relative.
    """
    if "rel" in bounding_box_format:
        raise ArgumentError(
            "`compute_ciou` takes no relative format (e.g. `rel_yxyx`): convert the boxes with `convert_format` first."
            f" Received: bounding_box_format={bounding_box_format!r}"
        )
    epsilon = config.epsilon()
    corners1, corners2 = (convert_format(boxes, bounding_box_format, "xyxy") for boxes in (boxes1, boxes2))
    (first1, second1), (first2, second2) = _halves(corners1), _halves(corners2)
    sides1, sides2 = (
        second - first + jnp.asarray([0, epsilon]) for first, second in ((first1, second1), (first2, second2))
    )
    overlap = _overlap(corners1, corners2)
    iou = overlap / (jnp.prod(sides1, -1) + jnp.prod(sides2, -1) - overlap + 2 * epsilon)
    hull = jnp.maximum(second1, second2) - jnp.minimum(first1, first2)
    diagonal = jnp.sum(hull**2, -1) + epsilon
    distance = jnp.sum(((first1 + second1) / 2 - (first2 + second2) / 2) ** 2, -1)
    ratio1, ratio2 = (jnp.arctan(sides[..., 0] / sides[..., 1]) for sides in (sides1, sides2))
    shape = 4 / math.pi**2 * (ratio2 - ratio1) ** 2
    return iou - (distance / diagonal + shape * (shape / (shape - iou + (1 + epsilon))))


__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]
