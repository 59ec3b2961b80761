"""Image layers against Keras on JAX, in one process: a batch of 64 images of 224 by 224.

    KERAS_BACKEND=jax python -m benchmarks.augmentation [layer ...] [--repeats 7] [--batch 64] [--size 224]

Layers are called on arrays, and in a function that `jax.jit` compiles, as they are in a model, with a new key for each call.
Each call is timed until its result is there, the sides by turns in any order, after one call of each that compiles. The medians
of milliseconds are shown, by the clock and, in brackets, of the processor; then how many times as long as Keras the slower
one of the two faces takes, by the smaller of both measures.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np

import jkeras.keras as dropin
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
FACES = ("jkeras", "drop-in", "Keras")
# In which the gigabytes that the call before took are given back, by other threads.
PAUSE = 0.1
Call = Callable[[Any, Any], Any]


def directly(layer: Any) -> Call:
    """A call on arrays; the layer draws from its own seed."""
    return lambda images, key: layer(images, training=True)


def of_value(layer: Any) -> Call:
    """A layer that is a value as a pure function of images and a key."""
    return lambda images, key: layer.apply({}, images, training=True, rng=key)


def of_object(library: Any, layer: Any) -> Call:
    """A layer that is an object as a pure function of images and a key, which replaces the seeds."""

    def call(images: Any, key: Any) -> Any:
        seeds = [(seed, jax.random.bits(key, seed.shape, "uint32").astype(seed.dtype)) for seed in layer.variables]
        with library.StatelessScope(state_mapping=seeds):
            return layer(images, training=True)

    return call


def sides(name: str) -> dict[tuple[str, str], Call]:
    """What is compared, by the way of calling and the face."""
    import keras

    value, ours, theirs = (getattr(place, name)(**ARGUMENTS[name]) for place in (layers, dropin.layers, keras.layers))
    pure = (of_value(value), of_object(dropin, ours), of_object(keras, theirs))
    return {
        **{("called", face): directly(layer) for face, layer in zip(FACES, (value, ours, theirs), strict=True)},
        **{("compiled", face): jax.jit(call) for face, call in zip(FACES, pure, strict=True)},
    }


def measured(call: Call, images: Any, key: Any) -> tuple[float, float]:
    """Milliseconds until the result of one call is there, by the clock and of the processor."""
    time.sleep(PAUSE)
    clock, processor = time.perf_counter(), time.process_time()
    jax.block_until_ready(call(images, key))
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


def compared(name: str, images: Any, repeats: int) -> dict[tuple[str, str], tuple[float, float]]:
    """The medians for each way of calling and each face."""
    calls = sides(name)
    try:
        jax.eval_shape(calls["compiled", "Keras"], images, jax.random.key(0))
    except Exception:  # some of Keras's need numbers where there are none while they are traced
        del calls["compiled", "Keras"]
    keys = jax.random.split(jax.random.key(0), repeats + 1)
    times: dict[tuple[str, str], list[tuple[float, float]]] = {side: [] for side in calls}
    shuffled = random.Random(0)
    for key in keys:
        for side in shuffled.sample(list(calls), len(calls)):
            times[side].append(measured(calls[side], images, key))
    # The first call of each compiles.
    return {side: tuple(map(statistics.median, zip(*pairs[1:], strict=True))) for side, pairs in times.items()}


def ratio(*numbers: tuple[float, float] | None) -> str:
    """How many times as long as Keras, the last, the slower face takes."""
    *ours, theirs = numbers
    if theirs is None:
        return "-"
    return f"{max(min(own / other for own, other in zip(face, theirs, strict=True)) for face in ours if face):.2f}"


def main() -> None:
    """Prints a row for each layer and way of calling."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=224)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Explicitly requested dtype")  # Keras's, of its own arguments
    shape = (options.batch, options.size, options.size, 3)
    images = jax.numpy.asarray(np.random.default_rng(0).uniform(0, 255, shape).astype("float32"))
    print("| layer | | " + " | ".join(FACES) + " | ratio |\n|---|---|" + "--:|" * (len(FACES) + 1))
    for name in options.layers or ARGUMENTS:
        count = min(SMALLER.get(name, options.batch), options.batch)
        medians = compared(name, images[:count], options.repeats)
        note = "" if count == options.batch else f" ({count} images)"
        for way in ("called", "compiled"):
            numbers = [medians.get((way, face)) for face in FACES]
            cells = [f"{one[0]:.1f} ({one[1]:.1f})" if one else "-" for one in numbers]
            print(f"| `{name}`{note} | {way} | " + " | ".join([*cells, ratio(*numbers)]) + " |", flush=True)


if __name__ == "__main__":
    main()
