"""Valid files, damaged at random and loaded: `python -m tests.files.fuzz --runs 2000`.

Every run must end in an error of ours or in the model that was saved. What cannot be noticed (a file of a format without
a checksum, or one whose checksum was made anew) may hold other weights, and still must end in one of the two ways.

A run is determined by its number. Runs happen in a process of their own, so that crashes and hangs are counted as well.
"""

from __future__ import annotations

import argparse
import collections
import logging
import math
import multiprocessing
import resource
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from jkeras import errors
from tests.files.fuzz_damage import damage
from tests.files.fuzz_files import FILES, KINDS, Readers, original

LIMIT_SECONDS = 60
# What one file may take: seconds of the processor, and bytes of memory beyond its size.
SECONDS, GROWTH = 2.0, 200 * 2**20

# The kind of file, the damage, and the outcome.
Result = tuple[str, str, str]


def place(folder: Path, file: str) -> Path:
    """Where the valid file of a kind is, in a folder of its own."""
    return folder / "valid" / file.replace(" ", "-") / FILES[file].name


def make_valid(folder: Path) -> None:
    """Writes a valid file of each kind."""
    model = original()
    for name, file in FILES.items():
        path = place(folder, name)
        path.parent.mkdir(parents=True)
        file.write(model, path)


def memory() -> int:
    """The most bytes that the process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    """Whether arrays are the same to the last bit."""
    return len(found) == len(expected) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(found, expected, strict=True)
    )


class Fuzz:
    """Runs on copies of the valid files in a folder."""

    def __init__(self, folder: Path):
        logging.disable(logging.CRITICAL)
        self.folder = folder
        self.readers = Readers(place(folder, "directory"))
        self.weights = {kind: self.readers.read(kind, place(folder, kind[1])) for kind in KINDS}
        expected = sorted(array.tobytes() for array in original().get_weights())
        for (face, file), found in self.weights.items():
            if "Keras 2" not in file and sorted(array.tobytes() for array in found) != expected:
                raise RuntimeError(f"{file} does not come back as it was, on {face}")

    def run(self, number: int) -> Result:
        """The outcome is "error", "equal", "other weights", or what went wrong."""
        draw = np.random.default_rng([number, 2026])
        kind = KINDS[number % len(KINDS)]
        name, file = f"{kind[1]}, {kind[0]}", FILES[kind[1]]
        copy = self.folder / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(place(self.folder, kind[1]).parent, copy)
        what, intact = damage(copy, draw)
        before, start, found = memory(), time.process_time(), None
        try:
            with warnings.catch_warnings(action="ignore"):  # about optimizers whose state is damaged
                found = self.readers.read(kind, copy / file.name)
        except (errors.JkerasError, FileNotFoundError):
            pass
        except Exception as error:  # any other is what this program looks for
            return name, what, f"WRONG: {type(error).__name__}: {str(error)[:300]}"
        seconds, grown = time.process_time() - start, memory() - before
        if seconds > SECONDS or grown > GROWTH:
            return name, what, f"WRONG: it took {seconds:.1f} s and {grown / 2**20:.0f} MB"
        if found is None:
            return name, what, "error"
        if same(found, self.weights[kind]):
            return name, what, "equal"
        guarded = intact and (file.guarded or what == "definition")
        return name, what, "WRONG: the weights changed unnoticed" if guarded else "other weights"


def _worker(folder: Path, first: int, last: int, pipe: Any) -> None:
    fuzz = Fuzz(folder)
    pipe.send("ready")
    for number in range(first, last):
        pipe.send((number, fuzz.run(number)))


def sweep(folder: Path, first: int, runs: int, seconds: float = math.inf) -> list[tuple[int, Result]]:
    """The outcomes of that many runs, or as many as that time allows; a run that crashes or hangs is an outcome, too."""
    end = time.monotonic() + seconds
    context = multiprocessing.get_context("spawn")
    results: list[tuple[int, Result]] = []
    number, last = first, first + runs
    while number < last:
        here, there = context.Pipe(False)
        process = context.Process(target=_worker, args=(folder, number, last, there))
        process.start()
        there.close()
        try:
            if not here.poll(300) or here.recv() != "ready":
                raise RuntimeError("the runs do not start")
            while number < last:
                if time.monotonic() > end:
                    process.kill()
                    return results
                if not here.poll(LIMIT_SECONDS):
                    process.kill()
                    raise TimeoutError
                results.append(here.recv())
                number += 1
                _report(*results[-1])
        except (EOFError, TimeoutError) as error:
            if len(results) == 0 and isinstance(error, EOFError):
                raise
            what = "crash" if isinstance(error, EOFError) else f"more than {LIMIT_SECONDS} s"
            results.append((number, (", ".join(KINDS[number % len(KINDS)][::-1]), "?", f"WRONG: {what}")))
            _report(*results[-1])
            number += 1
        process.join()
    return results


def _report(number: int, result: Result) -> None:
    if result[2].startswith("WRONG"):
        print(f"run {number}: {', '.join(result)}", flush=True)


def main() -> int:
    """Runs, prints what came out, and returns how many runs went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no run begins")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        make_valid(Path(folder))
        results = sweep(Path(folder), options.first, options.runs, options.seconds)
    seconds = time.monotonic() - start
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for _, (kind, _, outcome) in results:
        counts[kind][outcome.partition(":")[0]] += 1
    for kind in sorted(counts):
        print(f"{kind:30s}", ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts[kind].items())))
    wrong = sum(counter["WRONG"] for counter in counts.values())
    print(
        f"runs {options.first} to {options.first + len(results) - 1}: {len(results)} in {seconds:.0f} s, {wrong} wrong"
    )
    return wrong


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
