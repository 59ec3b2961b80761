"""A saved model as a directory: `config.json`, the arrays as an Orbax checkpoint in `arrays/`, and `checksums.json`.

A save is atomic: everything is written into a hidden directory beside the target, which then takes its place. A crash at
any moment leaves the previous save, or the new one, whole.

This file knows configurations and arrays, not models.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np

from jkeras.console.primary_process import silent
from jkeras.errors import ExistsError, RestoreError
from jkeras.files.containers import checksums, documents, orbax_arrays
from jkeras.files.containers.orbax_arrays import Listed
from jkeras.files.containers.writing import alone, sync, writing


class Described(Protocol):
    """What has the shape and the type of an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""

    @property
    def dtype(self) -> object:
        """The type of the elements."""


FORMAT = "jkeras"
VERSION = 1
# Other programs compress what they write; weights hardly shrink, so what claims to unpack to more was made to fill memory.
MAX_RATIO = 100
ALWAYS_ALLOWED = 64 * 2**20


def save(
    directory: Path, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray | jax.Array], *, overwrite: bool = True
) -> None:
    """Writes a configuration and named arrays.

    Raises:
        ExistsError: the directory exists and may not be overwritten, or is something else than a saved model.
        SaveError: it could not be written.
    """
    if silent():  # another process writes
        return
    directory = Path(directory).absolute()
    if directory.exists() and not overwrite:
        raise ExistsError(f"{directory} exists; pass overwrite=True to replace it.")
    if directory.exists() and not _is_save(directory):
        raise ExistsError(f"{directory} exists and is no saved model, so it is not overwritten.")
    shapes = {name: [list(np.shape(value)), str(value.dtype)] for name, value in arrays.items()}
    text = json.dumps({"format": FORMAT, "version": VERSION, **config, "arrays": shapes}, indent=1)
    with writing(directory) as fresh:
        fresh.mkdir()
        orbax_arrays.write(fresh / "arrays", list(arrays.values()), directory)
        with (fresh / "config.json").open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        checksums.write(fresh)
        with alone(directory.parent):
            _replace(fresh, directory)


def _is_save(directory: Path) -> bool:
    return directory.is_dir() and ((directory / "config.json").is_file() or not any(directory.iterdir()))


def _replace(fresh: Path, directory: Path) -> None:
    """Puts `fresh` in the place of `directory`; `find` knows where the old one is in between."""
    old = _old(directory)
    if directory.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.rename(directory, old)
    os.rename(fresh, directory)
    sync(directory.parent)
    shutil.rmtree(old, ignore_errors=True)


def _old(directory: Path) -> Path:
    return directory.parent / f".{directory.name}.old"


def find(directory: Path) -> Path:
    """The directory to read: the save itself, or the one before if a crash came between two renames.

    Raises:
        RestoreError: there is none.
    """
    directory = Path(directory).absolute()
    for candidate in (directory, _old(directory)):
        if (candidate / "config.json").is_file():
            return candidate
    raise RestoreError(f"{directory} holds no saved model: there is no config.json in it.")


def read_config(directory: Path) -> dict[str, Any]:
    """The configuration, checked to be one of this format, and that all files of the save are as they were written.

    Raises:
        RestoreError: it is damaged or of another format or a later version, or a file of the save is.
    """
    sizes = checksums.verify(directory)
    path = directory / "config.json"
    config = documents.parse(path.read_bytes(), str(path))
    if config.get("format") != FORMAT or not isinstance(config.get("arrays"), dict):
        raise RestoreError(f"{path} is not the configuration of a saved jkeras model.")
    if not isinstance(config.get("version"), int) or config["version"] > VERSION:
        raise RestoreError(f"{path} was written by a later version of jkeras (format {config.get('version')}).")
    claimed = sum(_claimed(name, entry, path) for name, entry in config["arrays"].items())
    if claimed > max(ALWAYS_ALLOWED, MAX_RATIO * sum(sizes.values())):
        raise RestoreError(f"{path} is refused: its arrays claim {claimed} bytes, the save has {sum(sizes.values())}.")
    return config


def _claimed(name: str, entry: object, path: Path) -> int:
    """The bytes of an array that is written as `[shape, dtype name]`."""
    if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], list) and isinstance(entry[1], str):
        if all(type(size) is int and size >= 0 for size in entry[0]):
            try:
                return math.prod(entry[0]) * jax.numpy.dtype(entry[1]).itemsize
            except TypeError:
                pass
    raise RestoreError(f"{path} is damaged: {name!r} has no shape and type, but {str(entry)[:100]}.")


def check(expected: Mapping[str, Described], found: Mapping[str, Listed], where: str) -> None:
    """Compares the arrays that a model needs with those that a save has; arguments as of `differences`.

    Raises:
        RestoreError: something is missing, superfluous, or of another shape or type; all of it is listed.
    """
    refuse(differences(expected, found), where)


def refuse(problems: list[str], where: str) -> None:
    """Raises an error that lists what does not fit, if anything does not.

    Raises:
        RestoreError: as said.
    """
    if problems:
        raise RestoreError(f"{where} does not fit the model:\n" + "\n".join(problems))


def differences(expected: Mapping[str, Described], found: Mapping[str, Listed]) -> list[str]:
    """How the arrays of a save differ from those that a model needs, a line each.

    Args:
        expected: shape and dtype by name (anything with `shape` and `dtype`).
        found: `[shape, dtype name]` by name.
    """
    problems = []
    for name in sorted(set(expected) | set(found)):
        if name not in found:
            problems.append(f"  {name}: missing in the save, the model needs {_shown(expected[name])}")
        elif name not in expected:
            problems.append(f"  {name}: in the save with {_listed(found[name])}, unknown to the model")
        elif _shown(expected[name]) != _listed(found[name]):
            problems.append(f"  {name}: {_listed(found[name])} in the save, {_shown(expected[name])} in the model")
    return problems


def _shown(value: Described) -> str:
    return f"{value.dtype}{list(value.shape)}"


def _listed(entry: Listed) -> str:
    return f"{entry[1]}{list(entry[0])}"


def read_arrays(directory: Path, shapes: Mapping[str, Listed]) -> dict[str, np.ndarray]:
    """The arrays by name.

    Raises:
        RestoreError: they are damaged.
    """
    return orbax_arrays.read(directory / "arrays", shapes, directory)
