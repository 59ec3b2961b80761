"""Mutable models: handles over `jkeras.Model`, whose methods change the model in place as Keras's do.

A model's weights belong to its layers. When the model runs, it collects them into a `TrainState`; when it has trained, it
hands them back. So two models that share layers train the same weights.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import optimizers
from jkeras.errors import NotCompiledError
from jkeras.graph.network import Network
from jkeras.graph.scope import WeightInfo, walk
from jkeras.keras.metrics import Metric
from jkeras.keras.mutable_layer import SEEDS, Layer, Tree, distribute, everything_inside, existing_handle, handles_in
from jkeras.keras.variables import Variable
from jkeras.keras.wrapping import to_value
from jkeras.models.handle import Handle, LiveOptimizer
from jkeras.models.model import Model as PureModel
from jkeras.models.sequential import Sequential as PureSequential
from jkeras.tracebacks import filtered_methods
from jkeras.training import strategy
from jkeras.training.state import TrainState, owned_copy

# Methods of the immutable model whose result takes the model's place.
REBINDING = ("load_weights", "restore", "quantize")
# What is looked up in the definition alone; nothing needs weights.
SYMBOLIC = ("inputs", "outputs", "input_names", "output_names", "to_json")


@filtered_methods("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
class Model(Layer, Handle):
    """A model that changes in place: `jkeras.keras.Model(inputs, outputs)`, or a subclass with a `call`."""

    spec: ClassVar[type[PureModel]] = PureModel
    is_facade = True
    is_root = True

    def _hold(self, value: Any) -> None:
        contents = value._spec_contents
        state, recipe, history = contents.state, contents.recipe, contents.history
        bare = value if value is self.__dict__.get("_keras_definition") else value.definition._evolve(_spec_handle=None)
        super()._hold(bare)
        self.__dict__.update(
            _keras_state=state,
            _keras_recipe=recipe,
            _keras_history=history,
            _keras_flags=None,
            _keras_applied=None,
            _offered=None,
            _changed=False,
            directions={},
            _keras_stop=False,
            _keras_strategy=strategy.current(),
        )

    @classmethod
    def around(cls, definition: Any) -> Any:
        """A handle of an immutable model, its weights, recipe and history included."""
        self = super().around(definition)
        bare = self.__dict__["_keras_value"]
        self.__dict__["_keras_definition"] = bare
        bare.__dict__["_spec_handle"] = definition.__dict__["_spec_handle"] = weakref.ref(self)
        if self._keras_state is not None and bare.built:
            self._push()
        return self

    @property
    def definition(self) -> Any:
        """The immutable model without weights and recipe; layers used in it are the objects that were passed in."""
        made = "_keras_definition" in self.__dict__
        found = Layer.definition.fget(self)  # type: ignore[attr-defined]
        if not made and isinstance(getattr(found, "_network", None), Network):
            self._note_homes()
        return found

    def _redefine(self, definition: Any) -> None:
        definition.__dict__["_spec_handle"] = weakref.ref(self)
        self.__dict__.update(_keras_definition=definition, _keras_applied=None)
        self._note_homes()

    def _note_homes(self) -> None:
        for name, inner in self._inner().items():
            inner.__dict__["_keras_home"] = (weakref.ref(self), name)

    # -- the immutable model at this moment -----------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The immutable model, with the weights that its layers have now."""
        self.absorb()
        return self._assembled()

    @value.setter
    def value(self, new: Any) -> None:
        self.__dict__.update(_offered=None, _changed=True)
        self._take_over(new)

    def _assembled(self) -> Any:
        model = self._applied()._evolve(recipe=self._keras_recipe, history=self._keras_history)
        return model._evolve(state=self._gather(model)) if model.built else model

    def _applied(self) -> Any:
        """The definition with the `trainable` flags in force."""
        flags = self._keras_flags if self._keras_recipe is not None else self._wanted_flags()
        definition = self.definition
        cached = self._keras_applied
        if cached is None or cached[0] is not definition or cached[1] != flags:
            applied = definition
            if flags:
                applied = definition.map_layers(lambda path, layer: _with_flag(layer, flags.get(path)))
            cached = (definition, flags, applied)
            self.__dict__["_keras_applied"] = cached
        return cached[2]

    def _wanted_flags(self) -> dict[str, bool]:
        """The flags, by path, of the layers whose `trainable` was assigned."""
        flags = {}
        for path, layer in walk(self.definition):
            handle = existing_handle(layer) if path else None
            if handle is not None and handle.trainable != layer.trainable:
                flags["/".join(path)] = handle.trainable
        return flags

    def _gather(self, model: Any) -> TrainState:
        state = self._keras_state
        if state is None:
            state = model.init(SEEDS.next()).state
            carried = {"params": state.params, "state": state.model_state}
        else:
            carried = {"params": state.params, "state": state.model_state}
        current = _overlaid(carried, self._inner())
        if current is not carried:
            state = state.replace(params=current["params"], model_state=current["state"])
        first = self._keras_state is None
        self.__dict__["_keras_state"] = state
        if first:
            self._push()
        return state

    def _push(self) -> None:
        """Gives the layers their weights."""
        state = self._keras_state
        distribute({"params": state.params, "state": state.model_state}, self._infos(), self._inner())

    def _take_over(self, new: Any) -> None:
        """Makes a new immutable model's arrays, recipe and history this one's."""
        if not self.definition.built and new.built:
            self._redefine(self.definition.build_for(new.input_specs))
        state = new._spec_contents.state
        self.__dict__.update(_keras_recipe=new.recipe, _keras_history=new._spec_contents.history)
        if state is not None:
            self.__dict__["_keras_state"] = state
            self._push()

    # -- as a layer -----------------------------------------------------------------------------------------------

    def _infos(self) -> list[WeightInfo]:
        return list(self.definition.description.weights) if self.definition.built else []

    @property
    def tree(self) -> Tree | None:
        """The variables; None if neither the model nor its layers have any yet."""
        self._catch_up()
        if not self.definition.built or (self._keras_state is None and not _any_built(self._inner())):
            return None
        self.absorb()
        state = self._gather(self._applied())
        return {"params": state.params, "state": state.model_state}

    def receive(self, tree: Tree, infos: list[WeightInfo]) -> None:
        """Takes over variables."""
        state = self._keras_state or TrainState({}, {}, None, jnp.zeros((), jnp.int32), SEEDS.next())
        self.__dict__["_keras_state"] = state.replace(params=tree.get("params", {}), model_state=tree.get("state", {}))
        distribute(tree, infos, self._inner())

    def assign(self, tree: Tree) -> None:
        """Changes the variables."""
        super().assign(tree)
        self.touched()

    @property
    def weights(self) -> list[Variable]:
        """The weights in Keras's order; they can be read and assigned."""
        if not self.definition.built:
            return []
        self.absorb()
        self._gather(self._applied())
        return [self._variable(info) for info in self._infos()]

    variables = weights

    def _materialize(self) -> None:
        self.weights  # noqa: B018

    @property
    def built(self) -> bool:
        """Whether the shapes of the weights are known."""
        return self.definition.built

    def build(self, input_shape: Any = None, **kwargs: Any) -> Any:
        """Makes weights for inputs of a shape."""
        if "_keras_bound" in self.__dict__:
            return super().build(input_shape)
        if not self.definition.built:
            shape = list(input_shape) if isinstance(input_shape, list) else input_shape
            self._redefine(self.definition.build(shape))
        return None

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any], traced: bool) -> Any:
        if not self.definition.built:
            self._redefine(self.definition.build_for(args[0]))
        if self.tree is None:
            self._gather(self._applied())
        return super()._compute(args, kwargs, traced)

    # -- looking inside -------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "_keras_bound" in self.__dict__:
            return super().__getattr__(name)
        if "_keras_value" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; call `super().__init__()` first.")
        if name in SYMBOLIC:
            return getattr(self.definition, name)
        found = getattr(self.value, name)
        if name in REBINDING and callable(found):
            return self._rebinding(found)
        return handles_in(found)

    @property
    def input(self) -> Any:
        """The symbolic input, or the structure of inputs."""
        return self.definition.input

    @property
    def output(self) -> Any:
        """The symbolic output, or the structure of outputs."""
        return self.definition.output

    def _rebinding(self, function: Callable[..., Any]) -> Callable[..., None]:
        def rebind(*args: Any, **kwargs: Any) -> None:
            self.value = function(*to_value(args), **to_value(kwargs))

        return rebind

    def _held_members(self) -> dict[str, Layer]:
        definition = self.definition
        network = getattr(definition, "_network", None)
        if isinstance(definition, PureSequential) or network is None:
            return self._inner()
        inner = self._inner()
        return {name: inner[name] if name in inner else handles_in(layer) for name, layer in network.layers.items()}

    @property
    def layers(self) -> list[Any]:
        """The layers, as they were passed in."""
        definition = self.definition
        members = self._held_members()
        if isinstance(definition, PureSequential):
            by_id = {id(layer): name for name, layer in definition.children().items()}
            return [members[by_id[id(layer)]] for layer in definition._chain]
        return list(members.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """The layer of that name, or at that position."""
        if index is not None:
            return self.layers[index]
        members = self._held_members()
        if name not in members:
            self.definition.get_layer(name)  # raises, with the nearest name
        return members[name]

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints the layers, their output shapes and numbers of weights."""
        flags = self._wanted_flags()
        model = (
            self.definition.map_layers(lambda path, layer: _with_flag(layer, flags.get(path)))
            if flags
            else self.definition
        )
        model.summary(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The configuration in Keras's form."""
        return self.spec.get_config(self.definition)

    def count_params(self) -> int:
        """The number of weights."""
        return self.definition.count_params()

    # -- training -------------------------------------------------------------------------------------------------

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Sets optimizer, loss and metrics; `trainable` flags assigned so far take effect.

        As in TensorFlow, a model made in the scope of a strategy is trained under it, wherever it is compiled.
        """
        args, kwargs = to_value(args), to_value(kwargs)
        if strategy.current() is None and self._keras_strategy is not None:
            kwargs = {"distribute": self._keras_strategy, **kwargs}
        recipe = self.definition.compile(*args, **kwargs).recipe
        state = self._keras_state
        self.__dict__.update(
            _keras_recipe=recipe,
            _keras_flags=self._wanted_flags(),
            _keras_state=None if state is None else state.replace(opt_state=None),
        )

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains the model in place and returns the history."""
        model = self._for_running()
        for layer in everything_inside(self):
            layer.__dict__["_keras_source"] = weakref.ref(self)
        try:
            self.value = model.fit(*args, **kwargs)
        finally:
            self.__dict__["_offered"] = None
            for layer in everything_inside(self):
                layer.__dict__.pop("_keras_source", None)
        return self.history

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Loss and metrics in inference mode."""
        return self._for_running().evaluate(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Loss and metrics of one batch in inference mode."""
        return self._for_running().test_on_batch(*args, **kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for one batch as NumPy arrays."""
        return self._for_running().predict_on_batch(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as NumPy arrays."""
        return self._for_running().predict(*args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """One optimizer step; returns loss and metrics of the batch."""
        self.value, logs = self._for_running().train_on_batch(*args, **kwargs)
        return logs

    def _for_running(self) -> Any:
        """The immutable model, without the symbolic tensors, which a compiled step would keep alive."""
        model = self.value
        network = getattr(model, "_network", None)
        if network is None:
            return model._evolve(handle=self)
        slim = self.__dict__.get("_keras_slim")
        if slim is None or slim[0] is not network:
            slim = (network, Network(network.layers, network.ops, network.inputs, network.outputs, network.input_infos))
            self.__dict__["_keras_slim"] = slim
        return model._evolve(_network=slim[1], handle=self)

    @property
    def history(self) -> Any:
        """The logs of the last `fit`."""
        return self.value.history

    @property
    def stop_training(self) -> bool:
        """Set to True in a callback to end training."""
        return self._keras_stop

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        self.__dict__["_keras_stop"] = bool(value)

    @property
    def optimizer(self) -> Any:
        """The optimizer: its `learning_rate` can be read and assigned; inside a step, `stateless_apply`."""
        if "_keras_step" in self.__dict__:
            return StepOptimizer(self.__dict__["_keras_step"])
        return None if self._keras_recipe is None else OptimizerHandle(self)

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        recipe = self._compiled()
        state = self._keras_state
        self.__dict__.update(
            _keras_recipe=recipe.replace(optimizer=to_value(value)),
            _keras_state=None if state is None else state.replace(opt_state=None),
        )

    def _compiled(self) -> Any:
        if self._keras_recipe is None:
            raise NotCompiledError("The model is not compiled yet: call `model.compile(optimizer, loss)` first.")
        return self._keras_recipe

    # -- inside a step over lists, as Keras on JAX has it ---------------------------------------------------------

    def _step(self, what: str) -> Any:
        step = self.__dict__.get("_keras_step")
        if step is None:
            raise NotCompiledError(
                f"`{what}` works inside `train_step(self, state, data)` and `test_step(self, state, data)` while the model"
                f" runs. To compute with other weights elsewhere: `model.value.apply(params, x)`."
            )
        return step

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        x: Any,
        training: bool | None = None,
        return_losses: bool = False,
    ) -> tuple[Any, ...]:
        """Inside a step: outputs and new non-trainable variables; with `return_losses` what layers added to the loss."""
        return self._step("stateless_call").call(trainable_variables, non_trainable_variables, x, training, return_losses)

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        """Inside a step: the loss, and the variables after it."""
        loss = self._step("stateless_compute_loss").loss(y, y_pred, sample_weight)
        return loss, (trainable_variables, non_trainable_variables, metrics_variables)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Inside a step: the compiled loss; in a step over a `TrainState`, `(state, batch, training)` as in `jkeras.Model`."""
        if isinstance(x, TrainState):
            return self._core.compute_loss(x, y, training)
        return self._step("compute_loss").loss(y, y_pred, sample_weight)

    @property
    def metrics(self) -> list[Any]:
        """Inside a step: the running loss, the model's own metric objects, and the compiled ones."""
        step = self.__dict__.get("_keras_step")
        own = [value for value in vars(self).values() if isinstance(value, Metric)]
        compiled = [] if step is None else step.compiled_metrics
        return [*compiled[:1], *own, *compiled[1:]]

    # -- the loop's side ------------------------------------------------------------------------------------------

    def adopt(self, model: PureModel) -> PureModel:
        """Called before a run with the model built for its data; gives it the weights that its layers have."""
        if not self.definition.built:
            self._redefine(self.definition.build_for(model.input_specs))
        return self._for_running()

    def join(self, model: PureModel, directions: Mapping[str, str | None]) -> Model:
        """Called when training starts with the model as it will be trained."""
        self._take_over(model)
        self.__dict__.update(directions=dict(directions), _keras_stop=False)
        for layer in everything_inside(self):
            layer.__dict__["_keras_source"] = weakref.ref(self)
        return self

    def offer(self, state: Callable[[], TrainState]) -> None:
        """The state that the model has now, should anybody look."""
        self.__dict__.update(_offered=state, _changed=False)

    def absorb(self) -> None:
        """Takes over the state that the loop offers."""
        offered = self.__dict__.get("_offered")
        if offered is not None:
            self.__dict__["_offered"] = None
            self.__dict__["_keras_state"] = owned_copy(offered()).replace(metrics=None)
            self._push()

    def touched(self) -> None:
        """A layer's weights were changed."""
        self.__dict__["_changed"] = True

    def take(self) -> TrainState | None:
        """The state, if somebody changed it."""
        self.__dict__["_offered"] = None
        return self._gather(self._applied()) if self._changed else None


class Sequential(Model):
    """A chain of layers that grows in place: `model.add(layer)`, `model.pop()`."""

    spec = PureSequential
    is_facade = True
    is_root = True

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer at the end."""
        self._rechain(self.definition.add(to_value(layer)), [layer])

    def pop(self, rebuild: bool = True) -> Any:
        """Takes the last layer away and returns it."""
        last = self.layers[-1:] or [None]
        self._rechain(self.definition.pop(), [])
        return last[0]

    def _rechain(self, definition: Any, kept: list[Any]) -> None:
        if self._keras_state is not None:
            self._gather(self._applied())
            self._push()
        before = self.layers  # keeps the handles alive while the definition changes
        self.__dict__["_keras_state"] = None
        self._redefine(definition)
        del before, kept


# So that `help(model.fit)` shows the arguments.
for _name in (
    *("compile", "fit", "evaluate", "predict", "summary"),
    *("train_on_batch", "test_on_batch", "predict_on_batch"),
):
    getattr(Model, _name).__signature__ = inspect.signature(getattr(PureModel, _name))


class StepOptimizer:
    """The optimizer inside a step over lists."""

    def __init__(self, step: Any):
        self.step = step

    def stateless_apply(self, optimizer_variables: Any, grads: Any, trainable_variables: Any) -> tuple[list[Any], list[Any]]:
        """The trainable variables and the optimizer's after one update."""
        return self.step.apply(optimizer_variables, grads, trainable_variables)


class OptimizerHandle(LiveOptimizer):
    """The optimizer of a model, with a learning rate that reads and assigns as Keras's variable does."""

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next update."""
        return Variable(self._read, self._write, "learning_rate", trainable=False)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._write(float(value))

    lr = learning_rate

    def _read(self) -> Any:
        model = self._handle.value
        if not model.built:
            return jnp.asarray(model.recipe.optimizer.learning_rate, jnp.float32)
        model = model.with_optimizer_state()
        return optimizers.get_learning_rate(model.recipe.optimizer, model.state.opt_state)

    def _write(self, value: Any) -> None:
        model = self._handle.value
        if model.built:
            self._handle.value = model.with_learning_rate(value)
        else:
            self._handle.optimizer = model.recipe.optimizer.replace(learning_rate=float(value))


def _with_flag(layer: Any, trainable: bool | None) -> Any:
    if trainable is None or layer.trainable == trainable:
        return layer
    return layer._evolve(trainable=trainable)


def _any_built(inner: Mapping[str, Layer]) -> bool:
    return any(handle.tree for handle in inner.values())


def _overlaid(tree: Tree, inner: Mapping[str, Layer]) -> Tree:
    for name, handle in inner.items():
        own = handle.tree
        for collection, values in (own or {}).items():
            if (
                name in tree[collection]
                and tree[collection][name] is not values
                and _fits(values, tree[collection][name])
            ):
                tree = {**tree, collection: {**tree[collection], name: values}}
    return tree


def _fits(new: Any, old: Any) -> bool:
    """Whether weights that a layer has suit this model; a layer that was built for other inputs is built anew."""
    return jax.tree.map(jnp.shape, new) == jax.tree.map(jnp.shape, old)
