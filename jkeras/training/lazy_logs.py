"""The logs of a batch, which are fetched from the device when a callback reads them.

Hooks of batches are called while the device still computes; one that does not look at the numbers does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jkeras.training.task import to_floats

# What reads or changes values. Names and their number are known at once.
METHODS = (
    *("__getitem__", "__setitem__", "__delitem__", "__eq__", "__ne__", "__or__", "__ror__", "__ior__", "__repr__"),
    *("get", "items", "values", "pop", "popitem", "setdefault", "update", "copy", "clear"),
)


class LazyLogs(dict[str, Any]):
    """A dict of numbers by name, sorted by name; a copy of it is a plain dict.

    Args:
        values: on the device.

    >>> import jax.numpy as jnp
    >>> logs = LazyLogs({"loss": jnp.float32(0.5), "accuracy": jnp.float32(1)})
    >>> list(logs), logs["loss"], {**logs}
    (['accuracy', 'loss'], 0.5, {'accuracy': 1.0, 'loss': 0.5})
    """

    __slots__ = ("_waits",)

    def __init__(self, values: Mapping[str, Any]):
        dict.__init__(self, sorted(values.items()))
        self._waits = True

    def _fetch(self) -> None:
        if self._waits:
            self._waits = False
            dict.update(self, to_floats(dict(dict.items(self))))

    def __iter__(self) -> Iterator[str]:
        # With a method of its own, `{**logs}` and `dict(logs)` ask for the items one by one.
        return dict.__iter__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def _fetching(name: str) -> Callable[..., Any]:
    method = vars(dict)[name]

    def read(self: LazyLogs, *args: Any, **kwargs: Any) -> Any:
        self._fetch()
        return method(self, *args, **kwargs)

    read.__name__, read.__doc__ = name, method.__doc__
    return read


for _name in METHODS:
    setattr(LazyLogs, _name, _fetching(_name))
