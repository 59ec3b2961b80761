"""A variational autoencoder: a layer that samples, a custom loss in a pure step, and a walk through its latent plane.

python examples/vae.py [--epochs 15] [--images 30000] [--data auto|mnist|digits] [--picture vae.png]
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
from digits_data import load_digits, save_grid

import jkeras as jk
from jkeras import layers

LATENT = 2


class VAE(jk.Model):
    def __init__(self, pixels, width=256):
        super().__init__()
        self.encoder = jk.Sequential(
            [
                layers.Input((pixels,)),
                layers.Dense(width, activation="relu"),
                layers.Dense(width, activation="relu"),
                layers.Dense(2 * LATENT),
            ]
        )
        self.decoder = jk.Sequential(
            [
                layers.Input((LATENT,)),
                layers.Dense(width, activation="relu"),
                layers.Dense(width, activation="relu"),
                layers.Dense(pixels),
            ]
        )

    def call(self, x):
        """The pixels' logits at the mean of what the encoder thinks, and that mean with the logarithm of its variance."""
        mean, log_variance = jnp.split(self.encoder(x), 2, axis=-1)
        return self.decoder(mean), mean, log_variance

    def objective(self, params, x, key):
        """Reconstruction (cross-entropy of the pixels) plus the divergence from a standard normal, per image, in nats."""
        latent = self.encoder.apply({"params": params["encoder"]}, x)
        mean, log_variance = jnp.split(latent, 2, axis=-1)
        sample = mean + jnp.exp(log_variance / 2) * jax.random.normal(key, mean.shape)
        logits = self.decoder.apply({"params": params["decoder"]}, sample)
        reconstruction = jnp.sum(jnp.logaddexp(0, logits) - x * logits, axis=-1)
        divergence = 0.5 * jnp.sum(mean**2 + jnp.exp(log_variance) - 1 - log_variance, axis=-1)
        return jnp.mean(reconstruction + divergence), jnp.mean(divergence)

    def train_step(self, state, batch):
        key = self.random_key(state, "sample")
        grads, (loss, divergence) = self.gradients_of(lambda params: self.objective(params, batch.x, key), state)
        return self.apply_gradients(state, grads), {"loss": loss, "divergence": divergence}

    def test_step(self, state, batch):
        loss, divergence = self.objective(state.params, batch.x, self.random_key(state, "sample"))
        return state, {"loss": loss, "divergence": divergence}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--images", type=int, default=30000)
    parser.add_argument("--picture", default="vae.png")
    options = parser.parse_args(arguments)

    (train, _), (test, _) = load_digits(options.data, options.images)
    shape = train.shape[1:]
    train, test = (images.reshape(len(images), -1) for images in (train, test))
    model = VAE(train.shape[1]).compile(jk.optimizers.Adam(1e-3))
    model = model.fit(train, epochs=options.epochs, batch_size=64, validation_data=(test,))

    # Digits on a grid over the middle of the latent plane.
    steps = np.linspace(-2, 2, 12, dtype="float32")
    points = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, LATENT)
    save_grid(options.picture, jax.nn.sigmoid(model.decoder(points)).reshape(-1, *shape))
    print(f"Test loss: {model.history['val_loss'][-1]:.1f} nats per image; the latent plane is in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
