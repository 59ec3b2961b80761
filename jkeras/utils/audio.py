"""Data sets of the sounds in a folder."""

from __future__ import annotations

import os
import wave
from collections.abc import Sequence

import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError, DamagedFileError, InputError
from jkeras.utils.directories import Labels, dataset_of_files
from jkeras.utils.samples import Samples


def audio_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Labels = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Samples | tuple[Samples, Samples]:
    """A data set of the `.wav` files in a folder, which are read when they are needed.

    Args:
        directory: the folder. With `labels="inferred"` it has a subfolder for each class.
        labels: "inferred" from the subfolders, None for no labels, or the labels of the files in order of their paths.
        label_mode: "int" for int32 labels `(batch,)`, "binary" for float32 `(batch, 1)`, "categorical" for float32
            `(batch, classes)`, None for no labels.
        class_names: the subfolders to use, in the order of their labels; None means all of them, sorted by name.
        batch_size: the number of sounds per batch; None returns single sounds.
        sampling_rate: the rate, in samples per second, that every file must have; None accepts any.
        output_sequence_length: the number of samples to which sounds are cut or padded with zeros; None pads the sounds of a
            batch to the longest of them.
        ragged: accepted for compatibility with Keras; only False is supported.
        shuffle: whether each pass has another order; otherwise files are sorted by path.
        seed: the seed of the orders; None means `jkeras.config.default_seed`, so "training" and "validation" always match.
        validation_split: the fraction of the files to reserve for validation.
        subset: "training", "validation" or "both"; required with `validation_split`.
        follow_links: whether to follow links to folders, which may lead out of the folder.
        verbose: whether to print the number of files and classes.

    Returns:
        `Samples` of float32 sounds `(batch, samples, channels)` with values from -1 to 1, or `(sounds, labels)`, with the
        attributes `class_names` and `file_paths`. With `subset=\"both\"`, a pair of these; the second is not shuffled.

    Raises:
        ArgumentError: an argument is out of range.
        InputError: there are no sounds, the number of labels differs from the number of files, or a link leads out of the
            folder, or the files of a batch have different numbers of
            channels.
        DamagedFileError: a file is not an uncompressed sound.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("bells", "drums"):
    ...     (folder / name).mkdir()
    ...     with wave.open(str(folder / name / "0.wav"), "wb") as file:
    ...         file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...         file.writeframes(bytes(200))
    >>> sounds = audio_dataset_from_directory(folder, verbose=False)
    >>> [(x.shape, y.shape) for x, y in sounds]
    [((2, 100, 1), (2,))]
    """
    if ragged:
        raise ArgumentError(
            "audio_dataset_from_directory(ragged=True) is not supported: sounds of a batch have one length."
        )

    function, count = "audio_dataset_from_directory", arguments.optional(arguments.positive_int)
    arguments.checked(function, "sampling_rate", sampling_rate, count)
    arguments.checked(function, "output_sequence_length", output_sequence_length, count)

    def read_all(paths: Sequence[str]) -> np.ndarray:
        sounds = [read_wav(path, sampling_rate) for path in paths]
        channels = {sound.shape[1] for sound in sounds}
        if len(channels) > 1:
            raise InputError(f"The sounds of a batch have {sorted(channels)} channels: {', '.join(paths)}.")
        length = output_sequence_length or max(map(len, sounds))
        batch = np.zeros((len(sounds), length, *channels), "float32")
        for row, sound in zip(batch, sounds, strict=True):
            row[: len(sound)] = sound[:length]
        return batch

    return dataset_of_files(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        "tf", verbose, (".wav",), read_all,
    )  # fmt: skip


def read_wav(path: str, sampling_rate: int | None = None) -> np.ndarray:
    """The samples of an uncompressed `.wav` file of 8, 16, 24 or 32 bits, `(samples, channels)` from -1 to 1.

    Raises:
        DamagedFileError: the file is not one.
        InputError: it has another rate than `sampling_rate`.
    """
    try:
        with wave.open(path, "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DamagedFileError(f"{path} is not an uncompressed .wav file: {error or 'it ends too early'}.") from error
    if sampling_rate is not None and rate != sampling_rate:
        raise InputError(f"{path} has {rate} samples per second, not sampling_rate={sampling_rate}: convert it first.")
    data = data[: len(data) - len(data) % (width * channels)]
    if width == 1:  # the only width without a sign
        values = np.frombuffer(data, np.uint8).astype("float32") - 128
    else:
        # The bytes of a sample become the highest ones of 32 bits.
        wide = np.zeros((len(data) // width, 4), np.uint8)
        wide[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
        values = (wide.view("<i4")[:, 0] >> (32 - 8 * width)).astype("float32")
    return (values / 2.0 ** (8 * width - 1)).astype("float32").reshape(-1, channels)
