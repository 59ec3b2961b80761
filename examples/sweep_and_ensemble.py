"""Chooses a learning rate and a dropout rate in one sweep, then trains an ensemble with them that knows when it is unsure.

python examples/sweep_and_ensemble.py [--epochs 10] [--members 8] [--picture sweep.png] [--doubts doubts.png]
"""

import argparse

import numpy as np

import jkeras as jk
from jkeras import layers


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--picture", default="sweep.png", help="what the sweep found")
    parser.add_argument("--doubts", default="doubts.png", help="the images about which the ensemble is least sure")
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = jk.datasets.digits.load_data()
    x, x_test = x.reshape(len(x), -1) / 16.0, x_test.reshape(len(x_test), -1) / 16.0
    net = jk.Sequential(
        [layers.Input((64,)), layers.Dense(32, "relu"), layers.Dropout(0.0), layers.Dense(10, "softmax")]
    )
    base = net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    # Twelve trainings in one program; each model stops by itself when it gets no better.
    stop = jk.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    result = jk.sweep(base, learning_rate=[3e-4, 1e-3, 3e-3, 1e-2], dropout=[0.0, 0.2, 0.4])
    result = result.fit(x, y, epochs=options.epochs, validation_split=0.2, callbacks=[stop], verbose=0)
    print(f"Best of {len(result)}: {result.best_setting}")
    result.plot(path=options.picture)

    # The best setting, trained again from several seeds. Where its members disagree, the ensemble is more often wrong.
    best = result.best.compile(result.best.optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    ensemble = jk.Ensemble(best, options.members).fit(x, y, epochs=options.epochs, verbose=0)
    single = ensemble.evaluate(x_test, y_test)["accuracy"].mean()
    mean, spread = ensemble.predict(x_test)
    right = mean.argmax(axis=1) == y_test
    doubt = spread[np.arange(len(mean)), mean.argmax(axis=1)]
    sure = doubt <= np.median(doubt)
    print(f"Test accuracy: single {single:.4f}, ensemble {right.mean():.4f}")
    print(f"  where the members agree: {right[sure].mean():.4f}; where they do not: {right[~sure].mean():.4f}")

    least = np.argsort(-doubt)[:16]
    titles = [f"{mean[i].argmax()}? ±{doubt[i]:.2f} ({y_test[i]})" for i in least]
    jk.plots.image_grid(x_test[least].reshape(-1, 8, 8), titles, columns=8, path=options.doubts)
    print(
        f"The sweep is in {options.picture}, the most doubtful digits (with the truth in brackets) in {options.doubts}."
    )
    return ensemble


if __name__ == "__main__":
    main()
