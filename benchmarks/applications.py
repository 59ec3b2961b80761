"""A network of each family of `applications`, here and in Keras: building, the first prediction, and of six training steps.

    python -m benchmarks.applications [--rounds 3] [--networks MobileNetV2 ResNet50] [--libraries jkeras keras]

Each library runs in a process of its own without the compilation cache, in turn, and the medians of the rounds are
compared. Numbers are processor seconds for what compiles (building, the first prediction, the first step) and seconds by
the clock for a step after that.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from benchmarks.processes import fresh

# Those that are trained, too.
TRAINED = ("MobileNetV2", "ResNet50", "DenseNet121", "EfficientNetB0", "ConvNeXtTiny", "Xception")
OTHERS = (
    "VGG16", "VGG19", "MobileNet", "MobileNetV3Small", "EfficientNetV2B0", "ResNet50V2", "InceptionV3", "InceptionResNetV2",
    "NASNetMobile",
)  # fmt: skip
NETWORKS = TRAINED + OTHERS
LIBRARIES = ("jkeras", "drop-in", "keras")
SIZE, BATCH, STEPS = 96, 8, 5
PARTS = ("build", "predict", "first step", "step")


def measure(library: str, network: str) -> dict[str, float]:
    """The numbers of one network in this process."""
    import numpy as np

    if library == "drop-in":
        from jkeras import keras as k
    else:
        k = __import__(library)
    x = np.random.default_rng(0).random((BATCH, SIZE, SIZE, 3), "float32")
    y = np.arange(BATCH) % 10
    start = time.process_time()
    model = getattr(k.applications, network)(weights=None, input_shape=(SIZE, SIZE, 3), classes=10)
    model.get_weights()  # where weights are drawn when they are asked for
    built = time.process_time()
    model.predict(x, verbose=0)
    predicted = time.process_time()
    numbers = {"build": built - start, "predict": predicted - built}
    if network not in TRAINED:
        return numbers
    model = model.compile("sgd", "sparse_categorical_crossentropy") or model

    def train(epochs: int) -> None:
        nonlocal model
        result = model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
        model = result if library == "jkeras" else model

    start_of_training = time.process_time()
    train(1)
    first_step = time.process_time() - start_of_training
    train(1)
    before = time.perf_counter()
    train(STEPS)
    step = (time.perf_counter() - before) / STEPS
    return {**numbers, "first step": first_step, "step": step}


def in_own_process(library: str, network: str) -> dict[str, float]:
    """`measure` in a fresh process."""
    return fresh("benchmarks.applications", "--one", library, network, JKERAS_COMPILATION_CACHE="off")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--libraries", nargs="+", default=LIBRARIES, choices=LIBRARIES)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    print("| network | library | " + " | ".join(f"{part} s" for part in PARTS) + " |\n|---|---|" + "---:|" * len(PARTS))
    for network in options.networks:
        rounds = [
            {library: in_own_process(library, network) for library in options.libraries} for _ in range(options.rounds)
        ]
        for library in options.libraries:
            of_library = [each[library] for each in rounds]
            cells = [
                f"{statistics.median(each[part] for each in of_library):.2f}" if part in of_library[0] else "-"
                for part in PARTS
            ]
            print(f"| {network} | {library} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
