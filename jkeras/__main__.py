"""The command line: `python -m jkeras run script.py [args]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jkeras.run import run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser("python -m jkeras", description="Keras rebuilt on JAX.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a Keras script unchanged, on jkeras")
    run.add_argument("script", help="the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    given = parser.parse_args(arguments)
    run_script(given.script, given.arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
