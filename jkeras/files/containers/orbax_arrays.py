"""Named arrays as an Orbax checkpoint in a folder.

Orbax writes the checkpoint, but the arrays themselves are written and read with TensorStore, which Orbax uses internally: if one
of Orbax's concurrent operations fails, the others report to a closed event loop and each prints a traceback.
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
from jkeras.writing import failure

if TYPE_CHECKING:
    import orbax.checkpoint as ocp
    import tensorstore

# The description of an array in a configuration: its shape and the name of its dtype.
Listed: TypeAlias = Sequence[Any]

# The number of concurrent reads: one alone would leave the disk and the other cores idle, all at once would fill memory with
# arrays that are not on the device yet.
READS = 4
# The operating system's error inside Orbax's long messages.
_REASONS = tuple(map(os.strerror, (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO)))


def write(folder: Path, arrays: Sequence[np.ndarray | jax.Array], shown: Path) -> None:
    """Writes arrays named by number, because Orbax requires names without slashes; Orbax cannot write empty arrays.

    Args:
        folder: the folder to create.
        arrays: the arrays to write.
        shown: the path for messages.

    Raises:
        SaveError: they could not be written.
    """
    import orbax.checkpoint as ocp

    # Always as arrays: Orbax stores scalars differently.
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
    except ValueError as error:  # Orbax converts errors of the operating system to this
        why = str(error).partition("\n")[0]
        reason = next((text for text in _REASONS if text in why), why)
        raise failure(shown, reason) from None


def _name(number: int) -> str:
    return f"{number:06d}"


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Silences the tracebacks that Orbax's threads log for an error that is raised anyway, and messages about missing options."""
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
    """Orbax's options for a single process, so that it does not wait for the others; each process writes whole arrays."""
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
    """The handler that writes the arrays of a checkpoint. When it returns or raises, no write is pending."""
    import orbax.checkpoint as ocp

    class Handler(ocp.type_handlers.NumpyHandler):  # type: ignore[misc]  # Orbax has no type hints
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
    """Writes arrays by name, all in one transaction, so that small arrays share files.

    Raises:
        ValueError: an array could not be written; the error is that of the first one.
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
    """Waits for all pending operations and returns their results; raises an error only when none is pending."""
    errors = [future.exception() for future in pending]
    for error in filter(None, errors):
        raise error
    return [future.result() for future in pending]


def _described(array: np.ndarray) -> dict[str, Any]:
    """The specification of an array to create: in one piece, uncompressed, including zeros."""
    # Not compressed: that would reduce trained weights by 7 % and make a save take seven times as long.
    layout = {"shape": array.shape, "chunks": array.shape, "compressor": None}
    return {"metadata": layout, "dtype": array.dtype.name, "store_data_equal_to_fill_value": True}


def read(folder: Path, listed: Mapping[str, Listed], shown: Path) -> dict[str, np.ndarray]:
    """The arrays by name.

    Args:
        folder: the folder that `write` created.
        listed: the shape and dtype of all arrays, in the order of writing.
        shown: the path for messages.

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
                raise ValueError(f"{name!r} is stored in chunks larger than itself")
            # In memory that JAX can use without a copy.
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
    """An array in a folder, opened or created as specified."""
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
