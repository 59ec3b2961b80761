"""The files of published weights: their names, addresses and checksums are Keras's, and so is the folder that they go to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jkeras.datasets.source import fetch
from jkeras.errors import ArgumentError

# Where Keras keeps them. `JKERAS_APPLICATIONS_URL` names a mirror.
HOST = "https://storage.googleapis.com"


class WeightFile(NamedTuple):
    """A file of published weights.

    Attributes:
        name: in the folder `models` of the cache.
        place: its address on the host.
        checksum: None where Keras publishes none.
    """

    name: str
    place: str
    checksum: str | None


# The file for the arguments of a network.
Choice = Callable[[Mapping[str, Any]], WeightFile]


def published(
    folder: str, names: tuple[str, str], checksums: tuple[str, str], kept_as: tuple[str, str] | None = None
) -> Choice:
    """Two files, with the classifier and without.

    Args:
        folder: on the host.
        names: the names of the files there.
        checksums: the checksums of each.
        kept_as: names in the cache, where they are others.
    """

    def choose(options: Mapping[str, Any]) -> WeightFile:
        which = 0 if options["include_top"] else 1
        return WeightFile((kept_as or names)[which], f"{folder}/{names[which]}", checksums[which])

    return choose


def tf_kernels(folder: str, name: str, checksums: tuple[str, str]) -> Choice:
    """Two files whose names say that their kernels are in the order of TensorFlow, as all are."""
    stem = f"{name}_weights_tf_dim_ordering_tf_kernels"
    return published(f"tensorflow/keras-applications/{folder}", (f"{stem}.h5", f"{stem}_notop.h5"), checksums)


def download(file: WeightFile) -> Path:
    """The local path of a published file, fetched if it is not in the cache.

    Raises:
        DownloadError: it cannot be fetched; the message says where to put it.
        DamagedFileError: what was fetched has another checksum.
    """
    host = os.environ.get("JKERAS_APPLICATIONS_URL", HOST).rstrip("/")
    return fetch(file.name, f"{host}/{file.place}", file.checksum, cache_subdir="models")


def checked_weights(network: str, weights: Any) -> str | None:
    """None, "imagenet", or the path of a file that exists.

    Raises:
        ArgumentError: it is something else.
    """
    if weights is None or weights == "imagenet":
        return weights if weights is None else "imagenet"
    if isinstance(weights, (str, os.PathLike)) and os.path.exists(weights):
        return os.fspath(weights)
    raise ArgumentError(
        f"{network}(weights={weights!r}): expected None for fresh weights, 'imagenet', or the path of a file that exists."
    )
