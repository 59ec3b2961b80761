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
    """The `.wav` files below a folder, read when they are needed.

    Arguments are those of `image_dataset_from_directory`, and:

    Args:
        sampling_rate: the rate, in samples per second, that every file must have; None takes them as they are.
        output_sequence_length: sounds are cut or filled up with zeros to this many samples; without it all sounds of a batch
            are filled up to the longest of it.
        ragged: not supported: arrays have one length.

    Returns:
        `Samples` of float32 arrays `(batch, samples, channels)` from -1 to 1, or `(sounds, labels)`.

    Raises:
        ArgumentError: an argument is out of range.
        InputError: there are no sounds, as many labels as they are not, or files that do not fit each other.
        DamagedFileError: a file is not an uncompressed sound.
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
