"""The mutable handle: one small object that holds one immutable model and rebinds it.

Callbacks see a handle as `self.model`; `jkeras.keras` builds its classes on it. A handle adds no behaviour: reading goes to
the model, and methods that return a new model rebind the handle to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jkeras import arguments, optimizers
from jkeras.buffers import owned_copy
from jkeras.errors import FrozenError
from jkeras.files.restoring import writable_definition
from jkeras.training.state import TrainState, arrays_of

# Methods of a model whose result replaces the model.
REBINDING = ("set_weights", "load_weights")
# Methods that change the program, which a running `fit` cannot do.
REDEFINING = ("compile", "build", "add", "pop", "freeze", "unfreeze")


# What can be assigned, and what the handle keeps itself.
ASSIGNED = ("value", "stop_training", "directions", "_value", "_offered", "_changed")


class Handle:
    """Holds one model and rebinds it.

    Attributes:
        value: the current immutable model, with its own arrays.
        stop_training: set to True to end training after the current batch or epoch.
        directions: whether each metric improves "up" or "down", by its name in the logs.
    """

    def __init__(self, value: Any, directions: Mapping[str, str | None] | None = None):
        self.directions: dict[str, str | None] = dict(directions or {})
        self._value = value
        self._offered: Callable[[], TrainState] | None = None
        self._changed = False
        self.stop_training = False

    @property
    def value(self) -> Any:
        """The model at this moment."""
        if self._offered is not None:
            # The loop will reuse its buffers, so the model gets copies, made only on access.
            state = owned_copy(self._offered()).replace(metrics=None)
            self._value = self._value._evolve(state=state)
            self._offered = None
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = value
        self._offered = None
        self._changed = True

    def offer(self, state: Callable[[], TrainState]) -> None:
        """For the loop: offers the present state, which is computed only on access."""
        self._offered = state
        self._changed = False

    def take(self) -> TrainState | None:
        """For the loop: the state if a callback changed it, else None."""
        self._offered = None
        return self._value.state if self._changed else None

    def written_definition(self) -> dict[str, Any]:
        """What a checkpoint stores about the model besides its arrays."""
        return writable_definition(self.value)

    @property
    def optimizer(self) -> Any:
        """The optimizer in use: its `learning_rate` can be read and assigned."""
        return LiveOptimizer(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.value  # immutable, and a copy of what is being trained

    def __reduce__(self) -> Any:
        return _itself, (self.value,)

    def __getattr__(self, name: str) -> Any:
        if name in REDEFINING:
            raise FrozenError(
                f"`self.model.{name}(...)` would change what is being trained while it runs. Set"
                f" `self.model.stop_training = True` and write `model = model.{name}(...)` when `fit` has returned."
            )
        attribute = getattr(self.value, name)
        if name in REBINDING and callable(attribute):

            def rebind(*args: Any, **kwargs: Any) -> None:
                self.value = attribute(*args, **kwargs)

            return rebind
        return attribute

    def __setattr__(self, name: str, new: Any) -> None:
        if name in ASSIGNED:
            super().__setattr__(name, new)
            return
        raise AttributeError(f"The live model has no attribute {name!r} to assign; assign `stop_training` or `value`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.value(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<live {self._value!r}>"


def _itself(value: Any) -> Any:
    return value


class LiveOptimizer:
    """The optimizer of a live model: configuration, and the learning rate in the state."""

    def __init__(self, handle: Handle):
        super().__setattr__("_handle", handle)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next update."""
        model = self._handle.value.with_optimizer_state()
        return optimizers.get_learning_rate(model.recipe.optimizer, arrays_of(model.state).opt_state)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        value = arguments.checked("optimizer", "learning_rate", value, arguments.scalar)
        model = self._handle.value.with_optimizer_state()
        opt_state = optimizers.set_learning_rate(model.recipe.optimizer, arrays_of(model.state).opt_state, value)
        self._handle.value = model._evolve(state=model.state.replace(opt_state=opt_state))

    lr = learning_rate

    @property
    def iterations(self) -> Any:
        """The number of updates so far."""
        return optimizers.get_iterations(self._handle.value.state.opt_state)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("learning_rate", "lr"):
            raise AttributeError(f"Only `learning_rate` of a live optimizer can be assigned, not {name!r}.")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle.value.recipe.optimizer, name)
