"""Accuracy and size of quantised models: a convolutional network on MNIST, and a small GPT on text.

python -m benchmarks.quantization [--epochs 1] [--images 20000] [--windows 9600]

Prints a table for docs/measurements.md. Sizes are shares of those in float32: of the weights in memory, and of the files
`.weights.h5` and `.safetensors`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import jkeras as jk
from jkeras import layers, quantizers

LENGTH = 64  # of the windows of text
FILES = (".weights.h5", ".safetensors")
DATA = Path(__file__).parents[2] / "shared" / "data"


def network():
    """The MNIST network, with a wide dense layer, where most of its weights are."""
    return jk.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def text_model(vocabulary, length):
    """A GPT of two blocks, wide enough that its matrices are 97 % of it."""
    return jk.architectures.GPT(vocabulary, length, width=320, depth=2, heads=4)


def size(model):
    """Bytes of the weights in memory and in files."""
    sizes = [sum(w.nbytes for w in model.weights)]
    with tempfile.TemporaryDirectory() as folder:
        for suffix in FILES:
            path = Path(folder) / f"m{suffix}"
            model.save_weights(path)
            sizes.append(path.stat().st_size)
    return sizes


def table(title, model, data, calibration):
    """Rows for a model and its quantised forms."""
    forms = {"float32": lambda: model}
    forms |= {mode: lambda mode=mode: model.quantize(mode) for mode in ("int8", "int4", "float8")}
    forms |= {
        "GPTQ, 4 bits": lambda: model.quantize(config=quantizers.GPTQConfig(calibration, None, group_size=64)),
        "AWQ, 4 bits": lambda: model.quantize(config=quantizers.AWQConfig(calibration, None, group_size=64)),
    }
    whole = None
    for name, make in forms.items():
        form = make()
        loss, accuracy = form.evaluate(*data, verbose=0, batch_size=256)
        sizes = size(form)
        whole = whole or sizes
        shares = " | ".join(f"{part / all_:.3f}" for part, all_ in zip(sizes, whole, strict=True))
        print(f"| {title} | {name} | {accuracy:.4f} | {loss:.4f} | {shares} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--images", type=int, default=20000)
    parser.add_argument("--windows", type=int, default=9600, help="of 64 letters, for the GPT")
    options = parser.parse_args()
    print("| model | weights | accuracy | loss | memory | " + " | ".join(f"`{suffix}`" for suffix in FILES) + " |")
    print("|---|---|---|---|---|" + "---|" * len(FILES))
    with np.load(DATA / "mnist.npz") as mnist:
        x, y, x_test, y_test = (mnist[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    x, x_test = x[..., None] / np.float32(255), x_test[..., None] / np.float32(255)
    model = network().compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x[: options.images], y[: options.images], epochs=options.epochs, batch_size=64, verbose=0)
    table("MNIST CNN", model, (x_test, y_test), x[:128])

    text = (DATA / "text" / "tinyshakespeare.txt").read_text()
    letters = sorted(set(text))
    ids = np.array([letters.index(letter) for letter in text], "int32")
    windows = np.lib.stride_tricks.sliding_window_view(ids, LENGTH + 1)
    training, test = windows[: 9 * len(ids) // 10], windows[9 * len(ids) // 10 :: LENGTH][:256]
    training = training[np.random.default_rng(0).choice(len(training), options.windows, replace=False)]
    gpt = text_model(len(letters), LENGTH).compile(
        "adam", jk.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    gpt = gpt.fit(training[:, :-1], training[:, 1:], epochs=options.epochs, batch_size=32, verbose=0)
    table("small GPT", gpt, (test[:, :-1], test[:, 1:]), training[:128, :-1])


if __name__ == "__main__":
    main()
