"""Functions and modules of other JAX libraries as layers: JaxLayer and FlaxLayer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, cast

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.paths import path_text
from jkeras.tracing import concrete
from jkeras.types import Array, DTypeLike, PyTree, Shape
from jkeras.values.fields import field
from jkeras.values.frozen import thawed

_TAKES = ("params", "state", "rng", "inputs", "training")


def weight_name(path: tuple[Any, ...], trainable: bool) -> str:
    """The name of the weight that keeps the leaf at a path of a guest's parameters or state."""
    name = path_text(path, ".")
    return (name if trainable else f"state.{name}") or "value"


class _Guest(Layer):
    """Stores a guest's parameters and state as weights, one per leaf.

    Shapes: those of the guest's inputs and outputs; the batch axis comes first.
    """

    # In a bound copy: parameters and state, as the guest knows them, and the names of the weights that keep the state.
    _guest_trees: ClassVar[tuple[Any, Any] | None] = None
    _state_names: ClassVar[tuple[str, ...]] = ()

    def _trees(self, inputs: PyTree[Array]) -> tuple[Any, Any]:
        """Makes the weights on first use; parameters and state as the guest knows them."""
        if self._guest_trees is None:
            key = jax.random.key(0)
            shapes = jax.eval_shape(lambda k, x: self._initial(k, x), key, inputs)
            inner: dict[str, Any] = {}

            def weight(index: int, path: tuple[Any, ...], leaf: PyTree[Array], trainable: bool) -> jax.Array:
                def initializer(shape: Shape, dtype: DTypeLike | None, key: Array) -> jax.Array:
                    # One run of the guest's initialisation serves all its weights.
                    if "leaves" not in inner:
                        inner["leaves"] = jax.tree.leaves(self._initial(key, inputs))
                    result: jax.Array = inner["leaves"][index]
                    return result

                # Under mixed precision the guest computes in the compute type; its state stays exact.
                return self.add_weight(
                    leaf.shape,
                    initializer,
                    str(leaf.dtype),
                    trainable=trainable,
                    autocast=trainable,
                    name=weight_name(path, trainable),
                )

            index, trees = 0, []
            for tree, trainable in zip(shapes, (True, False), strict=True):
                leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
                weights = [weight(index + i, path, leaf, trainable) for i, (path, leaf) in enumerate(leaves)]
                index += len(leaves)
                trees.append(jax.tree.unflatten(structure, weights))
            names = [self.scope_for("a guest").name_of(leaf) for leaf in jax.tree.leaves(trees[1])]
            vars(self).update(_guest_trees=(trees[0], trees[1]), _state_names=tuple(names))
        return cast(tuple[Any, Any], self._guest_trees)

    def _keep(self, state: PyTree[Array]) -> None:
        """Records the new state."""
        params, old = cast(tuple[Any, Any], self._guest_trees)
        structure: Any = jax.tree.structure(state)
        if structure != jax.tree.structure(old):
            raise InputError(
                f"{self._place}: the state returned has the structure {structure}; at the start it was"
                f" {jax.tree.structure(old)}."
            )
        for name, value in zip(self._state_names, jax.tree.leaves(state), strict=True):
            self.scope_for("a guest").assign(name, value)
        vars(self).update(_guest_trees=(params, state))

    def _initial(self, key: Array, inputs: PyTree[Array]) -> tuple[Any, Any]:
        raise NotImplementedError


def _takes(function: Callable[..., Any], allowed: tuple[str, ...], name: str) -> list[str]:
    """The arguments of a function, in order."""
    parameters = list(inspect.signature(function).parameters)
    unknown = [argument for argument in parameters if argument not in allowed]
    if unknown or "inputs" not in parameters:
        raise ArgumentError(
            f"JaxLayer({name}=...): its arguments are {parameters}; it must take 'inputs' and may take"
            f" {', '.join(map(repr, (a for a in allowed if a != 'inputs')))}."
        )
    return parameters


class JaxLayer(_Guest):
    """A JAX function as a layer, with its parameters and state as weights.

    Args:
        call_fn: takes `inputs` and any of `params`, `state`, `rng` and `training`, by these names; returns the
            outputs, or `(outputs, state)` if it takes `state`. The `rng` is a key in training and None otherwise.
        init_fn: takes `inputs` and any of `rng` and `training`; returns `params`, or `(params, state)`.
        params: initial parameters instead of `init_fn`, any pytree.
        state: initial state.
        seed: mixed into the keys.
        native_serialization_platforms: accepted for compatibility with Keras.

    >>> import jax.numpy as jnp
    >>> double = JaxLayer(lambda inputs: inputs * 2)
    >>> double(jnp.ones(2)).tolist()
    [2.0, 2.0]
    """

    call_fn: Callable[..., Any] = field(convert=arguments.function)
    init_fn: Any = field(default=None, convert=arguments.optional(arguments.function))
    params: Any = field(default=None, in_config=False)
    state: Any = field(default=None, in_config=False)
    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer), in_config=False)
    native_serialization_platforms: Any = None

    def __post_init__(self) -> None:
        takes = _takes(self.call_fn, _TAKES, "call_fn")
        if self.init_fn is not None:
            _takes(self.init_fn, ("rng", "inputs", "training"), "init_fn")
        elif self.params is None and self.state is None and {"params", "state"} & set(takes):
            raise ArgumentError(
                "JaxLayer: `call_fn` takes `params` or `state`, so give `init_fn`, or initial `params` and `state`."
            )

    def _initial(self, key: Array, inputs: PyTree[Array]) -> tuple[Any, Any]:
        takes = list(inspect.signature(self.call_fn).parameters)
        if self.params is not None or self.state is not None or not {"params", "state"} & set(takes):
            variables = thawed(({} if self.params is None else self.params, self.state or {}))
            initial: tuple[Any, Any] = jax.tree.map(jnp.asarray, variables)
            return initial
        offered = {"rng": key, "inputs": inputs, "training": True}
        result = self.init_fn(*(offered[name] for name in inspect.signature(self.init_fn).parameters))
        return result if "state" in takes else (result, {})

    def call(self, inputs: PyTree[Array], training: bool | None = None) -> Any:
        takes = list(inspect.signature(self.call_fn).parameters)
        params, state = self._trees(inputs)
        offered = {"params": params, "state": state, "inputs": inputs, "training": bool(training)}
        if "rng" in takes:
            offered["rng"] = self.make_rng(self.seed) if training else None
        result = self.call_fn(*(offered[name] for name in takes))
        if "state" not in takes:
            return result
        outputs, new = result
        self._keep(new)
        return outputs


class FlaxLayer(_Guest):
    """A Flax module, Linen or NNX, as a layer.

    The parameters become trainable weights, everything else (batch statistics, caches) state of the model. A Linen
    module is initialised by the model; an NNX module brings its values along, and is copied: the object given never
    changes. A module whose call takes `training`, and a Linen module whose call takes `train` or `deterministic`, is
    given it; an NNX module is also put into `train()` or `eval()`.

    Args:
        module: a `flax.linen.Module` or a `flax.nnx.Module`.
        method: the method called instead of `__call__`.
        variables: initial variables of a Linen module.

    >>> import flax.linen as nn
    >>> FlaxLayer(nn.Dense(3)).compute_output_shape((None, 4))
    (None, 3)
    """

    module: Any
    method: Any = None
    variables: Any = field(default=None, in_config=False)

    def __post_init__(self) -> None:
        with concrete():  # what Flax computes while it is imported is not part of a trace
            from jkeras.graph import linen
        guest = linen.guest(self.module, self.method)
        if guest is None:
            raise ArgumentError(
                f"FlaxLayer(module={self.module!r}): expected an instance of flax.linen.Module or flax.nnx.Module."
            )
        self.guest = guest
        if isinstance(guest, linen.NnxGuest):
            # An NNX object is mutable; what the layer keeps is its value.
            self.module = guest

    def _initial(self, key: Array, inputs: PyTree[Array]) -> tuple[Any, Any]:
        if self.variables is not None:
            variables = thawed(self.variables)
            params = variables.pop("params", {})
            result: tuple[Any, Any] = jax.tree.map(jnp.asarray, (params, variables))
            return result
        return self.guest.init(key, inputs, True)

    def call(self, inputs: PyTree[Array], training: bool | None = None) -> Any:
        params, state = self._trees(inputs)
        rng = self.make_rng() if training else None
        outputs, new = self.guest.apply(params, state, rng, inputs, bool(training))
        self._keep(new)
        return outputs


__all__ = ["FlaxLayer", "JaxLayer"]
