"""What a model is made of: layers, tensors, weights."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import jax
import numpy as np

from jkeras import arguments
from jkeras.buffers import owned_copy
from jkeras.console.quantities import number_of
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError, NotBuiltError, suggestion
from jkeras.graph import network as networks
from jkeras.graph.layer import Layer
from jkeras.graph.network import Network
from jkeras.graph.origin import Origin
from jkeras.graph.scope import walk
from jkeras.graph.shapes import show_shape
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.base import ModelValue
from jkeras.paths import flatten, merge
from jkeras.tracebacks import filtered_methods
from jkeras.training.state import arrays_of
from jkeras.types import ArrayLike
from jkeras.values.frozen import FrozenList


@filtered_methods("get_layer", "set_weights", "freeze", "unfreeze", "count_params")
class StructuredModel(ModelValue):
    """A model whose layers, tensors and weights can be inspected and changed."""

    # -- layers and tensors ---------------------------------------------------------------------------------------

    @property
    def layers(self) -> FrozenList[Layer]:
        """The layers directly inside the model, each with its weights."""
        return FrozenList([self._view(name) for name in self._members()], LAYERS)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer with a name or at an index.

        Args:
            name: the name.
            index: the index, if there is no name.

        Raises:
            ArgumentError: there is no such layer.
        """
        members = list(self._members())
        if index is not None:
            arguments.checked("get_layer", "index", index, arguments.integer)
            if not -len(members) <= index < len(members):
                raise ArgumentError(
                    f"get_layer(index={index}): the model has {len(members)} layers; write 0 to {len(members) - 1}."
                )
            return self.layers[index]
        if name not in members:
            raise ArgumentError(f"get_layer({name!r}): no layer of that name.{suggestion(str(name), members)}")
        return self._view(name)

    def _graph(self) -> Network:
        if self._network is None:
            raise NotBuiltError(f"{self.path} is defined by a `call`, so it has no symbolic tensors.")
        return self._network

    def _tensors(self, what: str) -> Any:
        network = self._graph()
        template = network.inputs if what == "inputs" else network.outputs
        return template.fill(lambda ref: self._with_origin(network.tensor(ref.index)))

    def _with_origin(self, tensor: SymbolicTensor) -> SymbolicTensor:
        """The tensor, marked as one whose layers' weights are this model's."""
        return SymbolicTensor(tensor.shape, tensor.dtype, tensor.node, tensor.index, tensor.name, origin=self)

    def _origin_of(self, name: str) -> Origin:
        output, inputs, weights = (
            functools.partial(read, name) for read in (self._layer_output, self._layer_input, self._layer_weights)
        )
        return dataclasses.replace(super()._origin_of(name), output=output, input=inputs, weights=weights)

    def _layer_output(self, name: str) -> Any:
        """The symbolic output of a layer; a list if it was applied several times."""
        tensors = [self._with_origin(tensor) for tensor in self._graph().outputs_of(name)]
        return tensors[0] if len(tensors) == 1 else tensors

    def _layer_input(self, name: str) -> Any:
        """The symbolic input of a layer."""
        return jax.tree.map(self._with_origin, self._graph().inputs_of(name))

    def _layer_weights(self, name: str, trainable: bool | None = None) -> FrozenList[jax.Array]:
        """The weights of a layer, in Keras's order."""
        return self._weight_values(
            lambda info: info.path[0] == name and len(info.path) > 1 and trainable in (None, info.trainable)
        )

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

    def _weight_values(self, select: Callable[[Any], bool] = lambda info: True) -> FrozenList[jax.Array]:
        arrays = arrays_of(self.state)
        flat = {"params": flatten(arrays.params), "state": flatten(arrays.model_state)}
        return FrozenList(
            [flat[info.collection][info.name] for info in self.description.weights if select(info)], WEIGHTS
        )

    @property
    def weights(self) -> FrozenList[jax.Array]:
        """All weights in Keras's order."""
        return self._weight_values()

    @property
    def trainable_weights(self) -> FrozenList[jax.Array]:
        """The weights that training changes."""
        return self._weight_values(lambda info: info.trainable)

    @property
    def non_trainable_weights(self) -> FrozenList[jax.Array]:
        """Frozen weights and state."""
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

    def set_weights(self, weights: Sequence[ArrayLike]) -> Self:
        """A model with these weights.

        Args:
            weights: arrays, in the order of `get_weights`.

        Raises:
            InputError: the number of arrays or a shape differs; the error lists every difference.
        """
        infos = self.description.weights
        weights = arguments.checked("set_weights", "weights", weights, arguments.entries)
        problems = [
            f"{info.name}: expected {show_shape(info.shape)}, got {show_shape(np.shape(value))}"
            for info, value in zip(infos, weights, strict=False)
            if np.shape(value) != info.shape
        ]
        if len(weights) != len(infos):
            problems.insert(
                0,
                f"the model has {len(infos)} weights, {len(weights)} were given; pass all, as `get_weights` gives them",
            )
        if problems:
            raise InputError("set_weights: " + "; ".join(problems) + ".")
        check_used("set_weights")
        # Placed together, in one call.
        values = owned_copy([_of_type(value, info.dtype) for info, value in zip(infos, weights, strict=True)])
        values_by_key = {(info.collection, info.name): value for info, value in zip(infos, values, strict=True)}
        flat = {c: {n: v for (kind, n), v in values_by_key.items() if kind == c} for c in ("params", "state")}
        arrays = arrays_of(self.state)
        return self._evolve(
            state=self.state.replace(
                params=merge(arrays.params, flat["params"]), model_state=merge(arrays.model_state, flat["state"])
            )
        )

    def count_params(self) -> int:
        """The number of weights."""
        return sum(int(np.prod(info.shape)) for info in self.description.weights)

    def freeze(self, *patterns: str) -> Self:
        """A copy in which layers whose path matches a pattern are frozen.

        Args:
            patterns: patterns for paths, such as `"conv*"` or `"encoder/*"`; none means all layers.

        Raises:
            ArgumentError: a pattern matches no layer.
        """
        frozen = self._set_trainable(patterns or ("*",), False)
        check_used("freeze")
        return frozen

    def unfreeze(self, *patterns: str) -> Self:
        """A copy in which layers whose path matches a pattern are trainable again.

        Args:
            patterns: patterns for paths, such as `"conv*"` or `"encoder/*"`; none means all layers.

        Raises:
            ArgumentError: a pattern matches no layer.
        """
        thawed = self._set_trainable(patterns or ("*",), True)
        check_used("unfreeze")
        return thawed

    def _set_trainable(self, patterns: tuple[str, ...], value: bool) -> Self:
        paths: dict[int, list[str]] = {}  # a shared layer has several
        for path, layer in walk(self):
            paths.setdefault(id(layer), []).append("/".join(path))
        known = [path for layer_paths in paths.values() for path in layer_paths if path]
        for pattern in patterns:
            if not isinstance(pattern, str):
                place = pattern.name if isinstance(pattern, Layer) and pattern.name else "dense*"
                raise ArgumentError(
                    f"{'unfreeze' if value else 'freeze'}({pattern!r}): expected patterns for the paths of layers, such as"
                    f" `model.{'unfreeze' if value else 'freeze'}({place!r})`."
                )
            if not fnmatch.filter(known, pattern):
                raise ArgumentError(f"No layer matches {pattern!r}.{suggestion(pattern, known)}")

        def changed(path: str, layer: Layer) -> Layer:
            # Layers inside a `Repeat` have no weights of their own and are not traversed.
            mine = paths.get(id(layer), [path])
            if any(fnmatch.fnmatchcase(one, pattern) for one in mine for pattern in patterns):
                return layer._evolve(trainable=value)
            return layer

        new = self.map_layers(changed)
        state = self._spec_contents.state
        # The optimizer's state covers other weights now, so it starts from zero.
        return new if state is None else new._evolve(state=state.replace(opt_state=None))

    def map_layers(
        self, change: Callable[[str, Layer], Layer], prefix: str = "", done: dict[int, Layer] | None = None
    ) -> Self:
        """The same model over changed layers; weights stay, and what was shared stays shared.

        Args:
            change: a function of a layer's path and the layer that returns the layer to use.
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
            if isinstance(layer, StructuredModel):
                return layer.map_layers(change, path + "/", results)
            return layer._with_children(lambda inner, child: visit(f"{name}/{inner}", child))

        new = {name: visit(name, layer) for name, layer in self.children().items()}
        return self._over(new)

    def _over(self, layers: Mapping[str, Layer]) -> Self:
        """The same model over other layers, by the names of its own."""
        if self._network is not None:
            return self._evolve(_network=self._network.with_layers(layers))
        changed = super(ModelValue, self.definition)._with_children(lambda name, layer: layers[name])
        definition: StructuredModel = self.definition
        return self._evolve(**{name: vars(changed)[name] for name, _ in definition._layer_attributes()})

    def __repr__(self) -> str:
        kind = type(self).__name__
        count = number_of(self.count_params(), "weight") if self.built else "not built"
        return f"<{kind} {self.name or self.default_name!r}: {number_of(len(self.children()), 'layer')}, {count}>"


def _of_type(value: ArrayLike, dtype: Any) -> Any:
    if isinstance(value, jax.Array):
        return value.astype(dtype)
    return np.asarray(value, dtype)


LAYERS = "Make a changed model: `model.add(layer)`, `model.pop()`, or `jk.Sequential([*model.layers, layer])`."
WEIGHTS = "Set changed weights: `model = model.set_weights(weights)`, where `weights = model.get_weights()` is a list."
