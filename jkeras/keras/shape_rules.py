"""Output shapes of functions whose code needs known sizes, or would compute them wrongly from stand-ins."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jkeras.errors import InputError
from jkeras.keras.tensor import KerasTensor


def _reshape(x: KerasTensor, newshape: Any) -> KerasTensor:
    """A size of -1 is what is left, unknown if a size of the input is."""
    sizes = [newshape] if isinstance(newshape, int) else list(newshape)
    if sizes.count(-1) > 1:
        raise InputError(f"ops.reshape(newshape={newshape!r}): at most one size can be -1.")
    known = None if None in x.shape else math.prod(s for s in x.shape if s is not None)
    rest = math.prod(s for s in sizes if s is not None and s != -1)
    if known is not None and None not in sizes:
        fits = known % max(rest, 1) == 0 if -1 in sizes else known == rest
        if not fits:
            raise InputError(f"ops.reshape: an array of shape {x.shape} cannot be reshaped to {tuple(sizes)}.")
        sizes = [known // max(rest, 1) if s == -1 else s for s in sizes]
    return KerasTensor([None if s == -1 else s for s in sizes], x.dtype)


RULES: dict[str, Callable[..., Any]] = {"reshape": _reshape}
