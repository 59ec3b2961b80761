"""Whether a user's own program is being traced: then a program of ours becomes a part of it."""

from __future__ import annotations

import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.extend.core import get_opaque_trace_state


def is_traced() -> bool:
    """Whether this runs inside of `jax.jit`, `grad`, `vmap` or the like. Options of the compiler are then given elsewhere."""
    return bool(get_opaque_trace_state() != _untraced_state())


def concrete() -> contextlib.AbstractContextManager[None]:
    """Goes around what must make real arrays, also where a program is being traced.

    Elsewhere it is nothing: JAX would evaluate the counters that random numbers are made of while it traces, and keep them, two
    arrays of the size of a weight, with the traced program.
    """
    return jax.ensure_compile_time_eval() if is_traced() else contextlib.nullcontext()


def makes_tracers() -> bool:
    """Whether operations give tracers here: in a trace, but not within `concrete`."""
    return isinstance(jax.device_put(np.zeros((), np.float32)), jax.core.Tracer)  # of which nothing is compiled


@functools.lru_cache(maxsize=1)
def _untraced_state() -> Any:
    # That of a new thread, since this one may be in a trace when it is first asked.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(get_opaque_trace_state).result()
