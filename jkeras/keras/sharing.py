"""Which models share compiled steps."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def step_key(model: Any) -> tuple[Hashable, bool]:
    """What the compiled steps of a model depend on beside arrays, and whether equal models share them."""
    return (id(model), model._attribute_version, id(model.optimizer), id(model._loss_tracker)), False
