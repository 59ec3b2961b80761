"""Tracks a layer's variables, sublayers, metrics and seeds when they are assigned to attributes or added to containers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any

import jax

from jkeras.keras.scopes import _Scope

_enabled: ContextVar[bool] = ContextVar("tracking", default=True)


class DotNotTrackScope(_Scope):
    """A context without tracking."""

    def _set(self) -> Any:
        return _enabled.set(False)


def no_automatic_dependency_tracking(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, run without tracking."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with DotNotTrackScope():
            return function(*args, **kwargs)

    return wrapper


class Tracker:
    """Sorts values into lists by kind.

    Args:
        config: a predicate and the list for each kind.
        exclusions: for a kind, the kinds to which its values must not already belong.
    """

    def __init__(
        self, config: Mapping[str, tuple[Callable[[Any], bool], list[Any]]], exclusions: Mapping[str, Any] | None = None
    ):
        self.config = dict(config)
        self.exclusions = dict(exclusions or {})
        self.locked = False
        self.message = ""
        # A counter of changes.
        self.version = 0
        self._by_id: dict[str, dict[int, Any]] = {}

    def track(self, value: Any) -> Any:
        """Tracks a value; a container is returned as a tracking container."""
        if isinstance(value, _UNTRACKED) or not _enabled.get():
            return value
        for kind, (is_kind, _) in self.config.items():
            if is_kind(value):
                if not any(self.is_in_store(other, value) for other in (kind, *self.exclusions.get(kind, ()))):
                    self.add_to_store(kind, value)
                return value
        if isinstance(value, tuple):
            parts = [self.track(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        for plain, tracked in _CONTAINERS.items():
            if isinstance(value, plain):
                return tracked(value, self)
        return value

    def untrack(self, value: Any) -> None:
        """Forgets a value."""
        self.version += 1
        self._by_id.clear()
        for _, store in self.config.values():
            store[:] = [entry for entry in store if entry is not value]

    def lock(self, msg: str | None = None) -> None:
        """Disallows further additions."""
        self.locked = True
        self.message = msg or self.message

    def unlock(self) -> None:
        """Ends `lock`."""
        self.locked = False

    def add_to_store(self, store_name: str, value: Any) -> None:
        """Adds a value of a kind.

        Raises:
            ValueError: the tracker is locked.
        """
        if self.locked:
            raise ValueError(self.message)
        self.version += 1
        self.config[store_name][1].append(value)
        self._by_id.setdefault(store_name, {})[id(value)] = value

    def is_in_store(self, store_name: str, value: Any) -> bool:
        """Whether a value is tracked as one of a kind."""
        store, by_id = self.config[store_name][1], self._by_id.get(store_name, {})
        if len(by_id) != len(store):  # others may also add to the store
            by_id = self._by_id[store_name] = {id(entry): entry for entry in store}
        return id(value) in by_id

    def replace_tracked_value(self, store_name: str, old_value: Any, new_value: Any) -> None:
        """Replaces a tracked value by another.

        Raises:
            ValueError: the value is not tracked.
        """
        if not self.is_in_store(store_name, old_value):
            raise ValueError(f"Unknown value: {old_value}")
        store = self.config[store_name][1]
        store[:] = [new_value if entry is old_value else entry for entry in store]
        self._by_id.clear()


_UNTRACKED = (str, int, float, bool, type(None), jax.Array)


def _track(tracker: Tracker | None, value: Any) -> Any:
    return value if tracker is None else tracker.track(value)


def _untrack(tracker: Tracker | None, values: Iterable[Any]) -> None:
    if tracker is not None:
        for value in values:
            tracker.untrack(value)


class TrackedList(list[Any]):
    """A list that reports its items to a tracker."""

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None):
        self.tracker = tracker
        super().__init__(_track(tracker, value) for value in values or ())

    def append(self, value: Any) -> None:
        super().append(_track(self.tracker, value))

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, _track(self.tracker, value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([_track(self.tracker, value) for value in values])

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc,override]
        self.extend(values)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, _track(self.tracker, value))

    def remove(self, value: Any) -> None:
        self.pop(next(place for place, entry in enumerate(self) if entry is value or _same(entry, value)))

    def pop(self, index: Any = -1) -> Any:
        value = super().pop(index)
        _untrack(self.tracker, [value])
        return value

    def clear(self) -> None:
        _untrack(self.tracker, self)
        super().clear()

    def __delitem__(self, index: Any) -> None:
        value = self[index]
        super().__delitem__(index)
        _untrack(self.tracker, value if isinstance(index, slice) else [value])

    def __reduce__(self) -> Any:
        return (type(self), ([], None), vars(self), iter(list(self)))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


class TrackedDict(dict[Any, Any]):
    """A dict that reports its values to a tracker."""

    def __init__(self, values: Any = (), tracker: Tracker | None = None):
        self.tracker = tracker
        super().__init__({key: _track(tracker, value) for key, value in dict(values or {}).items()})

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, _track(self.tracker, value))

    def update(self, *mappings: Any, **values: Any) -> None:
        for key, value in dict(*mappings, **values).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        present = key in self
        value = super().pop(key, *default)
        if present:
            _untrack(self.tracker, [value])
        return value

    def popitem(self) -> tuple[Any, Any]:
        key, value = super().popitem()
        _untrack(self.tracker, [value])
        return key, value

    def clear(self) -> None:
        _untrack(self.tracker, self.values())
        super().clear()

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def __reduce__(self) -> Any:
        return (type(self), (), vars(self), None, iter(list(self.items())))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


class TrackedOrderedDict(TrackedDict, OrderedDict):  # type: ignore[type-arg,misc]
    """The same for an `OrderedDict`."""


class TrackedSet(set[Any]):
    """A set that reports its members to a tracker."""

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None):
        self.tracker = tracker
        super().__init__(_track(tracker, value) for value in values or ())

    def add(self, value: Any) -> None:
        super().add(_track(self.tracker, value))

    def update(self, *values: Iterable[Any]) -> None:
        for value in [value for several in values for value in several]:
            self.add(value)

    def remove(self, value: Any) -> None:
        super().remove(value)
        _untrack(self.tracker, [value])

    def pop(self) -> Any:
        value = super().pop()
        _untrack(self.tracker, [value])
        return value

    def clear(self) -> None:
        _untrack(self.tracker, self)
        super().clear()

    def __reduce__(self) -> Any:
        return (type(self), (list(self), None), vars(self))


_CONTAINERS: dict[type, Callable[[Any, Tracker], Any]] = {
    list: TrackedList,
    OrderedDict: TrackedOrderedDict,
    dict: TrackedDict,
    set: TrackedSet,
}


def _same(first: Any, second: Any) -> bool:
    return isinstance(first, _UNTRACKED[:5]) and bool(first == second)


for _container in (TrackedList, TrackedSet):
    jax.tree_util.register_pytree_node(_container, lambda c: (list(c), type(c)), lambda cls, leaves: cls(leaves))
for _container in (TrackedDict, TrackedOrderedDict):
    jax.tree_util.register_pytree_node(
        _container,
        lambda d: ([d[key] for key in _keys(d)], (type(d), tuple(_keys(d)))),
        lambda aux, leaves: aux[0](zip(aux[1], leaves, strict=True)),
    )


def _keys(mapping: Mapping[Any, Any]) -> list[Any]:
    return list(mapping) if isinstance(mapping, OrderedDict) else sorted(mapping)
