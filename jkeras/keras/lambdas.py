"""Serializes anonymous functions as code. Reading one runs code of the file's author."""

from __future__ import annotations

import base64
import builtins
import marshal
import types
from collections.abc import Sequence
from typing import Any

from jkeras.errors import RestoreError


def dump(function: types.FunctionType) -> tuple[str, Any, Any]:
    """The code, defaults and closure of a function."""
    closure = tuple(cell.cell_contents for cell in function.__closure__ or ()) or None
    return base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"), function.__defaults__, closure


def written(function: types.FunctionType) -> dict[str, Any]:
    """The configuration of a function in a layer."""
    return {
        "class_name": "__lambda__",
        "config": dict(zip(("code", "defaults", "closure"), dump(function), strict=True)),
    }


def load(written: Sequence[Any]) -> types.FunctionType:
    """Restores a function from the output of `dump`.

    Raises:
        RestoreError: the code is from another version of Python, or damaged.
    """
    code, defaults, closure = written
    try:
        revived = marshal.loads(base64.decodebytes(code.encode("ascii")))
    except (ValueError, EOFError, TypeError, AttributeError) as error:
        raise RestoreError(f"The code of a lambda cannot be read by this version of Python: {error}") from error
    cells = tuple(types.CellType(value) for value in closure) if closure is not None else None
    scope = {"__builtins__": builtins}
    return types.FunctionType(revived, scope, "<lambda>", None if defaults is None else tuple(defaults), cells)
