"""What layers say of their inputs is checked."""

import jax.numpy as jnp
import pytest

import jkeras as jk
from jkeras.errors import InputError


class Eights(jk.Layer):
    @property
    def input_spec(self):
        return jk.InputSpec(shape=(None, 8))

    def call(self, x):
        return x


def test_sizes_of_a_shape_are_checked():
    model = jk.Sequential([Eights()])
    assert model(jnp.zeros((2, 8))).shape == (2, 8)
    with pytest.raises(InputError, match=r"shape \(None, 7\).*expects size 8 on axis 1"):
        model(jnp.zeros((2, 7)))
