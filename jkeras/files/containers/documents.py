"""Reads untrusted JSON."""

from __future__ import annotations

import json
from typing import Any

from jkeras import allowance
from jkeras.errors import RestoreError

# 30 models nested in each other have a depth of about 100; anything deeper is damaged or an attack.
MAX_DEPTH = 100
MAX_SIZE = 256 * 2**20
# The bytes of a list or dict in memory. In JSON text it takes three, in compressed text fewer. A layer has about 20 of them.
CONTAINER = 64


def parse(text: str | bytes | memoryview, where: str) -> dict[str, Any]:
    """Parses text as a JSON object.

    Raises:
        RestoreError: it is not a JSON object, too large or nested too deeply.
    """
    if len(text) > MAX_SIZE:
        raise RestoreError(f"{where} is {len(text)} bytes long, too long for a model's configuration.")
    text = bytes(text) if isinstance(text, memoryview) else text
    count = text.count("{") + text.count("[") if isinstance(text, str) else text.count(b"{") + text.count(b"[")
    allowance.check(count, "lists and dicts", CONTAINER, where)
    try:
        document: object = json.loads(text)
    except RecursionError:
        raise RestoreError(f"{where} is nested too deeply to be a model.") from None
    except ValueError as error:
        raise RestoreError(f"{where} is damaged: {error}") from None
    if not isinstance(document, dict):
        raise RestoreError(f"{where} contains a {type(document).__name__}, not a configuration.")
    if _is_deep(document):
        raise RestoreError(f"{where} is nested too deeply to be a model.")
    return document


def _is_deep(value: dict[str, Any]) -> bool:
    level: list[dict[str, Any] | list[Any]] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
