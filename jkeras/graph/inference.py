"""Shapes and dtypes of a layer's outputs for symbolic tensors, whose sizes may be unknown.

Some classes have a rule (`Layer.known_output`). For others, `call` is traced without values, with numbers in place of unknown
sizes. The results for equal layers and equal shapes are cached.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.dispatch import is_symbolic
from jkeras.errors import InputError
from jkeras.graph.describe import Traced, has_rule, in_keras_order, trace
from jkeras.graph.layer_call import prepare
from jkeras.graph.layer_scope import OutlineScope, Record
from jkeras.graph.scope import BoundLayer, Run, WeightInfo, walk
from jkeras.graph.shapes import Shape, has_shape, is_shape, show_shape
from jkeras.values.frozen import Template
from jkeras.values.keys import HashedKey, key_of

# Stand-ins for an unknown size: a size of the result that differs between the two is unknown as well. Larger ones follow for
# windows that the first are too small for; those halve evenly, as networks that join what they shrank and enlarged need.
STAND_INS = ((7, 11), (7 * 32, 11 * 32), (7 * 1024, 11 * 1024))
# Stands for the batch where no row depends on another, so that the first axis of every result is the batch.
BATCH = 1009


@dataclasses.dataclass(frozen=True)
class Outline:
    """The results of one call of a layer.

    Attributes:
        outputs: the structure of the outputs, a template of `Shape`s; a size that is unknown is None.
        weights: the weights of the layer and those inside, in Keras's order, with paths that begin at the layer.
        masked: whether a tensor got a mask.
    """

    outputs: Template
    weights: tuple[WeightInfo, ...]
    masked: bool


def output_spec(layer: BoundLayer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes and types of a layer's outputs.

    Args:
        layer: the description.
        args: arguments of `call`, with symbolic tensors; or shape tuples (float32), arrays and the like.
        kwargs: its keyword arguments.

    Returns:
        The structure of the outputs with `Shape` leaves; a size that is unknown is None.
    """
    return outline(layer, args, kwargs).outputs.fill()


def outline(layer: BoundLayer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outline:
    """What a call of a layer makes, for arguments as `output_spec` takes them."""
    if not any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
        args, kwargs = jax.tree.map(_as_shape, (args, kwargs), is_leaf=is_shape)
    return _answer(_Question(layer, args, kwargs))


def _as_shape(value: Any) -> Any:
    if is_shape(value):
        return Shape(value, "float32")
    return Shape(value.shape, str(value.dtype)) if has_shape(value) else value


def _is_input(leaf: object) -> bool:
    return isinstance(leaf, Shape) or is_symbolic(leaf)


class _Question:
    """A layer and the arguments of a call; equal questions have equal answers."""

    def __init__(self, layer: BoundLayer, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.layer = layer
        leaves, self.structure = jax.tree.flatten((args, kwargs))
        self.leaves = [Shape(leaf.shape, leaf.dtype) if _is_input(leaf) else leaf for leaf in leaves]
        keys = tuple(leaf if isinstance(leaf, Shape) else key_of(leaf) for leaf in self.leaves)
        self.key = HashedKey((key_of(layer), keys, self.structure, jax.config.jax_enable_x64))  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.key == other.key

    @property
    def inputs(self) -> list[Shape]:
        """The tensors among the arguments."""
        return [leaf for leaf in self.leaves if isinstance(leaf, Shape)]

    def arguments(self, replace: Callable[[Shape], Any] = lambda shape: shape) -> Any:
        """The arguments, with tensors replaced."""
        leaves = [replace(leaf) if isinstance(leaf, Shape) else leaf for leaf in self.leaves]
        return jax.tree.unflatten(self.structure, leaves)


@functools.lru_cache(maxsize=1024)
def _answer(question: _Question) -> Outline:
    return _by_rule(question) or _by_tracing(question)


def _by_rule(question: _Question) -> Outline | None:
    """The answer of a class that has a rule for its output; its weights are those that `build` declares."""
    layer, (args, kwargs) = question.layer, question.arguments()
    if kwargs or len(args) != 1 or not isinstance(args[0], Shape) or not _is_float(args[0]):
        return None
    if not has_rule(type(layer), "known_output"):
        return None
    input_shape = Shape(args[0].shape, layer.compute_dtype) if layer.autocast else args[0]
    output = layer.known_output(input_shape)
    if output is None:
        return None
    record = Record(making=True)
    scope = OutlineScope(layer, Run(), record)
    prepare(scope.layer, scope, {"inputs": input_shape})
    return Outline(Template.of(output), tuple(in_keras_order(tuple(record.weights.values()), layer)), False)


def _is_float(shape: Shape) -> bool:
    return bool(jnp.issubdtype(jnp.dtype(shape.dtype), jnp.floating))


def _by_tracing(question: _Question) -> Outline:
    unknown = [axis for tensor in question.inputs for axis, size in enumerate(tensor.shape) if size is None]
    choices = STAND_INS if any(unknown) else STAND_INS[:1] if unknown else (STAND_INS[0][:1],)
    if unknown and not any(unknown) and _keeps_batch(question):
        choices = ((BATCH,),)
    problems: list[Exception] = []
    for stand_ins in choices:
        try:
            traces = [_trace(question, stand_in) for stand_in in stand_ins]
            break
        except Exception as error:
            problems.append(error)
    else:
        raise _in_known_terms(problems[0], question.inputs)
    outputs = jax.tree.map(_merge if len(traces) == 2 else _known, *(traced.outputs for traced in traces))
    return Outline(Template.of(outputs), tuple(in_keras_order(traces[0].weights, question.layer)), traces[0].masked)


def _keeps_batch(question: _Question) -> bool:
    """Whether the first axis of all results is the batch: no row depends on others, and every argument with axes has rows."""
    numbers = all(isinstance(leaf, (Shape, bool, int, float, str)) for leaf in question.leaves)
    rows = all(tensor.shape[:1] == (None,) for tensor in question.inputs)
    return numbers and rows and all(layer.mixes_samples is False for _, layer in walk(question.layer))


def _trace(question: _Question, stand_in: int) -> Traced:
    def known(shape: Shape) -> jax.ShapeDtypeStruct:
        sizes = tuple(stand_in if size is None else size for size in shape.shape)
        return jax.ShapeDtypeStruct(sizes, jnp.dtype(shape.dtype))

    args, kwargs = question.arguments(known)
    return trace(question.layer, args, kwargs, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct))


def _known(leaf: jax.ShapeDtypeStruct) -> Shape:
    return Shape(tuple(None if i == 0 and size == BATCH else size for i, size in enumerate(leaf.shape)), leaf.dtype)


def _merge(first: jax.ShapeDtypeStruct, second: jax.ShapeDtypeStruct) -> Shape:
    sizes = tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return Shape(sizes, first.dtype)


def _in_known_terms(error: Exception, tensors: list[Shape]) -> Exception:
    if isinstance(error, InputError):
        error.args = (_without_stand_ins(str(error), tensors),)
    if hasattr(error, "__notes__"):
        error.__notes__ = [_without_stand_ins(note, tensors) for note in error.__notes__]
    return error


def _without_stand_ins(message: str, tensors: list[Shape]) -> str:
    """An error's message with the shapes of the inputs as the user knows them."""
    for tensor in tensors:
        for stand_in in (*STAND_INS[0], BATCH):
            filled = tuple(stand_in if size is None else size for size in tensor.shape)
            message = message.replace(show_shape(filled), show_shape(tensor.shape))
    return message
