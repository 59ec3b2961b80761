"""All file formats: how to recognise them by name and by contents, and which parts of a model they store.

Saving, loading, callbacks and the table in docs/files.md use this; `files/table.py` has the functions that read and write.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from jkeras.errors import ArgumentError, nearest

Part: TypeAlias = Literal["model", "weights"]

# The members of a `.keras` file, in an archive or a directory.
CONFIG, METADATA, WEIGHTS_FILE = "config.json", "metadata.json", "model.weights.h5"
# What `model.export` writes, which is no model.
PROGRAM = ".stablehlo"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A format.

    Attributes:
        name: its name in messages and documentation.
        suffixes: the suffixes of its files; none for a directory.
        signed: whether a file that begins with given 16 bytes has this format.
        keeps: the parts of a model that it stores: "weights", "definition", "recipe" (arguments of `compile`), "optimizer"
            (its state), "run" (step, random key, history), "recurrent" (states of stateful layers).
        alone: whether weights can be written without a definition.
        opened_by: the Keras versions that read it.
        read_from: the Keras versions whose files are read.
    """

    name: str
    suffixes: tuple[str, ...]
    signed: Callable[[bytes], bool]
    keeps: frozenset[str]
    alone: bool = True
    opened_by: str = "no"
    read_from: str = "-"

    def writes(self, part: Part) -> bool:
        """Whether whole models, or only weights, can be written in this format."""
        return "definition" in self.keeps if part == "model" else self.alone


def _never(start: bytes) -> bool:
    return False


def _is_hdf5(start: bytes) -> bool:
    return start.startswith(HDF5_SIGNATURE)


def _is_safetensors(start: bytes) -> bool:
    return len(start) > 8 and start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") < 2**32


_ALL = frozenset({"weights", "definition", "recipe", "optimizer", "run", "recurrent"})

DIRECTORY = Kind("directory", (), _never, _ALL)
KERAS = Kind(
    "`.keras`",
    (".keras",),
    lambda start: start.startswith((b"PK\x03\x04", b"PK\x05\x06")),
    _ALL - {"recurrent"},
    alone=False,
    opened_by="Keras 3",
    read_from="Keras 2.12 to 3",
)
HDF5 = Kind(
    "`.h5`, `.hdf5`",
    (".h5", ".hdf5"),
    _is_hdf5,
    _ALL - {"recurrent", "run"},
    opened_by="Keras 3",
    read_from="Keras 1.2 to 3",
)
WEIGHTS = Kind(
    "`.weights.h5`",
    (".weights.h5",),
    _never,  # an HDF5 file; its contents determine which of the two layouts it has
    frozenset({"weights"}),
    opened_by="Keras 3",
    read_from="Keras 2 and 3",
)
SHARDS = Kind(
    "`.weights.json`",
    (".weights.json",),
    lambda start: start.lstrip().startswith(b"{"),
    frozenset({"weights"}),
    opened_by="Keras 3",
    read_from="Keras 3",
)
SAFETENSORS = Kind("`.safetensors`", (".safetensors",), _is_safetensors, frozenset({"weights"}))

KINDS = (DIRECTORY, KERAS, HDF5, WEIGHTS, SHARDS, SAFETENSORS)
_BY_SUFFIX = {suffix: kind for kind in KINDS for suffix in kind.suffixes}


def by_name(path: str | os.PathLike[str]) -> Kind | None:
    """The format of a suffix; if several suffixes match, the longest decides.

    >>> by_name("model.weights.h5").name
    '`.weights.h5`'
    """
    name = Path(path).name.lower()
    return next((_BY_SUFFIX[s] for s in sorted(_BY_SUFFIX, key=len, reverse=True) if name.endswith(s)), None)


def by_contents(path: Path) -> Kind | None:
    """The format of an existing file by its contents; None if there is no file or its beginning matches no format."""
    if path.is_dir():
        return KERAS if (path / WEIGHTS_FILE).is_file() else DIRECTORY
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(16)
    return next((kind for kind in KINDS if kind.signed(start)), None)


def to_read(path: Path, where: str) -> Kind:
    """The format in which to read a path: by its contents, or else by its name, so that the right reader reports damage.

    Raises:
        ArgumentError: neither determines a format.
    """
    kind = by_contents(path) or by_name(path)
    if kind is None and not path.exists():
        return DIRECTORY  # its reader reports what is missing, and handles interrupted saves
    if kind is None:
        hint = ""
        if path.suffix == PROGRAM:
            hint = " It is a program, without layers: `jax.export.deserialize(bytearray(path.read_bytes())).call(x)`."
        raise ArgumentError(f"{where}({str(path)!r}): the file has no known format; the formats are {listed()}.{hint}")
    return kind


def to_write(path: Path, part: Part, where: str) -> Kind:
    """The format to write a path in.

    Raises:
        ArgumentError: its suffix belongs to no format, or to one that does not store this part of a model.
    """
    kind = by_name(path)
    if kind is None and looks_like_file(path):
        known = [suffix for suffix, each in _BY_SUFFIX.items() if each.writes(part)]
        raise ArgumentError(
            f"{where}({str(path)!r}): {path.suffix!r} is not a known file format.{nearest(path.suffix, known)} Known are"
            f" {listed(part)}. Without a suffix, {str(path.with_suffix(''))!r}, it becomes a directory."
        )
    kind = kind or DIRECTORY
    if not kind.writes(part):
        holds, method = ("weights alone", "save_weights") if part == "model" else ("a whole model", "save")
        raise ArgumentError(
            f"{where}({str(path)!r}): a {kind.name} file holds {holds}, `model.{method}(path)`. Known here are {listed(part)}."
        )
    return kind


def looks_like_file(path: Path) -> bool:
    """Whether a path that is not a directory has a suffix of letters, such as `model.pkl` or `model.kears`."""
    return path.suffix[1:].isalpha() and not path.is_dir()


def listed(part: Part | None = None) -> str:
    """The formats, for messages: all, or those that can store a part of a model."""
    names = [kind.name for kind in KINDS if kind.suffixes and (part is None or kind.writes(part))]
    return f"{', '.join(names)}, and directories, which have no suffix"
