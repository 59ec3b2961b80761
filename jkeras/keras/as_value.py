"""Runs of an object as an immutable model: with distribution strategies, and with exact checkpoints."""

from __future__ import annotations

from typing import Any

import jkeras as jk
from jkeras.callbacks.callback import HOOKS, Callback
from jkeras.callbacks.checkpoint_callback import CheckpointCallback
from jkeras.errors import ArgumentError
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.run import Hooks
from jkeras.keras.value import take_over, to_value


def is_asked_for(model: Any, callbacks: Any) -> bool:
    """Whether a run needs features that only the immutable face has."""
    return model._strategy is not None or any(
        isinstance(callback, CheckpointCallback) for callback in _listed(callbacks)
    )


def _listed(callbacks: Any) -> list[Any]:
    callback_list = getattr(callbacks, "callbacks", callbacks)
    return (
        []
        if callback_list is None
        else list(callback_list)
        if isinstance(callback_list, (list, tuple))
        else [callback_list]
    )


def compiled_value(model: Any) -> jk.Model:
    """The immutable model with its training configuration.

    Raises:
        ArgumentError: the step contains the user's own code.
    """
    own = [name for name in ("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "metrics",
                             "make_train_function", "make_test_function", "make_predict_function")
           if getattr(type(model), name) is not getattr(_base(), name)]  # fmt: skip
    value = None if own else to_value(model, named=False)
    if value is None or value.recipe is None:
        what = (
            f"overrides {', '.join(own)}"
            if own
            else "is compiled with losses, metrics or an optimizer of your own classes"
        )
        raise ArgumentError(
            f"{model.name} {what}, so it cannot be trained with a strategy or with exact checkpoints, which replace the"
            f" whole step. Write the step for the immutable face (`jkeras.Model.train_step`), or omit the strategy."
        )
    return value


def _base() -> Any:
    from jkeras.keras.trainer import Trainer

    return Trainer


def fit(model: Any, callback_list: Any, arguments: dict[str, Any]) -> None:
    """Trains the immutable model and copies the results to the object."""
    stores = [callback for callback in callback_list.callbacks if isinstance(callback, CheckpointCallback)]
    between = Between(model, Hooks(callback_list, model, {}))
    trained = compiled_value(model).fit(**arguments, callbacks=[between, *stores])
    take_over(model, trained)
    if optimizer_of(model) is not None:
        model.optimizer.finalize_variable_values(model.trainable_variables)


class Between(Callback):
    """Calls the callbacks of an object in a run of its value, with up-to-date variables, and adopts what they assign.

    Args:
        model: the object.
        hooks: its callbacks.
    """

    def __init__(self, model: Any, hooks: Hooks):
        super().__init__()
        self.object = model
        self.hooks = hooks
        for hook in HOOKS:
            if hook != "on_non_finite" and hooks.wants(hook):
                setattr(self, hook, lambda *args, hook=hook: self._call(hook, *args))

    def _call(self, hook: str, *args: Any) -> None:
        take_over(self.object, self.model.value)
        cells = [
            *self.object.variables,
            *getattr(optimizer_of(self.object), "variables", ()),
        ]
        before = [cell.settled for cell in cells]
        self.hooks.call(hook, *args)
        if any(cell.settled is not value for cell, value in zip(cells, before, strict=True)):
            self.model.value = self.model.value.with_state(to_value(self.object, named=False).state)
        if self.object.stop_training:
            self.model.stop_training = True
