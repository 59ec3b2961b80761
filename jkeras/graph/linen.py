"""The only file that uses Flax: definitions become Linen modules, and users' Flax modules become layers.

A definition runs in Flax's functional scopes: each layer has one, named by attribute, or by layer name inside a
functional model. So `{"params": ..., "state": ...}` are ordinary Flax variables, and any Flax program can use
`to_module(model)`. The scopes know nothing of methods, which is why any method of a layer may use its weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import sys
from collections.abc import Collection, Mapping
from typing import Any, cast

import flax
import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from jkeras.arguments import name_of
from jkeras.errors import InputError
from jkeras.graph.layer_scope import LayerScope, Record
from jkeras.graph.scope import BoundLayer, Path, Run, WeightInfo, WeightOptions
from jkeras.random_keys import folded
from jkeras.types import Array, PyTree


@dataclasses.dataclass(frozen=True, eq=False)
class Held:
    """Keeps Flax from looking into a value."""

    value: Any


class LayerModule(nn.Module):
    """A layer as a Linen module.

    Attributes:
        layer: the description, held.
    """

    layer: Held

    def __call__(self, *args: Any, training: bool = False, **kwargs: Any) -> Any:
        """Runs the layer as the root of a program; randomness comes from the "dropout" stream."""
        rng = self.make_rng("dropout") if self.has_rng("dropout") else None
        run = Run(training=training, rng=rng)
        return FlaxScope(self.layer.value, run, Record(), flax_scope=self.scope).layer(*args, **kwargs)


class FlaxScope(LayerScope):
    """Provides a bound layer with weights from a Flax scope."""

    def __init__(
        self,
        layer: BoundLayer,
        run: Run,
        record: Record,
        names: Path = (),
        parent: Any = None,
        *,
        flax_scope: Any,
    ):
        self._flax = flax_scope
        super().__init__(layer, run, record, names, parent)

    def _inner(self, name: str, layer: BoundLayer) -> FlaxScope:
        inner = self._flax.push(name)
        return FlaxScope(layer, self.run, self.record, (*self.names, name), self.layer, flax_scope=inner)

    def _value(self, name: str, info: WeightInfo, options: WeightOptions) -> jax.Array:
        def make(key: Array | None = None) -> jax.Array:
            return jnp.asarray(info.initializer(info.shape, dtype=info.dtype, key=key), info.dtype)

        if info.collection == "params":
            # Where there is a value, Flax would trace the initializer to compare shapes.
            if self._flax.has_variable("params", name):
                weight: jax.Array = self._flax.get_variable("params", name)
                return weight
            if not self._flax.is_mutable_collection("params"):
                raise InputError(
                    f"{self.path}: the weight {name!r} is not among the weights that the call was given. Pass those of a"
                    " model with these layers, `model.params`, or those that `init` returns."
                )
            return cast("jax.Array", self._flax.param(name, make))
        key = self._flax.make_rng("params") if self._flax.has_rng("params") else None
        state: jax.Array = self._flax.variable("state", name, make, key).value
        return state

    def _store(self, name: str, value: jax.Array) -> None:
        if not self._flax.is_mutable_collection("state"):
            return
        old: Any = self._flax.get_variable("state", name)
        if value.shape != old.shape:
            raise InputError(f"{self.path}: state {name!r} has shape {old.shape}, cannot become {value.shape}.")
        self._flax.put_variable("state", name, value.astype(old.dtype))


def key_of(root: jax.Array, weight: WeightInfo) -> jax.Array:
    """The key that Flax gives a weight when variables are made from a root key: the root with a hash of its place."""
    place = hashlib.sha1(usedforsecurity=False)
    number = weight.number.to_bytes((weight.number.bit_length() + 7) // 8, "big")
    for part in (*map(str.encode, weight.path[:-1]), number):
        place.update(b"\0" + part if _separates() else part)
    return folded(root, int.from_bytes(place.digest()[:4], "big"))


def _separates() -> bool:
    settings: Any = flax.config  # whose attributes Flax makes while it is imported
    return bool(settings.flax_fix_rng_separator)


def to_module(layer: BoundLayer) -> LayerModule:
    """The Linen module of a definition: `to_module(model).apply(variables, x, training=True, rngs={"dropout": key})`."""
    return LayerModule(Held(layer))


@dataclasses.dataclass
class Pass:
    """The result of one run of a definition."""

    outputs: Any
    state: dict[str, Any]
    run: Run
    record: Record

    @property
    def mask(self) -> Any:
        """The masks of the outputs, or None."""
        return self.run.mask_of(self.outputs)


def run(
    layer: BoundLayer,
    variables: Mapping[str, Any] | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    training: bool = False,
    rng: Array | None = None,
    key: Array | None = None,
    check_finite: bool = False,
    parent: BoundLayer | None = None,
    observe: Collection[str] = (),
) -> tuple[Pass, dict[str, Any]]:
    """Runs a definition once, with given variables, or creating them if they are None.

    Args:
        layer: the definition.
        variables: its variables, or None.
        args: the positional arguments of the call.
        kwargs: the keyword arguments of the call.
        training: whether the pass is part of training.
        rng: the key for dropout and other random layers.
        key: the key of initialisation.
        check_finite: whether to record which layers' outputs are finite.
        parent: a layer, bound elsewhere, from which this one inherits its policy and whether it trains.
        observe: the paths of layers whose inputs are kept.

    Returns:
        The result, and all variables `{"params": ..., "state": ...}`.
    """
    this_run = Run(training=training, rng=rng, finite=[] if check_finite else None)
    this_run.observed = {path: [] for path in observe} or None
    record = Record(making=variables is None)

    def program(scope: Any) -> Any:
        return FlaxScope(layer, this_run, record, parent=parent, flax_scope=scope).layer(*args, **kwargs)

    if variables is None:
        outputs, all_variables = flax.core.init(program)({"params": jax.random.key(0) if key is None else key})
    else:
        collections = {name: variables.get(name, {}) for name in ("params", "state")}
        outputs, updated = flax.core.apply(program, mutable=["state"])(collections)
        all_variables = {**collections, **updated}
    all_variables = {name: all_variables.get(name, {}) for name in ("params", "state")}
    return Pass(outputs, all_variables["state"], this_run, record), all_variables


@dataclasses.dataclass(frozen=True)
class LinenGuest:
    """A user's Linen module as a layer; its collections other than "params" are the model's state."""

    module: nn.Module
    method: Any = None

    def init(self, rng: Array, inputs: PyTree[Any], training: bool) -> tuple[Any, Any]:
        """Fresh parameters and state."""
        keys = dict(zip(("params", "dropout"), jax.random.split(rng), strict=True))
        variables = dict(self.module.init(keys, inputs, method=self.method, **self._flag(training)))
        return variables.pop("params", {}), variables

    def apply(
        self, params: PyTree[Any], state: PyTree[Any], rng: Array | None, inputs: PyTree[Any], training: bool
    ) -> tuple[Any, Any]:
        """Outputs and updated state."""
        variables = {**({"params": params} if params else {}), **state}
        rngs = {} if rng is None else {"dropout": rng}
        mutable = nn.DenyList(["params", "intermediates"])
        outputs, updated = self.module.apply(
            variables, inputs, rngs=rngs, method=self.method, mutable=mutable, **self._flag(training)
        )
        return outputs, {name: updated.get(name, value) for name, value in state.items()}

    def _flag(self, training: bool) -> dict[str, bool]:
        method = getattr(self.module, self.method) if isinstance(self.method, str) else self.method
        takes = inspect.signature(method or self.module.__call__).parameters
        offered = {"training": training, "train": training, "deterministic": not training}
        return {name: value for name, value in offered.items() if name in takes}


@dataclasses.dataclass(frozen=True, eq=False)
class NnxGuest:
    """A user's NNX module as a value: its structure, its parameters, its random streams and its other state."""

    structure: Any
    params: Any
    streams: Any
    state: Any
    method: str = "__call__"

    def init(self, rng: Array, inputs: PyTree[Any], training: bool) -> tuple[Any, Any]:
        """The module's initial parameters and state."""
        return self.params, self.state

    def apply(
        self, params: PyTree[Any], state: PyTree[Any], rng: Array | None, inputs: PyTree[Any], training: bool
    ) -> tuple[Any, Any]:
        """Outputs and updated state."""
        leaves, structure = jax.tree.flatten(self.streams)
        if rng is not None:
            leaves = [
                jax.random.fold_in(rng, i) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
                for i, leaf in enumerate(leaves)
            ]
        from flax import nnx

        module = nnx.merge(self.structure, params, jax.tree.unflatten(structure, leaves), state)
        module.train() if training else module.eval()
        method = getattr(module, self.method)
        flag = {"training": training} if "training" in inspect.signature(method).parameters else {}
        outputs = method(inputs, **flag)
        rest: Any = nnx.split(module, nnx.Param, nnx.RngState, ...)
        return outputs, rest[3]


def guest(module: Any, method: Any = None) -> LinenGuest | NnxGuest | None:
    """A user's Flax module as something that layers can run; None if it is not a Flax module."""
    if isinstance(module, (LinenGuest, NnxGuest)):
        return module
    if isinstance(module, nn.Module):
        return LinenGuest(module, method)
    # NNX takes as long to import as all of jkeras, so only programs that use it pay.
    nnx = sys.modules.get("flax.nnx")
    if nnx is not None and isinstance(module, nnx.Module):
        name = method if isinstance(method, str) else name_of(method) or "__call__"
        split: Any = nnx.split
        structure, params, streams, state = split(module, nnx.Param, nnx.RngState, ...)
        return NnxGuest(structure, params, streams, state, name)
    return None
