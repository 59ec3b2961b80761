"""Helpers around a model: data in and out of shape, files, data sets."""

from jkeras.utils.arrays import normalize, pack_x_y_sample_weight, to_categorical, unpack_x_y_sample_weight
from jkeras.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from jkeras.utils.files import get_file
from jkeras.utils.images import array_to_img, img_to_array, load_img, save_img
from jkeras.utils.py_dataset import PyDataset
from jkeras.utils.samples import Samples, split_dataset
from jkeras.utils.sequences import pad_sequences, timeseries_dataset_from_array
from jkeras.utils.seeds import set_random_seed

# Keras's older name.
Sequence = PyDataset

__all__ = [
    "PyDataset",
    "Samples",
    "Sequence",
    "array_to_img",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "save_img",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
