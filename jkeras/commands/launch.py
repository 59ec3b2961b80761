"""`jkeras launch --processes 2 script.py [args]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jkeras.distribute import launcher


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("--processes", type=_count, required=True, help="how many processes")
    parser.add_argument("--devices", type=_count, help="CPU devices of each process")
    parser.add_argument("--keras", action="store_true", help="imports of keras find jkeras, as with run")
    parser.add_argument("script", help="the script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return count


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Runs the script in all processes; the status of the first that failed, else 0."""
    if not Path(options.script).exists():
        parser.error(f"there is no script {options.script!r}")
    return launcher.launch(
        options.script, options.arguments, processes=options.processes, devices=options.devices, keras=options.keras
    )
