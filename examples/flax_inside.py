"""A Flax module inside a model: a custom gated layer in Linen, trained by `fit`, taken out again with its weights.

python examples/flax_inside.py [--epochs 20] [--picture flax_inside.png]
"""

import argparse

import flax.linen as nn
import jax
import numpy as np

import jkeras as jk
from jkeras import layers


class Gated(nn.Module):
    """A gated linear unit (Dauphin et al., 2016)."""

    width: int

    @nn.compact
    def __call__(self, x):
        value, gate = nn.Dense(self.width)(x), nn.Dense(self.width)(x)
        return value * jax.nn.sigmoid(gate)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--picture", default="flax_inside.png")
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = jk.datasets.digits.load_data()
    x, x_test = x.reshape(len(x), -1) / 16.0, x_test.reshape(len(x_test), -1) / 16.0
    model = jk.Sequential(
        [
            layers.Input((64,)),
            layers.FlaxLayer(Gated(48), name="gated"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model = model.fit(x, y, epochs=options.epochs, verbose=0)
    print(f"Test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.4f}")

    module, variables = model.to_flax()  # the whole model as a Linen module
    outputs = module.apply(variables, x_test, training=False)
    difference = np.abs(np.asarray(outputs) - model.predict(x_test, verbose=0)).max()
    print(f"The same as a Flax program: outputs differ by {difference:.1e} at most.")
    jk.plots.plot_confusion(y_test, outputs, path=options.picture)
    print(f"What was taken for what is in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
