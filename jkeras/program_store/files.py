"""Lowered programs as files in the folder of compiled ones: written whole or not at all, checked before they are read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from jkeras.compilation import cache_folder
from jkeras.writing import caching

MAGIC = b"jkeras lowered program 1\n"


class Entry(NamedTuple):
    """A file.

    Attributes:
        facts: what is known of the program, as JSON values.
        program: the byte code of its module, see `lowered`.
    """

    facts: Any
    program: bytes


def read(key: str) -> Entry | None:
    """The entry of a key; None where there is none, or none that is whole."""
    path = _path(key)
    try:
        data = b"" if path is None else path.read_bytes()
        start = MAGIC + key.encode()
        checksum, body = data[len(start) :][:32], data[len(start) + 32 :]
        if not data.startswith(start) or hashlib.sha256(body).digest() != checksum:
            return None
        facts, _, program = body.partition(b"\n")
        return Entry(json.loads(facts), program)
    except (OSError, ValueError):
        return None


def write(key: str, entry: Entry) -> None:
    """Keeps an entry, unless the folder cannot be written to."""
    path = _path(key)
    if path is None:
        return
    body = json.dumps(entry.facts).encode() + b"\n" + entry.program
    try:
        with caching(path) as fresh:
            fresh.write_bytes(MAGIC + key.encode() + hashlib.sha256(body).digest() + body)
    except OSError:  # a full disk or a folder that is read-only: the next process traces
        return


def _path(key: str) -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / f"lowered-{key}"
