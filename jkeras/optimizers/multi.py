"""Different optimizers for different weights."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp

from jkeras import arguments, registry
from jkeras.errors import ArgumentError, InputError
from jkeras.optimizers.base import BaseOptimizer
from jkeras.optimizers.optax_optimizer import OptaxOptimizer
from jkeras.optimizers.optimizer import Optimizer
from jkeras.optimizers.table import RULES, resolve
from jkeras.paths import by_path, with_leaves
from jkeras.types import Array, ArrayLike, ArrayTree, Converted, OptimizerLike
from jkeras.values.fields import field
from jkeras.values.spec import Spec


@dataclasses.dataclass(frozen=True)
class Weight:
    """The description of a weight that is passed to a function that chooses optimizers."""

    path: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def name(self) -> str:
        """The last part of the path, such as "kernel"."""
        return self.path.rpartition("/")[2]


def _rule(value: object) -> BaseOptimizer:
    optimizer = resolve(RULES, value)
    if not isinstance(optimizer, Optimizer | OptaxOptimizer):
        raise ArgumentError("expected an optimizer other than a LossScaleOptimizer or a MultiOptimizer")
    # The MultiOptimizer unscales the gradients, not its parts.
    return optimizer.replace(loss_scale_factor=None) if isinstance(optimizer, Optimizer) else optimizer


def _rules(value: object) -> dict[str, BaseOptimizer]:
    pairs = tuple(value.items()) if isinstance(value, Mapping) else arguments.entries(() if value is None else value)
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ArgumentError("expected pairs of a pattern and an optimizer")
    if len({pattern for pattern, _ in pairs}) < len(pairs):
        raise ArgumentError("expected each pattern once")
    return {pattern: _rule(optimizer) for pattern, optimizer in pairs}


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches a pattern: the path itself, a glob, or a regular expression that matches all of it.

    >>> [matches(pattern, "conv2d/kernel") for pattern in ("conv*", "conv2d/.*", ".*/(kernel|bias)", "kernel")]
    [True, True, True, False]
    """
    if pattern == path or fnmatch.fnmatchcase(path, pattern):
        return True
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:  # a glob such as "*/kernel" is not a regular expression
        return False


class OptimizerMap(Spec):
    """Which optimizer a weight gets: that of the first pattern that matches its path, else the default.

    Args:
        default_optimizer: the optimizer of weights that match no pattern; with None, such weights are an error.
        optimizer_map: pattern -> optimizer, in order of preference; for patterns see `matches`.

    Raises:
        ArgumentError: a value is not an optimizer.

    >>> from jkeras.optimizers import SGD, Adam
    >>> optimizers = OptimizerMap(Adam(), {"encoder/*": SGD()})
    >>> optimizers["encoder/dense/kernel"], optimizers["decoder/dense/kernel"]
    (SGD(), Adam())
    """

    keras_module = "keras.optimizers"

    default_optimizer: Converted[OptimizerLike | None, BaseOptimizer | None] = field(convert=arguments.optional(_rule))
    optimizer_map: Converted[Mapping[str, Any] | Sequence[Any] | None, Mapping[str, BaseOptimizer]] = field(
        default=None, convert=_rules
    )

    def __getitem__(self, path: str) -> BaseOptimizer:
        return self.optimizers[self.index(path)]

    def __call__(self, weight: Any) -> BaseOptimizer:
        return self[weight.path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __len__(self) -> int:
        return len(self.optimizer_map)

    @property
    def optimizers(self) -> tuple[BaseOptimizer, ...]:
        """The optimizers in the order of their patterns, with the default last."""
        default = () if self.default_optimizer is None else (self.default_optimizer,)
        return (*self.optimizer_map.values(), *default)

    def index(self, path: str) -> int:
        """The index in `optimizers` of the optimizer for a path."""
        if path in self.optimizer_map:
            return list(self.optimizer_map).index(path)
        for index, pattern in enumerate(self.optimizer_map):
            if matches(pattern, path):
                return index
        if self.default_optimizer is None:
            raise InputError(
                f"No pattern of the MultiOptimizer matches the weight {path!r};"
                f" the patterns are {', '.join(map(repr, self.optimizer_map))}."
            )
        return len(self.optimizer_map)

    def map(self, function: Callable[[BaseOptimizer], BaseOptimizer]) -> OptimizerMap:
        """A copy with every optimizer replaced by `function(optimizer)`."""
        default = None if self.default_optimizer is None else function(self.default_optimizer)
        return OptimizerMap(default, {pattern: function(o) for pattern, o in self.optimizer_map.items()})


class MultiState(NamedTuple):
    """The number of updates, and the state of each optimizer for its own weights."""

    iterations: jax.Array
    inner: tuple[Any, ...]


def _chooser(value: object) -> Any:
    if isinstance(value, OptimizerMap):
        return value
    if isinstance(value, Mapping) and "class_name" in value:
        return registry.resolve("optimizer map", {"OptimizerMap": OptimizerMap}, value, OptimizerMap)
    if isinstance(value, Mapping | list | tuple):
        return OptimizerMap(None, value)
    if callable(value):
        return value
    raise ArgumentError("expected pairs of a pattern and an optimizer, an OptimizerMap, or a function of a weight")


class MultiOptimizer(BaseOptimizer):
    """Different optimizers for different weights, each with its own learning rate, clipping and averages.

    Args:
        optimizer_map: a list of pairs (pattern, optimizer), in which the first pattern that matches a weight's path
            decides; a dict from pattern to optimizer; an `OptimizerMap`; or a function from a `Weight` to an optimizer.
        loss_scale_factor: the factor that multiplies the loss and divides all gradients.
        name: the name of the optimizer.

    Raises:
        InputError: there is no optimizer for a weight.

    >>> optimizer = MultiOptimizer([("conv*", "sgd"), ("*", "adam")])
    >>> params = {"conv2d/kernel": jnp.zeros(2), "dense/kernel": jnp.zeros(2)}
    >>> [sorted(state.slots) for state in optimizer.init(params).inner]
    [[], ['momentum', 'velocity']]
    """

    optimizer_map: Any = field(convert=_chooser)
    loss_scale_factor: float | None = field(default=None, convert=arguments.optional(arguments.finite_positive))
    name: str | None = field(default=None, convert=arguments.optional(arguments.text))

    def __post_init__(self) -> None:
        if self.name is None:
            self.name = registry.snake_case(type(self).__name__)

    def groups(
        self, params: ArrayTree, ordered_paths: Sequence[str] | None = None
    ) -> list[tuple[BaseOptimizer, list[str]]]:
        """The optimizers, each with the paths of its weights."""
        leaves = by_path(params)
        paths = list(leaves) if ordered_paths is None else list(ordered_paths)
        if isinstance(self.optimizer_map, OptimizerMap):
            groups: list[tuple[BaseOptimizer, list[str]]] = [(o, []) for o in self.optimizer_map.optimizers]
            for path in paths:
                groups[self.optimizer_map.index(path)][1].append(path)
            return groups
        names_by_optimizer: dict[BaseOptimizer, list[str]] = {}
        for path in paths:
            weight = Weight(path, jnp.shape(leaves[path]), str(jnp.result_type(leaves[path])))
            names_by_optimizer.setdefault(_rule(self.optimizer_map(weight)), []).append(path)
        return list(names_by_optimizer.items())

    def init(self, params: ArrayTree) -> MultiState:
        leaves = by_path(params)
        inner = tuple(o.init({path: leaves[path] for path in paths}) for o, paths in self.groups(params))
        return MultiState(jnp.zeros((), jnp.int32), inner)

    def update(
        self, grads: ArrayTree, state: MultiState, params: ArrayTree | None = None, **extra: Any
    ) -> tuple[Any, MultiState]:
        if params is None:
            raise InputError("MultiOptimizer.update needs the weights: `update(gradients, state, params)`.")
        if self.loss_scale_factor is not None:
            grads = jax.tree.map(lambda g: g / self.loss_scale_factor, grads)
        gradients, weights = by_path(grads), by_path(params)
        updates: dict[str, Any] = {}
        inner = []
        for (optimizer, paths), old in zip(self.groups(params), state.inner, strict=True):
            own_gradients, own_weights = {p: gradients[p] for p in paths}, {p: weights[p] for p in paths}
            own_updates, new = optimizer.update(own_gradients, old, own_weights, **extra)
            updates.update(own_updates)
            inner.append(new)
        return with_leaves(params, updates), MultiState(state.iterations + 1, tuple(inner))

    def get_learning_rate(self, state: MultiState) -> jax.Array:
        raise self._several("read")

    def set_learning_rate(self, state: MultiState, value: ArrayLike) -> MultiState:
        raise self._several("set")

    def _several(self, verb: str) -> InputError:
        return InputError(
            f"A MultiOptimizer has one learning rate per optimizer; {verb} them one by one, with"
            " `optimizer` from `multi.groups(params)` and its state from `state.inner`."
        )

    def scale_loss(self, loss: Array, state: Any) -> Array:
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize(self, params: ArrayTree, state: MultiState) -> ArrayTree:
        leaves = by_path(params)
        final: dict[str, Any] = {}
        for (optimizer, paths), inner in zip(self.groups(params), state.inner, strict=True):
            final.update(optimizer.finalize({path: leaves[path] for path in paths}, inner))
        result: ArrayTree = with_leaves(params, final)
        return result

    def compile_key(self) -> Self:
        if not isinstance(self.optimizer_map, OptimizerMap):
            return self.replace(name=None)
        return self.replace(name=None, optimizer_map=self.optimizer_map.map(lambda o: o.compile_key()))
