"""The only file that knows Flax: definitions become Linen modules.

One module class serves every layer. `LayerModule` takes a bound copy of its layer (see `graph/layer.py`), gives it a
scope whose weights are Flax parameters and variables, and runs it; sublayers become submodules named by attribute, or
by layer name inside a functional model. So `{"params": ..., "state": ...}` are ordinary Flax variables, and any Flax
program can use `to_module(model)`.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jkeras import constraints, dtypes, initializers, regularizers
from jkeras.errors import InputError
from jkeras.graph.layer import Layer
from jkeras.graph.layer_call import Run, call_bound

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class WeightInfo:
    """What is known of one weight without its values."""

    path: Path
    shape: tuple[int, ...]
    dtype: str
    trainable: bool  # whether training changes it: made trainable, in a layer that is
    collection: str  # "params" or "state"
    regularizer: Any = None
    constraint: Any = None

    @property
    def name(self) -> str:
        """The path as text, `dense/kernel`."""
        return "/".join(self.path)


@dataclasses.dataclass
class Record:
    """What a run writes down about weights and layers when asked to describe or initialise a definition."""

    weights: dict[tuple[str, Path], WeightInfo] = dataclasses.field(default_factory=dict)
    # The bound copy of each layer by its description's id: an object that appears twice is shared.
    bound: dict[int, Layer] = dataclasses.field(default_factory=dict)
    making: bool = False  # weights are being made: updates of state are not kept
    abstract: bool = False  # shapes only: initialisers are not run


@dataclasses.dataclass(frozen=True, eq=False)
class Held:
    """Keeps Flax from looking into a value."""

    value: Any


class LayerModule(nn.Module):
    """A layer as a Linen module.

    Attributes:
        layer: the description, held.
    """

    layer: Held

    def __call__(self, *args: Any, training: bool = False, **kwargs: Any) -> Any:
        """Runs the layer as the root of a program; randomness comes from the "dropout" stream."""
        rng = self.make_rng("dropout") if self.has_rng("dropout") else None
        return self.start(Run(training=training, rng=rng), Record())(*args, **kwargs)

    def start(self, run: Run, record: Record, parent: Layer | None = None) -> Layer:
        """The bound layer at the root; from a parent it inherits what it does not say itself."""
        return ModuleScope(self, run, record, self.layer.value, (), parent).bound

    @nn.compact
    def enter(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs `function` inside this module, so that it can make weights and submodules."""
        return function(*args)


class ModuleScope:
    """Gives one bound layer its weights, submodules, randomness and losses (`graph.layer.Scope`)."""

    def __init__(
        self, module: LayerModule, run: Run, record: Record, layer: Layer, path: Path, parent: Layer | None = None
    ):
        self.module = module
        self.run = run
        self.record = record
        self.names = path
        self.path = "/".join(path)
        self.built: set[int] = set()
        self.made: dict[int, tuple[Any, str]] = {}
        self.state: set[str] = set()
        clone = layer.bound_copy(self)
        if parent is not None:
            inherited: dict[str, Any] = {"trainable": layer.trainable and parent.trainable}
            if layer.dtype is None and parent.dtype is not None:
                inherited["dtype"] = parent.dtype
            clone.__dict__.update(inherited)
        self.bound = clone
        clone.bind_children(self.child)

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: Mapping[str, Any]) -> jax.Array:
        name = name or self._unused_name()
        is_float = dtype in dtypes.FLOATS
        initializer: Any = initializers.get(options["initializer"] or ("glorot_uniform" if is_float else "zeros"))
        if any(size is None for size in shape):
            raise InputError(
                f"{self.path}: the weight {name!r} would have shape {shape}; a size of None is not known when weights are"
                f" made. Give the model an input whose sizes other than the batch are known."
            )
        regularizer = regularizers.get(options["regularizer"])
        trainable = bool(options["trainable"])
        self._note(name, shape, dtype, options, regularizer, constraints.get(options["constraint"]))

        def make(key: Any = None) -> jax.Array:
            if self.record.abstract:
                return jnp.zeros(shape, dtype)
            return jnp.asarray(initializer(shape, dtype=dtype, key=key), dtype)

        if trainable:
            value = self.module.param(name, make)
        else:
            key = self.module.make_rng("params") if self.module.has_rng("params") else None
            value = self.module.variable("state", name, make, key).value
            self.state.add(name)
        if value.shape != shape:
            raise InputError(
                f"{self.path}/{name}: the variables given hold an array of shape {value.shape}; the layer needs {shape}."
            )
        if regularizer is not None:
            self.run.losses.append(regularizer(value))
        compute_dtype = options["autocast"]
        if is_float and compute_dtype in dtypes.FLOATS:
            value = value.astype(compute_dtype)
        # A copy-free new object, so that two weights that share one array are still told apart.
        self.made[id(value)] = (value, name)
        return value

    def _unused_name(self) -> str:
        taken = {name for _, name in self.made.values()}
        return next(n for i in range(len(taken) + 1) if (n := f"variable_{i}" if i else "variable") not in taken)

    def _note(
        self, name: str, shape: Any, dtype: str, options: Mapping[str, Any], regularizer: Any, constraint: Any
    ) -> None:
        path = (*self.names, name)
        collection = "params" if options["trainable"] else "state"
        trains = collection == "params" and self.bound.trainable and not options.get("frozen", False)
        info = WeightInfo(path, shape, dtype, trains, collection, regularizer, constraint)
        self.record.weights[collection, path] = info

    def name_of(self, value: Any) -> str | None:
        """The weight whose array this is, if `add_weight` returned it."""
        found = self.made.get(id(value))
        return found[1] if found is not None and found[0] is value else None

    def assign(self, name: str, value: Any) -> None:
        if name not in self.state:
            raise InputError(
                f"{self.path}: the weight {name!r} is trainable, so only the optimizer changes it."
                f" Make it with `add_weight(..., trainable=False)` to update it in `call`."
            )
        if self.module.is_mutable_collection("state") and not self.record.making:
            old: Any = self.module.get_variable("state", name)
            value = jnp.asarray(value)
            if value.shape != old.shape:
                raise InputError(f"{self.path}: state {name!r} has shape {old.shape}, cannot become {value.shape}.")
            self.module.put_variable("state", name, value.astype(old.dtype))

    def child(self, name: str, layer: Layer) -> Layer:
        if id(layer) in self.record.bound:
            return self.record.bound[id(layer)]
        module = self.module.enter(lambda: LayerModule(Held(layer), parent=self.module, name=name))
        bound = ModuleScope(module, self.run, self.record, layer, (*self.names, name), self.bound).bound
        # Kept with the description alive, since layers made in `build` live only as long as this run.
        bound.__dict__["_spec_description"] = layer
        self.record.bound[id(layer)] = bound
        return bound

    def call(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if id(layer) in self.built:
            return call_bound(layer, self.run, self.built, args, kwargs)
        return self.module.enter(call_bound, layer, self.run, self.built, args, kwargs)

    def make_rng(self, seed: int | None) -> jax.Array:
        return self.run.make_rng(self.path, seed)

    def add_loss(self, value: Any) -> None:
        self.run.losses.append(jnp.asarray(value, jnp.float32))

    def variables(self) -> Mapping[str, Any]:
        return self.module.variables


def to_module(layer: Layer) -> LayerModule:
    """The Linen module of a definition: `to_module(model).apply(variables, x, training=True, rngs={"dropout": key})`."""
    return LayerModule(Held(layer))


@dataclasses.dataclass(frozen=True)
class LinenGuest:
    """A user's Linen module that stands in a model; its collections other than "params" are the model's state."""

    module: nn.Module
    method: Any = None

    def init(self, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Fresh parameters and state."""
        keys = dict(zip(("params", "dropout"), jax.random.split(rng), strict=True))
        variables = dict(self.module.init(keys, inputs, method=self.method, **self._flag(training)))
        return variables.pop("params", {}), variables

    def apply(self, params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Outputs and updated state."""
        variables = {**({"params": params} if params else {}), **state}
        rngs = {} if rng is None else {"dropout": rng}
        mutable = nn.DenyList(["params", "intermediates"])
        outputs, updated = self.module.apply(
            variables, inputs, rngs=rngs, method=self.method, mutable=mutable, **self._flag(training)
        )
        return outputs, {name: updated.get(name, value) for name, value in state.items()}

    def _flag(self, training: bool) -> dict[str, bool]:
        method = getattr(self.module, self.method) if isinstance(self.method, str) else self.method
        takes = inspect.signature(method or self.module.__call__).parameters
        offered = {"training": training, "train": training, "deterministic": not training}
        return {name: value for name, value in offered.items() if name in takes}


@dataclasses.dataclass(frozen=True, eq=False)
class NnxGuest:
    """A user's NNX module as a value: its structure, its parameters, its random streams and its other state."""

    structure: Any
    params: Any
    streams: Any
    state: Any
    method: str = "__call__"

    def init(self, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        """The parameters and state that the module came with."""
        return self.params, self.state

    def apply(self, params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Outputs and updated state."""
        leaves, structure = jax.tree.flatten(self.streams)
        if rng is not None:
            leaves = [
                jax.random.fold_in(rng, i) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
                for i, leaf in enumerate(leaves)
            ]
        from flax import nnx

        module = nnx.merge(self.structure, params, jax.tree.unflatten(structure, leaves), state)
        module.train() if training else module.eval()
        method = getattr(module, self.method)
        flag = {"training": training} if "training" in inspect.signature(method).parameters else {}
        outputs = method(inputs, **flag)
        rest: Any = nnx.split(module, nnx.Param, nnx.RngState, ...)
        return outputs, rest[3]


def guest(module: Any, method: Any = None) -> LinenGuest | NnxGuest | None:
    """A user's Flax module as something that layers can run; None if it is no Flax module."""
    if isinstance(module, (LinenGuest, NnxGuest)):
        return module
    if isinstance(module, nn.Module):
        return LinenGuest(module, method)
    # NNX takes as long to import as all of jkeras, so only programs that use it pay.
    nnx = sys.modules.get("flax.nnx")
    if nnx is not None and isinstance(module, nnx.Module):
        name = method if isinstance(method, str) else getattr(method, "__name__", "__call__")
        split: Any = nnx.split
        structure, params, streams, state = split(module, nnx.Param, nnx.RngState, ...)
        return NnxGuest(structure, params, streams, state, name)
    return None


@dataclasses.dataclass
class Pass:
    """What one run of a definition gave."""

    outputs: Any
    state: dict[str, Any]
    run: Run
    record: Record

    @property
    def mask(self) -> Any:
        """The masks of the outputs, or None."""
        return self.run.mask_of(self.outputs)


def run(
    layer: Layer,
    variables: Mapping[str, Any] | None,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    training: bool = False,
    rng: Any = None,
    key: Any = None,
    abstract: bool = False,
    check_finite: bool = False,
    parent: Layer | None = None,
) -> tuple[Pass, dict[str, Any]]:
    """Runs a definition once, with given variables or (None) making them.

    Args:
        layer: the definition.
        variables: its variables, or None.
        args: of the call.
        kwargs: of the call.
        training: whether the pass is part of training.
        rng: the key of dropout and the like.
        key: of initialisation.
        abstract: whether weights are zeros, where only shapes are wanted.
        check_finite: whether to write down which layers' outputs are finite.
        parent: a layer, bound elsewhere, from which this one inherits its policy and whether it trains.

    Returns:
        What the run gave, and all its variables `{"params": ..., "state": ...}`.
    """
    this_run = Run(training=training, rng=rng, finite=[] if check_finite else None)
    record = Record(making=variables is None, abstract=abstract)
    module = LayerModule(Held(layer), parent=None)  # no part of a module that may run just now

    def program(root: LayerModule) -> Any:
        return root.start(this_run, record, parent)(*args, **kwargs)

    def within(root: LayerModule) -> Any:
        return root.enter(program, root)

    if variables is None:
        outputs, made = nn.init_with_output(within, module)({"params": jax.random.key(0) if key is None else key})
    else:
        given = {name: variables.get(name, {}) for name in ("params", "state")}
        outputs, updated = nn.apply(within, module, mutable=["state"])(given)
        made = {**given, **updated}
    made = {name: made.get(name, {}) for name in ("params", "state")}
    return Pass(outputs, made["state"], this_run, record), made
