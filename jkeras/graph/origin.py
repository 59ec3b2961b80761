"""Where a layer comes from: one that is taken from a model knows its place there, and the weights that it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jkeras.errors import NotBuiltError


@dataclasses.dataclass(frozen=True, eq=False)
class Origin:
    """The model that a layer was taken from, and the weights that it brings.

    Attributes:
        model: the model it was taken from, or None.
        name: its name there.
        variables: returns its variables, or None if there are none.
        weights: returns the arrays of its weights: all, the trainable ones, or the others.
        output: returns its symbolic output there.
        input: likewise.
    """

    model: Any
    name: str | None
    variables: Callable[[], Mapping[str, Any] | None]
    weights: Callable[[bool | None], list[jax.Array]] = lambda trainable: []
    output: Callable[[], Any] = lambda: None
    input: Callable[[], Any] = lambda: None


class Member:
    """What a layer says that was taken from a model (`model.layers`, `model.get_layer`)."""

    # None where a layer is only a description.
    _spec_origin: Origin | None = None

    def _home(self, what: str) -> Origin:
        origin = origin_of(self)
        if origin is None:
            raise NotBuiltError(
                f"{self!r} is a description and belongs to no model, so it has no {what}. Take the layer from a model:"
                f" `model.get_layer(name).{what}`."
            )
        return origin

    @property
    def output(self) -> Any:
        """The symbolic output in the model that the layer was taken from; a list if it was applied several times."""
        return self._home("output").output()

    @property
    def input(self) -> Any:
        """The symbolic input in the model that the layer was taken from."""
        return self._home("input").input()

    @property
    def weights(self) -> list[jax.Array]:
        """The layer's weights in the model that it was taken from, in Keras's order."""
        return self._home("weights").weights(None)

    @property
    def trainable_weights(self) -> list[jax.Array]:
        """The trainable weights."""
        return self._home("trainable_weights").weights(True)

    @property
    def non_trainable_weights(self) -> list[jax.Array]:
        """The weights that training does not change."""
        return self._home("non_trainable_weights").weights(False)

    def get_weights(self) -> list[np.ndarray]:
        """The weights as NumPy arrays."""
        return [np.asarray(value) for value in self.weights]

    def count_params(self) -> int:
        """The number of weights."""
        return sum(int(value.size) for value in self.weights)


def origin_of(layer: Member) -> Origin | None:
    """The model that a layer was taken from (`model.layers`, `model.get_layer`), and its name there; None if it was not."""
    origin = layer._spec_origin
    return None if origin is None or origin.model is None else origin
