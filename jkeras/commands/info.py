"""`jkeras info FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jkeras.errors import RestoreError
from jkeras.files.file_facts import facts_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("file", help="a file or directory with a model or with weights")


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Prints a line for each fact; the status says whether the file loads."""
    path = Path(options.file)
    if not path.exists():
        raise RestoreError(f"There is no file {options.file}.")
    facts, loads = facts_of(path)
    for name, value in facts:
        print(f"{name + ':':12}{value}")
    return 0 if loads else 1
