"""Runs of several processes: which one prints, and how the others end when one dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax

from jkeras.console import primary_process
from jkeras.distribute.peer_monitor import watch
from jkeras.errors import ProcessError

# Words in JAX's errors which show that a process, not the program, has failed.
LOST = (
    "gloo",
    "connection closed",
    "connection reset",
    "socket closed",
    "nccl",
    "coordination",
    "heartbeat",
    "unavailable",
)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """A block in which processes train one model: only the first prints and writes; a lost process raises an error.

    Raises:
        ProcessError: another process is gone.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(watch().running())
        if jax.process_index() > 0:
            stack.enter_context(primary_process.kept())
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            if not any(word in str(error).lower() for word in LOST):
                raise
            count, number = jax.process_count(), jax.process_index()
            others = ", ".join(str(i) for i in range(count) if i != number)
            raise ProcessError(
                f"Process {number} of {count} cannot continue: one of the others ({others}) is gone or unreachable. Its own"
                " output says why. Restart all of them; with the callback `BackupAndRestore` they resume from the last"
                f" backup. ({str(error).splitlines()[0]})"
            ) from error
