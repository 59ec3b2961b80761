"""The structure of a model as a value: boxes and arrows, to be written as SVG, PNG, DOT or Mermaid."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

import numpy as np

from jkeras import arguments
from jkeras.arguments import name_of
from jkeras.errors import ArgumentError
from jkeras.graph.input import InputLayer
from jkeras.graph.layer import Layer
from jkeras.graph.network import is_ref
from jkeras.graph.scope import WeightInfo
from jkeras.graph.shapes import show_shape
from jkeras.plots import drawing, layout
from jkeras.plots.text import to_dot, to_mermaid
from jkeras.tracebacks import filtered
from jkeras.types import PartialShape
from jkeras.writing import creating

if TYPE_CHECKING:
    from jkeras.models.model import Model


# How Graphviz can draw edges.
SPLINES = ("spline", "ortho", "curved", "polyline", "line", "none", "true", "false")


@dataclasses.dataclass(frozen=True)
class Box:
    """One layer.

    Attributes:
        name: its name in the model.
        kind: its class.
        lines: further lines of text.
        trainable: whether training changes it; None if it has no weights.
    """

    name: str
    kind: str
    lines: tuple[str, ...] = ()
    trainable: bool | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class Diagram:
    """A model's boxes and arrows, as `jkeras.plots.diagram` returns them. Notebooks show it; `str(diagram)` is Mermaid text.

    Attributes:
        title: the model's name.
        boxes: the layers, in the order of the model.
        arrows: pairs of positions in `boxes`.
        direction: "TB" from top to bottom, "LR" from left to right.

    >>> import jkeras as jk
    >>> picture = jk.plots.diagram(jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]))
    >>> len(picture.boxes), picture.arrows, picture.to_svg()[:4]
    (2, ((0, 1),), '<svg')
    """

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]
    direction: str = "TB"

    def to_svg(self) -> str:
        """The picture as a self-contained SVG document."""
        return drawing.to_svg(self, layout.arrange(self))

    def to_mermaid(self) -> str:
        """The diagram as Mermaid text, which many Markdown viewers draw."""
        return to_mermaid(self)

    def to_dot(self) -> str:
        """The diagram in Graphviz's language."""
        return to_dot(self)

    def save(self, path: str | os.PathLike[str], *, dpi: int = 144, splines: str = "spline") -> None:
        """Writes `.svg`, `.dot`, `.mmd` (Mermaid); `.png` and `.pdf` with Graphviz or else matplotlib.

        Args:
            path: the file.
            dpi: the dots per inch of a `.png`.
            splines: how Graphviz draws edges: "spline", "ortho", "curved", "polyline", "line" or "none".

        Raises:
            ArgumentError: `path` is not a path or has another suffix, or another argument is not one of these.
            SaveError: the file cannot be written.
            ImportError: neither Graphviz nor matplotlib is installed.
        """
        path = arguments.checked("save", "path", path, arguments.path)
        dpi = arguments.checked("save", "dpi", dpi, arguments.positive_int)
        splines = arguments.checked("save", "splines", splines, arguments.one_of(*SPLINES))

        def dot() -> str:
            return to_dot(self, dpi=dpi, splines=splines)

        texts = {".svg": self.to_svg, ".dot": dot, ".gv": dot, ".mmd": self.to_mermaid}
        suffix = path.suffix.lower()
        if suffix not in (*texts, ".png", ".pdf"):
            raise ArgumentError(
                f"path={path.name!r}: expected a file name that ends in .svg, .png, .pdf, .dot or .mmd."
            )
        with creating(path):
            if suffix in texts:
                path.write_text(texts[suffix](), encoding="utf-8")
            elif shutil.which("dot"):
                subprocess.run(["dot", f"-T{suffix[1:]}", "-o", str(path)], input=dot(), text=True, check=True)
            else:
                drawing.to_file(self, layout.arrange(self), path, dpi)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __str__(self) -> str:
        return self.to_mermaid()

    def __repr__(self) -> str:
        counts = f"{len(self.boxes)} boxes, {len(self.arrows)} arrows"
        return f"<Diagram {self.title!r}: {counts}; `print` shows it, `save(path)` draws it>"


@filtered
def diagram(
    model: Model,
    *,
    show_shapes: bool = True,
    show_dtype: bool = False,
    show_params: bool = True,
    show_activations: bool = False,
    expand_nested: bool = False,
    direction: str = "TB",
) -> Diagram:
    """The diagram of a model.

    A model that defines `call` has no graph; its layers are drawn below it.

    Args:
        model: a model; shapes and numbers of weights are shown if it is built.
        show_shapes: whether to show the shapes of outputs.
        show_dtype: whether to show the dtypes of outputs.
        show_params: whether to show the numbers of weights.
        show_activations: whether to show the names of activations.
        expand_nested: whether to draw the layers of nested models instead of a box.
        direction: "TB" or "LR".

    Raises:
        ArgumentError: `model` is not a model, or the direction is unknown.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(3, name="hidden"), jk.layers.Dense(2, name="out")])
    >>> [box.name for box in diagram(model).boxes], diagram(model).arrows
    (['input_layer', 'hidden', 'out'], ((0, 1), (1, 2)))
    """
    if not isinstance(direction, str) or direction not in ("TB", "LR"):
        raise ArgumentError(
            f"diagram(direction={arguments.shown(direction)}): expected 'TB' (top to bottom) or 'LR' (left to right)."
        )
    if not _is_model(model):
        raise ArgumentError(f"diagram(model={arguments.shown(model)}): expected a model.")
    arguments.flags("diagram", show_shapes=show_shapes, show_dtype=show_dtype, show_params=show_params)
    arguments.flags("diagram", show_activations=show_activations, expand_nested=expand_nested)
    infos = list(model.description.weights) if model.built else []
    shown = {"shapes": show_shapes, "dtype": show_dtype, "params": show_params, "activations": show_activations}
    boxes: list[Box] = []
    arrows: list[tuple[int, int]] = []
    _collect(model, (), infos, shown, expand_nested, boxes, arrows, None)
    return Diagram(model.name or model.default_name, tuple(boxes), tuple(dict.fromkeys(arrows)), direction)


@runtime_checkable
class _Compilable(Protocol):
    def compile(self) -> object: ...


@runtime_checkable
class _Activated(Protocol):
    @property
    def activation(self) -> object: ...


def _is_model(value: object) -> TypeGuard[Model]:
    return isinstance(value, Layer) and isinstance(value, _Compilable)


def _collect(
    model: Model,
    path: tuple[str, ...],
    infos: list[WeightInfo],
    shown: dict[str, bool],
    expand: bool,
    boxes: list[Box],
    arrows: list[tuple[int, int]],
    sources: list[list[int]] | None,
) -> list[list[int]]:
    """Adds a model's boxes; `sources` and the result are the boxes behind each of its inputs and outputs."""
    network = model._network
    if network is None:
        return _collect_tree(model, path, infos, shown, boxes, arrows, sources)
    makers: dict[int, list[int]] = {}
    by_name = {info.name: info for info in network.input_infos}
    for position, info in enumerate(network.input_infos):
        if sources is not None:
            makers[info.ref] = sources[min(position, len(sources) - 1)]
            continue
        boxes.append(Box(info.name, "Input", _lines(None, [info.shape], 0, {**shown, "params": False})))
        makers[info.ref] = [len(boxes) - 1]
    first_use: dict[str, int] = {}
    for op in network.ops:
        layer = network.layers[op.layer]
        if op.layer in by_name or isinstance(layer, InputLayer):
            continue
        refs = [leaf.index for leaf in (*op.args.leaves, *op.kwargs.leaves) if is_ref(leaf)]
        behind = [makers.get(ref, []) for ref in refs]
        own = (*path, op.layer)
        if expand and _is_model(layer) and layer.children():
            results = _collect(layer, own, infos, shown, expand, boxes, arrows, behind)
        else:
            if op.layer not in first_use:
                first_use[op.layer] = len(boxes)
                shapes = [tensor.shape for tensor in network.outputs_of(op.layer)] if network.has_tensors else []
                boxes.append(_box(layer, own, infos, shapes, shown))
            here = first_use[op.layer]
            arrows += [(source, here) for sources_of in behind for source in sources_of if source != here]
            results = [[here]] * len(op.results)
        for index, result in enumerate(op.results):
            makers[result] = results[min(index, len(results) - 1)]
    return [makers[ref] for ref in network.output_refs]


def _collect_tree(
    model: Model,
    path: tuple[str, ...],
    infos: list[WeightInfo],
    shown: dict[str, bool],
    boxes: list[Box],
    arrows: list[tuple[int, int]],
    sources: list[list[int]] | None,
) -> list[list[int]]:
    boxes.append(Box(path[-1] if path else model.name or model.default_name, type(model).__name__))
    root = len(boxes) - 1
    arrows += [(source, root) for behind in sources or [] for source in behind]
    for name, layer in model.children().items():
        if _is_model(layer) and layer.children():
            _collect(layer, (*path, name), infos, shown, True, boxes, arrows, [[root]])
        else:
            boxes.append(_box(layer, (*path, name), infos, [], shown))
            arrows.append((root, len(boxes) - 1))
    return [[root]]


def _box(
    layer: Layer, path: tuple[str, ...], infos: list[WeightInfo], shapes: list[PartialShape], shown: dict[str, bool]
) -> Box:
    weights = [info for info in infos if info.path[: len(path)] == path]
    count = sum(int(np.prod(info.shape)) for info in weights)
    params = [info for info in weights if info.collection == "params"]
    trainable = all(info.trainable for info in params) if params else None
    return Box("/".join(path), type(layer).__name__, _lines(layer, shapes, count, shown), trainable)


def _lines(layer: Layer | None, shapes: list[PartialShape], count: int, shown: dict[str, bool]) -> tuple[str, ...]:
    lines = []
    if shown["activations"] and isinstance(layer, _Activated) and layer.activation is not None:
        lines.append(f"activation: {name_of(layer.activation) or type(layer.activation).__name__}")
    if shown["shapes"] and shapes:
        lines.append(", ".join(dict.fromkeys(show_shape(shape) for shape in shapes)))
    if shown["dtype"] and layer is not None:
        lines.append(layer.dtype_policy.compute_dtype)
    if shown["params"] and count:
        lines.append(f"{count:,} params")
    return tuple(lines)
