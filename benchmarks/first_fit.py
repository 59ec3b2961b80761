"""Time to the first step: building, and the first `fit`, of deep networks in fresh processes, here and in Keras.

    python -m benchmarks.first_fit [--rounds 3] [--networks dense64 transformer12] [--libraries jkeras keras] [--warm]

Each measurement is a process of its own without the compilation cache (`--warm`: with one that an earlier process filled),
libraries in turn; medians of the rounds. Processor seconds: `build` makes and compiles the model and asks for its weights,
`fit` is one epoch of four steps, `clock` is that `fit` by the clock, of which `trace`, `lower` and `compile` are JAX's (what
is read from the cache counts as compiled), and `step` milliseconds of a step in the fastest of three calls of `fit` with two
epochs after that.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.processes import fresh

LIBRARIES = ("jkeras", "drop-in", "keras")
STEPS = 4
# What JAX calls the parts of making a program.
STAGES = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
}
PARTS = ("build", "fit", "clock", *STAGES.values(), "step")
Data = tuple[Any, np.ndarray, np.ndarray]


def dense(k: Any, depth: int) -> Data:
    """A stack of dense layers of one width."""
    rng = np.random.default_rng(0)
    hidden = [k.layers.Dense(64, activation="relu") for _ in range(depth)]
    model = k.Sequential([k.layers.Input((64,)), *hidden, k.layers.Dense(10, activation="softmax")])
    return model, rng.random((32 * STEPS, 64), "float32"), rng.integers(0, 10, 32 * STEPS)


def resnet(k: Any, name: str = "ResNet50") -> Data:
    """One of `applications` on small images."""
    rng = np.random.default_rng(0)
    model = getattr(k.applications, name)(weights=None, input_shape=(64, 64, 3), classes=10)
    return model, rng.random((8 * STEPS, 64, 64, 3), "float32"), rng.integers(0, 10, 8 * STEPS)


def transformer(k: Any, depth: int) -> Data:
    """Blocks of attention and two dense layers with normalisation before each."""
    layers, rng = k.layers, np.random.default_rng(0)
    tokens = layers.Input((64,), dtype="int32")
    x = layers.Embedding(500, 128)(tokens)
    for _ in range(depth):
        inner = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, 32)(inner, inner, use_causal_mask=True)])
        inner = layers.Dense(512, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(128)(inner)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    model = k.Model(tokens, layers.Dense(10, activation="softmax")(x))
    return model, rng.integers(0, 500, (8 * STEPS, 64)).astype("int32"), rng.integers(0, 10, 8 * STEPS)


NETWORKS: dict[str, Callable[[Any], Data]] = {
    "dense48": lambda k: dense(k, 48),
    "dense64": lambda k: dense(k, 64),
    "dense256": lambda k: dense(k, 256),
    "transformer12": lambda k: transformer(k, 12),
    "resnet50": resnet,
    "mobilenet": lambda k: resnet(k, "MobileNetV2"),
}


def library_named(name: str) -> Any:
    """The module that the networks are built with."""
    if name == "drop-in":
        from jkeras import keras

        return keras
    return __import__(name)


def measure(library: str, network: str) -> dict[str, float]:
    """The numbers of one network in this process."""
    k = library_named(library)
    import jax  # behind the library, whose import sets it up

    start = time.process_time()
    model, x, y = NETWORKS[network](k)
    model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]) or model
    model.get_weights()  # where weights are drawn when they are asked for
    built = time.process_time()

    def train(epochs: int) -> float:
        nonlocal model
        before = time.perf_counter()
        trained = model.fit(x, y, batch_size=len(x) // STEPS, epochs=epochs, verbose=0)
        model = trained if library == "jkeras" else model
        return time.perf_counter() - before

    seconds = dict.fromkeys(STAGES.values(), 0.0)

    def note(event: str, duration: float, **details: Any) -> None:
        if event in STAGES:
            seconds[STAGES[event]] += duration

    jax.monitoring.register_event_duration_secs_listener(note)
    clock = train(1)
    fit = time.process_time() - built
    stages = dict(seconds)
    steps = [train(2) / (2 * STEPS) for _ in range(3)]
    return {"build": built - start, "fit": fit, "clock": clock, **stages, "step": min(steps) * 1e3}


def in_own_process(library: str, network: str, cache: str) -> dict[str, float]:
    """`measure` in a fresh process."""
    return fresh("benchmarks.first_fit", "--one", library, network, JKERAS_COMPILATION_CACHE=cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS], choices=[*NETWORKS])
    parser.add_argument("--libraries", nargs="+", default=["jkeras", "keras"], choices=LIBRARIES)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    print("| network | library | " + " | ".join(PARTS) + " | of Keras |\n|---|---|" + "---:|" * (len(PARTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        cache = folder if options.warm else "off"
        for network in options.networks:
            if options.warm:
                for library in options.libraries:
                    in_own_process(library, network, cache)
            rounds = [
                {library: in_own_process(library, network, cache) for library in options.libraries}
                for _ in range(options.rounds)
            ]
            medians = {
                library: {part: statistics.median(r[library][part] for r in rounds) for part in PARTS}
                for library in options.libraries
            }
            for library, numbers in medians.items():
                cells = " | ".join(f"{numbers[part]:.2f}" for part in PARTS)
                ratio = f"{numbers['fit'] / medians['keras']['fit']:.2f}" if "keras" in medians else "-"
                print(f"| {network} | {library} | {cells} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
