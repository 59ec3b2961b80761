"""Converts optimizer states of Keras 1 and 2 to the order of Keras 3: step, learning rate, then groups of slots.

Until 2.10, and later in `optimizers.legacy`, all first slots came first, then all second ones. Since 2.11 the slots of a weight
are adjacent, as today, but the learning rate and some of Keras 3's arrays are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from jkeras.errors import RestoreError

Arrays: TypeAlias = list[np.ndarray]
Config = Mapping[str, Any]

# The number of slots in each of today's groups, by class; other classes have one group with all of them.
GROUPS = {"Adam": (2, 1), "RMSprop": (1, 1, 1)}
# The slots of legacy optimizers, by the last part of their names, in today's order.
LEGACY_SLOTS = ("m", "v", "vhat", "rms", "momentum", "mg", "accumulator", "linear", "accum_grad", "accum_var")


def of_today(
    class_name: str,
    config: Config,
    arrays: Arrays,
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str] = (),
    orders: Sequence[Sequence[int]] = (),
) -> Arrays:
    """The arrays of an optimizer's state in the order of Keras 3.

    Args:
        class_name: the optimizer's class.
        config: its arguments.
        arrays: what the file holds.
        shapes: the shapes of the trainable weights, in today's order.
        names: the names of the arrays; empty for `.keras` files, which exist since 2.11.
        orders: the possible old orders of the weights, as indices in today's order.

    Raises:
        RestoreError: the arrays do not match the weights in any of the orders.
    """
    if not arrays or not shapes or (len(arrays) <= 2 and arrays[0].shape == () and not int(arrays[0])):
        return []  # no step has been made yet
    inner = config.get("inner_optimizer")
    if isinstance(inner, Mapping):
        scale = np.asarray(config.get("initial_scale") or 1.0, np.float32)
        own: Arrays = [np.zeros((), np.int32), np.zeros((), np.float32), np.zeros((), np.int32), scale]
        slots = of_today(str(inner.get("class_name")), inner.get("config") or {}, arrays, shapes, names, orders)
        return own + slots if slots else []
    if not names or _last(names[0]) == "iteration":
        return _side_by_side(class_name, config, arrays, shapes)
    return _slot_by_slot(class_name, config, arrays, shapes, names, orders or [range(len(shapes))])


def _last(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _head(step: Any, config: Config) -> Arrays:
    """The step, and the learning rate unless it follows a schedule."""
    rate = config.get("lr", config.get("learning_rate", 0.001))
    follows = isinstance(rate, Mapping) or (config.get("decay") and "schedule_decay" not in config)
    return [np.asarray(step).astype(np.int32), *([] if follows else [np.asarray(rate, np.float32)])]


# -- since 2.11 ------------------------------------------------------------------------------------------------------------


def _side_by_side(class_name: str, config: Config, arrays: Arrays, shapes: Sequence[tuple[int, ...]]) -> Arrays:
    step, slots = arrays[0], arrays[1:]
    if slots and slots[0].shape == () and len(slots) % len(shapes) == 1 % len(shapes):
        slots = slots[1:]  # the learning rate
    after: Arrays = []
    if class_name == "SGD" and not config.get("momentum"):
        slots = slots[: len(slots) - len(shapes)]
    if class_name == "Nadam":
        after = [_momentum_product(config, int(step))]
    if class_name == "Adafactor":
        slots = _with_places(slots, shapes, bool(config.get("use_ema")))
    return [*_head(step, config), *slots, *after]


def _momentum_product(config: Config, step: int) -> np.ndarray:
    """The product of Nadam's momenta, which Keras 3 stores and Keras 2 did not."""
    beta = config.get("beta_1", 0.9)
    factors = [beta * (1 - 0.5 * 0.96**t) for t in range(1, min(step, 100_000) + 1)]
    return np.asarray(np.prod(factors), np.float32)


def _with_places(slots: Arrays, shapes: Sequence[tuple[int, ...]], averaged: bool) -> Arrays:
    """The slots of Adafactor; Keras 3 also has rows and columns for vectors, which are unused."""
    pairs = slots[: len(shapes)] if averaged else []
    left = iter(slots[len(pairs) :])
    for shape in shapes:
        pairs += (
            [np.zeros((), np.float32), np.zeros((), np.float32), *_some(left, 1)] if len(shape) < 2 else _some(left, 3)
        )
    return pairs + list(left)


def _some(values: Any, count: int) -> Arrays:
    return [value for _, value in zip(range(count), values, strict=False)]


# -- before, and legacy ----------------------------------------------------------------------------------------------------


def _slot_by_slot(
    class_name: str,
    config: Config,
    arrays: Arrays,
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str],
    orders: Sequence[Sequence[int]],
) -> Arrays:
    count = len(shapes)
    has_step = arrays[0].shape == () and (shapes[orders[0][0]] != () or _last(names[0]) in ("iter", "iterations"))
    step, slots, names = (arrays[0], arrays[1:], names[1:]) if has_step else (np.int32(0), arrays, names)
    after: Arrays = []
    if class_name == "Nadam":
        cache = [i for i, name in enumerate(names) if _last(name) == "momentum_cache"]
        after = [slots[cache[0]] if cache else _momentum_product(config, int(step))]
        slots = [slot for i, slot in enumerate(slots) if i not in cache]
        names = [name for i, name in enumerate(names) if i not in cache]
    if names and all(_last(name) in LEGACY_SLOTS for name in names):
        by_slot = sorted(range(len(slots)), key=lambda i: LEGACY_SLOTS.index(_last(names[i])))
        slots = [slots[i] for i in by_slot]  # those of `Ftrl` are adjacent
    if len(slots) % count:
        slots = slots[len(slots) % count :] if class_name == "Nadam" else slots[: len(slots) - len(slots) % count]
    if class_name == "Adam" and not config.get("amsgrad"):
        slots = slots[: 2 * count]  # Keras 2 wrote empty third slots
    if class_name == "SGD" and not config.get("momentum"):
        slots = []
    rounds = len(slots) // count
    for order in orders:
        if all(slots[k * count + j].shape == shapes[i] for k in range(rounds) for j, i in enumerate(order)):
            break
    else:
        raise RestoreError(f"the state of {class_name} in the file does not match the model's weights.")
    position = {i: j for j, i in enumerate(order)}
    ordered: Arrays = []
    first = 0
    for size in (*GROUPS.get(class_name, ()), rounds):
        group = range(first, min(first + size, rounds))
        ordered += [slots[k * count + position[i]] for i in range(count) for k in group]
        first += size
    return [*_head(step, config), *ordered, *after]
