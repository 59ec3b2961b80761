"""The optimizer of a model, which it has from `compile` on."""

from __future__ import annotations

from typing import Any


def optimizer_of(model: Any) -> Any | None:
    """The optimizer that a model was compiled with; None before, when it has no such attribute, as in Keras."""
    return getattr(model, "optimizer", None)
