"""What `import keras` and `import tensorflow` find when code for Keras runs on jkeras.

`keras` is `jkeras.keras` for everyone. The stand-in for TensorFlow is seen by the user's own code alone: a library asks
for TensorFlow in order to use it, and must find what is installed.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import site
import sys
import sysconfig
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jkeras.errors import JkerasError
from jkeras.scripts.old_modules import KerasModule, home_of
from jkeras.scripts.spellings import Spellings
from jkeras.scripts.tensorflow import modules as tensorflow

# Where `keras` may be imported from.
ROOTS = ("keras", "tensorflow.keras", "tensorflow.python.keras", "tf_keras")
# Packages that only the user's code finds here.
USERS = frozenset({"tensorflow", "tf_keras"})


class AlreadyImportedError(JkerasError, ImportError):
    """Keras itself was imported before its imports were turned to jkeras."""


def _top(name: str) -> str:
    return name.partition(".")[0]


@functools.cache
def _is_installed(file: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to jkeras."""
    folders = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages(), str(Path(__file__).parent)}
    return any(Path(file).is_relative_to(folder) for folder in folders)


def _is_users(module: Mapping[str, Any] | None) -> bool:
    """Whether the module with these global names is the user's: the program itself, a notebook, or a file of theirs."""
    module = module or {}
    name, file = module.get("__name__", "__main__"), module.get("__file__")
    if name == "__main__":
        return True
    return _top(name) not in sys.stdlib_module_names and (file is None or not _is_installed(file))


def _importer() -> Mapping[str, Any] | None:
    """The global names of the code that an import, or a question for a spec, comes from."""
    frame = inspect.currentframe()
    while frame is not None and (_top(name := frame.f_globals.get("__name__", "")) == "importlib" or name == __name__):
        frame = frame.f_back
    return None if frame is None else frame.f_globals


class KerasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `keras` in `jkeras.keras`, and for the user's code `tensorflow.keras` as well.

    The stand-ins are among `sys.modules` only while code of the user imports one of them; otherwise libraries would find
    them there without asking any finder.

    Args:
        stand_ins: whether to use stand-ins; without them, `tensorflow` is the installed package, even in the user's code.
    """

    def __init__(self, stand_ins: bool = True) -> None:
        self._for_users = USERS if stand_ins else frozenset()
        self._aside: dict[str, types.ModuleType] = {}
        self._shown = False
        self._lock = threading.RLock()
        self._import: Any = None
        self._spellings = Spellings()

    def install(self) -> None:
        """Asks this finder first, and shows the stand-ins to those who may see them."""
        self._import = builtins.__import__
        sys.meta_path.insert(0, self)
        builtins.__import__ = self._seen_from
        self._spellings.install()

    def uninstall(self) -> None:
        """Leaves imports as they were."""
        self._spellings.uninstall()
        builtins.__import__ = self._import
        sys.meta_path.remove(self)

    def _seen_from(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level or _top(name) not in self._for_users:
            return self._import(name, globals, locals, fromlist, level)
        with self._lock:
            before = self._shown
            self._show(_is_users(globals))
            try:
                return self._import(name, globals, locals, fromlist, level)
            finally:
                self._show(before)

    def _show(self, shown: bool) -> None:
        if shown is not self._shown:
            current = _taken(*USERS)
            sys.modules.update(self._aside)
            self._aside, self._shown = current, shown

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for the modules that this finder answers for; None for all others."""
        top = _top(fullname)
        if top != "keras" and not (top in self._for_users and _is_users(_importer())):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module that a name refers to.

        Raises:
            NotOfferedImportError: it is a part of TensorFlow that there is not.
            ModuleNotFoundError: Keras has no such module.
        """
        name = spec.name
        own = _own_name(name)
        if own is not None:
            if own not in sys.modules and _find(own) is None:
                raise _missing(name)
            return KerasModule(name, own)
        module = types.ModuleType(name) if name == "tensorflow.python" else tensorflow.module(name)
        if module is None:
            raise tensorflow.not_offered(name, tensorflow.NotOfferedImportError)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing: the module is complete."""


def _taken(*packages: str) -> dict[str, types.ModuleType]:
    """The modules of some packages, which are no longer imported."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if _top(name) in packages}


def _own_name(name: str) -> str | None:
    """The module that replaces one of Keras; None for others."""
    for root in ROOTS:
        if name == root or name.startswith(root + "."):
            return home_of("jkeras.keras" + name[len(root) :])
    return None


def _missing(name: str) -> ModuleNotFoundError:
    """The error for a module of Keras that there is not, in the words of the module around it."""
    parent, _, child = name.rpartition(".")
    try:
        getattr(sys.modules.get(parent), child)
    except AttributeError as error:
        if isinstance(sys.modules.get(parent), KerasModule):
            return ModuleNotFoundError(f"{name}: {error}")  # `from ... import` would say less if it had `name=`
    return ModuleNotFoundError(f"jkeras has no module for {name!r}.", name=name)


def _find(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None


@contextlib.contextmanager
def keras_imports() -> Iterator[None]:
    """While the block runs, `import keras` finds jkeras, and the user's `import tensorflow` a stand-in.

    Keras itself, if it was imported, is put aside until the end: for code that has both, such as tests that compare them.
    """
    outside = _taken("keras")
    finder = KerasFinder()
    finder.install()
    try:
        yield
    finally:
        finder.uninstall()
        _taken("keras")
        sys.modules.update(outside)


def as_keras(tensorflow: bool = True) -> None:
    """Makes `import keras` find jkeras from here on; for the top of a notebook, or of a library's tests.

    Args:
        tensorflow: whether the user's `import tensorflow` also finds jkeras's stand-in. In tests of a library, write False
            so that the library finds the package that is installed.

    Raises:
        AlreadyImportedError: Keras itself was imported before.

    Example::

        import jkeras

        jkeras.as_keras()
        import keras                 # jkeras.keras
        from keras import layers
    """
    if is_in_force():
        return
    refuse_imported_keras()
    KerasFinder(tensorflow).install()


def is_in_force() -> bool:
    """Whether `import keras` finds jkeras already."""
    return any(isinstance(finder, KerasFinder) for finder in sys.meta_path)


def refuse_imported_keras() -> None:
    """Says so if Keras itself was imported.

    Raises:
        AlreadyImportedError: it was.
    """
    if "keras" in sys.modules and not is_in_force():
        raise AlreadyImportedError(
            f"`keras` was imported already, from {getattr(sys.modules['keras'], '__file__', None)}: what has its objects"
            " would go on with them. Call `jkeras.as_keras()`, or run the script, before anything imports keras (in a"
            " notebook: restart it)."
        )
