"""Runs several processes of one script on this machine, to test what will run on many machines."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from jkeras.distribute.processes import ADDRESSES, COUNT, NUMBER

# How long the other processes have, after one has died, to notice it themselves.
GRACE = 60.0


def launch(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    processes: int,
    devices: int | None = None,
    keras: bool = False,
) -> int:
    """Runs a script in several connected processes, and forwards their output, prefixed with the process number.

    Args:
        script: the script; `MultiWorkerMirroredStrategy()` in it creates a strategy over all processes.
        arguments: the script's `sys.argv[1:]`.
        processes: how many.
        devices: the number of CPU devices per process; None leaves that to JAX.
        keras: whether `import keras` imports jkeras, as in `python -m jkeras run`.

    Returns:
        0 if all processes succeeded, otherwise the exit status of the first that failed.
    """
    start = [sys.executable, "-u", *(["-m", "jkeras", "run"] if keras else []), str(script), *arguments]
    address = f"127.0.0.1:{_free_port()}"
    running = []
    for number in range(processes):
        environment = {**os.environ, ADDRESSES: address, COUNT: str(processes), NUMBER: str(number)}
        if devices is not None:
            flags = [f for f in environment.get("XLA_FLAGS", "").split() if "host_platform_device_count" not in f]
            environment["XLA_FLAGS"] = " ".join([*flags, f"--xla_force_host_platform_device_count={devices}"])
            environment.setdefault("JAX_PLATFORMS", "cpu")
        running.append(
            subprocess.Popen(start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    threads = [
        threading.Thread(target=_pass_on, args=(number, process.stdout)) for number, process in enumerate(running)
    ]
    for thread in threads:
        thread.start()
    try:
        status = _wait(running)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
        for thread in threads:
            thread.join()
    return status


def _wait(running: list[subprocess.Popen[str]]) -> int:
    """Waits for all processes, after a failure only for a limited time. Returns the status of the first failure."""
    failed: int | None = None
    until = float("inf")
    while any(process.poll() is None for process in running) and time.monotonic() < until:
        for number, process in enumerate(running):
            if failed is None and process.poll() not in (None, 0):
                failed = process.returncode
                until = time.monotonic() + GRACE
                print(f"Process {number} {_ending(process.returncode)}.", file=sys.stderr, flush=True)
        time.sleep(0.05)
    statuses = [process.returncode for process in running if process.poll() not in (None, 0)]
    status = failed if failed is not None else next(iter(statuses), 0)
    return status if status >= 0 else 128 - status


def _ending(status: int) -> str:
    if status < 0:
        return f"was terminated by {signal.Signals(-status).name}"
    return f"exited with status {status}"


def _pass_on(number: int, stream: IO[str] | None) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            print(f"[{number}] {line}", end="", flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
