"""A deep stack of transformer blocks: one by one, by `layers.Repeat`, and with recomputation.

    python -m benchmarks.deep [--depth 12]

Each form runs in a process of its own without the compilation cache: seconds from `fit` to the end of a first epoch of four
steps, milliseconds of a step after that, and the most memory that the process held.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time

from benchmarks.processes import fresh

LENGTH, WIDTH, VOCABULARY, BATCH, STEPS = 64, 128, 500, 8, 4
FORMS = ("one by one", "Repeat", "Repeat, recompute")


def network(form: str, depth: int):
    import jkeras as jk
    from jkeras import layers
    from jkeras.architectures.transformer import block

    tokens = layers.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(VOCABULARY, WIDTH)(tokens)
    if form == "one by one":
        for i in range(depth):
            x = block(x, 4, 0.0, causal=True, name=f"block{i}")
    else:
        entry = layers.Input((LENGTH, WIDTH))
        one = jk.Model(entry, block(entry, 4, 0.0, causal=True, name="block"))
        x = layers.Repeat(one, depth, recompute=form.endswith("recompute"))(x)
    model = jk.Model(tokens, layers.Dense(VOCABULARY)(layers.LayerNormalization()(x)))
    return model.compile("adam", jk.losses.SparseCategoricalCrossentropy(from_logits=True))


def measure(form: str, depth: int) -> dict[str, float]:
    """The numbers of one form, in this process."""
    import numpy as np

    model = network(form, depth)
    x = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH * STEPS, LENGTH)).astype("int32")

    def seconds(epochs: int) -> float:
        nonlocal model
        start = time.perf_counter()
        model = model.fit(x, x, batch_size=BATCH, epochs=epochs, verbose=0)
        return time.perf_counter() - start

    first = seconds(1)
    steps = [seconds(2) / (2 * STEPS) for _ in range(5)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"first": first, "step": statistics.median(steps) * 1e3, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=12)
    parser.add_argument("--form", choices=FORMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.form:
        print(json.dumps(measure(options.form, options.depth)))
        return
    for form in FORMS:
        arguments = ("--depth", str(options.depth), "--form", form)
        numbers = fresh("benchmarks.deep", *arguments, JKERAS_COMPILATION_CACHE="off")
        print(
            f"{form:18} first epoch {numbers['first']:5.1f} s, step {numbers['step']:6.1f} ms,"
            f" memory {numbers['memory']:5.0f} MiB"
        )


if __name__ == "__main__":
    main()
