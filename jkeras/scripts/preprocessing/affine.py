"""Shifts, rotates, shears and zooms single pictures on the host."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from jkeras.errors import InputError
from jkeras.utils.images import array_to_img, img_to_array


@dataclasses.dataclass(frozen=True)
class Layout:
    """The positions of a picture's axes."""

    rows: int = 0
    columns: int = 1
    channels: int = 2

    @classmethod
    def of(cls, data_format: str) -> Layout:
        """The places for a format of batches."""
        return cls(1, 2, 0) if data_format == "channels_first" else cls()


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Rotates a picture by `theta` degrees, shifts it by `tx` rows and `ty` columns, shears it by `shear` degrees and zooms.

    Args:
        x: `(rows, columns, channels)` in the order that the axes say.
        theta, tx, ty, shear, zx, zy: the transformation, around the centre of the picture.
        row_axis, col_axis, channel_axis: where the axes are.
        fill_mode: what is outside: "nearest", "constant", "reflect" or "wrap".
        cval: the value outside for "constant".
        order: the order of the interpolation.

    Raises:
        InputError: the array has not these three axes, or the channels are in the middle.
    """
    if x.ndim != 3 or sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2] or channel_axis == 1:
        raise InputError(f"Expected one picture, with channels first or last; got the shape {x.shape}.")
    parts = _matrices(np.deg2rad(theta), tx, ty, np.deg2rad(shear), zx, zy)
    if not parts:
        return x
    matrix = parts[0] if len(parts) == 1 else np.linalg.multi_dot(parts)
    matrix = _around_centre(matrix, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:  # the matrix is for (x, y), the array (y, x)
        order_of_axes = [1, 0, 2]
        matrix = matrix[order_of_axes][:, order_of_axes]
    channels = [
        ndimage.affine_transform(plane, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode, cval=cval)
        for plane in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(channels, axis=channel_axis)


def _matrices(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> list[np.ndarray]:
    matrices = []
    if theta:
        cosine, sine = np.cos(theta), np.sin(theta)
        matrices.append(np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]))
    if tx or ty:
        matrices.append(np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1.0]]))
    if shear:
        matrices.append(np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]]))
    if zx != 1 or zy != 1:
        matrices.append(np.diag([zx, zy, 1.0]))
    return matrices


def _around_centre(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    there = np.array([[1, 0, rows / 2 - 0.5], [0, 1, columns / 2 - 0.5], [0, 0, 1]])
    back = np.array([[1, 0, 0.5 - rows / 2], [0, 1, 0.5 - columns / 2], [0, 0, 1]])
    return np.asarray(np.linalg.multi_dot([there, matrix, back]))


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Adds a number to a picture, clipped to its smallest and largest value."""
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """Changes the brightness of a picture as Pillow does.

    Args:
        x: the picture.
        brightness: 1 changes nothing, 0 is black.
        scale: stretches the values to 0 ... 255.
    """
    from PIL import ImageEnhance

    low, high = x.min(), x.max()
    outside = low < 0 or high > 255
    image = array_to_img(x, scale=bool(outside or scale))
    brighter = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    return brighter / 255 * (high - low) + low if outside and not scale else brighter
