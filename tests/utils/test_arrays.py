"""Conversions of arrays, against Keras's."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jkeras.errors import ArgumentError, InputError
from jkeras.utils import normalize, pack_x_y_sample_weight, to_categorical, unpack_x_y_sample_weight

LABELS = [
    [0, 2, 1],
    np.array([[0], [3]]),
    np.array([[0, 1], [2, 1]], np.uint8),
    np.float32([1.0, 0.0]),
    3,
    [[1]],
    np.zeros((0,), int),
]


@pytest.mark.smoke
@pytest.mark.parametrize("num_classes", [None, 5])
@pytest.mark.parametrize("labels", LABELS)
def test_to_categorical_equals_keras(labels, num_classes):
    if np.size(labels) == 0 and num_classes is None:
        with pytest.raises(InputError, match="needs `num_classes`"):
            to_categorical(labels)
        return
    ours, theirs = to_categorical(labels, num_classes), keras.utils.to_categorical(labels, num_classes)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("labels", [[0, 1, 3], [[2], [1]], [[1, 0], [2, 2]]])
def test_to_categorical_of_jax_arrays(labels):
    labels = jnp.asarray(labels)
    theirs = keras.utils.to_categorical(labels, 4)
    for ours in (to_categorical(labels, 4), jax.jit(lambda x: to_categorical(x, 4))(labels)):
        assert isinstance(ours, jax.Array) and ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert to_categorical(jnp.array([0, 2])).shape == (2, 3)
    with pytest.raises(ArgumentError, match="traced array needs `num_classes`"):
        jax.jit(to_categorical)(labels)


@pytest.mark.parametrize(("labels", "num_classes"), [([0, 3], 3), ([-1, 0], None), (jnp.array([7]), 3)])
def test_to_categorical_out_of_range(labels, num_classes):
    with pytest.raises(InputError, match="they must be from 0 to"):
        to_categorical(labels, num_classes)


ARRAYS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=3, max_side=4),
    elements=st.integers(-3, 3).map(float),
)


@settings(deadline=None, max_examples=40)
@given(x=ARRAYS, order=st.sampled_from([1, 2, np.inf]))
def test_normalize_equals_keras(x, order):
    np.testing.assert_allclose(normalize(x, order=order), keras.utils.normalize(x, order=order), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalize_of_jax_arrays_equals_keras(rng, axis, order):
    x = jnp.asarray(rng.normal(size=(3, 4)).astype("float32")).at[1].set(0)
    ours = normalize(x, axis, order)
    assert isinstance(ours, jax.Array)
    np.testing.assert_allclose(ours, keras.utils.normalize(x, axis, order), rtol=1e-6)


def test_normalize_along_the_first_axis(rng):
    x = rng.normal(size=(3, 4))
    np.testing.assert_allclose(np.linalg.norm(normalize(x, axis=0), axis=0), np.ones(4))
    with pytest.raises(ArgumentError, match="integer of at least 1"):
        normalize(jnp.ones(3), order=0.5)


@pytest.mark.parametrize("parts", [(1,), ([1],), (1, 2), (1, 2, 3), ({"a": 1}, None), ((1, 2), None, None)])
def test_packing_equals_keras(parts):
    ours, theirs = pack_x_y_sample_weight(*parts), keras.utils.pack_x_y_sample_weight(*parts)
    assert ours == theirs
    assert unpack_x_y_sample_weight(ours) == keras.utils.unpack_x_y_sample_weight(theirs)
    assert unpack_x_y_sample_weight(list(ours) if isinstance(ours, tuple) else ours)


def test_unpacking_too_many_parts():
    with pytest.raises(InputError, match="a tuple of 4 parts"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
