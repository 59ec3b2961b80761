"""`tf.io`: files, and what is in them, on the host."""

from __future__ import annotations

import glob as globbing
import io
import os
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.scripts.tensorflow.arrays import dtype_of
from jkeras.scripts.tensorflow.strings import texts
from jkeras.scripts.tensorflow.tensors import host
from jkeras.types import DTypeLike, PathLike, TensorLike
from jkeras.utils.audio import read_wav
from jkeras.utils.images import CHANNELS, array_to_img, load_img


def _path(filename: PathLike) -> str:
    return os.fspath(filename) if isinstance(filename, (str, os.PathLike)) else str(texts(filename).item())


def _bytes(contents: TensorLike) -> bytes:
    value = np.asarray(contents, object).item()
    return value.encode("utf-8") if isinstance(value, str) else value


def read_file(filename: PathLike) -> Any:
    """The bytes of a file."""
    return host(np.array(Path(_path(filename)).read_bytes(), object))


def write_file(filename: PathLike, contents: TensorLike) -> None:
    """Writes bytes into a file, and makes its folder."""
    path = Path(_path(filename))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_bytes(contents))


def decode_image(
    contents: TensorLike, channels: int = 0, dtype: DTypeLike = "uint8", expand_animations: bool = True
) -> Any:
    """The picture in the bytes of a file.

    Args:
        contents: the bytes.
        channels: 1, 3 or 4; 0 is those of the file.
        dtype: "uint8", or a float type for values from 0 to 1.
        expand_animations: whether a GIF gives all its pictures. It gives the first one here; see Raises.

    Raises:
        ArgumentError: another number of channels.
        InputError: the file has several pictures, and all of them are asked for.
    """
    source = io.BytesIO(_bytes(contents))
    modes = {number: mode for mode, number in CHANNELS.items()}
    if channels not in (0, *modes):
        raise ArgumentError(f"tf.io.decode_image(channels={channels!r}): expected 0, 1, 3 or 4.")
    if not channels:
        from PIL import Image

        with Image.open(source) as picture:
            frames = getattr(picture, "n_frames", 1)
            bands = len(picture.getbands()) if picture.mode != "P" else 3
            channels = bands if bands in modes else bands - 1
        if frames > 1 and expand_animations:
            raise InputError("tf.io.decode_image: the file has several pictures; write `expand_animations=False`.")
        source.seek(0)
    array = np.asarray(load_img(source, modes[channels])).astype("uint8")
    array = array[..., None] if array.ndim == 2 else array
    kind = dtype_of(dtype)
    return host(array if kind == np.uint8 else (array / np.float32(255)).astype(kind))


def decode_jpeg(contents: TensorLike, channels: int = 0) -> Any:
    """The picture in the bytes of a JPEG file, or of one of another format."""
    return decode_image(contents, channels, expand_animations=False)


def encode_jpeg(image: TensorLike, quality: int = 95) -> Any:
    """The bytes of a JPEG file of a picture."""
    return _encoded(image, "jpeg", quality=quality)


def encode_png(image: TensorLike) -> Any:
    """The bytes of a PNG file of a picture."""
    return _encoded(image, "png")


def _encoded(image: TensorLike, kind: str, **options: Any) -> Any:
    file = io.BytesIO()
    array_to_img(np.asarray(image), "channels_last", scale=False).save(file, format=kind, **options)
    return host(np.array(file.getvalue(), object))


def decode_raw(input_bytes: Any, out_type: Any) -> Any:
    """Bytes as numbers."""
    return host(np.frombuffer(_bytes(input_bytes), np.dtype(out_type)).copy())


def glob(pattern: Any) -> list[str]:
    """The files that a pattern matches, in order."""
    patterns = [pattern] if isinstance(pattern, (str, os.PathLike)) else list(pattern)
    return sorted(path for one in patterns for path in globbing.glob(os.fspath(one)))


def exists(path: PathLike) -> bool:
    """Whether there is such a file or folder."""
    return Path(_path(path)).exists()


def makedirs(path: PathLike) -> None:
    """Makes a folder, and those around it."""
    Path(_path(path)).mkdir(parents=True, exist_ok=True)


def decode_wav(contents: TensorLike) -> Any:
    """Samples from -1 to 1 of a WAV file, `(time, channels)`, and how many a second has."""
    data = _bytes(contents)
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(data)
        file.flush()
        return host(read_wav(file.name)), host(np.array(rate, "int32"))
