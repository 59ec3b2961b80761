"""A small convolutional network that reads MNIST digits (98.8 % or more of the test images after 3 epochs).

python examples/mnist_cnn.py [--epochs 3] [--images 60000] [--data auto|mnist|digits] [--picture mnist_cnn.png]
"""

import argparse

from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def build(shape):
    return jk.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int)
    parser.add_argument("--picture", default="mnist_cnn.png")
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data, options.images, channels=True)
    model = build(x_train.shape[1:])
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x_train, y_train, epochs=options.epochs, batch_size=32)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy: {accuracy:.4f} (loss {loss:.4f})")

    # The images that it gets wrong, those first about which it is surest: often they are hard for people, too.
    probabilities = model.predict(x_test, verbose=0)
    guesses, certainty = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = sorted((guesses != y_test).nonzero()[0], key=lambda i: -certainty[i])[:32]
    titles = [f"{y_test[i]}, not {guesses[i]}" for i in wrong]
    jk.plots.image_grid(x_test[wrong], titles, columns=8, path=options.picture)
    print(f"The worst of {(guesses != y_test).sum()} mistakes are in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
