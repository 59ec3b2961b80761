"""Named arrays as an Orbax checkpoint in a folder.

Orbax writes it, but the arrays themselves are written and read through TensorStore, on which Orbax stands: when one fails of
those that Orbax has under way, the others report to an event loop that is closed, each with a traceback on the screen.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import functools
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
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

    # As arrays in any case: Orbax has another way for scalars.
    numbered = {
        _name(i): array if isinstance(array, jax.Array) else np.asarray(array)
        for i, array in enumerate(arrays)
        if np.size(array)
    }
    if not numbered:
        return
    try:
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
    """Keeps Orbax's threads from logging the error that is raised anyway, each with a traceback, and what it does without."""
    loggers = [logging.getLogger(name) for name in ("absl", "asyncio")]

    def below_warning(record: logging.LogRecord) -> bool:
        return record.levelno < logging.WARNING

    for logger in loggers:
        logger.addFilter(below_warning)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(below_warning)


def _checkpointer() -> ocp.Checkpointer:
    """Orbax's, which would wait for the other processes if it knew of them; each writes whole arrays."""
    import orbax.checkpoint as ocp

    single = ocp.options.MultiprocessingOptions(
        primary_host=jax.process_index(),
        active_processes={jax.process_index()},
        barrier_sync_key_prefix=f"process{jax.process_index()}",
    )
    handlers = ocp.type_handlers.create_type_handler_registry((np.ndarray, _handler()), (jax.Array, _handler()))
    handler = ocp.PyTreeCheckpointHandler(
        use_compression=False, multiprocessing_options=single, type_handler_registry=handlers
    )
    return ocp.Checkpointer(handler, multiprocessing_options=single)


@functools.cache
def _handler() -> ocp.type_handlers.TypeHandler:
    """What writes the arrays of a checkpoint. None is under way any more when it is done, or an error is raised."""
    import orbax.checkpoint as ocp

    class Handler(ocp.type_handlers.NumpyHandler):  # type: ignore[misc]  # Orbax has no types
        async def serialize(
            self,
            values: Sequence[np.ndarray | jax.Array],
            infos: Sequence[ocp.type_handlers.ParamInfo],
            args: Sequence[ocp.SaveArgs] | None = None,
        ) -> Sequence[ocp.future.Future]:
            _write(dict(zip((info.name for info in infos), values, strict=True)), Path(infos[0].parent_dir))
            return []

    return Handler()


def _write(arrays: Mapping[str, np.ndarray | jax.Array], folder: Path) -> None:
    """Writes arrays by name, all at once, so that small ones share files.

    Raises:
        ValueError: the first one that could not be written.
    """
    import tensorstore

    context = tensorstore.Context()
    hosted = {name: np.asarray(array) for name, array in arrays.items()}
    stores = _results([_opened(folder, name, context, _described(array)) for name, array in hosted.items()])
    _results(
        [
            store.write(array, can_reference_source_data_indefinitely=True)
            for store, array in zip(stores, hosted.values(), strict=True)
        ]
    )


def _results(pending: Sequence[Any]) -> list[Any]:
    """What has become of all that is under way; an error is raised when nothing is any more."""
    errors = [future.exception() for future in pending]
    for error in filter(None, errors):
        raise error
    return [future.result() for future in pending]


def _described(array: np.ndarray) -> dict[str, Any]:
    """An array that is to be made: as a whole, as it lies in memory, also where it is zero."""
    # Not compressed: trained weights lose 7 % of their size by it, and a save takes seven times as long.
    layout = {"shape": array.shape, "chunks": array.shape, "compressor": None}
    return {"metadata": layout, "dtype": array.dtype.name, "store_data_equal_to_fill_value": True}


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
            store = _opened(folder, _name(number), context).result()
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


def _opened(
    folder: Path, name: str, context: tensorstore.Context, described: Mapping[str, Any] = MappingProxyType({})
) -> tensorstore.Future[tensorstore.TensorStore]:
    """An array of a folder that is there, or is to be made as described."""
    import tensorstore

    database = {
        "driver": "ocdbt",
        "base": {"driver": "file", "path": f"{folder}/"},
        "config": {"manifest_kind": "single"},
        "path": f"{name}/",
    }
    spec = {
        "driver": "zarr",
        "kvstore": database,
        "fill_missing_data_reads": False,
        "recheck_cached_metadata": False,
        "recheck_cached_data": False,
        "open": not described,
        "create": bool(described),
        **described,
    }
    return tensorstore.open(spec, context=context)
