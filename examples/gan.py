"""A generative adversarial network with a training step of its own: two losses, two optimizers, one pure function.

python examples/gan.py [--epochs 12] [--images 12000] [--data auto|mnist|digits] [--picture gan.png]
"""

import argparse

import jax
import jax.numpy as jnp
from digits_data import load_digits, save_grid

import jkeras as jk
from jkeras import layers

LATENT = 32
fool = jk.losses.BinaryCrossentropy(from_logits=True)


def build_generator(shape):
    height, width = shape[0] // 4, shape[1] // 4
    return jk.Sequential(
        [
            layers.Input((LATENT,)),
            layers.Dense(height * width * 64),
            layers.LeakyReLU(0.2),
            layers.Reshape((height, width, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
        ]
    )


def build_discriminator(shape):
    return jk.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )


class GAN(jk.Model):
    def __init__(self, shape):
        super().__init__()
        self.generator = build_generator(shape)
        self.discriminator = build_discriminator(shape)

    def call(self, images):
        """How real the images look, and as many made up; the training step below calls the two parts by themselves."""
        made_up = self.generator(jnp.zeros((images.shape[0], LATENT)))
        return self.discriminator(images), self.discriminator(made_up)

    def train_step(self, state, batch):
        rows = batch.x.shape[0]
        noise = jax.random.normal(self.random_key(state, "noise"), (rows, LATENT))
        drop = self.random_key(state, "dropout")

        def generate(params):
            return self.generator.apply({"params": params["generator"]}, noise, training=True)

        def judge(params, images):
            return self.discriminator.apply({"params": params["discriminator"]}, images, training=True, rng=drop)

        def discriminator_loss(params):
            made_up = jax.lax.stop_gradient(generate(params))
            verdicts = judge(params, jnp.concatenate([batch.x, made_up]))
            # Labels of real images a little below 1 keep the discriminator from being too sure of itself.
            truth = jnp.concatenate([jnp.full((rows, 1), 0.9), jnp.zeros((rows, 1))])
            return fool(truth, verdicts)

        def generator_loss(params):
            return fool(jnp.ones((rows, 1)), judge(params, generate(params)))

        judging, d_loss = self.gradients_of(discriminator_loss, state, only="discriminator/*")
        making, g_loss = self.gradients_of(generator_loss, state, only="generator/*")
        state = self.apply_gradients(state, {**judging, **making})
        return state, {"discriminator_loss": d_loss, "generator_loss": g_loss}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--images", type=int, default=12000)
    parser.add_argument("--picture", default="gan.png")
    options = parser.parse_args(arguments)

    (images, _), _ = load_digits(options.data, options.images, channels=True)
    optimizer = jk.optimizers.MultiOptimizer(
        [
            ("generator/*", jk.optimizers.Adam(2e-4, beta_1=0.5)),
            ("discriminator/*", jk.optimizers.Adam(2e-4, beta_1=0.5)),
        ]
    )
    model = GAN(images.shape[1:]).compile(optimizer)
    model = model.fit(images, epochs=options.epochs, batch_size=64)
    noise = jax.random.normal(jax.random.key(1), (64, LATENT))
    save_grid(options.picture, model.generator(noise))
    print(f"Made-up digits are in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
