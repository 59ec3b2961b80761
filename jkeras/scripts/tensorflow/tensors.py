"""Tensors as scripts of TensorFlow see them: arrays that have `.numpy()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jkeras.scripts.patches import Patches
from jkeras.types import TensorLike
from jkeras.utils import Samples


class HostTensor(np.ndarray):
    """A NumPy array with `.numpy()`: elements of data sets, and strings."""

    def numpy(self) -> Any:
        """The plain array, or number; strings as bytes."""
        plain = np.asarray(self)
        if plain.dtype.kind == "U":
            plain = np.char.encode(plain, "utf-8").astype(object)
        return plain if plain.ndim else plain[()]


def host(value: TensorLike) -> Any:
    """Converts a NumPy value to a tensor; JAX arrays are unchanged."""
    return value if isinstance(value, (jax.Array, HostTensor)) else np.asarray(value).view(HostTensor)


class TensorShape(tuple[int | None, ...]):
    """Sizes, None where unknown."""

    def as_list(self) -> list[int | None]:
        """The sizes in a list."""
        return list(self)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    @property
    def ndims(self) -> int:
        """The number of axes."""
        return len(self)

    def num_elements(self) -> int | None:
        """The product of the sizes; None if one is unknown."""
        return None if None in self else int(np.prod([size or 0 for size in self]))

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known."""
        return None not in self


def _numpy(self: jax.Array) -> Any:
    """The values as a NumPy array, or as a number."""
    values = np.asarray(self)
    return values if values.ndim else values[()]


def _get_shape(self: Any) -> TensorShape:
    return TensorShape(self.shape)


def as_tensors(iterate: Any, self: Any) -> Iterator[Any]:
    """The elements of an iteration as tensors."""
    for element in iterate(self):
        yield jax.tree.map(host, element, is_leaf=lambda part: not isinstance(part, (tuple, dict)))


def as_numpy(iterate: Any, self: Any) -> Iterator[Any]:
    """The elements of an iteration as `.numpy()` gives them: numbers, arrays, texts as bytes."""
    for element in as_tensors(iterate, self):
        yield jax.tree.map(lambda leaf: leaf.numpy(), element)


def install(patches: Patches) -> None:
    """Arrays of JAX, and what data sets yield to a script, have `.numpy()`."""
    patches.set(jax.Array, "numpy", _numpy)
    patches.set(jax.Array, "get_shape", _get_shape)
    patches.around(Samples, "__iter__", as_tensors)
