"""Where the files of the data sets are looked for, and how they are read.

In this order: a path that the caller gave, `$JKERAS_HOME/datasets`, `$JKERAS_HOME`, `~/.keras/datasets` (where Keras
keeps its own), and only then the network. A file that is already there is taken for what its contents are; a file
that is downloaded must have the checksum that is pinned in the source.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from jkeras import arguments
from jkeras.errors import DamagedFileError, DownloadError
from jkeras.utils.files import cache_home, file_checksum, get_file

# Where Keras keeps the files of its data sets. `JKERAS_DATASETS_URL` names a mirror.
KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def find_file(path: str | os.PathLike[str], remote_name: str, file_hash: str, *, pinned: bool = False) -> Path:
    """The local file of a data set, downloaded if it is nowhere.

    Args:
        path: file name in the folders above, or the path of a file that exists.
        remote_name: name of the file at its origin.
        file_hash: the checksum of the download.
        pinned: whether a file that is already there must have that checksum too.

    Raises:
        DownloadError: the file is nowhere and cannot be downloaded; the message says where to put it.
        DamagedFileError: a download, or with `pinned` any file, has another checksum.
    """
    path = arguments.checked("load_data", "path", path, arguments.path)
    file = next((place for place in _places(path) if place.is_file()), None)
    if file is None and len(path.parts) > 1:
        raise DownloadError(f"There is no file {path}.")
    if file is None:
        origin = os.environ.get("JKERAS_DATASETS_URL", KERAS_FILES).rstrip("/") + "/" + remote_name
        return fetch(path.name, origin, file_hash)
    if pinned:
        checksum = file_checksum(file, file_hash)
        if checksum != file_hash:
            raise DamagedFileError(
                f"{file} has the checksum {checksum}, expected {file_hash}. It needs to be the original file, because"
                " it holds pickled data. Remove it to have it downloaded again."
            )
    return file


def fetch(name: str, origin: str, file_hash: str | None, **options: Any) -> Path:
    """`get_file` that tells, when it fails, where to put the file by hand."""
    try:
        return Path(get_file(name, origin, file_hash=file_hash, **options))
    except DownloadError as error:
        folder = cache_home() / options.get("cache_subdir", "datasets")
        raise DownloadError(
            f"{error}\nWithout a network: fetch {origin} elsewhere and put it at {folder / _kept_name(name, options)},"
            " or set the environment variable JKERAS_HOME to a folder that holds it."
        ) from error


def _kept_name(name: str, options: Mapping[str, Any]) -> str:
    return f"{name}_archive" if options.get("extract") and "." not in name else name


def _places(path: Path) -> list[Path]:
    path = path.expanduser()
    if path.is_absolute():
        return [path]
    folders = [cache_home() / "datasets", cache_home(), Path.home() / ".keras" / "datasets"]
    return [path] * (len(path.parts) > 1) + [folder / path for folder in folders]


def load_arrays(path: Path, *names: str) -> list[np.ndarray]:
    """The named arrays of an `.npz` file without pickled objects.

    Raises:
        DamagedFileError: the file is broken or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DamagedFileError(
            f"{path} is not the file expected, with the arrays {', '.join(names)} ({error})."
            " Remove it to have it downloaded again."
        ) from error


class _ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy arrays of lists and numbers; whatever else a pickle asks for is refused."""

    _ALLOWED = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a data set")
        # NumPy 2 moved this module, and warns about the name that old files use.
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def unpickle_arrays(file: IO[bytes], **options: Any) -> Any:
    """The contents of a pickle made of arrays, lists, dicts, numbers and strings.

    Raises:
        pickle.UnpicklingError: the pickle asks for anything else.
    """
    return _ArraysOnly(file, **options).load()


def load_ragged_arrays(path: Path, *names: str) -> list[np.ndarray]:
    """The named arrays of an `.npz` file whose rows are lists of different lengths, which NumPy stores as pickles."""
    arrays = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                file = io.BytesIO(archive.read(f"{name}.npy"))
                version = np.lib.format.read_magic(file)
                read_header = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[version]
                dtype = read_header(file)[2]
                if dtype.hasobject:
                    arrays.append(unpickle_arrays(file))
                else:
                    file.seek(0)
                    arrays.append(np.lib.format.read_array(file, allow_pickle=False))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        array_names = ", ".join(names)
        raise DamagedFileError(f"{path} is not the file expected, with the arrays {array_names} ({error}).") from error
    return arrays


def load_json(path: Path) -> Any:  # whatever the file holds
    """The contents of a JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)
