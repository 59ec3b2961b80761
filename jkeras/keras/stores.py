"""What objects put their arrays and files into, and read them from: one group for each object."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers import archives, documents, hdf5
from jkeras.files.containers.writing import replacing
from jkeras.files.keras_file import WEIGHTS

ASSETS = "assets"


class Group(MutableMapping[str, Any]):
    """The arrays of one object, by the names that it chooses."""

    def __init__(self, arrays: dict[str, np.ndarray], path: str):
        self._arrays = arrays
        self._prefix = f"{path}/vars/" if path else "vars/"

    def __getitem__(self, key: str) -> np.ndarray:
        return self._arrays[self._prefix + key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._arrays[f"{self._prefix}{key}"] = np.asarray(value)

    def __delitem__(self, key: str) -> None:
        del self._arrays[self._prefix + key]

    def __iter__(self) -> Iterator[str]:
        return (name[len(self._prefix) :] for name in list(self._arrays) if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ArrayStore:
    """Arrays to be written, by path.

    Attributes:
        arrays: by the path of their group, `/vars/` and their name.
        attributes: of groups, by path.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.attributes: dict[str, dict[str, Any]] = {}

    def make(self, path: str, name: str | None) -> Group:
        """The group of an object; the object's name is kept with it."""
        if name is not None:
            self.attributes[f"{path}/vars" if path else "vars"] = {"name": name}
        return Group(self.arrays, path)


class ReadGroup(Mapping[str, np.ndarray]):
    """The arrays of one object in a file, read when they are asked for."""

    def __init__(self, tree: hdf5.Tree, path: str | None):
        self._tree = tree
        self._path = path

    def __getitem__(self, key: str) -> np.ndarray:
        if self._path is None or f"{self._path}/{key}" not in self._tree.shapes:
            raise KeyError(key)
        return self._tree.array(f"{self._path}/{key}")

    def __iter__(self) -> Iterator[str]:
        return iter([] if self._path is None else self._tree.children(self._path))

    def __len__(self) -> int:
        return len(list(iter(self)))


class ReadStore:
    """The arrays in a file, or in several that hold groups of one model.

    Args:
        *trees: the files.
    """

    def __init__(self, *trees: hdf5.Tree):
        self.trees = trees

    def get(self, path: str) -> ReadGroup:
        """The group of an object; empty if there is none."""
        old = path.replace("layers", "_layer_checkpoint_dependencies")  # as Keras 2.13 had it
        for place in (path, old):
            group = f"{place}/vars" if place else "vars"
            for tree in self.trees:
                if group in tree.groups:
                    return ReadGroup(tree, group)
        return ReadGroup(self.trees[0], None)

    def has(self, path: str) -> bool:
        """Whether there is anything under a path."""
        return any(path in tree.groups for tree in self.trees)


class Assets:
    """Directories that objects write files into, or read them from."""

    def __init__(self, root: Path):
        self.root = root

    @classmethod
    @contextlib.contextmanager
    def new(cls) -> Iterator[Self]:
        """An empty one, which ends with the block."""
        with tempfile.TemporaryDirectory() as folder:
            yield cls(Path(folder))

    @classmethod
    @contextlib.contextmanager
    def of(cls, members: Mapping[str, bytes]) -> Iterator[Self | None]:
        """The files of an archive; None if it has none."""
        files = {name: contents for name, contents in members.items() if name.startswith(ASSETS + "/")}
        if not files:
            yield None
            return
        with cls.new() as assets:
            for name, contents in files.items():
                path = assets.root / name.removeprefix(ASSETS + "/")
                if not path.resolve().is_relative_to(assets.root.resolve()):
                    raise RestoreError(f"The name {name!r} leads out of the archive.")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(contents)
            yield assets

    def make(self, path: str) -> str:
        """A directory to write into."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def get(self, path: str) -> str | None:
        """The directory of an object; None if it has none."""
        folder = self.root / path
        return str(folder) if folder.exists() else None

    def has(self, path: str) -> bool:
        """Whether there is anything under a path."""
        return (self.root / path).exists()

    def members(self) -> dict[str, bytes]:
        """The files by their names in an archive."""
        files = sorted(file for file in self.root.rglob("*") if file.is_file())
        return {f"{ASSETS}/{file.relative_to(self.root).as_posix()}": file.read_bytes() for file in files}


@contextlib.contextmanager
def open_weights(path: Path) -> Iterator[ReadStore]:
    """The arrays in a file of weights, of shards, or of a model."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    with contextlib.ExitStack() as stack:
        if path.name.endswith(".json"):
            index = documents.parse(path.read_bytes(), str(path))
            names = dict.fromkeys(name for entry in index["weight_map"].values() for name in _listed(entry))
            files = [path.parent / Path(name).name for name in names]
            yield ReadStore(*(stack.enter_context(hdf5.open_tree(file, str(file))) for file in files))
        elif path.name.endswith(".keras"):
            members = archives.read(path)
            if WEIGHTS not in members:
                raise RestoreError(f"{path} holds no weights.")
            yield ReadStore(stack.enter_context(hdf5.open_tree(members[WEIGHTS], f"{path}/{WEIGHTS}")))
        else:
            yield ReadStore(stack.enter_context(hdf5.open_tree(path, str(path))))


def _listed(entry: Any) -> list[str]:
    return entry if isinstance(entry, list) else [entry]


def write_shards(path: Path, store: ArrayStore, limit: int) -> None:
    """Writes groups of arrays to files of at most `limit` bytes each, and an index of them.

    Raises:
        ValueError: a group is larger than that.
    """
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in store.arrays.items():
        groups.setdefault(name.rpartition("/")[0], {})[name] = array
    shards: list[dict[str, np.ndarray]] = [{}]
    sizes = [0]
    for group, arrays in groups.items():
        size = sum(array.nbytes for array in arrays.values())
        if size > limit:
            raise ArgumentError(
                f"max_shard_size is too small: {group!r} alone has {size} bytes, and {limit} are allowed."
            )
        if sizes[-1] + size > limit:
            shards.append({})
            sizes.append(0)
        shards[-1].update(arrays)
        sizes[-1] += size
    base = path.name.removesuffix(".json").removesuffix(".h5").removesuffix(".weights")
    weight_map: dict[str, str] = {}
    for number, arrays in enumerate(shards):
        file = f"{base}_{number:05d}.weights.h5"
        inside = {name.rpartition("/")[0] for name in arrays}
        attributes = {group: values for group, values in store.attributes.items() if group in inside}
        hdf5.write(path.parent / file, arrays, attributes)
        weight_map.update({f"/{group}": file for group in inside})
    index = {"metadata": {"total_size": sum(sizes)}, "weight_map": dict(sorted(weight_map.items()))}
    with replacing(path.parent / f"{base}.weights.json") as fresh:
        fresh.write_text(json.dumps(index, indent=4))
