"""A model that is a chain of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.arguments import shown, whose
from jkeras.discarded import check_used
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError
from jkeras.files import config as configs
from jkeras.graph import network as networks
from jkeras.graph.input import InputLayer
from jkeras.graph.layer import Layer
from jkeras.graph.layer_call import no_output
from jkeras.graph.network import Network
from jkeras.graph.scope import WeightInfo
from jkeras.graph.shapes import has_shape, show_tensors
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.layers.core import Embedding
from jkeras.models.base import ModelValue
from jkeras.models.model import Model, known_classes
from jkeras.models.structure import LAYERS
from jkeras.registry import custom_object_scope
from jkeras.tracebacks import filtered_methods
from jkeras.types import Array, ArrayLike, LayerOptions, PyTree
from jkeras.values.config import serialize
from jkeras.values.frozen import FrozenList

FUNCTIONS = " A function becomes a layer with `layers.Lambda(function)`."


@filtered_methods("add", "pop", "get_layer")
class Sequential(Model):
    """A chain of layers, each with one input and one output.

    Args:
        layers: the layers, optionally beginning with `Input(shape)`. Without it, weights are created when the model
            first sees data.
        trainable: whether training changes its weights.
        name: the model's name.
        kwargs: `dtype`, the policy of layers without their own.

    >>> import jkeras as jk
    >>> model = Sequential([jk.Input((4,)), jk.layers.Dense(3), jk.layers.Dense(2)])
    >>> [layer.name for layer in model.layers], model.count_params()
    (['dense', 'dense_1'], 23)
    """

    def __init__(
        self,
        layers: Iterable[Layer | SymbolicTensor] | Layer | SymbolicTensor | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        if isinstance(layers, Layer | SymbolicTensor):
            layers = [layers]
        if not isinstance(layers, Iterable | None):
            layers = [layers]  # which is refused below
        chain: list[Layer] = []
        shape_of_input: InputLayer | None = None
        for entry in layers or []:
            layer, entrance = _as_layer(entry, first=not chain and shape_of_input is None)
            shape_of_input = shape_of_input or entrance
            if layer is not None:
                chain.append(layer)
        if shape_of_input is None and len(chain) > 1:
            shape_of_input = _entrance_of(chain[0])
        self._chain = tuple(chain)
        self._entrance = shape_of_input
        self._network = _connected(shape_of_input, chain) if shape_of_input is not None and chain else None

    is_chain = True

    @property
    def default_name(self) -> str:
        return "sequential"

    def children(self) -> dict[str, Layer]:
        if self._network is not None:
            return super().children()
        unique = list({id(layer): layer for layer in self._chain}.values())
        return dict(zip(networks.unique_names(unique), unique, strict=True))

    def _bind_children(self, bind: Callable[[str, Layer], Layer]) -> None:
        for name, layer in self.children().items():
            bind(name, layer)

    def call(self, inputs: PyTree[Array], training: bool | None = None, mask: PyTree[Array] | None = None) -> Any:
        if self._network is not None:
            return super().call(inputs, training, mask)
        scope = self.scope_for("call")
        scope.run.set_mask(inputs, mask)
        names = {id(layer): name for name, layer in Sequential.children(self).items()}
        outputs = inputs
        for layer in self._chain:
            outputs = scope.children[names[id(layer)]](outputs)
        return outputs

    def known_weights(self, *args: Any, **kwargs: Any) -> tuple[WeightInfo, ...] | None:
        return super().known_weights(*args, **kwargs)

    def build_for(self, inputs: PyTree[ArrayLike]) -> Self:
        if self.built or self.is_bound:
            return self
        if not self._chain:
            raise ArgumentError("The Sequential has no layers: `model = model.add(layer)`.")
        if not has_shape(inputs):
            raise InputError("A Sequential has one input, one array; got several. Use `Model(inputs, outputs)`.")
        floats = jnp.issubdtype(inputs.dtype, jnp.floating) or not isinstance(self._chain[0], Embedding)
        dtype = config.floatx() if floats else "int32"
        return self._rebuilt(self._chain, InputLayer(batch_shape=(None, *inputs.shape[1:]), dtype=dtype))

    @property
    def layers(self) -> FrozenList[Layer]:
        """The layers, each with its weights, without the input."""
        names = {id(layer): name for name, layer in self.children().items()}
        return FrozenList([self._view(names[id(layer)]) for layer in self._chain], LAYERS)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        if index is None:
            return super().get_layer(name)
        arguments.checked("get_layer", "index", index, arguments.integer)
        if not -len(self._chain) <= index < len(self._chain):
            raise ArgumentError(
                f"get_layer(index={index}): the model has {len(self._chain)} layers; write an index below that."
            )
        return self.layers[index]

    def add(self, layer: Layer, rebuild: bool = True) -> Self:
        """A model with one more layer at the end: `model = model.add(Dense(10))`.

        Existing weights are kept; the optimizer's state is reset.

        Args:
            layer: the layer, or an `Input` if the model has no layers.
            rebuild: accepted for compatibility with Keras.
        """
        new, entrance = _as_layer(layer, first=not self._chain and self._entrance is None)
        check_used("add")
        chain = (*self._kept(), *([] if new is None else [new]))
        entrance = entrance or self._entrance or (_entrance_of(chain[0]) if len(chain) > 1 else None)
        return self._rebuilt(chain, entrance)

    def pop(self, rebuild: bool = True) -> Self:
        """A model without its last layer: `model = model.pop()`.

        Args:
            rebuild: accepted for compatibility with Keras.

        Raises:
            ArgumentError: the model has no layers.
        """
        if not self._chain:
            raise ArgumentError("pop(): the Sequential has no layers.")
        check_used("pop")
        return self._rebuilt(self._kept()[:-1], self._entrance)

    def _kept(self) -> tuple[Layer, ...]:
        """The layers, with their weights if those were chosen."""
        return tuple(self.layers) if self._spec_contents.state is not None else self._chain

    def _rebuilt(self, chain: tuple[Layer, ...], entrance: InputLayer | None) -> Self:
        network = _connected(entrance, chain) if entrance is not None and chain else None
        state = self._spec_contents.state
        new = self._evolve(_chain=chain, _entrance=entrance, _network=network, state=None)
        if state is None or not new.built or all(layer._carried() is None for layer in new.children().values()):
            return new
        return new._redrawn(state)

    def get_config(self) -> dict[str, Any]:
        names = {id(layer): name for name, layer in self.children().items()}
        written = [configs.to_config(layer, names[id(layer)], self.dtype) for layer in self._chain]
        if self._entrance is not None:
            written.insert(0, configs.to_config(self._entrance, self._entrance.name or "input_layer"))
        shape = None if self._entrance is None else list(self._entrance.batch_shape)
        return {
            "name": self.name or self.default_name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
            "layers": written,
            "build_input_shape": shape,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        with custom_object_scope(custom_objects or {}):
            policy = configs.policy_name(config.get("dtype")) or "float32"
            if "layers" not in config:
                raise ArgumentError(
                    f"Sequential.from_config: expected a configuration with 'layers', got {shown(config)}."
                )
            classes = known_classes()
            entries = [configs.from_config(entry, classes, policy=policy) for entry in config["layers"]]
            dtype = None if policy == "float32" else policy
            return cls(entries, name=config.get("name"), trainable=config.get("trainable", True), dtype=dtype)

    def _state(self) -> dict[str, Any]:
        # The names in the chain count, not whether they were given or found.
        state = {k: v for k, v in super()._state().items() if k not in ("_network", "_chain")}
        names = {id(layer): name for name, layer in self.children().items()}
        state["_chain"] = [(names[id(layer)], layer._nameless_key()) for layer in self._chain]
        state["_entrance"] = None if self._entrance is None else self._entrance._nameless_key()
        return state

    def _over(self, layers: Mapping[str, Layer]) -> Self:
        names = {id(layer): name for name, layer in self.children().items()}
        chain = tuple(layers[names[id(layer)]] for layer in self._chain)
        network = None if self._network is None else self._network.with_layers(layers)
        return self._evolve(_chain=chain, _network=network)


def _connected(entrance: InputLayer, chain: Sequence[Layer]) -> Network:
    """The graph of a chain; making it finds shape errors at once."""
    first = tensor = entrance()
    for layer in chain:
        tensor = layer(tensor)
        if tensor is None:
            raise ArgumentError(no_output(layer, layer.name or type(layer).__name__))
        if not is_symbolic(tensor):
            raise ArgumentError(
                f"{layer!r} has several outputs, so it cannot stand in a Sequential. Use the functional form,"
                f" `Model(inputs, outputs)`."
            )
    return networks.from_tensors(first, tensor)


def _as_layer(entry: Any, first: bool) -> tuple[Layer | None, InputLayer | None]:
    """What a list entry or `add` argument means: a layer, or the input, or a layer that says its input's shape."""
    if is_symbolic(entry) and isinstance(entry.node.layer, InputLayer):
        entry = entry.node.layer
    if isinstance(entry, InputLayer):
        if not first:
            raise ArgumentError("The input of a Sequential must come first.")
        return None, entry
    if not isinstance(entry, Layer):
        if isinstance(entry, type) and issubclass(entry, Layer):
            raise ArgumentError(
                f"Sequential takes layers; got the class {entry.__name__}: write `{entry.__name__}(...)`."
            )
        raise ArgumentError(
            f"Sequential takes layers; got {show_tensors(entry)} of type {type(entry).__name__}.{whose(entry) or FUNCTIONS}"
        )
    shape = entry._spec_input_shape if first else None
    return entry, None if shape is None else InputLayer(batch_shape=shape)


def _entrance_of(first: Layer) -> InputLayer | None:
    """The input of a chain that starts with a model whose one input is known, as in Keras."""
    network = first._network if isinstance(first, ModelValue) else None
    if network is None or len(network.input_infos) != 1:
        return None
    info = network.input_infos[0]
    return InputLayer(batch_shape=info.shape, dtype=info.dtype)
