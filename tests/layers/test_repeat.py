"""A stack in one loop against the same layers one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import constraints, errors, layers

DEPTH = 3


class Noisy(jk.Layer):
    """Counts its calls in training, adds a loss, draws random numbers."""

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")
        self.count = self.add_weight((), initializer="zeros", trainable=False, name="count")

    def call(self, x, training=False):
        if training:
            self.count = self.count + 1
            x = x + jax.random.normal(self.make_rng(), x.shape)
        self.add_loss(jnp.mean(x**2))
        return x * self.gain


def dense():
    return layers.Dense(4, activation="tanh", kernel_regularizer="l2", bias_constraint=constraints.NonNeg())


def model_inside():
    x = layers.Input((4,))
    y = layers.BatchNormalization(momentum=0.5)(x)
    return jk.Model(x, layers.Add()([x, layers.Dense(4)(layers.Dropout(0.0)(y))]))


def attending():
    x = layers.Input((5, 4))
    y = layers.MultiHeadAttention(2, 2)(layers.LayerNormalization()(x), x)
    return jk.Model(x, layers.Add()([x, y]))


KINDS = {
    "dense": (dense, (4,)),
    "model": (model_inside, (4,)),
    "attention": (attending, (5, 4)),
    "lstm": (lambda: layers.LSTM(4, return_sequences=True), (5, 4)),
    "convolution": (lambda: layers.Conv1D(4, 3, padding="same", activation="relu"), (5, 4)),
}


def pair(name, **options):
    """The stack, the same layers one by one, with the same weights, and data."""
    make, shape = KINDS[name]
    deep = jk.Sequential([layers.Input(shape), layers.Repeat(make(), DEPTH, **options)])
    plain = jk.Sequential([layers.Input(shape), *(make() for _ in range(DEPTH))])
    per_layer = len(plain.get_weights()) // DEPTH
    # Weights of state come last here, and last in each layer there.
    ordered = dict(zip(deep.weight_paths, deep.get_weights(), strict=True))
    names = [".".join(path.split("/")[1:]) for path in plain.weight_paths[:per_layer]]
    values = [ordered[f"repeat/{name}"][i] for i in range(DEPTH) for name in names]
    rng = np.random.default_rng(0)
    return deep, plain.set_weights(values), rng.normal(size=(12, *shape)).astype("float32")


def compiled(model):
    return model.compile(jk.optimizers.SGD(0.1), "mse", metrics=["mae"])


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("recompute", [False, True])
def test_equals_layers_one_by_one(name, recompute):
    deep, plain, x = pair(name, recompute=recompute)
    np.testing.assert_allclose(deep(x), plain(x), rtol=1e-5, atol=1e-6)
    y = np.cos(x)
    options = {"epochs": 2, "batch_size": 5, "shuffle": False, "verbose": 0}
    deep, plain = (compiled(model).fit(x, y, **options) for model in (deep, plain))
    for key, values in plain.history.items():
        np.testing.assert_allclose(deep.history[key], values, rtol=1e-5, err_msg=key)
    np.testing.assert_allclose(deep.predict(x, verbose=0), plain.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_each_layer_has_weights_and_random_numbers_of_its_own():
    layer = layers.Repeat(Noisy(), DEPTH)
    x = jnp.zeros((2, 4))
    variables = layer.init(0, x)
    outputs, state = layer.apply(variables, x, training=True, rng=jax.random.key(1), return_state=True)
    np.testing.assert_array_equal(state["count"], np.ones(DEPTH))
    # The sum of three draws: were they one and the same, all differences of outputs would be its multiples.
    single = [
        layers.Repeat(Noisy(), n).apply(layers.Repeat(Noisy(), n).init(0, x), x, training=True, rng=1) for n in (1, 2)
    ]
    assert not np.allclose(single[1], 2 * single[0])
    np.testing.assert_array_equal(outputs, layer.apply(variables, x, training=True, rng=jax.random.key(1)))
    assert np.std(layers.Repeat(layers.Dense(8), DEPTH).init(0, jnp.ones((1, 8)))["params"]["kernel"], axis=0).min() > 0
    kept = layers.Repeat(Noisy(), DEPTH, recompute=True)
    np.testing.assert_array_equal(outputs, kept.apply(variables, x, training=True, rng=jax.random.key(1)))


def test_recomputation_needs_less_memory():
    entry = layers.Input((4,))
    wide = jk.Model(entry, layers.Dense(4)(layers.Dense(256, activation="tanh")(entry)))
    x, needed = jnp.ones((64, 4)), []
    for recompute in (False, True):
        layer = layers.Repeat(wide, 16, recompute=recompute)
        variables = layer.init(0, x)

        def loss(variables, layer=layer):
            return jnp.sum(layer.apply(variables, x, training=True) ** 2)

        needed.append(jax.jit(jax.grad(loss)).lower(variables).compile().memory_analysis().temp_size_in_bytes)
    assert needed[1] < needed[0] / 3


def test_losses_of_all_layers_are_added():
    model = jk.Sequential([layers.Input((4,)), layers.Repeat(Noisy(), DEPTH)]).compile("sgd", "mse")
    x = np.ones((2, 4), "float32")
    assert model.evaluate(x, x, verbose=0) == pytest.approx(DEPTH)  # the outputs are the inputs: a loss of 1 each


def test_types_and_training_are_those_around():
    layer = layers.Repeat(layers.Dense(4), DEPTH, dtype="mixed_bfloat16", trainable=False)
    model = jk.Sequential([layers.Input((4,)), layer])
    assert model(np.ones((2, 4), "float32")).dtype == jnp.bfloat16
    assert [w.dtype for w in model.description.weights] == ["float32"] * 2 and not model.trainable_weights
    partly = jk.Sequential([layers.Dense(4, trainable=False), layers.Dense(4)])
    model = jk.Sequential([layers.Input((4,)), layers.Repeat(partly, 2)]).compile(jk.optimizers.SGD(0.1), "mse")
    x = np.ones((8, 4), "float32")
    after = model.fit(x, 2 * x, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), after.get_weights(), strict=True)]
    assert [w.trainable for w in model.description.weights] == moved and sum(moved) == 2


def test_freezing_and_sweeping_reach_inside():
    first = layers.Dense(4, kernel_regularizer=jk.regularizers.L2(0.1))
    inner = jk.Sequential([first, layers.Dropout(0.3), layers.Dense(4)])
    model = jk.Sequential([layers.Input((4,)), layers.Repeat(inner, 2), layers.Dense(1)])
    model = model.compile(jk.optimizers.SGD(0.1), "mse")
    x = np.ones((8, 4), "float32")
    frozen = model.freeze("repeat")
    after = frozen.fit(x, x[:, :1], verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), after.get_weights(), strict=True)]
    assert moved == [False] * 4 + [True] * 2 and frozen.weight_paths == model.weight_paths
    found = jk.sweep(model, l2=[0.0, 0.5], dropout=[0.0, 0.9]).fit(x, x[:, :1], verbose=0, epochs=2)
    assert len({row["loss"] for row in found.table}) == 4


def test_masks_reach_every_layer():
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])

    def build(middle):
        return jk.Sequential([layers.Input((4,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), *middle])

    deep = build([layers.Repeat(layers.LSTM(3, return_sequences=True), 2), layers.GlobalAveragePooling1D()])
    plain = build([*(layers.LSTM(3, return_sequences=True) for _ in range(2)), layers.GlobalAveragePooling1D()])
    table, *stacked = deep.get_weights()
    plain = plain.set_weights([table, *(w[i] for i in range(2) for w in stacked)])
    np.testing.assert_allclose(deep(tokens), plain(tokens), rtol=1e-5, atol=1e-6)


def test_files_and_flax(tmp_path):
    deep, _, x = pair("model")
    deep = compiled(deep).fit(x, x, verbose=0)
    for name in ("model.keras", "model.h5", "folder"):
        deep.save(tmp_path / name)
        again = jk.load_model(tmp_path / name)
        np.testing.assert_array_equal(again(x), deep(x))
        assert again.definition == deep.definition
    module, variables = deep.to_flax()
    np.testing.assert_allclose(module.apply(variables, x), deep(x), rtol=1e-6, atol=1e-6)
    per_step = jk.Sequential([layers.Input((5, 4)), layers.TimeDistributed(layers.Repeat(model_inside(), 2))])
    trained = per_step.compile("sgd", "mse").fit(np.ones((4, 5, 4)), np.ones((4, 5, 4)), verbose=0)
    assert any(not np.array_equal(a, b) for a, b in zip(per_step.get_weights(), trained.get_weights(), strict=True))


def test_bad_layers_are_refused():
    with pytest.raises(errors.InputError, match=r"samples of \(4,\) float32 into \(5,\) float32"):
        jk.Sequential([layers.Input((4,)), layers.Repeat(layers.Dense(5), 2)])
    with pytest.raises(errors.InputError, match="cannot follow itself"):
        layers.Repeat(layers.Embedding(3, 4), 2)(layers.Input((4,), dtype="int32"))
    with pytest.raises(errors.ArgumentError, match="times"):
        layers.Repeat(layers.Dense(5), 0)
    with pytest.raises(errors.ArgumentError, match="layer"):
        layers.Repeat("dense", 2)
