"""What the TPU's compiler has made of a program before it generates code, which takes it most of its time.

Of ResNet-50's step it is 15 seconds, the code of its kernels three to five minutes. Operations, layouts, fusions, collectives
and places in memory are settled by then. The compiler is asked for a dump (https://openxla.org/xla/flags_guidance) and ended
when this is complete.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path

from jkeras.distribute.planning import compiling
from jkeras.distribute.planning.chips import Topology
from jkeras.distribute.planning.compiling import Answer
from jkeras.distribute.planning.step import Step
from jkeras.errors import CompilationError

# The dump's parts: the program, its places in memory, and what is written after both.
PROGRAM = "*.after_optimizations.txt"
PLACES = "*.after_optimizations-buffer-assignment.txt"
COMPLETE = "*.after_optimizations_after_buffer_assignment.txt"
# Temporaries are whole pages, in the sizes that the compiler reports after it has generated code.
PAGE = 16_384

_ALLOCATION = re.compile(r"^allocation \d+: size (\d+), (.*)$", re.MULTILINE)


def optimize(step: Step, topology: Topology, timeout: float | None) -> Answer:
    """The program of a step and its memory; without XLA's own counts, which it makes of the finished program.

    Raises:
        CompilationError: the compiler failed, or took longer than `timeout` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="jkeras-optimized-") as name:
        folder = Path(name)
        options: dict[str, str | bool] = {"xla_dump_to": str(folder / "dump"), "xla_dump_hlo_as_text": True}
        command, environment = compiling.prepared(step, topology, options, folder)
        log = folder / "log.txt"
        with log.open("w") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
            try:
                start = time.monotonic()
                while process.poll() is None and not list(folder.glob(f"dump/{COMPLETE}")):
                    if timeout is not None and time.monotonic() - start > timeout:
                        raise CompilationError(f"optimize(): takes longer than {timeout:g} seconds.")
                    time.sleep(0.1)
            finally:
                process.kill()
                process.wait()
        parts = [list(folder.glob(f"dump/{part}")) for part in (PROGRAM, PLACES, COMPLETE)]
        if not all(parts):
            reason = compiling.reason_of(log.read_text())
            raise CompilationError(f"optimize(): the compiler failed: {reason[:2000]}")
        program, places, last = (files[0] for files in parts)
        first = min(file.stat().st_mtime for file in folder.glob("dump/*.txt"))
        seconds = last.stat().st_mtime - first
        return Answer(seconds, None, topology.name, sizes(places.read_text()), {}, program.read_text())


def sizes(places: str) -> dict[str, int]:
    """Bytes of arguments, results, results in the place of an argument, and temporaries in the device's memory.

    Args:
        places: the dump of a buffer assignment. Memory on the chip has a "color" there.

    >>> sizes('''allocation 0: size 512, page 0, parameter 1, shape |f32[64]| at ShapeIndex {}, maybe-live-out:
    ... allocation 1: size 512, page 0, maybe-live-out:
    ... allocation 2: size 700, page 0, preallocated-temp:
    ... allocation 3: size 900, color 1, page 0, preallocated-temp:''')
    {'argument': 512, 'output': 1024, 'alias': 512, 'temp': 16384}
    """
    found = [(int(size), what) for size, what in _ALLOCATION.findall(places) if not what.startswith("color")]
    arguments = [(size, what) for size, what in found if " parameter " in f" {what}"]
    alias = sum(size for size, what in arguments if _is_result(what))
    return {
        "argument": sum(size for size, _ in arguments),
        "output": sum(size for size, what in found if _is_result(what)),
        "alias": alias,
        "temp": sum(-(-size // PAGE) * PAGE for size, what in found if "preallocated-temp" in what),
    }


def _is_result(what: str) -> bool:
    return "maybe-live-out" in what or "output shape is" in what
