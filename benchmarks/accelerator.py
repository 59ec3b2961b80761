"""How well an accelerator is used: `python -m benchmarks.run --device gpu [--peak 989e12] [--tiny]`.

The share of the device's peak (MFU) is `flops of a row * rows in a batch / seconds per step / peak`; `large.py` counts the
operations that training needs by formula, whatever a library does for them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.large import LARGE, TINY

PEERS = ("keras", "torch", "jax_loop")
# Operations per second in bfloat16 with dense matrices, from the makers' data sheets, by a part of the device's name.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}


def device(platform: str) -> str:
    """The kind of JAX's first device of a platform; empty if there is none. Asked for in a process of its own."""
    program = f"import jax; print(jax.devices({platform!r})[0].device_kind)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return process.stdout.strip().splitlines()[-1] if process.returncode == 0 and process.stdout.strip() else ""


def peak_of(kind: str) -> float | None:
    """The peak of a device, where it is known.

    >>> peak_of("NVIDIA H100 80GB HBM3")
    989000000000000.0
    """
    return next((peak for name, peak in PEAKS.items() if name in kind), None)


def usage(flops: float, batch: int, ms: float, peak: float) -> float:
    """The share of the peak that steps of so many milliseconds use.

    >>> usage(1e12, 100, 500.0, 1e15)
    0.2
    """
    return flops * batch / (ms / 1e3) / peak


def compare(measure: Callable[..., Any], rounds: int, peak: float | None, tiny: bool, path: str | None) -> None:
    """Prints a table of jkeras and its peers, one process after another; `measure` is that of `run.py`."""
    kind = device("gpu") or (tiny and device("cpu"))
    if not kind:
        sys.exit("benchmarks.run --device gpu: JAX finds no GPU here; nothing was measured. (--tiny runs anywhere.)")
    peak = peak or peak_of(kind)
    if peak is None and not tiny:
        sys.exit(
            f"benchmarks.run --device gpu: the peak of {kind!r} is not known; give it as --peak OPERATIONS_PER_SECOND."
        )
    print(f"{kind}, peak {peak / 1e12:.0f} TFLOP/s in bfloat16" if peak else f"{kind}, peak not known: no MFU")
    print(
        "\n| workload | library | ms per step | rows/s | TFLOP/s | MFU | jkeras / it |\n|---|---|---|---|---|---|---|"
    )
    results: dict[str, Any] = {}
    for name, workload in (TINY if tiny else LARGE).items():
        results[name] = results_by_peer = measure(name, list(PEERS), rounds, in_turn=False)
        for peer, values in results_by_peer.items():
            ms = values["ms"]
            values["tflops"] = workload.flops * workload.batch / ms / 1e9
            values["mfu"] = usage(workload.flops, workload.batch, ms, peak) if peak else None
            share = f"{values['mfu']:.1%}" if peak else "-"
            speed = f"{ms:.2f} | {1e3 * workload.batch / ms:.0f} | {values['tflops']:.3g} | {share}"
            print(f"| {name} | {peer} | {speed} | {results_by_peer['jkeras']['ms'] / ms:.2f} |", flush=True)
    if path:
        Path(path).write_text(json.dumps({"device": kind, "peak": peak, "results": results}, indent=1))
