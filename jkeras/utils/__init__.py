"""Helpers around a model: data in and out of shape, files, data sets."""

from jkeras.utils.arrays import normalize, pack_x_y_sample_weight, to_categorical, unpack_x_y_sample_weight
from jkeras.utils.files import get_file
from jkeras.utils.py_dataset import PyDataset
from jkeras.utils.samples import Samples, split_dataset
from jkeras.utils.sequences import pad_sequences, timeseries_dataset_from_array

# Keras's older name.
Sequence = PyDataset

__all__ = [
    "PyDataset",
    "Samples",
    "Sequence",
    "get_file",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
