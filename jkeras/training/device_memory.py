"""Whether data fits on the device, and placing it there."""

from __future__ import annotations

import math
import os

import jax

from jkeras import config
from jkeras.training.array_source import ArraySource
from jkeras.training.layout import Layout
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource


def device_budget(enough: float = math.inf) -> float:
    """How many bytes a data set may take on the device.

    Args:
        enough: what the caller asks for; where it is there for certain, nobody looks how much more there is.
    """
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        free = stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    else:
        free = _unused_host_memory()
        if config.data_budget * free < enough:
            free = _free_host_memory()
    result: float = config.data_budget * free
    return result


def _unused_host_memory() -> float:
    """Memory that holds nothing, not even files that could be read again."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0.0


def _free_host_memory() -> float:
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":") for line in file)
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return float("inf")


def fits(source: ArraySource, layout: Layout) -> bool:
    """Whether the data, with the copies that they need, fits in the budget."""
    size = layout.resident_bytes(source.nbytes)
    result: bool = layout.agreed(size <= device_budget(size))
    return result


def on_device(source: ArraySource | StreamSource, layout: Layout) -> Batch | None:
    """The data, placed on the device whole; None if it does not fit there."""
    if isinstance(source, ArraySource) and fits(source, layout):
        return layout.place_data(source.data)
    return None
