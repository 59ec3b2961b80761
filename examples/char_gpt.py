"""A small GPT that learns to write like Shakespeare, character by character.

python examples/char_gpt.py [--steps 1000] [--text file.txt] [--prompt "ROMEO:"] [--picture char_gpt.png]
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import jkeras as jk

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
WINDOW = 64


def load(path):
    if path is None:
        path = jk.utils.get_file("tinyshakespeare.txt", URL, file_hash=SHA256)
    text = Path(path).read_text(encoding="utf-8")
    alphabet = sorted(set(text))
    number = {character: i for i, character in enumerate(alphabet)}
    return np.array([number[character] for character in text], "int32"), alphabet


def windows(tokens, count, seed):
    """Pieces of text, and the same pieces one character later."""
    starts = np.random.default_rng(seed).integers(0, len(tokens) - WINDOW - 1, count)
    pieces = tokens[starts[:, None] + np.arange(WINDOW + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def write(model, tokens, length, temperature=0.8, seed=0):
    """Goes on writing after some tokens; the model always sees the last `WINDOW` of them."""

    @jax.jit
    def one(params, window, filled, key):
        logits = model.apply(params, window[None])[0, filled - 1] / temperature
        return jax.random.categorical(key, logits)

    tokens = list(tokens)
    for key in jax.random.split(jax.random.key(seed), length):
        seen = tokens[-WINDOW:]
        window = np.zeros(WINDOW, "int32")  # what comes after the last character is not looked at
        window[: len(seen)] = seen
        tokens.append(int(one(model.params, jnp.asarray(window), len(seen), key)))
    return tokens


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", help="a text file; Shakespeare, downloaded once, if not given")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--prompt", default="ROMEO:")
    parser.add_argument("--length", type=int, default=400)
    parser.add_argument("--picture", default="char_gpt.png")
    options = parser.parse_args(arguments)

    tokens, alphabet = load(options.text)
    split = int(0.9 * len(tokens))
    model = jk.architectures.GPT(len(alphabet), WINDOW, width=options.width, depth=options.depth, heads=4)
    rate = jk.optimizers.schedules.CosineDecay(0.0, options.steps, warmup_target=3e-3, warmup_steps=options.steps // 20)
    loss = jk.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = model.compile(jk.optimizers.AdamW(rate, clipnorm=1.0), loss)
    x, y = windows(tokens[:split], 32 * options.steps, seed=0)
    # One pass over the windows, in ten parts with a validation after each.
    model = model.fit(
        x,
        y,
        batch_size=32,
        epochs=10,
        steps_per_epoch=max(options.steps // 10, 1),
        validation_data=windows(tokens[split:], 320, seed=1),
        verbose=2,
    )
    loss = model.history["val_loss"][-1]
    print(f"Validation loss: {loss:.3f}, or {loss / np.log(2):.2f} bits per character.\n")

    known = [alphabet.index(character) for character in options.prompt if character in alphabet] or [0]
    print("".join(alphabet[token] for token in write(model, known, options.length)))
    model.history.plot(path=options.picture)
    print(f"\nThe loss over time is in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
