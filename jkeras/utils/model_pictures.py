"""Keras's functions that draw models, over `jkeras.plots`."""

from __future__ import annotations

import dataclasses
import os
import warnings

from jkeras import plots
from jkeras.models.model import Model
from jkeras.plots.text import to_dot


def _diagram(
    model: Model,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    rankdir: str,
    expand_nested: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> plots.Diagram:
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
    """Draws a model into a file: `.svg`, `.dot`, `.mmd`; `.png` and `.pdf` with Graphviz or else matplotlib.

    Arguments as in Keras; `dpi` and `splines` are Graphviz's and count only in `model_to_dot`.

    Returns:
        The diagram, which notebooks show.
    """
    picture = _diagram(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, show_layer_activations, show_trainable
    )
    if to_file is not None:
        picture.save(to_file)
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
    """A model in Graphviz's language, as text. Arguments as in Keras."""
    picture = _diagram(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, show_layer_activations, show_trainable
    )
    text = to_dot(picture, dpi=dpi, splines=splines, **kwargs)
    return text.replace("digraph {", "subgraph {", 1) if subgraph else text
