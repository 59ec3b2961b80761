"""How a step is spread over devices, as a value: what `jkeras.distribute` offers builds on this."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.training.layout import Layout
from jkeras.values.spec import Spec

_current: contextvars.ContextVar[Strategy | None] = contextvars.ContextVar("jkeras_strategy", default=None)


class Strategy(Spec):
    """Base of all strategies: says where arrays live and how the pure step is compiled.

    A strategy is a value: models with equal recipes and equal strategies share their compiled steps.

    >>> import jkeras as jk
    >>> with jk.distribute.DataParallel().scope():
    ...     model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).compile("sgd", "mse")
    >>> isinstance(model.recipe.distribute, Strategy)
    True
    """

    keras_module = "jkeras.distribute"

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Models that are compiled inside the block are trained under this strategy."""
        before = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(before)

    def layout(self) -> Layout:
        """Where arrays live, and how steps over them are compiled."""
        raise NotImplementedError(f"{type(self).__name__} must define `layout(self)`.")


def current() -> Strategy | None:
    """The strategy in force, None outside a scope."""
    return _current.get()


def make_current(strategy: Strategy | None) -> None:
    """Puts a strategy in force from now on; None puts none."""
    _current.set(arguments.checked("set_distribution", "value", strategy, as_strategy))


def as_strategy(value: object) -> Strategy | None:
    """A strategy or None.

    Raises:
        ArgumentError: it is something else.
    """
    if value is None or isinstance(value, Strategy):
        return value
    raise ArgumentError(f"expected a strategy such as `jk.distribute.MirroredStrategy()`, not a {type(value).__name__}")
