"""Passes: a definition runs once, with given weights or while they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.graph.layer_scope import LayerScope, Record
from jkeras.graph.scope import BoundLayer, Path, Run, WeightInfo, WeightOptions
from jkeras.graph.variables import Variables, WeightStore
from jkeras.types import Array


class StoreScope(LayerScope):
    """Provides a bound layer with weights from a store, where those that are missing are made."""

    def __init__(
        self,
        layer: BoundLayer,
        run: Run,
        record: Record,
        names: Path = (),
        parent: Any = None,
        *,
        store: WeightStore,
    ):
        self._store = store
        super().__init__(layer, run, record, names, parent)

    def _inner(self, name: str, layer: BoundLayer) -> StoreScope:
        return StoreScope(layer, self.run, self.record, (*self.names, name), self.layer, store=self._store)

    def _value(self, name: str, info: WeightInfo, options: WeightOptions) -> jax.Array:
        value = self._store.read(info.collection, info.path)
        if value is not None:
            return value
        if not self._store.is_mutable(info.collection):
            raise InputError(
                f"{self.path}: the weight {name!r} is not among the weights that the call was given. Pass those of a"
                " model with these layers, `model.params`, or those that `init` returns."
            )

        def draw(key: Array | None) -> jax.Array:
            return jnp.asarray(info.initializer(info.shape, dtype=info.dtype, key=key), info.dtype)

        return self._store.make(info, draw)

    def _replace(self, name: str, value: jax.Array) -> None:
        if not self._store.is_mutable("state"):
            return
        path = (*self.names, name)
        old: Any = self._store.read("state", path)
        if value.shape != old.shape:
            raise InputError(f"{self.path}: state {name!r} has shape {old.shape}, cannot become {value.shape}.")
        self._store.write(path, value.astype(old.dtype))


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
    if variables is None:
        store = Variables({"params": {}, "state": {}}, jax.random.key(0) if key is None else key)
    else:
        store = Variables({name: variables.get(name, {}) for name in ("params", "state")})
    outputs = StoreScope(layer, this_run, record, parent=parent, store=store).layer(*args, **kwargs)
    params = store.collected("params") if variables is None else store.given["params"]
    all_variables: dict[str, Any] = {"params": params, "state": store.collected("state")}
    return Pass(outputs, all_variables["state"], this_run, record), all_variables
