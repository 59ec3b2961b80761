"""Pictures of data and predictions, drawn by matplotlib."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.plots.figures import finish, panels_of
from jkeras.types import NestedNumbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_matrix(y_true: NestedNumbers, y_pred: NestedNumbers, classes: int | None = None) -> np.ndarray:
    """How often class `i` was taken for class `j`, shape `(classes, classes)`.

    Args:
        y_true: classes `(rows,)`, or one-hot `(rows, classes)`.
        y_pred: predicted classes in the same form, or probabilities `(rows, classes)`.
        classes: their number; found in the data if None.

    Raises:
        InputError: different numbers of rows, or classes that are not whole numbers from 0.

    >>> confusion_matrix([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]).tolist()
    [[1, 0], [1, 1]]
    """
    true, pred = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
    if len(true) != len(pred):
        raise InputError(f"y_true has {len(true)} rows, y_pred has {len(pred)}.")
    count = classes or int(max(true.max(initial=0), pred.max(initial=0))) + 1
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (true, pred), 1)
    return matrix


def _classes(values: NestedNumbers, name: str) -> np.ndarray:
    array = arguments.checked("confusion_matrix", name, values, arguments.array)
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)
    elif array.ndim == 2:
        array = array[:, 0] > 0.5 if array.dtype.kind == "f" else array[:, 0]
    if array.ndim != 1 or (array.dtype.kind == "f" and (array != np.floor(array)).any()) or (array < 0).any():
        raise InputError(
            f"{name} of shape {array.shape}: expected classes from 0, shape (rows,), or a column per class."
        )
    return array.astype(int)


def _names(value: object) -> tuple[object, ...]:
    names = arguments.entries(value)
    if not names:
        raise ArgumentError("expected a name for each class")
    return names


def plot_confusion(
    y_true: NestedNumbers,
    y_pred: NestedNumbers,
    labels: Sequence[str] | None = None,
    *,
    normalize: bool = False,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """The confusion matrix as a picture: how often rows of each class are predicted as each class.

    Args:
        y_true: class ids `(rows,)`, or one-hot `(rows, classes)`.
        y_pred: predicted class ids `(rows,)`, or probabilities `(rows, classes)` from `model.predict`.
        labels: the names of the classes.
        normalize: whether each row is divided by its sum.
        path: a file to write the picture to.

    Returns:
        The matplotlib figure.

    Raises:
        InputError: the classes are not integers from 0, or the numbers of rows differ.
        ExtraError: matplotlib is not installed.

    >>> figure = plot_confusion([0, 1, 1], [0, 1, 0], labels=["cat", "dog"])
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['cat', 'dog']
    """
    arguments.flags("plot_confusion", normalize=normalize)
    classes = arguments.checked("plot_confusion", "labels", labels, arguments.optional(_names))
    matrix = confusion_matrix(y_true, y_pred, None if classes is None else len(classes))
    shown = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1) if normalize else matrix
    side = max(3.2, 0.52 * len(matrix) + 1.4)
    figure, ((axes,),) = panels_of("plot_confusion", 1, 1, size=(side + 0.6, side))
    # Shares of rows, so that mistakes of rare classes are seen as well.
    shade = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    for i in range(len(matrix)):
        for j in range(len(matrix)):
            if matrix[i, j]:
                text = f"{shown[i, j]:.2f}" if normalize else f"{matrix[i, j]}"
                axes.text(
                    j, i, text, ha="center", va="center", fontsize=8, color="white" if shade[i, j] > 0.5 else "black"
                )
    names = [str(i) for i in range(len(matrix))] if classes is None else list(map(str, classes))
    axes.set_xticks(range(len(matrix)), names, rotation=0 if max(map(len, names)) < 4 else 45)
    axes.set_yticks(range(len(matrix)), names)
    right = matrix.trace() / max(matrix.sum(), 1)
    axes.set(xlabel="predicted", ylabel="true", title=f"accuracy {right:.2%}")
    return finish(figure, path)


def image_grid(
    images: NestedNumbers,
    titles: Sequence[object] | None = None,
    *,
    columns: int | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Images side by side.

    Args:
        images: `(count, height, width)`, or with 1, 3 or 4 channels `(count, height, width, channels)`; floats from 0 to 1, or
            bytes.
        titles: a text above each image.
        columns: the number of images per row; None makes the grid about square.
        path: a file to write the picture to.

    Returns:
        The matplotlib figure.

    Raises:
        InputError: `images` has another shape.
        ExtraError: matplotlib is not installed.

    >>> figure = image_grid(np.zeros((6, 8, 8)), columns=3)
    >>> len(figure.axes)
    6
    """
    array = arguments.checked("image_grid", "images", images, arguments.array)
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] not in (1, 3, 4)):
        raise InputError(
            f"image_grid got shape {array.shape}: expected (count, height, width) or 1, 3 or 4 channels last."
        )
    arguments.checked("image_grid", "columns", columns, arguments.optional(arguments.positive_int))
    titles = arguments.checked("image_grid", "titles", titles, arguments.optional(arguments.entries))
    columns = columns or math.ceil(len(array) ** 0.5)
    rows = -(-len(array) // columns)
    height = 1.15 if titles is None else 1.4
    figure, grid = panels_of("image_grid", rows, columns, size=(1.15 * columns, height * rows))
    for i, axes in enumerate(grid.flat):
        axes.axis("off")
        if i < len(array):
            picture = array[i, ..., 0] if array.ndim == 4 and array.shape[-1] == 1 else array[i]
            axes.imshow(
                np.clip(picture, 0, 1) if picture.dtype.kind == "f" else picture,
                cmap="gray",
                vmin=0,
                vmax=1 if picture.dtype.kind == "f" else 255,
            )
            if titles is not None and i < len(titles):
                axes.set_title(str(titles[i]), fontsize=8)
    return finish(figure, path)
