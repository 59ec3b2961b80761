"""The model: a definition, a recipe, a state and a history in one immutable value.

`Model` is a layer, so models nest; it is a JAX pytree whose leaves are the arrays of its state. Every method that changes
something returns a new model. What the model does with data is in `models/training.py`.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config, constants
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError, NotBuiltError, suggestion
from jkeras.graph import network as networks
from jkeras.graph.apply import apply, initialize_stream
from jkeras.graph.describe import Description, describe
from jkeras.graph.input import InputLayer
from jkeras.graph.layer import Layer, map_layers
from jkeras.graph.network import Network
from jkeras.graph.scope import WeightInfo, walk
from jkeras.graph.shapes import as_spec, show_shape
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models import config as configs
from jkeras.models.checkpointed import Checkpointed
from jkeras.models.discarded import check_used
from jkeras.models.inputs import fit_inputs
from jkeras.models.linen import Linen
from jkeras.models.persistence import Persistent
from jkeras.models.shown import Shown
from jkeras.models.training import Trainable
from jkeras.models.views import single, subtree, view
from jkeras.random_keys import as_key
from jkeras.registry import custom_object_scope, snake_case
from jkeras.tracebacks import filtered_methods
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState, flatten, merge


@filtered_methods("__call__", "apply", "get_layer", "set_weights", "build")
class Model(Trainable, Persistent, Checkpointed, Shown, Linen, Layer):
    """A model, defined by symbolic inputs and outputs, or by a subclass.

    Functional: `Model(inputs, outputs)`, each a symbolic tensor or a list, tuple or dict of them. Layers that come from
    another model (its tensors, its layers, the model itself) bring their trained weights along.

    Subclass: layers are attributes, `call(self, inputs, training=False)` computes. Weights are made at the first data::

        class Net(jk.Model):
            def __init__(self):
                super().__init__()
                self.hidden = layers.Dense(64, activation="relu")
                self.out = layers.Dense(10)

            def call(self, x, training=False):
                return self.out(self.hidden(x))

    Args:
        inputs: symbolic inputs; None for a subclass with a `call`.
        outputs: symbolic outputs.
        name: the model's name.
        trainable: whether training changes its weights.
        dtype: the policy of layers that have none of their own.

    >>> import jkeras as jk
    >>> x = jk.Input((4,))
    >>> Model(x, jk.layers.Dense(2)(x)).output_shape
    (None, 2)
    """

    keras_module = "keras"
    supports_masking: ClassVar[bool] = True
    couples_samples: ClassVar[bool | None] = None

    _network: Network | None = None

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        **kwargs: Any,
    ):
        if "input" in kwargs or "output" in kwargs:  # the argument names of Keras 1
            inputs, outputs = kwargs.pop("input", inputs), kwargs.pop("output", outputs)
        super().__init__(name=name, trainable=trainable, dtype=dtype, **kwargs)
        if (inputs is None) != (outputs is None):
            raise ArgumentError("Model(inputs, outputs): give both, or neither and define `call` in a subclass.")
        self._network = None
        if inputs is not None:
            self._network = networks.from_tensors(inputs, outputs)
            self._spec_carried = _carried_by_tensors(self._network, inputs, outputs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register_pytree(cls)
        if "build" in cls.__dict__:
            cls.build = _build_of_subclass(cls.__dict__["build"])  # type: ignore[method-assign]

    # -- definition -----------------------------------------------------------------------------------------------

    @property
    def is_functional(self) -> bool:
        """Whether the model is defined by symbolic tensors."""
        return self._network is not None

    @property
    def base_name(self) -> str:
        """What the model is called inside another model when it has no name."""
        return "functional" if type(self) is Model else snake_case(type(self).__name__)

    @property
    def definition(self) -> Layer:
        """The definition without arrays: what `train_step` is compiled for."""
        self._key()  # computed once, here, rather than by each copy
        return self._with(_spec_state=None, _spec_recipe=None, _spec_history=None)

    def children(self) -> dict[str, Layer]:
        if self._network is None:
            return super().children()
        return {name: layer for name, layer in self._network.layers.items() if not isinstance(layer, InputLayer)}

    def bind_children(self, bind: Callable[[str, Layer], Layer]) -> None:
        if self._network is None:
            super().bind_children(bind)
        else:
            for name, layer in self.children().items():
                bind(name, layer)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the network on its inputs; a subclass without symbolic tensors defines its own."""
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
        return self._network is not None or self.__dict__.get("_spec_inputs") is not None

    @property
    def input_specs(self) -> Any:
        """Shapes and dtypes of the inputs that the weights were made for.

        Raises:
            NotBuiltError: the model has seen no data and was given no input shape.
        """
        specs = self.__dict__.get("_spec_inputs")
        if specs is None and self._network is not None:
            infos = self._network.input_infos
            leaves = [as_spec(SymbolicTensor(i.shape, i.dtype, None)) for i in infos]  # type: ignore[arg-type]
            by_ref = {info.ref: leaf for info, leaf in zip(infos, leaves, strict=True)}
            specs = self._network.inputs.fill(lambda ref: by_ref[ref.index])
        if specs is None:
            raise NotBuiltError(
                f"{self.path} has no weights yet, because the shape of its input is not known. Call"
                f" `model = model.build((None, ...))` with the input's shape, pass data to `fit`, or start a Sequential"
                f" with `Input(shape)`."
            )
        return specs

    def build(self, input_shape: Any = None) -> Self:  # type: ignore[override]
        """The model with weights for inputs of a shape (batch axis included), or a list or dict of shapes."""
        if self.is_bound or self._network is not None:
            return self
        if input_shape is None:
            raise ArgumentError("build(input_shape): expected the shape of the inputs, such as (None, 28, 28, 1).")
        shape = tuple(input_shape) if isinstance(input_shape, (list, tuple)) and _is_sizes(input_shape) else input_shape
        specs = jax.tree.map(as_spec, shape, is_leaf=lambda v: isinstance(v, tuple))
        return self.build_for(specs)

    def build_for(self, inputs: Any) -> Self:
        """The model with weights for inputs like these (arrays or shapes); itself if it has weights."""
        if self.built:
            return self
        specs = jax.tree.map(as_spec, inputs)
        return self._with(_spec_inputs=specs)

    @property
    def description(self) -> Description:
        """Weights, outputs and their shapes."""
        return describe(self.definition, self.input_specs)

    def init(self, key: Any = None, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """A model with fresh weights: `model.init(seed)`. With inputs or shapes, variables as `Layer.init` returns.

        The recipe stays, the history and the optimizer's state start anew.
        """
        if args:
            return super().init(key, *args, **kwargs)
        return self._with(_spec_state=self._fresh_state(key), _spec_history=None)

    def _fresh_state(self, key: Any) -> TrainState:
        definition = self.definition
        root = as_key(key)
        variables = initialize_stream(definition, root, 0, self.input_specs)
        for name, tree in (self.__dict__.get("_spec_carried") or {}).items():
            carried = tree() if callable(tree) else tree
            for collection, values in carried.items():
                if name in variables[collection]:
                    variables[collection] = {**variables[collection], name: values}
        return TrainState(variables["params"], variables["state"], None, constants.zeros((), jnp.int32), root)

    @property
    def state(self) -> TrainState:
        """The arrays. Weights are made when they are first asked for, from the default seed unless `init` chose one."""
        state = self.__dict__.get("_spec_state") or self.__dict__.get("_spec_fresh")
        if state is None:
            # Real arrays, also when a traced function is the first to ask; elsewhere this would run each constant alone.
            traced = isinstance(constants.zeros((), "int32"), jax.core.Tracer)
            with jax.ensure_compile_time_eval() if traced else contextlib.nullcontext():
                state = self._fresh_state(config.default_seed)
            # A memo of a value that is determined already; nothing observable changes.
            object.__setattr__(self, "_spec_fresh", state)
        return state

    def with_state(self, state: TrainState) -> Self:
        """The model with other arrays."""
        return self._with(_spec_state=state)

    @property
    def params(self) -> dict[str, Any]:
        """Trainable weights, nested by layer: an ordinary pytree."""
        return self.state.params

    @property
    def model_state(self) -> dict[str, Any]:
        """Non-trainable weights, nested by layer."""
        return self.state.model_state

    @property
    def variables(self) -> dict[str, Any]:
        """Flax variables: `{"params": ..., "state": ...}`."""
        return {"params": self.state.params, "state": self.state.model_state}

    def carried(self) -> Any:
        # Weights that were never chosen, only made by default, are made anew in the model around this one.
        return self.variables if self.__dict__.get("_spec_state") is not None else None

    # -- using ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Outputs for arrays, with the model's weights; inside another model, a node of its graph."""
        if self.is_bound or any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
            return super().__call__(*args, **kwargs)
        return apply(self.definition, self.build_for(args[0]).variables, args, kwargs)

    def apply(self, params: Any, *args: Any, state: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """The outputs for given params: a pure function to differentiate, vmap or jit.

        Args:
            params: a tree like `model.params`, or variables `{"params": ..., "state": ...}`.
            *args: the inputs.
            state: non-trainable weights; the model's own if None.
            **kwargs: `training`, `rng`, and `return_state=True` to get `(outputs, state)`.
        """
        if isinstance(params, Mapping) and set(params) <= {"params", "state"} and "params" in params:
            params, state = params["params"], params.get("state", state)
        if state is None:
            state = self.model_state
        return apply(self.definition, {"params": params, "state": state}, args, kwargs)

    # -- looking inside -------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside the model, each with its weights."""
        members = self._network.layers if self._network is not None else self.children()
        return [self._view(name) for name in members]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that position.

        Raises:
            ArgumentError: there is no such layer.
        """
        members = list(self._network.layers if self._network is not None else self.children())
        if index is not None:
            if not -len(members) <= index < len(members):
                raise ArgumentError(f"get_layer(index={index}): the model has {len(members)} layers.")
            return self.layers[index]
        if name not in members:
            raise ArgumentError(f"get_layer({name!r}): no layer of that name.{suggestion(str(name), members)}")
        return self._view(name)

    def __getattribute__(self, name: str) -> Any:
        """Layers that are attributes of a trained model come with their weights, as those of `layers` do."""
        value = super().__getattribute__(name)
        if name.startswith("_") or not isinstance(value, (Layer, list, tuple, dict)):
            return value
        own = super().__getattribute__("__dict__")
        if name not in own or own.get("_spec_state") is None or self.is_bound:
            return value
        return map_layers(value, name, lambda inner, layer: self._view(inner))

    def _view(self, name: str) -> Layer:
        views = self.__dict__.get("_spec_views")
        if views is None:
            views = {}
            object.__setattr__(self, "_spec_views", views)
        if name not in views:
            views[name] = view(self, name, (self._network.layers if self._network is not None else self.children())[name])
        return views[name]

    def _graph(self) -> Network:
        if self._network is None:
            raise NotBuiltError(f"{self.path} is defined by a `call`, so it has no symbolic tensors.")
        return self._network

    def _tensors(self, what: str) -> Any:
        network = self._graph()
        template = network.inputs if what == "inputs" else network.outputs
        return template.fill(lambda ref: self.with_origin(network.tensor(ref.index)))

    def with_origin(self, tensor: SymbolicTensor) -> SymbolicTensor:
        """The tensor, marked as one whose layers' weights are this model's."""
        return SymbolicTensor(tensor.shape, tensor.dtype, tensor.node, tensor.index, tensor.name, origin=self)

    def layer_output(self, name: str) -> Any:
        """The symbolic output of a layer; a list if it was applied several times."""
        return single([self.with_origin(t) for t in self._graph().outputs_of(name)])

    def layer_input(self, name: str) -> Any:
        """The symbolic input of a layer."""
        return jax.tree.map(self.with_origin, self._graph().inputs_of(name))

    def layer_weights(self, name: str, trainable: bool | None = None) -> list[jax.Array]:
        """The weights of a layer, in Keras's order."""
        return self._weight_values(
            lambda info: info.path[0] == name and len(info.path) > 1 and trainable in (None, info.trainable)
        )

    def with_variables(self, variables: Callable[[], Any]) -> Self:
        """The model with given variables as its weights."""
        given = variables()
        state = TrainState(
            given.get("params", {}), given.get("state", {}), None, jnp.zeros((), jnp.int32), as_key(None)
        )
        return self._with(_spec_state=state)

    @property
    def input(self) -> Any:
        """The symbolic input, or the structure of inputs."""
        return self._tensors("inputs")

    @property
    def output(self) -> Any:
        """The symbolic output, or the structure of outputs."""
        return self._tensors("outputs")

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic inputs, flattened."""
        return jax.tree.leaves(self.input)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs, flattened."""
        return jax.tree.leaves(self.output)

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or the structure of shapes."""
        return jax.tree.map(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or the structure of shapes."""
        return jax.tree.map(lambda t: t.shape, self.output)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that make them."""
        if self._network is None:
            return []
        makers = {result: op.layer for op in self._network.ops for result in op.results}
        makers.update({info.ref: info.name for info in self._network.input_infos})
        return networks.number_repeats([makers[i] for i in self._network.output_refs])

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [info.name for info in self._network.input_infos] if self._network is not None else []

    # -- weights --------------------------------------------------------------------------------------------------

    def _weight_values(self, select: Callable[[Any], bool] = lambda info: True) -> list[jax.Array]:
        flat = {"params": flatten(self.params), "state": flatten(self.model_state)}
        return [flat[info.collection][info.name] for info in self.description.weights if select(info)]

    @property
    def weights(self) -> list[jax.Array]:
        """All weights in Keras's order."""
        return self._weight_values()

    @property
    def trainable_weights(self) -> list[jax.Array]:
        """The weights that training changes."""
        return self._weight_values(lambda info: info.trainable)

    @property
    def non_trainable_weights(self) -> list[jax.Array]:
        """The others: frozen weights and state."""
        return self._weight_values(lambda info: not info.trainable)

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def weight_paths(self) -> list[str]:
        """The paths of all weights, in the order of `weights`."""
        return [info.name for info in self.description.weights]

    def get_weights(self) -> list[np.ndarray]:
        """All weights as NumPy arrays, in Keras's order."""
        return [np.asarray(value) for value in self.weights]

    def set_weights(self, weights: Any) -> Self:
        """A model with these weights, in the order of `get_weights`.

        Raises:
            InputError: the number of arrays or a shape differs; every difference is listed.
        """
        infos = self.description.weights
        weights = list(weights)
        problems = [
            f"{info.name}: expected {show_shape(info.shape)}, got {show_shape(np.shape(value))}"
            for info, value in zip(infos, weights, strict=False)
            if np.shape(value) != info.shape
        ]
        if len(weights) != len(infos):
            problems.insert(0, f"the model has {len(infos)} weights, {len(weights)} were given")
        if problems:
            raise InputError("set_weights: " + "; ".join(problems) + ".")
        check_used("set_weights")
        given = {
            (info.collection, info.name): jnp.array(value, info.dtype) for info, value in zip(infos, weights, strict=True)
        }
        flat = {c: {n: v for (kind, n), v in given.items() if kind == c} for c in ("params", "state")}
        state = self.state
        return self._with(
            _spec_state=state.replace(
                params=merge(state.params, flat["params"]), model_state=merge(state.model_state, flat["state"])
            )
        )

    def count_params(self) -> int:
        """The number of weights."""
        return sum(int(np.prod(info.shape)) for info in self.description.weights)

    def freeze(self, *patterns: str) -> Self:
        """A model in which training leaves the layers alone whose path matches a pattern (`"conv*"`, `"encoder/*"`)."""
        return self._set_trainable(patterns or ("*",), False)

    def unfreeze(self, *patterns: str) -> Self:
        """The reverse of `freeze`."""
        return self._set_trainable(patterns or ("*",), True)

    def _set_trainable(self, patterns: tuple[str, ...], value: bool) -> Self:
        paths: dict[int, list[str]] = {}  # a shared layer has several
        for path, layer in walk(self):
            paths.setdefault(id(layer), []).append("/".join(path))
        known = [path for found in paths.values() for path in found if path]
        for pattern in patterns:
            if not fnmatch.filter(known, pattern):
                raise ArgumentError(f"No layer matches {pattern!r}.{suggestion(pattern, known)}")

        def changed(path: str, layer: Layer) -> Layer:
            # Layers inside of a `Repeat` have no weights of their own, and are not walked through.
            mine = paths.get(id(layer), [path])
            if any(fnmatch.fnmatchcase(one, pattern) for one in mine for pattern in patterns):
                return with_attributes(layer, trainable=value)
            return layer

        state = self.__dict__.get("_spec_state")
        new = self.map_layers(changed)
        # The optimizer's state covers other weights now, so it starts anew.
        return new._with(_spec_state=None if state is None else state.replace(opt_state=None), _spec_carried=self._carried())

    def _carried(self) -> Any:
        return self.__dict__.get("_spec_carried")

    def map_layers(
        self, change: Callable[[str, Layer], Layer], prefix: str = "", done: dict[int, Layer] | None = None
    ) -> Self:
        """The same model over changed layers; weights stay, and what was shared stays shared.

        Args:
            change: takes a layer's path and the layer, returns the one to use.
            prefix: the path of this model inside the outermost.
            done: the changed layers so far, by the id of the one before.
        """
        results: dict[int, Layer] = {} if done is None else done

        def visit(name: str, layer: Layer) -> Layer:
            if id(layer) not in results:
                results[id(layer)] = changed(name, layer)
            return results[id(layer)]

        def changed(name: str, layer: Layer) -> Layer:
            path = f"{prefix}{name}"
            layer = change(path, layer)
            if isinstance(layer, Model):
                return layer.map_layers(change, path + "/", results)
            clone = with_attributes(layer, **{})
            Layer.bind_children(clone, lambda inner, child: visit(f"{name}/{inner}", child))
            clone.__dict__.pop("_spec_key", None)
            return clone

        new = {name: visit(name, layer) for name, layer in self.children().items()}
        return self._with_children(new)

    def _with_children(self, new: Mapping[str, Layer]) -> Self:
        if self._network is not None:
            return self._with(_network=self._network.with_layers(new))
        clone = self._with()
        Layer.bind_children(clone, lambda name, layer: new[name])
        clone.__dict__.pop("_spec_key", None)
        return clone

    # -- configuration and files ----------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The definition as plain values in the form that Keras 3 writes; of a subclass, its constructor's arguments."""
        if self._network is not None:
            return configs.functional_config(self._network, self.name or self.base_name, self.trainable, self.dtype)
        return {k: v for k, v in super().get_config().items() if k not in ("inputs", "outputs") or v is not None}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The model that `get_config` described, with fresh weights."""
        with custom_object_scope(custom_objects or {}):
            if "input_layers" not in config:
                return cls(**config)
            inputs, outputs = configs.functional_tensors(config, known_classes())
            return cls(
                configs.unwrapped(inputs),
                configs.unwrapped(outputs),
                name=config.get("name"),
                trainable=config.get("trainable", True),
                dtype=config.get("dtype"),
            )

    def written_class(self) -> dict[str, Any]:
        """How a configuration names this kind of model."""
        functional = type(self) is Model and self._network is not None
        return configs.FUNCTIONAL if functional else {}

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON; `model_from_json` reads it."""
        return json.dumps(configs.to_config(self), **kwargs)

    # -- as a value -----------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, Any]:
        # The name of a model matters only inside another, which keeps it with its other names.
        return {**super()._state(), "name": None}

    def _with(self, **attributes: Any) -> Self:
        """A copy with attributes changed."""
        return with_attributes(self, **attributes)

    @property
    def recipe(self) -> Recipe | None:
        """What `compile` was given; None before."""
        return self.__dict__.get("_spec_recipe")

    def __repr__(self) -> str:
        kind = type(self).__name__
        count = f"{self.count_params():,} weights" if self.built else "not built"
        return f"<{kind} {self.name or self.base_name!r}: {len(self.children())} layers, {count}>"


def known_classes() -> dict[str, type[Layer]]:
    """Every class of the library that a configuration may name."""
    found: dict[str, type[Layer]] = {**configs.layer_classes(), "Functional": Model, "Model": Model}
    for cls in Model.__subclasses__():
        if cls.__module__.startswith("jkeras.models."):
            found[cls.__name__] = cls
    return found


def with_attributes(layer: Any, **attributes: Any) -> Any:
    """A frozen copy of a layer with attributes changed."""
    clone = object.__new__(type(layer))
    same = all(name.startswith("_spec_") for name in attributes)
    dropped = {"_spec_views", "_spec_fresh", "_spec_live"} | (set() if same else {"_spec_key"})
    clone.__dict__.update({k: v for k, v in layer.__dict__.items() if k not in dropped})
    clone.__dict__.update(attributes)
    return clone


def _build_of_subclass(build: Callable[..., Any]) -> Callable[..., Any]:
    """A user's own `build`, which makes layers and weights while the model runs; called from outside it builds the model."""

    @functools.wraps(build)
    def either(self: Model, *args: Any, **kwargs: Any) -> Any:
        if self.is_bound:
            return build(self, *args, **kwargs)
        return Model.build(self, *args, **kwargs)

    return either


def _carried_by_tensors(network: Network, inputs: Any, outputs: Any) -> dict[str, Callable[[], Any]]:
    """For each layer that belongs to the model a tensor came from: how to get its weights there."""
    origins = [t.origin for t in jax.tree.leaves((inputs, outputs)) if is_symbolic(t) and t.origin is not None]
    carried: dict[str, Callable[[], Any]] = {}
    for origin in origins:
        names = {id(layer): name for name, layer in origin._network.layers.items()}
        for name, layer in network.layers.items():
            there = names.get(id(layer))
            if there is not None:
                carried[name] = functools.partial(_variables_of, origin, there)
    return carried


def _variables_of(model: Any, name: str) -> dict[str, Any]:
    return subtree(model.variables, name)


def _is_sizes(value: Any) -> bool:
    return all(v is None or isinstance(v, (int, np.integer)) for v in value)


def register_pytree(cls: type[Model]) -> None:
    """Makes a class of models known to JAX: the leaves are the arrays of the state."""

    def flatten_model(model: Model) -> tuple[tuple[Any, ...], Any]:
        state = model.state if model.built else None
        static = model._with(_spec_state=None)
        return (state,), _Static(static)

    def unflatten_model(static: _Static, children: Any) -> Model:
        return static.model._with(_spec_state=children[0])

    jax.tree_util.register_pytree_node(cls, flatten_model, unflatten_model)


class _Static:
    """The part of a model that is not arrays, compared by definition and recipe."""

    def __init__(self, model: Model):
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Any:
        return (self.model.definition, self.model.recipe)


register_pytree(Model)
