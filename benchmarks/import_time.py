"""How long `import jkeras` takes next to what it stands on: `python -m benchmarks.import_time`.

Each import runs in a fresh process, in turn; the table gives medians of seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

IMPORTS = {"base": "import jax, flax.linen, optax", "jkeras": "import jkeras"}
PROGRAM = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def seconds(statement):
    # Bytecode is kept, as it is on any machine where the package was imported once before.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    times = {name: [] for name in IMPORTS}
    for statement in IMPORTS.values():
        seconds(statement)
    for _ in range(options.rounds):
        for name, statement in IMPORTS.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{IMPORTS[name]:32} {value:.3f} s")
    print(f"ratio {medians['jkeras'] / medians['base']:.2f}")


if __name__ == "__main__":
    main()
