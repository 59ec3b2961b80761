"""Data from a generator function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jkeras import arguments
from jkeras.data import streams
from jkeras.data.elements import Element, Structure, conform, declared, leaves, signature_of
from jkeras.data.stages import Stage
from jkeras.errors import ArgumentError


def generated(
    generator: Callable[..., Iterable[Element]],
    output_types: Structure,
    output_shapes: Structure,
    args: Iterable[Any] | None,
    output_signature: Structure,
) -> tuple[Stage, Structure]:
    """The elements of a generator function, and their declaration; arguments as in `Dataset.from_generator`."""
    if not callable(generator):
        raise ArgumentError(
            f"from_generator({type(generator).__name__}): expected a function that returns an iterator, as each pass needs"
            " a new one. Pass the function itself: `from_generator(make)`, not `from_generator(make())`."
        )
    if output_signature is not None and not (output_types is None and output_shapes is None):
        raise ArgumentError("from_generator(): give output_signature, or output_types and output_shapes, not both.")
    if output_types is None and output_shapes is not None:
        raise ArgumentError("from_generator(): `output_shapes` also needs `output_types`.")
    if output_types is not None:
        spec = declared(output_types, output_shapes)
    else:
        spec = None if output_signature is None else signature_of(output_signature)
    if args is not None and (isinstance(args, (str, Mapping)) or not isinstance(args, Iterable)):
        raise ArgumentError(f"from_generator(args={arguments.shown(args)}): expected a list of arguments.")
    call_arguments = tuple(args or ())
    stream = streams.Stream(
        streams.Generated,
        start=lambda: iter(generator(*call_arguments)),
        check=lambda element, index: conform(element, spec, index),
    )
    known = spec is not None and all(leaf.shape is not None for leaf in leaves(spec))
    return Stage(stream), spec if known else None
