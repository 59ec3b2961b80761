"""Named arrays as an Orbax checkpoint in a folder.

Orbax writes it. It is read array by array through TensorStore, on which Orbax stands: Orbax's own reader starts all reads at
once, and when one fails the others report to an event loop that is closed, each with a traceback on the screen.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import numpy as np

from jkeras.errors import RestoreError
from jkeras.files.containers import buffers
from jkeras.files.containers.writing import failure

if TYPE_CHECKING:
    import orbax.checkpoint as ocp
    import tensorstore

# An array as a configuration names it: its shape and the name of its type.
Listed: TypeAlias = Sequence[Any]

# So many reads are under way at once: one alone leaves the disk and the other cores idle, all of them would fill memory with
# what is not on the device yet.
READS = 4
# What the operating system says, in Orbax's long messages.
_REASONS = tuple(map(os.strerror, (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO)))


def write(folder: Path, arrays: Sequence[np.ndarray | jax.Array], shown: Path) -> None:
    """Writes arrays under their numbers, since Orbax wants names without slashes; it cannot write empty ones.

    Args:
        folder: made for them.
        arrays: what to write.
        shown: the path that messages name.

    Raises:
        SaveError: they could not be written.
    """
    import orbax.checkpoint as ocp

    numbered = {_name(i): array for i, array in enumerate(arrays) if np.size(array)}
    if not numbered:
        return
    try:
        # Not compressed: trained weights lose 7 % of their size by it, and a save takes seven times as long.
        with _unlogged(), _checkpointer() as checkpointer:
            checkpointer.save(folder, args=ocp.args.PyTreeSave(numbered))
    except ValueError as error:  # what Orbax makes of errors of the operating system
        why = str(error).partition("\n")[0]
        reason = next((text for text in _REASONS if text in why), why)
        raise failure(shown, reason) from None


def _name(number: int) -> str:
    return f"{number:06d}"


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keeps Orbax's threads from logging the error that is raised anyway, each with a traceback."""
    loggers = [logging.getLogger(name) for name in ("absl", "asyncio")]

    def below_error(record: logging.LogRecord) -> bool:
        return record.levelno < logging.ERROR

    for logger in loggers:
        logger.addFilter(below_error)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(below_error)


def _checkpointer() -> ocp.Checkpointer:
    """Orbax's, which would wait for the other processes if it knew of them; each writes whole arrays."""
    import orbax.checkpoint as ocp

    single = ocp.options.MultiprocessingOptions(
        primary_host=jax.process_index(),
        active_processes={jax.process_index()},
        barrier_sync_key_prefix=f"process{jax.process_index()}",
    )
    handler = ocp.PyTreeCheckpointHandler(use_compression=False, multiprocessing_options=single)
    return ocp.Checkpointer(handler, multiprocessing_options=single)


def read(folder: Path, listed: Mapping[str, Listed], shown: Path) -> dict[str, np.ndarray]:
    """The arrays by name.

    Args:
        folder: what `write` made.
        listed: shape and type of all that were written, in their order.
        shown: the path that messages name.

    Raises:
        RestoreError: they are damaged.
    """
    import tensorstore

    context = tensorstore.Context()
    pending: collections.deque[Any] = collections.deque()
    arrays: dict[str, np.ndarray] = {}

    try:
        for number, (name, (sizes, type_name)) in enumerate(listed.items()):
            shape, dtype = tuple(sizes), jax.numpy.dtype(type_name)
            if not math.prod(shape):
                arrays[name] = np.zeros(shape, dtype)
                continue
            store = _opened(folder, number, context)
            if (store.shape, store.dtype.numpy_dtype) != (shape, dtype):
                raise ValueError(f"{name!r} is {store.dtype.name}{list(store.shape)}, not {type_name}{list(shape)}")
            if math.prod(size or 0 for size in store.chunk_layout.read_chunk.shape or ()) > math.prod(shape):
                raise ValueError(f"{name!r} lies in pieces larger than itself")
            # In memory that JAX takes over as it is.
            arrays[name] = buffers.empty(shape, dtype)
            pending.append(tensorstore.array(arrays[name], store.dtype, copy=False, write=True).write(store))
            if len(pending) == READS:
                pending.popleft().result()
        while pending:
            pending.popleft().result()
    except (ValueError, KeyError, OSError) as error:
        why = str(error).partition(" [tensorstore_spec=")[0]
        raise RestoreError(f"The arrays in {shown} are damaged: {why}") from None
    return arrays


def _opened(folder: Path, number: int, context: tensorstore.Context) -> tensorstore.TensorStore:
    import tensorstore

    database = {"driver": "ocdbt", "base": {"driver": "file", "path": f"{folder}/"}, "path": f"{_name(number)}/"}
    spec = {
        "driver": "zarr",
        "kvstore": database,
        "fill_missing_data_reads": False,
        "recheck_cached_metadata": False,
        "recheck_cached_data": False,
    }
    return tensorstore.open(spec, open=True, context=context).result()
