"""The list of all files of a saved directory with sizes and checksums, to detect damage before anything is read.

It guards against accidents, not against forgery: whoever can change a file can change the list. Only ordinary files inside the
directory are ever opened, which guards against both.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from pathlib import Path

from jkeras import allowance, writing
from jkeras.errors import RestoreError
from jkeras.files.containers import documents

LIST = "checksums.json"
# The bytes that a file's name and path take in memory.
ENTRY = 640
_BLOCK = 2**20


def files(folder: Path) -> dict[str, int]:
    """The size of every file in a directory, by relative path.

    Raises:
        RestoreError: there is a link, a device, or anything else that a save does not contain.
    """
    sizes: dict[str, int] = {}
    waiting = [(folder, "")]
    while waiting:
        directory, prefix = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                name = prefix + entry.name
                kind = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(kind.st_mode):
                    waiting.append((Path(entry.path), name + "/"))
                elif stat.S_ISREG(kind.st_mode):
                    sizes[name] = kind.st_size
                else:
                    raise RestoreError(f"{folder} is refused: {name!r} is a link or a device, not a file of a save.")
        allowance.check(len(sizes) + len(waiting), "files", ENTRY, folder)
    return sizes


def write(folder: Path) -> None:
    """Adds the list to a complete directory, and flushes everything to disk."""
    listed = {name: [size, _checksum(folder / name, sync=True)] for name, size in sorted(files(folder).items())}
    with (folder / LIST).open("w", encoding="utf-8") as file:
        json.dump(listed, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    for inner, _, _ in os.walk(folder):
        writing.sync(Path(inner))


def verify(folder: Path) -> dict[str, int]:
    """The size of every file by path, after a comparison with the list; without a list, only links are detected.

    Raises:
        RestoreError: a file is missing, has a different size or checksum, or is not in the list.
    """
    present = files(folder)
    if present.pop(LIST, None) is None:
        return present
    listed = documents.parse((folder / LIST).read_bytes(), str(folder / LIST))
    problems = [f"{name} is missing" for name in sorted(set(listed) - set(present))]
    problems += [f"{name} is not in the list" for name in sorted(set(present) - set(listed))]
    for name in sorted(set(present) & set(listed)):
        if listed[name] != [present[name], _checksum(folder / name)]:
            problems.append(f"{name} has another size or checksum")
    if problems:
        shown = "; ".join(problems[:5]) + ("; ..." if len(problems) > 5 else "")
        raise RestoreError(
            f"{folder} is damaged: {shown}. (If you changed it on purpose, remove {LIST}; then nothing is compared.)"
        )
    return present


def _checksum(path: Path, sync: bool = False) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
        if sync:
            os.fsync(file.fileno())
    return checksum
