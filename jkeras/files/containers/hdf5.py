"""Reads untrusted HDF5 files as trees of arrays.

HDF5 has many features that no saved model needs: links to other files, datasets with values in other files, plug-ins that
are loaded to decompress data, terabyte shapes without data. `open_tree` first goes through the whole file and refuses all of
these, so afterwards only plain arrays are read.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from jkeras import allowance
from jkeras.buffers import ALIGNMENT
from jkeras.errors import RestoreError
from jkeras.types import ArrayLike

if TYPE_CHECKING:
    import h5py
from jkeras.files.containers import buffers, hdf5_heaps, seals
from jkeras.files.containers.archives import Contents
from jkeras.files.containers.buffers import MemoryFile
from jkeras.files.containers.kinds import HDF5_SIGNATURE as SIGNATURE
from jkeras.writing import replacing

# An attribute in a file: a string, a list of strings, a number or an array. Its reader checks the type.
Attribute: TypeAlias = Any

# The bytes of an open group or array against the load budget; by default that allows 209,715.
OBJECT = 320
MAX_DEPTH = 64
# Deflate, shuffle, checksum, szip, n-bit, scale-offset, LZF: the filters of HDF5 and h5py without plug-ins.
FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})
COMPRESSION = FILTERS - {2, 3}
MAX_RATIO = 100
SMALL = 2**20
# The exceptions of HDF5 and h5py for damaged files.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, UnicodeDecodeError, AttributeError)


class Tree:
    """A checked file: arrays and attributes by path, without a leading slash.

    Attributes:
        shapes: the shapes of all arrays, by path.
        groups: the paths of all groups; the root is "".
    """

    def __init__(self, file: h5py.File, size: int, where: str, contents: Contents | None = None):
        self._file = file
        self._contents = contents
        self._size = size
        self._heaps_are_checked = False
        self.where = where
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.groups: dict[str, None] = {}
        self._objects: dict[str, Any] = {}  # groups and arrays of h5py, which has no type hints
        self._seen: set[tuple[int, int]] = set()
        self._declared = 0
        self._children: dict[str, dict[str, None]] | None = None
        self._visit("", file, 0)

    def _refuse(self, path: str, why: str) -> RestoreError:
        return RestoreError(f"{self.where} is refused: {path!r} {why}.")

    def _visit(self, path: str, group: h5py.Group, depth: int) -> None:
        import h5py

        if depth > MAX_DEPTH:
            raise self._refuse(path, "is nested too deeply")
        self._enter(path, group)
        self.groups[path] = None
        for name in group:
            inner = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise self._refuse(inner, "is a link to another place")
            member = group[name]
            if isinstance(member, h5py.Group):
                self._visit(inner, member, depth + 1)
            elif isinstance(member, h5py.Dataset):
                self._enter(inner, member)
                self._check_dataset(inner, member)
                self.shapes[inner] = tuple(member.shape)
            else:
                raise self._refuse(inner, "is neither a group nor an array")

    def _enter(self, path: str, member: h5py.Group | h5py.Dataset) -> None:
        import h5py

        info = h5py.h5o.get_info(member.id)
        place = (info.fileno, info.addr)
        if place in self._seen:
            raise self._refuse(path, "is in the file twice")
        self._seen.add(place)
        self._objects[path] = member
        allowance.check(len(self._objects), "groups and arrays", OBJECT, self.where)

    def _check_dataset(self, path: str, dataset: h5py.Dataset) -> None:
        if dataset.is_virtual or dataset.external:
            raise self._refuse(path, "has its values in another place")
        if dataset.shape is None or dataset.dtype.kind not in "fiubV" or dataset.dtype.fields or dataset.dtype.subdtype:
            raise self._refuse(path, f"is not an array of numbers but {dataset.dtype}")
        if dataset.dtype.kind == "V" and dataset.dtype.itemsize != 2:
            raise self._refuse(path, f"is not an array of numbers but {dataset.dtype}")
        filters = dataset.id.get_create_plist()
        used = {filters.get_filter(i)[0] for i in range(filters.get_nfilters())}
        if used - FILTERS:
            raise self._refuse(path, "is compressed with a plug-in filter")
        declared = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        allowed = max(SMALL, MAX_RATIO * stored) if used & COMPRESSION and stored else stored
        if stored > self._size or declared > allowed:
            raise self._refuse(
                path,
                f"claims {declared} bytes, {list(dataset.shape)} of {dataset.dtype}, and the file holds {stored} of them",
            )

        self._declared += declared
        if self._declared > max(16 * SMALL, MAX_RATIO * self._size):
            raise RestoreError(f"{self.where} is refused: it unpacks to more than {MAX_RATIO} times its size.")

    def dtype(self, path: str) -> str:
        """The name of the dtype of an array."""
        dtype = self._objects[path].dtype
        return "bfloat16" if dtype.kind == "V" or self.attribute(path, "dtype") == "bfloat16" else dtype.name

    def array(self, path: str) -> np.ndarray:
        """The array at a path.

        Raises:
            RestoreError: it cannot be read.
        """
        dataset = self._objects[path]
        try:
            value = self._view(dataset)
            value = _read(dataset) if value is None else value
            kind = self._attribute(path, "dtype") if "dtype" in dataset.attrs else None
        except DAMAGE as error:
            raise RestoreError(f"{self.where} is damaged: {path!r} cannot be read: {error}") from None
        if kind == "bfloat16" or value.dtype.kind == "V":
            import ml_dtypes

            return value.view(ml_dtypes.bfloat16) if value.dtype.itemsize == 2 else value.astype(ml_dtypes.bfloat16)
        return value

    def _view(self, dataset: h5py.Dataset) -> np.ndarray | None:
        """A large contiguous array of a file in memory, without a copy; None for other arrays.

        It keeps the whole file in memory, so arrays that are only a small part of the file are copied.
        """
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        plain = dataset.chunks is None and dataset.compression is None and dataset.dtype.isnative
        start = dataset.id.get_offset() if self._contents is not None and plain else None
        if self._contents is None or start is None or size < max(SMALL, len(self._contents) // 64):
            return None
        if start + size > len(self._contents):
            raise OSError("it reaches beyond the end of the file")
        count = math.prod(dataset.shape)
        return np.frombuffer(self._contents, dataset.dtype, count, start).reshape(dataset.shape)

    def attribute(self, path: str, name: str) -> Attribute:
        """An attribute: a string, a list of strings, or an array; None if there is none.

        Raises:
            RestoreError: it cannot be read.
        """
        try:
            return self._attribute(path, name) if path in self._objects and name in self._objects[path].attrs else None
        except DAMAGE as error:
            if isinstance(error, RestoreError):
                raise
            raise RestoreError(f"{self.where} is damaged: the attribute {name!r} cannot be read: {error}") from None

    def _attribute(self, path: str, name: str) -> Attribute:
        attributes = self._objects[path].attrs
        described = attributes.get_id(name)
        if math.prod(described.shape or ()) > self._size:
            raise self._refuse(path, f"has an attribute {name!r} of {math.prod(described.shape)} values")
        if described.dtype.hasobject and not self._heaps_are_checked:
            self._check_heaps()
        return _text(attributes[name])

    def _check_heaps(self) -> None:
        if self._contents is None:
            hdf5_heaps.check_file(Path(self._file.filename), self.where)
        else:
            hdf5_heaps.check(self._contents, self.where)
        self._heaps_are_checked = True

    def texts(self, path: str, name: str) -> list[str]:
        """A list of strings, which may be split over several attributes because of their size limit."""
        texts = self.attribute(path, name)
        if texts is None:
            parts: list[Attribute] = []
            while (part := self.attribute(path, f"{name}{len(parts)}")) is not None:
                parts.append(part)
            texts = [text for part in parts for text in part]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise RestoreError(f"{self.where} is damaged: the attribute {name!r} of {path!r} is not a list of names.")
        return texts

    def children(self, path: str) -> list[str]:
        """The names directly inside a group."""
        return list(self._names.get(path, ()))

    @property
    def _names(self) -> dict[str, dict[str, None]]:
        if self._children is None:
            self._children = {}
            for path in (*self.groups, *self.shapes):
                above, _, name = path.rpartition("/")
                if path:
                    self._children.setdefault(above, {})[name] = None
        return self._children

    def renamed(self, names: Mapping[str, str]) -> Tree:
        """The same groups and arrays under other paths.

        Args:
            names: a mapping from the old path to the new one, for all paths.
        """
        other: Tree = copy.copy(self)
        other.shapes = {names[path]: shape for path, shape in self.shapes.items()}
        other.groups = {}
        for path in self.groups:
            parts = names[path].split("/")
            other.groups.update(dict.fromkeys("/".join(parts[:depth]) for depth in range(len(parts) + 1)))
        other._objects = {names[path]: member for path, member in self._objects.items()}
        other._children = None
        return other


def _read(dataset: h5py.Dataset) -> np.ndarray:
    """Reads an array; a large one into memory that JAX can use without a copy."""
    if dataset.nbytes < buffers.LARGE or dataset.dtype.kind == "V":
        return np.asarray(dataset[()])
    target = buffers.empty(dataset.shape, dataset.dtype)
    dataset.read_direct(target)
    return target


def _text(value: Attribute) -> Attribute:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "SUO":
            return [_text(v) for v in value.ravel().tolist()]
        return [] if value.size == 0 else value
    return str(value) if isinstance(value, np.str_) else value


@contextlib.contextmanager
def open_tree(source: Path | Contents, where: str) -> Iterator[Tree]:
    """Opens and checks a file, or the bytes of one.

    Raises:
        RestoreError: it is not an HDF5 file, is damaged, or contains what no model needs.
    """
    import h5py

    file: Path | MemoryFile
    if isinstance(source, Path):
        with source.open("rb") as opened:
            start = opened.read(len(SIGNATURE))
        size = source.stat().st_size
        seals.check(source)
        file = source
    else:
        start, size = bytes(source[: len(SIGNATURE)]), len(source)
        file = MemoryFile(memoryview(source))
    if start != SIGNATURE:
        raise RestoreError(f"{where} is not an HDF5 file.")
    try:
        root = h5py.File(file, "r")
    except DAMAGE as error:
        raise RestoreError(f"{where} is damaged: {error}") from None
    with root:
        try:
            tree = Tree(root, size, where, None if isinstance(source, Path) else source)
        except DAMAGE as error:
            if isinstance(error, RestoreError):
                raise
            raise RestoreError(f"{where} is damaged: {error}") from None
        yield tree


# HDF5 stores attributes in a header of at most 64 kB.
ATTRIBUTE_LIMIT = 64512


def to_bytes(arrays: Mapping[str, ArrayLike], attributes: Mapping[str, Mapping[str, str | list[str]]]) -> bytes:
    """The contents of a file, as bytes.

    Args:
        arrays: by path.
        attributes: strings or lists of strings by the path of their group, which is created if it contains no array.
    """
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", alignment_threshold=SMALL, alignment_interval=ALIGNMENT) as file:
        for path, texts in attributes.items():
            group = file.require_group(path) if path else file
            for name, text in texts.items():
                _write_attribute(group, name, text)
        for path, value in arrays.items():
            array = np.asarray(value)
            dataset = file.create_dataset(path, data=array)
            if array.dtype.name == "bfloat16":
                dataset.attrs["dtype"] = "bfloat16"
    return buffer.getvalue()


def write(path: Path, arrays: Mapping[str, ArrayLike], attributes: Mapping[str, Mapping[str, str | list[str]]]) -> None:
    """Writes a file with a checksum to `path`, atomically: after a crash the previous file is unchanged. See `to_bytes`."""
    with replacing(path) as fresh:
        fresh.write_bytes(seals.sealed(to_bytes(arrays, attributes)))


def _write_attribute(group: h5py.Group, name: str, value: str | list[str]) -> None:
    if not isinstance(value, list):
        group.attrs[name] = value
        return
    encoded = [text.encode("utf-8") for text in value]
    parts = 1
    while encoded and max(np.asarray(p).nbytes for p in np.array_split(np.asarray(encoded), parts)) > ATTRIBUTE_LIMIT:
        parts += 1
    if parts == 1:
        group.attrs[name] = np.asarray(encoded) if encoded else np.zeros((0,), "S1")
        return
    for i, part in enumerate(np.array_split(np.asarray(encoded), parts)):
        group.attrs[f"{name}{i}"] = part
