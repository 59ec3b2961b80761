"""The command line, `jkeras` or `python -m jkeras`.

jkeras run script.py [args]
jkeras run -m package.module [args]
jkeras launch --processes 2 script.py [args]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jkeras.distribute.launcher import launch
from jkeras.run import run_module, run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser("jkeras", description="Keras rebuilt on JAX.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a Keras script or module unchanged, on jkeras")
    run.add_argument(
        "-m",
        dest="module",
        nargs=argparse.REMAINDER,
        metavar=("module", "arguments"),
        help="a module and its arguments",
    )
    run.add_argument("script", nargs="?", help="the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    several = commands.add_parser("launch", help="run a script in several processes that train one model together")
    several.add_argument("--processes", type=int, required=True, help="how many processes")
    several.add_argument("--devices", type=int, help="CPU devices of each process")
    several.add_argument("--keras", action="store_true", help="imports of keras find jkeras, as with run")
    several.add_argument("script", help="the script")
    several.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    options = parser.parse_args(arguments)
    if options.command == "launch":
        return launch(
            options.script, options.arguments, processes=options.processes, devices=options.devices, keras=options.keras
        )
    if options.module:
        run_module(options.module[0], options.module[1:])
    elif options.script is not None:
        run_script(options.script, options.arguments)
    else:
        run.error("give a script, or -m and a module")
    return 0


if __name__ == "__main__":
    sys.exit(main())
