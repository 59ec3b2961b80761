"""Layers of the drop-in are Keras's objects: their variables are attributes, they run themselves, and what is set counts."""

from __future__ import annotations

import copy
import inspect
import pickle

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest

import jkeras as jk
from jkeras import keras
from jkeras.keras.layer_state import parted_variables

L = keras.layers
X = np.ones((8, 4), "float32")


class Scale(keras.Layer):
    """Made as Keras's guides make layers."""

    def __init__(self, start="ones", **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer=self.start, name="gain")

    def call(self, x):
        self.calls.assign(self.calls + 1)
        return x * self.gain

    def total(self):
        return keras.ops.sum(self.gain)


def test_attributes_of_a_users_layer_are_variables_from_the_line_that_makes_them():
    layer = Scale()
    layer(X)
    layer(X)
    assert [weight.path for weight in layer.weights] == ["scale/gain", "scale/calls"] and float(layer.calls) == 2
    assert float(layer.total()) == 4
    assert layer.get_build_config() == {"input_shape": (8, 4)} and layer.get_config()["start"] == "ones"


@pytest.mark.parametrize(
    ("layer", "inputs", "paths"),
    [
        (lambda: L.Dense(3), X, ["kernel", "bias"]),
        (lambda: L.BatchNormalization(), X, ["gamma", "beta", "moving_mean", "moving_variance"]),
        (lambda: L.Embedding(5, 2), np.array([[1]]), ["embeddings"]),
        (lambda: L.LSTM(2), X[None], ["lstm_cell/kernel", "lstm_cell/recurrent_kernel", "lstm_cell/bias"]),
        (lambda: L.SpectralNormalization(L.Dense(2)), X, ["dense/kernel", "vector_u", "dense/bias"]),
    ],
)
def test_weights_of_built_in_layers_are_attributes(layer, inputs, paths):
    layer = layer()
    layer(inputs)
    names = [weight.path.split("/", 1)[1].replace("_1", "").replace("_2", "") for weight in layer.weights]
    assert names == paths
    found = layer
    for name in paths[0].replace("lstm_cell", "cell").replace("dense/", "layer/").split("/"):
        found = getattr(found, name)
    assert found is layer.weights[0]


@pytest.mark.parametrize("base", [L.Dropout, L.GaussianDropout, L.AlphaDropout, L.Dense, L.LayerNormalization, L.LSTM])
def test_a_subclass_without_a_body_behaves_as_its_base(base):
    cls = type("Own", (base,), {})
    layer = cls() if base is L.LayerNormalization else cls(0.5 if "Dropout" in base.__name__ else 3)
    inputs = X[None] if base is L.LSTM else X
    assert isinstance(layer, base) and layer(inputs).shape[0] == len(inputs)
    revived = cls.from_config(layer.get_config())
    assert type(revived) is cls and revived.get_config() == layer.get_config()


@pytest.mark.parametrize("base", [L.SimpleRNNCell, L.GRUCell, L.LSTMCell])
def test_a_cell_with_a_call_of_its_own_runs_in_a_loop(base):
    class Doubled(base):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training=training)
            return output * 2, states

    sequences = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    plain, doubled = L.RNN(base(3)), L.RNN(Doubled(3))
    first = plain(sequences)
    doubled.build(sequences.shape)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(doubled(sequences), 2 * first, rtol=1e-5, atol=1e-6)


def test_what_is_set_later_counts():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, activation="softmax")])
    np.testing.assert_allclose(np.asarray(model(X)).sum(), 8, rtol=1e-5)
    model.layers[-1].activation = None
    expected = X @ model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(model(X), expected, rtol=1e-5)
    normalization = L.BatchNormalization(momentum=0.9)
    normalization.momentum = 0
    normalization(X * 3, training=True)
    np.testing.assert_allclose(normalization.moving_mean, [3, 3, 3, 3])
    frozen = L.Dense(2)
    frozen(X)
    frozen.trainable = False
    assert frozen.trainable_weights == [] and len(frozen.non_trainable_weights) == 2


def test_a_built_layer_keeps_its_width():
    layer = L.Dense(4)
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        keras.Sequential([keras.Input((5,)), layer])
    with pytest.raises(ValueError, match="You cannot add new elements of state"):
        layer.more = L.Dense(1)


def test_keywords_alone_and_masks_on_arrays():
    assert L.Dense(2)(inputs=X).shape == (8, 2)
    sequence = np.ones((1, 3, 4), "float32")
    assert L.MultiHeadAttention(2, 4)(query=sequence, value=sequence, key=sequence).shape == (1, 3, 4)
    embedding = L.Embedding(5, 3, mask_zero=True)
    assert embedding(np.array([[1, 0]]))._keras_mask.tolist() == [[True, False]]
    assert embedding.compute_mask(np.array([[1, 0]])).tolist() == [[True, False]]
    masked = L.LSTM(2, return_sequences=True)(embedding(np.array([[1, 0]])))
    assert masked._keras_mask.tolist() == [[True, False]]


def test_a_symbolic_call_does_not_run_call_where_shapes_are_known():
    class Sum(keras.Layer):
        runs = 0

        def build(self, a_shape, b_shape):
            self.shapes = (a_shape, b_shape)

        def call(self, a, b):
            Sum.runs += 1
            return a + b

        def compute_output_shape(self, a_shape, b_shape):
            return a_shape

    layer, tensor = Sum(), keras.Input((2,))
    assert layer(tensor, tensor).shape == (None, 2) and layer.shapes == ((None, 2), (None, 2)) and Sum.runs == 0


def test_a_random_function_without_a_seed_is_refused_in_a_program():
    class Noisy(keras.Layer):
        def call(self, x):
            return x + keras.random.normal(x.shape)

    with pytest.raises(ValueError, match="SeedGenerator"):
        Noisy()(keras.Input((4,)))


def test_defaults_of_call_are_honoured():
    class Doubling(keras.Layer):
        def call(self, x, training=True):
            return x * 2 if training else x

    assert float(Doubling()(X).sum()) == 64 and float(Doubling()(X, training=False).sum()) == 32


def test_states_of_recurrent_layers_stay_and_are_no_weights():
    layer = L.LSTM(2, stateful=True)
    first = layer(X[None])
    assert [weight.shape for weight in layer.get_weights()] == [(4, 8), (2, 8), (8,)] and len(layer.states) == 2
    assert not np.allclose(layer(X[None]), first)
    layer.reset_state()
    np.testing.assert_allclose(layer(X[None]), first, rtol=1e-6)


def test_losses_are_those_of_the_last_call():
    layer = L.Dense(2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(1.0))
    layer(X)
    assert [float(loss) for loss in layer.losses] == [8.0]

    class Adding(keras.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return x

    adding = Adding()
    adding(X)
    adding(2 * X)
    assert [float(loss) for loss in adding.losses] == [64.0]


def test_a_stateless_call_changes_nothing():
    layer = L.BatchNormalization()
    layer.build((None, 4))
    outputs, others = layer.stateless_call(layer.trainable_variables, layer.non_trainable_variables, X, training=True)
    np.testing.assert_allclose(others[0], [0.01] * 4, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, [0] * 4)
    grads = jax.grad(lambda values: layer.stateless_call(values, others, X)[0].sum())(layer.trainable_variables)
    assert [grad.shape for grad in grads] == [(4,), (4,)] and outputs.shape == X.shape


@pytest.mark.parametrize("make", [lambda: L.Dense(3), lambda: L.LSTM(2), lambda: L.MultiHeadAttention(2, 3)])
def test_copies_have_variables_of_their_own(make):
    layer = make()
    inputs = (X[None], X[None]) if isinstance(layer, L.MultiHeadAttention) else (X[None],)
    outputs = layer(*inputs)
    for clone in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_allclose(clone(*inputs), outputs, rtol=1e-6)
        clone.weights[0].assign(clone.weights[0] * 0)
        np.testing.assert_allclose(layer(*inputs), outputs, rtol=1e-6)


def test_variables_are_arguments_of_jax():
    variable = keras.Variable(np.arange(3.0))
    assert jax.jit(lambda array: array * 2)(variable).tolist() == [0, 2, 4]
    assert jnp.matmul(jnp.ones((2, 3)), variable).tolist() == [3, 3] and (variable == 1).tolist() == [
        False,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="StatelessScope"):
        jax.jit(lambda array: variable.assign(array))(jnp.ones(3))


def test_layers_that_adapt_change_in_place():
    normalization = L.Normalization()
    assert normalization.adapt(np.array([[1.0, 2.0], [3.0, 4.0]])) is None
    np.testing.assert_allclose(normalization(np.array([[1.0, 2.0]])), [[-1, -1]])
    assert [weight.name for weight in normalization.weights] == ["mean", "variance", "count"]
    text = L.TextVectorization(output_sequence_length=3)
    text.adapt(["a b", "b c"])
    assert np.asarray(text(["a b"])).tolist() == [[4, 2, 0]]
    assert np.asarray(L.StringLookup(vocabulary=["a", "b"])(np.array([["a"], ["q"]]))).tolist() == [[1], [0]]


def test_names_that_users_give_attributes_are_free():
    class Named(L.Wrapper):
        def __init__(self, layer):
            super().__init__(layer)
            self.inner, self.version, self.cells, self.states, self.description = L.Dense(3), 2, [1], 4, "own"

        def call(self, x):
            return self.inner(self.layer(x))

    layer = Named(L.Dense(2))
    assert layer(X).shape == (8, 3) and len(layer.weights) == 4 and layer.version == 2 and layer.description == "own"


def test_the_immutable_face_refuses_an_object():
    with pytest.raises(ValueError, match="jkeras.keras"):
        jk.Sequential([jk.layers.Input((4,)), L.Dense(2)]).init(0)


def test_tuples_of_configurations_stay_tuples():
    assert L.Conv2D(2, 3).get_config()["kernel_size"] == (3, 3)


def test_lists_of_cells_are_stacked_objects():
    layer = L.RNN([L.LSTMCell(3), Cell(4)])
    assert isinstance(layer.cell, L.StackedRNNCells) and layer(X[None]).shape == (1, 4)
    assert len(layer.trainable_variables) == 4


class Cell(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.state_size = self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.state_size))

    def call(self, inputs, states):
        output = inputs @ self.kernel + states[0]
        return output, [output]


def test_an_activity_regularizer_is_in_the_configuration():
    config = L.Identity(activity_regularizer="l2").get_config()
    assert L.Identity.from_config(config).activity_regularizer.get_config() == {"l2": pytest.approx(0.01)}
    assert "activity_regularizer" not in L.Identity().get_config()
    assert L.ActivityRegularization(l1=0.5).get_config()["l1"] == 0.5


@pytest.mark.parametrize("sizes", [(1,), (1, 2, 3), "1", -1])
def test_cropping_and_padding_take_pairs(sizes):
    for cls in (L.Cropping1D, L.ZeroPadding1D):
        with pytest.raises(ValueError, match="pairs of integers"):
            cls(sizes)


def test_the_dropout_mask_of_a_cell_can_be_overridden():
    class Blind(L.LSTMCell):
        def get_dropout_mask(self, step_input):
            return keras.ops.zeros_like(step_input)

    layer, x = L.RNN(Blind(3, dropout=0.5)), np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_allclose(layer(x, training=True), layer(0 * x))
    assert not np.allclose(layer(x), layer(0 * x))


def test_a_shape_that_may_fit_is_not_refused():
    for module, given in ((jk, jk.Input((None,))), (keras, keras.Input((None,)))):
        assert tuple(module.layers.Reshape((3, 5))(given).shape) == (None, 3, 5)
        assert tuple(module.layers.Reshape((-1, 5))(given).shape) == (None, None, 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("RepeatVector", "3"),
            ("UpSampling1D", 2.5),
            ("LayerNormalization", "1"),
            ("UnitNormalization", {"axis": -1}),
        ),
        ("UnitNormalization", 1.5),
        ("Dot", "a"),
        *((f"Adaptive{kind}Pooling{rank}D", 1.5) for kind in ("Average", "Max") for rank in (1, 2, 3)),
    ],
)
def test_arguments_of_another_type_raise_what_keras_raises(name, value):
    with pytest.raises(TypeError):
        getattr(oracle.layers, name)(value)
    with pytest.raises(TypeError, match="Expected an? "):
        getattr(L, name)(value)


@pytest.mark.parametrize("name", ["cholesky", "cholesky_inverse", "inv", "det", "solve", "solve_triangular"])
def test_symbolic_matrices_have_to_be_square(name):
    function = getattr(keras.ops, name)
    others = [keras.KerasTensor((None, 4, 2))] if "solve" in name else []
    shape = {"det": (None,)}.get(name, (None, 4, 2 if others else 4))
    assert function(keras.KerasTensor((None, 4, 4)), *others).shape == shape
    for wrong in ((None, 4, 3), (None, None, 4), (4,)):
        with pytest.raises(ValueError, match=name):
            function(keras.KerasTensor(wrong), *others)


def test_inverses_of_many_matrices_at_once():
    roots = np.linalg.cholesky(np.eye(3) + 0.1 * np.ones((2, 3, 3))).astype("float32")
    expected = np.linalg.inv(roots @ roots.swapaxes(-1, -2))
    np.testing.assert_allclose(keras.ops.cholesky_inverse(roots), expected, rtol=1e-4, atol=1e-5)
    upper = roots.swapaxes(-1, -2)
    np.testing.assert_allclose(keras.ops.cholesky_inverse(upper, upper=True), expected, rtol=1e-4, atol=1e-5)


def test_errors_name_layers_without_weights_and_the_shapes_that_were_given():
    pooling = keras.layers.MaxPooling2D(5, name="pool")
    with pytest.raises(ValueError, match=r"^pool \(MaxPooling2D\) .* shape \(1, 3, 3, 1\)"):
        pooling(np.ones((1, 3, 3, 1), "float32"))
    with pytest.raises(ValueError, match=r"^pool \(MaxPooling2D\) .* shape \(None, 3, 3, 1\)"):
        pooling(keras.Input((3, 3, 1)))


def test_a_model_of_strings():
    hashing = keras.layers.Hashing(3, output_mode="one_hot")
    hashed = hashing(keras.Input((1,), dtype="string"))
    assert (hashed.shape, hashed.dtype) == ((None, 3), "float32") and hashing(np.array([["a"]])).shape == (1, 3)
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"])
    inputs = keras.Input((2,), dtype="string")
    functional = keras.Model(inputs, lookup(inputs))
    sequential = keras.Sequential([keras.Input((2,), dtype="string"), lookup])
    for model in (functional, sequential):
        assert np.asarray(model(np.array([["b", "z"]]))).tolist() == [[2, 0]]
    with pytest.raises(ValueError, match=r"cannot read strings.*`x = layer\(texts\)`"):
        jk.Input((2,), dtype="string")


@pytest.mark.parametrize("layer", [L.MultiHeadAttention(2, 4), L.GroupQueryAttention(4, 4, 4)])
def test_projections_draw_apart_from_an_initializer_without_seed(layer):
    layer.kernel_initializer = keras.initializers.TruncatedNormal(stddev=0.02)
    layer.build((2, 3, 8), (2, 3, 8))
    assert not np.allclose(layer.query.kernel, layer.key.kernel)


class Holder(keras.Layer):
    """A user's layer whose part is quantised by the policy that it is given."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = L.Dense(4, dtype=self.dtype_policy, name="inner")

    def get_config(self):
        return super().get_config()

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize("default", [None, "mixed_float16", "object"])
def test_a_policy_map_takes_the_global_policy_of_its_making(default):
    """The global policy later is another's; the map's configuration still says that none was named."""
    maps = []
    for face in (keras, oracle):
        previous = face.config.dtype_policy()
        try:
            policies = face.dtype_policies.DTypePolicyMap(
                face.DTypePolicy("bfloat16") if default == "object" else default
            )
            face.config.set_dtype_policy("float16")
            written = face.saving.serialize_keras_object(policies)["config"]["default_policy"]
            written = written["config"]["name"] if isinstance(written, dict) else written
            maps.append((policies.name, policies["any"].name, repr(policies).split(" ", 3)[3], written))
        finally:
            face.config.set_dtype_policy(previous)
    assert maps[0] == maps[1]


def test_users_layers_say_themselves_what_is_inside():
    policies = keras.dtype_policies.DTypePolicyMap(policy_map={"holder/inner": "int8_from_float32"})
    written = keras.saving.serialize_keras_object(Holder(name="holder", dtype=policies))
    assert "inner_layers" not in written
    again = keras.saving.deserialize_keras_object(written, custom_objects={"Holder": Holder})
    assert isinstance(again, Holder)


# How layers with arguments that may be functions are made.
FUNCTIONS_IN = {
    "BatchNormalization": (), "Conv2D": (2, 1), "Conv2DTranspose": (2, 1), "ConvLSTM2D": (2, 1), "Dense": (3,),
    "DepthwiseConv2D": (1,), "EinsumDense": ("ab,bc->ac", 3), "Embedding": (3, 2), "GRU": (2,), "GRUCell": (2,),
    "GroupNormalization": (1,), "LSTM": (2,), "LSTMCell": (2,), "LayerNormalization": (), "MultiHeadAttention": (1, 2),
    "PReLU": (), "SeparableConv2D": (2, 1), "SimpleRNN": (2,), "SimpleRNNCell": (2,),
}  # fmt: skip
KINDS = ("regularizer", "constraint", "initializer", "activation")


class Kept:
    """A function as an object of the user's."""

    def __call__(self, w, *args, **kwargs):
        return w


@pytest.mark.parametrize("value", [lambda w, *args, **kwargs: w, Kept()], ids=["function", "object"])
@pytest.mark.parametrize("name", FUNCTIONS_IN)
def test_functions_stay_the_attributes_that_they_were_given_as(name, value):
    theirs, ours = getattr(oracle.layers, name), getattr(L, name)
    arguments = [a for a in inspect.signature(theirs).parameters if a.rpartition("_")[2] in KINDS]
    assert arguments
    for argument in arguments:
        layers = [cls(*FUNCTIONS_IN[name], **{argument: value}) for cls in (ours, theirs)]
        same = [getattr(layer, argument, None) is value for layer in layers]
        assert same[0] >= same[1], argument  # some attributes are private in Keras
    layer = L.Dense(3, kernel_regularizer=Kept(), bias_constraint=value)
    layer.build((None, 2))
    assert layer.kernel.regularizer is layer.kernel_regularizer and layer.bias.constraint is value


def walked(change=lambda model: None, extra=()):
    model = keras.Sequential([
        keras.Input((4,)),
        keras.Sequential([keras.layers.Dense(3), keras.layers.BatchNormalization()]),
        keras.layers.Dropout(0.5),
        *extra,
    ])  # fmt: skip
    change(model)
    return model


class OnlyTheFirst(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = keras.layers.Dense(2), keras.layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))

    @property
    def trainable_variables(self):
        return self.first.trainable_variables


def only_the_first():
    model = OnlyTheFirst()
    model(np.ones((1, 2), "float32"))
    return model


SHARED = keras.layers.Dense(4)


@pytest.mark.parametrize("make", [
    walked,
    lambda: walked(lambda model: setattr(model, "trainable", False)),
    lambda: walked(lambda model: setattr(model.layers[0], "trainable", False)),
    lambda: walked(lambda model: setattr(model.layers[0].layers[0].kernel, "trainable", False)),
    lambda: walked(extra=[SHARED, keras.layers.Reshape((1, 4)), keras.layers.LSTM(2, stateful=False)]),
    only_the_first,
])  # fmt: skip
def test_one_walk_finds_the_variables_that_both_properties_have(make):
    model = make()
    trainable, others = parted_variables(model)
    assert [id(variable) for variable in trainable] == [id(variable) for variable in model.trainable_variables]
    assert [id(variable) for variable in others] == [id(variable) for variable in model.non_trainable_variables]
    assert trainable or others
