"""A custom training loop over the pure step: no `fit`, nothing hidden, and every state remains available.

python examples/pure_loop.py [--epochs 3]
"""

import argparse

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int)
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data, options.images)
    model = jk.Sequential(
        [
            layers.Input(x_train.shape[1:]),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    definition, recipe, state = model.definition, model.recipe, model.state
    rng, size = np.random.default_rng(0), options.batch_size
    snapshots = [state]
    for epoch in range(options.epochs):
        order = rng.permutation(len(x_train))
        state = state.replace(metrics=None)  # metrics run from here
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            state, logs = jk.train_step(definition, recipe, state, (x_train[rows], y_train[rows]))
        snapshots.append(state)
        print(f"epoch {epoch + 1}: " + ", ".join(f"{name} {float(value):.4f}" for name, value in logs.items()))

    for epoch, snapshot in enumerate(snapshots):
        scores = jk.eval_step(definition, recipe, snapshot, (x_test, y_test))
        print(f"test accuracy after {epoch} epochs: {float(scores['accuracy']):.4f}")
    return state


if __name__ == "__main__":
    main()
