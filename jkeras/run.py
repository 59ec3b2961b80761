"""Runs a Keras script unchanged: `python -m jkeras run script.py [args]`.

Imports of `keras` and `tensorflow.keras` find `jkeras.keras`; neither Keras nor TensorFlow need be installed. What of
TensorFlow is not offered raises an error that names it.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jkeras
import jkeras.keras
from jkeras.errors import JkerasError
from jkeras.keras.modules import Mirror

# What stands for a module of TensorFlow, where there is something.
TENSORFLOW = {"keras": "jkeras.keras", "data": "jkeras.data", "distribute": "jkeras.distribute"}
# Where `keras` may be imported from.
ROOTS = ("keras", "tensorflow.keras", "tensorflow.python.keras", "tf_keras")


class NotOfferedError(JkerasError, AttributeError):
    """A script asks for a part of TensorFlow that jkeras does not have."""


class NotOfferedImportError(JkerasError, ImportError):
    """A script imports a part of TensorFlow that jkeras does not have."""


def _not_offered(name: str, error: type[JkerasError] = NotOfferedError) -> JkerasError:
    return error(
        f"`{name}` is not offered: this script runs on jkeras, which stands in for Keras but not for TensorFlow. Use"
        f" `keras.ops`, `jax.numpy` or NumPy instead; of TensorFlow there is {', '.join('tf.' + n for n in _offered())}."
    )


def _offered() -> list[str]:
    return [*(name for name, target in TENSORFLOW.items() if importlib.util.find_spec(target)), "random.set_seed"]


class TensorFlow(types.ModuleType):
    """The module that scripts import as `tf`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name in TENSORFLOW and importlib.util.find_spec(TENSORFLOW[name]):
            return importlib.import_module(f"{self.__name__}.{name}")
        raise _not_offered(f"tf.{name}")


def _tensorflow() -> TensorFlow:
    module = TensorFlow("tensorflow")
    module.__dict__.update(
        __path__=[],
        __version__=jkeras.__version__,
        random=types.SimpleNamespace(set_seed=jkeras.keras.utils.set_random_seed),
    )
    return module


class KerasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras` and `tensorflow.keras` in `jkeras.keras`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for the modules that this finder answers for; None for all others."""
        if fullname.partition(".")[0] not in ("keras", "tf_keras", "tensorflow"):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module that a name stands for.

        Raises:
            NotOfferedImportError: it is a part of TensorFlow that there is not.
            ModuleNotFoundError: Keras has no such module.
        """
        name = spec.name
        if name == "tensorflow":
            return _tensorflow()
        if name == "tensorflow.python":
            return types.ModuleType(name)
        own = _own_name(name)
        if own is None:
            raise _not_offered(name, NotOfferedImportError)
        if own not in sys.modules and _find(own) is None:
            raise ModuleNotFoundError(f"jkeras has no module for {name!r}.", name=name)
        return Mirror(name, own)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing: the module is complete."""


def _own_name(name: str) -> str | None:
    for root in ROOTS:
        if name == root or name.startswith(root + "."):
            return "jkeras.keras" + name[len(root) :]
    part = name.removeprefix("tensorflow.")
    top, _, rest = part.partition(".")
    target = TENSORFLOW.get(top)
    return None if target is None or not importlib.util.find_spec(target) else target + (f".{rest}" if rest else "")


def _find(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None


@contextlib.contextmanager
def keras_imports() -> Iterator[None]:
    """While the block runs, `import keras` and `import tensorflow` find jkeras."""

    def ours(name: str) -> bool:
        return name.partition(".")[0] in ("keras", "tf_keras", "tensorflow")

    before = {name: module for name, module in sys.modules.items() if ours(name)}
    for name in before:
        del sys.modules[name]
    finder = KerasFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if ours(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def run_script(path: str | Path, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a script as `__main__` and returns its global names.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv[1:]`.
    """
    path = Path(path)
    argv, sys_path = sys.argv, list(sys.path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with keras_imports():
            return runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = argv, sys_path
