"""Regression on a table: the value of houses in California, by a network that stops by itself, against a linear model.

python examples/regression.py [--epochs 100] [--file california_housing.npz] [--picture regression.png]
"""

import argparse
from pathlib import Path

import numpy as np

import jkeras as jk
from jkeras import layers

UNIT = 100_000  # the network predicts in units of 100,000 dollars, so that its outputs are of the size of 1


def build(normalization):
    # The statistics of the columns live in the model: it takes raw numbers, here and wherever it is loaded.
    return jk.Sequential(
        [
            layers.Input((8,)),
            normalization,
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )


def rmse(true, predicted):
    return float(np.sqrt(np.mean((true - predicted) ** 2)))


def linear(x, y, x_test):
    """The best that a linear model can do, by least squares."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    columns, columns_test = (np.c_[(part - mean) / std, np.ones(len(part))] for part in (x, x_test))
    return columns_test @ np.linalg.lstsq(columns, y, rcond=None)[0]


def draw(path, x, y, predicted):
    """A map of the predictions (longitude and latitude are the first two columns), and predictions against truth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    places, points = figure.subplots(1, 2)
    dots = places.scatter(x[:, 0], x[:, 1], c=predicted, s=3, cmap="viridis", vmin=0, vmax=500_000)
    figure.colorbar(dots, ax=places, label="predicted value in dollars")
    places.set(title="test districts", xlabel="longitude", ylabel="latitude", aspect="equal")
    points.scatter(y, predicted, s=2, alpha=0.3)
    points.plot([0, 500_000], [0, 500_000], color="black", linewidth=1)
    points.set(title="value of a house in dollars", xlabel="true (the census cut it at 500,001)", ylabel="predicted")
    figure.savefig(path, dpi=80)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100, help="the maximum number of epochs")
    parser.add_argument("--rows", type=int, help="the number of districts to train with")
    parser.add_argument("--file", type=Path, help="the data, if it is not to be downloaded")
    parser.add_argument("--picture", default="regression.png")
    options = parser.parse_args(arguments)

    place = {"path": options.file.absolute()} if options.file else {}
    (x, y), (x_test, y_test) = jk.datasets.california_housing.load_data(**place)
    x, y = x[: options.rows], y[: options.rows]
    print(f"{len(x):,} districts to train with, {len(x_test):,} to test with.")

    # `adapt` returns a layer that knows the means and variances of the training data.
    model = build(layers.Normalization().adapt(x))
    model = model.compile(jk.optimizers.Adam(3e-3), "mse", metrics=["mae"])
    watch = [
        jk.callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=4),
        jk.callbacks.EarlyStopping("val_loss", patience=10, restore_best_weights=True),
    ]
    model = model.fit(
        x, y / UNIT, batch_size=64, epochs=options.epochs, validation_split=0.15, callbacks=watch, verbose=0
    )
    best = 1 + int(np.argmin(model.history["val_loss"]))
    print(f"Stopped after {len(model.history['loss'])} epochs; epoch {best} was the best.")

    predicted = UNIT * model.predict(x_test, verbose=0)[:, 0]
    for name, guess in {
        "the mean of all": np.full_like(y_test, y.mean()),
        "a linear model": linear(x, y, x_test),
        "the network": predicted,
    }.items():
        print(f"Error (RMSE) of {name:16} {rmse(y_test, guess):10,.0f} dollars")
    draw(options.picture, x_test, y_test, predicted)
    print(f"The map is in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
