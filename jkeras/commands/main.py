"""Finds the command that a command line names, and runs it.

A command is a module with `configure(parser)`, which declares its arguments, and `execute(options, parser)`, which does the
work and returns the exit status: 0 if it went well, 1 if it did not, 2 if the command line is wrong. It is imported only when
it is asked for, so that `jkeras --version` needs no JAX.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jkeras
from jkeras.errors import JkerasError, suggestion
from jkeras.lazy import named

# What each does, in the order in which the help lists them.
COMMANDS = {
    "run": "run a Keras script or module unchanged, on jkeras",
    "launch": "run a script in several processes that train one model together",
    "plan": "say what a training step takes on accelerators that need not be there",
    "summary": "print the layers of a saved model",
    "info": "say what a file of a model or of weights is: who wrote it, what is in it, whether it loads",
    "convert": "write a saved model in another format",
}
HELP = """usage: jkeras [-h] [--version] COMMAND ...

Keras rebuilt as immutable values and pure functions on JAX.

commands:
{commands}

options:
  -h, --help  show this help; after a command, that of the command
  --version   show the versions of jkeras, JAX and Python
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and does what it says; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    first = words[0] if words else ""
    if first in ("-h", "--help"):
        print(_help(), end="")
        return 0
    if first in ("-V", "--version"):
        print(version())
        return 0
    if first not in COMMANDS:
        problem = (
            "a command is missing." if not words else f"there is no command {first!r}.{suggestion(first, COMMANDS)}"
        )
        print(f"jkeras: error: {problem} `jkeras --help` lists them.", file=sys.stderr)
        return 2
    return _run(first, words[1:])


def _run(command: str, words: list[str]) -> int:
    parser = argparse.ArgumentParser(f"jkeras {command}", description=f"{COMMANDS[command].capitalize()}.")
    place = f"jkeras.commands.{command}"
    configure: Callable[[argparse.ArgumentParser], None] = named(place, "configure")
    execute: Callable[[Any, argparse.ArgumentParser], int] = named(place, "execute")
    configure(parser)
    try:
        return execute(parser.parse_args(words), parser)
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (JkerasError, OSError) as error:
        print(f"{parser.prog}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def version() -> str:
    """The versions that a report of an error should name."""
    return f"jkeras {jkeras.__version__} (JAX {importlib.metadata.version('jax')}, Python {platform.python_version()})"


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    return HELP.format(commands="\n".join(f"  {name:{width}}{what}" for name, what in COMMANDS.items()))
