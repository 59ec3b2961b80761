"""The files of published weights, with Keras's names, addresses, checksums and cache folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jkeras.datasets.source import fetch
from jkeras.errors import ArgumentError

# Keras's host. `JKERAS_APPLICATIONS_URL` names a mirror.
HOST = "https://storage.googleapis.com"


class WeightFile(NamedTuple):
    """A file of published weights.

    Attributes:
        name: its name in the folder `models` of the cache.
        place: its path on the host.
        checksum: its checksum; None if Keras publishes none.
    """

    name: str
    place: str
    checksum: str | None


# A function from the arguments of a network to its file.
Choice = Callable[[Mapping[str, Any]], WeightFile]


def published(
    folder: str, names: tuple[str, str], checksums: tuple[str, str], kept_as: tuple[str, str] | None = None
) -> Choice:
    """Two files, with and without the classifier.

    Args:
        folder: the folder on the host.
        names: the names of the files.
        checksums: the checksums of the files.
        kept_as: the names in the cache, if different.
    """

    def choose(options: Mapping[str, Any]) -> WeightFile:
        which = 0 if options["include_top"] else 1
        return WeightFile((kept_as or names)[which], f"{folder}/{names[which]}", checksums[which])

    return choose


def tf_kernels(folder: str, name: str, checksums: tuple[str, str]) -> Choice:
    """Two files whose names contain the ordering of kernels, always TensorFlow's."""
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return published(f"tensorflow/keras-applications/{folder}", (f"{stem}.h5", f"{stem}_notop.h5"), checksums)


def download(file: WeightFile) -> Path:
    """The local path of a published file, downloaded if it is not in the cache.

    Raises:
        DownloadError: it could not be downloaded; the message says where to put it.
        DamagedFileError: the downloaded file has the wrong checksum.
    """
    host = os.environ.get("JKERAS_APPLICATIONS_URL", HOST).rstrip("/")
    return fetch(file.name, f"{host}/{file.place}", file.checksum, cache_subdir="models")


def checked_weights(network: str, weights: Any) -> str | None:
    """Checks `weights`: None, "imagenet", or the path of an existing file.

    Raises:
        ArgumentError: it is none of these.
    """
    if weights is None or weights == "imagenet":
        return weights if weights is None else "imagenet"
    if isinstance(weights, (str, os.PathLike)) and os.path.exists(weights):
        return os.fspath(weights)
    raise ArgumentError(
        f"{network}(weights={weights!r}): expected None for fresh weights, 'imagenet', or the path of an existing file."
    )
