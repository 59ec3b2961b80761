"""Image layers against Keras on JAX, in one process: a batch of 64 images of 224 by 224, called directly.

    KERAS_BACKEND=jax python -m benchmarks.augmentation [layer ...] [--repeats 7] [--batch 64] [--size 224]

Each call is timed until its result is there, the two sides by turns, after one call of each that compiles. The median is shown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np

from jkeras import layers

ARGUMENTS: dict[str, dict[str, Any]] = {
    "AugMix": {},
    "AutoContrast": {},
    "CenterCrop": {"height": 200, "width": 200},
    "CutMix": {},
    "Equalization": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2, "contrast_factor": 0.2, "saturation_factor": 0.6, "hue_factor": 0.2
    },
    "RandomContrast": {"factor": 0.3},
    "RandomCrop": {"height": 200, "width": 200},
    "RandomElasticTransform": {"scale": (0.5, 0.5)},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {"kernel_size": 5},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.3},
    "RandomInvert": {},
    "RandomPerspective": {"scale": 0.3},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.6},
    "RandomSharpness": {"factor": 0.6},
    "RandomShear": {"x_factor": 0.3, "y_factor": 0.3},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Resizing": {"height": 200, "width": 200},
    "Solarization": {"addition_factor": 0.2, "threshold_factor": 0.5},
    # Keras's takes 256 numbers for each pixel, so a part of the batch is compared.
    "ContrastLimitedAdaptiveHistogramEqualization": {},
}  # fmt: skip
SMALLER = {"ContrastLimitedAdaptiveHistogramEqualization": 8}


def seconds(call: Any, images: Any) -> float:
    """How long one call takes until its result is there."""
    start = time.perf_counter()
    jax.block_until_ready(call(images))
    return time.perf_counter() - start


def compared(name: str, images: Any, repeats: int) -> tuple[float, float]:
    """The medians of ours and of Keras's, in milliseconds."""
    import keras

    sides = [getattr(place, name)(**ARGUMENTS[name]) for place in (layers, keras.layers)]
    calls = [sides[0], lambda images: sides[1](images, training=True)]
    times: list[list[float]] = [[], []]
    for turn in range(repeats + 1):
        for call, found in zip(calls, times, strict=True):
            elapsed = seconds(call, images)
            if turn:
                found.append(elapsed)
    ours, theirs = (1000 * statistics.median(found) for found in times)
    return ours, theirs


def main() -> None:
    """Prints a row for each layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layers", nargs="*")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=224)
    options = parser.parse_args()
    shape = (options.batch, options.size, options.size, 3)
    images = jax.numpy.asarray(np.random.default_rng(0).uniform(0, 255, shape).astype("float32"))
    print("| layer | jkeras, ms | Keras, ms | times as fast |\n|---|--:|--:|--:|")
    for name in options.layers or ARGUMENTS:
        count = min(SMALLER.get(name, options.batch), options.batch)
        ours, theirs = compared(name, images[:count], options.repeats)
        note = "" if count == options.batch else f" ({count} images)"
        print(f"| `{name}`{note} | {ours:.1f} | {theirs:.1f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
