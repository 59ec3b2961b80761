"""`plan`: what a training step would take on accelerators, from the program that their compiler makes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax

from jkeras import arguments
from jkeras.distribute.planning import chips, compiling, hlo
from jkeras.distribute.planning.step import Step, step_of
from jkeras.distribute.planning.value import Compiled, Plan, Target
from jkeras.errors import ArgumentError
from jkeras.training.strategy import Strategy

if TYPE_CHECKING:
    from jkeras.distribute.planning.chips import Topology
    from jkeras.models.model import Model


def plan(
    model: Model,
    batch: Any,
    topology: str = "here",
    strategy: Strategy | None = None,
    *,
    timeout: float | None = None,
) -> Plan:
    """Compiles the training step of a model for accelerators that need not be there, and says what it takes.

    The compiler is the accelerator's own (`pip install 'jkeras[plan]'` brings that for TPUs, `jkeras[plan,cuda12]` that for
    GPUs), and runs in another process. No weights are drawn, nothing is run. Memory, operations, bytes and collectives are
    those of the compiled program; times are lower bounds by the chip's data sheet.

    Args:
        model: a compiled model.
        batch: the number of rows in a batch, all devices together, or a batch: `(x, y)` of arrays or of their shapes
            (`jax.ShapeDtypeStruct`). Of a number, targets are class numbers for sparse losses, else look like the outputs.
        topology: a slice of TPUs (`"v5e:4x4"`, `"v5p:8x8x8"`, `"v6e:16x16"`, `"v4:4x4x8"`), GPUs of one machine (`"h100"`,
            `"h100:8"`), or `"here"`.
        strategy: `DataParallel()`, `FSDP()`, `ModelParallel(...)` or `MirroredStrategy()`, over all of the topology; None
            takes the model's own, and one device if it has none. A `DeviceMesh` for devices that are not here has their
            number: `DeviceMesh((4, 4), ["batch", "model"], devices=16)`.
        timeout: seconds that compiling may take.

    Raises:
        NotCompiledError: the model was not compiled.
        UnknownNameError: there is no such accelerator.
        ArgumentError: another argument has no meaning here.
        InputError: the batch does not match the model, or cannot be divided among the devices.
        ExtraError: the accelerator's compiler is not installed.
        CompilationError: it failed, or took too long.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((512,)), jk.layers.Dense(256)]).compile("adam", "mse")
    >>> plan = jk.distribute.plan(model, batch=64)
    >>> plan.memory["weights"], plan.memory["optimizer"], plan.flops
    (525312.0, 1050632.0, 33554432.0)
    """
    where, timeout = checked_target(topology, timeout)
    if strategy is not None and not isinstance(strategy, Strategy):
        raise ArgumentError(
            f"plan(strategy={arguments.shown(strategy)}): expected a strategy such as `jk.distribute.FSDP()`, or None."
        )
    strategy = strategy or (None if model.recipe is None else model.recipe.distribute)
    step = step_of(model, batch, where, strategy)
    answer = (
        compiling.compile_here(step)
        if where.platform == "here"
        else compiling.compile_elsewhere(step, where, {}, timeout)
    )
    return summed_up(model.name or type(model).__name__, where, strategy, step, answer)


def checked_target(topology: object, timeout: float | None) -> tuple[Topology, int | None]:
    """What a step is planned for, and how many seconds compiling may take, once both are known to be possible.

    Raises:
        UnknownNameError: there is no such accelerator.
        ArgumentError: `timeout` is not at least 1.
        ExtraError: the accelerator's compiler is not installed.
    """
    where = chips.parse(topology, [device.device_kind for device in jax.devices()])
    seconds = arguments.checked("plan", "timeout", timeout, arguments.optional(arguments.at_least(1)))
    compiling.check_extra(where)
    return where, seconds


def summed_up(name: str, where: Topology, strategy: Strategy | None, step: Step, answer: compiling.Answer) -> Plan:
    """What a compiler's answer says of a step."""
    module = hlo.Module(answer.text, step.devices)
    state = sum(step.sizes.values())
    sizes = answer.memory
    total = sizes.get("argument", state) + sizes.get("output", 0) - sizes.get("alias", 0)
    memory = {
        **step.sizes,
        "temporaries": sizes.get("temp", 0),
        "padding": max(total - state, 0),
        "program": sizes.get("generated_code", 0),
    }
    capacity = where.chip.memory if where.chip is not None else _memory_here(where)
    donated = sizes.get("alias", 0)
    return Plan(
        model=name,
        strategy="one device" if strategy is None else repr(strategy),
        devices=step.devices,
        batch_size=step.batch_size,
        dtype=step.dtype,
        memory=memory,
        target=Target(where.name, where.chip, answer.kind, where.size, capacity),
        compiled=Compiled(
            module.cost(), donated, module.callbacks, module.float64, answer.seconds, answer.peak, answer.text
        ),
    )


@functools.lru_cache(maxsize=1)
def _here() -> dict[str, int]:
    return dict(jax.devices()[0].memory_stats() or {})


def _memory_here(where: Topology) -> float | None:
    return _here().get("bytes_limit") if where.platform == "here" else None
