"""The functions of the old `keras.backend` that are functions of `jkeras.ops` under other names or signatures."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from jkeras import ops
from jkeras.dispatch import parse
from jkeras.errors import SignatureError
from jkeras.values import docstrings
from jkeras.values.operation_words import ARGUMENTS as OPERATION_ARGUMENTS

# An old name, its signature, the function of `jkeras.ops` that takes the same arguments in the same order.
_ROWS = """
    abs: x -> abs
    all: x axis=None keepdims=False -> all
    any: x axis=None keepdims=False -> any
    argmax: x axis=-1 -> argmax
    argmin: x axis=-1 -> argmin
    arange: start stop=None step=1 dtype='int32' -> arange
    binary_crossentropy: target output from_logits=False -> binary_crossentropy
    cast: x dtype -> cast
    categorical_crossentropy: target output from_logits=False axis=-1 -> categorical_crossentropy
    clip: x min_value max_value -> clip
    concatenate: tensors axis=-1 -> concatenate
    cos: x -> cos
    cumprod: x axis=0 -> cumprod
    cumsum: x axis=0 -> cumsum
    elu: x alpha=1.0 -> elu
    equal: x y -> equal
    exp: x -> exp
    expand_dims: x axis=-1 -> expand_dims
    greater: x y -> greater
    greater_equal: x y -> greater_equal
    less: x y -> less
    less_equal: x y -> less_equal
    log: x -> log
    max: x axis=None keepdims=False -> max
    maximum: x y -> maximum
    mean: x axis=None keepdims=False -> mean
    min: x axis=None keepdims=False -> min
    minimum: x y -> minimum
    not_equal: x y -> not_equal
    one_hot: indices num_classes -> one_hot
    permute_dimensions: x pattern -> transpose
    pow: x a -> power
    prod: x axis=None keepdims=False -> prod
    repeat_elements: x rep axis -> repeat
    reshape: x shape -> reshape
    reverse: x axes -> flip
    round: x -> round
    sigmoid: x -> sigmoid
    sign: x -> sign
    sin: x -> sin
    softmax: x axis=-1 -> softmax
    softplus: x -> softplus
    softsign: x -> softsign
    sparse_categorical_crossentropy: target output from_logits=False axis=-1 -> sparse_categorical_crossentropy
    square: x -> square
    squeeze: x axis -> squeeze
    stack: x axis=0 -> stack
    std: x axis=None keepdims=False -> std
    stop_gradient: variables -> stop_gradient
    sum: x axis=None keepdims=False -> sum
    tanh: x -> tanh
    tile: x n -> tile
    transpose: x -> transpose
    var: x axis=None keepdims=False -> var
    ones_like: x dtype=None -> ones_like
    zeros_like: x dtype=None -> zeros_like
"""


# Where the example of the new function cannot be called with the old signature.
_EXAMPLES = {
    "permute_dimensions": ">>> backend.permute_dimensions([[1, 2], [3, 4]], (1, 0)).tolist()\n[[1, 3], [2, 4]]",
    "repeat_elements": ">>> backend.repeat_elements([1, 2], 2, 0).tolist()\n[1, 1, 2, 2]",
    "reverse": ">>> backend.reverse([1, 2, 3], 0).tolist()\n[3, 2, 1]",
    "round": ">>> backend.round([1.26, 2.75]).tolist()\n[1.0, 3.0]",
    "squeeze": ">>> backend.squeeze([[1, 2]], 0).tolist()\n[1, 2]",
}


def _renamed(name: str, signature: str, target: Callable[..., Any]) -> Callable[..., Any]:
    spec = parse(signature)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = spec.bind(*args, **kwargs)
        except TypeError as error:
            raise SignatureError(f"backend.{name}{spec}: {error}.") from None
        bound.apply_defaults()
        return target(*bound.arguments.values())

    call.__module__, call.__name__, call.__qualname__ = "jkeras.backend", name, name
    call.__signature__ = spec  # type: ignore[attr-defined]
    call.__doc__ = _docstring(name, spec, target)
    return call


def _docstring(name: str, spec: inspect.Signature, target: Callable[..., Any]) -> str:
    """The docstring of the function of `jkeras.ops`, with the old names of the function and its arguments."""
    text = inspect.getdoc(target) or ""
    sections = docstrings.parse(text)
    meanings = docstrings.described(sections, "Args")
    new_names = dict(zip(spec.parameters, inspect.signature(target).parameters, strict=False))
    lines = [f"    {old}: {meanings.get(new, OPERATION_ARGUMENTS[new])}" for old, new in new_names.items()]
    errors = "\n".join(f"    {line}" for s in sections if s.title == "Raises" for line in s.body.split("\n"))
    example = _EXAMPLES.get(name) or next(s.body for s in sections if s.title == "example")
    example = re.sub(rf"\b(ops|activations)\.{target.__name__}\(", f"backend.{name}(", example).replace("jnp.", "np.")
    for old, new in new_names.items():
        example = re.sub(rf"\b{new}=", f"{old}=", example)
    summary = f"{sections[0].body}\n\nThe old name of `ops.{target.__name__}`."
    parts = [summary, "Args:\n" + "\n".join(lines), f"Raises:\n{errors}", f">>> from jkeras import backend\n{example}"]
    return "\n\n".join(parts)


RENAMED: dict[str, Callable[..., Any]] = {}
for _line in _ROWS.strip().splitlines():
    _name, _, _rest = _line.strip().partition(": ")
    _signature, _, _target = _rest.partition(" -> ")
    RENAMED[_name] = _renamed(_name, _signature, getattr(ops, _target))
