"""A decoder-only transformer for text (Radford et al., 2019)."""

from __future__ import annotations

from jkeras import initializers, layers
from jkeras.architectures.transformer import Positions, block
from jkeras.errors import ArgumentError
from jkeras.models.model import Model


def GPT(
    vocabulary_size: int,
    max_length: int = 256,
    *,
    width: int = 128,
    depth: int = 4,
    heads: int = 4,
    dropout_rate: float = 0.0,
) -> Model:
    """A model that predicts the next token: token ids `(batch, time)` to logits `(batch, time, vocabulary)`.

    Args:
        vocabulary_size: the number of distinct tokens.
        max_length: the longest input in tokens, at least 16.
        width: the number of features per token.
        depth: blocks.
        heads: the number of attention heads; it must divide the width.
        dropout_rate: the dropout rate in the blocks and after the embedding.

    Raises:
        ArgumentError: the number of heads does not divide the width, or `max_length` is too small.

    >>> GPT(65, 32, width=16, depth=1, heads=2).output_shape
    (None, None, 65)
    """
    if width % heads:
        raise ArgumentError(f"GPT(heads={heads}): expected a divisor of the width, {width}.")
    if max_length < 16:
        raise ArgumentError(f"GPT(max_length={max_length}): expected at least 16.")
    tokens = layers.Input((None,), dtype="int32", name="tokens")
    start = initializers.RandomNormal(stddev=0.02)
    x = layers.Embedding(vocabulary_size, width, embeddings_initializer=start, name="embedding")(tokens)
    x = layers.Dropout(dropout_rate, name="drop")(Positions(max_length, name="positions")(x))
    for i in range(depth):
        x = block(x, heads, dropout_rate, causal=True, name=f"block{i + 1}")
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    return Model(tokens, layers.Dense(vocabulary_size, name="logits")(x), name="gpt")
