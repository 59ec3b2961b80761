"""Scopes: what every scope does, and those that hold no weights.

A scope belongs to one layer in one run. It creates the bound copy of the layer, binds the layers inside, hands out weights
and records which attribute holds which. Subclasses determine where weights come from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self, cast

import jax
import jax.numpy as jnp

from jkeras import constraints, dtypes, initializers, regularizers
from jkeras.errors import InputError, NotBuiltError
from jkeras.graph.inner_forms import formed
from jkeras.graph.layer_call import call_bound
from jkeras.graph.scope import BoundLayer, Path, Run, WeightInfo, WeightOptions
from jkeras.graph.shapes import Shape
from jkeras.types import ArrayLike


@dataclasses.dataclass
class Record:
    """What a run records about weights and layers."""

    weights: dict[tuple[str, Path], WeightInfo] = dataclasses.field(default_factory=dict)
    # The bound copy of each layer by its description's id: an object that appears twice is shared. The description stands
    # beside it, since layers made in `build` live only as long as the run.
    bound: dict[int, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    # The description of each layer and the policy in force, by the path of its weights.
    definitions: dict[Path, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    making: bool = False  # weights are being made: updates of state are not kept
    assigned: bool = False  # a weight of the state was given a value


class LayerScope:
    """What all scopes have in common (`graph.scope.Scope`).

    Attributes:
        layer: the bound copy.
        names: the path of the layer's weights.
        attributes: which weight an attribute of the bound copy holds.
        state: the names of the non-trainable weights.
    """

    def __init__(self, layer: BoundLayer, run: Run, record: Record, names: Path = (), parent: Any = None):
        self.run = run
        self.record = record
        self.names = names
        self.path: str = "/".join(names)
        self.built: bool = False
        self.children: dict[str, Any] = {}
        self.attributes: dict[str, str] = {}
        self.state: set[str] = set()
        # In a compiled loop, the weights assigned there; see `enter_loop`.
        self.loop: set[str] | None = None
        self._weights: dict[int, tuple[Any, str]] = {}
        self._taken: set[str] = set()
        self._made = 0
        self.layer: Any = layer._bound_copy(self, parent)
        self.layer._bind_children(self.child)

    # -- weights --------------------------------------------------------------------------------------------------

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: WeightOptions) -> jax.Array:
        info = self._declared(name, shape, dtype, options)
        name = info.path[-1]
        value = self._value(name, info, options)
        if value.shape != shape:
            raise InputError(
                f"{self.path}/{name}: the variables given hold an array of shape {value.shape}; the layer needs {shape}."
                " Pass the weights of this model."
            )
        if info.collection == "state":
            self.state.add(name)
        if info.regularizer is not None:
            self.run.losses.append(info.regularizer(value))
        compute_dtype = options.get("autocast")
        if dtype in dtypes.FLOATS and compute_dtype in dtypes.FLOATS:
            value = value.astype(compute_dtype)
        # A new object without a copy, so that two weights that share an array remain distinguishable.
        self._weights[id(value)] = (value, name)
        return value

    def _declared(self, name: str | None, shape: tuple[int, ...], dtype: str, options: WeightOptions) -> WeightInfo:
        name = name or self._unused_name()
        if self.loop is not None:
            raise InputError(f"{self.path}: the weight {name!r} must be made in `build`, not in a later time step.")
        self._claim(name, "weight")
        if any(size is None for size in shape):
            raise InputError(
                f"{self.layer.path}: the weight {name!r} would have shape {shape}; a size of None is not known when weights"
                f" are made. Give the model an input whose sizes other than the batch are known."
            )
        path, collection = (*self.names, name), "params" if options.get("trainable", True) else "state"
        trains = collection == "params" and self.layer.trainable and not options.get("frozen", False)
        regularizer = regularizers.get(options.get("regularizer"))
        constraint = constraints.get(options.get("constraint"))
        self._made += 1
        initializer = _initializer(dtype, options)
        overwritten = options.get("overwritten", False)
        info = WeightInfo(
            path, shape, dtype, trains, collection, regularizer, constraint, initializer, self._made, overwritten
        )
        self.record.weights[collection, path] = info
        return info

    def _value(self, name: str, info: WeightInfo, options: WeightOptions) -> jax.Array:
        """The array of a weight."""
        raise NotImplementedError

    def _unused_name(self) -> str:
        names = ("variable" if i == 0 else f"variable_{i}" for i in range(len(self._taken) + 1))
        return next(name for name in names if name not in self._taken)

    def _claim(self, name: str, what: str) -> None:
        if name in self._taken:
            raise InputError(
                f"{self.layer.path} ({type(self.layer).__name__}): a second {what} is called {name!r}. Each weight and each"
                f" layer directly inside a layer needs a name of its own: `add_weight(..., name=...)`, another attribute."
            )
        self._taken.add(name)

    def name_of(self, value: object) -> str | None:
        """The weight whose array this is, if `add_weight` returned it."""
        array, name = self._weights.get(id(value), (None, None))
        return name if array is value else None

    def note(self, attribute: str, value: object) -> None:
        if attribute in self.attributes:
            self.assign(self.attributes[attribute], cast("ArrayLike", value))
        elif isinstance(value, jax.Array) and (name := self.name_of(value)) is not None:
            self.attributes[attribute] = name

    def assign(self, name: str, value: ArrayLike) -> None:
        if name not in self.state:
            raise InputError(
                f"{self.path}: the weight {name!r} is trainable, so only the optimizer changes it."
                f" Make it with `add_weight(..., trainable=False)` to update it in `call`."
            )
        self.record.assigned = True
        if self.loop is not None:
            self.loop.add(name)
        elif not self.record.making:
            self._replace(name, jnp.asarray(value))

    def _replace(self, name: str, value: jax.Array) -> None:
        """Records the new value of a weight of the state."""

    def put(self, attribute: str, value: Any) -> None:
        """Sets an attribute of the bound copy without recording it."""
        self.layer.__dict__[attribute] = value

    # -- layers ---------------------------------------------------------------------------------------------------

    def child(self, name: str, layer: Any) -> Any:
        if layer.is_bound:
            return layer
        if id(layer) not in self.record.bound:
            self._claim(name, "layer")
            form = formed(self.layer._inner_forms, name, layer)
            inner = self._inner(name, form)
            self.record.bound[id(layer)] = (layer, inner.layer)
            self.record.definitions[inner.names] = (form, inner.layer.dtype)
        self.children[name] = self.record.bound[id(layer)][1]
        return self.children[name]

    def contains(self, name: str, definitions: Mapping[Path, tuple[Any, Any]]) -> None:
        """Records what runs inside as a separate program, by paths from there."""
        self.record.definitions.update({(*self.names, name, *path): entry for path, entry in definitions.items()})

    def _inner(self, name: str, layer: BoundLayer) -> Self:
        """The scope of a layer inside."""
        return type(self)(layer, self.run, self.record, (*self.names, name), self.layer)

    def build(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the layer's `build` once, on the layer's first call or when another layer requests it."""
        if self.built:
            return None
        self.built = True
        with self._place():
            return type(self.layer).build(self.layer, *args, **kwargs)

    def call(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.loop is not None and not self.built:
            raise InputError(f"{self.path} is used in a later time step but not in the first; use it in every step.")
        with self._place():
            return call_bound(self.layer, self, args, kwargs)

    def _place(self) -> Any:
        """Names the operations of a compiled program after the layer, for `jk.profile`."""
        return jax.named_scope(f"{self.names[-1] if self.names else type(self.layer).__name__}.enter")

    # -- randomness and losses ------------------------------------------------------------------------------------

    def make_rng(self, seed: int | None) -> jax.Array:
        return self.run.make_rng(self.path, seed)

    def add_loss(self, value: ArrayLike) -> None:
        self.run.losses.append(jnp.asarray(value, jnp.float32))

    # -- compiled loops -------------------------------------------------------------------------------------------

    def enter_loop(self) -> None:
        """From here on no weights are created, and new values of the state belong to the loop's carry."""
        self.loop = set()

    def leave_loop(self) -> set[str]:
        """The names of the weights that were assigned in the loop."""
        assigned, self.loop = self.loop or set(), None
        return assigned


class WeightlessScope(LayerScope):
    """Runs a layer that has no weights on plain arrays, outside any model."""

    def __init__(self, layer: BoundLayer, run: Run, record: Record, names: Path = (), parent: Any = None):
        super().__init__(layer, run, record, names or (layer.name or type(layer).__name__,), parent)

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: WeightOptions) -> jax.Array:
        raise NotBuiltError(
            f"{self.layer!r} was called on arrays, but it has weights and belongs to no model, so there is nothing to use."
            f" Write `model = Sequential([layer])` and call the model, or keep the weights yourself:"
            f" `variables = layer.init(jax.random.key(0), x); y = layer.apply(variables, x)`."
        )

    def add_loss(self, value: ArrayLike) -> None:
        pass


class DescribingScope(LayerScope):
    """Writes down which weights a layer makes; inside of `jax.eval_shape`, where they have no values."""

    def _value(self, name: str, info: WeightInfo, options: WeightOptions) -> jax.Array:
        return jnp.zeros(info.shape, info.dtype)


class OutlineScope(LayerScope):
    """Records the weights that `build` declares, without computing with them."""

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: WeightOptions) -> Any:
        info = self._declared(name, shape, dtype, options)
        return Shape(info.shape, info.dtype)


def _initializer(dtype: str, options: WeightOptions) -> Any:
    """The function that draws the initial values of a weight."""
    is_float = dtype in dtypes.FLOATS
    return initializers.get(options.get("initializer") or ("glorot_uniform" if is_float else "zeros"))
