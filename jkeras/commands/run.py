"""`jkeras run script.py [args]` and `jkeras run -m package.module [args]`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import TracebackType

from jkeras.imports import AlreadyImportedError
from jkeras.run import run_module, run_script

# Modules of what stands between the command line and the program.
_OURS = ("jkeras", "runpy", "importlib", "contextlib")
# What a shell calls the status of a program that the interrupt key has ended.
INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.usage = f"{parser.prog} [-h] (SCRIPT | -m MODULE) [arguments ...]"
    parser.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="a module, and its arguments"
    )
    parser.add_argument("script", nargs="?", help="the script, a file or a folder with a __main__.py")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Runs the program; what it raises is shown from its own first line on."""
    if options.module:
        name, *arguments = options.module
        sys.path.insert(0, str(Path.cwd()))
        if not _is_there(name):
            parser.error(f"there is no module {name!r} here or among what is installed")
    elif options.script is None:
        parser.error("name a script, or -m and a module")
    elif not Path(options.script).exists():
        parser.error(f"there is no script {options.script!r}")
    try:
        if options.module:
            run_module(name, arguments)
        else:
            run_script(options.script, options.arguments)
    except AlreadyImportedError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        shown = error.with_traceback(_users(error.__traceback__))
        sys.excepthook(type(shown), shown, shown.__traceback__)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _users(place: TracebackType | None) -> TracebackType | None:
    """A traceback without the lines in front of the program's first; as it is if it has none, as for a syntax error."""
    first = place
    while first is not None and _package(first) in _OURS:
        first = first.tb_next
    return first


def _package(place: TracebackType) -> str:
    return str(place.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
