"""Whether data fits on the device, and placing it there."""

from __future__ import annotations

import jax

from jkeras import config
from jkeras.training.array_source import ArraySource
from jkeras.training.layout import Layout
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource


def device_budget() -> float:
    """How many bytes a data set may take on the device."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        free = stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    else:
        free = _free_host_memory()
    result: float = config.data_budget * free
    return result


def _free_host_memory() -> float:
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":") for line in file)
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return float("inf")


def fits(source: ArraySource, layout: Layout) -> bool:
    """Whether the data, with the copies that they need, fits in the budget."""
    result: bool = layout.agreed(source.nbytes * layout.copies <= device_budget())
    return result


def on_device(source: ArraySource | StreamSource, layout: Layout) -> Batch | None:
    """The data, placed on the device whole; None if it does not fit there."""
    if isinstance(source, ArraySource) and fits(source, layout):
        return layout.place_data(source.data)
    return None
