"""Checks that the processes that train together are about to do the same thing."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax.experimental import multihost_utils

import jkeras
from jkeras.errors import ProcessError
from jkeras.graph.describe import describe
from jkeras.graph.scope import walk
from jkeras.training.array_source import ArraySource
from jkeras.training.program import call_arguments

if TYPE_CHECKING:
    from jkeras.distribute.mesh_rules import MeshRules
    from jkeras.training.program import Program
    from jkeras.training.sources import Source

# The size of each process's description, as JSON. Longer texts are truncated, but their digests still differ.
MESSAGE_BYTES = 16384


def facts(program: Program, source: Source, strategy: MeshRules) -> dict[str, str]:
    """Everything that must be the same in all processes, by name."""
    example = source.example()
    described: dict[str, object] = {
        "jkeras": jkeras.__version__,
        "JAX": jax.__version__,
        "Python": platform.python_version(),
        "strategy": f"{type(strategy).__name__} over {dict(strategy.mesh().shape)}",
        "devices of each process": len(jax.local_devices()),
        "optimizer, loss and metrics": f"{program.optimizer!r} {program.objective!r}",
    }
    for path, leaf in jax.tree_util.tree_leaves_with_path(example):
        described[f"a batch's {jax.tree_util.keystr(path)[1:]}"] = f"{leaf.dtype}{list(leaf.shape)}"
    if isinstance(source, ArraySource):
        described["number of rows"] = source.rows
        described["batch size"] = source.batch_size
    described["batches in an epoch"] = source.steps_per_epoch
    weights = describe(program.definition, *call_arguments(example.x)).weights
    for weight in weights:
        described[f"weight {weight.name}"] = f"{weight.dtype}{list(weight.shape)}"
    for path, layer in walk(program.definition):
        described[f"layer {'/'.join(path)}"] = type(layer).__name__
    return {name: str(value)[:500] for name, value in described.items()}


def check(program: Program, source: Source, strategy: MeshRules) -> None:
    """Compares all processes; every process must call this at the same point.

    Raises:
        ProcessError: they differ; the message, the same in all processes, names what differs and both values.
    """
    compare(everywhere(facts(program, source, strategy)))


def everywhere(own: Mapping[str, str]) -> list[dict[str, str]]:
    """The description of every process, by process number."""
    text = json.dumps(own)
    digest = hashlib.sha256(text.encode()).hexdigest()
    shown = dict(own)
    while len(json.dumps({**shown, "everything": digest}).encode()) > MESSAGE_BYTES:
        shown.pop(next(reversed(shown)))
    message = json.dumps({**shown, "everything": digest}).encode()
    buffer = np.zeros(MESSAGE_BYTES, np.uint8)
    buffer[: len(message)] = np.frombuffer(message, np.uint8)
    received = np.asarray(multihost_utils.process_allgather(buffer)).reshape(-1, MESSAGE_BYTES)
    return [json.loads(bytes(row).rstrip(b"\0")) for row in received]


def compare(descriptions: list[dict[str, str]]) -> None:
    """Compares the descriptions of the processes.

    Raises:
        ProcessError: they differ.

    >>> compare([{"number of rows": "64"}, {"number of rows": "60"}])
    Traceback (most recent call last):
        ...
    jkeras.errors.ProcessError: The processes that train together differ:
      number of rows: 64 in process 0, 60 in process 1
    All of them must run the same script with the same versions and the same data.
    """
    first = descriptions[0]
    lines: list[str] = []
    for number, other in enumerate(descriptions[1:], 1):
        for name in [*first, *(name for name in other if name not in first)]:
            if first.get(name) != other.get(name) and (name != "everything" or not lines):
                ours, theirs = first.get(name, "nothing"), other.get(name, "nothing")
                lines.append(f"  {name}: {ours} in process 0, {theirs} in process {number}")
    if lines:
        shown = "\n".join(lines[:12] + ([f"  and {len(lines) - 12} more"] if len(lines) > 12 else []))
        raise ProcessError(
            f"The processes that train together differ:\n{shown}\nAll of them must run the same script with the same"
            " versions and the same data."
        )
