"""A functional model with two inputs and two outputs: is the second digit larger, and what is their sum?

python examples/two_inputs.py [--epochs 3] [--pairs 20000]
"""

import argparse

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def build(shape):
    left, right = jk.Input(shape, name="left"), jk.Input(shape, name="right")
    # One encoder, used twice: both images are read with the same weights.
    encoder = jk.Sequential(
        [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu")]
    )
    read = layers.Concatenate()([encoder(left), encoder(right)])
    hidden = layers.Dense(64, activation="relu")(read)
    larger = layers.Dense(1, activation="sigmoid", name="larger")(hidden)
    total = layers.Dense(1, name="total")(hidden)
    return jk.Model([left, right], [larger, total])


def pairs(images, digits, count, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, len(images), (2, count))
    x = {"left": images[a], "right": images[b]}
    y = {"larger": (digits[b] > digits[a]).astype("float32"), "total": (digits[a] + digits[b]).astype("float32")}
    return x, y


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=20_000)
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data)
    model = build(x_train.shape[1:])
    model = model.compile(
        "adam",
        loss={"larger": "binary_crossentropy", "total": "mse"},
        loss_weights={"larger": 1.0, "total": 0.1},
        metrics={"larger": ["accuracy"], "total": ["mae"]},
    )
    model = model.fit(*pairs(x_train, y_train, options.pairs, seed=0), epochs=options.epochs, validation_split=0.1)
    scores = model.evaluate(*pairs(x_test, y_test, 2_000, seed=1), verbose=0, return_dict=True)
    print(f"Larger: {scores['larger_accuracy']:.3f} correct. Sum: off by {scores['total_mae']:.2f} on average.")
    return model


if __name__ == "__main__":
    main()
