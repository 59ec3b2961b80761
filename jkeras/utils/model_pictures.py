"""Keras's functions that draw models, over `jkeras.plots`."""

from __future__ import annotations

import dataclasses
import os
import warnings

from jkeras import arguments, plots
from jkeras.models.model import Model
from jkeras.plots.text import to_dot


def _diagram(
    function: str,
    model: Model,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    rankdir: str,
    expand_nested: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> plots.Diagram:
    arguments.flags(function, show_layer_names=show_layer_names, show_trainable=show_trainable)
    arguments.flags(function, show_layer_activations=show_layer_activations)
    arguments.checked(function, "rankdir", rankdir, arguments.one_of("TB", "LR"))
    diagram = plots.diagram(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_params=False,
        show_activations=show_layer_activations,
        expand_nested=expand_nested,
        direction=rankdir,
    )
    boxes = []
    for box in diagram.boxes:
        if show_trainable and box.trainable is not None:
            box = dataclasses.replace(box, lines=(*box.lines, "trainable" if box.trainable else "frozen"))
        boxes.append(box if show_layer_names else dataclasses.replace(box, name=box.kind, kind=""))
    return dataclasses.replace(diagram, boxes=tuple(boxes))


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: object,
) -> plots.Diagram:
    """Draws a model into a file.

    Args:
        model: the model.
        to_file: a path that ends in `.svg`, `.dot`, `.mmd` (Mermaid), or in `.png` or `.pdf`, which need Graphviz or matplotlib;
            None writes no file.
        show_shapes: whether to show the shapes of inputs and outputs.
        show_dtype: whether to show the types of outputs.
        show_layer_names: whether to show the names of layers.
        rankdir: "TB" from top to bottom, or "LR" from left to right.
        expand_nested: whether to show the layers of nested models.
        dpi: the dots per inch of a `.png`.
        show_layer_activations: whether to show activations.
        show_trainable: whether to show which layers are trained.
        splines: how Graphviz draws edges, such as "ortho" or "curved".
        kwargs: ignored with a warning.

    Returns:
        A `jkeras.plots.Diagram`, which notebooks display.

    Raises:
        ArgumentError: `rankdir` or the suffix of the path is unknown.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)])
    >>> diagram = plot_model(model, to_file=None)
    >>> len(diagram.boxes), diagram.arrows
    (2, ((0, 1),))
    """
    picture = _diagram(
        "plot_model",
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        show_layer_activations,
        show_trainable,
    )
    if to_file is not None:
        picture.save(to_file, dpi=dpi, splines=splines)
    if kwargs:
        warnings.warn(f"plot_model ignores {sorted(kwargs)}.", stacklevel=2)
    return picture


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: object,
) -> str:
    """A model in Graphviz's language.

    Args:
        model: the model.
        show_shapes: whether to show the shapes of inputs and outputs.
        show_dtype: whether to show the types of outputs.
        show_layer_names: whether to show the names of layers.
        rankdir: "TB" from top to bottom, or "LR" from left to right.
        expand_nested: whether to show the layers of nested models.
        dpi: the resolution of pictures that Graphviz makes of the text.
        subgraph: whether to return a subgraph, to be part of a larger graph.
        show_layer_activations: whether to show activations.
        show_trainable: whether to show which layers are trained.
        splines: how Graphviz draws edges, such as "ortho" or "curved".
        kwargs: further attributes of the graph.

    Returns:
        The text.

    Raises:
        ArgumentError: `rankdir` is unknown.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)])
    >>> print(model_to_dot(model, rankdir="LR").splitlines()[1].strip())
    rankdir="LR";
    """
    picture = _diagram(
        "model_to_dot",
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        show_layer_activations,
        show_trainable,
    )
    arguments.flags("model_to_dot", subgraph=subgraph)
    arguments.checked("model_to_dot", "dpi", dpi, arguments.positive_int)
    text = to_dot(picture, dpi=dpi, splines=splines, **kwargs)
    return text.replace("digraph {", "subgraph {", 1) if subgraph else text
