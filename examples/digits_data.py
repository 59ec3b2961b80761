"""Real digits for the examples: MNIST where it can be had, otherwise those that come with jkeras."""

import sys

import numpy as np

import jkeras as jk


def load_digits(kind="auto", images=None, channels=False):
    """Training and test data, pixels from 0 to 1; says which data set it is."""
    data, name, largest = None, "MNIST", 255
    if kind != "digits":
        try:
            data = jk.datasets.mnist.load_data()
        except (jk.errors.DownloadError, jk.errors.DamagedFileError) as error:
            if kind == "mnist":
                raise
            print(f"MNIST is not to be had: {error}\n", file=sys.stderr)
    if data is None:
        data, name, largest = jk.datasets.digits.load_data(), "the digits that come with jkeras (not MNIST)", 16
    parts = [(x[:images] / np.float32(largest), y[:images]) for x, y in data]
    print(f"Data: {name}, {len(parts[0][0]):,} images to train with, {len(parts[1][0]):,} to test with.")
    return [(x[..., None] if channels else x, y) for x, y in parts]
