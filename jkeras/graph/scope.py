"""The two sides of the protocol: what a bound layer can use, and what the machinery requires of a layer.

A `Run` is one pass through a model: whether it trains, its random key, the masks of the tensors seen so far, the losses
collected. It lives as long as one trace and is never global. A `Scope` gives one bound layer its weights, its place and
its children; `graph/layer_scope.py` and `graph/passes.py` implement it.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self, TypedDict

import jax

from jkeras.errors import InputError
from jkeras.types import Array, ArrayLike, PyTree

Path = tuple[str, ...]


@dataclasses.dataclass
class Run:
    """One pass through a model."""

    training: Any = False
    rng: jax.Array | None = None
    # Keeps each tensor beside its mask, so that an id cannot be reused while the run lasts.
    masks: dict[int, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    losses: list[jax.Array] = dataclasses.field(default_factory=list)
    draws: dict[str, int] = dataclasses.field(default_factory=dict)
    # The layers' (path, flag), finite or not, in order of execution, if requested.
    finite: list[tuple[str, jax.Array]] | None = None
    # The inputs of some layers by path, in order of execution, if requested.
    observed: dict[str, list[Any]] | None = None

    def mask_of(self, value: Any) -> Any:
        """The mask of a tensor, or a structure of masks; None if there is none."""
        if not self.masks:
            return None
        masks = jax.tree.map(lambda leaf: self.masks.get(id(leaf), (None, None))[1], value)
        return masks if any(m is not None for m in jax.tree.leaves(masks)) else None

    def set_mask(self, value: Any, mask: Any) -> None:
        """Attaches a mask (or a structure like `value`) to a tensor or structure of tensors."""
        if mask is None:
            return
        if isinstance(value, (list, tuple)) and isinstance(mask, (list, tuple)) and len(value) == len(mask):
            for one, one_mask in zip(value, mask, strict=True):
                self.set_mask(one, one_mask)
        elif isinstance(value, Mapping) and isinstance(mask, Mapping):
            for key in value:
                self.set_mask(value[key], mask.get(key))
        elif isinstance(value, jax.Array):
            self.masks[id(value)] = (value, mask)

    def make_rng(self, path: str, seed: int | None) -> jax.Array:
        """The run's key folded with a layer's path, its seed and the number of draws it made before.

        Raises:
            InputError: the run has no key.
        """
        if self.rng is None:
            raise InputError(
                f"{path} draws random numbers, so it needs a key: pass `rng=jax.random.key(0)` along with `training=True`."
            )
        count = self.draws.get(path, 0)
        self.draws[path] = count + 1
        key = jax.random.fold_in(self.rng, zlib.crc32(path.encode()))
        if seed is not None:
            key = jax.random.fold_in(key, seed)
        # Numbers of draws are folded apart from seeds, so that the second draw is not the first one with the seed 1.
        return jax.random.fold_in(jax.random.fold_in(key, zlib.crc32(b"draw")), count) if count else key


@dataclasses.dataclass(frozen=True)
class WeightInfo:
    """The description of a weight without its values."""

    path: Path
    shape: tuple[int, ...]
    dtype: str
    trainable: bool  # whether training changes it: made trainable, in a layer that is
    collection: str  # "params" or "state"
    regularizer: Any = None
    constraint: Any = None
    initializer: Any = None
    number: int = 0  # among the weights of its layer, from 1, in the order in which they are made
    overwritten: bool = False  # whether training replaces it by its gradient

    @property
    def name(self) -> str:
        """The path as text, `dense/kernel`."""
        return "/".join(self.path)


class WeightOptions(TypedDict, total=False):
    """How a weight is made and used."""

    initializer: Any
    trainable: bool
    autocast: str | None  # the type in which the layer gets the array; None leaves it
    regularizer: Any
    constraint: Any
    frozen: bool  # no training changes it, though it is among the parameters
    overwritten: bool  # training replaces it by its gradient


class BoundLayer(Protocol):
    """What the machinery requires of a layer: the interface of `graph.layer.Layer`."""

    activity_regularizer: Any
    trainable: bool
    dtype: Any
    autocast: bool
    name: str | None

    def __hash__(self) -> int: ...
    @property
    def mixes_samples(self) -> bool | None: ...
    @property
    def path(self) -> str: ...
    @property
    def compute_dtype(self) -> str: ...
    @property
    def input_spec(self) -> Any: ...
    @property
    def call(self) -> Callable[..., Any]: ...
    @property
    def build(self) -> Callable[..., Any]: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def compute_mask(self, inputs: PyTree[Any], previous_mask: PyTree[Array] | None) -> Any: ...
    @property
    def _inner_forms(self) -> Mapping[str, Mapping[str, Any]]: ...
    def children(self) -> Mapping[str, BoundLayer]: ...
    def _carried(self) -> Mapping[str, Any] | None: ...
    def known_output(self, inputs: PyTree[Any]) -> Any: ...
    def known_weights(self, *args: Any, **kwargs: Any) -> tuple[WeightInfo, ...] | None: ...
    def _bound_copy(self, scope: Any, parent: Any = None) -> Self: ...
    def _bind_children(self, bind: Callable[[str, Any], Any]) -> None: ...


class Scope(Protocol):
    """What a bound layer can use.

    Attributes:
        path: the path of the layer in its model.
        run: the pass that the layer is part of.
        built: whether `build` has run.
        children: the bound layers directly inside, by name.
    """

    path: str
    run: Run
    built: bool
    children: dict[str, Any]

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: WeightOptions) -> jax.Array:
        """The array of a weight, made on first use."""

    def note(self, attribute: str, value: object) -> None:
        """Records an assignment: of a weight to an attribute, or of a new value to a weight."""

    def assign(self, name: str, value: ArrayLike) -> None:
        """Records the new value of a non-trainable weight."""

    def child(self, name: str, layer: Any) -> Any:
        """The bound copy of a layer inside."""

    def call(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs the layer that the scope belongs to."""

    def make_rng(self, seed: int | None) -> jax.Array:
        """A fresh random key."""

    def add_loss(self, value: ArrayLike) -> None:
        """Adds a scalar to the model's loss."""


def walk(layer: Any, path: Path = ()) -> Any:
    """A definition and every layer inside it, with the path of its weights."""
    yield path, layer
    for name, child in layer.children().items():
        yield from walk(child, (*path, name))
