"""jkeras next to its peers: `python -m benchmarks.run [--workloads mlp,cnn] [--peers keras,torch] [--rounds 5] [--report]`.

Each pair of peer and workload lives in a process of its own, which waits while the others run; rounds are taken in turn, and
the tables give medians. Peers that are not installed, and workloads that a peer does not have, are skipped with a line.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import accelerator, processes
from benchmarks.workloads import WORKLOADS

PEERS = (
    "keras", "tensorflow", "tensorflow16", "torch", "lightning", "jax_loop", "jax_scan", "flax", "equinox",
)  # fmt: skip
# Processes of several peers share an accelerator, so that none may take its memory in advance.
SHARING = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
REPORT = Path(__file__).with_name("RESULTS.md")


class Worker:
    """A peer with a workload, in its own process."""

    def __init__(self, peer: str, workload: str):
        self.peer = peer
        command = [sys.executable, "-m", "benchmarks.worker", peer, workload]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "2", **SHARING}
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @functools.cached_property
    def start(self) -> dict[str, Any]:
        """What it says when it is ready: the versions, or why it is skipped."""
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"skipped": f"the process ended with code {self.process.wait()}"}

    def round(self) -> dict[str, float]:
        """One more round: its seconds, on the wall and of processors, and the peak memory so far."""
        assert self.process.stdin is not None
        print("run", file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


def measure(name: str, peers: list[str], rounds: int, in_turn: bool = True) -> dict[str, dict[str, Any]]:
    """Medians by peer: milliseconds per step, of processors too, bytes at the peak.

    All get ready at once; then rounds are taken in turn, there and back, or, where peers would not fit into a device's memory
    together, one peer after another.
    """
    answers: dict[str, list[dict[str, float]]] = {}
    starts: dict[str, dict[str, Any]] = {}
    for group in [("jkeras", *peers)] if in_turn else [(peer,) for peer in ("jkeras", *peers)]:
        started, workers = [Worker(peer, name) for peer in group], []
        for worker in started:
            if "skipped" in worker.start:
                print(f"{name}: {worker.peer} is skipped, {worker.start['skipped']}", flush=True)
                worker.close()
            else:
                workers.append(worker)
                answers[worker.peer], starts[worker.peer] = [], worker.start
        for number in range(rounds):
            # There and back, so that no peer always follows the same one.
            for worker in reversed(workers) if number % 2 else workers:
                answers[worker.peer].append(worker.round())
        for worker in workers:
            worker.close()
    return {
        peer: {
            "ms": 1e3 * statistics.median(a["seconds"] for a in of) / starts[peer]["steps"],
            "cpu_ms": 1e3 * statistics.median(a["cpu"] for a in of) / starts[peer]["steps"],
            "least_ms": 1e3 * min(a["seconds"] for a in of) / starts[peer]["steps"],
            "peak": of[-1]["peak"],
            "versions": starts[peer]["versions"],
        }
        for peer, of in answers.items()
    }


def table(results: dict[str, dict[str, dict[str, Any]]], key: str) -> list[str]:
    """Rows of a Markdown table: milliseconds per step of jkeras, then of each peer with the ratio to it."""
    peers = [peer for peer in PEERS if any(peer in by_peer for by_peer in results.values())]
    lines = ["| workload | jkeras | " + " | ".join(peers) + " |", "|---" * (len(peers) + 2) + "|"]
    for name, by_peer in results.items():
        ours = by_peer["jkeras"][key]
        cells = [f"{by_peer[p][key]:.3f} ({ours / by_peer[p][key]:.2f})" if p in by_peer else "-" for p in peers]
        lines.append(f"| {name} | {ours:.3f} | " + " | ".join(cells) + " |")
    return lines


def machine() -> str:
    """The processor, the number of cores, and how busy they are."""
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        model = platform.processor()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"{model}, {os.cpu_count()} cores, load {load:.1f} at the start"


def report(results: dict[str, Any], single: dict[str, dict[str, float]], where: str, rounds: int) -> str:
    """The page with everything that was measured."""
    versions: dict[str, str] = {}
    for by_peer in results.values():
        for values in by_peer.values():
            versions.update(values["versions"])
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    lines = [
        "# Results",
        "",
        f"Written by `python -m benchmarks.run --report` on {datetime.date.today()}; medians of {rounds} rounds in turn.",
        f"{where}. Python {platform.python_version()}, {listed}.",
        "",
        "Milliseconds per step; in brackets, the time of jkeras divided by that of the peer: below 1, jkeras is faster. Data",
        "preparation and everything else in a call is included. `predict` and `evaluate` process 60,000 rows with the network of",
        "`mlp`; times are per 32 rows; by hand, in PyTorch and JAX, in batches of 1,024. PyTorch and Lightning use all threads",
        "or one, whichever is faster. TensorFlow 16 is Keras on TensorFlow with `steps_per_execution=16`.",
        "",
        *table(results, "ms"),
        "",
        "The same in milliseconds of processor time, which is more reliable on a busy machine:",
        "",
        *table(results, "cpu_ms"),
    ]
    if single:
        names = sorted({who for by_peer in single.values() for who in by_peer}, key=list(processes.IMPORTS).index)
        lines += ["", "In fresh processes:", "", "| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for what, by_peer in single.items():
            lines.append(
                f"| {what} | " + " | ".join(f"{by_peer[n]:.2f}" if n in by_peer else "-" for n in names) + " |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", default=",".join(name for name, w in WORKLOADS.items() if w.quick))
    parser.add_argument("--peers", default=",".join(PEERS), help="besides jkeras")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write the results to this file")
    parser.add_argument("--report", action="store_true", help=f"write {REPORT.name}")
    parser.add_argument("--no-processes", action="store_true", help="without imports, first epochs and memory")
    parser.add_argument(
        "--device", choices=("cpu", "gpu"), default="cpu", help="gpu: the large workloads, on an accelerator"
    )
    parser.add_argument("--peak", type=float, help="with --device gpu: its operations per second in bfloat16")
    parser.add_argument("--tiny", action="store_true", help="with --device gpu: the same code in small, on any device")
    options = parser.parse_args()
    if options.device == "gpu":
        accelerator.compare(measure, options.rounds, options.peak, options.tiny, options.json)
        return
    where = machine()
    print(where)
    peers = [peer.replace("jax-", "jax_") for peer in options.peers.split(",") if peer]
    peers = [part for peer in peers for part in (("jax_loop", "jax_scan") if peer == "jax" else (peer,))]
    results: dict[str, Any] = {}
    for name in filter(None, options.workloads.split(",")):
        results[name] = measure(name, peers, options.rounds)
        for peer, values in results[name].items():
            ratio = results[name]["jkeras"]["ms"] / values["ms"]
            print(
                f"{name:12} {peer:10} {values['ms']:9.3f} ms/step  jkeras / {peer} = {ratio:.2f}   "
                f"processors {values['cpu_ms']:.3f} ms, peak {values['peak'] / 2**20:.0f} MiB",
                flush=True,
            )
    single = {} if options.no_processes else processes.measure(min(options.rounds, 3))
    for what, by_library in single.items():
        print(f"{what:36}" + "  ".join(f"{who} {value:.2f}" for who, value in by_library.items()))
    if options.json:
        Path(options.json).write_text(json.dumps({"machine": where, "results": results, "processes": single}, indent=1))
    if options.report:
        # The sections behind are of other benchmarks.
        _, *others = REPORT.read_text().partition("\n## ") if REPORT.exists() else ("",)
        REPORT.write_text(report(results, single, where, options.rounds) + "".join(others))


if __name__ == "__main__":
    main()
