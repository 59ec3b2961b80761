"""The transformer block with pre-normalization (Xiong et al., 2020, https://arxiv.org/abs/2002.04745)."""

from __future__ import annotations

import jax

from jkeras import initializers, layers
from jkeras.architectures.parts import channels_of
from jkeras.errors import InputError
from jkeras.graph.layer import Layer
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.types import PartialShape


class Positions(Layer):
    """Adds a learned vector for each position to `(batch, positions, features)`.

    Args:
        max_length: the largest number of positions; None takes that of the first input.
    """

    max_length: int | None = None

    def build(self, input_shape: PartialShape) -> None:
        length = self.max_length or input_shape[1]
        initializer = initializers.RandomNormal(stddev=0.02)
        self.table: jax.Array = self.add_weight((length, input_shape[-1]), initializer=initializer, name="embeddings")

    def call(self, x: jax.Array) -> jax.Array:
        if x.shape[1] > self.table.shape[0]:
            raise InputError(
                f"{self.name or 'positions'} has {self.table.shape[0]} positions; the input has {x.shape[1]}."
            )
        return x + self.table[: x.shape[1]].astype(x.dtype)


def block(x: SymbolicTensor, heads: int, dropout_rate: float, *, causal: bool, name: str) -> SymbolicTensor:
    """Attention and a network of two dense layers, each with pre-normalization and a shortcut."""
    width = channels_of(x)
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(x)
    attention = layers.MultiHeadAttention(heads, width // heads, dropout=dropout_rate, name=f"{name}_attention")
    y = attention(y, y, use_causal_mask=causal)
    x = layers.Add(name=f"{name}_add1")([x, layers.Dropout(dropout_rate, name=f"{name}_drop1")(y)])
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(x)
    y = layers.Dense(4 * width, activation="gelu", name=f"{name}_expand")(y)
    y = layers.Dense(width, name=f"{name}_contract")(y)
    total: SymbolicTensor = layers.Add(name=f"{name}_add2")([x, layers.Dropout(dropout_rate, name=f"{name}_drop2")(y)])
    return total
