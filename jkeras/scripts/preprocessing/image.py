"""`keras.preprocessing.image`: `ImageDataGenerator`, and functions that load pictures and change them at random."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.scripts.notes import NOTES
from jkeras.scripts.preprocessing.affine import Layout
from jkeras.scripts.preprocessing.affine import apply_affine_transform as apply_affine_transform
from jkeras.scripts.preprocessing.affine import apply_brightness_shift as apply_brightness_shift
from jkeras.scripts.preprocessing.affine import apply_channel_shift as apply_channel_shift
from jkeras.scripts.preprocessing.iterators import DataFrameIterator as DataFrameIterator
from jkeras.scripts.preprocessing.iterators import DirectoryIterator as DirectoryIterator
from jkeras.scripts.preprocessing.iterators import Iterator as Iterator
from jkeras.scripts.preprocessing.iterators import NumpyArrayIterator as NumpyArrayIterator
from jkeras.types import TensorLike
from jkeras.utils import image_dataset_from_directory as image_dataset_from_directory
from jkeras.utils.images import array_to_img as array_to_img
from jkeras.utils.images import img_to_array as img_to_array
from jkeras.utils.images import load_img as load_img
from jkeras.utils.images import save_img as save_img
from jkeras.utils.images import smart_resize as smart_resize

# The options that need statistics of the data, and the options that they switch on or off.
_CONSEQUENCES = (
    ("zca_whitening", "featurewise_center", True),
    ("zca_whitening", "featurewise_std_normalization", False),
    ("featurewise_std_normalization", "featurewise_center", True),
    ("samplewise_std_normalization", "samplewise_center", True),
)


class ImageDataGenerator:
    """Changes pictures at random and scales their values, batch by batch, with NumPy's generator.

    Args:
        featurewise_center, featurewise_std_normalization: takes off the mean of all pictures that `fit` saw, and divides by
            their deviation.
        samplewise_center, samplewise_std_normalization: the same for each picture alone.
        zca_whitening, zca_epsilon: makes pixels uncorrelated, as `fit` found them.
        rotation_range: degrees to each side.
        width_shift_range, height_shift_range: a share of the size below 1, pixels above, or a list to choose from.
        brightness_range: the least and the greatest brightness.
        shear_range: degrees to each side.
        zoom_range: to each side of 1, or the least and the greatest.
        channel_shift_range: to each side.
        fill_mode, cval: what is outside a picture that was moved.
        horizontal_flip, vertical_flip: whether every second picture is turned around.
        rescale: what values are multiplied by.
        preprocessing_function: runs on each picture after it was changed, before it is scaled.
        data_format: the layout of the pictures.
        validation_split: the share of the samples that `subset="validation"` gives.
        interpolation_order: of what moves pictures.
        dtype: the dtype of the batches.

    Raises:
        ArgumentError: an argument is out of range.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ):
        NOTES.say(
            "`ImageDataGenerator` is of Keras 2; write `keras.utils.image_dataset_from_directory(...)` and layers such as"
            " `keras.layers.RandomFlip`."
        )
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = config.standardize_data_format(data_format)
        self.validation_split = _share(validation_split)
        self.interpolation_order = interpolation_order
        self.dtype = dtype or config.floatx()
        self.zoom_range = _zoom(zoom_range)
        self.brightness_range = _pair("brightness_range", brightness_range)
        # What `fit` computes.
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None
        self.zca_whitening_matrix: np.ndarray | None = None
        for cause, effect, state in _CONSEQUENCES:
            if getattr(self, cause) and getattr(self, effect) is not state:
                setattr(self, effect, state)
                warnings.warn(f"ImageDataGenerator({cause}=True) sets {effect} to {state}.", stacklevel=2)

    # -- batches ------------------------------------------------------------------------------------------------------

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Endless batches from arrays.

        Args:
            x: pictures, or a pair of pictures and what goes along with them.
            y: targets.
            batch_size: pictures in a batch.
            shuffle: whether each pass is in another order.
            sample_weight: a weight for each picture.
            seed: the seed of NumPy's generator.
            save_to_dir, save_prefix, save_format: where to write what was made.
            ignore_class_split: allows subsets with different classes.
            subset: "training" or "validation", with `validation_split`.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix, save_format,
            subset, ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self, directory: str, target_size: tuple[int, int] = (256, 256), **kwargs: Any
    ) -> DirectoryIterator:
        """Endless batches from a folder with a folder for each class; arguments as for `DirectoryIterator`."""
        return DirectoryIterator(directory, self, target_size, data_format=self.data_format, dtype=self.dtype, **kwargs)

    def flow_from_dataframe(self, dataframe: Any, directory: str | None = None, **kwargs: Any) -> DataFrameIterator:
        """Endless batches from the files that a table lists; arguments as for `DataFrameIterator`."""
        for name in ("has_ext", "sort", "drop_duplicates"):
            if name in kwargs:
                NOTES.left_out(f"flow_from_dataframe({name}=...)")
                del kwargs[name]
        if kwargs.get("class_mode") == "other":
            NOTES.old('class_mode="other"', 'class_mode="raw"')
            kwargs["class_mode"] = "raw"
        return DataFrameIterator(dataframe, directory, self, data_format=self.data_format, dtype=self.dtype, **kwargs)

    # -- one picture --------------------------------------------------------------------------------------------------

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """A picture with its values scaled, in place where possible."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._is_fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6  # type: ignore[operator]
        if self.zca_whitening and self._is_fitted("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(1, -1) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _is_fitted(self, option: str, statistic: np.ndarray | None) -> bool:
        if statistic is None:
            warnings.warn(
                f"ImageDataGenerator({option}=True) does nothing before `fit(x)` has seen data.", stacklevel=3
            )
        return statistic is not None

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """Draws the parameters of a random change for a picture of a given shape; for `apply_transform`."""
        if seed is not None:
            np.random.seed(seed)
        axes = Layout.of(self.data_format)
        draw = np.random.uniform
        zoom = self.zoom_range
        # The order of the draws is that of Keras, so that a seed gives the same pictures.
        transform: dict[str, Any] = {
            "theta": draw(-self.rotation_range, self.rotation_range) if self.rotation_range else 0,
            "tx": _shift(self.height_shift_range, img_shape[axes.rows]),
            "ty": _shift(self.width_shift_range, img_shape[axes.columns]),
            "shear": draw(-self.shear_range, self.shear_range) if self.shear_range else 0,
        }
        transform["zx"], transform["zy"] = (1, 1) if zoom == [1, 1] else draw(zoom[0], zoom[1], 2)
        transform["flip_horizontal"] = (np.random.random() < 0.5) * self.horizontal_flip
        transform["flip_vertical"] = (np.random.random() < 0.5) * self.vertical_flip
        reach = self.channel_shift_range
        transform["channel_shift_intensity"] = draw(-reach, reach) if reach else None
        bright = self.brightness_range
        transform["brightness"] = None if bright is None else draw(bright[0], bright[1])
        return transform

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """A picture changed as `get_random_transform` drew it; what is left out of the parameters stays."""
        axes, parameters = Layout.of(self.data_format), transform_parameters
        moves = {name: parameters[name] for name in ("theta", "tx", "ty", "shear", "zx", "zy") if name in parameters}
        x = apply_affine_transform(
            x, **moves, row_axis=axes.rows, col_axis=axes.columns, channel_axis=axes.channels, fill_mode=self.fill_mode,
            cval=self.cval, order=self.interpolation_order,
        )  # fmt: skip
        if parameters.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, parameters["channel_shift_intensity"], axes.channels)
        if parameters.get("flip_horizontal"):
            x = np.flip(x, axes.columns)
        if parameters.get("flip_vertical"):
            x = np.flip(x, axes.rows)
        if parameters.get("brightness") is not None:
            x = apply_brightness_shift(x, parameters["brightness"], False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """A picture changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: TensorLike, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Computes the mean, standard deviation and whitening of pictures.

        Args:
            x: pictures.
            augment: whether they are changed at random first.
            rounds: how often then.
            seed: the seed of NumPy's generator.

        Raises:
            InputError: `x` is not an array of pictures.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise InputError(f"fit() needs pictures, an array of 4 axes; got the shape {x.shape}.")
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(picture) for _ in range(rounds) for picture in x]).astype(self.dtype)
        axes = Layout.of(self.data_format)
        over = (0, axes.rows + 1, axes.columns + 1)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=over, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=over, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            directions, sizes, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (directions * (np.sqrt(len(x)) / (sizes + self.zca_epsilon))) @ directions.T


def _share(value: float) -> float:
    if value and not 0 < value < 1:
        raise ArgumentError(f"ImageDataGenerator(validation_split={value!r}): expected a number between 0 and 1.")
    return value


def _zoom(value: TensorLike) -> list[float]:
    if isinstance(value, (int, float)):
        return [1 - value, 1 + value]
    return _pair("zoom_range", value) or [1, 1]


def _pair(name: str, value: Any) -> list[float] | None:
    if value is None:
        return None
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ArgumentError(f"ImageDataGenerator({name}={value!r}): expected two numbers.")
    return list(value)


def _shift(reach: Any, size: int) -> float:
    """A number of pixels, drawn from a share of the size, a number of pixels to each side, or a list of numbers."""
    if not np.any(reach):
        return 0
    if isinstance(reach, float):
        offset = np.random.uniform(-reach, reach)
    else:
        offset = np.random.choice(reach)
        offset = offset * np.random.choice([-1, 1])
    return offset * size if np.max(reach) < 1 else offset


# -- single functions ---------------------------------------------------------------------------------------------------------


def random_rotation(x: np.ndarray, rg: float, *args: Any, **kwargs: Any) -> np.ndarray:
    """Rotates a picture by up to `rg` degrees; other arguments as for `apply_affine_transform`."""
    return _moved(x, {"theta": np.random.uniform(-rg, rg)}, args, kwargs)


def random_shift(
    x: np.ndarray, wrg: float, hrg: float, row_axis: int = 1, col_axis: int = 2, *args: Any, **kwargs: Any
) -> np.ndarray:
    """Shifts a picture by up to the fractions `wrg` of its width and `hrg` of its height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return _moved(x, {"tx": tx, "ty": ty}, (row_axis, col_axis, *args), kwargs)


def random_shear(x: np.ndarray, intensity: float, *args: Any, **kwargs: Any) -> np.ndarray:
    """Shears a picture by up to `intensity` degrees."""
    return _moved(x, {"shear": np.random.uniform(-intensity, intensity)}, args, kwargs)


def random_zoom(x: np.ndarray, zoom_range: Sequence[float], *args: Any, **kwargs: Any) -> np.ndarray:
    """Zooms a picture by factors between two numbers."""
    low, high = _zoom(tuple(zoom_range))
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    return _moved(x, {"zx": zx, "zy": zy}, args, kwargs)


def _moved(x: np.ndarray, change: dict[str, float], args: tuple[Any, ...], kwargs: dict[str, Any]) -> np.ndarray:
    names = ("row_axis", "col_axis", "channel_axis", "fill_mode", "cval", "order")
    parameters: dict[str, Any] = {**dict(zip(names, args, strict=False)), **change, **kwargs}
    if "interpolation_order" in parameters:
        parameters["order"] = parameters.pop("interpolation_order")
    return apply_affine_transform(x, **parameters)


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Adds a number of up to `intensity_range` in either direction to a picture."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """Changes the brightness of a picture by a factor between two numbers."""
    low, high = _pair("brightness_range", brightness_range) or (1, 1)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)
