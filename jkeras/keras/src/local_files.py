"""Files and folders as `keras.src.utils.file_utils` has them; remote ones need TensorFlow, which is not used here."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.utils.archives import extract_archive as extract_archive
from jkeras.utils.files import get_file as get_file

_REMOTE = re.compile(r"^(/cns|/cfs|/gcs|/hdfs|/readahead|/placer|/tfhub|.*://)")


def is_remote_path(filepath: Any) -> bool:
    """Whether a path is on another machine: a URL, or in a folder that such machines have.

    >>> is_remote_path("gcs://bucket/file.txt"), is_remote_path("/local/file.txt")
    (True, False)
    """
    return _REMOTE.match(str(filepath)) is not None


def path_to_string(path: Any) -> Any:
    """The text of a path; anything else as it is."""
    return os.fspath(path) if isinstance(path, os.PathLike) else path


def resolve_path(path: Any) -> str:
    """The path without links and relative parts."""
    return os.path.realpath(path)


def resolve_sub_path(base_dir: str, relative_path: str) -> str | None:
    """A path inside a folder; None if it leads out of it."""
    path = resolve_path(os.path.join(base_dir, relative_path))
    try:
        return path if os.path.commonpath([path, base_dir]) == base_dir else None
    except ValueError:  # on another drive
        return None


def resolve_hasher(algorithm: str, file_hash: str | None = None) -> Any:
    """An empty checksum of hashlib: SHA-256 if that is asked for or `file_hash` is one, else MD5."""
    is_sha256 = algorithm == "sha256" or (algorithm == "auto" and file_hash is not None and len(file_hash) == 64)
    return hashlib.sha256() if is_sha256 else hashlib.md5()


def hash_file(fpath: Any, algorithm: Any = "sha256", chunk_size: int = 65535) -> str:
    """The checksum of a file, in hexadecimal digits.

    Args:
        fpath: the file.
        algorithm: "sha256", "md5", or a checksum of hashlib to continue.
        chunk_size: bytes that are read at a time.
    """
    checksum = resolve_hasher(algorithm) if isinstance(algorithm, str) else algorithm
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            checksum.update(chunk)
    return str(checksum.hexdigest())


def validate_file(fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Whether a file has a checksum."""
    return hash_file(fpath, resolve_hasher(algorithm, file_hash), chunk_size) == str(file_hash)


def _local(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of paths that refuses remote ones."""

    def call(path: Any, *args: Any, **kwargs: Any) -> Any:
        remote = next((part for part in (path, *args) if is_remote_path(part)), None)
        if remote is not None:
            raise ArgumentError(
                f"Handling remote paths requires installing TensorFlow (in order to use gfile). Received path: {remote}"
            )
        return function(path, *args, **kwargs)

    call.__doc__ = function.__doc__
    return call


File = _local(open)
copy = _local(shutil.copy)
exists = _local(os.path.exists)
isdir = _local(os.path.isdir)
join = _local(os.path.join)
listdir = _local(os.listdir)
makedirs = _local(os.makedirs)
remove = _local(os.remove)
rmtree = _local(shutil.rmtree)
