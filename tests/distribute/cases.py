"""Three small models with data, and how far two runs of one of them are apart; for tests and for `matrix.py`."""

import jax
import numpy as np

import jkeras as jk
from jkeras import layers


def mlp(rng):
    """Rows are independent; 54 rows in batches of 16 leave 6."""
    x = rng.normal(size=(54, 8)).astype("float32")
    model = jk.Sequential(
        [layers.Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(2, activation="softmax")]
    )
    return model, x, (x.sum(1) > 0).astype("int32"), "sparse_categorical_crossentropy"


def cnn(rng):
    """BatchNormalization couples rows; 57 rows leave a batch of 9."""
    x = rng.normal(size=(57, 8, 8, 1)).astype("float32")
    model = jk.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(synchronized=True),
            layers.Activation("relu"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    return model, x, (x.mean((1, 2, 3)) > 0).astype("int32"), "sparse_categorical_crossentropy"


def lstm(rng):
    """Sequences of different lengths: losses and metrics count time steps, of which replicas have different numbers."""
    x = rng.integers(1, 20, size=(54, 6))
    for i, length in enumerate(rng.integers(2, 7, size=54)):
        x[i, length:] = 0
    model = jk.Sequential(
        [
            layers.Input((6,), dtype="int32"),
            layers.Embedding(20, 8, mask_zero=True),
            layers.LSTM(16, return_sequences=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, x, (x % 2).astype("float32")[..., None], "binary_crossentropy"


MODELS = {"mlp": mlp, "cnn": cnn, "lstm": lstm}


def made(name, seed=0):
    """Model, data and loss of that name."""
    return MODELS[name](np.random.default_rng(seed))


def run(name, strategy, epochs=3, **options):
    """Trains, evaluates and predicts under a strategy."""
    model, x, y, loss = made(name)
    metrics = ["accuracy", jk.metrics.AUC(num_thresholds=20)] if name == "lstm" else ["accuracy"]
    model = model.compile(jk.optimizers.SGD(0.1, momentum=0.9), loss, metrics=metrics, distribute=strategy)
    model = model.fit(x, y, epochs=epochs, batch_size=16, verbose=0, validation_data=(x[:19], y[:19]), **options)
    return model, outcome(model, x, y)


def outcome(model, x, y):
    """The numbers that have to be equal under all strategies, by name."""
    found = {f"history/{name}": np.asarray(values) for name, values in model.history.items()}
    found["evaluate"] = np.asarray(model.evaluate(x[:21], y[:21], verbose=0, batch_size=8))
    found["predict"] = model.predict(x[:21], verbose=0)
    for part in ("params", "model_state"):
        for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(model.state, part)):
            found[part + jax.tree_util.keystr(path)] = np.asarray(leaf)
    return found


def distance(a, b):
    """The largest difference between two outcomes, and where it is."""
    assert a.keys() == b.keys()
    return max((float(np.abs(a[name] - b[name]).max()), name) for name in a)
