"""Metrics that keep their numbers: `update_state`, `result`, `reset_state` over the pure ones of `jkeras.metrics`.

Inside a model the pure metric runs. A user's own class becomes one: its `update_state` and `result` are run on a copy of
the object whose variables hold the given state.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax.numpy as jnp

from jkeras import config, initializers, metrics
from jkeras.errors import UnknownNameError
from jkeras.keras.variables import HostArray, Variable, on_host
from jkeras.keras.wrapping import to_value
from jkeras.metrics import Metric as PureMetric
from jkeras.registry import snake_case
from jkeras.values.config import serialize as serialize_value


class Metric:
    """Base of metrics; a subclass defines `update_state` and `result` over variables made with `add_weight`.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.largest = self.add_weight(name="largest", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.largest.assign(jnp.maximum(self.largest.value, jnp.max(jnp.abs(y_true - y_pred))))
    ...     def result(self):
    ...         return self.largest.value
    >>> metric = Largest()
    >>> metric.update_state(jnp.array([1.0, 2.0]), jnp.array([1.5, 5.0]))
    >>> float(metric.result())
    3.0
    """

    spec: ClassVar[type[PureMetric] | None] = None
    is_facade: ClassVar[bool] = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An object whose variables are kept beside it."""
        self = object.__new__(cls)
        self.__dict__.update(_state={}, _initial={}, _pure=None)
        return self

    def __init__(self, *args: Any, **kwargs: Any):
        if self.spec is None:
            self._set_up(*args, **kwargs)
        else:
            self._pure = self.spec(*to_value(args), **to_value(kwargs))
            self.name, self.dtype = self._pure.name, self._pure.dtype

    def _set_up(self, dtype: Any = None, name: str | None = None) -> None:
        self.dtype = dtype or config.floatx()
        self.name = name or snake_case(type(self).__name__)

    @classmethod
    def around(cls, pure: PureMetric) -> Any:
        """A metric over a pure one."""
        self = facade(type(pure)).__new__(facade(type(pure)))
        self._pure, self.name, self.dtype = pure, pure.name, pure.dtype
        return self

    # -- variables ------------------------------------------------------------------------------------------------

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A variable that counts something; `reset_state` gives it its first value back."""
        name = name or f"variable_{len(self._initial)}"
        make = initializers.get("zeros" if initializer is None else initializer)
        self._initial[name] = make(tuple(shape), dtype=dtype or self.dtype)
        return self._variable(name)

    add_variable = add_weight

    def _variable(self, name: str) -> Variable:
        def read() -> Any:
            return self._state[name] if name in self._state else self._first_state().get(name)

        def write(value: Any) -> None:
            self._state[name] = value

        return Variable(read, write, name, trainable=False)

    @property
    def variables(self) -> list[Variable]:
        """The variables, in the order in which they were made."""
        return [self._variable(name) for name in self._first_state()]

    def _first_state(self) -> dict[str, Any]:
        return {**self._initial, **(self._pure.empty() if self._pure is not None and not self._state else {}), **self._state}

    # -- functions of lists of variables, as Keras on JAX has them ------------------------------------------------

    def stateless_reset_state(self) -> list[Any]:
        """The variables before the first batch."""
        return list(self._pure_value().empty().values())

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The variables after one more batch; this metric stays as it is."""
        names = list(self._pure_value().empty())
        clone = self.with_state(dict(zip(names, metric_variables, strict=True)))
        clone.update_state(*args, **kwargs)
        return [clone._state[name] for name in names]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The value that a list of variables stands for."""
        names = list(self._pure_value().empty())
        result = self.with_state(dict(zip(names, metric_variables, strict=True))).result()
        return result.value if isinstance(result, Variable) else result

    # -- numbers --------------------------------------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Adds a batch: `update_state(y_true, y_pred, sample_weight=None)`, for means and sums `update_state(values)`."""
        args, kwargs = _arrays(args), _arrays(kwargs)
        state = self._state or self._pure.empty(*args[:2])
        self.__dict__["_state"] = dict(self._pure.update(state, *args, **kwargs))

    def result(self) -> Any:
        """The value of everything added so far."""
        return on_host(self._pure.compute(self._state or self._pure.empty()))

    def reset_state(self) -> None:
        """Starts anew."""
        self.__dict__["_state"] = {}

    reset_states = reset_state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns the value."""
        self.update_state(*args, **kwargs)
        return self.result()

    # -- inside a model -------------------------------------------------------------------------------------------

    def _pure_value(self) -> PureMetric:
        return self._pure if type(self).__dict__.get("is_facade") else UserMetric(self)

    def with_state(self, state: Mapping[str, Any]) -> Self:
        """A copy whose variables hold a state; this metric stays as it is."""
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        for name, value in vars(self).items():
            if isinstance(value, Variable) and value.path in self._initial:
                clone.__dict__[name] = clone._variable(value.path)
            elif isinstance(value, (list, dict)):
                clone.__dict__[name] = copy.copy(value)
        clone.__dict__.update(_state=dict(state), _initial=dict(self._initial))
        return clone

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return self._pure.get_config() if self._pure is not None else {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class UserMetric(PureMetric):
    """A user's own metric class as a pure metric."""

    def __init__(self, metric: Metric):
        super().__init__(name=metric.name)
        self.metric = metric

    def empty(self, y_true: Any = None, y_pred: Any = None) -> dict[str, Any]:
        if self.metric._pure is not None:
            return {**self.metric._pure.empty(y_true, y_pred), **self.metric._initial}
        return {name: jnp.asarray(value) for name, value in self.metric._initial.items()}

    def update(self, state: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        clone = self.metric.with_state(state)
        takes_weight = "sample_weight" in inspect.signature(clone.update_state).parameters
        weighted = {"sample_weight": sample_weight} if sample_weight is not None and takes_weight else {}
        clone.update_state(y_true, y_pred, **weighted)
        return {name: jnp.asarray(clone._state[name], state[name].dtype) for name in state}

    def compute(self, state: Any) -> Any:
        result = self.metric.with_state(state).result()
        return jnp.asarray(result.value if isinstance(result, Variable) else result)

    def rows_independent(self, y_true_spec: Any, y_pred_spec: Any) -> bool:
        # What the user's code does with rows of weight 0 is not known.
        return False

    def get_config(self) -> dict[str, Any]:
        return serialize_value(self.metric.get_config())


def _arrays(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.value
    if isinstance(value, HostArray):
        return value.numpy()
    if isinstance(value, tuple):
        return tuple(_arrays(v) for v in value)
    if isinstance(value, dict):
        return {k: _arrays(v) for k, v in value.items()}
    return jnp.asarray(value) if isinstance(value, (list, int, float)) else value


@functools.cache
def facade(pure: type[PureMetric]) -> Any:
    """The class with a state for a class of pure metrics."""
    if pure is PureMetric:
        return Metric
    base = facade(next(b for b in pure.__mro__[1:] if issubclass(b, PureMetric)))
    namespace = {"spec": pure, "__doc__": pure.__doc__, "__module__": "jkeras.keras.metrics", "is_facade": True}
    return type(base)(pure.__name__, (base,), namespace)


def get(identifier: Any) -> Any:
    """The metric that a name, a configuration or a function means."""
    if isinstance(identifier, Metric):
        return identifier
    found = metrics.get(identifier)
    return Metric.around(found) if isinstance(found, PureMetric) else found


def serialize(metric: Any) -> Any:
    """The JSON-able form of a metric."""
    return serialize_value(to_value(metric))


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a configuration."""
    own = (custom_objects or {}).get(config.get("class_name")) if isinstance(config, Mapping) else None
    return own.from_config(config["config"]) if own is not None else get(config)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    found = getattr(metrics, name, None)
    if found is None:
        raise AttributeError(str(UnknownNameError("metric", name, dir(metrics))))
    return facade(found) if inspect.isclass(found) and issubclass(found, PureMetric) else found


def __dir__() -> list[str]:
    return sorted(name for name in dir(metrics) if not name.startswith("_"))
