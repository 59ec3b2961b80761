"""The walk over a model's objects for writing and reading files: attributes in alphabetical order, private ones last.

An object is stored under the path of attributes that leads to it; in a container, under its class's name and a number; layers of
functional and sequential models under `layers`. An object that occurs again is not written again.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from jkeras.errors import RestoreError
from jkeras.graph.in_files import in_files
from jkeras.keras.stores import ArrayStore, Assets, ReadStore
from jkeras.registry import snake_case
from jkeras.utils.features import Feature

CONTAINERS = (list, tuple, dict)


def is_saveable(value: Any) -> bool:
    """Whether an object has its own place in files: layers, models, optimizers, metrics, losses."""
    return isinstance(value, _saveable_classes())


@functools.cache
def _saveable_classes() -> tuple[type, ...]:
    from jkeras.keras.losses import Loss
    from jkeras.keras.metrics import Metric
    from jkeras.keras.operation import Operation
    from jkeras.keras.optimizers import Optimizer

    return Operation, Optimizer, Metric, Loss, Feature


@functools.cache
def _skipped() -> frozenset[str]:
    """Attributes that all layers and models have, without their own contents."""
    from jkeras.keras.functional import Functional
    from jkeras.keras.layer import Layer
    from jkeras.keras.sequential import Sequential

    return frozenset({*dir(Layer()), *dir(Functional), *dir(Sequential), "_functional"} - {"layers", "optimizer"})


def children(saveable: Any) -> Iterator[tuple[str, Any]]:
    """The name and value of each attribute to visit."""
    from jkeras.keras.functional import Functional
    from jkeras.keras.layer import Layer
    from jkeras.keras.sequential import Sequential

    skipped: Collection[str] = _skipped() if isinstance(saveable, Layer) else ()
    if isinstance(saveable, (Sequential, Functional)):
        yield "layers", saveable.layers
        skipped = {*skipped, "layers"}
    names = in_files(type(saveable)).children
    for name in sorted(dir(saveable), key=lambda name: f"~{name}" if name.startswith("_") else name):
        if name.startswith("__") or (name in skipped and name not in names):
            continue
        try:
            value = getattr(saveable, name)
        except Exception:  # a property whose prerequisites are missing
            continue
        if is_saveable(value) or isinstance(value, CONTAINERS):
            yield names.get(name, (name,))[0], value


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _members(container: Any) -> Iterator[tuple[str, Any]]:
    """The name and value of each object and container in a container."""
    counts: dict[str, int] = {}
    for value in container.values() if isinstance(container, Mapping) else container:
        if is_saveable(value):
            name = snake_case(in_files(type(value)).class_name or type(value).__name__)
        elif isinstance(value, CONTAINERS):
            name = "container"
        else:
            continue
        counts[name] = counts.get(name, -1) + 1
        yield (f"{name}_{counts[name]}" if counts[name] else name), value


class _Visited:
    """Visited objects and containers by identity, kept alive: the identity of a temporary list could be reused."""

    def __init__(self, visited: Iterable[Any] = ()):
        self._by_id = {id(value): value for value in visited}

    def __contains__(self, value: object) -> bool:
        return id(value) in self._by_id

    def add(self, value: Any) -> None:
        """Takes one in."""
        self._by_id[id(value)] = value


def save_state(root: Any, store: ArrayStore, assets: Assets | None, skip: Collection[Any] = ()) -> None:
    """Saves the arrays and files of every object."""
    visited = _Visited(skip)

    def save(value: Any, path: str) -> None:
        if value in visited:
            return
        visited.add(value)
        if not is_saveable(value):
            for name, inner in _members(value):
                save(inner, _join(path, name))
            return
        if hasattr(value, "save_own_variables"):
            name = getattr(value, "name", None)
            value.save_own_variables(store.make(path, name if isinstance(name, str) else None))
        if assets is not None and hasattr(value, "save_assets"):
            value.save_assets(assets.make(path))
        for name, inner in children(value):
            save(inner, _join(path, name))

    save(root, "")


class _Reader:
    """Loads a file into objects."""

    def __init__(self, store: ReadStore, assets: Assets | None, failed: dict[int, Any], skip: Collection[Any]):
        self.store = store
        self.assets = assets
        self.failed = failed
        self.visited = _Visited(skip)
        self.containers = _Visited()

    def read(self, value: Any, path: str) -> None:
        """Loads the contents of the file into an object and its parts."""
        if value in self.visited:
            return
        error = self._read_own(value, path)
        before = len(self.failed)
        for name, inner in children(value):
            self._read_any(inner, _join(path, name))
        if error is None:
            # An object that failed under another path may be found under this one.
            if len(self.failed) <= before:
                self.visited.add(value)
            self.failed.pop(id(value), None)

    def _read_own(self, value: Any, path: str) -> Exception | None:
        try:
            if hasattr(value, "load_own_variables"):
                value.load_own_variables(self.store.get(path))
            if self.assets is not None and hasattr(value, "load_assets"):
                value.load_assets(self.assets.get(path))
        except Exception as error:
            self.failed[id(value)] = (value, error)
            return error
        return None

    def _read_any(self, value: Any, path: str) -> None:
        if is_saveable(value):
            self.read(value, path)
        elif value not in self.containers:
            self.containers.add(value)
            for name, inner in _members(value):
                self._read_any(inner, _join(path, name))


def load_state(
    root: Any,
    store: ReadStore,
    assets: Assets | None,
    failed: dict[int, Any],
    skip: Collection[Any] = (),
) -> None:
    """Loads the arrays and files of every object; `failed` collects objects that could not be loaded, with the error, by id."""
    _Reader(store, assets, failed, skip).read(root, "")


def loading_failure(failed: Mapping[int, Any], advice: bool = True) -> RestoreError:
    """The error that names the objects that could not be loaded."""
    first, error = next(iter(failed.values()))
    others = (
        ""
        if len(failed) == 1
        else f" List of objects that could not be loaded: {[value for value, _ in failed.values()]}."
    )
    hint = " To load what matches: `load_weights(path, skip_mismatch=True)`." if advice else ""
    return RestoreError(
        f"A total of {len(failed)} objects could not be loaded. Example error message for object {first}: {error}{others}{hint}"
    )
