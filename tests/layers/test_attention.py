"""Attention layers against Keras: outputs, gradients, weights, masks, configuration."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras.graph.runtime as runtime
from jkeras import errors, layers
from jkeras.layers import attention, multi_head_attention

OURS = {
    "Attention": attention.Attention,
    "AdditiveAttention": attention.AdditiveAttention,
    "MultiHeadAttention": multi_head_attention.MultiHeadAttention,
    "GroupQueryAttention": multi_head_attention.GroupQueryAttention,
}
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
# Class, constructor arguments, call arguments, which masks, shapes of query, value and key.
THREE = ((2, 5, 4), (2, 6, 7), (2, 6, 8))
LISTS = ((2, 5, 4), (2, 6, 3), (2, 6, 4))
CASES = {
    "dot": ("Attention", {}, {}, "qv", LISTS),
    "dot causal": ("Attention", {"use_scale": True}, {"use_causal_mask": True}, "v", LISTS),
    "dot two": ("Attention", {}, {"return_attention_scores": True}, "", (LISTS[0], LISTS[2])),
    "concat": ("Attention", {"use_scale": True, "score_mode": "concat"}, {"use_causal_mask": True}, "qv", LISTS),
    "additive": ("AdditiveAttention", {}, {"return_attention_scores": True}, "qv", LISTS),
    "additive plain": ("AdditiveAttention", {"use_scale": False}, {"use_causal_mask": True}, "", LISTS),
    "heads": ("MultiHeadAttention", HEADS, {}, "", THREE),
    "heads two": ("MultiHeadAttention", HEADS | {"use_bias": False}, {"use_causal_mask": True}, "", THREE[:2]),
    "heads masked": ("MultiHeadAttention", HEADS, {"use_causal_mask": True}, "qvk", THREE),
    "heads scores": ("MultiHeadAttention", HEADS, {"return_attention_scores": True}, "vk", THREE),
    "heads causal scores": (
        "MultiHeadAttention",
        HEADS | {"value_dim": 5},
        {"return_attention_scores": True, "use_causal_mask": True},
        "",
        THREE,
    ),
    "heads gate": ("MultiHeadAttention", HEADS | {"use_gate": True, "sliding_window": 2}, {}, "v", THREE),
    "heads output": ("MultiHeadAttention", HEADS | {"output_shape": (2, 3)}, {"attention_mask": True}, "q", THREE),
    "heads axes": ("MultiHeadAttention", HEADS | {"attention_axes": (2,)}, {}, "", ((2, 3, 4, 5), (2, 3, 6, 5))),
    "heads planes": ("MultiHeadAttention", HEADS, {"return_attention_scores": True}, "", ((2, 3, 4, 5), (2, 2, 3, 5))),
    "groups": ("GroupQueryAttention", GROUPS, {}, "", THREE),
    "groups masked": ("GroupQueryAttention", GROUPS | {"use_gate": True}, {"use_causal_mask": True}, "qvk", THREE),
    "groups scores": (
        "GroupQueryAttention",
        GROUPS | {"sliding_window": 3},
        {"return_attention_scores": True, "attention_mask": True},
        "v",
        THREE,
    ),
}


def arrange(case, rng):
    name, kwargs, call, masked, shapes = CASES[case]
    inputs = [rng.normal(size=shape).astype("float32") for shape in shapes]
    masks = {}
    for letter, array in zip("qvk", inputs, strict=False):
        if letter in masked:
            masks[letter] = rng.random(array.shape[:2]) > 0.3
            masks[letter][:, 0] = True
    call = dict(call)
    if call.get("attention_mask") is True:
        call["attention_mask"] = rng.random((2, shapes[0][1], shapes[1][1])) > 0.3
        call["attention_mask"][..., 0] = True
    if name in ("Attention", "AdditiveAttention"):
        args = (inputs,)
        call["mask"] = [masks.get("q"), masks.get("v")] if masks else None
    else:
        args = tuple(inputs)
        call |= {f"{full}_mask": masks[full[0]] for full in ("query", "value", "key") if full[0] in masks}
    return name, kwargs, args, call


@pytest.mark.parametrize("case", CASES)
def test_equals_keras(case, rng):
    name, kwargs, args, call = arrange(case, rng)
    layer, theirs = OURS[name](**kwargs), getattr(keras.layers, name)(**kwargs)
    theirs.build([x.shape for x in args[0]] if len(args) == 1 else args[0].shape, *(x.shape for x in args[1:]))
    described = runtime.describe(layer, *args, **call).weights
    prefix = theirs.name + "/"
    assert ["/".join(w.path) for w in described] == [w.path.removeprefix(prefix) for w in theirs.weights]
    assert [w.shape for w in described] == [tuple(w.shape) for w in theirs.weights]
    values = [rng.normal(size=w.shape, scale=0.5).astype("float32") for w in described]
    variables = {"params": nested(described, values), "state": {}}

    def loss(variables, args):
        outputs = layer.apply(variables, *args, **call)
        return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs)), outputs

    def keras_loss(weights, args):
        kwargs = dict(call)
        if name == "MultiHeadAttention" and "query_mask" in call:  # which it takes from the tensor only
            keras.src.backend.set_keras_mask(args[0], jnp.asarray(kwargs.pop("query_mask")))
        outputs, _ = theirs.stateless_call(weights, [v.value for v in theirs.non_trainable_variables], *args, **kwargs)
        return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs)), outputs

    args = jax.tree.map(jnp.asarray, args)
    (_, outputs), gradients = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(variables, args)
    (_, wanted), wanted_gradients = jax.jit(jax.value_and_grad(keras_loss, (0, 1), has_aux=True))(values, args)
    flat = [follow(gradients[0]["params"], w.path) for w in described]
    ours = jax.tree.leaves((outputs, flat, gradients[1]))
    for one, other in zip(ours, jax.tree.leaves((wanted, wanted_gradients)), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5, rtol=2e-5)


def nested(described, values):
    tree = {}
    for info, value in zip(described, values, strict=True):
        at = tree
        for part in info.path[:-1]:
            at = at.setdefault(part, {})
        at[info.path[-1]] = jnp.asarray(value)
    return tree


def follow(tree, path):
    for part in path:
        tree = tree[part]
    return tree


@pytest.mark.parametrize("case", ["dot", "concat", "additive", "heads gate", "heads axes", "groups scores"])
def test_configuration_is_that_of_keras(case):
    name, kwargs, *_ = CASES[case]
    config = OURS[name](**kwargs, name="it").get_config()
    expected = getattr(keras.layers, name)(**kwargs, name="it").get_config()
    assert set(config) == set(expected)
    assert {k: v for k, v in config.items() if not isinstance(v, dict)} == {
        k: list(v) if isinstance(v, tuple) else v for k, v in expected.items() if not isinstance(v, dict)
    }
    assert OURS[name].from_config(config).get_config() == config


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


@pytest.mark.parametrize("name", OURS)
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
