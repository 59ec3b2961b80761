"""Everything that training changes, as one immutable pytree."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import jax

from jkeras.errors import FrozenError, SignatureError, suggestion
from jkeras.paths import Flat, filled_tree, named_leaves
from jkeras.types import Array, PyTree
from jkeras.values.frozen import frozen_tree, thawed
from jkeras.values.keys import HashedKey, Keyed


class Arrays(NamedTuple):
    """The parts of a `TrainState` in plain dicts, which programs take and give."""

    params: dict[str, Any]
    model_state: dict[str, Any]
    opt_state: Any
    step: Any
    rng: Any
    metrics: Any = None


class Form(Keyed):
    """The structure of a state. There is one object for each, so that comparing two takes no time.

    Args:
        tree: the structure of the `Arrays` but the key.

    Attributes:
        trains: whether all is there that training needs: an optimizer's state and metrics.
    """

    __slots__ = ("trains", "tree")

    def __init__(self, tree: PyTree[Any]):
        self.tree: PyTree[Any] = tree
        arrays = self.arrays(range(tree.num_leaves))
        self.trains: bool = arrays.opt_state is not None and arrays.metrics is not None

    def _key(self) -> HashedKey:
        return HashedKey((Form, self.tree))

    def arrays(self, leaves: Iterable[Any], rng: Any = None) -> Arrays:
        """The parts of these leaves, and a key."""
        arrays: Arrays = jax.tree.unflatten(self.tree, leaves)
        return arrays._replace(rng=rng)


_form = functools.lru_cache(maxsize=1024)(Form)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(slots=True)
class Packed:
    """The parts of a state but its random key as one list, which JAX takes and gives sooner than nested dicts.

    Attributes:
        leaves: the arrays.
        form: of the state that they are.
    """

    leaves: list[Any]
    form: Form = dataclasses.field(metadata={"static": True})

    def arrays(self, rng: Any = None) -> Arrays:
        """The parts, with a key."""
        return self.form.arrays(self.leaves, rng)


class Held:
    """The arrays of a state as programs take and give them: for programs, because others could write to these dicts.

    They are in the form that they were given in; the other one is made when it is first asked for.

    Attributes:
        unpacked: the parts in plain dicts; None until they are asked for.
        read_only: the parts that users have asked for, by name.
        taken: where the arrays were given away; None if they were not.
    """

    __slots__ = ("_packed", "read_only", "taken", "unpacked")

    def __init__(self, arrays: Arrays | None, packed: tuple[Packed, Any] | None = None):
        self._packed = packed
        self.unpacked = arrays
        self.read_only: dict[str, Any] = {}
        self.taken: Any = None

    def arrays(self) -> Arrays:
        """The parts in plain dicts."""
        arrays = self.unpacked
        if arrays is None:
            packed, rng = self.packed()
            arrays = self.unpacked = packed.arrays(rng)
        return arrays

    def packed(self) -> tuple[Packed, Any]:
        """The parts but the random key, and the key."""
        packed = self._packed
        if packed is None:
            arrays = self.arrays()
            leaves, tree = jax.tree.flatten(arrays._replace(rng=None))
            packed = self._packed = (Packed(leaves, _form(tree)), arrays.rng)
        return packed


@jax.tree_util.register_pytree_with_keys_class
class TrainState:
    """The arrays of a model in training: an immutable pytree.

    Its dicts cannot be written to, and it keeps the structure of what it is made from to itself.

    Attributes:
        params: trainable weights, nested by layer, as Flax has them.
        model_state: non-trainable weights (moving averages, states of stateful layers), nested alike.
        opt_state: the optimizer's state; None before `compile`.
        step: the number of optimizer steps taken, an int32 scalar.
        rng: the root key; every random number is drawn from it folded with a stream's name and the step.
        metrics: running metric states inside an epoch, by name.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).compile("sgd", "mse").init(0)
    >>> state = model.state
    >>> state.params["dense"]["kernel"].shape, int(state.step), state.metrics
    ((4, 2), 0, None)
    """

    __slots__ = ("held",)

    # For programs.
    held: Held

    def __init__(
        self,
        params: Mapping[str, Any],
        model_state: Mapping[str, Any],
        opt_state: PyTree[Array],
        step: jax.Array,
        rng: jax.Array,
        metrics: PyTree[Any] = None,
    ):
        arrays = Arrays(*map(thawed, (params, model_state, opt_state, step, rng, metrics)))
        object.__setattr__(self, "held", Held(arrays))

    @classmethod
    def holding(cls, held: Held) -> Self:
        """The state of arrays that belong to nobody else, such as those that a program returned."""
        state = object.__new__(cls)
        object.__setattr__(state, "held", held)
        return state

    @property
    def params(self) -> Mapping[str, Any]:
        """Trainable weights, nested by layer."""
        result: Mapping[str, Any] = self._read_only("params", self.held.arrays().params)
        return result

    @property
    def model_state(self) -> Mapping[str, Any]:
        """Non-trainable weights, nested by layer."""
        result: Mapping[str, Any] = self._read_only("model_state", self.held.arrays().model_state)
        return result

    @property
    def opt_state(self) -> Any:
        """The optimizer's state."""
        return self._read_only("opt_state", self.held.arrays().opt_state)

    @property
    def forward(self) -> Self:
        """The state without what only training needs: optimizer and metrics."""
        made = self.held.read_only
        if "forward" not in made:
            made["forward"] = self.holding(Held(self.held.arrays()._replace(opt_state=None, metrics=None)))
        result: Self = made["forward"]
        return result

    @property
    def step(self) -> jax.Array:
        """The number of optimizer steps taken."""
        # Whoever asks for this alone does not share the other arrays; see `is_shared`.
        arrays = self.held.unpacked
        result: jax.Array = (self.held.packed()[0].arrays() if arrays is None else arrays).step
        return result

    @property
    def rng(self) -> jax.Array:
        """The root key."""
        arrays = self.held.unpacked
        result: jax.Array = self.held.packed()[1] if arrays is None else arrays.rng
        return result

    @property
    def metrics(self) -> Any:
        """Running metric states by name."""
        return self._read_only("metrics", self.held.arrays().metrics)

    def _read_only(self, part: str, tree: Any) -> Any:
        made = self.held.read_only
        if part not in made:
            advice = (
                f"Change a copy, `{part} = state.{part}.copy()`, and write `state = state.replace({part}={part})`; a model"
                f" with it is `model.with_state(state)`."
            )
            made[part] = frozen_tree(tree, advice)
        return made[part]

    def replace(self, **changes: Any) -> Self:
        """A copy with some parts changed."""
        unknown = set(changes) - set(Arrays._fields)
        if unknown:
            name = min(unknown)
            raise SignatureError(f"TrainState has no part {name!r}.{suggestion(name, Arrays._fields)}")
        return self.holding(Held(self.held.arrays()._replace(**{name: thawed(tree) for name, tree in changes.items()})))

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenError(
            f"A TrainState is immutable; `{name}` cannot be assigned. Write `state = state.replace({name}=...)`."
        )

    def __delattr__(self, name: str) -> None:
        raise FrozenError(f"A TrainState is immutable; `{name}` cannot be deleted.")

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainState, tuple(self.held.arrays())

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={part!r}" for name, part in zip(Arrays._fields, self.held.arrays(), strict=True))
        return f"TrainState({parts})"

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], None]:
        return tuple(zip(_KEYS, self.held.arrays(), strict=True)), None

    def tree_flatten(self) -> tuple[Arrays, None]:
        return self.held.arrays(), None

    @classmethod
    def tree_unflatten(cls, _: None, parts: Any) -> Self:
        return cls.holding(Held(Arrays(*parts)))


_KEYS = tuple(map(jax.tree_util.GetAttrKey, Arrays._fields))


def arrays_of(state: TrainState) -> Arrays:
    """The parts of a state in plain dicts, for programs; what users get are dicts that cannot be written to."""
    return state.held.arrays()


def with_arrays(state: TrainState, **changes: Any) -> TrainState:
    """`state.replace` with dicts that belong to nobody else, such as those that a program returned."""
    return state.holding(Held(state.held.arrays()._replace(**changes)))


def packed_of(state: TrainState) -> tuple[Packed, Any]:
    """The parts of a state but its random key, and the key."""
    return state.held.packed()


def is_shared(state: TrainState) -> bool:
    """Whether others may have the arrays of a state, since it is not just what a program gave and nobody looked into."""
    return state.held.unpacked is not None


def note_taken(state: TrainState, where: Any) -> None:
    """Notes where the arrays of a state were given away."""
    state.held.taken = where


def where_taken(state: TrainState) -> Any:
    """What `note_taken` was told; None where the arrays were not given away."""
    return state.held.taken


def from_packed(packed: Packed, rng: Any) -> TrainState:
    """The state of parts that belong to nobody else, and a key."""
    return TrainState.holding(Held(None, (packed, rng)))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """One batch of data.

    Attributes:
        x: inputs: an array, or a list, tuple or dict of arrays, batch axis first.
        y: targets, likewise, or None.
        sample_weight: weights per sample (or per time step), or None.
        valid: `(batch,)` booleans, False where a row only fills up a ragged last batch; None when all rows are data.

    >>> import numpy as np
    >>> batch = Batch(np.zeros((2, 4)), np.array([0, 1]))
    >>> batch.y.shape, batch.sample_weight
    ((2,), None)
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    valid: Any = None

    def parts(self) -> dict[str, Any]:
        """The data by name, without the mark of rows that fill up."""
        return {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}


KEY_KINDS = ("threefry2x32", "rbg", "unsafe_rbg")


def named_arrays(state: TrainState) -> Flat:
    """The arrays of a state by name: `params/dense/kernel`, `opt_state/...`, `step`, `rng`."""
    arrays = arrays_of(state)
    parts = {"params": arrays.params, "state": arrays.model_state, "opt_state": arrays.opt_state, "step": arrays.step}
    named: Flat = {}
    for part, tree in parts.items():
        named.update(named_leaves(part, tree))
    is_spec = isinstance(state.rng, jax.ShapeDtypeStruct)
    named["rng"] = jax.eval_shape(jax.random.key_data, state.rng) if is_spec else jax.random.key_data(state.rng)
    return named


def filled(template: TrainState, arrays: Mapping[str, Any], key_kind: str) -> TrainState:
    """A state of the structure of `template` with arrays by the names that `named_arrays` gives."""
    parts = arrays_of(template)
    return TrainState(
        params=filled_tree("params", parts.params, arrays),
        model_state=filled_tree("state", parts.model_state, arrays),
        opt_state=filled_tree("opt_state", parts.opt_state, arrays),
        step=filled_tree("step", parts.step, arrays),
        rng=jax.random.wrap_key_data(arrays["rng"], impl=key_impl(key_kind)),
    )


def key_impl(name: str) -> str:
    """JAX's name for the kind of random keys that is written down as `name`."""
    return next((kind for kind in sorted(KEY_KINDS, key=len, reverse=True) if kind in name), KEY_KINDS[0])
