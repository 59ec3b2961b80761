"""The state of a layer (variables, sublayers, metrics, seeds and losses), and how it is read, set, saved and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

import jax
import numpy as np

from jkeras import tree
from jkeras.arguments import checked, entries
from jkeras.buffers import owned_copy
from jkeras.errors import ArgumentError
from jkeras.keras import constraints, initializers, regularizers
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.seeds import SeedGenerator
from jkeras.keras.tracking import Tracker
from jkeras.keras.variables import Variable, get_stateless_scope, in_symbolic_scope, name_scope
from jkeras.metrics import Metric
from jkeras.tracebacks import filtered_methods

LOCKED = (
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must be"
    " created in the `__init__()` method or in the `build()` method."
)


@filtered_methods("set_weights")
class LayerState:
    """The part of a layer that owns state."""

    _tracker: Tracker
    name: str
    built: bool

    def _initialize_tracker(self) -> None:
        own = vars(self)
        if "_tracker" in own:
            return
        stores = ("trainable_variables", "non_trainable_variables", "metrics", "layers", "seed_generators")
        own.update({f"_{store}": [] for store in stores})
        tests = (_is_trainable, _is_other_variable, _is_metric, _is_layer, _is_seed_generator)
        own["_tracker"] = Tracker(
            {store: (test, own[f"_{store}"]) for store, test in zip(stores, tests, strict=True)},
            exclusions={"non_trainable_variables": ["trainable_variables"]},
        )

    # -- making variables -----------------------------------------------------------------------------------------

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Creates a variable that belongs to this layer.

        Args:
            *args: `shape`, `initializer` and `dtype` may be positional.
            shape: its shape; None means a scalar.
            initializer: name, instance or function; None means Glorot uniform for floats and zeros otherwise.
            dtype: its dtype; None means the layer's `variable_dtype`.
            trainable: whether training updates it.
            autocast: whether reading it casts to the layer's compute dtype.
            regularizer: adds a penalty on it to the loss.
            constraint: a projection of it after each update.
            aggregation: how replicas combine it.
            overwrite_with_gradient: whether optimizers replace it by its gradient.
            name: None makes one.

        Raises:
            ValueError: the layer is already built, or an argument was passed twice.
        """
        shape, initializer, dtype = _by_position(args, shape=shape, initializer=initializer, dtype=dtype)
        dtype = self.variable_dtype if dtype is None else standardize_dtype(dtype)  # type: ignore[attr-defined]
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with name_scope(self.name, caller=self):
            variable = Variable(
                initializer=initializers.get(initializer),
                shape=() if shape is None else (shape,) if isinstance(shape, int) else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._track_variable(variable)
        return variable

    def add_variable(self, shape: Any, initializer: Any, dtype: Any = None, **options: Any) -> Variable:
        """See `add_weight`."""
        return self.add_weight(shape=shape, initializer=initializer, dtype=dtype, **options)

    def _track_variable(self, variable: Variable) -> None:
        self._tracker.add_to_store("trainable_variables" if variable.trainable else "non_trainable_variables", variable)
        if not self.trainable:
            variable.trainable = False

    def _untrack_variable(self, variable: Variable) -> None:
        self._tracker.untrack(variable)

    def _lock_state(self) -> None:
        if not self._tracker.locked:
            self._tracker.lock(LOCKED)

    # -- variables ------------------------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether training updates this layer; assigning also sets it for all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._tracker.version += 1
        frozen = self._left_alone
        for variable in self._trainable_variables:
            variable.trainable = bool(value) and variable is not frozen
        for layer in self._layers:
            layer.trainable = bool(value)

    @property
    def _left_alone(self) -> Variable | None:
        """A variable that stays non-trainable even if the layer is made trainable, or None."""
        return None

    @property
    def variables(self) -> list[Variable]:
        """All state: weights and seed states."""
        seeds = [generator.state for generator in self._seed_generators]
        variables = [*self._trainable_variables, *self._non_trainable_variables, *seeds, *self._state_variables()]
        for layer in self._layers:
            variables += layer.variables
        return _unique(variables)

    def _state_variables(self) -> list[Variable]:
        """State that is not weights, except seeds."""
        return []

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training updates."""
        return [variable for variable in self.variables if variable.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The others."""
        variables = self.variables
        return [variable for variable in variables if not variable.trainable] if self.trainable else variables

    @property
    def weights(self) -> list[Variable]:
        """The variables of this layer and its sublayers, without states of seeds and metrics."""
        own = [*self._trainable_variables, *self._non_trainable_variables]
        return _unique(own, *(layer.weights for layer in self._layers))

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training updates."""
        return [weight for weight in self.weights if weight.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The others."""
        weights = self.weights
        return [weight for weight in weights if not weight.trainable] if self.trainable else weights

    @property
    def metrics(self) -> list[Any]:
        """The metrics of this layer and its sublayers."""
        return [*self._metrics, *(metric for layer in self._layers for metric in layer.metrics)]

    @property
    def metrics_variables(self) -> list[Variable]:
        """Their variables."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def get_weights(self) -> list[np.ndarray]:
        """The weights as NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Assigns arrays to the weights, in order.

        Raises:
            ValueError: the number of arrays or a shape is wrong.
        """
        own, arrays = self.weights, checked("set_weights", "weights", weights, entries)
        if len(own) != len(arrays):
            raise ArgumentError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length {len(arrays)}, but the"
                f" layer was expecting {len(own)} weights."
            )
        for weight, value in zip(own, arrays, strict=True):
            if weight.shape != tuple(np.shape(value)):
                raise ArgumentError(
                    f"Layer {self.name} weight shape {weight.shape} is not compatible with provided weight shape"
                    f" {np.shape(value)}."
                )
        # Host arrays that need no conversion are transferred together, in one call.
        alike = [
            isinstance(value, np.ndarray) and value.dtype.name == weight.dtype
            for weight, value in zip(own, arrays, strict=True)
        ]
        placed = iter(owned_copy([value for value, is_alike in zip(arrays, alike, strict=True) if is_alike]))
        for weight, value, is_alike in zip(own, arrays, alike, strict=True):
            weight.assign(next(placed) if is_alike else value)

    def count_params(self) -> int:
        """The number of weights.

        Raises:
            ValueError: the layer has no weights yet.
        """
        if not self.built:
            raise ArgumentError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build it"
                f" manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(weight.shape)) for weight in self.weights)

    # -- files ----------------------------------------------------------------------------------------------------

    def save_own_variables(self, store: Any) -> None:
        """Saves the layer's own variables to a dict-like store, as "0", "1", ..."""
        for place, variable in enumerate([*self._trainable_variables, *self._non_trainable_variables]):
            store[f"{place}"] = variable

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads what `save_own_variables` stored.

        Raises:
            ValueError: there are too few or too many.
        """
        own = [*self._trainable_variables, *self._non_trainable_variables]
        stored = len(store.keys())
        if stored != len(own):
            raise ArgumentError(_mismatch(self, stored, own))
        for place, variable in enumerate(own):
            variable.assign(store[f"{place}"])

    # -- losses ---------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Adds one or more scalars to the losses, from inside `call`.

        Raises:
            ValueError: one is not an array.
        """
        losses = tree.flatten(loss)
        for value in losses:
            if not isinstance(value, jax.Array):
                raise ArgumentError(
                    "`add_loss()` can only be called from inside `build()` or `call()`, on a tensor input. Received invalid"
                    f" value: {value}"
                )
        scope = get_stateless_scope()
        if scope is None:
            self._losses.extend(losses)
        elif scope.collect_losses:
            for value in losses:
                scope.add_loss(value)
                self._loss_ids.add(id(value))

    @property
    def losses(self) -> list[Any]:
        """The losses of the last call: from `add_loss`, activity regularizers and weight regularizers, including sublayers."""
        if self._losses_override:
            return self._losses_override
        added = [loss for layer in self._flatten_layers() for loss in layer._get_own_losses()]
        return added + self._get_regularization_losses()

    def _get_own_losses(self) -> list[Any]:
        scope = get_stateless_scope()
        return list(self._losses) if scope is None else [loss for loss in scope.losses if id(loss) in self._loss_ids]

    def _get_regularization_losses(self) -> list[Any]:
        scope = get_stateless_scope()
        losses = []
        for weight in self.trainable_weights:
            if weight.regularizer is not None:
                current = None if scope is None or in_symbolic_scope() else scope.get_current_value(weight)
                losses.append(weight.regularizer(weight.value if current is None else current))
        return losses

    def _clear_losses(self) -> None:
        scope = get_stateless_scope()
        if scope is not None and scope.collect_losses:
            scope.losses[:] = [loss for loss in scope.losses if id(loss) not in self._loss_ids]
        self._losses.clear()
        self._loss_ids.clear()
        for layer in self._layers:
            layer._clear_losses()

    # -- layers inside --------------------------------------------------------------------------------------------

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        return [*([self] if include_self else []), *_inside(self, recursive, set())]

    def add_metric(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered, as in Keras 3."""
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Add your metric in `Model.compile(metrics=[...])`, or create metric"
            " trackers in init() or build() when subclassing the layer or model, then call `metric.update_state()` whenever"
            " necessary."
        )


def _inside(layer: Any, recursive: bool, seen: set[int]) -> Iterator[Any]:
    for child in layer._layers:
        if id(child) not in seen:
            seen.add(id(child))
            yield child
            if recursive:
                yield from _inside(child, True, seen)


def _unique(*lists: list[Variable]) -> list[Variable]:
    return list({id(variable): variable for several in lists for variable in several}.values())


def _by_position(args: tuple[Any, ...], **named: Any) -> tuple[Any, ...]:
    if len(args) > len(named):
        raise TypeError(f"add_weight() takes at most {len(named)} positional arguments but {len(args)} were given.")
    if args and isinstance(args[0], str):
        raise ArgumentError(
            f"`name` must be passed as a keyword argument. Received: add_weight('{args[0]}', ...)."
            f" Use: add_weight(shape=..., name='{args[0]}')."
        )
    for name, value in zip(named, args, strict=False):
        if named[name] is not None:
            raise ArgumentError(f"`{name}` was passed both positionally and as a keyword argument.")
        named[name] = value
    return tuple(named.values())


def _mismatch(layer: Any, stored: int, own: list[Variable]) -> str:
    if not own and not layer.built:
        return (
            f"Layer '{layer.name}' was never built and thus it doesn't have any variables. However the weights file lists"
            f" {stored} variables for this layer. A parent's `build()` must create the state of every child; a layer that"
            f" cannot be built from its input shape needs `get_build_config(self)` and `build_from_config(self, config)`."
        )
    return (
        f"Layer '{layer.name}' expected {len(own)} variables, but received {stored} variables during loading."
        f" Expected: {[variable.name for variable in own]}"
    )


def _is_trainable(value: Any) -> bool:
    return isinstance(value, Variable) and value.trainable


def _is_other_variable(value: Any) -> bool:
    return isinstance(value, Variable) and not value.trainable


def _is_metric(value: Any) -> bool:
    return isinstance(value, Metric)


def _is_layer(value: Any) -> bool:
    return isinstance(value, LayerState)


def _is_seed_generator(value: Any) -> bool:
    return isinstance(value, SeedGenerator)


def parted_variables(layer: Any) -> tuple[list[Variable], list[Variable]]:
    """`trainable_variables` and `non_trainable_variables`, from one walk unless the layer's class has others of its own."""
    names = ("trainable_variables", "non_trainable_variables")
    if not layer.trainable or any(getattr(type(layer), name) is not vars(LayerState)[name] for name in names):
        return list(layer.trainable_variables), list(layer.non_trainable_variables)
    trainable: list[Variable] = []
    others: list[Variable] = []
    for variable in layer.variables:
        (trainable if variable.trainable else others).append(variable)
    return trainable, others
