"""A user's own layer or model class as an immutable description.

The user writes a mutable class the way Keras taught. What runs is a value: a copy of the object's attributes, with the
layers inside replaced by their descriptions, made when the layer is first used. Inside a run the user's `build` and `call`
see a *view*: an object of their own class whose attributes are the bound layers and the real arrays.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import jax

from jkeras.errors import InputError
from jkeras.graph.layer import Layer as PureLayer
from jkeras.keras import stateless
from jkeras.keras.metrics import Metric, UserMetric
from jkeras.keras.variables import Variable
from jkeras.keras.wrapping import to_value
from jkeras.metrics import Metric as PureMetric
from jkeras.models.model import Model as PureModel
from jkeras.training.state import TrainState
from jkeras.values.config import serialize

# Methods of a user's class that the description runs in its place.
FORWARDED = ("build", "call", "compute_mask")
STEPS = ("train_step", "test_step")


class Declaration:
    """A weight that a constructor asked for; it is made when the layer first runs."""

    def __init__(self, arguments: Mapping[str, Any]):
        self.arguments = dict(arguments)


class Described:
    """What a user's class adds to the class of layers that it extends."""

    user_class: ClassVar[Any]

    def view(self) -> Any:
        """The object that the user's methods see; one for each bound copy."""
        found = self.__dict__.get("_spec_view")
        if found is None:
            found = view_of(self)
            object.__setattr__(self, "_spec_view", found)
        return found

    def _bound_copy(self, scope: Any, parent: Any = None) -> Any:
        clone = super()._bound_copy(scope, parent)  # type: ignore[misc]
        clone.__dict__.pop("_spec_view", None)
        return clone

    def __getattr__(self, name: str) -> Any:
        # The user's other methods, called on this layer from inside another one.
        if not name.startswith("_") and "_spec_scope" in self.__dict__:
            return getattr(self.view(), name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def get_config(self) -> dict[str, Any]:
        if defines(self.user_class, "get_config"):
            return self.user_class.get_config(self.view())
        if self.__dict__.get("_network") is not None:
            return super().get_config()  # type: ignore[misc]
        return {name: serialize(to_value(value)) for name, value in self.__dict__["_spec_arguments"].items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        return to_value(cls.user_class.from_config(dict(config)))


class DescribedModel(Described):
    """The same for models, with the training step."""

    @property
    def has_own_train_step(self) -> bool:
        """Whether the user's class overrides `train_step`."""
        return defines(self.user_class, "train_step")

    @property
    def has_own_test_step(self) -> bool:
        """Whether the user's class overrides `test_step`."""
        return defines(self.user_class, "test_step")

    @property
    def own_metrics(self) -> tuple[tuple[str, Any], ...]:
        """The metrics that the user's object holds, for steps over lists."""
        steps = [getattr(self.user_class, name) for name in STEPS if defines(self.user_class, name)]
        return stateless.own_metrics(self.view()) if any(map(stateless.is_keras_step, steps)) else ()

    def train_step(self, state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Any]]:
        """The user's step, or the usual one."""
        return self._step("train_step", state, batch)

    def test_step(self, state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Any]]:
        """The user's scoring of a batch, or the usual one."""
        return self._step("test_step", state, batch)

    def _step(self, name: str, state: TrainState, batch: Any) -> tuple[TrainState, dict[str, Any]]:
        if not defines(self.user_class, name):
            return getattr(super(), name)(state, batch)
        function = getattr(self.user_class, name)
        if len(inspect.signature(function).parameters) < 3:
            raise InputError(
                f"{self.user_class.__name__}.{name}(self, data) is a step in TensorFlow's manner, which changes the model in"
                f" place. Write `{name}(self, state, batch)` that returns `(state, logs)`, see `jkeras.Model.{name}`, or"
                f" `{name}(self, state, data)` that returns `(logs, state)`, as Keras on JAX has it."
            )
        if stateless.is_keras_step(function):
            return stateless.run(function, self.view(), self._step_program, state, batch)  # type: ignore[attr-defined]
        return function(self.view(), state, batch)


def defines(user_class: Any, name: str) -> bool:
    """Whether the user's own code, not the library, defines an attribute of the class."""
    for cls in user_class.__mro__:
        if cls.__dict__.get("is_facade"):
            return False
        if name in cls.__dict__:
            return True
    return False


@functools.cache
def pure_class(user_class: Any, spec: type[PureLayer]) -> type[PureLayer]:
    """The class of immutable descriptions of a user's class."""
    mixin = DescribedModel if issubclass(spec, PureModel) else Described
    namespace: dict[str, Any] = {
        "user_class": user_class,
        "__module__": user_class.__module__,
        "__qualname__": user_class.__qualname__,
        "__doc__": user_class.__doc__,
    }
    for name in FORWARDED:
        if defines(user_class, name):
            namespace[name] = _forward(user_class, name)
    for name in ("supports_masking", "couples_samples"):
        if defines(user_class, name):
            namespace[name] = getattr(user_class, name)
    return type(spec)(user_class.__name__, (mixin, spec), namespace)


def _forward(user_class: Any, name: str) -> Any:
    own = getattr(user_class, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return own(self.view(), *args, **kwargs)

    method.__name__ = name
    method.__signature__ = inspect.signature(own)  # type: ignore[attr-defined]
    return method


def describe(owner: Any, value: PureLayer) -> PureLayer:
    """The description of a user's object as it is now.

    Args:
        owner: the user's object.
        value: what its class's base made of the arguments given to it (name, dtype ...).
    """
    described = object.__new__(pure_class(type(owner), type(value)))
    described.__dict__.update({k: v for k, v in value.__dict__.items() if k not in ("_spec_key", "_spec_frozen")})
    own = {k: v for k, v in vars(owner).items() if not k.startswith("_keras_")}
    described.__dict__.update(to_value(own))
    described.__dict__["_spec_arguments"] = captured_arguments(type(owner), *owner.__dict__["_keras_given"])
    described.__dict__["_spec_frozen"] = True
    return described


def captured_arguments(cls: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor by name, `**kwargs` flattened."""
    signature = inspect.signature(cls.__init__)
    bound = signature.bind(None, *args, **kwargs)
    bound.apply_defaults()
    captured: dict[str, Any] = {}
    for parameter in list(signature.parameters.values())[1:]:
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_KEYWORD:
            captured.update(value)
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            captured[parameter.name] = value
    return captured


def view_of(described: Any) -> Any:
    """An object of the user's class with the attributes of a (bound) description."""
    view = object.__new__(described.user_class)
    view.__dict__.update({k: v for k, v in vars(described).items() if k != "build" and not k.startswith("_spec_")})
    view.__dict__["_keras_bound"] = described
    for name, value in list(vars(view).items()):
        if isinstance(value, PureMetric):
            view.__dict__[name] = value.metric if isinstance(value, UserMetric) else Metric.around(value)
    if "_spec_scope" in described.__dict__:
        for name, value in list(vars(view).items()):
            if isinstance(value, Declaration):
                setattr(view, name, add_weight(described, value.arguments))
    return view


def add_weight(bound: Any, arguments: Mapping[str, Any]) -> Any:
    """A weight of a bound layer: the array, or for one that is not trainable a variable that can be assigned."""
    array = bound.add_weight(**arguments)
    if arguments.get("trainable", True):
        return array
    scope = bound.__dict__["_spec_scope"]
    name = scope.name_of(array)
    box = [array]

    def write(value: jax.Array) -> None:
        box[0] = value
        scope.assign(name, value)

    return Variable(lambda: box[0], write, name, trainable=False)


def assign_in_view(view: Any, name: str, value: Any) -> None:
    """Sets an attribute of a view, inside `build` or `call`."""
    old = view.__dict__.get(name)
    if isinstance(value, Variable) or (isinstance(old, Variable) and not isinstance(value, (jax.Array, Variable))):
        view.__dict__[name] = value
    elif isinstance(old, Variable):
        old.assign(value)
    else:
        bound = view.__dict__["_keras_bound"]
        setattr(bound, name, to_value(value))
        view.__dict__[name] = bound.__dict__[name]
