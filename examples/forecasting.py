"""Forecasting: tomorrow's highest temperature in Seattle from the last two weeks, against "as today".

python examples/forecasting.py [--epochs 60] [--file seattle-weather.csv] [--picture forecasting.png]
"""

import argparse
import csv

import numpy as np

import jkeras as jk
from jkeras import layers

# Four years of daily weather (NOAA), as collected by the Vega project.
URL = "https://raw.githubusercontent.com/vega/vega-datasets/034c27525dbb73be71adfd53ba682778df329541/data/seattle-weather.csv"
COLUMNS = ("precipitation", "temp_max", "temp_min", "wind")


def load(path):
    """Days `(days, 6)`: the weather, and the season as a point on a circle; and the highest temperatures `(days,)`."""
    with open(path or jk.utils.get_file("seattle-weather.csv", URL), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    weather = np.array([[float(row[name]) for name in COLUMNS] for row in rows], "float32")
    angle = 2 * np.pi * np.arange(len(rows)) / 365.25  # the file begins on a first of January
    return np.c_[weather, np.sin(angle), np.cos(angle)].astype("float32"), weather[:, COLUMNS.index("temp_max")]


def windows(days, target, length, begin, end, **options):
    """Batches of `length` days between two days, each with the temperature of the day that follows."""
    # The target of the window that begins on day i is entry i: the temperatures, `length` days earlier.
    return jk.utils.timeseries_dataset_from_array(
        days[begin : end - 1], target[begin + length : end], sequence_length=length, **options
    )


def draw(path, truth, forecasts):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(truth, color="black", linewidth=1.5, label="what came")
    for name, values in forecasts.items():
        axes.plot(values, linewidth=1, label=name)
    axes.set(xlabel="day of the test", ylabel="highest temperature (°C)")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=80)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="the maximum number of epochs")
    parser.add_argument("--days", type=int, default=14, help="how many days the network sees")
    parser.add_argument("--file", help="the data, if it is not to be downloaded")
    parser.add_argument("--picture", default="forecasting.png")
    options = parser.parse_args(arguments)

    days, target = load(options.file)
    first, second = int(0.6 * len(days)), int(0.75 * len(days))  # in order of time: the network must not see the future
    normalization = layers.Normalization().adapt(days[:first])
    # It predicts how much warmer it gets: nothing to learn in winter that does not hold in summer, too.
    warmer, length = np.diff(target, prepend=target[:1]), options.days
    train = windows(days, warmer, length, 0, first, batch_size=32, shuffle=True, seed=0)
    valid = windows(days, warmer, length, first - length, second)
    test = windows(days, warmer, length, second - length, len(days))

    model = jk.Sequential(
        [
            layers.Input((length, days.shape[1])),
            normalization,
            layers.GRU(24),
            layers.Dropout(0.2),
            layers.Dense(1),
        ]
    )
    model = model.compile(jk.optimizers.Adam(3e-3), "mse")
    stop = jk.callbacks.EarlyStopping("val_loss", patience=10, restore_best_weights=True)
    model = model.fit(train, validation_data=valid, epochs=options.epochs, callbacks=[stop], verbose=0)
    print(f"Trained for {len(model.history['loss'])} epochs on {first} days.")

    truth = target[second:]
    season = [np.mean(target[:first][np.arange(first) % 365 == day % 365]) for day in range(second, len(days))]
    forecasts = {
        "the network": target[second - 1 : -1] + model.predict(test, verbose=0)[:, 0],
        "as today": target[second - 1 : -1],
        "the usual on that date": np.array(season),
    }
    for name, values in forecasts.items():
        print(f"Error (RMSE) of {name:24} {np.sqrt(np.mean((values - truth) ** 2)):.2f} °C")
    draw(options.picture, truth[:120], {name: values[:120] for name, values in list(forecasts.items())[:2]})
    print(f"The first 120 days of the test are in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
