"""A first model on real data: train a small network to read digits, evaluate it, save it, load it again.

    python examples/mnist_mlp.py [--data auto|mnist|digits] [--picture mnist_mlp.png]

takes MNIST (60,000 images of 28 by 28 pixels) where it is present or can be downloaded, and otherwise the 1,797 smaller
digits that come with jkeras.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, help="5 for MNIST, 30 for a smaller data set, unless given")
    parser.add_argument("--images", type=int, help="the number of images to train and test with")
    parser.add_argument("--save", type=Path, help="where to keep the trained model")
    parser.add_argument("--picture", default="mnist_mlp.png", help="the curves of the training")
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data, options.images)
    epochs = options.epochs or (5 if len(x_train) > 10_000 else 30)

    model = jk.Sequential(
        [
            layers.Input(x_train.shape[1:]),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x_train, y_train, epochs=epochs, batch_size=32, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.save or Path(scratch) / "model"
        model.save(folder)
        restored = jk.load_model(folder)
        same = np.array_equal(model.predict(x_test, verbose=0), restored.predict(x_test, verbose=0))
        print(f"Saved and loaded again: predictions are {'equal' if same else 'NOT equal'}.")
    if not same:
        raise SystemExit("The loaded model predicts something else.")
    print(f"Test accuracy: {accuracy:.4f} (loss {loss:.4f})")
    model.history.plot(path=options.picture)
    print(f"The curves are in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
