"""The walk over the objects of a model by which files are written and read: attributes in alphabetical order, private ones last.

An object lies under the path of the attributes that lead to it, one in a container under its class's name and a number, the
layers of functional and sequential models under `layers`. An object that is met again is not written again.
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
    """Whether an object has a place of its own in files: layers, models, optimizers, metrics, losses."""
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
    """Attributes that all layers and models have, and that hold nothing of their own."""
    from jkeras.keras.functional import Functional
    from jkeras.keras.layer import Layer
    from jkeras.keras.sequential import Sequential

    return frozenset({*dir(Layer()), *dir(Functional), *dir(Sequential), "_functional"} - {"layers", "optimizer"})


def children(saveable: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of each attribute to look into."""
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
        except Exception:  # a property that needs what is not there
            continue
        if is_saveable(value) or isinstance(value, CONTAINERS):
            yield names.get(name, (name,))[0], value


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _members(container: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of each object and container in a container."""
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
    """Objects and containers by identity. It keeps them: a list that a property makes would leave its identity to the next."""

    def __init__(self, visited: Iterable[Any] = ()):
        self._by_id = {id(value): value for value in visited}

    def __contains__(self, value: object) -> bool:
        return id(value) in self._by_id

    def add(self, value: Any) -> None:
        """Takes one in."""
        self._by_id[id(value)] = value


def save_state(root: Any, store: ArrayStore, assets: Assets | None, skip: Collection[Any] = ()) -> None:
    """Asks every object for its arrays and files."""
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
    """One reading of a file into objects."""

    def __init__(self, store: ReadStore, assets: Assets | None, failed: dict[int, Any], skip: Collection[Any]):
        self.store = store
        self.assets = assets
        self.failed = failed
        self.visited = _Visited(skip)
        self.containers = _Visited()

    def read(self, value: Any, path: str) -> None:
        """Gives an object, and those inside, what the file has for them."""
        if value in self.visited:
            return
        error = self._read_own(value, path)
        before = len(self.failed)
        for name, inner in children(value):
            self._read_any(inner, _join(path, name))
        if error is None:
            # One that failed under another path may be found under this one.
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
    skip_mismatch: bool = False,
    skip: Collection[Any] = (),
) -> None:
    """Gives every object its arrays and files; `failed` gets, by id, each object that could not take them, and why."""
    _Reader(store, assets, failed, skip).read(root, "")


def loading_failure(failed: Mapping[int, Any], advice: bool = True) -> RestoreError:
    """The error that names the objects that could not be read."""
    first, error = next(iter(failed.values()))
    others = (
        ""
        if len(failed) == 1
        else f" List of objects that could not be loaded: {[value for value, _ in failed.values()]}."
    )
    hint = " To load what fits: `load_weights(path, skip_mismatch=True)`." if advice else ""
    return RestoreError(
        f"A total of {len(failed)} objects could not be loaded. Example error message for object {first}: {error}{others}{hint}"
    )
