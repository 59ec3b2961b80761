"""The public names of jkeras, and what each stands for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

# Each namespace with the title of its part of the reference, and whether every name has a page of its own.
NAMESPACES: dict[str, tuple[str, bool]] = {
    "jkeras": ("Models and training", True),
    "jkeras.models": ("Models: files and copies", False),
    "jkeras.layers": ("Layers", True),
    "jkeras.losses": ("Losses", True),
    "jkeras.metrics": ("Metrics", True),
    "jkeras.optimizers": ("Optimizers", True),
    "jkeras.optimizers.schedules": ("Learning rate schedules", True),
    "jkeras.callbacks": ("Callbacks", True),
    "jkeras.activations": ("Activations", False),
    "jkeras.initializers": ("Initializers", False),
    "jkeras.regularizers": ("Regularizers", False),
    "jkeras.constraints": ("Constraints", False),
    "jkeras.ops": ("Operations", False),
    "jkeras.ops.image": ("Operations on images", False),
    "jkeras.ops.linalg": ("Linear algebra", False),
    "jkeras.ops.nn": ("Operations of networks", False),
    "jkeras.ops.numpy": ("Operations of NumPy", False),
    "jkeras.random": ("Random numbers", False),
    "jkeras.data": ("Data sets", False),
    "jkeras.datasets": ("Ready data sets", False),
    "jkeras.utils": ("Utilities", False),
    "jkeras.plots": ("Plots", False),
    "jkeras.distribute": ("Devices and processes", False),
    "jkeras.distribution": ("Keras's distribution", False),
    "jkeras.applications": ("Known networks", False),
    "jkeras.architectures": ("More networks", False),
    "jkeras.wrappers": ("scikit-learn", False),
    "jkeras.saving": ("Saving", False),
    "jkeras.config": ("Settings", False),
    "jkeras.dtype_policies": ("Types and policies", False),
    "jkeras.tree": ("Trees", False),
    "jkeras.backend": ("Keras's old backend", False),
    "jkeras.errors": ("Errors", False),
}
# Namespaces of modules, whose functions are found one level down.
_OF_MODULES = ("jkeras.datasets", "jkeras.applications", "jkeras.data")


class Entry(NamedTuple):
    """A public object with every path at which it is found, the first of them the one to write."""

    paths: tuple[str, ...]
    value: Any

    @property
    def path(self) -> str:
        return self.paths[0]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


def public_names(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The names that a module offers: those in `__all__`, or else what it defines, or a package gathers."""
    listed = vars(module).get("__all__")
    lazy = hasattr(module, "__path__")
    for name in sorted(set(listed or dir(module))):
        value = getattr(module, name, None)
        if name.startswith("_") or isinstance(value, (ModuleType, TypeVar)):
            continue
        home = str(getattr(value, "__module__", ""))
        declared = name in vars(module).get("__annotations__", ()) and not name.isupper()
        if listed or declared or (home.startswith("jkeras.") if lazy else home == module.__name__):
            yield name, value


def modules_of(namespace: str) -> list[ModuleType]:
    """A namespace's module, and those inside it that are part of it."""
    module = importlib.import_module(namespace)
    if namespace not in _OF_MODULES:
        return [module]
    inner = [getattr(module, name) for name in vars(module).get("__all__") or dir(module) if not name.startswith("_")]
    return [module, *(m for m in inner if isinstance(m, ModuleType) and _is_part(m))]


def _is_part(module: ModuleType) -> bool:
    """Whether users write the name of the module itself, as in `datasets.mnist.load_data()`."""
    return "__all__" in vars(module) or "load_data" in vars(module)


def public_paths() -> dict[str, Any]:
    """Every public path with its object."""
    return {
        f"{module.__name__}.{name}": value
        for namespace in NAMESPACES
        for module in modules_of(namespace)
        for name, value in public_names(module)
    }


def entries() -> dict[str, list[Entry]]:
    """The entries of each namespace. What several offer stands in the one that comes first; `jkeras` comes last."""
    paths_by_key: dict[Any, list[str]] = {}
    values: dict[Any, Any] = {}
    for path, value in sorted(public_paths().items(), key=lambda item: _rank(item[0])):
        key = id(value) if callable(value) or inspect.isclass(value) else path
        paths_by_key.setdefault(key, []).append(path)
        values[key] = value
    result: dict[str, list[Entry]] = {namespace: [] for namespace in NAMESPACES}
    for key, paths in paths_by_key.items():
        best = sorted(
            paths, key=lambda path: (path.rpartition(".")[2] != getattr(values[key], "__name__", ""), _rank(path))
        )
        namespace = max((n for n in NAMESPACES if best[0].startswith(f"{n}.")), key=len)
        result[namespace].append(Entry(tuple(best), values[key]))
    return {n: sorted(group, key=lambda entry: entry.name.lower()) for n, group in result.items() if group}


def _rank(path: str) -> tuple[int, str]:
    namespace = max((n for n in NAMESPACES if path.startswith(f"{n}.")), key=len)
    return list(NAMESPACES).index(namespace), path
