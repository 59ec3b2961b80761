"""Reading JSON that a stranger may have written."""

from __future__ import annotations

import json
from typing import Any

from jkeras import allowance
from jkeras.errors import RestoreError

# A model of 30 models inside one another nests about 100 deep; beyond it is damage or an attack.
MAX_DEPTH = 100
MAX_SIZE = 256 * 2**20
# Bytes of a list or dict in memory; it takes three in a text, less in a compressed one. A layer has about 20.
CONTAINER = 64


def parse(text: str | bytes | memoryview, where: str) -> dict[str, Any]:
    """The JSON object that a text holds.

    Raises:
        RestoreError: it is no JSON, no object, too large or nested too deeply.
    """
    if len(text) > MAX_SIZE:
        raise RestoreError(f"{where} is {len(text)} bytes long, which no model's configuration is.")
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
        raise RestoreError(f"{where} holds a {type(document).__name__}, not a configuration.")
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
