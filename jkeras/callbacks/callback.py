"""The callback protocol: the hooks that a callback may define, and calls of a list of callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from jkeras.errors import ArgumentError, suggestion

if TYPE_CHECKING:
    from jkeras.models.handle import Handle

# The values of metrics by name, to which a callback may add: numbers, or arrays for metrics with several values.
Logs: TypeAlias = dict[str, Any] | None

HOOKS = tuple(f"on_{what}_{when}" for what in ("train", "test", "predict") for when in ("begin", "end")) + (
    "on_epoch_begin",
    "on_epoch_end",
    *(f"on_{what}batch_{when}" for what in ("", "train_", "test_", "predict_") for when in ("begin", "end")),
    "on_non_finite",
)


class Callback:
    """Base class of callbacks, with Keras's hooks; define the ones that you need.

    A callback is an ordinary mutable object. With hooks per batch, such as `on_train_batch_end`, the loop must stop after
    each batch to pass them its logs; hooks per epoch cost nothing.

    Attributes:
        model: a handle that reads and changes the model during training
            (`self.model.stop_training = True`, `self.model.get_weights()`, `self.model.optimizer.learning_rate = 1e-4`).
        params: `epochs`, `steps` and `verbose` of the run.
        state_names: attributes that change during training and affect how it continues. Checkpoints of `BackupAndRestore`
            and `OrbaxCheckpoint` contain them, and a resumed run restores them. Values may be numbers, strings, arrays, and
            lists, tuples and dicts of these; for anything else define `get_state` and `set_state`.

    >>> class Notes(Callback):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.seen = []
    ...     def on_train_begin(self, logs=None):
    ...         self.seen.append("train")
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.seen.append(epoch)
    >>> notes = Notes()
    >>> notes.on_train_begin()
    >>> notes.on_epoch_end(0, {"loss": 1.0})
    >>> notes.seen
    ['train', 0]
    """

    state_names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.model: Handle = cast("Handle", None)  # until `set_model`
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Called with the run's parameters, before all other hooks."""
        self.params = params

    def set_model(self, model: Handle) -> None:
        """Called before training, with the handle of the model."""
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """The state to store in checkpoints: the attributes in `state_names`."""
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores what `get_state` returned; called after `on_train_begin` if a run is resumed.

        In the middle of an epoch, `on_epoch_begin` is called again for that epoch, and then `set_state` again.
        """
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called at the start of `fit`."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called at the end of `fit` with the last epoch's logs, but not after an exception."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called at the start of an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called at the end of an epoch with its logs, including validation."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """An alias of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """An alias of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a training batch with the running logs."""
        self.on_batch_end(batch, logs)

    def on_non_finite(self, explanation: str) -> None:
        """Called before `on_train_batch_end` if a step's loss is NaN or infinite, with the step and the layer where it arose.

        Keras does not have this hook. If a callback defines it, the loop checks the loss of each step.
        """

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called at the start of `evaluate` and of validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called at the end of `evaluate` and of validation."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before an evaluation batch."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after an evaluation batch."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called at the start of `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called at the end of `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a prediction batch with its outputs."""


def _method(owner: object, name: str) -> Callable[..., object] | None:
    """The method with this name of any object; a callback need not be a `Callback`."""
    return getattr(owner, name, None)


def _overrides(callback: object, hook: str) -> bool:
    own = _method(type(callback), hook)
    return hook in vars(callback) or (own is not None and own is not _method(Callback, hook))


def _has_state(callback: object) -> bool:
    """Whether a callback declares a state, with `state_names` or its own `get_state`."""
    if isinstance(callback, Callback):
        return bool(callback.state_names) or type(callback).get_state is not Callback.get_state
    return _method(callback, "get_state") is not None and _method(callback, "set_state") is not None


class CallbackList:
    """Several callbacks, called in order.

    Args:
        callbacks: callbacks, one callback, another list of them, or None.
        model: the handle of the model, if known.
        params: the parameters of the run.

    Raises:
        ArgumentError: an object is not a callback, or defines a hook with a misspelt name.

    >>> class Count(Callback):
    ...     calls = 0
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.calls += 1
    >>> callbacks = CallbackList([Count()])
    >>> [type(callback).__name__ for callback in callbacks.callbacks]
    ['Count']
    """

    def __init__(self, callbacks: CallbacksLike = None, model: Handle | None = None, **params: object):
        # Anything that defines hooks is a callback, so these have no type.
        self.callbacks: list[Any]
        if callbacks is None:
            self.callbacks = []
        elif isinstance(callbacks, CallbackList):
            self.callbacks = list(callbacks.callbacks)
        elif isinstance(callbacks, Iterable):
            self.callbacks = list(callbacks)
        else:
            self.callbacks = [callbacks]
        for callback in self.callbacks:
            check_hooks(callback)
        self.model = model
        self.params = params
        for callback in self.callbacks:
            if (set_params := _method(callback, "set_params")) is not None:
                set_params(dict(params))
            if model is not None and (set_model := _method(callback, "set_model")) is not None:
                set_model(model)

    def stateful(self) -> dict[str, Any]:
        """The callbacks with a state, by class name, numbered if there are several of a class."""
        by_name: dict[str, Any] = {}
        for callback in self.callbacks:
            if _has_state(callback):
                name = type(callback).__name__
                count = sum(known.partition(" ")[0] == name for known in by_name)
                by_name[f"{name} {count + 1}" if count else name] = callback
        return by_name

    def wants(self, *hooks: str) -> bool:
        """Whether any callback defines one of the hooks."""
        return any(_overrides(callback, hook) for callback in self.callbacks for hook in hooks)

    def call(self, hook: str, *args: object) -> None:
        """Calls a hook of every callback; exceptions pass through unchanged."""
        for callback in self.callbacks:
            method = _method(callback, hook)
            if method is not None:
                method(*args)


# One callback, several, or None.
CallbacksLike: TypeAlias = "Callback | Iterable[Callback] | CallbackList | None"


def check_hooks(callback: object) -> None:
    """Rejects objects that are not callbacks, and hooks that would never be called.

    Raises:
        ArgumentError: an object is not a callback, or defines a hook with a misspelt name.
    """
    if isinstance(callback, type):
        raise ArgumentError(f"callbacks: got the class {callback.__name__}; write `{callback.__name__}(...)`.")
    if not isinstance(callback, Callback) and not any(_method(callback, hook) for hook in HOOKS):
        raise ArgumentError(
            f"callbacks: {callback!r} is not a callback. Make its class a subclass of `jkeras.callbacks.Callback`."
        )
    names = {name for kind in type(callback).__mro__ for name in vars(kind)} | set(vars(callback))
    for name in sorted(names):
        if name.startswith("on_") and name not in HOOKS and callable(_method(callback, name)):
            raise ArgumentError(
                f"{type(callback).__name__}.{name} would never be called: there is no such hook.{suggestion(name, HOOKS)}"
            )
