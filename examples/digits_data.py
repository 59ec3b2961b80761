"""Real digits for the examples: MNIST where it can be had, otherwise those that come with jkeras; and pictures of them."""

import math
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


def save_grid(path, images, gap=2):
    """Writes images `(count, height, width)`, with or without a channel, as one picture of a square grid."""
    images = np.asarray(images).reshape(np.shape(images)[:3])
    side = math.ceil(len(images) ** 0.5)
    height, width = images.shape[1] + gap, images.shape[2] + gap
    grid = np.zeros((side * height + gap, side * width + gap), "float32")
    for i, image in enumerate(images):
        top, left = gap + i // side * height, gap + i % side * width
        grid[top : top + image.shape[0], left : left + image.shape[1]] = image
    zoom = max(1, 600 // max(grid.shape))
    jk.utils.save_img(path, np.kron(255 * grid, np.ones((zoom, zoom)))[..., None], scale=False)
