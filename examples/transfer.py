"""Transfer: a network that has learned the digits 0 to 4 learns 5 to 9 from a few examples, better than from scratch.

python examples/transfer.py [--epochs 2] [--repeats 3] [--data auto|mnist|digits] [--picture transfer.png]
"""

import argparse

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def build(shape):
    """A convolutional base, which turns an image into features, and a head that names one of five classes."""
    base = jk.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
        ],
        name="base",
    )
    return jk.Sequential(
        [
            layers.Input(shape),
            base,
            layers.Dropout(0.5),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )


def compiled(model):
    return model.compile(jk.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])


def with_base(model, trained):
    """`model`, with the base of a model that was trained; frozen, so that `fit` leaves it as it is."""
    size = len(trained.layers[0].get_weights())
    return model.set_weights(trained.get_weights()[:size] + model.get_weights()[size:]).freeze("base")


def draw(path, counts, table):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, values in table.items():
        mean, low, high = np.mean(values, axis=1), np.min(values, axis=1), np.max(values, axis=1)
        axes.errorbar(counts, mean, yerr=[mean - low, high - mean], marker="o", capsize=3, label=name)
    axes.set(xlabel="examples of each new digit", ylabel="test accuracy", xscale="log")
    axes.set_xticks(counts, counts)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=80)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=2, help="of the first training, on 0 to 4")
    parser.add_argument("--later-epochs", type=int, default=40, help="of those with a few examples")
    parser.add_argument("--images", type=int, help="the number of images to use")
    parser.add_argument("--examples", type=int, nargs="+", default=[1, 2, 5, 10, 20], help="examples of each new digit")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--picture", default="transfer.png")
    options = parser.parse_args(arguments)

    (x, y), test = load_digits(options.data, options.images, channels=True)
    old, new = (x[y < 5], y[y < 5]), (x[y > 4], y[y > 4] - 5)
    test = test[0][test[1] > 4], test[1][test[1] > 4] - 5

    known = compiled(build(x.shape[1:])).fit(*old, epochs=options.epochs, batch_size=64, verbose=0)
    print(f"Learned 0 to 4 from {len(old[0]):,} images; accuracy on them {known.history['accuracy'][-1]:.4f}.")

    table = {"from scratch": [], "frozen base": []}
    for count in options.examples:
        found = {name: [] for name in table}
        for seed in range(options.repeats):
            # As many of each digit; others each time.
            rng = np.random.default_rng(seed)
            rows = np.concatenate([rng.permutation(np.flatnonzero(new[1] == digit))[:count] for digit in range(5)])
            fresh = build(x.shape[1:])
            for name, model in {"from scratch": fresh, "frozen base": with_base(fresh, known)}.items():
                examples = new[0][rows], new[1][rows]
                model = compiled(model).fit(*examples, epochs=options.later_epochs, batch_size=10, verbose=0)
                found[name].append(model.evaluate(*test, verbose=0)[1])
        for name, values in found.items():
            table[name].append(values)
        means = ", ".join(f"{name} {np.mean(values):.4f}" for name, values in found.items())
        print(f"{count:4} examples of each of 5 to 9: test accuracy {means}")

    draw(options.picture, options.examples, table)
    print(f"The curves are in {options.picture}.")
    return known


if __name__ == "__main__":
    main()
