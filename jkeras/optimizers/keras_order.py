"""The arrays of an `Optimizer`'s state in the order in which Keras keeps and saves them.

The order: iteration; learning rate, unless a schedule gives it; averages; accumulators; then group by group of slots,
weight by weight, slot by slot; scalars at last. Keras counts gradients, so its iteration is ours times the steps of
accumulation, plus the gradients that wait in the accumulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from jkeras.optimizers.base import KerasVariable, VariableReader
from jkeras.paths import by_path, with_leaves

if TYPE_CHECKING:
    from jkeras.optimizers.optimizer import Optimizer, OptimizerState


# Our field of the state -> Keras's name for the variable of a weight.
def _trees(state: OptimizerState) -> tuple[tuple[str, str, Any], ...]:
    """The trees of a state that Keras keeps before the slots: our name, Keras's name, the tree."""
    return ("average", "average", state.average), ("accumulator", "gradient_accumulator", state.accumulator)


def write(optimizer: Optimizer, state: OptimizerState, ordered_paths: Sequence[str]) -> list[KerasVariable]:
    """See `BaseOptimizer.keras_variables`."""
    iteration = state.iterations
    if state.micro_step is not None:
        iteration = iteration * (optimizer.gradient_accumulation_steps or 1) + state.micro_step
    found = [KerasVariable("iteration", iteration)]
    if state.learning_rate is not None:
        found.append(KerasVariable("learning_rate", state.learning_rate))
    for _, name, tree in _trees(state):
        leaves = by_path(tree)
        found += [KerasVariable(_name(path, name), leaves[path]) for path in ordered_paths if path in leaves]
    slots = {name: by_path(tree) for name, tree in state.slots.items()}
    for path, name in _places(optimizer, ordered_paths):
        value = slots[name][path] if path in slots[name] else _absent(optimizer, slots, path, name)
        if value is not None:
            found.append(KerasVariable(_name(path, name), value))
    return found + [KerasVariable(name, value) for name, value in state.shared.items()]


def read(
    optimizer: Optimizer, values: Sequence[Any], state: OptimizerState, ordered_paths: Sequence[str]
) -> OptimizerState:
    """See `BaseOptimizer.from_keras_variables`."""
    reader = VariableReader(values)
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
    taken: dict[str, dict[str, Any]] = {name: {} for name in slots}
    for path, name in _places(optimizer, ordered_paths):
        if path in slots[name]:
            taken[name][path] = reader.take(_name(path, name), slots[name][path])
        elif _absent(optimizer, slots, path, name) is not None:
            reader.skip()
    changes["slots"] = {name: with_leaves(tree, taken[name]) for name, tree in state.slots.items()}
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
