"""The arrays of an optimizer's state in the order of Keras's `optimizer.variables`, in which Keras saves them.

The order is: iteration; learning rate, unless it follows a schedule; averages; accumulators; then slots, by group, weight and
slot; scalars last. Keras counts gradients, so its iteration is jkeras's times the accumulation steps, plus the number of
gradients in the accumulator. Optimizers that wrap others have their own iteration and learning rate, followed by the arrays
of the wrapped ones.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import RestoreError
from jkeras.optimizers.base import BaseOptimizer, place_like
from jkeras.optimizers.loss_scale import LossScaleOptimizer, LossScaleState
from jkeras.optimizers.multi import MultiOptimizer, MultiState, OptimizerMap
from jkeras.optimizers.optimizer import Optimizer, OptimizerState
from jkeras.paths import by_path, with_leaves
from jkeras.types import Array


class KerasVariable(NamedTuple):
    """One array of an optimizer's state, with Keras's name."""

    name: str
    value: Any


@functools.singledispatch
def variables(optimizer: BaseOptimizer, state: Any, ordered_paths: Sequence[str]) -> list[KerasVariable]:
    """The state's arrays in the order of Keras's `optimizer.variables`.

    Args:
        optimizer: the optimizer.
        state: its state.
        ordered_paths: the paths of the trainable weights in the order of Keras's `model.trainable_variables`.

    Raises:
        NotImplementedError: Keras has no such optimizer.
    """
    raise NotImplementedError(f"{type(optimizer).__name__} has no counterpart in Keras files.")


@functools.singledispatch
def read(optimizer: BaseOptimizer, values: Sequence[Any], state: Any, ordered_paths: Sequence[str]) -> Any:
    """The inverse of `variables`: a copy of `state` with the arrays `values`.

    Raises:
        RestoreError: the number of arrays or a shape does not match.
        NotImplementedError: Keras has no such optimizer.
    """
    raise NotImplementedError(f"{type(optimizer).__name__} has no counterpart in Keras files.")


class _Reader:
    """Returns the arrays of a Keras file one by one, after checking them against those that they replace."""

    def __init__(self, values: Sequence[Any]):
        self.values: list[Any] = list(values)
        self.position = 0

    def take(self, name: str, old: Array) -> jax.Array:
        """The next array, with the dtype and sharding of `old`."""
        if self.position >= len(self.values):
            raise RestoreError(f"The optimizer state ends at array {self.position}, before {name!r}.")
        value = np.asarray(self.values[self.position])
        if value.shape != jnp.shape(old):
            raise RestoreError(
                f"Array {self.position} of the optimizer state ({name!r}) has shape {value.shape},"
                f" expected {jnp.shape(old)}."
            )
        self.position += 1
        return place_like(value, old)

    def skip(self) -> None:
        """Skips an array without a counterpart in jkeras."""
        self.position += 1

    def finish(self) -> None:
        """Raises an error if arrays are left."""
        if self.position != len(self.values):
            raise RestoreError(
                f"The optimizer state has {len(self.values)} arrays, expected {self.position}:"
                " it was saved by another optimizer or for another model."
            )


# -- one rule ------------------------------------------------------------------------------------------------------


# Field of the state -> Keras's name for the variable of a weight.
def _trees(state: OptimizerState) -> tuple[tuple[str, str, Any], ...]:
    """The trees of a state that precede the slots in Keras: the field, Keras's name, the tree."""
    return ("average", "average", state.average), ("accumulator", "gradient_accumulator", state.accumulator)


@variables.register
def _(optimizer: Optimizer, state: OptimizerState, ordered_paths: Sequence[str]) -> list[KerasVariable]:
    iteration = state.iterations
    if state.micro_step is not None:
        iteration = iteration * (optimizer.gradient_accumulation_steps or 1) + state.micro_step
    cells = [KerasVariable("iteration", iteration)]
    if state.learning_rate is not None:
        cells.append(KerasVariable("learning_rate", state.learning_rate))
    for _, name, tree in _trees(state):
        leaves = by_path(tree)
        cells += [KerasVariable(_name(path, name), leaves[path]) for path in ordered_paths if path in leaves]
    slots = {name: by_path(tree) for name, tree in state.slots.items()}
    for path, name in _places(optimizer, ordered_paths):
        value = slots[name][path] if path in slots[name] else _absent(optimizer, slots, path, name)
        if value is not None:
            cells.append(KerasVariable(_name(path, name), value))
    return cells + [KerasVariable(name, value) for name, value in state.shared.items()]


@read.register
def _(
    optimizer: Optimizer, values: Sequence[Any], state: OptimizerState, ordered_paths: Sequence[str]
) -> OptimizerState:
    reader = _Reader(values)
    changes: dict[str, Any] = {"iterations": reader.take("iteration", state.iterations)}
    if state.micro_step is not None:
        steps = optimizer.gradient_accumulation_steps or 1
        changes["micro_step"] = changes["iterations"] % steps
        changes["iterations"] = changes["iterations"] // steps
    if state.learning_rate is not None:
        changes["learning_rate"] = reader.take("learning_rate", state.learning_rate)
    for field, name, tree in _trees(state):
        old = by_path(tree)
        new = {path: reader.take(_name(path, name), old[path]) for path in ordered_paths if path in old}
        changes[field] = with_leaves(tree, new)
    slots = {name: by_path(tree) for name, tree in state.slots.items()}
    new_slots: dict[str, dict[str, Any]] = {name: {} for name in slots}
    for path, name in _places(optimizer, ordered_paths):
        if path in slots[name]:
            new_slots[name][path] = reader.take(_name(path, name), slots[name][path])
        elif _absent(optimizer, slots, path, name) is not None:
            reader.skip()
    changes["slots"] = {name: with_leaves(tree, new_slots[name]) for name, tree in state.slots.items()}
    changes["shared"] = {name: reader.take(name, value) for name, value in state.shared.items()}
    reader.finish()
    return state._replace(**changes)


def _places(optimizer: Optimizer, ordered_paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    for group in optimizer.slot_groups():
        for path in ordered_paths:
            for name in group:
                yield path, name


def _absent(optimizer: Optimizer, slots: dict[str, dict[str, Any]], path: str, name: str) -> Any:
    return optimizer.keras_slot(name, {n: leaves[path] for n, leaves in slots.items() if path in leaves})


def _name(path: str, name: str) -> str:
    return f"{path.replace('/', '_')}_{name}"


# -- optimizers that wrap others -----------------------------------------------------------------------------------


@variables.register
def _(optimizer: MultiOptimizer, state: MultiState, ordered_paths: Sequence[str]) -> list[KerasVariable]:
    cells = [
        KerasVariable("iteration", state.iterations),
        # Keras's wrapper has a learning rate that is never used.
        KerasVariable("learning_rate", jnp.zeros((), jnp.float32)),
    ]
    for (inner, paths), its_state in zip(_groups(optimizer, ordered_paths), state.inner, strict=True):
        cells += variables(inner, its_state, paths)
    return cells


@read.register
def _(optimizer: MultiOptimizer, values: Sequence[Any], state: MultiState, ordered_paths: Sequence[str]) -> MultiState:
    iterations = _Reader(values[:2]).take("iteration", state.iterations)
    start, states = 2, []
    for (inner, paths), old in zip(_groups(optimizer, ordered_paths), state.inner, strict=True):
        count = len(variables(inner, old, paths))
        states.append(read(inner, values[start : start + count], old, paths))
        start += count
    return MultiState(iterations, tuple(states))


def _groups(optimizer: MultiOptimizer, ordered_paths: Sequence[str]) -> list[tuple[BaseOptimizer, list[str]]]:
    if isinstance(optimizer.optimizer_map, OptimizerMap):
        return optimizer.groups(dict.fromkeys(ordered_paths), ordered_paths)
    raise NotImplementedError(
        "The state of a MultiOptimizer with a function cannot be stored in a Keras file: use an OptimizerMap."
    )


@variables.register
def _(optimizer: LossScaleOptimizer, state: LossScaleState, ordered_paths: Sequence[str]) -> list[KerasVariable]:
    return [
        # Keras's wrapper has its own iteration and learning rate, which are never used.
        KerasVariable("iteration", jnp.zeros((), jnp.int32)),
        KerasVariable("learning_rate", jnp.zeros((), jnp.float32)),
        KerasVariable("step_counter", state.step_counter),
        KerasVariable("dynamic_scale", state.dynamic_scale),
        *variables(optimizer.inner_optimizer, state.inner, ordered_paths),
    ]


@read.register
def _(
    optimizer: LossScaleOptimizer, values: Sequence[Any], state: LossScaleState, ordered_paths: Sequence[str]
) -> LossScaleState:
    own = _Reader(values[:4])
    own.skip()
    own.skip()
    counter, scale = own.take("step_counter", state.step_counter), own.take("dynamic_scale", state.dynamic_scale)
    return LossScaleState(counter, scale, read(optimizer.inner_optimizer, values[4:], state.inner, ordered_paths))
