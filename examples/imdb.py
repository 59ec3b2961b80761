"""Is a film review positive? An LSTM, or a transformer, reads its words.

python examples/imdb.py --network lstm [--epochs 3] [--reviews 10000] [--file imdb_flat.npz]
python examples/imdb.py --network transformer
"""

import argparse

import numpy as np

import jkeras as jk
from jkeras import layers

START, UNKNOWN, FIRST = 1, 2, 3  # the numbering of `jk.datasets.imdb`: 0 pads, a word of rank r is r + FIRST


def load(path, words, length, reviews):
    """The last `length` words of each review, as numbers below `words`, with zeros in front of short ones."""
    if path is None:
        parts = jk.datasets.imdb.load_data(num_words=words)
    else:
        # The same reviews as ranks of words, one after the other, without pickles; sorted by class.
        with np.load(path) as file:
            parts = [flat(file, name, words) for name in ("train", "test")]
    return [
        (jk.utils.pad_sequences(texts[:reviews], length, padding="pre", truncating="pre"), np.asarray(labels[:reviews]))
        for texts, labels in parts
    ]


def flat(file, name, words):
    tokens = file[f"tokens_{name}"].astype("int32") + FIRST
    tokens = np.where(tokens < words, tokens, UNKNOWN)
    texts = [np.r_[START, text] for text in np.split(tokens, file[f"offset_{name}"][1:-1])]
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[i] for i in order], file[f"y_{name}"][order]


class Positions(jk.Layer):
    """Adds a vector to each word that says where it stands: attention itself does not know."""

    def build(self, input_shape):
        self.supports_masking = True
        self.table = self.add_weight(input_shape[1:], initializer="uniform", name="table")

    def call(self, x):
        return x + self.table


def lstm(words, length, width):
    return jk.Sequential(
        [
            layers.Input((length,), dtype="int32"),
            layers.Embedding(words, width, mask_zero=True),  # the mask tells the layers above which words are padding
            layers.Dropout(0.3),
            layers.LSTM(width),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def transformer(words, length, width):
    inputs = layers.Input((length,), dtype="int32")
    x = Positions()(layers.Embedding(words, width, mask_zero=True)(inputs))
    y = layers.MultiHeadAttention(2, width // 2)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dropout(0.3)(y)]))
    y = layers.Dense(width)(layers.Dense(2 * width, activation="relu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dropout(0.3)(y)]))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling1D()(x))  # the mean over words that are not padding
    return jk.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


NETWORKS = {"lstm": lstm, "transformer": transformer}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="lstm")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=10000)
    parser.add_argument("--words", type=int, default=10000, help="how many different words there are for the network")
    parser.add_argument("--length", type=int, default=120, help="how many words of a review it reads")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--file", help="the reviews, if they are not to be downloaded")
    parser.add_argument("--picture", default="imdb.png")
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = load(options.file, options.words, options.length, options.reviews)
    print(f"Data: {len(x):,} reviews to train with, {len(x_test):,} to test with.")
    model = NETWORKS[options.network](options.words, options.length, options.width)
    model = model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    # Words are soon known by heart, so the best epoch is kept, not the last.
    stop = jk.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    model = model.fit(x, y, batch_size=64, epochs=options.epochs, validation_split=0.1, callbacks=[stop], verbose=2)

    predicted = model.predict(x_test, batch_size=256, verbose=0)
    right = (predicted[:, 0] > 0.5) == y_test
    print(f"Test accuracy of the {options.network}: {right.mean():.4f}")
    jk.plots.plot_confusion(y_test, predicted, ["negative", "positive"], path=options.picture)
    print(f"What was taken for what is in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
