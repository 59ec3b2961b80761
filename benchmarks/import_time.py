"""How long `import jkeras` takes next to what it stands on: `python -m benchmarks.import_time`.

Each import runs in a fresh process, in turn. The table gives medians of seconds: by the clock, and of the processor (user
and system), which says more where other programs run. "From source" is the first import after a checkout: jkeras has no
byte code yet, its dependencies do. Names are loaded when first used, so the lines with a model say what programs pay.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "jkeras"
BASE = "import jax, flax.linen, optax"
IMPORTS = (
    BASE,
    "import jkeras",
    "import jkeras as jk; model = jk.Sequential([jk.layers.Dense(1)]).compile('adam', 'mse')",
    "import jkeras.keras",
    "from jkeras import keras; keras.Sequential([keras.layers.Dense(1)]).compile('adam', 'mse')",
)
PROGRAM = """
import time
clock, processor = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - clock, time.process_time() - processor)
"""


def seconds(statement, directory, **variables):
    """How long an import takes in a process of its own: by the clock, and of the processor."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables
    command = [sys.executable, "-c", PROGRAM.format(statement)]  # `-c` puts the directory first on the path
    printed = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=True).stdout
    return tuple(float(word) for word in printed.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as compiled, tempfile.TemporaryDirectory() as source:
        kinds = {"byte code": (compiled, {}), "from source": (source, {"PYTHONDONTWRITEBYTECODE": "1"})}
        times = {(statement, kind): [] for kind in kinds for statement in IMPORTS}
        for directory in (compiled, source):
            shutil.copytree(PACKAGE, Path(directory, "jkeras"), ignore=shutil.ignore_patterns("__pycache__"))
        for number in range(options.rounds + 1):
            for (statement, kind), measured in times.items():
                directory, variables = kinds[kind]
                pair = seconds(statement, directory, **variables)
                if number:  # the first round writes byte code and fills the caches of the file system
                    measured.append(pair)
    medians = {key: [statistics.median(column) for column in zip(*rows, strict=True)] for key, rows in times.items()}
    width = max(map(len, IMPORTS))
    print(f"{'':{width}} {'':12} {'clock':>8} {'ratio':>6} {'processor':>10} {'ratio':>6}")
    for (statement, kind), (clock, processor) in medians.items():
        base_clock, base_processor = medians[BASE, kind]
        print(
            f"{statement:{width}} {kind:12} {clock:8.3f} {clock / base_clock:6.2f}"
            f" {processor:10.3f} {processor / base_processor:6.2f}"
        )


if __name__ == "__main__":
    main()
