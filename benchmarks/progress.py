"""What the progress bar costs: `python -m benchmarks.progress [--rounds 15]`.

`fit` of the dense network of 784-64-10 (batches of 32) with `verbose=1` into a pseudo-terminal, which a thread empties as
a terminal would, and with `verbose=0`, in turn. Exits with 1 where the bar costs more than 3 %.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import jax

import jkeras as jk
from benchmarks.peers.keras_like import RECIPE
from benchmarks.run import machine
from benchmarks.workloads import WORKLOADS

MOST = 0.03


@contextlib.contextmanager
def terminal() -> Iterator[tuple[TextIO, list[int]]]:
    """A stream to a pseudo-terminal, or to nowhere on systems without one, and the counts of bytes that came out of it."""
    counts: list[int] = []
    try:
        import pty
    except ImportError:
        with open(os.devnull, "w") as stream:
            yield stream, counts
        return
    reader, writer = pty.openpty()

    def empty() -> None:
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while part := os.read(reader, 65536):
                counts.append(len(part))

    thread = threading.Thread(target=empty, daemon=True)
    thread.start()
    with os.fdopen(writer, "w") as stream:
        yield stream, counts
    thread.join(timeout=5)
    os.close(reader)


def compare(rows: int, epochs: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of `fit`, of each round, with the bar and without."""
    workload = WORKLOADS["mlp"]
    x, y = (part[:rows] for part in workload.data())
    model = workload.build(jk).compile(**RECIPE)

    def seconds(verbose: int) -> float:
        start = time.perf_counter()
        jax.block_until_ready(model.fit(x, y, batch_size=workload.batch, epochs=epochs, verbose=verbose).params)
        return time.perf_counter() - start

    times: dict[str, list[float]] = {"with": [], "without": []}
    with terminal() as (stream, counts), contextlib.redirect_stdout(stream):
        for number in range(rounds + 1):  # the first warms up
            for name in sorted(times, reverse=bool(number % 2)):
                elapsed = seconds(int(name == "with"))
                if number:
                    times[name].append(elapsed)
    if not counts and os.name == "posix":
        raise RuntimeError("Nothing was drawn.")
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    print(machine())
    times = compare(options.rows, options.epochs, options.rounds)
    with_bar, without = (statistics.median(times[name]) for name in ("with", "without"))
    # Rounds next to each other were in the same weather: the median of their ratios is steadier than that of medians.
    cost = statistics.median(a / b for a, b in zip(times["with"], times["without"], strict=True)) - 1
    print(f"fit with the bar {with_bar:.3f} s, without {without:.3f} s; the bar costs {cost:+.1%} (at most {MOST:.0%})")
    sys.exit(cost > MOST)


if __name__ == "__main__":
    main()
