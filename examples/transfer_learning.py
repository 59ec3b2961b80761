"""Digits 5 to 9 from few images, by a network that learned 0 to 4: a new head, fine-tuning, LoRA, and eight bits.

python examples/transfer_learning.py [--epochs 5] [--images 200] [--data auto|mnist|digits]
"""

import argparse

from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def score(model, x, y):
    return model.evaluate(x, y, verbose=0)[1]


def compiled(model, rate):
    return model.compile(jk.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = load_digits(options.data, None, channels=True)
    new, new_test = y >= 5, y_test >= 5
    base = jk.Sequential(
        [
            layers.Input(x.shape[1:]),
            layers.Conv2D(16, 3, strides=2, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )
    base = compiled(base, 1e-3).fit(x[~new], y[~new], epochs=options.epochs, verbose=0)

    few, labels = x[new][: options.images], y[new][: options.images] - 5
    test = x_test[new_test], y_test[new_test] - 5
    model = jk.Sequential([layers.Input(x.shape[1:]), *base.layers[:-1], layers.Dense(5, "softmax", name="new_head")])
    head = compiled(model.freeze("conv", "features"), 1e-2).fit(few, labels, epochs=4 * options.epochs, verbose=0)
    tuned = compiled(head.unfreeze(), 1e-3).fit(few, labels, epochs=4 * options.epochs, verbose=0)
    adapted = head.unfreeze("features").enable_lora(4, "features")
    adapted = compiled(adapted, 3e-3).fit(few, labels, epochs=4 * options.epochs, verbose=0)
    small = adapted.merge_lora().quantize("int8")
    for name, each in {"new head": head, "fine-tuned": tuned, "LoRA": adapted, "LoRA, int8": small}.items():
        print(f"{name:12s} accuracy {score(each, *test):.4f}, {sum(w.nbytes for w in each.weights):8d} bytes")
    return small


if __name__ == "__main__":
    main()
