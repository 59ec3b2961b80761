"""Whether a user's own program is being traced: then a program of ours becomes a part of it."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jax.extend.core import get_opaque_trace_state


def is_traced() -> bool:
    """Whether this runs inside of `jax.jit`, `grad`, `vmap` or the like. Options of the compiler are then given elsewhere."""
    return bool(get_opaque_trace_state() != _untraced_state())


@functools.lru_cache(maxsize=1)
def _untraced_state() -> Any:
    # That of a new thread, since this one may be in a trace when it is first asked.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(get_opaque_trace_state).result()
