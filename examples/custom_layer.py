"""A subclassed model with a custom layer: a residual block with a learned, slowly adapting gain.

python examples/custom_layer.py [--epochs 3]
"""

import argparse

import jax.numpy as jnp
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


class ScaledResidual(jk.Layer):
    """Adds a dense transformation to its input; keeps a running mean of how large that transformation is."""

    def __init__(self, units, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.momentum = momentum
        self.transform = layers.Dense(units, activation="relu")

    def build(self, input_shape):
        self.gain = self.add_weight((self.units,), initializer="ones", name="gain")
        self.size = self.add_weight((), initializer="zeros", trainable=False, name="size")

    def call(self, x, training=False):
        change = self.transform(x) * self.gain
        if training:
            # Assigning to non-trainable state is how a layer remembers; the model that called it is a new value.
            self.size = self.momentum * self.size + (1 - self.momentum) * jnp.mean(jnp.abs(change))
        return x + change


class Reader(jk.Model):
    def __init__(self, width=64, depth=2):
        super().__init__()
        self.flatten = layers.Flatten()
        self.enter = layers.Dense(width, activation="relu")
        self.blocks = [ScaledResidual(width) for _ in range(depth)]
        self.decide = layers.Dense(10)

    def call(self, images, training=False):
        x = self.enter(self.flatten(images))
        for block in self.blocks:
            x = block(x)
        return self.decide(x)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int)
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = load_digits(options.data, options.images)
    loss = jk.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = Reader().compile(jk.optimizers.Adam(1e-3, clipnorm=1.0), loss, metrics=["accuracy"])
    model = model.fit(x_train, y_train, epochs=options.epochs, batch_size=64, validation_split=0.1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    sizes = [float(state["size"]) for state in model.model_state.values()]
    print(f"Test accuracy: {accuracy:.4f}; the blocks change their input by {sizes} on average.")
    return model


if __name__ == "__main__":
    main()
