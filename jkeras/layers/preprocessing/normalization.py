"""A layer that scales features by their mean and variance."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.console.progress import tracked
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.in_files import Beside, InFiles
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import has_shape
from jkeras.layers.normalization import along, axes_of
from jkeras.values.fields import field


def _learned(layer: Normalization) -> Mapping[str, np.ndarray]:
    if layer.mean is None:
        return {}
    mean, variance = np.asarray(layer.mean, np.float32), np.asarray(layer.variance, np.float32)
    return {"mean": mean, "variance": variance, "count": np.asarray(0, np.int32)}


def _arguments_in(cls: type, arguments: Mapping[str, Any], beside: Beside) -> Mapping[str, Any]:
    if arguments.get("mean") is not None:
        return {}
    mean, variance, _ = beside.array("0"), beside.array("1"), beside.array("2")
    return {} if mean is None or variance is None else {"mean": mean.tolist(), "variance": variance.tolist()}


class Normalization(Layer):
    """Shifts and scales features to mean 0 and variance 1, with statistics that are passed or computed by `adapt`.

    Shapes: any, unchanged; mean and variance have the sizes of `axis`.

    Args:
        axis: the axes along which each index has its own mean and variance; None means a single mean and variance.
        mean: the means, with `variance`.
        variance: the variances.
        invert: whether to undo the normalisation instead.

    >>> import numpy as np
    >>> layer = Normalization().adapt(np.array([[1.0], [2.0], [3.0]]))
    >>> layer(np.array([[2.0]])).tolist()
    [[0.0]]
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True
    _in_files: ClassVar[InFiles] = InFiles(learned=_learned, arguments=_arguments_in)

    axis: Any = field(default=-1, convert=lambda value: () if value is None else axes_of(value))
    mean: Any = None
    variance: Any = None
    invert: bool = field(default=False, convert=arguments.boolean)

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.variance is None):
            raise ArgumentError("Normalization(mean=..., variance=...): give both, or neither and call `adapt(data)`.")

    def adapt(self, data: Iterable[Any]) -> Self:
        """A layer with the mean and variance of `data` (arrays, or an iterable of batches).

        Unlike in Keras the result is a new layer: `layer = layer.adapt(data)`.
        """
        if data is None:
            raise InputError("adapt(None): expected an array, or an iterable of batches.")
        chunks = [data] if _is_array(data) else tracked(data)
        count, total, squares = 0, 0.0, 0.0
        for each in chunks:
            chunk = arguments.checked("Normalization.adapt", "data", each, arguments.array)
            chunk = chunk[:, None] if chunk.ndim == 1 else chunk
            axes = self._reduced(chunk.ndim)
            values = chunk.astype(np.float64)
            count += math.prod(values.shape[axis] for axis in axes)
            total = total + values.sum(axis=axes)
            squares = squares + np.square(values).sum(axis=axes)
        if count == 0:
            raise InputError("Normalization.adapt: there is no data.")
        mean = total / count
        variance = np.maximum(squares / count - np.square(mean), 0.0)
        check_used("adapt", owner="layer", may_show=True)
        return self.replace(mean=np.asarray(mean, np.float32), variance=np.asarray(variance, np.float32))

    def _reduced(self, rank: int) -> tuple[int, ...]:
        if not all(-rank <= axis < rank for axis in self.axis):
            raise InputError(f"{self._place} (Normalization) has axis={self.axis}, but its data has {rank} axes.")
        return tuple(axis for axis in range(rank) if axis not in {a % rank for a in self.axis})

    def call(self, inputs: jax.Array) -> jax.Array:
        if self.mean is None:
            raise InputError(f"{self._place} (Normalization) has no mean yet: `layer = layer.adapt(data)`.")
        x = inputs.astype(self.compute_dtype)
        axes = tuple(axis for axis in range(x.ndim) if axis not in self._reduced(x.ndim))
        mean, variance = (jnp.asarray(v, x.dtype) for v in (self.mean, self.variance))
        if mean.ndim:
            mean, variance = (
                along(jnp.broadcast_to(v, tuple(x.shape[a] for a in axes)), axes, x.ndim) for v in (mean, variance)
            )
        result: jax.Array = centred_and_scaled(x, mean, variance, self.invert)
        return result


@functools.partial(jax.jit, static_argnames=("invert",), inline=True)
def centred_and_scaled(x: jax.Array, mean: jax.Array, variance: jax.Array, invert: bool) -> jax.Array:
    """`x` standardized with the given mean and variance, or the inverse."""
    deviation = jnp.maximum(jnp.sqrt(variance), 1e-7)
    return mean + x * deviation if invert else (x - mean) / deviation


def _is_array(data: Iterable[Any]) -> bool:
    """Whether data is one array, or numbers in lists, not an iterable of arrays."""
    if isinstance(data, (list, tuple)):
        return bool(data) and not has_shape(data[0])
    return has_shape(data)
