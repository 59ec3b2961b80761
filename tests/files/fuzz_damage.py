"""Ways to damage files: bytes, JSON, members of archives, objects of HDF5."""

from __future__ import annotations

import copy
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jkeras.files.containers import kinds

NUMBERS = (-1, 0, 3, 2.5, 2**70, float("nan"), 10**8, 10**12, 1e12)
JUNK: tuple[Any, ...] = (None, True, False, *NUMBERS, "", "relu", "\0", [], [[]], [1, "a"], {}, {"a": 1},
                         {"class_name": "Dense"}, {"class_name": "Dense", "config": {}})  # fmt: skip


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


# Each takes a file; it gives the name of what was done, and whether the checksums of arrays were left as they were.
Damage = Callable[[Path, np.random.Generator], tuple[str, bool]]


def damage_bytes(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages the bytes of a file."""
    if not path.stat().st_size:
        return "nothing", True
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
    with h5py.File(path, "r+") as file:
        name = ("model_config", "model_config", "training_config")[int(draw.integers(3))]
        text = file.attrs[name]
        text = text if isinstance(text, bytes) else text.encode()
        file.attrs[name] = mutated(text, draw).decode()
    return "definition", True


def damage_h5_objects(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Removes, renames, exchanges or replaces groups and arrays, or changes an attribute, which cuts a seal off."""
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name, other = (names[int(i)] for i in draw.integers(0, len(names), 2))
        arrays = [each for each in names if isinstance(file[each], h5py.Dataset)]
        array = arrays[int(draw.integers(len(arrays)))]
        way = ("removed", "renamed", "exchanged", "replaced", "attribute", "linked")[int(draw.integers(6))]
        if way == "removed":
            del file[name]
        elif way == "renamed":
            file.move(name, f"{name}x")
        elif way == "exchanged" and not (other.startswith(name) or name.startswith(other)):
            file.move(name, "between")
            file.move(other, name)
            file.move("between", other)
        elif way == "replaced":
            del file[array]
            values = (np.ones((3,)), np.zeros((0, 4)), np.int8(3), np.array([b"text"]), np.ones((2, 2, 2), "float16"))
            file[array] = values[int(draw.integers(len(values)))]
        elif way == "attribute":
            holder = file[name]
            for key in list(holder.attrs):
                holder.attrs[key] = (b"x", 3, np.ones(4), [b"a", b"b"])[int(draw.integers(4))]
        elif way == "linked":
            file["more"] = file[name]
    return f"object {way}", False


def damage_safetensors(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Changes the header of a `.safetensors` file."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = mutated(data[8 : 8 + size], draw)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + size :])
    return "header", False


def damage_json(path: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Changes a document, and removes the checksums beside it."""
    (path.parent / "checksums.json").unlink(missing_ok=True)
    if path.exists():
        path.write_bytes(mutated(path.read_bytes(), draw))
    return "definition", True


def _special(path: Path) -> list[Damage]:
    """What can be done to a file beside damaging its bytes."""
    if path.suffix == ".json":
        return [damage_json]
    kind = kinds.by_contents(path)
    if kind is kinds.KERAS:
        return [damage_members]
    if kind is kinds.SAFETENSORS:
        return [damage_safetensors]
    if kind is not kinds.HDF5:
        return []
    with h5py.File(path) as file:
        return [damage_h5_objects, *([damage_h5_config] if "training_config" in file.attrs else [])]


def damage(folder: Path, draw: np.random.Generator) -> tuple[str, bool]:
    """Damages, removes or exchanges one of the files in a folder, or several ways of their contents."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen, other = (files[int(i)] for i in draw.integers(0, len(files), 2))
    way = int(draw.integers(8)) if len(files) > 1 else 7
    if way == 0:
        chosen.unlink()
        return "file removed", True
    if way == 1:
        contents, others = chosen.read_bytes(), other.read_bytes()
        chosen.write_bytes(others)
        other.write_bytes(contents)
        return "files exchanged", True
    special = _special(chosen)
    if special and draw.integers(2):
        return special[int(draw.integers(len(special)))](chosen, draw)
    return damage_bytes(chosen, draw)
