"""Endless batches of augmented pictures, from arrays, folders and tables of files."""

from __future__ import annotations

import collections
import os
import threading
import warnings
from collections.abc import Iterator as PythonIterator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.utils import PyDataset
from jkeras.utils.images import CHANNELS, array_to_img, img_to_array, load_img

WHITE_LIST = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
SUBSETS = ("training", "validation")


class Iterator(PyDataset):
    """Batches of samples by their numbers; endless when iterated over, with a length when indexed.

    Args:
        n: the number of samples.
        batch_size: samples in a batch.
        shuffle: whether each pass is in another order.
        seed: the seed of NumPy's generator, set again for every batch.
    """

    white_list_formats = WHITE_LIST

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: np.ndarray | None = None
        self.index_generator = self._indices()

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise IndexError(f"There are {len(self)} batches, no number {idx}.")
        self._reseed()
        self.total_batches_seen += 1
        order = self._order() if self.index_array is None else self.index_array
        return self.batch_of(order[self.batch_size * idx : self.batch_size * (idx + 1)])

    def on_epoch_end(self) -> None:
        """Draws a new order."""
        self._order()

    def reset(self) -> None:
        """Restarts the pass."""
        self.batch_index = 0

    def _reseed(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def _order(self) -> np.ndarray:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)
        return self.index_array

    def _indices(self) -> PythonIterator[np.ndarray]:
        self.reset()
        while True:
            self._reseed()
            order = self._order() if self.batch_index == 0 or self.index_array is None else self.index_array
            first = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > first + self.batch_size else 0
            self.total_batches_seen += 1
            yield order[first : first + self.batch_size]

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        with self.lock:
            index = next(self.index_generator)
        return self.batch_of(index)

    next = __next__

    def batch_of(self, index_array: np.ndarray) -> Any:
        """The batch of these samples."""
        raise NotImplementedError

    def _save(self, batch: np.ndarray, index_array: np.ndarray, folder: str | None, prefix: str, ending: str,
              data_format: str) -> None:  # fmt: skip
        """Writes the pictures of a batch to files, to inspect the augmentation."""
        for picture, number in zip(batch, index_array, strict=True) if folder else ():
            name = f"{prefix}_{number}_{np.random.randint(10**7)}.{ending}"
            array_to_img(picture, data_format, scale=True).save(os.path.join(str(folder), name))


def _part(count: int, subset: str | None, validation_split: float) -> slice:
    """The samples of a subset; those for validation come first."""
    if subset is None:
        return slice(None)
    if subset not in SUBSETS:
        raise ArgumentError(f"subset={subset!r}: expected 'training' or 'validation'.")
    cut = int(validation_split * count)
    return slice(0, cut) if subset == "validation" else slice(cut, count)


class NumpyArrayIterator(Iterator):
    """Batches from arrays; see `ImageDataGenerator.flow`."""

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ):
        self.dtype = dtype or config.floatx()
        self.data_format = data_format or config.image_data_format()
        others: list[np.ndarray] = []
        if isinstance(x, (tuple, list)):
            more = x[1] if isinstance(x[1], list) else [x[1]]
            x, others = x[0], [np.asarray(array) for array in more]
        for name, array in (("y", y), ("sample_weight", sample_weight), *(("x", other) for other in others)):
            if array is not None and len(array) != len(x):
                raise InputError(f"flow(): there are {len(x)} pictures, but {name} has {len(array)} rows.")
        part = _part(len(x), subset, image_data_generator.validation_split)
        if subset and y is not None and not ignore_class_split:
            cut = int(image_data_generator.validation_split * len(x))
            if not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
                raise InputError(
                    "flow(subset=...): the two subsets have different classes. Shuffle arrays that are sorted by class."
                )
        self.x = np.asarray(x[part], self.dtype)
        self.x_misc = [other[part] for other in others]
        self.y = None if y is None else np.asarray(y[part])
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight[part])
        if self.x.ndim != 4:
            raise InputError(f"flow() needs pictures, an array of 4 axes; got the shape {self.x.shape}.")
        axis = 1 if self.data_format == "channels_first" else 3
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f"flow(): axis {axis} of pictures are channels, of which there are 1, 3 or 4; got the shape {self.x.shape}.",
                stacklevel=3,
            )
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def batch_of(self, index_array: np.ndarray) -> Any:
        """Augmented pictures with their targets and weights."""
        augment = self.image_data_generator
        batch = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for place, number in enumerate(index_array):
            picture = self.x[number]
            parameters = augment.get_random_transform(picture.shape)
            batch[place] = augment.standardize(augment.apply_transform(picture.astype(self.dtype), parameters))
        self._save(batch, index_array, self.save_to_dir, self.save_prefix, self.save_format, self.data_format)
        inputs = [batch, *(other[index_array] for other in self.x_misc)] if self.x_misc else batch
        along = [array[index_array] for array in (self.y, self.sample_weight) if array is not None]
        return (inputs, *along) if self.y is not None else inputs


class FileIterator(Iterator):
    """Batches of pictures in files.

    Args:
        image_data_generator: what augments them.
        files: paths of the pictures.
        targets: classes as numbers (or lists of them), values, or a list of arrays, by `class_mode`.
        class_indices: numbers of the classes by name.
        class_mode: what targets become: "categorical", "binary", "sparse", "input", "raw", "multi_output", None.
        sample_weight: a weight for each picture.
        target_size, color_mode, interpolation, keep_aspect_ratio: see `load_img`.
        batch_size, shuffle, seed: see `Iterator`.
        data_format, dtype: the layout and dtype of the batches.
        save_to_dir, save_prefix, save_format: where to write what was made.
    """

    def __init__(
        self,
        image_data_generator: Any,
        files: Sequence[str],
        targets: Any,
        class_indices: dict[str, int],
        class_mode: str | None,
        sample_weight: np.ndarray | None,
        target_size: tuple[int, int],
        color_mode: str,
        interpolation: str,
        keep_aspect_ratio: bool,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        data_format: str | None,
        dtype: Any,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
    ):
        if color_mode not in CHANNELS:
            raise ArgumentError(f"color_mode={color_mode!r}: expected one of {', '.join(map(repr, CHANNELS))}.")
        self.image_data_generator = image_data_generator
        self.filepaths = list(files)
        self.classes = targets
        self.class_indices = class_indices
        self.class_mode = class_mode
        self.sample_weight = sample_weight
        self.target_size, self.color_mode = (target_size[0], target_size[1]), color_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.data_format, self.dtype = data_format or config.image_data_format(), dtype or config.floatx()
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        channels = CHANNELS[color_mode]
        first = self.data_format == "channels_first"
        self.image_shape = (channels, *self.target_size) if first else (*self.target_size, channels)
        self.samples = len(self.filepaths)
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> Any:
        """The targets and weights of the pictures."""
        return self.classes

    def batch_of(self, index_array: np.ndarray) -> Any:
        """Augmented pictures, with their targets and weights."""
        batch = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for place, number in enumerate(index_array):
            batch[place] = self._picture(self.filepaths[number])
        self._save(batch, index_array, self.save_to_dir, self.save_prefix, self.save_format, self.data_format)
        if self.class_mode is None:
            return batch
        targets = self._targets(batch, index_array)
        return (batch, targets) if self.sample_weight is None else (batch, targets, self.sample_weight[index_array])

    def _picture(self, path: str) -> np.ndarray:
        with load_img(path, self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio) as image:
            picture = img_to_array(image, self.data_format)
        augment = self.image_data_generator
        if augment is None:
            return picture
        changed = augment.apply_transform(picture, augment.get_random_transform(picture.shape))
        return np.asarray(augment.standardize(changed))

    def _targets(self, batch: np.ndarray, index_array: np.ndarray) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [values[index_array] for values in self.classes]
        if self.class_mode == "raw":
            return self.classes[index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[number] for number in index_array], self.dtype)
        targets = np.zeros((len(batch), len(self.class_indices)), self.dtype)
        for row, number in enumerate(index_array):
            targets[row, self.classes[number]] = 1
        return targets


class DirectoryIterator(FileIterator):
    """Pictures in a folder with a folder for each class; see `ImageDataGenerator.flow_from_directory`."""

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: str,
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ):
        _check_mode("flow_from_directory", class_mode, self.allowed_class_modes)
        self.directory = directory
        names = list(classes or sorted(e.name for e in os.scandir(directory) if e.is_dir()))
        self.num_classes = len(names)
        split = 0.0 if image_data_generator is None else image_data_generator.validation_split
        self.filenames: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            pictures = _pictures_below(os.path.join(directory, name), follow_links)
            pictures = pictures[_part(len(pictures), subset, split)]
            self.filenames += [os.path.relpath(path, directory) for path in pictures]
            numbers += [number] * len(pictures)
        print(f"Found {len(self.filenames)} images belonging to {self.num_classes} classes.")
        super().__init__(
            image_data_generator,
            [os.path.join(directory, name) for name in self.filenames],
            np.array(numbers, "int32"),
            {name: number for number, name in enumerate(names)},
            class_mode,
            None,
            target_size,
            color_mode,
            interpolation,
            keep_aspect_ratio,
            batch_size,
            shuffle,
            seed,
            data_format,
            dtype,
            save_to_dir,
            save_prefix,
            save_format,
        )


def _pictures_below(folder: str, follow_links: bool) -> list[str]:
    return [
        os.path.join(root, name)
        for root, _, files in sorted(os.walk(folder, followlinks=follow_links), key=lambda step: step[0])
        for name in sorted(files)
        if name.lower().endswith(WHITE_LIST)
    ]


def _check_mode(function: str, mode: str | None, allowed: tuple[str | None, ...]) -> None:
    if mode not in allowed:
        raise ArgumentError(f"{function}(class_mode={mode!r}): expected one of {', '.join(map(repr, allowed))}.")


class DataFrameIterator(FileIterator):
    """Pictures that a table of Pandas lists; see `ImageDataGenerator.flow_from_dataframe`."""

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)
    _WITHOUT_CLASSES = ("input", "multi_output", "raw", None)

    def __init__(
        self,
        dataframe: Any,
        directory: str | None = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ):
        _check_mode("flow_from_dataframe", class_mode, self.allowed_class_modes)
        self.directory = directory or ""
        self.class_mode = class_mode
        table = dataframe.copy()
        self._check(table, x_col, y_col, weight_col, classes)
        if validate_filenames:
            table = self._valid(table, x_col)
        names: list[str] = []
        if class_mode not in self._WITHOUT_CLASSES:
            table, names = _of_classes(table, y_col, classes)
        split = 0.0 if image_data_generator is None else image_data_generator.validation_split
        table = table.iloc[_part(len(table), subset, split)]
        self.filenames = table[x_col].tolist()
        indices = {name: number for number, name in enumerate(names)}
        belonging = f" belonging to {len(names)} classes" if names else ""
        checked = "validated" if validate_filenames else "non-validated"
        print(f"Found {len(self.filenames)} {checked} image filenames{belonging}.")
        super().__init__(
            image_data_generator,
            [os.path.join(self.directory, name) for name in self.filenames],
            self._values(table, y_col, indices),
            indices,
            class_mode,
            table[weight_col].values if weight_col else None,
            target_size,
            color_mode,
            interpolation,
            keep_aspect_ratio,
            batch_size,
            shuffle,
            seed,
            data_format,
            dtype,
            save_to_dir,
            save_prefix,
            save_format,
        )

    def _check(self, table: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Sequence[str] | None) -> None:
        mode = self.class_mode
        kinds = {"binary": (str,), "sparse": (str,), "categorical": (str, list, tuple)}.get(mode or "", ())
        if mode == "multi_output" and not isinstance(y_col, list):
            raise ArgumentError(f"flow_from_dataframe(class_mode='multi_output'): y_col={y_col!r} must be a list.")
        if not all(isinstance(name, str) for name in table[x_col]):
            raise TypeError(f"flow_from_dataframe: the column {x_col!r} must have names of files.")
        if kinds and not all(isinstance(value, kinds) for value in table[y_col]):
            kind_names = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(
                f"flow_from_dataframe(class_mode={mode!r}): the column {y_col!r} must have {kind_names} values."
            )
        if mode == "binary" and (count := len(set(classes)) if classes else table[y_col].nunique()) != 2:
            raise ArgumentError(f"flow_from_dataframe(class_mode='binary') needs 2 classes, there are {count}.")
        if weight_col and not issubclass(table[weight_col].dtype.type, np.number):
            raise TypeError(f"flow_from_dataframe: the column {weight_col!r} must have numbers.")

    def _valid(self, table: Any, x_col: str) -> Any:
        paths = [os.path.join(self.directory, name) for name in table[x_col]]
        valid = np.array([path.lower().endswith(WHITE_LIST) and os.path.isfile(path) for path in paths], bool)
        if not valid.all():
            warnings.warn(
                f"flow_from_dataframe: {int((~valid).sum())} names in {x_col!r} are not images; they are skipped.",
                stacklevel=4,
            )
        return table[valid]

    def _values(self, table: Any, y_col: Any, indices: dict[str, int]) -> Any:
        if self.class_mode == "multi_output":
            return [np.array(table[column].tolist()) for column in y_col]
        if self.class_mode == "raw":
            return table[y_col].values
        if self.class_mode in self._WITHOUT_CLASSES:
            return None
        return [
            [indices[one] for one in label] if isinstance(label, (list, tuple)) else indices[label]
            for label in table[y_col]
        ]


def _of_classes(table: Any, y_col: str, classes: Sequence[str] | None) -> tuple[Any, list[str]]:
    """The rows with classes in use, and the names of the classes in order."""
    if not classes:
        labels = {one for label in table[y_col] for one in (label if isinstance(label, (list, tuple)) else [label])}
        return table.dropna(subset=[y_col]), sorted(labels)
    names = list(collections.OrderedDict.fromkeys(classes))

    def kept(label: Any) -> Any:
        if isinstance(label, (list, tuple)):
            return [one for one in label if one in names] or None
        return label if label in names else None

    table = table.copy()
    table[y_col] = table[y_col].apply(kept)
    return table.dropna(subset=[y_col]), list(names)
