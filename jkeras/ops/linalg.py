"""The functions of `keras.ops.linalg`."""

from __future__ import annotations

from typing import Any

from jkeras.ops.table import PUBLIC as _PUBLIC

_NAMES = (
    *("cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor", "matrix_rank"),
    *("norm", "pinv", "qr", "solve", "solve_triangular", "svd"),
)

globals().update({name: _PUBLIC[name] for name in _NAMES})

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.ops.linalg has no function {name!r}.")
