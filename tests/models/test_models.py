"""The three ways to define a model give the same model; models are values."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jkeras as jk
from jkeras import errors, layers


def sequential(units=5):
    return jk.Sequential([jk.Input((4,)), layers.Dense(units, activation="relu"), layers.Dense(2)])


def functional(units=5):
    x = jk.Input((4,))
    return jk.Model(x, layers.Dense(2)(layers.Dense(units, activation="relu")(x)))


class Subclass(jk.Model):
    def __init__(self, units=5):
        super().__init__()
        self.hidden = layers.Dense(units, activation="relu")
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        return self.out(self.hidden(x))


X = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)


@pytest.mark.smoke
def test_three_ways_give_the_same_numbers():
    first = sequential().init(3)
    for other in (functional(), Subclass().build((None, 4))):
        other = other.set_weights(first.get_weights())
        np.testing.assert_allclose(other(X), first(X), rtol=1e-6)
        assert [w.shape for w in other.get_weights()] == [(4, 5), (5,), (5, 2), (2,)]


@pytest.mark.parametrize("build", [sequential, functional, Subclass], ids=lambda build: build.__name__)
def test_equal_definitions_are_equal_and_others_are_not(build):
    assert build().definition == build().definition
    assert hash(build().definition) == hash(build().definition)
    assert build(5).definition != build(6).definition


@pytest.mark.parametrize("build", [sequential, functional], ids=lambda build: build.__name__)
def test_a_model_is_immutable(build):
    model = build()
    with pytest.raises(errors.FrozenError, match="immutable"):
        model.anything = 1
    with pytest.raises(errors.FrozenError):
        model.layers[-1].units = 7
    with pytest.raises(errors.FrozenError, match=r"replace\(units="):
        layers.Dense(3).units = 4


@pytest.mark.parametrize("build", [sequential, functional, Subclass], ids=lambda build: build.__name__)
def test_jit_vmap_and_grad_over_apply(build):
    model = build().build((None, 4))
    plain = model(X)
    np.testing.assert_allclose(jax.jit(model.apply)(model.params, X), plain, rtol=1e-6)
    mapped = jax.vmap(lambda x: model.apply(model.params, x[None])[0])(X)
    np.testing.assert_allclose(mapped, plain, rtol=1e-5, atol=1e-6)
    gradients = jax.grad(lambda p: jnp.sum(model.apply(p, X) ** 2))(model.params)
    chex.assert_trees_all_equal_shapes(gradients, model.params)


def test_a_model_is_a_pytree():
    model = sequential()
    leaves, structure = jax.tree.flatten(model)
    assert structure == jax.tree.flatten(sequential())[1]
    again = jax.tree.unflatten(structure, leaves)
    np.testing.assert_array_equal(again(X), model(X))
    np.testing.assert_allclose(jax.jit(lambda m, x: m(x))(model, X), model(X), rtol=1e-6)


def test_intermediate_outputs_have_the_trained_weights(rng):
    x = jk.Input((4,))
    hidden = layers.Dense(5, activation="tanh", name="features")(x)
    model = jk.Model(x, layers.Dense(1)(hidden)).compile("adam", "mse")
    model = model.fit(X, np.ones((3, 1), "float32"), epochs=2, verbose=0)
    features = jk.Model(inputs=model.input, outputs=model.get_layer("features").output)
    kernel, bias = model.get_layer("features").get_weights()
    np.testing.assert_allclose(features.predict(X, verbose=0), np.tanh(X @ kernel + bias), rtol=1e-5)


def test_shared_layers_share_by_identity():
    x = jk.Input((4,))
    shared = layers.Dense(4)
    once, twice = jk.Model(x, shared(x)), jk.Model(x, shared(shared(x)))
    apart = jk.Model(x, layers.Dense(4)(layers.Dense(4)(x)))
    assert once.count_params() == twice.count_params() == 20
    assert apart.count_params() == 40
    assert twice.definition != apart.definition


def test_sharing_inside_subclasses_is_by_identity():
    class Two(jk.Model):
        def __init__(self, same):
            super().__init__()
            self.a = layers.Dense(4)
            self.b = self.a if same else layers.Dense(4)

        def call(self, x):
            return self.b(self.a(x))

    assert Two(True).build((None, 4)).count_params() == 20
    assert Two(False).build((None, 4)).count_params() == 40
    assert Two(True) != Two(False)


def test_models_nest_and_bring_chosen_weights():
    inner = sequential().init(9)
    x = jk.Input((4,))
    outer = jk.Model(x, layers.Dense(3)(inner(x)))
    np.testing.assert_array_equal(outer.params["sequential"]["dense"]["kernel"], inner.params["dense"]["kernel"])
    assert outer.count_params() == inner.count_params() + 9


def test_structures_of_inputs_and_outputs():
    a, b = jk.Input((2,), name="a"), jk.Input((3,), name="b")
    model = jk.Model({"a": a, "b": b}, {"sum": layers.Dense(1)(a) + layers.Dense(1)(b), "first": a * 2.0})
    values = {"a": np.ones((5, 2)), "b": np.ones((5, 3))}
    outputs = model.predict(values, verbose=0)
    assert {name: value.shape for name, value in outputs.items()} == {"sum": (5, 1), "first": (5, 2)}
    with pytest.raises(errors.InputError, match=r"has the inputs \['a', 'b'\]"):
        model({"a": values["a"], "c": values["b"]})


def test_operators_on_symbolic_tensors():
    x = jk.Input((3,))
    y = 1.0 - (x + 2.0) * x / 4.0
    model = jk.Model(x, [y, x @ np.ones((3, 2), "float32"), x[:, 1:], -x, x**2, abs(x)])
    value = np.array([[1.0, -2.0, 3.0]], "float32")
    expected = [1 - (value + 2) * value / 4, value @ np.ones((3, 2)), value[:, 1:], -value, value**2, abs(value)]
    for result, want in zip(model(value), expected, strict=True):
        np.testing.assert_allclose(result, want, rtol=1e-6)


def test_symbolic_tensors_refuse_what_needs_values():
    x = jk.Input((3,))
    for use in (lambda: jnp.exp(x), lambda: np.asarray(x), lambda: bool(x == 1.0) or bool(x), lambda: list(x)):
        with pytest.raises((ValueError, TypeError)):  # JAX words its own refusal
            use()


def test_sequential_add_and_pop():
    model = jk.Sequential().add(layers.Dense(3, input_dim=4)).add(layers.Dense(2))
    assert len(model.layers) == 2 and model.output_shape == (None, 2)
    popped = model.init(1).pop()
    assert len(popped.layers) == 1
    np.testing.assert_array_equal(popped.get_weights()[0], model.init(1).get_weights()[0])
    assert len(model.layers) == 2
    with pytest.raises(errors.ArgumentError, match="no layers"):
        jk.Sequential().pop()


def test_old_shape_arguments():
    assert jk.Sequential([layers.Dense(2, input_shape=(3,))]).input_shape == (None, 3)
    assert jk.Sequential([layers.Dense(2, batch_input_shape=(7, 3))]).input_shape == (7, 3)


def test_deferred_build():
    model = jk.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    with pytest.raises(errors.NotBuiltError, match="shape of its input is not known"):
        model.get_weights()
    assert model(X).shape == (3, 2)
    assert model.build((None, 4)).count_params() == 23
    assert (
        model.build((None, 4)).definition
        == jk.Sequential([jk.Input((4,)), layers.Dense(3), layers.Dense(2)]).definition
    )


def test_names_are_deterministic():
    for _ in range(2):
        model = jk.Sequential(
            [jk.Input((4,)), layers.Dense(3), layers.ReLU(), layers.Dense(2, name="out"), layers.Dense(1)]
        )
        assert [layer.name for layer in model.layers] == ["dense", "re_lu", "out", "dense_1"]
    with pytest.raises(errors.ArgumentError, match="unique"):
        jk.Sequential([jk.Input((4,)), layers.Dense(3, name="a"), layers.Dense(3, name="a")])


def test_freeze():
    model = sequential().compile("sgd", "mse")
    frozen = model.freeze("dense")
    assert [info.trainable for info in frozen.description.weights] == [False, False, True, True]
    assert all(info.trainable for info in model.description.weights)
    trained = frozen.fit(X, np.ones((3, 2), "float32"), epochs=1, verbose=0)
    np.testing.assert_array_equal(trained.get_weights()[0], model.get_weights()[0])
    assert not np.array_equal(trained.get_weights()[2], model.get_weights()[2])
    assert frozen.unfreeze().definition == model.definition
    with pytest.raises(errors.ArgumentError, match="Did you mean 'dense'"):
        model.freeze("dens")


def test_state_is_updated_by_assignment():
    class Count(jk.Layer):
        mixes_samples = True

        def build(self, input_shape):
            self.seen = self.add_weight((), initializer="zeros", trainable=False, name="seen")

        def call(self, x, training=False):
            if training:
                self.seen = self.seen + 1
            return x

    model = jk.Sequential([jk.Input((4,)), Count(), layers.Dense(1)]).compile("sgd", "mse")
    trained = model.fit(X, np.ones((3, 1), "float32"), batch_size=1, epochs=2, verbose=0)
    assert float(trained.model_state["count"]["seen"]) == 6
    assert float(model.model_state["count"]["seen"]) == 0


def test_add_loss_and_regularizers_count():
    class Penalty(jk.Layer):
        def call(self, x):
            self.add_loss(jnp.mean(x**2))
            return x

    model = jk.Sequential([jk.Input((4,)), Penalty(), layers.Dense(1, kernel_regularizer="l2")]).compile("sgd", "mse")
    y = np.zeros((3, 1), "float32")
    kernel = model.get_weights()[0]
    expected = np.mean((X @ kernel) ** 2) + np.mean(X**2) + 0.01 * np.sum(kernel**2)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_layer_alone():
    layer = layers.Dense(3)
    with pytest.raises(errors.NotBuiltError, match=r"Sequential\(\[layer\]\)"):
        layer(X)
    variables = layer.init(0, X)
    assert layer.apply(variables, X).shape == (3, 3)
    np.testing.assert_array_equal(layers.ReLU()(X), np.maximum(X, 0))


def test_to_flax_gives_a_linen_module():
    model = jk.Sequential([jk.Input((4,)), layers.Dense(3), layers.Dropout(0.5)])
    module, variables = model.to_flax()
    np.testing.assert_array_equal(module.apply(variables, X), model(X))
    noisy = module.apply(variables, X, training=True, rngs={"dropout": jax.random.key(0)})
    assert not np.array_equal(noisy, model(X))


def test_wrong_shapes_name_the_layer_and_both_shapes():
    model = sequential()
    with pytest.raises(errors.InputError, match=r"\(3, 5\).*\(None, 4\)"):
        model(np.ones((3, 5)))
    with pytest.raises(errors.InputError, match="batch axis is missing"):
        model(np.ones(4))
    with pytest.raises(errors.InputError, match=r"conv2d|Conv2D"):
        layers.Conv2D(2, 3)(jk.Input((8, 8)))
    a, b = jk.Input((2,)), jk.Input((2,))
    with pytest.raises(errors.InputError, match="not among the model's inputs"):
        jk.Model(a, a + b)


def test_results_must_not_be_thrown_away():
    model = sequential()
    with pytest.raises(errors.DiscardedResultError, match=r"model = model.compile"):
        model.compile("adam", "mse")
    compiled = model.compile("adam", "mse")
    with pytest.raises(errors.DiscardedResultError, match=r"model = model.fit"):
        compiled.fit(X, np.ones((3, 2)), verbose=0)
    with pytest.raises(errors.DiscardedResultError, match=r"model = model.add"):
        model.add(layers.Dense(1))


@pytest.mark.filterwarnings("ignore:.*softmax over an axis of size 1")
@settings(max_examples=15)
@given(
    units=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    activation=st.sampled_from([None, "relu", "tanh", "softmax"]),
    bias=st.booleans(),
    rows=st.integers(1, 4),
)
def test_any_stack_of_layers(units, activation, bias, rows):
    def build():
        return jk.Sequential([jk.Input((3,)), *(layers.Dense(n, activation=activation, use_bias=bias) for n in units)])

    model = build()
    x = np.ones((rows, 3), "float32")
    outputs = model(x)
    chex.assert_shape(outputs, (rows, units[-1]))
    assert outputs.dtype == jnp.float32
    assert model.definition == build().definition
    again = jk.Sequential.from_config(model.get_config())
    assert again.definition == model.definition
    np.testing.assert_allclose(again.set_weights(model.get_weights())(x), outputs, rtol=1e-6)
    for layer in model.layers:
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_layers_that_are_attributes_come_with_their_weights(rng):
    class Coder(jk.Model):
        def __init__(self):
            super().__init__()
            self.encoder = jk.Sequential([layers.Input((3,)), layers.Dense(2)])
            self.decoders = [layers.Dense(3), layers.Dense(3)]

        def call(self, x):
            for decoder in self.decoders:
                y = decoder(self.encoder(x))
            return y

    x = rng.normal(size=(8, 3)).astype("float32")
    model = Coder().compile("sgd", "mse").fit(x, x, verbose=0, epochs=2)
    code = x @ model.params["encoder"]["dense"]["kernel"] + model.params["encoder"]["dense"]["bias"]
    np.testing.assert_allclose(model.encoder(x), code, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.encoder.predict(x, verbose=0), code, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.decoders[1](code), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert model.encoder is model.encoder
    alone = jk.Sequential([model.encoder, layers.Dense(1)])
    np.testing.assert_array_equal(alone.get_weights()[0], model.get_weights()[0])


def test_weights_can_be_made_inside_of_a_traced_function():
    net = jk.Sequential([layers.Input((3,)), layers.Dense(2)])
    shapes = jax.eval_shape(lambda: net.init(0).params)
    assert shapes["dense"]["kernel"].shape == (3, 2)
    made = jax.jit(lambda key: layers.Dense(2).init(key, (1, 3)))(jax.random.key(1))
    expected = layers.Dense(2).init(jax.random.key(1), (1, 3))  # by a program that is optimised otherwise
    np.testing.assert_allclose(made["params"]["kernel"], expected["params"]["kernel"], rtol=1e-6)


def test_what_a_model_costs():
    net = jk.Sequential([layers.Input((8,)), layers.Dense(16, use_bias=False, name="first"), layers.ReLU(name="relu")])
    printed = []
    net.compile("sgd", "mse").summary(print_fn=printed.append, show_cost=True)
    text = "\n".join(printed)
    row = next(line for line in text.splitlines() if "first" in line)
    assert "256" in row and "64.00 B" in row  # 2 * 8 * 16 operations; 16 floats
    assert "One training step of 32 samples" in text
