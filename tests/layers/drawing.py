"""Cases of the contract drawn at random from the arguments that a layer takes.

A draw is a function from a `Draw` to a case. `drawn(function, count)` is a table of cases, always the same ones unless
the environment's JKERAS_TEST_SEED says otherwise; a case that failed is shown whole by the contract.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.layers.contract import Case

ACTIVATIONS = (None, "relu", "tanh", "sigmoid", "softplus", "elu", "linear")
INITIALIZERS = ("glorot_uniform", "he_normal", "zeros", "random_normal", "orthogonal")
REGULARIZERS = (None, "l1", "l2", "L1L2")
CONSTRAINTS = (None, "non_neg", "max_norm", "unit_norm")


class Draw:
    """A random generator with the questions that draws of cases ask."""

    def __init__(self, seed: list[int]):
        self.rng = np.random.default_rng(seed)

    def of(self, *options: Any) -> Any:
        """One of some values."""
        return options[self.rng.integers(len(options))]

    def size(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def sizes(self, count: int, low: int, high: int) -> tuple[int, ...]:
        """Several of them."""
        return tuple(self.size(low, high) for _ in range(count))

    def each(self, rank: int, low: int, high: int) -> Any:
        """An integer for all axes, or one for each."""
        return self.size(low, high) if self.of(True, False) else self.sizes(rank, low, high)

    def some(self, **options: tuple[Any, ...]) -> dict[str, Any]:
        """About half of the arguments, each with one of its values."""
        return {name: self.of(*values) for name, values in options.items() if self.of(True, False)}

    def weights(self, *names: str) -> dict[str, Any]:
        """Initializers, penalties and constraints for some weights."""
        options: dict[str, tuple[Any, ...]] = {}
        for name in names:
            options |= {
                f"{name}_initializer": INITIALIZERS[:-1] if name in ("bias", "beta", "gamma") else INITIALIZERS,
                f"{name}_regularizer": REGULARIZERS,
                f"{name}_constraint": CONSTRAINTS,
            }
        return self.some(**options)


def drawn(function: Callable[[Draw], Case], count: int) -> dict[str, Case]:
    """Cases by name."""
    seed = [int(os.environ.get("JKERAS_TEST_SEED", "0")), zlib.crc32(function.__name__.encode())]
    cases = [function(Draw([*seed, number])) for number in range(count)]
    return {f"{one.name} drawn {number}": one for number, one in enumerate(cases)}
