"""Makes the pictures in docs/images: `python scripts/make_images.py [name ...]`.

Needs the extras `plot` and `tensorboard`; the pictures of TensorBoard and of the docs need Chromium, and are left as they
are without it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import jkeras as jk
from jkeras import layers, plots
from jkeras.plots.diagram import Box, Diagram

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts import terminal_pictures as terminal

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
         "--disable-sync --hide-scrollbars --virtual-time-budget=30000").split()  # fmt: skip


def digits():
    (x, y), (x_test, y_test) = jk.datasets.digits.load_data()
    return (x[..., None] / 16.0, y), (x_test[..., None] / 16.0, y_test)


def network():
    return jk.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    ).compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def model():
    """A functional model with two inputs, as SVG."""
    image, extra = jk.Input((28, 28, 1), name="image"), jk.Input((10,), name="extra")
    first = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(16, 3, padding="same")(layers.BatchNormalization()(first))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, first]))
    x = layers.Concatenate()([x, layers.Dense(8, trainable=False, name="frozen")(extra)])
    jk.Model([image, extra], layers.Dense(10, activation="softmax")(x)).plot(IMAGES / "model.svg")


def fit():
    """How a call of `fit` travels, as SVG."""
    names = [
        ("definition", "layers, equal by value"), ("recipe", "compile(...)"), ("source", "arrays or a stream"),
        ("program", "a step without arrays"), ("state", "weights, slots, step, key"), ("run", "the loop: clock, callbacks"),
        ("step", "one compiled pure function"), ("new model", "definition + state + history"),
    ]  # fmt: skip
    arrows = ((0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (3, 5), (4, 5), (5, 6), (5, 7))
    Diagram("fit", tuple(Box(name, what) for name, what in names), arrows).save(IMAGES / "fit.svg")


def devices():
    """How a strategy spreads a step, as SVG."""
    names = [
        ("batch", "rows of all devices"), ("device 0", "half of the rows"), ("device 1", "half of the rows"),
        ("mean", "of the gradients, over the devices"), ("update", "the same on every device"),
    ]  # fmt: skip
    arrows = ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4))
    Diagram("devices", tuple(Box(name, what) for name, what in names), arrows).save(IMAGES / "guides" / "devices.svg")


def libraries():
    """How a library written for Keras comes to run here, as SVG."""
    names = [
        ("your script", "jkeras run script.py"), ("library", "import keras"), ("jkeras.keras", "Keras's objects"),
        ("jkeras", "immutable models"), ("core", "one compiled step"),
    ]  # fmt: skip
    arrows = ((0, 1), (1, 2), (0, 3), (2, 4), (3, 4))
    Diagram("libraries", tuple(Box(name, what) for name, what in names), arrows).save(
        IMAGES / "guides" / "libraries.svg"
    )


def history():
    """The curves of a run."""
    (x, y), _ = digits()
    slower = jk.callbacks.ReduceLROnPlateau(patience=2, factor=0.3)
    trained = network().fit(x, y, epochs=20, validation_split=0.2, verbose=0, callbacks=[slower])
    plots.plot_history(trained, path=IMAGES / "history.png")


def sweep():
    """What a sweep found."""
    (x, y), _ = digits()
    net = jk.Sequential(
        [layers.Input((64,)), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(10, "softmax")]
    )
    base = net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    result = jk.sweep(base, learning_rate=list(np.geomspace(1e-4, 1e-1, 6)), dropout=[0.0, 0.3])
    result = result.fit(x.reshape(len(x), -1), y, epochs=8, verbose=0, validation_split=0.2)
    plots.plot_sweep(result, path=IMAGES / "sweep.png")


def confusion():
    """A confusion matrix."""
    (x, y), (x_test, y_test) = digits()
    trained = network().fit(x, y, epochs=5, verbose=0)
    plots.plot_confusion(y_test, trained.predict(x_test, verbose=0), path=IMAGES / "confusion.png")


def summary():
    """`model.summary()` in a terminal."""
    terminal.save(IMAGES / "summary.svg", ">>> model.summary()", terminal.printed(lambda: network().summary()))


def training():
    """A training run in a terminal."""
    (x, y), _ = digits()
    lines = terminal.printed(lambda: network().fit(x, y, epochs=4, validation_split=0.1, verbose=1))
    terminal.save(IMAGES / "training.svg", ">>> model = model.fit(x, y, epochs=4, validation_split=0.1)", lines)


def tensorboard():
    """TensorBoard in a browser."""
    with tempfile.TemporaryDirectory() as folder:
        (x, y), _ = digits()
        log = jk.callbacks.TensorBoard(f"{folder}/logs", histogram_freq=1)
        _ = network().fit(x, y, epochs=10, verbose=0, validation_split=0.2, callbacks=[log])
        command = [
            sys.executable,
            "-m",
            "tensorboard.main",
            "--logdir",
            f"{folder}/logs",
            "--port",
            "0",
            "--load_fast=false",
        ]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            address = next(m[0] for line in server.stderr if (m := re.search(r"http://localhost:\d+", line)))
            time.sleep(3)
            _screenshot(f"{address}/#scalars", "tensorboard.png", folder)
        finally:
            server.kill()


def docs():
    """The front page of the docs, if they were built into site/."""
    with tempfile.TemporaryDirectory() as folder:
        _screenshot((ROOT / "site" / "index.html").as_uri(), "docs.png", folder)


def _screenshot(address, name, folder):
    if BROWSER is None:
        print(f"{name}: there is no Chromium", file=sys.stderr)
        return
    command = [BROWSER, *FLAGS, "--window-size=1300,950", f"--user-data-dir={folder}/browser"]
    for _ in range(2):  # the first visit may come too early
        subprocess.run([*command, f"--screenshot={IMAGES / name}", address], capture_output=True, check=True)


PICTURES = [model, fit, devices, libraries, history, sweep, confusion, summary, training, tensorboard, docs]

if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        if len(sys.argv) == 1 or picture.__name__ in sys.argv[1:]:
            picture()
            print(picture.__name__)
