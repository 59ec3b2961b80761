"""Runs a Keras program unchanged: `python -m jkeras run script.py [args]`, or `run -m package.module [args]`.

Imports of `keras` and `tensorflow.keras` find `jkeras.keras`; neither Keras nor TensorFlow need be installed. What of
TensorFlow is not supported raises an error that names it.
"""

from __future__ import annotations

import contextlib
import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jkeras.imports import keras_imports as keras_imports
from jkeras.imports import refuse_imported_keras


@contextlib.contextmanager
def _program(name: str, arguments: Sequence[str], folder: Path) -> Iterator[None]:
    refuse_imported_keras()
    argv, sys_path = sys.argv, list(sys.path)
    sys.argv = [name, *arguments]
    sys.path.insert(0, str(folder))
    try:
        with keras_imports():
            yield
    finally:
        sys.argv, sys.path[:] = argv, sys_path


def run_script(path: str | Path, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a script as `__main__` and returns its global names.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv[1:]`.

    Raises:
        AlreadyImportedError: Keras itself was imported before.
    """
    path = Path(path)
    with _program(str(path), arguments, path.resolve().parent):
        return runpy.run_path(str(path), run_name="__main__")


def run_module(name: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a module, or the `__main__` of a package, as `python -m` does, and returns its global names.

    Args:
        name: the module's name; modules in the current folder count.
        arguments: what it finds in `sys.argv[1:]`.

    Raises:
        AlreadyImportedError: Keras itself was imported before.
    """
    with _program(name, arguments, Path.cwd()):
        return runpy.run_module(name, run_name="__main__", alter_sys=True)
