"""A saved model as a directory: `config.json`, the arrays as an Orbax checkpoint in `arrays/`, and `checksums.json`.

A save is atomic: everything is written to a hidden directory next to the target, which then replaces the target. A crash at
any moment leaves either the previous save or the new one intact.

This file deals with configurations and arrays, not with models.
"""

from __future__ import annotations

import contextlib
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
from jkeras.writing import alone, sync, writing


class Described(Protocol):
    """Anything with a shape and a dtype."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""

    @property
    def dtype(self) -> object:
        """The dtype of the elements."""


FORMAT = "jkeras"
VERSION = 1
# Other programs compress what they write. Weights hardly shrink, so files that claim a larger ratio were made to exhaust memory.
MAX_RATIO = 100
ALWAYS_ALLOWED = 64 * 2**20


def save(
    directory: Path, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray | jax.Array], *, overwrite: bool = True
) -> None:
    """Writes a configuration and named arrays.

    Raises:
        ExistsError: the directory exists and `overwrite` is False, or it is not a saved model.
        SaveError: it could not be written.
    """
    if silent():  # another process writes
        return
    directory = Path(directory).absolute()
    if directory.exists() and not overwrite:
        raise ExistsError(f"{directory} exists; pass overwrite=True to replace it.")
    if directory.exists() and not _is_save(directory):
        raise ExistsError(f"{directory} exists and is not a saved model, so it is not overwritten.")
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
    """Replaces `directory` by `fresh`; in between, `find` finds the old one."""
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
    """The directory to read: the save itself, or the previous one if a crash came between two renames.

    Raises:
        RestoreError: there is none.
    """
    directory = Path(directory).absolute()
    for candidate in (directory, _old(directory)):
        if (candidate / "config.json").is_file():
            return candidate
    raise RestoreError(f"{directory} contains no saved model: there is no config.json in it.")


def read_config(directory: Path) -> dict[str, Any]:
    """The configuration, after checking its format and that all files of the save are unchanged.

    Raises:
        RestoreError: it is damaged, has another format or a later version, or a file of the save is damaged.
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
    """The size in bytes of an array that is described by `[shape, dtype name]`."""
    shape, dtype = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
    if isinstance(shape, list) and isinstance(dtype, str) and all(type(size) is int and size >= 0 for size in shape):
        with contextlib.suppress(TypeError):
            return math.prod(shape) * jax.numpy.dtype(dtype).itemsize
    raise RestoreError(f"{path} is damaged: {name!r} should have a shape and a dtype, but is {str(entry)[:100]}.")


def check(expected: Mapping[str, Described], actual: Mapping[str, Listed], where: str) -> None:
    """Compares the arrays that a model needs with those in a save; arguments as for `differences`.

    Raises:
        RestoreError: an array is missing, superfluous, or has another shape or dtype; the message lists all differences.
    """
    refuse(differences(expected, actual), where)


def refuse(problems: list[str], where: str) -> None:
    """Raises an error that lists the problems, if there are any.

    Raises:
        RestoreError: there are problems.
    """
    if problems:
        raise RestoreError(f"{where} does not match the model:\n" + "\n".join(problems))


def differences(expected: Mapping[str, Described], actual: Mapping[str, Listed]) -> list[str]:
    """How the arrays of a save differ from those that a model needs, one line each.

    Args:
        expected: shape and dtype by name (anything with `shape` and `dtype`).
        actual: `[shape, dtype name]` by name.
    """
    problems = []
    for name in sorted(set(expected) | set(actual)):
        if name not in actual:
            problems.append(f"  {name}: missing in the save, the model needs {_shown(expected[name])}")
        elif name not in expected:
            problems.append(f"  {name}: in the save with {_listed(actual[name])}, unknown to the model")
        elif _shown(expected[name]) != _listed(actual[name]):
            problems.append(f"  {name}: {_listed(actual[name])} in the save, {_shown(expected[name])} in the model")
    return problems


def _shown(value: Described) -> str:
    return f"{value.dtype}{list(value.shape)}"


def _listed(entry: Listed) -> str:
    return f"{entry[1]}{list(entry[0])}"


def read_arrays(directory: Path, shapes: Mapping[str, Listed]) -> dict[str, np.ndarray]:
    """The arrays by name.

    Raises:
        RestoreError: the arrays are damaged.
    """
    return orbax_arrays.read(directory / "arrays", shapes, directory)
