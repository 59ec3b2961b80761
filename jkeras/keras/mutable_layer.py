"""Mutable layers: handles that hold an immutable description and, once built, its weights.

A handle owns its weights, as a Keras layer does, so that two models that share a layer see the same weights; models
collect them when they run and hand them back (see `mutable_model.py`).
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.dispatch import is_symbolic
from jkeras.errors import InputError, NotBuiltError
from jkeras.graph.describe import describe
from jkeras.graph.layer import Layer as PureLayer
from jkeras.graph.scope import WeightInfo
from jkeras.graph.shapes import as_spec, show_shape
from jkeras.keras import described
from jkeras.keras.described import Declaration
from jkeras.keras.variables import Variable
from jkeras.keras.wrapping import to_value
from jkeras.registry import snake_case
from jkeras.tracebacks import filtered_methods

Tree = dict[str, Any]

# Attributes that Keras's scripts set and that mean nothing here.
IGNORED = ("built",)


@dataclasses.dataclass
class Seeds:
    """Gives each thing that is built a key of its own, in order, as Keras's global seed does."""

    seed: int | None = None
    count: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    def set(self, seed: int) -> None:
        """Starts anew from a seed."""
        self.seed, self.count = seed, itertools.count()

    def next(self) -> jax.Array:
        """The next key."""
        seed = config.default_seed if self.seed is None else self.seed
        return jax.random.fold_in(jax.random.key(seed), next(self.count))


SEEDS = Seeds()


@filtered_methods("__init__", "__call__", "build", "call")
class Layer:
    """Base of every layer in this namespace; subclass it the way Keras taught.

    Called on arrays, a layer builds itself and keeps its weights; called on symbolic tensors, it becomes part of a graph.
    """

    spec: ClassVar[type[PureLayer]] = PureLayer
    is_facade: ClassVar[bool] = True
    is_root: ClassVar[bool] = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An object that remembers the arguments it was called with."""
        self = object.__new__(cls)
        self.__dict__["_keras_given"] = (args, kwargs)
        return self

    def __init__(self, *args: Any, **kwargs: Any):
        self._hold(self.spec(*to_value(args), **to_value(kwargs)))

    @classmethod
    def around(cls, definition: PureLayer) -> Self:
        """A handle of a definition that exists already."""
        self = object.__new__(cls)
        self.__dict__["_keras_given"] = ((), {})
        for name, value in vars(definition).items():
            if (
                not name.startswith("_spec_")
                and name not in type(definition)._fields
                and not cls.__dict__.get("is_facade")
            ):
                self.__dict__[name] = handles_in(value)
        self._hold(definition)
        self.__dict__["_keras_definition"] = definition
        definition.__dict__["_spec_handle"] = weakref.ref(self)
        return self

    def _hold(self, value: PureLayer) -> None:
        self.__dict__["_keras_value"] = value

    # -- the value ------------------------------------------------------------------------------------------------

    def _pure_value(self) -> PureLayer:
        return self.definition

    @property
    def definition(self) -> PureLayer:
        """The immutable description; made at the first use, the same object from then on."""
        found = self.__dict__.get("_keras_definition")
        if found is None:
            value = self.__dict__.get("_keras_value")
            if value is None:
                raise NotBuiltError(f"{type(self).__name__}.__init__ must call `super().__init__()` first.")
            found = value if type(self).__dict__.get("is_facade") else described.describe(self, value)
            self.__dict__["_keras_definition"] = found
            found.__dict__["_spec_handle"] = weakref.ref(self)
        return found

    @property
    def _core(self) -> Any:
        """Where arguments are read: the bound layer inside a run, else the value."""
        return (
            self.__dict__.get("_keras_bound") or self.__dict__.get("_keras_definition") or self.__dict__["_keras_value"]
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not ({"_keras_bound", "_keras_value"} & set(self.__dict__)):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        if name == "adapt":
            return self._adapt
        found = getattr(self._core, name)
        return found if "_keras_bound" in self.__dict__ else handles_in(found)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in IGNORED:
            return
        if isinstance(inspect.getattr_static(type(self), name, None), property):
            object.__setattr__(self, name, value)
        elif "_keras_bound" in self.__dict__:
            described.assign_in_view(self, name, value)
        elif name in self.spec._fields and "_keras_value" in self.__dict__ and "_keras_definition" not in self.__dict__:
            self.__dict__["_keras_value"] = self.__dict__["_keras_value"].replace(**{name: to_value(value)})
        else:
            self.__dict__[name] = value

    def _adapt(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__["_keras_value"] = self.__dict__["_keras_definition"] = self.definition.adapt(*args, **kwargs)
        self.definition.__dict__["_spec_handle"] = weakref.ref(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    # -- inside a run ---------------------------------------------------------------------------------------------

    def build(self, *args: Any, **kwargs: Any) -> Any:
        """Inside a run: makes the weights. Outside: builds the layer for inputs of a shape."""
        bound = self.__dict__.get("_keras_bound")
        if bound is not None:
            return self.spec.build(bound, *args, **kwargs)
        self._build(*args, **kwargs)
        return None

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        bound = self.__dict__.get("_keras_bound")
        return self.spec.call(bound, *args, **kwargs) if bound is not None else self(*args, **kwargs)

    def compute_mask(self, *args: Any, **kwargs: Any) -> Any:
        """The mask of the output."""
        return self.spec.compute_mask(self._core, *args, **kwargs)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Any:
        """A weight: the array inside `build` and `call`; in a constructor a stand-in for it."""
        arguments = {k: v for k, v in locals().items() if k != "self"}
        bound = self.__dict__.get("_keras_bound")
        return Declaration(arguments) if bound is None else described.add_weight(bound, arguments)

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar to the model's loss, from inside `call`."""
        self._core.add_loss(loss)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        value = self.__dict__.get("_keras_bound") or self.__dict__["_keras_value"]
        return self.spec.get_config(value) if self.spec is not PureLayer else _base_config(value)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer that `get_config` described."""
        return cls.around(cls.spec.from_config(config)) if cls.__dict__.get("is_facade") else cls(**config)

    @classmethod
    def description_class(cls) -> type[PureLayer]:
        """The class of the immutable descriptions of this class's layers."""
        return cls.spec if cls.__dict__.get("is_facade") else described.pure_class(cls, cls.spec)

    # -- names and flags ------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name given, or the one that the layer has in its model."""
        home = self.__dict__.get("_keras_home")
        return home[1] if home is not None else self._core.name or snake_case(type(self).__name__)

    @name.setter
    def name(self, value: str) -> None:
        self.__dict__["_keras_value"] = self.__dict__["_keras_value"].replace(name=value)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; what is assigned counts from the next `compile` on."""
        return self.__dict__.get("_keras_trainable", self._core.trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.__dict__["_keras_trainable"] = bool(value)
        for inner in self._inner().values():
            inner.trainable = value

    @property
    def built(self) -> bool:
        """Whether the layer has weights."""
        return self.tree is not None

    @property
    def input(self) -> Any:
        """The symbolic input in the model that the layer belongs to."""
        model, name = self._home("input")
        return model.definition._layer_input(name)

    @property
    def output(self) -> Any:
        """The symbolic output in the model that the layer belongs to."""
        model, name = self._home("output")
        return model.definition._layer_output(name)

    def _home(self, what: str) -> tuple[Any, str]:
        home = self.__dict__.get("_keras_home")
        model = None if home is None else home[0]()
        if model is None:
            raise NotBuiltError(f"{self!r} is in no model yet, so it has no symbolic {what}.")
        return model, home[1]

    @property
    def input_shape(self) -> Any:
        """The shape of the input, batch axis first."""
        return jax.tree.map(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, batch axis first."""
        return jax.tree.map(lambda t: t.shape, self.output)

    # -- weights --------------------------------------------------------------------------------------------------

    def _inner(self) -> dict[str, Layer]:
        """The handles of the layers inside, by name; held here, since definitions only point to them weakly."""
        if "_keras_definition" not in self.__dict__:
            found = {str(i): h for i, h in enumerate(_find_handles(vars(self)))}
            return found
        definition = self.definition
        held = self.__dict__.get("_keras_held")
        if held is None or held[0] is not definition:
            held = (definition, {name: handle_of(layer) for name, layer in definition.children().items()})
            self.__dict__["_keras_held"] = held
        return held[1]

    @property
    def tree(self) -> Tree | None:
        """The variables, `{"params": ..., "state": ...}`; None before the layer is built."""
        self._catch_up()
        tree = self.__dict__.get("_keras_tree")
        return None if tree is None else _with_inner(tree, self._inner())

    def receive(self, tree: Tree, infos: list[WeightInfo]) -> None:
        """Takes over variables, for the layers inside as well."""
        self.__dict__["_keras_tree"] = tree
        self.__dict__["_keras_infos"] = infos
        distribute(tree, infos, self._inner())

    def assign(self, tree: Tree) -> None:
        """Changes the variables."""
        self._catch_up()
        self.receive(tree, self._infos())
        source = self._source()
        if source is not None:
            source.touched()

    def _source(self) -> Any:
        reference = self.__dict__.get("_keras_source")
        return None if reference is None else reference()

    def _catch_up(self) -> None:
        """Takes over the newest weights, if a model around this layer is in training."""
        source = self._source()
        if source is not None:
            source.absorb()

    def _infos(self) -> list[WeightInfo]:
        return self.__dict__.get("_keras_infos") or []

    def _materialize(self) -> None:
        """Makes the weights of the model that the layer is in, if they have not been made."""
        home = self.__dict__.get("_keras_home")
        model = None if home is None else home[0]()
        if self.tree is None and model is not None and model.built:
            model.weights  # noqa: B018

    @property
    def weights(self) -> list[Variable]:
        """The weights in Keras's order; they can be read and assigned."""
        self._materialize()
        return [] if self.tree is None else [self._variable(info) for info in self._infos()]

    variables = weights

    def _variable(self, info: WeightInfo) -> Variable:
        def read() -> Any:
            return functools.reduce(lambda node, key: node[key], info.path, self.tree[info.collection])  # type: ignore[index]

        def write(value: Any) -> None:
            tree = dict(self.tree or {})
            tree[info.collection] = _replaced(tree[info.collection], info.path, value)
            self.assign(tree)

        return Variable(read, write, "/".join((self.name, *info.path)), info.trainable and self.trainable)

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those that training changes."""
        flags = self._flags()
        return [
            v
            for v, info in zip(self.weights, self._infos(), strict=False)
            if info.collection == "params" and flags(info)
        ]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The others."""
        chosen = {v.path for v in self.trainable_weights}
        return [v for v in self.weights if v.path not in chosen]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def _flags(self) -> Any:
        """Whether the weight of an info is trainable by the flags as they are now."""

        def check(info: WeightInfo) -> bool:
            layer: Any = self
            for key in info.path[:-1]:
                if not layer.trainable:
                    return False
                inner = layer._inner() if isinstance(layer, Layer) else {}
                if key not in inner:
                    return True
                layer = inner[key]
            return layer.trainable

        return check

    def get_weights(self) -> list[np.ndarray]:
        """The weights as NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replaces the weights by arrays in the order of `get_weights`."""
        self._materialize()
        tree, infos, weights = self.tree, self._infos(), list(weights)
        if tree is None or len(weights) != len(infos):
            raise InputError(
                f"set_weights: {self!r} has {len(infos) if tree else 0} weights, {len(weights)} were given."
            )
        for info, value in zip(infos, weights, strict=True):
            if np.shape(value) != tuple(info.shape):
                raise InputError(
                    f"set_weights: {info.name} of {self!r} has shape {show_shape(info.shape)}, got {show_shape(np.shape(value))}."
                )
            tree = {**tree, info.collection: _replaced(tree[info.collection], info.path, jnp.array(value, info.dtype))}
        self.assign(tree)

    def count_params(self) -> int:
        """The number of weights."""
        return sum(int(np.prod(info.shape)) for info in self._infos())

    # -- calling --------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds the layer to a graph (symbolic tensors) or computes (arrays), building it first."""
        args, kwargs = jax.tree.map(_plain, to_value((args, kwargs)))
        leaves = jax.tree.leaves((args, kwargs))
        if any(map(is_symbolic, leaves)) or not leaves:
            outputs = self.definition(*args, **kwargs)
            for tensor in jax.tree.leaves(outputs):
                tensor.keeps = self  # the graph keeps the handle, and so the weights, alive
            return outputs
        return self._compute(args, kwargs, any(isinstance(leaf, jax.core.Tracer) for leaf in leaves))

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any], traced: bool) -> Any:
        if self.tree is None:
            if traced:
                return self.definition(*args, **kwargs)
            self._build(*(runtime_shape(a) for a in args))
        training = bool(kwargs.get("training"))
        rng = SEEDS.next() if training else None
        outputs, state = self.definition.apply(self.tree, *args, rng=rng, return_state=True, **kwargs)
        if training and not traced and state:
            self.assign({**(self.tree or {}), "state": state})
        return outputs

    def _build(self, *specs: Any, **named: Any) -> None:
        specs = specs or tuple(named.values())
        definition = self.definition
        tree = definition.init(SEEDS.next(), *specs)
        infos = list(describe(definition, *specs).weights)
        self.receive(_with_inner(tree, self._inner()), infos)


def runtime_shape(value: Any) -> Any:
    """Shapes and types of the arrays in a structure."""
    return jax.tree.map(as_spec, value)


def _plain(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, Variable) else leaf


def _base_config(value: PureLayer) -> dict[str, Any]:
    return {name: value for name, value in PureLayer.get_config(_only_base(value)).items()}


def _only_base(value: PureLayer) -> PureLayer:
    return PureLayer(name=value.name, trainable=value.trainable, dtype=value.dtype)


def _find_handles(value: Any) -> Iterator[Layer]:
    if isinstance(value, Layer):
        yield value
    elif type(value) in (list, tuple):
        for entry in value:
            yield from _find_handles(entry)
    elif type(value) is dict:
        for entry in value.values():
            yield from _find_handles(entry)


def _replaced(tree: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Tree:
    inner = value if len(path) == 1 else _replaced(tree[path[0]], path[1:], value)
    return {**tree, path[0]: inner}


def _with_inner(tree: Tree, inner: Mapping[str, Layer]) -> Tree:
    """The variables of a layer with those of the layers inside as they are now."""
    for name, handle in inner.items():
        own = handle.tree
        for collection, values in (own or {}).items():
            if name in tree.get(collection, {}) and tree[collection][name] is not values:
                tree = {**tree, collection: {**tree[collection], name: values}}
    return tree


def distribute(tree: Tree, infos: list[WeightInfo], inner: Mapping[str, Layer]) -> None:
    """Hands variables to the layers that they belong to."""
    for name, handle in inner.items():
        part = {collection: values.get(name, {}) for collection, values in tree.items()}
        own = [dataclasses.replace(i, path=i.path[1:]) for i in infos if i.path[0] == name and len(i.path) > 1]
        handle.receive(part, own)


def everything_inside(layer: Layer) -> Iterator[Layer]:
    """The handles of all layers inside, at any depth."""
    for handle in layer._inner().values():
        yield handle
        yield from everything_inside(handle)


def handles_in(value: Any) -> Any:
    """`value` with every description of a layer in it replaced by a handle."""
    if isinstance(value, PureLayer):
        return handle_of(value)
    if type(value) in (list, tuple):
        return type(value)(handles_in(v) for v in value)
    return {k: handles_in(v) for k, v in value.items()} if type(value) is dict else value


def handle_of(definition: PureLayer) -> Any:
    """The handle of a definition: the one that is alive, or a new one."""
    reference = definition.__dict__.get("_spec_handle")
    found = reference() if reference is not None else None
    return facade(type(definition)).around(definition) if found is None else found


def existing_handle(definition: PureLayer) -> Any:
    """The handle of a definition, if one is alive."""
    reference = definition.__dict__.get("_spec_handle")
    return None if reference is None else reference()


@functools.cache
def facade(pure: type[PureLayer]) -> Any:
    """The mutable class for a class of layers: the user's own class, or one made for it."""
    if pure.__dict__.get("user_class") is not None:
        return pure.__dict__["user_class"]
    roots = {cls.spec: cls for cls in (Layer, *_subclasses(Layer)) if cls.__dict__.get("is_root")}
    if pure in roots:
        return roots[pure]
    base = facade(next(b for b in pure.__mro__[1:] if issubclass(b, PureLayer)))
    namespace = {"spec": pure, "__doc__": pure.__doc__, "__module__": "jkeras.keras.layers", "is_facade": True}
    return type(base)(pure.__name__, (base,), namespace)


def _subclasses(cls: Any) -> Iterator[Any]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
