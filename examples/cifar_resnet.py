"""A small residual network for the colour images of CIFAR-10, with augmentation inside the model.

    python examples/cifar_resnet.py [--epochs 20] [--images 4000] [--file images.npz] [--no-augmentation]

trains with few images, to be done in 3 minutes; with all 50,000 (`--images 50000`) and more epochs it gets far better.
"""

import argparse

import numpy as np

import jkeras as jk
from jkeras import layers

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load(path, images):
    """CIFAR-10; or a part of it from a file with `x (n, 32, 32, 3)` and `y (n, 1)`, of which a seventh is for the test."""
    if path is None:
        (x, y), (x_test, y_test) = jk.datasets.cifar10.load_data()
    else:
        with np.load(path) as file:
            x, y = file["x"], file["y"]
        rest = len(x) // 7
        (x, y), (x_test, y_test) = (x[:-rest], y[:-rest]), (x[-rest:], y[-rest:])
    return (x[:images], y[:images, 0]), (x_test[:images], y_test[:images, 0])


def block(x, filters, strides=1):
    """Two convolutions that learn what to add to their input (He et al., 2015)."""
    shortcut = x
    if strides > 1:  # half as high and wide, more channels: the shortcut has to follow
        shortcut = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x))
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
    return layers.ReLU()(layers.Add()([shortcut, x]))


def build(augment, width):
    inputs = layers.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    if augment:
        # These layers act in training only and draw new numbers for each image and step; `predict` sees unchanged images.
        x = layers.RandomFlip("horizontal")(x)
        x = layers.RandomTranslation(0.125, 0.125, fill_mode="reflect")(x)
    x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = block(x, width)
    x = block(x, 2 * width, strides=2)
    x = block(x, 4 * width, strides=2)
    x = layers.GlobalAveragePooling2D()(x)
    return jk.Model(inputs, layers.Dense(10, activation="softmax")(x))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--width", type=int, default=16, help="channels of the first convolution")
    parser.add_argument("--no-augmentation", action="store_true")
    parser.add_argument("--file", help="a part of CIFAR-10, if it is not to be downloaded")
    parser.add_argument("--picture", default="cifar_resnet.png")
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = load(options.file, options.images)
    print(f"Data: CIFAR-10, {len(x):,} images to train with, {len(x_test):,} to test with.")
    model = build(not options.no_augmentation, options.width)
    # The rate rises over the first epoch, then falls to nothing along a cosine.
    steps = options.epochs * -(-len(x) // 64)
    rate = jk.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=4e-3, warmup_steps=steps // options.epochs)
    optimizer = jk.optimizers.AdamW(rate, weight_decay=0.01)
    model = model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x, y, batch_size=64, epochs=options.epochs, validation_data=(x_test, y_test), verbose=2)

    probabilities = model.predict(x_test, verbose=0)
    guesses = probabilities.argmax(axis=1)
    print(f"Accuracy: {model.history['accuracy'][-1]:.4f} in training, {np.mean(guesses == y_test):.4f} in the test.")
    titles = [
        NAMES[guesses[i]] + ("" if guesses[i] == true else f"\n({NAMES[true]})") for i, true in enumerate(y_test[:24])
    ]
    jk.plots.image_grid(x_test[:24], titles, columns=8, path=options.picture)
    print(f"The first test images are in {options.picture}, with the truth in brackets where the model is wrong.")
    return model


if __name__ == "__main__":
    main()
