"""A small convolutional network that reads MNIST digits (98.8 % or more of the test images after 3 epochs).

    python examples/mnist_cnn.py [--epochs 3] [--images 60000] [--data auto|mnist|digits]
"""

import argparse

from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def build(shape):
    return jk.Sequential([
        layers.Input(shape),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int)
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data, options.images, channels=True)
    model = build(x_train.shape[1:])
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x_train, y_train, epochs=options.epochs, batch_size=32)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f} (loss {loss:.4f})")
    return model


if __name__ == "__main__":
    main()
