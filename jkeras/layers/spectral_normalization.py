"""A layer around another one, whose kernel it divides by its largest singular value."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, initializers
from jkeras.errors import InputError
from jkeras.graph.in_files import InFiles
from jkeras.graph.layer import Layer
from jkeras.layers.inner_layer import inner_layer
from jkeras.types import (
    LayerField,
)
from jkeras.values.fields import field


class SpectralNormalization(Layer):
    """Divides the kernel of a layer by an estimate of its largest singular value.

    The kernel itself stays as the optimizer left it and is divided whenever it is used; Keras overwrites it in training.

    Shapes: those of the wrapped layer.

    Args:
        layer: a layer with a `kernel`, or an `Embedding`.
        power_iterations: steps of the estimate for each training batch.

    Source: T. Miyato et al., https://arxiv.org/abs/1802.05957.

    >>> from jkeras.layers import Dense
    >>> SpectralNormalization(Dense(3)).compute_output_shape((None, 4))
    (None, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    adapts_inside: ClassVar[bool] = False
    _in_files: ClassVar[InFiles] = InFiles(repeats=("layer/kernel", "layer/embeddings"))

    layer: LayerField = field(convert=inner_layer)
    power_iterations: int = field(default=1, convert=arguments.positive_int)

    def call(self, inputs: jax.Array, training: bool | None = None) -> jax.Array:
        name, kernel = self._find_kernel(inputs)
        inner = self.layer.scope_for("SpectralNormalization")
        if "vector_u" not in self.__dict__:
            start = initializers.TruncatedNormal(stddev=0.02)
            self.vector_u: Any = self.add_weight((1, kernel.shape[-1]), start, trainable=False, name="vector_u")
        matrix = kernel.reshape(-1, kernel.shape[-1])
        u, v = leading_vectors(jax.lax.stop_gradient(matrix), self.vector_u, self.power_iterations)
        largest = (v @ matrix @ u.T).reshape(())
        empty = largest == 0  # a kernel of zeros is not changed
        if training:
            self.vector_u = jnp.where(empty, self.vector_u, u)
        inner.put(name, kernel / jnp.where(empty, 1, largest))
        try:
            result: jax.Array = self.layer(inputs)
            return result
        finally:
            inner.put(name, kernel)

    def _find_kernel(self, inputs: jax.Array) -> tuple[str, Any]:
        """The attribute that holds the layer's kernel, which is made if it is not there yet, and the kernel."""
        names, weights = ("kernel", "embeddings"), vars(self.layer)
        if not any(name in weights for name in names):
            # Applied once for its weights alone: no loss from its output, and XLA removes the computation.
            inner, penalty = self.layer.scope_for("SpectralNormalization"), self.layer.activity_regularizer
            inner.put("activity_regularizer", None)
            self.layer(inputs)
            inner.put("activity_regularizer", penalty)
        for name in names:
            if name in weights and jnp.issubdtype(weights[name].dtype, jnp.floating):
                return name, weights[name]
        raise InputError(f"{self._place} (SpectralNormalization): {self.layer!r} has no kernel to normalise.")


def leading_vectors(matrix: jax.Array, u: jax.Array, iterations: int) -> tuple[jax.Array, jax.Array]:
    """The estimate of the vectors of the largest singular value after some steps of power iteration from `u`."""

    def step(u: jax.Array) -> tuple[jax.Array, jax.Array]:
        v = _normalized(u @ matrix.T)
        return _normalized(v @ matrix), v

    # All but the last in a loop of the program, so that compiling does not take longer for more of them.
    u = jax.lax.fori_loop(0, iterations - 1, lambda _, u: step(u)[0], u) if iterations > 1 else u
    return step(jax.lax.stop_gradient(u))


def _normalized(x: jax.Array) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=-1, keepdims=True), 1e-12))
