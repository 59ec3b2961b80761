"""Several HDF5 files with the arrays of one model, and their index, `.weights.json`, as Keras 3 writes them.

The index is put in place when all files exist. If files of an earlier save have the same names, the new ones get other names, so
a crash at any moment leaves either the earlier save or the new one intact.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from jkeras.console.primary_process import silent
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers import documents, hdf5
from jkeras.files.containers.hdf5 import Attribute, Tree
from jkeras.writing import alone, leftovers, replacing, sync, writing

SUFFIX = ".weights.json"
MAX_FILES = 10_000


class Joined:
    """Files that are read as one tree; see `hdf5.Tree`."""

    def __init__(self, trees: Sequence[Tree], where: str):
        self.where = where
        self._home = {path: tree for tree in trees for path in tree.shapes}
        if len(self._home) != sum(len(tree.shapes) for tree in trees):
            raise RestoreError(f"{where} is refused: two of its files contain the same array.")
        self._trees = trees
        self.shapes: dict[str, tuple[int, ...]] = {p: tree.shapes[p] for p, tree in self._home.items()}
        self.groups: dict[str, None] = dict.fromkeys(path for tree in trees for path in tree.groups)

    def dtype(self, path: str) -> str:
        """The name of the type of an array."""
        return self._home[path].dtype(path)

    def array(self, path: str) -> np.ndarray:
        """The array at a path."""
        return self._home[path].array(path)

    def attribute(self, path: str, name: str) -> Attribute:
        """An attribute of an array or group; None if there is none."""
        there = [tree for tree in self._trees if path in tree.groups or path in tree.shapes]
        values = (tree.attribute(path, name) for tree in there)
        return next((value for value in values if value is not None), None)

    def children(self, path: str) -> list[str]:
        """The names directly inside a group."""
        return list(dict.fromkeys(name for tree in self._trees for name in tree.children(path)))


AnyTree: TypeAlias = Tree | Joined


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Joined]:
    """Opens and checks all files of an index.

    Raises:
        RestoreError: the index is damaged, or a file that it names is damaged, missing, or not next to it.
    """
    with contextlib.ExitStack() as stack:
        trees = [stack.enter_context(hdf5.open_tree(file, str(file))) for file in _files(path)]
        yield Joined(trees, str(path))


def _files(path: Path) -> list[Path]:
    """The files that an index names, all of which exist."""
    files = [path.parent / name for name in _names_in(path)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise RestoreError(f"{path} is incomplete: of its files, {missing[:5]} are missing in {path.parent}.")
    return files


def _names_in(path: Path) -> list[str]:
    weight_map = documents.parse(path.read_bytes(), str(path)).get("weight_map")
    entries = list(weight_map.values()) if isinstance(weight_map, Mapping) else [None]
    names: dict[str, None] = {}
    for entry in entries:
        for name in entry if isinstance(entry, list) else [entry]:
            if not isinstance(name, str) or not name or name != os.path.basename(name) or "\\" in name or "\0" in name:
                raise RestoreError(f"{path} is refused: it names {str(name)[:100]!r}, which is not a file next to it.")
            names[name] = None
    if len(names) > MAX_FILES:
        raise RestoreError(f"{path} is refused: it names {len(names)} files.")
    return list(names)


def write(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    attributes: Mapping[str, Mapping[str, str | list[str]]],
    limit: int,
) -> None:
    """Writes arrays to files of at most `limit` bytes each, without splitting groups, and their index to `path`.

    Raises:
        ArgumentError: a single group is larger than `limit`.
    """
    shards = _divided(arrays, limit)
    if silent():  # another process writes
        return
    path = path.absolute()
    for leftover in leftovers(path):
        _remove(
            _listed(leftover / path.name, path)
        )  # files of a save that was interrupted while they were put in place
    with writing(path) as folder:
        folder.mkdir()
        home = {member.rpartition("/")[0]: number for number, members in enumerate(shards) for member in members}
        for number, members in enumerate(shards):
            # The names of layers without their own weights are in the first file.
            inside = {group: texts for group, texts in attributes.items() if home.get(group, 0) == number}
            hdf5.write(folder / str(number), members, inside)
        with alone(path.parent):
            names = _names(path, len(shards))
            total = sum(array.nbytes for array in arrays.values())
            weight_map = {f"/{group}": names[number] for group, number in sorted(home.items())}
            index = {"metadata": {"total_size": total}, "weight_map": weight_map}
            with replacing(folder / path.name) as fresh:
                fresh.write_text(json.dumps(index, indent=4), encoding="utf-8")
            earlier = _listed(path, path)
            try:
                for number, name in enumerate(names):
                    os.replace(folder / str(number), path.parent / name)
                sync(path.parent)
                os.replace(folder / path.name, path)
                sync(path.parent)
            except BaseException:
                _remove(path.parent / name for name in names)
                raise
            _remove(earlier)


def _divided(arrays: Mapping[str, np.ndarray], limit: int) -> list[dict[str, np.ndarray]]:
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        groups.setdefault(name.rpartition("/")[0], {})[name] = array
    shards: list[dict[str, np.ndarray]] = [{}]
    filled = 0
    for group, members in groups.items():
        size = sum(array.nbytes for array in members.values())
        if size > limit:
            raise ArgumentError(
                f"max_shard_size is too small: {group!r} alone has {size} bytes, but only {limit} are allowed."
            )
        if filled + size > limit:
            shards.append({})
            filled = 0
        shards[-1].update(members)
        filled += size
    return shards


def _base(path: Path) -> str:
    return path.name[: -len(SUFFIX)] if path.name.lower().endswith(SUFFIX) else path.name


def _names(path: Path, count: int) -> list[str]:
    """Keras's names, `model_00000.weights.h5` and so on, with an infix if one of them exists."""
    plain = [f"{_base(path)}_{number:05d}" for number in range(count)]
    is_taken = any((path.parent / f"{name}.weights.h5").exists() for name in plain)
    addition = f"-{secrets.token_hex(4)}" if is_taken else ""
    return [f"{name}{addition}.weights.h5" for name in plain]


def _listed(index: Path, path: Path) -> list[Path]:
    """The files next to `path` that an index names, if their names are ones that jkeras uses."""
    ours = re.compile(re.escape(_base(path)) + r"_\d{5}(-[0-9a-f]{8})?\.weights\.h5")
    try:
        return [path.parent / name for name in _names_in(index) if ours.fullmatch(name)]
    except (OSError, RestoreError):
        return []


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
