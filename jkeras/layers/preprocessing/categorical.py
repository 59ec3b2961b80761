"""Layers of categories: encoding integers as vectors, numbers as bins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError, NotBuiltError
from jkeras.graph.layer import Layer
from jkeras.layers.preprocessing.encoding import batches, dense_only, encode, output_mode
from jkeras.types import Array, Num, Shaped
from jkeras.values.fields import field


class CategoryEncoding(Layer):
    """Integers as vectors.

    Shapes: "one_hot" `(..., 1)` or `(...,)` to `(..., num_tokens)`; "multi_hot" and "count" `(batch, n, ...)` to
    `(..., num_tokens)`.

    Args:
        num_tokens: the number of categories.
        output_mode: "multi_hot", "one_hot" or "count".
        sparse: accepted for compatibility with Keras; only False is supported.

    Call arguments: `count_weights` weighs each integer in the mode "count".

    Raises:
        InputError: an integer outside 0 to `num_tokens - 1`; inside a compiled program it leaves no trace instead.

    >>> import jax.numpy as jnp
    >>> CategoryEncoding(4)(jnp.array([[0, 1], [3, 3]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    mixes_samples: ClassVar[bool | None] = False

    num_tokens: int = field(default=None, convert=arguments.positive_int)
    output_mode: str = field(default="multi_hot", convert=output_mode("multi_hot", "one_hot", "count"))
    sparse: bool = field(default=False, convert=dense_only, in_config=False)
    autocast: bool = field(default=False, convert=arguments.boolean, kw_only=True, in_config=False)

    def call(self, inputs: Shaped[Array, "*shape"], count_weights: jax.Array | None = None) -> Num[Array, "..."]:
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                f"{self._place}: `count_weights` goes with output_mode='count', not {self.output_mode!r}."
            )
        if not isinstance(inputs, jax.core.Tracer):
            self._check_range(np.asarray(inputs))
        return encode(jnp.asarray(inputs), self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def _check_range(self, ids: np.ndarray) -> None:
        outside = ids[(ids < 0) | (ids >= self.num_tokens)]
        if outside.size:
            raise InputError(
                f"{self._place} (CategoryEncoding) got {outside.ravel()[0]}; num_tokens={self.num_tokens} has the integers"
                f" 0 to {self.num_tokens - 1}. Map what lies outside to one of them first."
            )


def _boundaries(value: object) -> tuple[float, ...]:
    boundaries = np.asarray(value)
    if boundaries.ndim != 1 or boundaries.dtype.kind not in "iuf" or np.any(np.diff(boundaries) < 0):
        raise ArgumentError("expected increasing numbers")
    values = boundaries.tolist()
    return tuple(values)


class Discretization(Layer):
    """Numbers as the bins between given boundaries, or between quantiles of data (`adapt`).

    A number equal to a boundary belongs to the bin above.

    Shapes: any of numbers, unchanged; bins are encoded as in `CategoryEncoding`.

    Args:
        bin_boundaries: increasing numbers; n of them make n + 1 bins.
        num_bins: how many bins `adapt` makes, in place of boundaries.
        epsilon: how exact the quantiles are; smaller is better and slower.
        output_mode: "int", or how bins are encoded: "one_hot", "multi_hot", "count".
        sparse: accepted for compatibility with Keras; only False is supported.
        dtype: the dtype of the encodings; bins are int32.
        name: the layer's name.

    >>> import jax.numpy as jnp
    >>> Discretization([0.0, 1.0])(jnp.array([-1.5, 0.0, 3.4])).tolist()
    [0, 1, 2]
    """

    mixes_samples: ClassVar[bool | None] = False

    bin_boundaries: Any = field(default=None, convert=arguments.optional(_boundaries))
    num_bins: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    epsilon: float = field(default=0.01, convert=arguments.between(0, 1, open_low=True))
    output_mode: str = field(default="int", convert=output_mode("int", "one_hot", "multi_hot", "count"))
    sparse: bool = field(default=False, convert=dense_only)
    trainable: bool = field(default=True, convert=arguments.boolean, kw_only=True, in_config=False)
    autocast: bool = field(default=False, convert=arguments.boolean, kw_only=True, in_config=False)

    def __post_init__(self) -> None:
        if self.bin_boundaries is None and self.num_bins is None:
            raise ArgumentError("Discretization: give `bin_boundaries`, or `num_bins` and then `adapt(data)`.")
        if self.bin_boundaries and self.num_bins and len(self.bin_boundaries) >= self.num_bins:
            raise ArgumentError(
                f"Discretization(num_bins={self.num_bins}): {len(self.bin_boundaries)} boundaries make more bins than"
                f" that. Give `bin_boundaries` alone."
            )

    def adapt(self, data: Iterable[Any], steps: int | None = None) -> Discretization:
        """A layer whose boundaries are quantiles of data; this layer is not changed.

        Args:
            data: an array, or an iterable of batches.
            steps: how many batches are read at most.

        Raises:
            ArgumentError: `num_bins` is not set.

        >>> import numpy as np
        >>> Discretization(num_bins=4, epsilon=0.001).adapt(np.arange(1000.0)).bin_boundaries
        (249.0, 499.0, 749.0)
        """
        if self.num_bins is None:
            raise ArgumentError(
                "Discretization(num_bins=None).adapt: the boundaries are given; nothing is to be found."
            )
        summary = np.zeros((2, 0), "float32")
        for batch in batches(data, steps):
            joined = np.concatenate([summarized(batch.astype("float32"), self.epsilon), summary], axis=1)
            summary = compressed(joined[:, np.argsort(joined[0])], self.epsilon)
        check_used("adapt", owner="layer", may_show=True)
        return self.replace(bin_boundaries=compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist())

    def call(self, inputs: Shaped[Array, "*shape"]) -> Num[Array, "..."]:
        if self.bin_boundaries is None:
            raise NotBuiltError(f"{self._place} has no boundaries yet: `layer = layer.adapt(data)`.")
        ids = jnp.digitize(jnp.asarray(inputs), jnp.asarray(self.bin_boundaries))
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return encode(ids, self.output_mode, len(self.bin_boundaries) + 1, dtype)


def summarized(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Sorted values at even distances, and how many values each represents."""
    values = np.sort(values.ravel())
    step = max(values.size * epsilon, 1)
    picked = values[int(step - 1) :: int(step)]
    return np.stack([picked, np.full_like(picked, step)])


def compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary at the quantiles `epsilon, 2 * epsilon, ...`, by linear interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    totals = summary[1].cumsum()
    values = np.interp(shares, totals / totals[-1], summary[0])
    weights = np.interp(shares, totals / totals[-1], totals)
    return np.stack([values, np.diff(weights, prepend=0)]).astype("float32")


__all__ = ["CategoryEncoding", "Discretization"]
