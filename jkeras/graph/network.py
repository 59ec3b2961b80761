"""A network as an immutable value: the applications of layers to tensors, in topological order."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.inference import Outline, outline
from jkeras.graph.input import InputLayer
from jkeras.graph.layer import Layer
from jkeras.graph.origin import origin_of
from jkeras.graph.scope import WeightInfo, walk
from jkeras.graph.shapes import Shape, show_shape
from jkeras.graph.symbolic import Node, SymbolicTensor
from jkeras.types import PyTree
from jkeras.values.frozen import Template
from jkeras.values.spec import Spec


class Ref(NamedTuple):
    """Stands for a tensor of the network, by number."""

    index: int  # type: ignore[assignment]


class Op(NamedTuple):
    """One application of a layer: its name, its arguments with `Ref`s in them, the numbers of its results."""

    layer: str
    args: Template
    kwargs: Template
    results: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class InputInfo:
    """What the network expects at one input; the batch axis comes first."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    ref: int


def is_ref(value: object) -> bool:
    """Whether a leaf of a template represents a tensor."""
    return isinstance(value, Ref)


class Network(Spec):
    """A frozen program over layers.

    Equal networks are those that apply equal layers, under equal names, in the same way; a layer used twice counts as
    shared only if it is the same object.

    Args:
        layers: every layer by its name in the network.
        ops: the applications of the layers, in topological order.
        inputs: the structure of the inputs, a template of `Ref`s.
        outputs: the structure of the outputs, a template of `Ref`s.
        input_infos: the shape and dtype of each input, in order.
        tensors: the symbolic tensors from which the network was made, by number.

    Attributes:
        layers: every layer by its name in the network, in Keras's order (by depth, then by first use).
        ops: the applications, in topological order.
        inputs: the structure of the inputs, a template of `Ref`s.
        outputs: the structure of the outputs, a template of `Ref`s.
        input_infos: shape and dtype of each input, in order.

    >>> import jkeras as jk
    >>> x = jk.Input((4,))
    >>> network = from_tensors(x, jk.layers.Dense(2)(x))
    >>> network, list(network.layers)
    (<Network of 2 layers, 1 applications>, ['input_layer', 'dense'])
    """

    keras_module = "keras"

    def __init__(
        self,
        layers: Mapping[str, Layer],
        ops: tuple[Op, ...],
        inputs: Template,
        outputs: Template,
        input_infos: tuple[InputInfo, ...],
        tensors: tuple[SymbolicTensor, ...] = (),
    ):
        self.layers: Mapping[str, Layer] = dict(layers)
        self.ops = ops
        self.inputs = inputs
        self.outputs = outputs
        self.input_infos = input_infos
        self._tensors_by_number = tensors

    def __repr__(self) -> str:
        return f"<Network of {len(self.layers)} layers, {len(self.ops)} applications>"

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        del state["_tensors_by_number"]  # which follow from the rest
        state["layers"] = {name: layer._nameless_key() for name, layer in self.layers.items()}
        return state

    @property
    def output_refs(self) -> list[int]:
        """The numbers of the output tensors, flattened."""
        return [leaf.index for leaf in self.outputs.leaves]

    @property
    def has_tensors(self) -> bool:
        """Whether the network has its symbolic tensors, which programs do not need."""
        return bool(self._tensors_by_number)

    def tensor(self, index: int) -> SymbolicTensor:
        """The symbolic tensor of that number."""
        return self._tensors_by_number[index]

    def outputs_of(self, name: str) -> list[SymbolicTensor]:
        """The tensors that the layer of that name makes in this network, one per result and application."""
        if isinstance(self.layers[name], InputLayer):
            return [self.tensor(info.ref) for info in self.input_infos if info.name == name]
        return [self.tensor(i) for op in self.ops if op.layer == name for i in op.results]

    def inputs_of(self, name: str) -> Any:
        """The arguments that the layer of that name is first applied to, as symbolic tensors."""
        op = next((op for op in self.ops if op.layer == name), None)
        if op is None:
            return self.outputs_of(name)[0]
        args = self._filled(op.args)
        return args[0] if len(args) == 1 else args

    def known_weights(self, trainable: bool) -> tuple[WeightInfo, ...] | None:
        """The weights of all layers, in Keras's order, from what is known of the layers one by one.

        None if that is not enough: a layer may create other weights for masked inputs, and a layer in two places has its
        weights in the first.
        """
        outlines: dict[str, Outline] = {}
        for op in self.ops:
            if op.layer not in outlines:
                outlines[op.layer] = outline(self.layers[op.layer], self._filled(op.args), self._filled(op.kwargs))
        ids = [id(inner) for layer in self.layers.values() for _, inner in walk(layer)]
        if len(set(ids)) < len(ids) or any(call.masked for call in outlines.values()):
            return None
        return tuple(
            dataclasses.replace(weight, path=(name, *weight.path), trainable=weight.trainable and trainable)
            for name in self.layers
            if name in outlines
            for weight in outlines[name].weights
        )

    def _filled(self, template: Template) -> Any:
        return template.fill(lambda leaf: self.tensor(leaf.index) if is_ref(leaf) else leaf)

    def with_layers(self, changed: Mapping[str, Layer]) -> Network:
        """The same program with changed layers."""
        layers = {name: changed.get(name, layer) for name, layer in self.layers.items()}
        tensors = _replay(layers, self.ops, self.input_infos, len(self._tensors_by_number))
        return Network(layers, self.ops, self.inputs, self.outputs, self.input_infos, tensors)

    def execute(self, layers: Mapping[str, Layer], values: list[Any]) -> Any:
        """Runs the program.

        Args:
            layers: a callable layer for each name (bound, or symbolic to build a graph).
            values: one value per input, in the order of `input_infos`.
        """
        table: dict[int, Any] = {info.ref: value for info, value in zip(self.input_infos, values, strict=True)}

        def fill(template: Template) -> Any:
            return template.fill(lambda leaf: table[leaf.index] if is_ref(leaf) else leaf)

        for op in self.ops:
            results = layers[op.layer](*fill(op.args), **fill(op.kwargs))
            leaves = jax.tree.leaves(results, is_leaf=is_symbolic)
            table.update(zip(op.results, leaves, strict=True))
        return fill(self.outputs)


def _replay(
    layers: Mapping[str, Layer], ops: tuple[Op, ...], inputs: tuple[InputInfo, ...], count: int
) -> tuple[SymbolicTensor, ...]:
    """Symbolic tensors for a program whose original ones belong to other layers."""
    table: dict[int, SymbolicTensor] = {}
    for info in inputs:
        table[info.ref] = Node(layers[info.name], (), {}, Shape(info.shape, info.dtype)).outputs

    def fill(template: Template) -> Any:
        return template.fill(lambda leaf: table[leaf.index] if is_ref(leaf) else leaf)

    for op in ops:
        results = jax.tree.leaves(layers[op.layer](*fill(op.args), **fill(op.kwargs)), is_leaf=is_symbolic)
        table.update(zip(op.results, results, strict=True))
    return tuple(table[i] for i in range(count))


def from_tensors(inputs: PyTree[Any], outputs: PyTree[Any]) -> Network:
    """The network between symbolic inputs and outputs.

    Raises:
        InputError: an output does not depend on the inputs alone, or something is not a symbolic tensor.
    """
    input_tensors = _tensors(inputs, "inputs")
    output_tensors = _tensors(outputs, "outputs")
    stops = {tensor.key: tensor for tensor in input_tensors}
    nodes, first_use = _visit(output_tensors, stops)
    depths = _depths(nodes, stops)
    named = _names(nodes, input_tensors, first_use, depths)
    return _assemble(nodes, named, inputs, outputs, input_tensors)


def _tensors(structure: PyTree[Any], what: str) -> list[SymbolicTensor]:
    leaves = jax.tree.leaves(structure)
    for leaf in leaves:
        if not is_symbolic(leaf):
            raise InputError(
                f"Model({what}=...) takes symbolic tensors, as `Input(shape)` and layers called on it return; got"
                f" {type(leaf).__name__}."
            )
    if not leaves:
        raise InputError(f"Model({what}=...) got no tensors.")
    return leaves


def _visit(outputs: list[SymbolicTensor], stops: Mapping[Any, SymbolicTensor]) -> tuple[list[Node], dict[int, int]]:
    """Nodes after their parents, and the order in which layers are first met from the outputs."""
    done: set[int] = set()
    active: set[int] = set()
    nodes: list[Node] = []
    first_use: dict[int, int] = {}

    for output in outputs:
        stack: list[tuple[SymbolicTensor, bool]] = [(output, False)]
        while stack:
            tensor, parents_done = stack.pop()
            node = tensor.node
            if parents_done:
                active.discard(id(node))
                if id(node) not in done:
                    done.add(id(node))
                    nodes.append(node)
                continue
            if tensor.key in stops or id(node) in done or id(node) in active:
                continue
            if isinstance(node.layer, InputLayer):
                raise InputError(
                    f"The outputs depend on the input {tensor.name or node.layer.name or tensor!r} of shape"
                    f" {show_shape(tensor.shape)}, which is not among the model's inputs. Add it to `Model(inputs=...)`."
                )
            active.add(id(node))
            first_use.setdefault(id(node.layer), len(first_use))
            stack.append((tensor, True))
            stack.extend((parent, False) for parent in reversed(node.parents))
    return nodes, first_use


def _depths(nodes: list[Node], stops: Mapping[Any, SymbolicTensor]) -> dict[int, int]:
    """The longest way from each layer (and each input's layer) to an output."""
    node_depth: dict[int, int] = {}
    layer_depth: dict[int, int] = {}
    for node in reversed(nodes):
        depth = max(node_depth.get(id(node), 0), layer_depth.get(id(node.layer), 0))
        node_depth[id(node)] = depth
        layer_depth[id(node.layer)] = depth
        for parent in node.parents:
            above = id(parent.node.layer) if parent.key in stops else None
            if above is not None:
                layer_depth[above] = max(layer_depth.get(above, 0), depth + 1)
            node_depth[id(parent.node)] = max(node_depth.get(id(parent.node), 0), depth + 1)
    return layer_depth


def _names(
    nodes: list[Node], inputs: list[SymbolicTensor], first_use: Mapping[int, int], depths: Mapping[int, int]
) -> dict[int, tuple[str, Layer]]:
    """A unique name for each layer, by the layer's id, in Keras's order."""
    layers: dict[int, Layer] = {}
    order: dict[int, tuple[int, int]] = {}
    for position, tensor in enumerate(inputs):
        layer = tensor.node.layer
        layer = layer if isinstance(layer, InputLayer) else _input_layer(tensor)
        layers[-1 - position] = layer
        order[-1 - position] = (-depths.get(id(tensor.node.layer), 0), position - len(inputs))
    for node in nodes:
        layers[id(node.layer)] = node.layer
        order[id(node.layer)] = (-depths[id(node.layer)], first_use[id(node.layer)])
    keys = sorted(layers, key=order.__getitem__)
    names = unique_names([layers[key] for key in keys])
    return {key: (name, layers[key]) for key, name in zip(keys, names, strict=True)}


def _input_layer(tensor: SymbolicTensor) -> InputLayer:
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def unique_names(layers: list[Layer]) -> list[str]:
    """Names as in Keras: explicit names unchanged, the others by class and count (`dense`, `dense_1`).

    Raises:
        ArgumentError: two layers were given the same name.
    """
    # A layer taken from another model keeps the name it had there unless that name is in use.
    preferred = [None if origin_of(layer) is None else layer.name for layer in layers]
    named = zip(layers, preferred, strict=True)
    counted = collections.Counter(layer.name for layer, soft in named if layer.name is not None and not soft)
    twice = sorted(name for name, count in counted.items() if count > 1)
    if twice:
        raise ArgumentError(
            f"Two layers of one model are named {twice[0]!r}. Layer names must be unique: leave `name` out, or"
            f" choose different ones. To share one layer's weights, use the same layer object twice."
        )
    explicit_names = {*counted, *filter(None, preferred)}
    counts: dict[str, int] = {}
    names: dict[str, None] = {}
    for layer, soft in zip(layers, preferred, strict=True):
        if layer.name is not None and not (soft and (soft in names or soft in counted)):
            names[layer.name] = None
            continue
        base = layer.default_name
        while True:
            count = counts.get(base, 0)
            counts[base] = count + 1
            name = f"{base}_{count}" if count else base
            if name not in explicit_names:
                break
        names[name] = None
    return list(names)


def _assemble(
    nodes: list[Node],
    named: dict[int, tuple[str, Layer]],
    inputs: PyTree[Any],
    outputs: PyTree[Any],
    input_tensors: list[SymbolicTensor],
) -> Network:
    tensors: list[SymbolicTensor] = []
    numbers: dict[Any, int] = {}

    def number(tensor: SymbolicTensor) -> int:
        numbers[tensor.key] = len(tensors)
        tensors.append(tensor)
        return numbers[tensor.key]

    infos = []
    for position, tensor in enumerate(input_tensors):
        name = named[-1 - position][0]
        infos.append(InputInfo(name, tensor.shape, tensor.dtype, number(tensor)))

    def template(value: Any) -> Template:
        return Template.of(value).map(lambda leaf: Ref(numbers[leaf.key]) if is_symbolic(leaf) else leaf)

    ops = []
    for node in nodes:
        results = tuple(number(tensor) for tensor in node.results)
        ops.append(Op(named[id(node.layer)][0], template(node.args), template(node.kwargs), results))
    layers = dict(named.values())
    return Network(layers, tuple(ops), template(inputs), template(outputs), tuple(infos), tuple(tensors))


def number_repeats(names: list[str]) -> list[str]:
    """Names made unique by numbers: an output listed twice is `x`, `x_1`."""
    counts: collections.Counter[str] = collections.Counter()
    numbered = []
    for name in names:
        numbered.append(f"{name}_{counts[name]}" if counts[name] else name)
        counts[name] += 1
    return numbered
