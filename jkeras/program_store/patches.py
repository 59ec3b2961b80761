"""Whether what is in memory is what the source files say: functions and classes may be replaced while a process runs.

A program is kept under the versions of the packages that it is made with. That says nothing where somebody put a function of
theirs in the place of one of ours, or edited a file after it was loaded. So every function in a module or class of jkeras has
to be from a file of a known package; and which function has which name is part of a program's key, as are plain constants.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jkeras import lazy
from jkeras.program_store.errors import NotPortableError

ROOT = os.path.dirname(os.path.abspath(lazy.__file__)) + os.sep
STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
# Where functions and classes come from that stand in modules of ours, beside the standard library.
OTHERS = frozenset({
    "jax", "jaxlib", "optax", "flax", "orbax", "numpy", "ml_dtypes", "jaxtyping", "typing_extensions", "absl", "nanobind",
    "h5py", "rich", "tensorstore", "safetensors", "grain", "matplotlib", "sklearn", "scipy", "PIL", "IPython", "optuna",
    "huggingface_hub", "jax_plugins",
})  # fmt: skip
# What the standard library writes for data classes and named tuples, in no file.
GENERATED = frozenset({
    "__init__", "__new__", "__eq__", "__repr__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__", "__setattr__", "__delattr__",
    "__replace__",
})  # fmt: skip
# The public modules of JAX in which a function is most likely replaced.
PUBLIC = ("jax", "jax.lax", "jax.nn", "jax.nn.initializers", "jax.numpy", "jax.numpy.linalg", "jax.random", "jax.tree")
# File systems round the times of changes.
ROUNDED_NS = 10**9


def source_fingerprint() -> str:
    """What tells the source files of jkeras from those of another version.

    Raises:
        NotPortableError: a file was changed since the package was loaded.
    """
    found, newest = _files()
    if newest > lazy.LOADED_NS - ROUNDED_NS:
        raise NotPortableError("a source file was changed after jkeras was loaded")
    return found


def _files() -> tuple[str, int]:
    """The files with their sizes and times, or contents where all times are the same, and the time of the last change."""
    files = sorted(_sources(ROOT))
    times = {modified for _, _, modified, _ in files}
    newest = max(max(modified, changed) for _, _, modified, changed in files)
    if len(times) > 1:
        return repr([(path[len(ROOT) :], size, modified) for path, size, modified, _ in files]), newest
    return repr([(path[len(ROOT) :], Path(path).read_bytes()) for path, *_ in files]), newest


def _sources(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Path, size, and times of change of contents and of the entry, of each source file."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                stat = entry.stat()
                yield entry.path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _sources(entry.path)


def check_modules() -> None:
    """Looks through all loaded modules of jkeras with their classes, and the public modules of JAX.

    Raises:
        NotPortableError: something there is of no known package.
    """
    for name, module in list(sys.modules.items()):
        if name in PUBLIC or name.startswith("jkeras.") or name == "jkeras":
            seen = _SEEN.get(name)
            values = _values_of(name, module)
            if seen is None or len(seen) != len(values) or any(map(operator.is_not, seen, values)):
                check_all(name, vars(module))
                _SEEN[name] = values


# What was looked at and is known, by module: it need not be looked at again for every program.
_SEEN: dict[str, list[Any]] = {}


def _values_of(name: str, module: types.ModuleType) -> list[Any]:
    """What a module and the classes that it defines have names for."""
    values = list(vars(module).values())
    for value in list(values):
        if isinstance(value, type) and value.__module__ == name:
            values += vars(value).values()
    return values


def check_all(place: str, names: Mapping[str, Any]) -> None:
    """Looks through the names of a module or class, and of the classes that a module defines.

    Raises:
        NotPortableError: something there is of no known package.
    """
    for name, value in list(names.items()):
        if not _is_known(value, place):
            raise NotPortableError(f"{place}.{name} is of another package")


def _is_known(value: Any, place: str) -> bool:
    kind = type(value)
    if kind is types.FunctionType:
        inner = value.__dict__.get("__wrapped__")
        file = value.__code__.co_filename
        generated = file == "<string>" and value.__name__ in GENERATED
        return (generated or _is_library(file)) and (inner is None or _is_known(inner, place))
    if kind is types.ModuleType:
        return sys.modules.get(value.__name__, value) is value and _is_package(value.__name__)
    if isinstance(value, type):
        if value.__module__ == place:
            check_all(value.__qualname__, vars(value))
        return _is_package(value.__module__)
    if kind in (staticmethod, classmethod):
        return _is_known(value.__func__, place)
    if kind is property:
        return all(_is_known(part, place) for part in (value.fget, value.fset, value.fdel) if part is not None)
    if not _is_package(kind.__module__):
        return False
    inner = getattr(value, "__wrapped__", None) if callable(value) else None
    return inner is None or _is_known(inner, place)


@functools.lru_cache(maxsize=1024)
def _is_package(module: str) -> bool:
    package = module.partition(".")[0]
    return package != "unittest" and (package == "jkeras" or package in OTHERS or package in sys.stdlib_module_names)


@functools.lru_cache(maxsize=4096)
def _is_library(file: str) -> bool:
    """Whether code is of jkeras, of the standard library, or of a package that ours stands on."""
    if file.startswith((ROOT, "<frozen ")):
        return True
    if file.startswith(STANDARD):
        return not file.startswith((STANDARD + "site-packages", STANDARD + "dist-packages"))
    return any(file.startswith(folder) for folder in map(_folder, OTHERS) if folder is not None)


def _folder(package: str) -> str | None:
    file = getattr(sys.modules.get(package), "__file__", None)
    return None if file is None else os.path.dirname(os.path.abspath(file)) + os.sep


def is_unchanged(value: Any) -> bool:
    """Whether a function, or what stands for one, is of a known package."""
    return _is_known(value, "")


def contents_of_class(cls: type) -> str:
    """The functions and plain constants of a class and its bases by name, and of the modules that they are in."""
    own = [base for base in cls.__mro__ if base.__module__.partition(".")[0] == "jkeras"]
    classes = [(base.__module__, base.__qualname__, _contents(vars(base))) for base in own]
    return repr((classes, [(name, contents_of_module(name)) for name in sorted({base.__module__ for base in own})]))


def contents_of_module(name: str) -> Any:
    """The functions and plain constants of a module by name."""
    return _contents(vars(sys.modules[name])) if name in sys.modules else None


def contents_of_jax() -> Any:
    """The same of the public modules of JAX; which others they have as attributes depends on what else was imported."""
    found = [(name, vars(sys.modules[name])) for name in PUBLIC if name in sys.modules]
    return [
        (module, _contents({name: value for name, value in names.items() if type(value) is not types.ModuleType}))
        for module, names in found
    ]


def _contents(names: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, found) for name, value in sorted(names.items()) if (found := _content(name, value)) is not None]


def _content(name: str, value: Any) -> Any:
    if type(value) is types.ModuleType:
        return value.__name__
    if type(value) is property:
        return [_content(name, part) for part in (value.fget, value.fset, value.fdel)]
    if type(value) in (staticmethod, classmethod):
        value = value.__func__
    inner: Any = value
    while getattr(inner, "__wrapped__", None) is not None:
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    if isinstance(code, types.CodeType):
        return type(value).__name__, code.co_qualname, code.co_firstlineno, os.path.basename(code.co_filename)
    if isinstance(value, type):
        return value.__module__, value.__qualname__
    if callable(value) and hasattr(value, "__name__"):  # a function without code of its own, such as `jax.numpy.add`
        return type(value).__name__, getattr(value, "__module__", None), value.__name__
    return repr(value) if not name.startswith("__") and _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, complex, str, bytes)
