"""The command line: `python -m jkeras run script.py [args]` and `python -m jkeras launch --processes 2 script.py [args]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jkeras.distribute.launching import launch
from jkeras.run import run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser("python -m jkeras", description="Keras rebuilt on JAX.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a Keras script unchanged, on jkeras")
    run.add_argument("script", help="the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    several = commands.add_parser("launch", help="run a script in several processes that train one model together")
    several.add_argument("--processes", type=int, required=True, help="how many processes")
    several.add_argument("--devices", type=int, help="CPU devices of each process")
    several.add_argument("--keras", action="store_true", help="imports of keras find jkeras, as with run")
    several.add_argument("script", help="the script")
    several.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    given = parser.parse_args(arguments)
    if given.command == "launch":
        return launch(
            given.script, given.arguments, processes=given.processes, devices=given.devices, keras=given.keras
        )
    run_script(given.script, given.arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
