"""Normalization layers against Keras."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import SOME_FLOAT32, case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

X, IMAGE = (4, 3, 6), (2, 3, 4, 6)
PLAIN = {"center": False, "scale": False}
CASES = {
    "batch": case("BatchNormalization", {}, IMAGE, unknown=(1, 2)),
    "batch flat": case("BatchNormalization", {"momentum": 0.5, "epsilon": 0.01, "beta_regularizer": "l2"}, (5, 3)),
    "batch plain": case("BatchNormalization", PLAIN, X),
    "batch axis": case("BatchNormalization", {"axis": 1}, IMAGE),
    "batch masked": case("BatchNormalization", {}, X, mask=True),
    "batch frozen": case("BatchNormalization", {"trainable": False}, X),
    "batch renorm": case("BatchNormalization", {"renorm": True, "moving_variance_initializer": "ones"}, X),
    "batch renorm clipped": case(
        "BatchNormalization",
        {
            "renorm": True,
            "renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.2},
            "renorm_momentum": 0.7,
            "scale": False,
        },
        X,
        mask=True,
    ),
    "batch renorm plain": case(
        "BatchNormalization", {"renorm": True, "renorm_clipping": {"rmax": 1}, "axis": 1} | PLAIN, IMAGE
    ),
    "layer": case("LayerNormalization", {}, X, mask=True, unknown=(1,)),
    "layer plain": case("LayerNormalization", PLAIN | {"epsilon": 0.1}, X),
    "layer axes": case("LayerNormalization", {"axis": [1, 3]}, IMAGE),
    "layer axes back": case("LayerNormalization", {"axis": [-1, -2], "gamma_constraint": "non_neg"}, IMAGE),
    "rms": case("RMSNormalization", {}, X, mask=True, unknown=(1,), keeps_mask=True),
    "rms axes": case("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, X, keeps_mask=True),
    "unit": case("UnitNormalization", {}, X, mask=True, unknown=(1,)),
    "unit axes": case("UnitNormalization", {"axis": [1, 2]}, X),
    "group": case("GroupNormalization", {"groups": 2}, IMAGE, unknown=(1, 2)),
    "group each": case("GroupNormalization", {"groups": -1, "epsilon": 0.1}, X, mask=True),
    "group axis": case("GroupNormalization", {"groups": 3, "axis": 1} | PLAIN, (2, 6, 4, 2)),
    "spectral": case(
        "SpectralNormalization",
        lambda kind: {"layer": kind["Dense"](2), "power_iterations": 2},
        X,
        training="only",  # Keras normalises no kernel in inference, where it has overwritten it before
        nested=True,
        order=(1, 0, 2),
    ),
    "normalization": case("Normalization", {"mean": 1.5, "variance": 4.0}, X),
    "normalization each": case("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 0.0]}, (2, 3)),
    "normalization invert": case("Normalization", {"mean": 1.5, "variance": 4.0, "axis": None, "invert": True}, X),
}


def normalization(draw: Draw):
    """Any normalization with any arguments."""
    name = draw.of("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization")
    rank = draw.size(1, 3)
    shape = (draw.size(2, 4), *(2 * size for size in draw.sizes(rank, 1, 3)))
    axis = draw.of(-1, draw.size(1, rank))
    arguments = {"axis": axis, "epsilon": draw.of(1e-3, 1e-2, 0.1)}
    if name == "RMSNormalization":  # along another axis than the last Keras fails
        return case(name, arguments | {"axis": -1}, shape, keeps_mask=True)
    arguments |= draw.some(center=(True, False), scale=(True, False)) | draw.weights("beta", "gamma")
    mask = False
    if name == "LayerNormalization" and rank > 1 and draw.of(True, False):
        arguments["axis"] = [1, rank]
    if name == "GroupNormalization":
        arguments["groups"] = draw.of(1, 2, -1)
    if name == "BatchNormalization":
        arguments |= {"momentum": draw.of(0.5, 0.9, 0.99), "renorm": draw.of(True, False)}
        mask = rank == 2 and axis in (-1, 2) and draw.of(True, False)
    return case(name, arguments, shape, mask=mask)


DRAWN = drawn(normalization, 12)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["batch", "layer"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng, SOME_FLOAT32)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()} | {"SpectralNormalization"}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.BatchNormalization(momentum=2), r"momentum=2.*\[0, 1\]"),
    (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1, "rmin": 2}),
        r"renorm_clipping.*'dmax'",
    ),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), r"renorm_clipping=.*'max'.*'rmin'"),
    (lambda: layers.BatchNormalization(renorm_momentum=2), r"renorm_momentum=2.*\[0, 1\]"),
    (lambda: layers.LayerNormalization("last"), r"axis='last'.*axis"),
    (lambda: layers.Normalization(mean=1.0), r"variance"),
    (lambda: layers.SpectralNormalization(layers.Dense(2), power_iterations=0), r"power_iterations=0"),
]
IMPOSSIBLE = [
    (layers.BatchNormalization(axis=3), [(4,)], r"axis=3"),
    (layers.GroupNormalization(4), [(6,)], r"groups=4.*6 channels"),
    (layers.Normalization(), [(4,)], r"adapt"),
    (layers.Normalization(3, 1.0, 1.0), [(4,)], r"axis=\(3,\)"),
    (layers.SpectralNormalization(layers.Flatten()), [(4,)], r"no kernel"),
]


@pytest.mark.parametrize(("make", "words"), WRONG)
def test_wrong_arguments_fail_at_once(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make()


@pytest.mark.parametrize(("layer", "shapes", "words"), IMPOSSIBLE)
def test_impossible_shapes_fail_when_the_layer_is_applied(layer, shapes, words):
    inputs = [layers.Input(shape) for shape in shapes]
    with pytest.raises(errors.InputError, match=words):
        layer(inputs if len(inputs) > 1 else inputs[0])


def test_old_root_mean_square_scaling_equals_keras(rng):
    x = rng.normal(size=(2, 5)).astype("float32")
    with pytest.warns(UserWarning, match="rms_scaling"):
        expected = (theirs := keras.layers.LayerNormalization(rms_scaling=True))(x)
    ours = layers.LayerNormalization(rms_scaling=True)
    variables = ours.init(0, x)
    assert list(variables["params"]) == ["gamma"]
    np.testing.assert_allclose(ours.apply(variables, x), expected, rtol=1e-5)
    assert set(ours.get_config()) == set(theirs.get_config())


def test_spectral_normalization_of_an_empty_kernel():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    variables = layer.init(0, (1, 3))
    outputs, state = layer.apply(variables, jnp.ones((1, 3)), training=True, return_state=True)
    np.testing.assert_array_equal(outputs, np.zeros((1, 2)))
    np.testing.assert_array_equal(state["vector_u"], variables["state"]["vector_u"])


@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
def test_adapt_equals_keras_and_leaves_the_layer_as_it_was(axis, rng):
    data = rng.normal(3, 2, (20, 3, 4)).astype("float32")
    theirs = keras.layers.Normalization(axis=axis)
    theirs.adapt(data)
    layer = layers.Normalization(axis=axis)
    ours = layer.adapt(data)
    assert layer.mean is None
    np.testing.assert_allclose(ours(data), theirs(data), rtol=1e-4, atol=1e-5)
    batches = layer.adapt([data[:7], data[7:]])
    np.testing.assert_allclose(batches(data), ours(data), rtol=1e-4, atol=1e-5)
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
