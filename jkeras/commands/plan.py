"""`jkeras plan script.py:model --topology v5e:4x4`: what training a script's model takes on accelerators."""

from __future__ import annotations

import argparse
import contextlib
import os
import runpy
import sys
from pathlib import Path

import jax

from jkeras.distribute import FSDP, DataParallel, MirroredStrategy, Strategy, plan
from jkeras.distribute.planning.chips import EXAMPLES
from jkeras.distribute.planning.planner import checked_target
from jkeras.imports import keras_imports
from jkeras.models.model import Model

STRATEGIES: dict[str, type[Strategy]] = {"data": DataParallel, "fsdp": FSDP, "mirrored": MirroredStrategy}
# The name under which a script runs, so that what stands below `if __name__ == "__main__":` does not.
RUN_NAME = "__planned__"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument(
        "model",
        metavar="SCRIPT:NAME",
        help="a compiled model in a script, or a function that makes one; what stands there below"
        " `if __name__ == '__main__':` does not run",
    )
    parser.add_argument("--topology", default="here", help=f"one of {', '.join(EXAMPLES)}, or another size")
    parser.add_argument("--batch", type=int, default=32, help="rows in a batch, all devices together (default 32)")
    parser.add_argument("--strategy", choices=STRATEGIES, help="default: the model's own, else one device")
    parser.add_argument("--timeout", type=int, help="seconds that compiling may take")
    parser.add_argument("--plot", metavar="FILE", help="also draw a picture")
    parser.add_argument("--keras", action="store_true", help="imports of keras find jkeras, as with run")


def execute(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Plans and prints; the status is 1 if the model does not fit."""
    if options.topology != "here" and "JAX_PLATFORMS" not in os.environ:
        # JAX would look for a TPU where its compiler is installed, and complain at length of there being none.
        jax.config.update("jax_platforms", "cpu")
    checked_target(options.topology, options.timeout)  # before the script runs, which may take long
    model = find(options.model, parser, options.keras)
    strategy = STRATEGIES[options.strategy]() if options.strategy else None
    planned = plan(model, options.batch, options.topology, strategy, timeout=options.timeout)
    print(planned)
    if options.plot:
        planned.plot(options.plot)
    return 1 if planned.fits is False else 0


def find(place: str, parser: argparse.ArgumentParser, keras: bool = False) -> Model:
    """The model that `script.py:name` means.

    Raises:
        SystemExit: there is no such script or name, or it is not a model.
    """
    path, _, name = place.rpartition(":")
    if not path or not Path(path).is_file():
        parser.error(f"expected script.py:name, the name of a model in a script, not {place!r}")
    folder, before = str(Path(path).resolve().parent), list(sys.path)
    sys.path.insert(0, folder)
    try:
        with keras_imports() if keras else contextlib.nullcontext():
            names = runpy.run_path(path, run_name=RUN_NAME)
            target = names.get(name)
            if target is not None and not isinstance(target, Model) and callable(target) and not _is_facade(target):
                target = target()
    finally:
        sys.path[:] = before
    if target is not None and _is_facade(target):
        target = target.value
    if not isinstance(target, Model):
        known = sorted(n for n, value in names.items() if isinstance(value, Model) or _is_facade(value))
        what = f"it is a {type(target).__name__}" if name in names else "there is no such name"
        parser.error(
            f"expected a compiled model, or a function that makes one, as {name!r} in {path}, but {what}."
            + (f" Models there: {', '.join(known)}." if known else "")
        )
    return target


def _is_facade(value: object) -> bool:
    """Whether it is a model of the drop-in, whose core is its `value`; nothing of it is loaded to find out."""
    drop_in = sys.modules.get("jkeras.keras")
    return drop_in is not None and isinstance(value, drop_in.Model)
