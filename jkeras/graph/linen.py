"""The only file that uses Flax: definitions as Linen modules, and users' Flax modules as layers. Only they load it.

The variables of a definition, `{"params": ..., "state": ...}`, are those of Flax's functional scopes: each layer has one,
named by attribute, or by layer name inside a functional model. So any Flax program can use `to_module(model)`, whose weights,
random numbers and updates are those of the model itself.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.core import Scope

from jkeras.arguments import name_of
from jkeras.graph.layer_scope import Record
from jkeras.graph.passes import StoreScope
from jkeras.graph.scope import BoundLayer, Path, Run, WeightInfo
from jkeras.graph.variables import Draw
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
        record = Record(making=self.is_initializing())
        scope = StoreScope(self.layer.value, run, record, store=FlaxStore(cast("Scope", self.scope)))
        return scope.layer(*args, **kwargs)


class FlaxStore:
    """Weights in a Flax scope, with an inner scope for each layer inside (`graph.variables.WeightStore`)."""

    def __init__(self, scope: Scope):
        self._scopes: dict[Path, Scope] = {(): scope}

    def _at(self, path: Path) -> Scope:
        if path not in self._scopes:
            self._scopes[path] = self._at(path[:-1]).push(path[-1])
        return self._scopes[path]

    def is_mutable(self, collection: str) -> bool:
        """See `WeightStore`."""
        return self._scopes[()].is_mutable_collection(collection)

    def read(self, collection: str, path: Path) -> jax.Array | None:
        """See `WeightStore`."""
        value: jax.Array | None = self._at(path[:-1]).get_variable(collection, path[-1])
        return value

    def make(self, weight: WeightInfo, draw: Draw) -> jax.Array:
        """See `WeightStore`."""
        scope, name = self._at(weight.path[:-1]), weight.path[-1]
        if weight.collection == "params":
            return scope.param(name, draw)
        key = scope.make_rng("params") if scope.has_rng("params") else None
        state: jax.Array = scope.variable(weight.collection, name, draw, key).value
        return state

    def write(self, path: Path, value: jax.Array) -> None:
        """See `WeightStore`."""
        self._at(path[:-1]).put_variable("state", path[-1], value)


def to_module(layer: BoundLayer) -> LayerModule:
    """The Linen module of a definition: `to_module(model).apply(variables, x, training=True, rngs={"dropout": key})`."""
    return LayerModule(Held(layer))


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
