"""Data sets of the files in a folder, with the names of its subfolders as classes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError
from jkeras.utils.arrays import to_categorical
from jkeras.utils.images import CHANNELS, KERNELS, img_to_array, load_img, resize
from jkeras.utils.samples import Samples

IMAGE_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
# Decoding releases the interpreter's lock, so a few threads read a batch faster than one.
READERS = 8

Labels = str | Sequence[int] | None


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Labels = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Samples | tuple[Samples, Samples]:
    """A data set of the images in a folder, which are read when they are needed.

    Args:
        directory: the folder. With `labels="inferred"` it has a subfolder for each class.
        labels: "inferred" from the subfolders, None for no labels, or the labels of the files in order of their paths.
        label_mode: "int" for int32 labels `(batch,)`, "binary" for float32 `(batch, 1)`, "categorical" for float32
            `(batch, classes)`, None for no labels.
        class_names: the subfolders to use, in the order of their labels; None means all of them, sorted by name.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: the number of images per batch; None returns single images.
        image_size: `(height, width)`, or one number for both.
        shuffle: whether each pass has another order; otherwise files are sorted by path.
        seed: the seed of the orders; None means `jkeras.config.default_seed`, so "training" and "validation" always match.
        validation_split: the fraction of the files to reserve for validation.
        subset: "training", "validation" or "both"; required with `validation_split`.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        follow_links: whether to follow links to folders, which may lead out of the folder.
        crop_to_aspect_ratio: whether to crop images instead of distorting them.
        pad_to_aspect_ratio: whether to add borders instead of distorting images.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        format: accepted for compatibility with Keras; "tf" and "grain" give the same result.
        verbose: whether to print the number of files and classes.

    Returns:
        `Samples` of float32 images `(batch, height, width, channels)` with values from 0 to 255, or `(images, labels)`, with the
        attributes `class_names` and `file_paths`. With `subset=\"both\"`, a pair of these; the second is not shuffled.

    Raises:
        ArgumentError: an argument is out of range.
        InputError: there are no images, the number of labels differs from the number of files, or a link leads out of the
            folder.
        ImportError: Pillow is not installed.

    >>> import pathlib, tempfile
    >>> from jkeras.utils import save_img
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cats", "dogs"):
    ...     (folder / name).mkdir()
    ...     save_img(folder / name / "0.png", np.ones((8, 8, 3)))
    >>> images = image_dataset_from_directory(folder, image_size=(4, 4), verbose=False)
    >>> images.class_names, [(x.shape, y.shape) for x, y in images]
    (['cats', 'dogs'], [((2, 4, 4, 3), (2,))])
    """
    function = "image_dataset_from_directory"
    arguments.checked(function, "color_mode", color_mode, arguments.one_of(*CHANNELS))
    arguments.checked(function, "interpolation", interpolation, arguments.one_of("nearest", *KERNELS))
    height, width = arguments.checked(function, "image_size", image_size, arguments.ints(2))
    arguments.flags(function, crop_to_aspect_ratio=crop_to_aspect_ratio, pad_to_aspect_ratio=pad_to_aspect_ratio)
    layout = arguments.checked(function, "data_format", data_format, config.standardize_data_format)

    def read(path: str) -> np.ndarray:
        image = img_to_array(load_img(path, color_mode), layout, "float32")
        return resize(image, (height, width), interpolation, layout, crop_to_aspect_ratio, pad_to_aspect_ratio)

    def read_all(paths: Sequence[str]) -> np.ndarray:
        with ThreadPoolExecutor(READERS) as pool:
            return np.stack(list(pool.map(read, paths)))

    return dataset_of_files(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose, IMAGE_FORMATS, read_all,
    )  # fmt: skip


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Labels = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Samples | tuple[Samples, Samples]:
    """A data set of the `.txt` files in a folder, in UTF-8, which are read when they are needed.

    Args:
        directory: the folder. With `labels="inferred"` it has a subfolder for each class.
        labels: "inferred" from the subfolders, None for no labels, or the labels of the files in order of their paths.
        label_mode: "int" for int32 labels `(batch,)`, "binary" for float32 `(batch, 1)`, "categorical" for float32
            `(batch, classes)`, None for no labels.
        class_names: the subfolders to use, in the order of their labels; None means all of them, sorted by name.
        batch_size: the number of texts per batch; None returns single texts.
        max_length: the number of characters after which texts are cut off; None means no limit.
        shuffle: whether each pass has another order; otherwise files are sorted by path.
        seed: the seed of the orders; None means `jkeras.config.default_seed`, so "training" and "validation" always match.
        validation_split: the fraction of the files to reserve for validation.
        subset: "training", "validation" or "both"; required with `validation_split`.
        follow_links: whether to follow links to folders, which may lead out of the folder.
        format: accepted for compatibility with Keras; "tf" and "grain" give the same result.
        verbose: whether to print the number of files and classes.

    Returns:
        `Samples` of strings `(batch,)`, or `(texts, labels)`, with the
        attributes `class_names` and `file_paths`. With `subset=\"both\"`, a pair of these; the second is not shuffled.

    Raises:
        ArgumentError: an argument is out of range.
        InputError: there are no texts, the number of labels differs from the number of files, or a link leads out of the
            folder.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("bad", "good"):
    ...     (folder / name).mkdir()
    ...     _ = (folder / name / "0.txt").write_text(f"a {name} film")
    >>> texts = text_dataset_from_directory(folder, shuffle=False)
    Found 2 files of 2 classes.
    >>> [(x.tolist(), y.tolist()) for x, y in texts]
    [(['a bad film', 'a good film'], [0, 1])]
    """

    arguments.checked(
        "text_dataset_from_directory", "max_length", max_length, arguments.optional(arguments.at_least(0))
    )

    def read_all(paths: Sequence[str]) -> np.ndarray:
        texts = np.empty(len(paths), dtype=object)
        for i, path in enumerate(paths):
            with open(path, encoding="utf-8") as file:
                texts[i] = file.read(-1 if max_length is None else max_length)
        return texts

    return dataset_of_files(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        format, verbose, (".txt",), read_all,
    )  # fmt: skip


def dataset_of_files(
    directory: str | os.PathLike[str],
    labels: Labels,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    format: str,
    verbose: bool,
    formats: tuple[str, ...],
    read_all: Callable[[Sequence[str]], np.ndarray],
) -> Samples | tuple[Samples, Samples]:
    """The data set of the files with some endings, which `read_all` reads; arguments as in the functions above."""
    function = "dataset_from_directory"
    arguments.checked(function, "directory", directory, arguments.path)
    arguments.checked(function, "class_names", class_names, arguments.optional(arguments.texts))
    arguments.checked(function, "batch_size", batch_size, arguments.optional(arguments.positive_int))
    arguments.checked(function, "seed", seed, arguments.optional(arguments.numpy_seed))
    share = arguments.between(0, 1, open_high=True)
    arguments.checked(function, "validation_split", validation_split, arguments.optional(share))
    arguments.flags(function, shuffle=shuffle, follow_links=follow_links)
    for name, value, allowed in (
        ("label_mode", label_mode, ("int", "categorical", "binary", None)),
        ("subset", subset, ("training", "validation", "both", None)),
        ("format", format, ("tf", "grain")),
    ):
        if value not in allowed:
            raise ArgumentError(f"{name}={value!r}: expected one of {', '.join(map(repr, allowed))}.")
    if labels is not None and not (isinstance(labels, str) and labels == "inferred"):
        arguments.checked(function, "labels", labels, _listed_labels)
    if bool(validation_split) != bool(subset) or not 0 <= (validation_split or 0) < 1:
        raise ArgumentError(
            f"validation_split={validation_split!r}, subset={subset!r}: expected a share between 0 and 1 and one of"
            " 'training', 'validation', 'both', or neither."
        )
    if label_mode is None:
        labels = None
    seed = config.default_seed if seed is None else seed
    paths, numbers, names = list_files(directory, labels, formats, class_names, follow_links)
    if not paths:
        raise InputError(f"No files with the endings {', '.join(formats)} in {os.fspath(directory)!r}.")
    if label_mode == "binary" and names is not None and len(names) != 2:
        raise ArgumentError(f"label_mode='binary' needs exactly 2 classes, found {names}.")
    if verbose:
        print(f"Found {len(paths)} files." if names is None else f"Found {len(paths)} files of {len(names)} classes.")
    if shuffle:
        # Keras's generator, so that equal seeds give equal training and validation parts.
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)
        paths, numbers = [paths[i] for i in order], None if numbers is None else numbers[order]

    def part(start: int, stop: int, shuffled: bool) -> Samples:
        if start == stop:
            raise InputError(f"validation_split={validation_split!r} of {len(paths)} files leaves one part empty.")
        chosen_paths = np.array(paths[start:stop])
        targets = None if numbers is None else _encode(numbers[start:stop], label_mode, len(names or ()))

        def read(index: np.ndarray) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
            inputs = read_all(chosen_paths[index].tolist())
            return inputs if targets is None else (inputs, targets[index])

        return Samples(stop - start, read, batch_size, shuffled, seed, names, chosen_paths.tolist())

    at = len(paths) - int((validation_split or 0) * len(paths))
    if subset is None:
        return part(0, len(paths), shuffle)
    if subset == "both":
        return part(0, at, shuffle), part(at, len(paths), False)
    return part(0, at, shuffle) if subset == "training" else part(at, len(paths), shuffle)


def _listed_labels(labels: object) -> np.ndarray:
    message = "expected 'inferred', None or a list of integers"
    try:
        numbers = arguments.array(labels)
    except ArgumentError:
        raise ArgumentError(message) from None
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise ArgumentError(message)
    return numbers


def _encode(numbers: np.ndarray, label_mode: str | None, classes: int) -> np.ndarray:
    if label_mode == "binary":
        return numbers.astype("float32")[:, None]
    return to_categorical(numbers, classes).astype("float32") if label_mode == "categorical" else numbers


def list_files(
    directory: str | os.PathLike[str],
    labels: Labels,
    formats: tuple[str, ...],
    class_names: Sequence[str] | None = None,
    follow_links: bool = False,
) -> tuple[list[str], np.ndarray | None, list[str] | None]:
    """The paths of the files with these endings, their labels and the names of the classes, in order of the paths.

    Raises:
        ArgumentError: `class_names` are not subfolders, or given for labels that are not inferred.
        InputError: there is no such folder, as many labels as there are files are not given, or a link leads out of the
            folder.
    """
    root = os.fspath(directory)
    if not os.path.isdir(root):
        raise InputError(f"There is no folder {root!r}.")
    if labels == "inferred":
        class_folders = sorted(e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith("."))
        unknown = set(class_names or ()) - set(class_folders)
        if unknown:
            raise ArgumentError(f"class_names={list(class_names or ())}: {root!r} has the subfolders {class_folders}.")
        names = list(class_names) if class_names is not None else class_folders
        groups = [_files_below(root, os.path.join(root, name), formats, follow_links) for name in names]
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(group) for group in groups])
        return [path for group in groups for path in group], numbers, names
    if class_names is not None:
        raise ArgumentError("`class_names` goes with labels='inferred' only.")
    paths = _files_below(root, root, formats, follow_links)
    if labels is None:
        return paths, None, None
    if len(labels) != len(paths):
        raise InputError(f"Got {len(labels)} labels for the {len(paths)} files in {root!r}.")
    numbers = np.asarray(labels, dtype=np.int32)
    return paths, numbers, [str(label) for label in np.unique(numbers)]


def _files_below(root: str, folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    walked = sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0])
    files = [
        os.path.join(inner, name)
        for inner, _, names in walked
        for name in sorted(names)
        if name.lower().endswith(formats)
    ]
    if not follow_links:
        for path in (folder, *files):
            _check_inside(root, path)
    return files


def _check_inside(root: str, path: str) -> None:
    """Refuses a link that leads out of the folder."""
    if os.path.islink(path) and os.path.commonpath(
        [os.path.realpath(root), os.path.realpath(path)]
    ) != os.path.realpath(root):
        raise InputError(
            f"{path!r} is a link that leads out of {root!r}. If it is meant to be there, write `follow_links=True`."
        )
