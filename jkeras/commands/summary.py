"""`jkeras summary FILE`."""

from __future__ import annotations

import argparse

from jkeras.files.loading import load_model


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("file", help="a saved model: a .keras or .h5 file, or a directory")
    parser.add_argument("--expand", action="store_true", help="also the layers of models inside")
    parser.add_argument("--cost", action="store_true", help="also operations and bytes of each layer")


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Prints the table."""
    model = load_model(options.file, compile=False)
    model.summary(expand_nested=options.expand, show_trainable=True, show_cost=options.cost)
    return 0
