"""Where Keras stores the weights of each layer in `.keras` and `.weights.h5` files.

Keras walks over the attributes of a model in alphabetical order. A layer that is an attribute is stored under the attribute's
name, a layer in a list under its class's name and a number. The layers of a functional or sequential model form the list
`layers`, which comes first. Subclassed models also have this list, as an attribute among the others, so layers whose attributes
come later in the alphabet are stored there. A shared layer is stored where it is found first. A layer's own weights are
`vars/0`, `vars/1` and so on below its path, trainable ones first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jkeras.files.weight_matching import is_kept
from jkeras.graph.describe import definitions
from jkeras.graph.in_files import PLAIN, InFiles, in_files
from jkeras.graph.layer import Layer
from jkeras.graph.operation import Operation
from jkeras.graph.scope import WeightInfo, walk
from jkeras.models.base import ModelValue
from jkeras.registry import snake_case

if TYPE_CHECKING:
    from jkeras.models.model import Model

# Marks a layer in a path that is to be found by name.
LABEL = "@"
# Where the layers of a functional or sequential model are.
LIST = "layers"


@dataclasses.dataclass(frozen=True)
class Place:
    """A layer in a file.

    Attributes:
        paths: the group of the layer; several if versions of Keras differ, today's first.
        named: the same with layer names, `layers/@encoder`, instead of numbers, `layers/dense_1`.
        name: the layer's name.
        layer: the layer, or None for one that is created in another layer's `build` and is unchanged since.
        weights: its own weights, in order.
        before: weights of other layers that Keras also stores here, before the layer's own.
        left_out: own weights that are stored as part of another layer.
    """

    paths: tuple[str, ...]
    named: tuple[str, ...]
    name: str
    layer: Layer | None
    weights: tuple[WeightInfo, ...]
    before: tuple[WeightInfo, ...] = ()
    left_out: tuple[WeightInfo, ...] = ()


def places(model: Model) -> list[Place]:
    """All layers of a model with their places in a file, starting with the model itself."""
    return list(_Walk(model).visit(model, (), ("",), ("",), model.name or model.default_name))


class _Walk:
    def __init__(self, model: Model):
        self.own: dict[tuple[str, ...], list[WeightInfo]] = {}
        for info in filter(is_kept, model.description.weights):
            self.own.setdefault(info.path[:-1], []).append(info)
        # The names directly under each path.
        self.inside: dict[tuple[str, ...], dict[str, None]] = {}
        for path in self.own:
            for depth, name in enumerate(path):
                self.inside.setdefault(path[:depth], {})[name] = None
        # A shared layer has its weights under the path where it is bound first, which may differ from where Keras finds it.
        self.home: dict[int, tuple[str, ...]] = {}
        # Kept alive, like `met`: the identity of a temporary layer could be reused by another.
        self.walked = list(walk(model))
        for path, layer in self.walked:
            if id(layer) not in self.home or (not self._has(self.home[id(layer)]) and self._has(path)):
                self.home[id(layer)] = path
        self.met: dict[int, Layer] = {}
        # Layers created in the `build` of others; the order of their weights is the layer's own unless they were reformed.
        self.formed: dict[tuple[str, ...], Layer] = {}
        if any(layer._inner_forms for _, layer in self.walked):
            known = definitions(model.definition, model.input_specs)
            self.formed = {path: layer for path, (layer, _) in known.items()}

    def _has(self, path: tuple[str, ...]) -> bool:
        return path in self.own or path in self.inside

    def visit(
        self, layer: Layer, ours: tuple[str, ...], theirs: tuple[str, ...], named: tuple[str, ...], name: str
    ) -> Iterator[Place]:
        if id(layer) in self.met:
            return
        self.met[id(layer)] = layer
        ours = self.home.get(id(layer), ours)
        own = self.own.get(ours, ())
        infos = in_files(type(layer)).in_order(own, key=lambda info: info.path[-1])
        left_out = tuple(info for info in own if info not in infos)
        yield Place(theirs, named, name, layer, infos, self._before(layer, ours), left_out)
        known = set()
        for inner, their_name, child in children(layer):
            known.add(inner)
            child_name = child.name or child.default_name
            labels: tuple[str, ...] = (their_name,)
            if isinstance(layer, ModelValue) and their_name.startswith(f"{LIST}/"):
                # For layers that are attributes, jkeras writes the attribute's name, Keras the layer's.
                labels = tuple(dict.fromkeys(f"{LIST}/{LABEL}{name}" for name in (inner, child_name)))
            label = inner if isinstance(layer, ModelValue) else child_name
            yield from self.visit(
                child, (*ours, inner), _inside_of(theirs, their_name), _inside_of(named, *labels), label
            )
        yield from self._made_in_build(in_files(type(layer)), ours, theirs, named, known)

    def _before(self, layer: Layer, ours: tuple[str, ...]) -> tuple[WeightInfo, ...]:
        for path in in_files(type(layer)).repeats:
            place, name = (*ours, *path.split("/")[:-1]), path.rpartition("/")[2]
            for info in self.own.get(place, ()):
                if info.path[-1] == name:
                    return (info,)
        return ()

    def _made_in_build(
        self, stored: InFiles, ours: tuple[str, ...], theirs: tuple[str, ...], named: tuple[str, ...], known: set[str]
    ) -> Iterator[Place]:
        for inner in self.inside.get(ours, ()):
            if inner in known:
                continue
            attributes = stored.children.get(inner, (inner,))
            paths, labels = _inside_of(theirs, *attributes), _inside_of(named, *attributes)
            own, layer = self.own.get((*ours, inner), ()), self.formed.get((*ours, inner))
            infos = in_files(type(layer)).in_order(own, key=lambda info: info.path[-1])
            left_out = tuple(info for info in own if info not in infos)
            yield Place(paths, labels, inner, layer, infos, left_out=left_out)
            yield from self._made_in_build(PLAIN, (*ours, inner), paths, labels, set())


def children(layer: Any) -> Iterator[tuple[str, str, Layer]]:
    """The layers directly inside a layer: jkeras's name, Keras's name, and the layer."""
    if _is_listed(layer):
        yield from _listed(layer)
        return
    is_model = isinstance(layer, ModelValue)
    own = vars(layer.definition if is_model else layer)
    attributes: dict[str, Any] = {k: v for k, v in own.items() if not k.startswith("_spec_")}
    if is_model:
        attributes[LIST] = layer  # a property of Keras's models, treated like other attributes
    for attribute in sorted(attributes, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if attributes[attribute] is layer:
            yield from _members(layer)
        else:
            yield from _inside(attributes[attribute], attribute, attribute)


def _members(model: Model) -> Iterator[tuple[str, str, Layer]]:
    """All layers that are attributes of a model, in the order of assignment."""
    counts: dict[str, int] = {}
    ids: set[int] = set()
    for name, layer in model.children().items():
        if id(layer) not in ids:
            ids.add(id(layer))
            yield name, f"{LIST}/{_numbered(layer, counts)}", layer


def _is_listed(layer: Any) -> bool:
    """Whether a layer is a model whose layers Keras stores in a list."""
    return isinstance(layer, ModelValue) and (layer.is_functional or layer.is_chain)


def _listed(model: Model) -> Iterator[tuple[str, str, Layer]]:
    network: Any = model._network
    members = network.layers if model.is_functional and not model.is_chain else model.children()
    counts: dict[str, int] = {}
    for name, layer in members.items():
        if not isinstance(layer, Operation):
            yield name, f"{LIST}/{_numbered(layer, counts)}", layer
    extra = {
        k: v
        for k, v in vars(model.definition).items()
        if not k.startswith(("_spec_", "_network", "_chain", "_entrance"))
    }
    for attribute in sorted(extra):
        yield from _inside(extra[attribute], attribute, attribute)


def _inside(value: Any, ours: str, theirs: str) -> Iterator[tuple[str, str, Layer]]:
    if isinstance(value, Layer):
        yield ours, theirs, value
        return
    if isinstance(value, Mapping):
        entries = [(f"{ours}_{key}", entry) for key, entry in value.items()]
    elif isinstance(value, (list, tuple)):
        entries = [(f"{ours}_{i}", entry) for i, entry in enumerate(value)]
    else:
        return
    counts: dict[str, int] = {}
    for name, entry in entries:
        if isinstance(entry, Layer):
            yield name, f"{theirs}/{_numbered(entry, counts)}", entry
        elif isinstance(entry, (list, tuple, Mapping)):
            yield from _inside(entry, name, f"{theirs}/{_count('container', counts)}")


def _numbered(layer: Layer, counts: dict[str, int]) -> str:
    class_name = in_files(type(layer)).class_name or layer._written_class()["class_name"]
    return _count(snake_case(class_name), counts)


def _count(name: str, counts: dict[str, int]) -> str:
    number = counts.get(name, -1) + 1
    counts[name] = number
    return f"{name}_{number}" if number else name


def _inside_of(paths: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(f"{path}/{name}" if path else name for name in names for path in paths)
