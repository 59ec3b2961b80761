"""The value under every model: a definition, a recipe, a state and a history.

A model as returned by its constructor is a *definition*: layers and their connections. What is added later is kept in its
`Contents`, next to that definition; every change creates a new model (`_evolve`). A model is a JAX pytree whose leaves are
the arrays of its state.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config, constants
from jkeras.arguments import shown
from jkeras.buffers import taken
from jkeras.discarded import check_used
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError, NotBuiltError
from jkeras.graph import array_call
from jkeras.graph.apply import apply, initialize_stream
from jkeras.graph.describe import Description, describe, known_sizes
from jkeras.graph.input import InputLayer
from jkeras.graph.layer import Layer, map_layers
from jkeras.graph.layer_call import method_signature
from jkeras.graph.origin import Origin
from jkeras.graph.scope import WeightInfo
from jkeras.graph.shapes import Shape, is_shape
from jkeras.models.contents import CONTENTS, Contents, Memo, ModelAttributes
from jkeras.models.history import History
from jkeras.models.inputs import fit_inputs
from jkeras.random_keys import as_key
from jkeras.tracebacks import filtered_methods
from jkeras.tracing import concrete
from jkeras.training.consumed import check_available
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState, arrays_of
from jkeras.values.frozen import FrozenDict, Template
from jkeras.values.keys import HashedKey, key_of
from jkeras.values.spec import MEMOS

NO_HISTORY = History()


@filtered_methods("__call__", "apply", "build")
class ModelValue(ModelAttributes, Layer):
    """A definition with a recipe, a state and a history."""

    keras_module = "keras"
    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = None

    _memos = (*MEMOS, "_spec_memo")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _register_pytree(cls)
        if "build" in cls.__dict__:
            cls.build = _build_of_subclass(cls.__dict__["build"])  # type: ignore[method-assign]

    # -- fields ---------------------------------------------------------------------------------------------------

    @property
    def definition(self) -> Self:
        """The definition without arrays: what `train_step` is compiled for."""
        definition: Any = self._spec_contents.definition
        return self if definition is None else definition

    @property
    def recipe(self) -> Recipe | None:
        """The arguments of `compile`; None before."""
        return self._spec_contents.recipe

    @property
    def state(self) -> TrainState:
        """The arrays. Weights are initialized when first needed, from the default seed unless `init` chose another."""
        own_state = self._spec_contents.state
        state = self._fresh if own_state is None else own_state
        check_available(state)
        return state

    @property
    def history(self) -> History:
        """The logs of the last `fit`; empty before."""
        history = self._spec_contents.history
        return NO_HISTORY if history is None else history

    def _evolve(self, **changes: Any) -> Self:
        """A copy with other contents (`state`, `recipe`, `history` ...), or with attributes of the definition changed."""
        of_contents = {name: changes.pop(name) for name in CONTENTS & set(changes)}
        definition: ModelValue = self.definition
        if changes or not of_contents:
            definition = super(ModelValue, definition)._evolve(**changes)
        contents = self._spec_contents.changed(of_contents)
        model: Any = definition if contents is None else self._holding(definition, contents)
        result: Self = model
        return result

    @staticmethod
    def _holding(definition: ModelValue, contents: Contents) -> ModelValue:
        """A definition with contents.

        Layers that are attributes of a subclass are left out where the model has weights: `__getattr__` finds them, and
        gives them with their weights.
        """
        model: ModelValue = super()._evolve(_spec_contents=dataclasses.replace(contents, definition=definition))
        if contents.state is not None and definition._network is None:
            for name, value in definition._layer_attributes():
                del vars(model)[name]
                if hasattr(type(definition), name):  # an attribute of the class would be found in its place
                    vars(model)[name] = map_layers(value, name, lambda inner, layer: model._view(inner))
        return model

    def _layer_attributes(self) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            if not name.startswith("_"):
                layers: list[Layer] = []
                map_layers(value, name, lambda inner, layer, inner_layers=layers: inner_layers.append(layer))  # type: ignore[misc]
                if layers:
                    yield name, value

    if not TYPE_CHECKING:  # a checker knows the attributes that a class has

        def __getattr__(self, name: str) -> Any:
            definition = self._spec_contents.definition
            if definition is None or name not in vars(definition):
                return object.__getattribute__(self, name)  # raises what was raised before
            return map_layers(vars(definition)[name], name, lambda inner, layer: self._view(inner))

    def _view(self, name: str) -> Layer:
        """The layer of that name directly inside, with its weights."""
        views = self._memo.views
        if name not in views:
            views[name] = self._members()[name]._taken_from(self._origin_of(name))
        return views[name]

    def _origin_of(self, name: str) -> Origin:
        return Origin(self, name, functools.partial(self._member_variables, name))

    def _members(self) -> Mapping[str, Layer]:
        """The layers directly inside, inputs included, by name."""
        return self.children() if self._network is None else self._network.layers

    # -- definition -----------------------------------------------------------------------------------------------

    def _written_beside(self) -> dict[str, Any]:
        # The configuration of a model that lists its layers says all of them.
        return {} if self.is_functional or self.is_chain else super()._written_beside()

    @property
    def is_functional(self) -> bool:
        """Whether the model is defined by symbolic tensors."""
        return self._network is not None

    def children(self) -> dict[str, Layer]:
        if self._network is None:
            return super(ModelValue, self.definition).children()
        return {name: layer for name, layer in self._network.layers.items() if not isinstance(layer, InputLayer)}

    def _bound_copy(self, scope: Any, parent: Any = None) -> Self:
        return super(ModelValue, self.definition)._bound_copy(scope, parent)

    def _bind_children(self, bind: Callable[[str, Layer], Layer]) -> None:
        if self._network is None:
            super()._bind_children(bind)
        else:
            for name, layer in self.children().items():
                bind(name, layer)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the network on its inputs; a subclassed model defines its own `call`."""
        if self._network is None:
            raise NotImplementedError(f"{type(self).__name__} must define `call(self, inputs)`.")
        values = fit_inputs(self._network, inputs, self.path)
        scope = self.scope_for("call")
        for value, given_mask in zip(values, jax.tree.leaves(mask) if mask is not None else [], strict=False):
            scope.run.set_mask(value, given_mask)
        return self._network.execute(scope.children, values)

    def known_weights(self, *args: Any, **kwargs: Any) -> tuple[WeightInfo, ...] | None:
        if self._network is None or self.dtype is not None or kwargs or args != (self.input_specs,):
            return None
        return self._network.known_weights(self.trainable)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        # The layers inside have already attached the masks of the outputs.
        return None

    # -- building -------------------------------------------------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether the shapes of the weights are known."""
        return self._network is not None or self._spec_building.inputs is not None

    @property
    def input_specs(self) -> Any:
        """Shapes and dtypes of the inputs that the model was built for.

        Raises:
            NotBuiltError: the model has not seen any data and has no input shape.
        """
        if self._spec_building.inputs is not None:
            return self._spec_building.inputs.fill()
        if self._network is not None:
            shapes = {info.ref: Shape(info.shape, info.dtype) for info in self._network.input_infos}
            return known_sizes(self.definition, self._network.inputs.fill(lambda ref: shapes[ref.index]))
        raise NotBuiltError(
            f"{self.path} has no weights yet, because the shape of its input is not known. Call"
            f" `model = model.build((None, ...))` with the input's shape, pass data to `fit`, or start a Sequential"
            f" with `Input(shape)`."
        )

    def build(self, input_shape: Any = None) -> Self:  # type: ignore[override]
        """The model with weights for inputs of a given shape.

        Args:
            input_shape: the shape with the batch axis, with None for unknown sizes, or a list or dict of shapes.

        Raises:
            ArgumentError: a subclassed model needs the shape, and there is none.
        """
        if self.is_bound or self._network is not None:
            return self
        if input_shape is None:
            raise ArgumentError("build(input_shape): expected the shape of the inputs, such as (None, 28, 28, 1).")
        check_used("build")
        shape = tuple(input_shape) if isinstance(input_shape, (list, tuple)) and _is_sizes(input_shape) else input_shape
        return self.build_for(jax.tree.map(lambda sizes: Shape(sizes, config.floatx()), shape, is_leaf=is_shape))

    def build_for(self, inputs: Any) -> Self:
        """The model with weights for inputs like these; itself if it has weights.

        Args:
            inputs: arrays or shapes, in the structure of the inputs.
        """
        if self.built:
            return self
        template = Template.of(known_sizes(self.definition, inputs))
        return self._evolve(_spec_building=dataclasses.replace(self._spec_building, inputs=template))

    @property
    def description(self) -> Description:
        """Weights, outputs and their shapes."""
        definition: ModelValue = self.definition
        memo = definition._memo
        if memo.description is None:
            memo.description = describe(self.definition, self.input_specs)
        return memo.description

    def init(self, key: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A model with fresh weights: `model.init(seed)`. With inputs or shapes, variables as `Layer.init` returns.

        The model stays compiled; its history and optimizer state are reset.

        Args:
            key: a random key or an integer seed; None means the default seed.
            args: arrays or shapes, to get variables instead of a model.
            kwargs: keyword arguments of the call, likewise.
        """
        if args:
            return super().init(key, *args, **kwargs)
        check_used("init")
        return self._evolve(state=self._fresh_state(key), history=None)

    @property
    def _memo(self) -> Memo:
        if self._spec_memo is None:
            vars(self)["_spec_memo"] = Memo()
        memo: Memo = vars(self)["_spec_memo"]
        return memo

    @property
    def _fresh(self) -> TrainState:
        memo = self._memo
        if memo.fresh is None:
            with concrete():
                memo.fresh = self._fresh_state(config.default_seed)
        return memo.fresh

    def undrawn_state(self) -> TrainState | None:
        """The weights that `state` would draw, for a run to own; None where they were drawn before, so that others may have them.

        Weights that come from elsewhere, such as those of a model inside this one, are copies.
        """
        if self._spec_contents.state is not None or self._memo.fresh is not None:
            return None
        with concrete():
            leaves, structure = jax.tree.flatten(self._fresh_state(config.default_seed))
        state: TrainState = jax.tree.unflatten(structure, taken(leaves))
        return state

    def _fresh_state(self, key: Any) -> TrainState:
        root = as_key(key)
        variables = initialize_stream(self.definition, root, 0, self.input_specs)
        for name, values_of in self._spec_building.origins.items():
            for collection, values in values_of().items():
                if name in variables[collection]:
                    variables[collection] = {**variables[collection], name: values}
        return TrainState(variables["params"], variables["state"], None, constants.zeros((), jnp.int32), root)

    def _redrawn(self, state: TrainState) -> Self:
        """The model with weights drawn from the key of a state, after as many steps."""
        return self._evolve(state=self._fresh_state(state.rng).replace(step=state.step))

    @property
    def steps_taken(self) -> int:
        """The number of optimizer steps the model has been trained for; 0 before the weights exist."""
        state = self._spec_contents.state
        return 0 if state is None else int(np.max(np.asarray(state.step)))

    def with_state(self, state: TrainState, history: History | None = None) -> Self:
        """The model with other arrays, and optionally the logs of the training that produced them.

        Args:
            state: the arrays, such as `model.state.replace(params=...)`.
            history: the logs; None keeps those of the model.

        Raises:
            ArgumentError: `state` is not a `TrainState`.
        """
        if not isinstance(state, TrainState):
            raise ArgumentError(
                f"with_state(state={shown(state)}): expected a `TrainState`, such as `model.state.replace(params=...)`."
            )
        check_used("with_state")
        return self._evolve(state=state) if history is None else self._evolve(state=state, history=history)

    @property
    def params(self) -> Mapping[str, Any]:
        """The trainable weights, nested by layer: a pytree of read-only dicts."""
        return self.state.params

    @property
    def model_state(self) -> Mapping[str, Any]:
        """Non-trainable weights, nested by layer."""
        return self.state.model_state

    @property
    def opt_state(self) -> Any:
        """The state of the optimizer; None before training."""
        state = self._spec_contents.state
        return None if state is None else state.opt_state

    @property
    def variables(self) -> FrozenDict[str, Any]:
        """Flax variables: `{"params": ..., "state": ...}`."""
        return FrozenDict({"params": self.state.params, "state": self.state.model_state})

    @property
    def _variables(self) -> dict[str, Any]:
        """The same in plain dicts, for programs."""
        arrays = arrays_of(self.state)
        return {"params": arrays.params, "state": arrays.model_state}

    def _member_variables(self, name: str) -> dict[str, Any]:
        """The variables of one of the layers directly inside."""
        return {collection: tree[name] for collection, tree in self._variables.items() if name in tree}

    def _carried(self) -> Any:
        # Weights that were never chosen, only made by default, are made again in the model around this one.
        return self._variables if self._spec_contents.state is not None else None

    def _taken_from(self, origin: Origin) -> Self:
        model = super()._taken_from(dataclasses.replace(origin, variables=lambda: None))
        variables = origin.variables() if origin.model.built else None
        if variables is None:
            return model
        step = constants.zeros((), jnp.int32)
        state = TrainState(variables.get("params", {}), variables.get("state", {}), None, step, as_key(None))
        return model._evolve(state=state)

    # -- using ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Outputs for arrays, with the model's weights; inside another model, a node of its graph."""
        if self.is_bound or any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
            return super().__call__(*args, **kwargs)
        model: ModelValue = self if self.built else self.build_for(self._first_argument(args, kwargs))
        recipe = self._spec_contents.recipe
        run = apply if recipe is not None and recipe.run_eagerly else array_call.run
        return run(self.definition, model._variables, args, kwargs)

    def _first_argument(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        name = next(iter(method_signature(self.call).names), "inputs")
        if not args and name not in kwargs:
            raise InputError(f"{self.path}: call the model on its inputs, `model({name})`.")
        return args[0] if args else kwargs[name]

    def apply(self, params: Any, *args: Any, state: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """The outputs for given weights, as a pure function that can be differentiated, vmapped and jitted.

        Args:
            params: a tree like `model.params`, or variables `{"params": ..., "state": ...}`.
            *args: the inputs.
            state: non-trainable weights; the model's own if None.
            **kwargs: `training`, `rng`, and `return_state=True` to get `(outputs, state)`.

        Raises:
            ArgumentError: `params` or `state` is no tree of weights.
            InputError: a weight is missing or has another shape, or the inputs do not match the model.
        """
        if isinstance(params, Mapping) and set(params) <= {"params", "state"} and "params" in params:
            params, state = params["params"], params.get("state", state)
        if not isinstance(params, Mapping):
            hint = (
                "Write `state.params`." if isinstance(params, TrainState) else "Write `model.apply(model.params, x)`."
            )
            raise ArgumentError(f"apply(params={shown(params)}): expected weights, a dict like `model.params`. {hint}")
        if state is None:
            state = self.model_state
        elif not isinstance(state, Mapping):
            raise ArgumentError(f"apply(state={shown(state)}): expected a dict like `model.model_state`.")
        return apply(self.definition, {"params": params, "state": state}, args, kwargs)

    # -- as a value -----------------------------------------------------------------------------------------------

    def _key(self) -> HashedKey:
        definition = self._spec_contents.definition
        if definition is None:
            return super()._key()
        key: HashedKey = key_of(definition)
        return key

    def _state(self) -> dict[str, Any]:
        # The name of a model matters only inside another, which keeps it with its other names.
        return {**super(ModelValue, self.definition)._state(), "name": None}

    def _frozen_message(self, name: str) -> str:
        advice = {
            "trainable": "`model = model.freeze()`, or `model.freeze('dense*')` for some of its layers",
            "state": "`model = model.with_state(state)`",
            "params": "`model = model.with_state(model.state.replace(params=params))`",
            "model_state": "`model = model.with_state(model.state.replace(model_state=...))`",
            "weights": "`model = model.set_weights(weights)`",
            "optimizer": "`model = model.compile(optimizer, loss)`",
            "recipe": "`model = model.compile(optimizer, loss)`",
            "loss": "`model = model.compile(optimizer, loss)`",
            "learning_rate": "`model = model.with_learning_rate(0.01)`",
            "stop_training": "`self.model.stop_training = True` in a callback",
        }
        if name in advice and self._is_frozen:
            return f"A model is immutable; `{name}` cannot be assigned. Write {advice[name]}."
        return super()._frozen_message(name)


def _build_of_subclass(build: Callable[..., Any]) -> Callable[..., Any]:
    """A user's own `build`, which makes layers and weights while the model runs; called from outside it builds the model."""

    @functools.wraps(build)
    def either(self: ModelValue, *args: Any, **kwargs: Any) -> Any:
        if self.is_bound:
            return build(self, *args, **kwargs)
        return ModelValue.build(self, *args, **kwargs)

    return either


def _is_sizes(value: Any) -> bool:
    return all(v is None or isinstance(v, (int, np.integer)) for v in value)


def _register_pytree(cls: type[ModelValue]) -> None:
    """Makes a class of models known to JAX: the leaves are the arrays of the state."""

    def flatten_model(model: ModelValue) -> tuple[tuple[Any, ...], Any]:
        state = model.state if model.built else None
        return (state,), _Static(model._evolve(state=None))

    def unflatten_model(static: _Static, children: Any) -> ModelValue:
        return static.model._evolve(state=children[0])

    jax.tree_util.register_pytree_node(cls, flatten_model, unflatten_model)


class _Static:
    """The part of a model that is not arrays, compared by definition and recipe."""

    def __init__(self, model: ModelValue):
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Any:
        return (self.model.definition, self.model.recipe)
