"""Training from JPEG pictures that are decoded on the way, against the same step on arrays: `python -m benchmarks.data`.

Two tables. The first trains a network on this machine's device, which on a CPU needs the very cores that decode. The second
puts a pause in the place of the step, as long as the step of the first, and so shows what an accelerator would see. Times
are medians of milliseconds per step over the rounds, in which the forms take turns.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import time

import jax
import numpy as np
from PIL import Image

import jkeras as jk
from jkeras import layers
from jkeras.training.prefetch import Background


def pictures(count, side, quality=90):
    """JPEG files in memory, smooth enough to look like photographs to the decoder, and their classes."""
    rng = np.random.default_rng(0)
    files = []
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 255, (12, 12, 3), dtype="uint8"))
        file = io.BytesIO()
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(file, "jpeg", quality=quality)
        files.append(file.getvalue())
    return np.array(files, dtype=object), rng.integers(0, 10, count).astype("int32")


def decode(file, label, side):
    """A picture as numbers from 0 to 1, mirrored for odd labels."""
    image = Image.open(io.BytesIO(file.item())).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    array = np.asarray(image, dtype="float32") / 255
    return (array[:, ::-1] if label % 2 else array), label


def pipeline(files, labels, side, batch, threads):
    data = jk.data.Dataset.from_tensor_slices((files, labels)).shuffle(len(files), seed=0)
    data = data.map(lambda file, label: decode(file, label, side), num_parallel_calls=threads)
    return data.batch(batch, drop_remainder=True).prefetch(jk.data.AUTOTUNE)


def network(side, width):
    inner = [layers.Conv2D(width, 3, strides=2, activation="relu"), layers.Conv2D(width, 3, activation="relu")]
    model = jk.Sequential(
        [layers.Input((side, side, 3)), *inner, layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")]
    )
    return model.compile("adam", "sparse_categorical_crossentropy")


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(forms, rounds, steps):
    """Milliseconds per step of each form; the first round warms up."""
    times = {name: [] for name in forms}
    for round_ in range(rounds + 1):
        for name, form in forms.items():
            elapsed = seconds(form) / steps * 1000
            if round_:
                times[name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title, times, base):
    print(f"\n{title}\n\n| data | ms per step | to {base} |\n|---|---|---|")
    for name, value in times.items():
        print(f"| {name} | {value:.1f} | {value / times[base]:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=640)
    parser.add_argument("--stored", type=int, default=128, help="the side of the files")
    parser.add_argument("--side", type=int, default=64, help="the side of the network's inputs")
    parser.add_argument("--width", type=int, default=32, help="channels of the convolutions")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pause", type=float, help="milliseconds in place of the step; default: as long as the step")
    args = parser.parse_args()
    files, labels = pictures(args.pictures, args.stored)
    steps = args.pictures // args.batch
    model = network(args.side, args.width)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, JAX {jax.__version__} on {jax.default_backend()}, {steps} steps"
    )

    x = np.stack([decode(file, label, args.side)[0] for file, label in zip(files[:, None], labels, strict=True)])

    def streams():
        for start in range(0, steps * args.batch, args.batch):
            yield x[start : start + args.batch], labels[start : start + args.batch]

    def fitted(data, **more):
        return lambda: jax.block_until_ready(model.fit(data() if callable(data) else data, verbose=0, **more).params)

    forms = {"arrays": fitted(x[: steps * args.batch], y=labels[: steps * args.batch], batch_size=args.batch)}
    forms["arrays, batch by batch"] = fitted(streams)
    pipelines = {count: pipeline(files, labels, args.side, args.batch, count) for count in args.threads}
    forms.update({f"JPEG, {count} threads": fitted(data) for count, data in pipelines.items()})
    step = in_turn(forms, args.rounds, steps)
    alone = {f"JPEG, {count} threads": (lambda data=data: [None for _ in data]) for count, data in pipelines.items()}
    show("Training on this machine's device", step, "arrays, batch by batch")
    show("Decoding alone", in_turn(alone, args.rounds, steps), next(iter(alone)))

    pause = step["arrays, batch by batch"] / 1000 if args.pause is None else args.pause / 1000

    def paused(data):
        def run():
            with Background(iter(data() if callable(data) else data)) as batches:
                for _ in batches:
                    time.sleep(pause)

        return run

    forms = {"arrays, batch by batch": paused(streams)}
    forms.update({f"JPEG, {count} threads": paused(data) for count, data in pipelines.items()})
    title = f"A device that needs no core: a pause of {pause * 1000:.1f} ms in place of the step"
    show(title, in_turn(forms, args.rounds, steps), "arrays, batch by batch")


if __name__ == "__main__":
    main()
