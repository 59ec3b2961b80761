"""Stores to which objects save arrays and files, and from which they load them: one group per object."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from jkeras.errors import RestoreError
from jkeras.files.containers.archives import Contents
from jkeras.files.containers.shards import AnyTree

ASSETS = "assets"


class Group(MutableMapping[str, Any]):
    """The arrays of one object, by names of its choice."""

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
    """Arrays to write, by path.

    Attributes:
        arrays: arrays by the path of their group, `/vars/` and their name.
        attributes: the attributes of groups, by path.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.attributes: dict[str, dict[str, Any]] = {}

    def make(self, path: str, name: str | None) -> Group:
        """The group of an object, which also records the object's name."""
        if name is not None:
            self.attributes[f"{path}/vars" if path else "vars"] = {"name": name}
        return Group(self.arrays, path)


class ReadGroup(Mapping[str, np.ndarray]):
    """The arrays of one object in a file, read on access."""

    def __init__(self, tree: AnyTree, path: str | None):
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
    """The arrays in a file, or in several files of one model.

    Args:
        tree: the file.
        instead: arrays that replace those in the file, by path of the object.
    """

    def __init__(self, tree: AnyTree, instead: Mapping[str, Mapping[str, np.ndarray]] | None = None):
        self.tree = tree
        self.instead = dict(instead or {})

    def get(self, path: str) -> Mapping[str, np.ndarray]:
        """The group of an object; empty if there is none."""
        if path in self.instead:
            return self.instead[path]
        group = f"{path}/vars" if path else "vars"
        return ReadGroup(self.tree, group if group in self.tree.groups else None)

    def has(self, path: str) -> bool:
        """Whether there is anything under a path."""
        return path in self.tree.groups


class Assets:
    """Directories to which objects write files, or from which they read them."""

    def __init__(self, root: Path):
        self.root = root

    @classmethod
    @contextlib.contextmanager
    def new(cls) -> Iterator[Self]:
        """An empty store that exists during the block."""
        with tempfile.TemporaryDirectory() as folder:
            yield cls(Path(folder))

    @classmethod
    @contextlib.contextmanager
    def of(cls, members: Mapping[str, Contents]) -> Iterator[Self | None]:
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
        """The files by their name in an archive."""
        files = sorted(file for file in self.root.rglob("*") if file.is_file())
        return {f"{ASSETS}/{file.relative_to(self.root).as_posix()}": file.read_bytes() for file in files}
