"""Helpers around a model: data in and out of shape, files, data sets."""

from jkeras.utils.arrays import normalize, pack_x_y_sample_weight, to_categorical, unpack_x_y_sample_weight
from jkeras.utils.audio import audio_dataset_from_directory
from jkeras.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from jkeras.utils.feature_space import FeatureSpace
from jkeras.utils.files import get_file
from jkeras.utils.images import array_to_img, img_to_array, load_img, save_img
from jkeras.utils.model_pictures import model_to_dot, plot_model
from jkeras.utils.progbar import Progbar
from jkeras.utils.py_dataset import PyDataset
from jkeras.utils.samples import Samples, split_dataset
from jkeras.utils.seeds import set_random_seed
from jkeras.utils.sequences import pad_sequences, timeseries_dataset_from_array
from jkeras.utils.sources import get_source_inputs

# Keras's older name.
Sequence = PyDataset

__all__ = [
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Samples",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "get_file",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
