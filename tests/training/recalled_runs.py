"""What `test_recall.py` runs in several processes: models of many kinds, on both faces; prints what they computed.

`python recalled_runs.py [name ...]` prints JSON: for each case the bits of its results, and what the log says of its programs.
"""

import json
import logging
import sys
import time

import numpy as np

import jkeras as jk
from jkeras import layers

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(20, 6)).astype("float32")
IMAGES = RNG.normal(size=(20, 8, 8, 2)).astype("float32")
TOKENS = RNG.integers(0, 9, (20, 5)).astype("int32")
LABELS = RNG.integers(0, 3, 20)
TARGETS = RNG.normal(size=(20, 1)).astype("float32")


def classifier(*hidden, shape, x, compile=(), fit=(), dtype="float32", **kwargs):
    def case():
        model = jk.Sequential([jk.Input(shape, dtype=dtype), *hidden, layers.Dense(3, activation="softmax")], **kwargs)
        settings = {
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            **dict(compile),
        }
        return all_of(model.compile(**settings), x, LABELS, **dict(fit))

    return case


def all_of(model, x, y, **fit):
    model = model.fit(x, y, batch_size=8, epochs=2, verbose=0, seed=1, **fit)
    scores = model.evaluate(x, y, batch_size=8, verbose=0)
    return [model.history, scores, model.predict(x, batch_size=8, verbose=0), model.get_weights()]


def two_inputs():
    a, b = jk.Input((6,), name="a"), jk.Input((5,), dtype="int32", name="b")
    merged = layers.Concatenate()([layers.Dense(4)(a), layers.Flatten()(layers.Embedding(9, 3)(b))])
    model = jk.Model(
        [a, b], {"label": layers.Dense(3, activation="softmax")(merged), "number": layers.Dense(1)(merged)}
    )
    model = model.compile("rmsprop", {"label": "sparse_categorical_crossentropy", "number": "mse"})
    return all_of(model, [ROWS, TOKENS], {"label": LABELS, "number": TARGETS})


def transformer():
    tokens = jk.Input((5,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(tokens)
    inner = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 4, dropout=0.1)(inner, inner, use_causal_mask=True)])
    x = layers.GlobalAveragePooling1D()(layers.Dense(8, activation="gelu")(x))
    model = jk.Model(tokens, layers.Dense(3, activation="softmax")(x))
    return all_of(model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"]), TOKENS, LABELS)


def single_steps():
    model = jk.Sequential([jk.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)]).compile(
        "adam", "mse", metrics=["mae"]
    )
    state, found = model.state, []
    for _ in range(3):
        state, logs = jk.train_step(model.definition, model.recipe, state, (ROWS, TARGETS))
        found.append(logs)
    found.append(jk.eval_step(model.definition, model.recipe, state, (ROWS, TARGETS)))
    return [found, jk.predict_step(model.definition, state, ROWS), state.params]


def streamed():
    model = jk.Sequential([jk.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)]).compile("adam", "mse")
    model = model.fit(((ROWS[i : i + 5], TARGETS[i : i + 5]) for i in (0, 5, 10)), steps_per_epoch=3, verbose=0)
    return [model.history, model.get_weights()]


def dropin():
    from jkeras import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(ROWS, TARGETS, batch_size=8, epochs=2, verbose=0)
    return [
        history.history,
        model.evaluate(ROWS, TARGETS, verbose=0),
        model.predict(ROWS, verbose=0),
        model.get_weights(),
    ]


def ensemble():
    model = jk.Sequential([jk.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)]).compile("adam", "mse")
    trained = jk.Ensemble(model, 2).fit(ROWS, TARGETS, batch_size=8, epochs=2, verbose=0)
    return [trained.predict(ROWS)]


SCHEDULE = jk.optimizers.schedules.CosineDecay(0.01, 10)
CASES = {
    "dense": classifier(layers.Dense(8, "relu"), shape=(6,), x=ROWS),
    "cnn": classifier(
        layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), shape=(8, 8, 2), x=IMAGES
    ),
    "lstm": classifier(
        layers.Embedding(9, 4, mask_zero=True), layers.LSTM(4), shape=(5,), x=TOKENS, dtype="int32"
    ),
    "transformer": transformer,
    "dropout and normalization in bfloat16": classifier(
        layers.Dense(8, dtype="mixed_bfloat16"), layers.BatchNormalization(), layers.Dropout(0.3), shape=(6,), x=ROWS
    ),
    "two inputs": two_inputs,
    "regularized, with a schedule and accumulation": classifier(
        layers.Dense(8, kernel_regularizer="l2", kernel_constraint="max_norm"), shape=(6,), x=ROWS,
        compile={"optimizer": jk.optimizers.SGD(SCHEDULE, momentum=0.9, gradient_accumulation_steps=2)},
        fit={"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
    ),
    "single steps": single_steps,
    "stream": streamed,
    "ensemble": ensemble,
    "drop-in": dropin,
}  # fmt: skip


class Kept(logging.Handler):
    """The messages about programs."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def bits(value):
    """Numbers as text that tells every bit."""
    if hasattr(value, "items"):
        return {str(name): bits(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(part) for part in value]
    return np.asarray(value).astype("float64").tobytes().hex()


def main():
    kept = Kept()
    logger = logging.getLogger("jkeras.training.recall")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(kept)
    found = {}
    for name in sys.argv[1:] or CASES:
        kept.messages.clear()
        start = time.process_time()
        found[name] = {"bits": bits(CASES[name]()), "log": list(kept.messages), "seconds": time.process_time() - start}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
