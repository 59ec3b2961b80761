"""Built-in layers equal Keras's: outputs, gradients, weights, state, configuration, shapes, types."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.graph import runtime
from jkeras.training.state import flatten, merge

SPACE = (7, 5, 6)


def case(name, shape, **arguments):
    return pytest.param(name, shape, arguments, id=f"{name}-{'-'.join(f'{k}={v}' for k, v in arguments.items())}"[:90])


CASES = [
    case("Dense", (2, 4), units=3, activation="relu"),
    case("Dense", (2, 3, 4), units=3, use_bias=False),
    case("Activation", (2, 4), activation="tanh"),
    case("Identity", (2, 3)),
    case("Masking", (2, 3, 4)),
    case("Conv1D", (2, 8, 3), filters=4, kernel_size=3, padding="causal", dilation_rate=2),
    case("Conv1D", (2, 8, 3), filters=4, kernel_size=3, strides=2, activation="relu"),
    case("Conv2D", (2, 7, 8, 3), filters=4, kernel_size=3, padding="same", strides=2),
    case("Conv2D", (2, 9, 8, 4), filters=4, kernel_size=(3, 2), groups=2, dilation_rate=2),
    case("Conv2D", (2, 6, 6, 1), filters=4, kernel_size=3),
    case("Conv2D", (2, 6, 6, 3), filters=4, kernel_size=1),
    case("Conv3D", (1, 4, 4, 4, 2), filters=2, kernel_size=2),
    case("Conv1DTranspose", (2, 5, 3), filters=4, kernel_size=3, strides=2, padding="same"),
    case("Conv2DTranspose", (2, 5, 4, 3), filters=4, kernel_size=3, strides=2),
    case("Conv2DTranspose", (2, 5, 4, 3), filters=4, kernel_size=4, strides=3, padding="same", output_padding=1),
    case("Conv2DTranspose", (2, 5, 4, 3), filters=4, kernel_size=3, dilation_rate=2),
    case("Conv3DTranspose", (1, 3, 3, 3, 2), filters=2, kernel_size=2, strides=2),
    case("DepthwiseConv1D", (2, 6, 3), kernel_size=3, depth_multiplier=2),
    case("DepthwiseConv2D", (2, 6, 7, 3), kernel_size=3, padding="same", strides=2),
    case("SeparableConv1D", (2, 6, 3), filters=4, kernel_size=3),
    case("SeparableConv2D", (2, 6, 6, 3), filters=4, kernel_size=3, depth_multiplier=2),
    *(
        case(f"{kind}Pooling{rank}D", (2, *SPACE[:rank], 3), pool_size=2, padding=padding, strides=strides)
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
        for padding, strides in (("same", 1), ("valid", None))
    ),
    *(
        case(f"Global{kind}Pooling{rank}D", (2, *SPACE[:rank], 3), keepdims=rank == 2)
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    ),
    *(
        case(f"Adaptive{kind}Pooling{rank}D", (2, *SPACE[:rank], 3), output_size=3)
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    ),
    case("BatchNormalization", (4, 5, 3)),
    case("BatchNormalization", (4, 5, 3), axis=1, scale=False, momentum=0.7),
    case("LayerNormalization", (4, 5, 3)),
    case("LayerNormalization", (4, 5, 3), axis=[1, 2]),
    case("GroupNormalization", (4, 5, 6), groups=2),
    case("RMSNormalization", (4, 5, 3)),
    case("UnitNormalization", (4, 5)),
    case("Flatten", (2, 3, 4)),
    case("Flatten", (2, 3, 4, 2), data_format="channels_first"),
    case("Reshape", (2, 3, 4), target_shape=(6, -1)),
    case("Permute", (2, 3, 4), dims=(2, 1)),
    case("RepeatVector", (2, 3), n=3),
    case("ZeroPadding1D", (2, 3, 4), padding=(1, 2)),
    case("ZeroPadding2D", (2, 3, 4, 1), padding=((1, 2), (0, 1))),
    case("ZeroPadding3D", (2, 3, 4, 2, 1), padding=1),
    case("Cropping1D", (2, 5, 4), cropping=1),
    case("Cropping2D", (2, 5, 6, 1), cropping=(1, 2)),
    case("Cropping3D", (2, 3, 4, 5, 1), cropping=1),
    case("ReLU", (2, 3), max_value=1.0, negative_slope=0.1),
    case("LeakyReLU", (2, 3)),
    case("ELU", (2, 3), alpha=0.5),
    case("PReLU", (2, 3, 4), shared_axes=[1]),
    case("Softmax", (2, 3)),
    *(
        case(name, [(2, 3, 4), (2, 3, 4)])
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    ),
    case("Concatenate", [(2, 3, 4), (2, 2, 4)], axis=1),
    case("Dot", [(2, 3, 4), (2, 4, 5)], axes=(2, 1)),
    case("Dot", [(2, 4), (2, 4)], axes=1, normalize=True),
]
# Only in inference: what they do in training is random.
QUIET = [
    case("Dropout", (2, 3), rate=0.5),
    case("SpatialDropout1D", (2, 3, 3), rate=0.5),
    case("SpatialDropout2D", (2, 3, 3, 1), rate=0.5),
    case("SpatialDropout3D", (2, 3, 3, 1, 1), rate=0.5),
    case("GaussianDropout", (2, 3), rate=0.5),
    case("GaussianNoise", (2, 3), stddev=0.5),
    case("AlphaDropout", (2, 3), rate=0.5),
]


def inputs_like(shape, rng):
    if isinstance(shape, list):
        return [jnp.asarray(rng.normal(size=s), jnp.float32) for s in shape]
    return jnp.asarray(rng.normal(size=shape), jnp.float32)


def both(name, shape, arguments, rng):
    """Our layer and Keras's with the same weights, the inputs, and our variables."""
    x = inputs_like(shape, rng)
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    theirs.build([s for s in shape] if isinstance(shape, list) else shape)
    described = runtime.describe(ours, x).weights
    assert [info.path[-1] for info in described] == [weight.name for weight in theirs.weights]
    assert [info.shape for info in described] == [tuple(weight.shape) for weight in theirs.weights]
    variables = ours.init(0, x)
    values = {}
    for info, weight in zip(described, theirs.weights, strict=True):
        value = np.abs(rng.normal(size=info.shape)).astype("float32") + 0.1
        values[info.name] = jnp.asarray(value)
        weight.assign(value)
    return ours, theirs, x, {name: merge(tree, values) for name, tree in variables.items()}


def weighted(outputs):
    return jnp.sum(outputs * jnp.cos(jnp.arange(outputs.size, dtype=outputs.dtype)).reshape(outputs.shape))


@pytest.mark.parametrize("name, shape, arguments", CASES)
def test_equals_keras(name, shape, arguments, rng):
    ours, theirs, x, variables = both(name, shape, arguments, rng)
    normalizes = name == "BatchNormalization"

    def our_pass(params, x, training):
        given = {"params": params, "state": variables["state"]}
        outputs, state = ours.apply(given, x, training=training, return_state=True)
        return weighted(outputs), (outputs, state)

    def their_pass(trainable, x, training):
        frozen = [weight.value for weight in theirs.non_trainable_variables]
        options = {"training": training} if normalizes else {}
        outputs, state = theirs.stateless_call(trainable, frozen, x, **options)
        return weighted(outputs), (outputs, state)

    trainable = [weight.value for weight in theirs.trainable_variables]
    for training in (False, True) if normalizes else (False,):
        (_, (got, state)), gradients = jax.jit(
            jax.value_and_grad(functools.partial(our_pass, training=training), argnums=(0, 1), has_aux=True)
        )(variables["params"], x)
        (_, (want, their_state)), their_gradients = jax.value_and_grad(
            functools.partial(their_pass, training=training), argnums=(0, 1), has_aux=True
        )(trainable, x)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(ours.apply(variables, x, training=training), got, rtol=1e-5, atol=1e-6)
        by_path = flatten(gradients[0])
        ordered = [by_path[i.name] for i in runtime.describe(ours, x).weights if i.collection == "params"]
        for mine, other in zip(ordered, their_gradients[0], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
        for mine, other in zip(jax.tree.leaves(gradients[1]), jax.tree.leaves(their_gradients[1]), strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
        for mine, other in zip(flatten(state).values(), their_state, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name, shape, arguments", QUIET)
def test_random_layers_rest_in_inference_and_act_in_training(name, shape, arguments, rng):
    layer = getattr(layers, name)(**arguments)
    x = inputs_like(shape, rng)
    np.testing.assert_array_equal(layer.apply({}, x), x)
    first, again, other = (layer.apply({}, x, training=True, rng=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, x) or not np.array_equal(other, x)
    assert getattr(keras.layers, name)(**arguments).get_config().keys() <= layer.get_config().keys()


@pytest.mark.parametrize("name, shape, arguments", CASES + QUIET)
def test_configuration_and_symbolic_shape(name, shape, arguments):
    layer, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    assert set(theirs.get_config()) - set(layer.get_config()) <= {"rms_scaling"}
    again = type(theirs).from_config({**layer.get_config(), "name": "again"})
    assert type(again) is type(theirs)
    unknown = [(None, *s[1:]) for s in shape] if isinstance(shape, list) else (None, *shape[1:])
    symbolic = [jk.Input(s[1:]) for s in unknown] if isinstance(shape, list) else jk.Input(unknown[1:])
    other = [keras.Input(s[1:]) for s in unknown] if isinstance(shape, list) else keras.Input(unknown[1:])
    assert layer(symbolic).shape == tuple(theirs(other).shape)


MIXED = [c for c in CASES if c.values[0] in ("Dense", "Conv2D", "LayerNormalization")]


@pytest.mark.parametrize("name, shape, arguments", MIXED)
def test_mixed_precision(name, shape, arguments, rng):
    layer = getattr(layers, name)(**arguments, dtype="mixed_bfloat16")
    x = inputs_like(shape, rng)
    variables = layer.init(0, x)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(variables)} == {"float32"}
    assert layer.apply(variables, x).dtype == jnp.bfloat16


def test_normalization_adapts():
    data = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    theirs = keras.layers.Normalization()
    theirs.adapt(data)
    ours = layers.Normalization().adapt(data)
    np.testing.assert_allclose(ours(data), theirs(data), rtol=1e-4, atol=1e-5)


def test_masks():
    model = jk.Sequential([jk.Input((3,)), layers.Embedding(5, 2, mask_zero=True), layers.GlobalAveragePooling1D()])
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    table = model.get_weights()[0]
    np.testing.assert_allclose(model(ids), [table[[1, 2]].mean(0), table[3]], rtol=1e-6)
