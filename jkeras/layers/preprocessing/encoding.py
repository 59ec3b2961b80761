"""What the layers of categories share: encodings of integers, and running on the host for data that is not traced."""

from __future__ import annotations

import codecs
import operator
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.console.progress import tracked
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.types import DTypeLike, TensorLike

# Long lists of texts are processed in Python in batches of this size, to show a bar.
ROWS_AT_A_TIME = 10_000


def output_mode(*allowed: str) -> Any:
    """A converter for `output_mode`, with its old names."""
    check = arguments.one_of(*allowed)
    old = {"binary": "multi_hot", "tf-idf": "tf_idf"}
    return lambda value: check(old.get(value, value) if isinstance(value, str) else value)


def dense_only(value: object) -> bool:
    """A converter for `sparse` and `ragged`, of which only False is supported."""
    if value:
        raise ArgumentError("expected False: arrays are dense")
    return False


def encode(ids: jax.Array, mode: str, depth: int, dtype: DTypeLike, weights: jax.Array | None = None) -> jax.Array:
    """Integers unchanged, or as vectors of length `depth`; integers outside `0 ... depth - 1` are ignored.

    Shapes: "one_hot" `(..., 1)` or `(...,)` to `(..., depth)`; "multi_hot" and "count" `(n,)` to `(depth,)` and `(batch, n, ...)`
    to `(batch, ..., depth)`.
    """
    if mode == "int":
        return ids.astype(dtype)
    ids = jnp.atleast_1d(ids).astype("int32")
    if mode == "one_hot":
        ids = ids[..., 0] if ids.ndim > 1 and ids.shape[-1] == 1 else ids
        return jax.nn.one_hot(ids, depth, dtype=dtype)
    hot = jax.nn.one_hot(ids, depth, dtype=dtype)
    combined = min(ids.ndim - 1, 1)
    if mode == "multi_hot":
        return jnp.max(hot, axis=combined, initial=0)
    return jnp.sum(hot if weights is None else hot * jnp.asarray(weights, dtype)[..., None], axis=combined)


def is_text(values: np.ndarray) -> bool:
    """Whether an array holds strings."""
    return values.dtype.kind in "USOT"


def codec(value: object) -> str:
    """The name of an encoding of texts."""
    name = arguments.text(value)
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        raise ArgumentError("expected an encoding that Python knows, such as 'utf-8'") from None
    return name


def as_text(values: TensorLike, encoding: str = "utf-8") -> np.ndarray:
    """Strings as an array of objects, bytes decoded."""
    array = np.asarray(values, dtype=object)
    plain = [value.decode(encoding) if isinstance(value, bytes) else str(value) for value in array.ravel()]
    result = np.empty(array.shape, dtype=object)
    result.ravel()[:] = plain
    return result


def batches(data: Iterable[Any], steps: int | None, rows: int | None = None) -> Iterator[np.ndarray]:
    """The batches that `adapt` reads: an array or a list is one, anything else is gone through, `steps` at most.

    With `rows`, a list or NumPy array is cut into batches of so many. If it takes long there is a bar.
    """
    if data is None:
        raise InputError("adapt(None): expected an array, a list, or an iterable of batches.")
    if isinstance(data, (list, tuple, np.ndarray, jax.Array)) or not isinstance(data, Iterable):
        try:
            array = np.asarray(data)
        except ValueError:
            raise InputError(
                "adapt(data): the rows have different lengths. Pass all terms in one list, or rows of one length."
            ) from None
        if rows is None or not array.ndim or isinstance(data, jax.Array):
            yield array
        else:
            yield from tracked([array[i : i + rows] for i in range(0, max(len(array), 1), rows)])
        return
    for batch in tracked(islice(data, steps), steps or operator.length_hint(data, 0)):
        yield np.asarray(batch[0] if isinstance(batch, tuple) else batch)


class HostLayer(Layer):
    """Base of layers that read strings or Python values: called on data they compute at once, outside any
    program."""

    mixes_samples: ClassVar[bool | None] = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves = jax.tree.leaves((args, kwargs))
        traced = any(is_symbolic(leaf) or isinstance(leaf, jax.core.Tracer) for leaf in leaves)
        if traced or self.is_bound:
            return super().__call__(*args, **kwargs)
        return self.on_host(*args)

    def on_host(self, inputs: TensorLike) -> Any:
        """The output for concrete data."""
        raise NotImplementedError

    def call(self, inputs: TensorLike) -> Any:
        raise InputError(
            f"{self._place} ({type(self).__name__}) reads strings, which compiled programs cannot. Apply the layer to"
            f" the data first, `x = layer(texts)`, and give `x` to the model."
        )
