"""Images side by side, with labels, boxes or masks, drawn by matplotlib."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jkeras import arguments
from jkeras.arguments import at_least, checked, one_of, optional
from jkeras.errors import ArgumentError, SignatureError
from jkeras.ops.boxes import SUPPORTED_FORMATS
from jkeras.plots.figures import figures
from jkeras.plots.overlays import (
    Colour,
    Names,
    draw_bounding_boxes,
    draw_segmentation_masks,
    images_last,
    in_bytes,
)
from jkeras.tracebacks import filtered
from jkeras.types import ArrayLike, PathLike
from jkeras.writing import creating

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


@filtered
def plot_image_gallery(
    images: ArrayLike,
    y_true: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
    label_map: Names | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: PathLike | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Artist] | None = None,
    data_format: str | None = None,
) -> Figure | None:
    """Draws images in rows and columns, with their labels above.

    Args:
        images: `(batch, height, width, channels)`.
        y_true: the class of each image.
        y_pred: the predicted class of each image.
        label_map: the name of each class; required if there are classes.
        rows: the number of rows; None makes the grid square.
        cols: the number of columns; None makes room for all images.
        value_range: the lowest and highest possible value of the images.
        scale: the size of an image, in inches.
        path: a file for the picture.
        show: whether to show it immediately; None shows it unless there is a path.
        transparent: whether the file's background is transparent.
        dpi: dots per inch in the file.
        legend_handles: the entries of a legend.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.

    Returns:
        The figure if it is neither shown nor saved, otherwise None.

    Raises:
        ArgumentError: both a path and `show=True` are passed, or classes have no names.
        InputError: images have another shape.
        ImportError: matplotlib is not installed.
    """
    if path is not None and show:
        raise ArgumentError("plot_gallery() expects either `path` to be set, or `show` to be true.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ArgumentError("If `y_true` or `y_pred` are provided, a `label_map` must also be provided.")
    label_map = checked("plot_image_gallery", "label_map", label_map, optional(arguments.by_number))
    plt = figures("plot_image_gallery")
    batch = in_bytes(images_last(images, data_format, "plot_image_gallery"), value_range)
    rows = checked("plot_image_gallery", "rows", rows, optional(at_least(1)))
    cols = checked("plot_image_gallery", "cols", cols, optional(at_least(1)))
    rows = rows or math.ceil(math.sqrt(len(batch)))
    cols = cols or math.ceil(len(batch) / rows)
    figure: Figure
    figure, panels = plt.subplots(rows, cols, figsize=(cols * scale, rows * scale), squeeze=False, layout="tight")
    for number, panel in enumerate(panels.ravel()):
        panel.axis("off")
        if number < len(batch):
            panel.imshow(batch[number], cmap="gray" if batch.shape[-1] == 1 else None)
            panel.set_title(_title(number, {"Label": y_true, "Pred": y_pred}, label_map or {}), fontsize=8)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    if path is not None:
        with creating(checked("plot_image_gallery", "path", path, arguments.path)) as file:
            figure.savefig(file, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show or show is None:
        plt.show()
    else:
        return figure
    plt.close(figure)
    return None


def _title(number: int, classes: Mapping[str, ArrayLike | None], names: Names) -> str:
    known = {what: np.asarray(values) for what, values in classes.items() if values is not None}
    return "  ".join(
        f"{what}: {names.get(int(values[number]), 'Unknown')}" for what, values in known.items() if number < len(values)
    )


@filtered
def plot_bounding_box_gallery(
    images: ArrayLike,
    bounding_box_format: str,
    y_true: Mapping[str, ArrayLike] | None = None,
    y_pred: Mapping[str, ArrayLike] | None = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Colour = (0, 188, 212),
    pred_color: Colour = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Names | None = None,
    ground_truth_mapping: Names | None = None,
    prediction_mapping: Names | None = None,
    legend: bool = False,
    legend_handles: Sequence[Artist] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> Figure | None:
    """Draws images with true and predicted bounding boxes.

    Args:
        images: `(batch, height, width, channels)`.
        bounding_box_format: the format of the boxes.
        y_true: boxes as `draw_bounding_boxes` takes them.
        y_pred: the predictions, in the same form as `y_true`.
        value_range: the lowest and highest possible value of the images.
        true_color: the colour of the true boxes.
        pred_color: the colour of the predicted boxes.
        line_thickness: the thickness of the frames.
        font_scale: the scale of the letters.
        text_thickness: the thickness of the letters; None means that of the frames.
        class_mapping: the names by label.
        ground_truth_mapping: the names for true boxes; None means `class_mapping`.
        prediction_mapping: the names for predicted boxes; None means `class_mapping`.
        legend: whether to add a legend for the colours.
        legend_handles: the entries of the legend, instead of `legend`.
        rows: see `plot_image_gallery`.
        cols: see `plot_image_gallery`.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        **kwargs: further arguments of `plot_image_gallery`.

    Raises:
        ArgumentError: both `legend` and `legend_handles` are passed.
        InputError: images or boxes have another shape.
        ImportError: matplotlib is not installed.
    """
    figures("plot_bounding_box_gallery")
    mappings = {"ground_truth_mapping": ground_truth_mapping, "prediction_mapping": prediction_mapping}
    for name, mapping in mappings.items():
        checked("plot_bounding_box_gallery", name, mapping, optional(arguments.by_number))
    checked("plot_bounding_box_gallery", "bounding_box_format", bounding_box_format, one_of(*SUPPORTED_FORMATS))
    if legend and legend_handles:
        raise ArgumentError(
            "Only pass `legend` OR `legend_handles` to `keras.visualization.plot_bounding_box_gallery()`."
        )
    pictures = in_bytes(images_last(images, data_format, "plot_bounding_box_gallery"), value_range)
    parts = (
        (y_true, true_color, ground_truth_mapping, "Ground Truth"),
        (y_pred, pred_color, prediction_mapping, "Prediction"),
    )
    for boxes, color, names, _ in parts:
        if boxes is not None:
            pictures = draw_bounding_boxes(
                pictures,
                boxes,
                bounding_box_format,
                class_mapping=names or class_mapping,
                color=color,
                line_thickness=line_thickness,
                text_thickness=text_thickness,
                font_scale=font_scale,
                data_format="channels_last",
            )
    if legend:
        from matplotlib.patches import Patch

        legend_handles = [
            Patch(color=(color[0] / 255, color[1] / 255, color[2] / 255), label=label) for _, color, _, label in parts
        ]
    return plot_image_gallery(
        pictures, legend_handles=legend_handles, rows=rows, cols=cols, data_format="channels_last", **kwargs
    )


@filtered
def plot_segmentation_mask_gallery(
    images: ArrayLike,
    num_classes: int | None,
    value_range: Sequence[float] = (0, 255),
    y_true: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
    color_mapping: Mapping[int, Colour] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> Figure | None:
    """Draws a row for each image: the image itself, with the true classes, and with the predicted classes.

    Args:
        images: `(batch, height, width, channels)`.
        num_classes: see `draw_segmentation_masks`.
        value_range: the lowest and highest possible value of the images.
        y_true: masks as `draw_segmentation_masks` takes them, of any type of numbers.
        y_pred: the predictions, in the same form as `y_true`.
        color_mapping: see `draw_segmentation_masks`.
        blend: as for `draw_segmentation_masks`.
        alpha: as for `draw_segmentation_masks`.
        ignore_index: as for `draw_segmentation_masks`.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        **kwargs: further arguments of `plot_image_gallery`.

    Raises:
        SignatureError: `rows` or `cols` is passed; they follow from the images.
        InputError: images or masks have another shape.
        ImportError: matplotlib is not installed.
    """
    own = next((name for name in ("rows", "cols") if name in kwargs), None)
    if own is not None:
        raise SignatureError(
            f"plot_segmentation_mask_gallery({own}={kwargs[own]!r}): each image has a row, with a column for it and for each of"
            f" `y_true` and `y_pred`. Leave `{own}` out."
        )
    batch = in_bytes(images_last(images, data_format, "plot_segmentation_mask_gallery"), value_range)
    draw: Callable[..., np.ndarray] = functools.partial(
        draw_segmentation_masks,
        batch,
        num_classes=num_classes,
        color_mapping=color_mapping,
        alpha=alpha,
        blend=blend,
        ignore_index=ignore_index,
        data_format="channels_last",
    )
    columns = [batch, *(draw(_masks(masks, data_format)) for masks in (y_true, y_pred) if masks is not None)]
    pictures = np.stack(columns, axis=1).reshape(-1, *batch.shape[1:])
    return plot_image_gallery(pictures, rows=len(batch), cols=len(columns), data_format="channels_last", **kwargs)


def _masks(masks: ArrayLike, data_format: str | None) -> np.ndarray:
    array = np.asarray(masks).astype("int32")
    return images_last(array, data_format, "plot_segmentation_mask_gallery") if array.ndim == 4 else array


__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]
