"""`Bidirectional`: a recurrent layer that runs in both directions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.origin import Origin
from jkeras.layers.inner_layer import inner_layer
from jkeras.layers.recurrent.rnn import ReadyRNN
from jkeras.registry import snake_case
from jkeras.types import Array, Bool, LayerField, Num, PyTree
from jkeras.values.config import serialize
from jkeras.values.fields import field
from jkeras.values.spec import takes_any

NEEDED = ("go_backwards", "return_sequences", "return_state", "stateful")


@runtime_checkable
class Directed(Protocol):
    """A layer that can run in both directions."""

    go_backwards: bool
    return_sequences: bool
    return_state: bool
    stateful: bool


MERGES: dict[Any, Callable[[jax.Array, jax.Array], Any]] = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: jnp.concatenate([a, b], axis=-1),
    None: lambda a, b: (a, b),
}


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a second one backwards, and merges their outputs step by step.

    Shapes: `(batch, time, features)` to `(batch, 2 * units)`, or `(batch, time, 2 * units)` if the layer returns
    sequences; merge modes other than "concat" keep `units`. The weights are those of `forward_layer` and of
    `backward_layer`. With `return_state`, the states follow, those of the forward layer first. Call arguments:
    `initial_state`, the states of both layers in one list, `mask`, `training`.

    Both layers are fresh copies, so `layer` itself shares no weights with them. As in Keras, masked steps output zeros
    if sequences are returned.

    Args:
        layer: a recurrent layer, or any layer with `go_backwards`, `return_sequences`, `return_state` and `stateful`.
        merge_mode: "sum", "mul", "ave", "concat", or None to return both outputs in a list.
        weights: initial weights of both layers, in one list.
        backward_layer: the layer that runs backwards; by default a copy of `layer` with `go_backwards=True`.

    Raises:
        ArgumentError: the two layers return different things, or run in the same direction.

    Schuster and Paliwal 1997, "Bidirectional Recurrent Neural Networks".

    >>> from jkeras import layers
    >>> Bidirectional(layers.LSTM(4, return_sequences=True)).compute_output_shape((None, 7, 2))
    (None, 7, 8)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    layer: LayerField = field(convert=inner_layer)
    merge_mode: str | None = field(default="concat", convert=arguments.one_of(*MERGES))
    weights: Any = field(default=None, convert=arguments.optional(arguments.several), in_config=False)
    backward_layer: Any = field(default=None, convert=arguments.optional(inner_layer))

    def __post_init__(self) -> None:
        # `layer` is not stored: the sublayers are its two copies.
        layer, backward = vars(self).pop("layer"), vars(self).pop("backward_layer")
        if not all(isinstance(direction, Directed) for direction in (layer, backward or layer)):
            raise ArgumentError(
                f"Bidirectional(layer={layer!r}): expected a recurrent layer, which has {', '.join(map(repr, NEEDED))}."
            )
        self.forward_layer: Any = _direction(layer, "forward")
        if backward is None:
            self.backward_layer = _direction(layer, "backward", go_backwards=True)
        else:
            self.backward_layer = _direction(backward, None)
        if self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ArgumentError(
                f"Bidirectional(layer={layer!r}, backward_layer={backward!r}): both have"
                f" go_backwards={self.forward_layer.go_backwards}; expected one of each."
            )
        ahead, back = self.forward_layer, self.backward_layer
        same = {
            "return_sequences": ahead.return_sequences == back.return_sequences,
            "return_state": ahead.return_state == back.return_state,
            "stateful": ahead.stateful == back.stateful,
        }
        for name, agrees in same.items():
            if not agrees:
                raise ArgumentError(
                    f"Bidirectional(layer={layer!r}, backward_layer={backward!r}): expected the same {name} in"
                    f" both layers."
                )
        vars(self).update(_derived=backward is None, _initial_weights=vars(self).pop("weights"))
        if self._initial_weights:
            half = len(self._initial_weights) // 2
            self.forward_layer = _carrying(self.forward_layer, self._initial_weights[:half])
            self.backward_layer = _carrying(self.backward_layer, self._initial_weights[half:])

    # The `weights` argument, and whether the backward layer is a copy of the forward one.
    _initial_weights: ClassVar[Any] = None
    _derived: ClassVar[bool] = False

    def _state(self) -> dict[str, Any]:
        # How the layers were specified does not affect what they compute.
        return {name: value for name, value in super()._state().items() if name not in ("_derived", "_initial_weights")}

    def _arguments(self) -> dict[str, Any]:
        if "forward_layer" not in vars(self):
            return super()._arguments()
        arguments = {
            "layer": self.forward_layer,
            "merge_mode": self.merge_mode,
            "weights": self._initial_weights,
            "backward_layer": None if self._derived else self.backward_layer,
        }
        return {**arguments, **{name: vars(self)[name] for name in type(self)._fields if name not in arguments}}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "backward_layer": serialize(self.backward_layer)}

    @property
    def return_sequences(self) -> bool:
        """Whether the output of every step is returned."""
        result: bool = self.forward_layer.return_sequences
        return result

    @property
    def return_state(self) -> bool:
        """Whether the last states are also returned."""
        result: bool = self.forward_layer.return_state
        return result

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a batch starts with the final states of the previous one."""
        result: bool = self.forward_layer.stateful
        return result

    @property
    def input_spec(self) -> Any:
        return self.forward_layer.input_spec

    def more_axes(self) -> str:
        advice: str = self.forward_layer.more_axes()
        return advice

    def call(
        self,
        sequences: Num[Array, "batch time *features"],
        initial_state: PyTree[Array] = None,
        mask: Bool[Array, "batch time"] | None = None,
        training: bool | None = None,
    ) -> Any:
        forward_state = backward_state = None
        if initial_state is not None:
            states = list(initial_state)
            if len(states) % 2:
                raise InputError(
                    f"{self._place}: got {len(states)} initial states; it needs as many for each direction."
                )
            forward_state, backward_state = states[: len(states) // 2], states[len(states) // 2 :]
        forward = self.forward_layer(sequences, initial_state=forward_state, mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=backward_state, mask=mask, training=training)
        states = []
        if self.return_state:
            states = [*forward[1:], *backward[1:]]
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = jnp.flip(backward, axis=1)
        output = MERGES[self.merge_mode](forward, backward)
        if not states:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def compute_mask(self, inputs: PyTree[Array], previous_mask: PyTree[Array]) -> Any:
        masks = jax.tree.leaves(previous_mask)
        mask = masks[0] if masks and self.return_sequences else None
        outputs = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            return outputs + [None] * (2 * len(self.forward_layer.state_size))
        return outputs if self.merge_mode is None else mask


def _direction(layer: Layer, name: str | None, **changes: Any) -> Any:
    """A copy, named after its direction, that shares nothing with the original layer."""
    if name is not None:
        own = layer.name or snake_case(type(layer).__name__)
        changes["name"] = f"{name}_{own.removeprefix('forward_').removeprefix('backward_')}"
    arguments_copy = copy.deepcopy(layer._arguments())
    known = {*arguments_copy, *type(layer)._fields}
    if "zero_output_for_mask" in known and isinstance(layer, Directed):
        changes["zero_output_for_mask"] = layer.return_sequences
    accepted = {key: value for key, value in changes.items() if key in known or takes_any(type(layer))}
    return type(layer)(**{**arguments_copy, **accepted})


def _carrying(layer: Layer, weights: Sequence[Any]) -> Layer:
    """A built-in recurrent layer that supplies initial weights to the models that contain it."""
    if not isinstance(layer, ReadyRNN):
        raise ArgumentError(
            f"Bidirectional(weights=...): the weights of {layer!r} have no known order; set them in the model."
        )
    names = ["kernel", "recurrent_kernel", "bias"][: 2 + layer.cell.use_bias]
    try:
        arrays = {name: jnp.asarray(weight) for name, weight in zip(names, weights, strict=True)}
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"Bidirectional(weights=...): expected arrays for {', '.join(names)}: {error}") from None
    return layer._taken_from(Origin(None, None, lambda: {"params": {"cell": arrays}}))


__all__ = ["Bidirectional"]
