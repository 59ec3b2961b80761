"""`jkeras convert IN OUT`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jkeras.console.quantities import number_of
from jkeras.errors import ArgumentError, ExistsError
from jkeras.files.containers import kinds
from jkeras.files.loading import load_model
from jkeras.files.saving import save_model, save_weights


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.epilog = f"Formats to write: {kinds.listed('model')}; weights alone: {kinds.listed('weights')}."
    parser.add_argument("source", metavar="IN", help="a saved model: a .keras or .h5 file, or a directory")
    parser.add_argument("target", metavar="OUT", help="where to write it; its suffix says the format")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it is there")
    parser.add_argument("--no-compile", action="store_true", help="leave the recipe and the optimizer's state out")


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Reads the one and writes the other."""
    target = Path(options.target)
    kind = kinds.by_name(target)
    if kind is None and kinds.looks_like_file(target):
        kinds.to_write(target, "model", "convert")  # which says what is wrong
    if target.resolve() == Path(options.source).resolve():
        raise ArgumentError(f"convert: IN and OUT are both {options.source!r}.")
    if target.exists() and not options.overwrite:
        raise ExistsError(f"{options.target} exists; --overwrite replaces it.")
    model = load_model(options.source, compile=not options.no_compile)
    if kind is None or kind.writes("model"):
        save_model(model, target, overwrite=options.overwrite)
    else:
        save_weights(model, target, overwrite=options.overwrite)
    size = f"{number_of(len(model.layers), 'layer')}, {number_of(model.count_params(), 'weight')}"
    print(f"{options.source} -> {options.target}: {size}")
    return 0
