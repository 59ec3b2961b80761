"""Valid files, damaged at random and loaded: `python -m tests.files.fuzz --runs 2000`.

Every run must end in an error of ours or in the model that was saved. What cannot be noticed (a file of a format without
a checksum, or one whose checksum was made anew) may hold other weights, and still must end in one of the two ways.

A run is determined by its number. Runs happen in a process of their own, so that crashes and hangs are counted as well.
"""

from __future__ import annotations

import argparse
import collections
import copy
import dataclasses
import json
import logging
import multiprocessing
import resource
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import jkeras as jk
from jkeras import errors, layers
from jkeras.files.containers import seals
from jkeras.training.program import init_optimizer, trainable_parts

LIMIT_SECONDS = 60
# What one file may take: seconds of the processor, and bytes of memory beyond its size.
SECONDS, GROWTH = 2.0, 200 * 2**20
NUMBERS = (-1, 0, 3, 2.5, 2**70, float("nan"), 10**8, 10**12, 1e12)
JUNK: tuple[Any, ...] = (None, True, False, *NUMBERS, "", "relu", "\0", [], [[]], [1, "a"], {}, {"a": 1},
                         {"class_name": "Dense"}, {"class_name": "Dense", "config": {}})  # fmt: skip


def original() -> jk.Model:
    """A model with branches, functions, state, wrapped and nested layers, a regulariser, and an optimizer's state."""
    x = jk.Input((6, 3), name="x")
    y = layers.Conv1D(4, 2, activation="relu", kernel_regularizer="l2")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Bidirectional(layers.GRU(2, return_sequences=True))(y)
    inner = jk.Sequential([jk.Input((5, 4)), layers.TimeDistributed(layers.Dense(3)), layers.Flatten()], name="inner")
    z = layers.Dense(2)(inner(y) * 0.5)
    model = jk.Model(x, {"a": z, "b": layers.Concatenate()([z, layers.Dense(1)(z)])})
    model = model.compile("adam", {"a": "mse", "b": "mae"}).init(3)
    frozen, _ = trainable_parts(model.description)
    return model.with_state(model.state.replace(opt_state=init_optimizer(model.recipe.optimizer, model.params, frozen)))


# -- kinds of files ------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file: how it is written and read, and whether a checksum guards its contents."""

    suffix: str
    write: Callable[[jk.Model, Path], None]
    read: Callable[[jk.Model, Path], list[np.ndarray]]
    guarded: bool


def _save(model: jk.Model, path: Path) -> None:
    model.save(path)


def _save_bare(model: jk.Model, path: Path) -> None:
    model.save(path)
    path.write_bytes(path.read_bytes()[: -seals.SIZE])


def _save_unlisted(model: jk.Model, path: Path) -> None:
    model.save(path)
    (path / "checksums.json").unlink()


def _save_weights(model: jk.Model, path: Path) -> None:
    model.save_weights(path)


def _load(model: jk.Model, path: Path) -> list[np.ndarray]:
    return jk.load_model(path).get_weights()


def _load_weights(model: jk.Model, path: Path) -> list[np.ndarray]:
    return model.init(9).load_weights(path).get_weights()


KINDS = {
    ".keras": Kind(".keras", _save, _load, True),
    ".h5": Kind(".h5", _save, _load, True),
    ".weights.h5": Kind(".weights.h5", _save_weights, _load_weights, True),
    "directory": Kind("", _save, _load, True),
    ".safetensors": Kind(".safetensors", _save_weights, _load_weights, True),
    "bare .h5": Kind(".h5", _save_bare, _load, False),
    "bare directory": Kind("", _save_unlisted, _load, False),
}


# -- kinds of damage -----------------------------------------------------------------------------------------------


def flips(data: bytearray, draw: np.random.Generator) -> bytearray:
    for position in draw.integers(0, len(data), draw.integers(1, 5)):
        data[position] ^= 1 << int(draw.integers(8))
    return data


def noise(data: bytearray, draw: np.random.Generator) -> bytearray:
    start, size = int(draw.integers(len(data))), int(draw.integers(1, 65))
    span = data[start : start + size]
    data[start : start + size] = draw.bytes(len(span))
    return data


def truncation(data: bytearray, draw: np.random.Generator) -> bytearray:
    return data[: int(draw.integers(len(data)))]


def deletion(data: bytearray, draw: np.random.Generator) -> bytearray:
    start, size = int(draw.integers(len(data))), int(2 ** draw.integers(12))
    return data[:start] + data[start + size :]


def duplication(data: bytearray, draw: np.random.Generator) -> bytearray:
    start, size = int(draw.integers(len(data))), int(2 ** draw.integers(12))
    return data[: start + size] + data[start:]


def zeros(data: bytearray, draw: np.random.Generator) -> bytearray:
    start, size = int(draw.integers(len(data))), int(2 ** draw.integers(12))
    span = data[start : start + size]
    data[start : start + size] = bytes(len(span))
    return data


def exchange(data: bytearray, draw: np.random.Generator) -> bytearray:
    size = int(2 ** draw.integers(10))
    first, second = (int(v) for v in draw.integers(0, max(1, len(data) - size), 2))
    data[first : first + size], data[second : second + size] = data[second : second + size], data[first : first + size]
    return data


BYTES = (flips, noise, truncation, deletion, duplication, zeros, exchange)


def mutated(text: bytes, draw: np.random.Generator) -> bytes:
    """JSON with some values replaced, keys removed or renamed."""
    document = json.loads(text)
    for _ in range(int(draw.integers(1, 4))):
        places: list[tuple[Any, Any]] = []
        waiting = [document]
        while waiting:
            value = waiting.pop()
            keys = list(value) if isinstance(value, dict) else range(len(value))
            places += [(value, key) for key in keys]
            waiting += [value[key] for key in keys if isinstance(value[key], (dict, list))]
        if not places:
            break
        holder, key = places[int(draw.integers(len(places)))]
        action = int(draw.integers(4))
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, dict):
            holder[f"{key}x"] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(JUNK[int(draw.integers(len(JUNK)))])
    return json.dumps(document).encode()


def damage_bytes(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages a file; the name of what was done, and whether checksums were left as they were."""
    way = BYTES[int(draw.integers(len(BYTES)))]
    path.write_bytes(way(bytearray(path.read_bytes()), draw))
    return way.__name__, True


def damage_members(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages members of an archive and packs them anew, with fresh checksums."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = sorted(members)
    name, other = (names[int(i)] for i in draw.integers(0, len(names), 2))
    way = ("mutated", "mutated", "mutated", "swapped", "removed", "inside")[int(draw.integers(6))]
    if way == "mutated":
        name = ("config.json", "metadata.json")[int(draw.integers(8)) == 0]
        members[name] = mutated(members[name], draw)
    elif way == "swapped":
        members[name], members[other] = members[other], members[name]
    elif way == "removed":
        del members[name]
    else:
        members[name] = bytes(BYTES[int(draw.integers(len(BYTES)))](bytearray(members[name]), draw))
    with zipfile.ZipFile(path, "w") as archive:
        for key, contents in members.items():
            archive.writestr(key, contents)
    # JSON says nothing about the values of weights, so these must be the same, or the error be noticed.
    return f"member {way}", way != "inside"


def damage_h5_config(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Changes the definition in a `.h5` file with HDF5 itself, which cuts a seal off."""
    import h5py

    with h5py.File(path, "r+") as file:
        name = ("model_config", "model_config", "training_config")[int(draw.integers(3))]
        file.attrs[name] = mutated(file.attrs[name].encode(), draw).decode()
    return "definition", True


def damage_directory(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages, removes or adds a file of a directory."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    chosen = files[int(draw.integers(len(files)))]
    way = int(draw.integers(8))
    if way == 0:
        chosen.unlink()
        return "file removed", True
    if way == 1:
        other = files[int(draw.integers(len(files)))]
        contents, others = chosen.read_bytes(), other.read_bytes()
        chosen.write_bytes(others)
        other.write_bytes(contents)
        return "files exchanged", True
    if way == 2:
        (path / "checksums.json").unlink(missing_ok=True)
        (path / "config.json").write_bytes(mutated((path / "config.json").read_bytes(), draw))
        return "definition", True
    return damage_bytes(chosen, draw) if chosen.stat().st_size else ("nothing", True)


def damage(name: str, path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages a file of a kind in one of the ways that fit it."""
    if path.is_dir():
        return damage_directory(path, draw)
    special = {".keras": damage_members, ".h5": damage_h5_config, "bare .h5": damage_h5_config}.get(name)
    return special(path, draw) if special is not None and draw.integers(2) else damage_bytes(path, draw)


# -- runs ----------------------------------------------------------------------------------------------------------


def valid(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}-valid{KINDS[name].suffix}"


def make_valid(folder: Path) -> None:
    """Writes a valid file of each kind."""
    model = original()
    for name, kind in KINDS.items():
        kind.write(model, valid(folder, name))


def memory() -> int:
    """The most bytes that the process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Fuzz:
    """Runs on copies of the valid files in a folder."""

    def __init__(self, folder: Path):
        logging.disable(logging.CRITICAL)  # what Orbax says about damaged files
        self.folder = folder
        self.model = jk.load_model(valid(folder, "directory"))
        self.weights = self.model.get_weights()
        for name, kind in KINDS.items():
            if not self.same(kind.read(self.model, valid(folder, name))):
                raise RuntimeError(f"{name} does not come back as it was")

    def same(self, found: list[np.ndarray]) -> bool:
        return len(found) == len(self.weights) and all(
            a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
            for a, b in zip(found, self.weights, strict=True)
        )

    def run(self, number: int) -> tuple[str, str, str]:
        """The kind of file, the damage and the outcome: "error", "equal", "other weights", or what went wrong."""
        draw = np.random.default_rng([number, 2026])
        name = list(KINDS)[number % len(KINDS)]
        source = valid(self.folder, name)
        path = self.folder / f"damaged{KINDS[name].suffix}"
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.copytree(source, path) if source.is_dir() else shutil.copyfile(source, path)
        what, intact = damage(name, path, draw)
        before, start, found = memory(), time.process_time(), None
        try:
            found = KINDS[name].read(self.model, path)
        except errors.JkerasError:
            pass
        except Exception as error:  # any other is what this program looks for
            return name, what, f"WRONG: {type(error).__name__}: {str(error)[:300]}"
        seconds, grown = time.process_time() - start, memory() - before
        if seconds > SECONDS or grown > GROWTH:
            return name, what, f"WRONG: it took {seconds:.1f} s and {grown / 2**20:.0f} MB"
        if found is None:
            return name, what, "error"
        if self.same(found):
            return name, what, "equal"
        guarded = intact and (KINDS[name].guarded or what == "definition")
        return name, what, "WRONG: the weights changed unnoticed" if guarded else "other weights"


def _worker(folder: Path, first: int, last: int, pipe: Any) -> None:
    fuzz = Fuzz(folder)
    pipe.send("ready")
    for number in range(first, last):
        pipe.send((number, fuzz.run(number)))


def sweep(folder: Path, first: int, runs: int) -> list[tuple[int, tuple[str, str, str]]]:
    """The outcomes of that many runs; a run that crashes or hangs its process is an outcome, too."""
    context = multiprocessing.get_context("spawn")
    results: list[tuple[int, tuple[str, str, str]]] = []
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
            results.append((number, (list(KINDS)[number % len(KINDS)], "?", f"WRONG: {what}")))
            _report(*results[-1])
            number += 1
        process.join()
    return results


def _report(number: int, result: tuple[str, str, str]) -> None:
    if result[2].startswith("WRONG"):
        print(f"run {number}: {', '.join(result)}", flush=True)


def main() -> int:
    """Runs, prints what came out, and returns how many runs went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        make_valid(Path(folder))
        results = sweep(Path(folder), options.first, options.runs)
    seconds = time.monotonic() - start
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for _, (kind, _, outcome) in results:
        counts[kind][outcome.partition(":")[0]] += 1
    for kind in KINDS:
        print(f"{kind:15s}", ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts[kind].items())))
    wrong = sum(counter["WRONG"] for counter in counts.values())
    print(f"{len(results)} runs in {seconds:.0f} s, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
