"""Reads what a `Normalization` layer was adapted to from a weights file; in jkeras these are arguments of the layer."""

from __future__ import annotations

import re
from pathlib import Path

import h5py

from jkeras.files import untrusted
from jkeras.files.containers import hdf5

# The last parts of the paths in Keras 3, in older versions, and in older versions without TensorFlow.
_ENDS = (("vars/0", "vars/1"), ("mean:0", "variance:0"), ("mean", "variance"))


def normalization_numbers(path: Path) -> tuple[list[float], list[float]] | None:
    """The mean and variance in an HDF5 file for a layer with the automatic name; None if there are none."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return None
    with untrusted.reading(path), hdf5.open_tree(path, str(path)) as tree:
        for mean, variance in _ENDS:
            for place in tree.shapes:
                other = place.removesuffix(mean) + variance
                if re.search(rf"(^|/)normalization(_\d+)?/(.*/)?{mean}$", place) and other in tree.shapes:
                    return tree.array(place).ravel().tolist(), tree.array(other).ravel().tolist()
    return None
