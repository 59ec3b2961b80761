"""What takes up a device's memory, said where it is not enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jkeras.buffers import is_deleted
from jkeras.console.quantities import amount
from jkeras.errors import DeviceMemoryError
from jkeras.training.layout import CompiledProgram, Loop
from jkeras.training.state import Packed, TrainState, arrays_of
from jkeras.types import PyTree

# How XLA's errors begin where memory is missing, by its codes of status and in older forms.
EXHAUSTED = ("RESOURCE_EXHAUSTED", "Out of memory")


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that a device's memory is not enough."""
    return isinstance(error, jax.errors.JaxRuntimeError) and any(sign in str(error) for sign in EXHAUSTED)


def device_memory_error(
    error: BaseException, name: str, arguments: Mapping[str, PyTree[Any]], temporaries: int | None = None
) -> DeviceMemoryError:
    """The error that says what the memory holds and what to write.

    Args:
        error: what XLA raised.
        name: the name of the program.
        arguments: what it was given, by role: "state", "data", ...
        temporaries: bytes that the program takes beside its arguments and results; None where that is not known.
    """
    state = arguments.get("state")
    sizes: dict[str, int] = {}
    if isinstance(state, (TrainState, Packed)):
        arrays = arrays_of(state) if isinstance(state, TrainState) else state.arrays()
        sizes["the weights"] = _nbytes((arrays.params, arrays.model_state))
        sizes["the optimizer's state"] = _nbytes(arrays.opt_state)
    else:
        sizes["the model's arrays"] = _nbytes(state)
    sizes["the data"] = _nbytes([part for role, part in arguments.items() if role in ("data", "batch")])
    if temporaries is not None:
        sizes["temporaries of the program"] = temporaries
    others = _nbytes(_alive(jax.live_arrays())) - _nbytes(_alive(_leaves(arguments)))
    if others > 0:
        sizes["other arrays that are alive, such as those of a model before `fit`"] = others
    parts = ", ".join(f"{what} {amount(size)}" for what, size in sizes.items() if size)
    limit = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    of = f" The device has {amount(limit)}." if limit else ""
    return DeviceMemoryError(
        f"`{name}`: the device's memory is not enough. It has to hold: {parts}.{of} What takes less: a smaller `batch_size`;"
        " `fit(..., donate=True)`, which trains in the memory of the model that it is called on (`jkeras.keras` always does);"
        " `jk.config.set_dtype_policy('mixed_bfloat16')`; `gradient_accumulation_steps=` of the optimizer with smaller batches;"
        " `layers.Repeat(..., recompute=True)` for equal blocks; with several devices,"
        f" `compile(..., distribute=jk.distribute.FSDP())`. XLA says: {str(error).strip()[:500]}"
    )


def _temporaries(program: CompiledProgram, arguments: Sequence[Any]) -> int | None:
    """Bytes of a program's temporaries; None where it was not compiled, since its compilation failed."""
    try:
        analysis = program.lower(*arguments).compile().memory_analysis()
    except jax.errors.JaxRuntimeError:
        return None
    return None if analysis is None else int(analysis.temp_size_in_bytes)


class GuardedProgram:
    """A compiled program of a loop whose errors of missing memory say what the memory holds.

    Args:
        loop: what was compiled.
        compiled: what a layout made of it.
    """

    __slots__ = ("_loop", "compiled", "lower")

    def __init__(self, loop: Loop, compiled: CompiledProgram):
        self._loop = loop
        self.compiled = compiled
        self.lower: Callable[..., Any] = compiled.lower

    def __call__(self, *arguments: Any) -> Any:
        """What the program gives for a step and arguments.

        Raises:
            DeviceMemoryError: the device's memory is not enough.
        """
        try:
            return self.compiled(*arguments)
        except jax.errors.JaxRuntimeError as error:
            if not is_exhausted(error):
                raise
            roles = self._loop.roles  # a step may be the first argument
            by_role = dict(zip(roles, arguments[-len(roles) :], strict=True))
            temporaries = _temporaries(self.compiled, arguments)
            raise device_memory_error(error, self._loop.name, by_role, temporaries) from error


def _leaves(tree: PyTree[Any]) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, (jax.Array, np.ndarray))]


def _nbytes(tree: PyTree[Any]) -> int:
    return sum(int(leaf.nbytes) for leaf in _leaves(tree))


def _alive(leaves: Sequence[Any]) -> list[Any]:
    return [leaf for leaf in leaves if not is_deleted(leaf)]
