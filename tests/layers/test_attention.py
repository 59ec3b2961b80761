"""Attention layers against Keras, and what their masks and dropout mean."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import errors, layers
from jkeras.layers import attention, multi_head_attention
from tests.layers.contract import OURS, SOME_FLOAT32, case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
# Shapes of query, value and key.
THREE = ((2, 5, 4), (2, 6, 7), (2, 6, 8))
LISTS = ((2, 5, 4), (2, 6, 3), (2, 6, 4))
CAUSAL, SCORES = {"use_causal_mask": True}, {"return_attention_scores": True}
ALL = ("query_mask", "value_mask", "key_mask")
ALLOWED = {"attention_mask": (2, 5, 6)}


def heads(arguments, *shapes, masks=(), **options):
    """A case of MultiHeadAttention, which takes the query's mask only attached to the query."""
    attached = tuple(name for name in masks if name == "query_mask")
    return case("MultiHeadAttention", HEADS | arguments, *shapes, apart=True, mask=masks, attached=attached, **options)


def groups(arguments, *shapes, masks=(), **options):
    return case("GroupQueryAttention", GROUPS | arguments, *shapes, apart=True, mask=masks, **options)


CASES = {
    "dot": case("Attention", {}, *LISTS, mask=True),
    "dot causal": case("Attention", {"use_scale": True}, *LISTS, call=CAUSAL, mask=True),
    "dot two": case("Attention", {}, LISTS[0], LISTS[2], call=SCORES, unknown=(1,)),
    "concat": case("Attention", {"use_scale": True, "score_mode": "concat"}, *LISTS, call=CAUSAL, mask=True),
    "additive": case("AdditiveAttention", {}, *LISTS, call=SCORES, mask=True),
    "additive plain": case("AdditiveAttention", {"use_scale": False}, *LISTS, call=CAUSAL),
    "heads": heads({}, *THREE),
    "heads two": heads({"use_bias": False, "kernel_regularizer": "l2"}, *THREE[:2], call=CAUSAL),
    "heads masked": heads({}, *THREE, call=CAUSAL, masks=ALL),
    "heads dropout": heads({"dropout": 0.3, "seed": 1}, *THREE, masks=ALL[1:], training=False),
    "heads scores": heads({}, *THREE, call=SCORES, masks=ALL[1:], shapes=False),
    "heads causal scores": heads({"value_dim": 5}, *THREE, call=SCORES | CAUSAL, shapes=False),
    "heads gate": heads({"use_gate": True, "sliding_window": 2}, *THREE, masks=ALL[1:2]),
    "heads output": heads({"output_shape": (2, 3)}, *THREE, flags=ALLOWED, masks=ALL[:1]),
    "heads axes": heads({"attention_axes": (2,)}, (2, 3, 4, 5), (2, 3, 6, 5)),
    "heads planes": heads({}, (2, 3, 4, 5), (2, 2, 3, 5), call=SCORES, shapes=False),
    "groups": groups({}, (2, 5, 4), (2, 6, 4), unknown=(1,)),
    "groups masked": groups({"use_gate": True}, *THREE, call=CAUSAL, masks=ALL, shapes=False),
    "groups scores": groups({"sliding_window": 3}, *THREE, call=SCORES, flags=ALLOWED, masks=ALL[1:2], shapes=False),
}


def attention_layer(draw: Draw):
    """Any attention with any arguments, masks and arguments of the call."""
    call = {name: True for name in ("use_causal_mask", "return_attention_scores") if draw.of(True, False)}
    query, steps, size = draw.size(2, 4), draw.size(2, 4), draw.size(1, 4)
    shapes = [(2, query, size), (2, steps, size), (2, steps, size)][: draw.size(2, 3)]
    name = draw.of("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention")
    if name in ("Attention", "AdditiveAttention"):
        arguments = draw.some(use_scale=(True, False))
        if name == "Attention":
            arguments |= draw.some(score_mode=("dot", "concat"))
        return case(name, arguments, *shapes, call=call, mask=draw.of(True, False))
    masks = tuple(name for name in ALL[1 : len(shapes)] if draw.of(True, False))
    options = {"call": call, "masks": masks, "shapes": "return_attention_scores" not in call}
    arguments = draw.some(use_bias=(True, False), use_gate=(True, False), sliding_window=(None, 2))
    arguments |= draw.weights("kernel", "bias")
    if name == "MultiHeadAttention":
        return heads(arguments | draw.some(value_dim=(2, 3), output_shape=(None, 2)), *shapes, **options)
    return groups(arguments, *shapes, **options)


DRAWN = drawn(attention_layer, 8)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["dot causal", "heads masked"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng, SOME_FLOAT32)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


def test_symbolic_shapes_with_unknown_batch_and_time():
    query, value = layers.Input((None, 4)), layers.Input((None, 6))
    heads = multi_head_attention.MultiHeadAttention(**HEADS)
    assert heads(query, value, use_causal_mask=True).shape == (None, None, 4)
    outputs, scores = heads(query, value, return_attention_scores=True)
    assert outputs.shape == (None, None, 4) and scores.shape == (None, 2, None, None)
    assert attention.Attention()([query, layers.Input((5, 4))]).shape == (None, None, 4)
    assert multi_head_attention.GroupQueryAttention(**GROUPS)(query, value).shape == (None, None, 4)


def test_masks_come_with_the_tensors():
    ids = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])

    class Block(layers.Layer):
        def build(self, input_shape):
            self.embed = layers.Embedding(6, 4, mask_zero=True)
            self.attend = multi_head_attention.MultiHeadAttention(**HEADS)

        def call(self, ids):
            x = self.embed(ids)
            return self.attend(x, x)

    block = Block()
    variables = block.init(0, ids)
    outputs = block.apply(variables, ids)
    changed = jax.tree.map(lambda x: x, variables)
    changed["params"]["embed"]["embeddings"] = changed["params"]["embed"]["embeddings"].at[0].add(1.0)
    other = block.apply(changed, ids)
    np.testing.assert_allclose(outputs[0, :2], other[0, :2], atol=1e-6)  # padding is not seen by what counts


def test_values_of_another_size_than_keys(rng):
    layer = multi_head_attention.MultiHeadAttention(2, 3, value_dim=5)
    query, value = rng.normal(size=(2, 4, 6)).astype("float32"), rng.normal(size=(2, 5, 6)).astype("float32")
    variables = layer.init(0, query, value)
    fused = layer.apply(variables, query, value)
    explicit, _ = layer.apply(variables, query, value, return_attention_scores=True)
    np.testing.assert_allclose(fused, explicit, atol=1e-5)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_mixed_precision_and_dropout(name, rng):
    kwargs = {"MultiHeadAttention": HEADS, "GroupQueryAttention": GROUPS}.get(name, {}) | {"dropout": 0.5}
    layer = OURS[name](**kwargs, dtype="mixed_bfloat16")
    inputs = [rng.normal(size=(2, 5, 4)).astype("float32") for _ in range(2)]
    args = (inputs,) if name in ("Attention", "AdditiveAttention") else tuple(inputs)
    variables = layer.init(0, *args)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
    still = jax.jit(layer.apply)(variables, *args)
    assert still.dtype == jnp.bfloat16
    keys = jax.random.split(jax.random.key(0), 200).at[1].set(jax.random.split(jax.random.key(0), 200)[0])
    draws = jax.jit(jax.vmap(lambda key: layer.apply(variables, *args, training=True, rng=key)))(keys)
    assert jnp.array_equal(draws[0], draws[1]) and not jnp.array_equal(draws[0], draws[2])
    # Dropout keeps the mean: many draws average to the output without it.
    assert jnp.abs(jnp.mean(draws.astype(jnp.float32), 0) - still.astype(jnp.float32)).max() < 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: multi_head_attention.MultiHeadAttention(0, 3), "num_heads=0"),
        (lambda: multi_head_attention.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True), "fused kernel"),
        (lambda: multi_head_attention.GroupQueryAttention(3, 4, 3), "multiple"),
        (lambda: attention.Attention(score_mode="add"), "'dot', 'concat'"),
        (lambda: attention.Attention()(layers.Input((2, 3))), r"\[query, value\]"),
        (lambda: attention.Attention()([layers.Input((2, 3)), layers.Input((2, 4))]), "agree in the last axis"),
        (
            lambda: multi_head_attention.MultiHeadAttention(2, 3)(*[layers.Input((n, 3)) for n in (2, 4, 5)]),
            "agree in all axes",
        ),
        (
            lambda: multi_head_attention.MultiHeadAttention(2, 8, flash_attention=True)(*[layers.Input((2, 3))] * 2),
            "platform",
        ),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((errors.ArgumentError, errors.InputError), match=message):
        make()
