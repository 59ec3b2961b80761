"""Boxes and masks drawn onto images, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jkeras import config
from jkeras.arguments import by_number, checked, one_of, optional, positive_int, probability
from jkeras.errors import InputError
from jkeras.lazy import needed
from jkeras.ops.boxes import SUPPORTED_FORMATS, convert_format
from jkeras.tracebacks import filtered
from jkeras.types import ArrayLike

Colour = Sequence[int]
Names = Mapping[int, str]

# Every colour of the palette is a multiple of this one, as in Keras.
STEP = np.asarray([2**25 - 1, 2**15 - 1, 2**21 - 1])
# The height of Keras's texts at scale 1, in pixels.
FONT_SIZE = 20


def images_last(images: ArrayLike, data_format: str | None, where: str) -> np.ndarray:
    """A batch of images as `(batch, height, width, channels)`, from either layout.

    Raises:
        InputError: it is not a batch of images.
    """
    array = np.asarray(images)
    if array.ndim != 4:
        raise InputError(f"{where}: `images` must be batched 4D tensor. Received: images.shape={array.shape}")
    return array.transpose(0, 2, 3, 1) if config.standardize_data_format(data_format) == "channels_first" else array


def in_bytes(images: np.ndarray, value_range: Sequence[float]) -> np.ndarray:
    """Images with values in a range, rescaled to integers from 0 to 255.

    >>> in_bytes(np.asarray([0.0, 0.5, 1.0]), (0, 1)).tolist()
    [0, 127, 255]
    """
    ends = np.asarray(value_range)
    if ends.shape != (2,) or not ends[1] > ends[0]:
        raise InputError(f"value_range={value_range!r}: expected the least and the greatest value, such as (0, 255).")
    low, high = value_range
    if images.dtype == np.uint8 and (low, high) == (0, 255):
        return images
    shares = (images.astype("float64") - low) / (high - low)
    scaled: np.ndarray = (np.clip(shares, 0, 1) * 255).astype("uint8")
    return scaled


@filtered
def draw_bounding_boxes(
    images: ArrayLike,
    bounding_boxes: Mapping[str, ArrayLike],
    bounding_box_format: str,
    class_mapping: Names | None = None,
    color: Colour = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int | None = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with frames around boxes.

    Args:
        images: `(batch, height, width, channels)`; floats up to 1 are multiplied by 255.
        bounding_boxes: "boxes" `(batch, boxes, 4)`, "labels" `(batch, boxes)`, and optionally "confidences" `(batch, boxes)`. A
            box with the label -1 is not drawn.
        bounding_box_format: the format of the boxes; see `jkeras.utils.bounding_boxes`.
        class_mapping: the names to write at boxes, by label; needs Pillow.
        color: red, green and blue, from 0 to 255.
        line_thickness: the thickness of the frames, in pixels.
        text_thickness: the thickness of the letters; None means that of the frames.
        font_scale: the scale of the letters; 1 means 20 pixels.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.

    Returns:
        Integers from 0 to 255 in the layout of `images`.

    Raises:
        ArgumentError: the keys of `class_mapping` are not numbers.
        InputError: images or boxes have another shape, or there are no labels.
        ImportError: names are to be written, and Pillow is not installed.

    >>> boxes = {"boxes": [[[0, 0, 3, 3]]], "labels": [[1]]}
    >>> drawn = draw_bounding_boxes(np.zeros((1, 4, 4, 3)), boxes, "xyxy", line_thickness=1)
    >>> drawn[0, :, :, 0].tolist()
    [[128, 128, 128, 128], [128, 0, 0, 128], [128, 0, 0, 128], [128, 128, 128, 128]]
    """
    batch = images_last(images, data_format, "draw_bounding_boxes")
    checked("draw_bounding_boxes", "bounding_box_format", bounding_box_format, one_of(*SUPPORTED_FORMATS))
    class_mapping = checked("draw_bounding_boxes", "class_mapping", class_mapping, optional(by_number)) or {}
    boxes, labels, confidences = _boxes(bounding_boxes, bounding_box_format, batch.shape)
    whole = batch.dtype.kind == "f" and batch.size and batch.max() <= 1
    pictures = np.array(in_bytes(batch, (0, 1) if whole else (0, 255)))
    paint = np.resize(np.asarray(color, "uint8"), batch.shape[-1])
    thickness = checked("draw_bounding_boxes", "line_thickness", line_thickness, positive_int)
    for number, image in enumerate(pictures):
        for place, label in enumerate(labels[number]):
            if label == -1:
                continue
            left, top, right, bottom = (int(edge) for edge in boxes[number, place])
            _frame(image, (left, top, right, bottom), paint, thickness)
            name = class_mapping.get(int(label))
            if name is not None:
                text = name if confidences is None else f"{name} | {confidences[number, place]:.2f}"
                _write(image, text, (left, top), paint, font_scale, text_thickness or thickness)
    return (
        pictures.transpose(0, 3, 1, 2) if config.standardize_data_format(data_format) == "channels_first" else pictures
    )


def _boxes(
    bounding_boxes: Mapping[str, ArrayLike], form: str, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Boxes "xyxy", labels, and confidences if there are any."""
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise InputError(
            "draw_bounding_boxes: `bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. Received:"
            f" bounding_boxes={bounding_boxes!r:.200}"
        )
    boxes, labels = np.asarray(bounding_boxes["boxes"]), np.asarray(bounding_boxes["labels"])
    if boxes.ndim != 3 or boxes.shape != (shape[0], *labels.shape[1:], 4) or labels.shape[:1] != shape[:1]:
        raise InputError(
            f"draw_bounding_boxes: expected 'boxes' of shape (batch, boxes, 4) and 'labels' of shape (batch, boxes) for"
            f" {shape[0]} images; got {boxes.shape} and {labels.shape}."
        )
    confidences = bounding_boxes.get("confidences")
    corners = convert_format(boxes, form, "xyxy", height=shape[1], width=shape[2], dtype="float32")
    return np.asarray(corners), labels, None if confidences is None else np.asarray(confidences)


def _frame(image: np.ndarray, box: tuple[int, int, int, int], paint: np.ndarray, thickness: int) -> None:
    """Draws the edges of a box, each centred on its coordinate."""
    left, top, right, bottom = box
    before, after = (thickness - 1) // 2, thickness // 2 + 1

    def band(low: int, high: int) -> slice:
        return slice(max(low - before, 0), max(high + after, 0))

    for rows, columns in (
        (band(top, top), band(left, right)),
        (band(bottom, bottom), band(left, right)),
        (band(top, bottom), band(left, left)),
        (band(top, bottom), band(right, right)),
    ):
        image[rows, columns] = paint


def _write(
    image: np.ndarray, text: str, corner: tuple[int, int], paint: np.ndarray, scale: float, thickness: int
) -> None:
    """Writes a text above a corner, or below it where there is no room above."""
    pictures, drawing, fonts = (
        needed(f"PIL.{name}", "draw_bounding_boxes(class_mapping=...)", "pillow")
        for name in ("Image", "ImageDraw", "ImageFont")
    )
    font = fonts.load_default(size=max(scale * FONT_SIZE, 1))
    stroke = max(thickness - 1, 0) // 2
    left, top, _, bottom = font.getbbox(text, stroke_width=stroke)
    x, y = corner
    above = y - 8 - (bottom - top)
    place = (x, above) if above > 0 else (x + 3, y + 3 + thickness)
    letters = pictures.new("L", (image.shape[1], image.shape[0]))
    drawing.Draw(letters).text((place[0] - left, place[1] - top), text, fill=255, font=font, stroke_width=stroke)
    share = np.asarray(letters)[..., None] / 255
    image[:] = (image * (1 - share) + paint * share).astype("uint8")


@filtered
def draw_segmentation_masks(
    images: ArrayLike,
    segmentation_masks: ArrayLike,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Colour] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with a coloured overlay for the class of each pixel.

    Args:
        images: `(batch, height, width, channels)`, values up to 255.
        segmentation_masks: integers `(batch, height, width)`, optionally with a channels axis of size 1.
        num_classes: classes from this number on are not drawn; None draws all.
        color_mapping: red, green and blue by class; classes that are missing are not drawn. None means a palette.
        alpha: the opacity of the colours, from 0 to 1.
        blend: whether to blend colours with the image; False replaces pixels and returns floats.
        ignore_index: a class that is not drawn.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.

    Returns:
        `(batch, height, width, channels)`, integers from 0 to 255.

    Raises:
        ArgumentError: `alpha` is not between 0 and 1, or the keys of `color_mapping` are not numbers.
        InputError: images or masks have another shape.
        TypeError: masks are not integers.

    >>> draw_segmentation_masks(np.zeros((1, 1, 2, 3)), np.asarray([[[0, 1]]]), color_mapping={1: (100, 50, 0)})[0, 0].tolist()
    [[0, 0, 0], [80, 40, 0]]
    """
    batch = images_last(images, data_format, "draw_segmentation_masks").astype("float32")
    masks = np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(
            f"`segmentation_masks` must be in integer dtype. Received: segmentation_masks.dtype={masks.dtype.name}"
        )
    if masks.ndim == 4:
        masks = masks[:, 0] if config.standardize_data_format(data_format) == "channels_first" else masks[..., 0]
    if masks.shape != batch.shape[:3]:
        raise InputError(
            f"draw_segmentation_masks: expected masks of shape {batch.shape[:3]}, one number for each pixel; got"
            f" {np.shape(segmentation_masks)}."
        )
    share = checked("draw_segmentation_masks", "alpha", alpha, probability)
    color_mapping = checked("draw_segmentation_masks", "color_mapping", color_mapping, optional(by_number))
    count = int(masks.max(initial=-1)) + 1 if num_classes is None else num_classes
    pictures = batch.copy()
    for number in range(count):
        colour = (number * STEP) % 255 if color_mapping is None else color_mapping.get(number)
        if colour is not None:
            pictures[masks == number] = np.asarray(colour, "float32")
    if not blend:
        return pictures
    mixed = batch * np.float32(1 - share) + pictures * np.float32(share)
    blended = np.where((masks != ignore_index)[..., None], mixed, batch)
    result: np.ndarray = np.clip(blended, 0, 255).astype("uint8")
    return result


__all__ = ["draw_bounding_boxes", "draw_segmentation_masks"]
