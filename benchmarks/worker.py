"""A process that holds one peer and one workload, and runs a round for each line that it reads: see `run.py`.

It answers with lines of JSON on the standard output that it was started with; whatever libraries print goes elsewhere.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from typing import Any

from benchmarks.large import ALL
from benchmarks.peers import MissingWorkloadError


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    peer, name = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    workload = ALL[name]
    try:
        module = importlib.import_module(f"benchmarks.peers.{peer}")
        run = module.prepare(name, workload)
    except (ImportError, MissingWorkloadError) as error:
        answer(skipped=str(error))
        return
    started = time.perf_counter()
    run()
    run()  # some peers compile again for the second round
    answer(first=time.perf_counter() - started, versions=module.versions(), steps=workload.steps)
    settle = getattr(run, "settle", None)  # what has to be tried out while no other process works
    for _ in sys.stdin:
        if settle is not None:
            settle()
            settle = None
        cpu, start = time.process_time(), time.perf_counter()
        run()
        answer(seconds=time.perf_counter() - start, cpu=time.process_time() - cpu, peak=peak_bytes())


if __name__ == "__main__":
    main()
