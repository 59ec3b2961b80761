"""What Python, NumPy and JAX can be asked to do with a symbolic tensor: it becomes part of the graph, or the error says what
to write."""

import copy
import math
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import InputError

# Use -> what the error says beside the tensor's name.
REFUSED = {
    "jnp.sin": (jnp.sin, "JAX function.*jk.ops"),
    "jnp.sum": (jnp.sum, "JAX function"),
    "jnp.asarray": (jnp.asarray, "JAX function"),
    "jnp.concatenate": (lambda x: jnp.concatenate([x, x]), "JAX function"),
    "jnp.where": (lambda x: jnp.where(True, x, 0.0), "JAX function"),
    "array + x": (lambda x: jnp.ones(4) + x, "JAX function"),
    "array @ x": (lambda x: jnp.ones((4, 4)) @ x, "JAX function"),
    "jax.nn.softmax": (jax.nn.softmax, "JAX function"),
    "jax.nn.gelu": (jax.nn.gelu, "JAX function"),
    "jax.nn.sigmoid": (jax.nn.sigmoid, "JAX function"),
    "jax.jit": (lambda x: jax.jit(lambda value: value)(x), "JAX function"),
    "jax.vmap": (lambda x: jax.vmap(lambda value: value)(x), "JAX function"),
    "jax.grad": (lambda x: jax.grad(lambda value: value)(x), "JAX function"),
    "np.sin": (np.sin, "NumPy array"),
    "np.mean": (np.mean, "NumPy array"),
    "np.asarray": (np.asarray, "NumPy array"),
    "np.concatenate": (lambda x: np.concatenate([x, x]), "NumPy array"),
    "NumPy array + x": (lambda x: np.ones(4) + x, "NumPy array"),
    "float": (float, "float"),
    "int": (int, "int"),
    "complex": (complex, "complex"),
    "math.sqrt": (math.sqrt, "float"),
    "range": (range, "x.shape"),
    "list[x]": (lambda x: [1, 2][x], "x.shape"),
    "bool": (bool, "jk.ops.where"),
    "if": (lambda x: 1 if x > 0 else 0, "jk.ops.where"),
    "and": (lambda x: x and x, "jk.ops.where"),
    "not": (operator.not_, "jk.ops.where"),
    "==": (lambda x: x == 0, "jk.ops.equal"),
    "!=": (lambda x: x != 1.5, "jk.ops.not_equal"),
    "== array": (lambda x: x == jnp.ones(4), "jk.ops.equal"),
    "value in x": (lambda x: 1.0 in x, "iterated"),
    "x in values": (lambda x: x in [1.0, 2.0], "jk.ops.equal"),
    "for": (list, "iterated"),
    "unpacking": (lambda x: (lambda *values: values)(*x), "iterated"),
    "sum": (sum, "iterated"),
    "len": (len, "length"),
    "f-string with a format": (lambda x: f"{x:.2f}", "formatted"),
    "x[0] = 1": (lambda x: operator.setitem(x, 0, 1), "slice_update"),
}
ATTRIBUTES = {"mean": "jk.ops.mean", "reshape": "jk.ops.reshape", "T": "jk.ops.transpose", "astype": "jk.ops.cast"}
ATTRIBUTES |= {"numpy": "model.predict", "nonsense": "no attribute 'nonsense'"}
GRAPH = {
    "x + 1": (lambda x: x + 1, (None, 4)),
    "x + array": (lambda x: x + np.ones(4, "float32"), (None, 4)),
    "-x": (operator.neg, (None, 4)),
    "abs": (abs, (None, 4)),
    "round": (round, (None, 4)),
    "x > 0": (lambda x: x > 0, (None, 4)),
    "x[:, 0]": (lambda x: x[:, 0], (None,)),
}


@pytest.fixture
def x():
    return jk.Input((4,), name="features")


@pytest.mark.parametrize("use", REFUSED)
def test_uses_that_need_values_are_refused(use, x):
    function, advice = REFUSED[use]
    with pytest.raises(InputError, match=rf"(?s)(shape=\(None, 4\).*no values yet).*({advice})"):
        function(x)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes_of_arrays_name_the_operation(attribute, x):
    with pytest.raises(AttributeError, match=ATTRIBUTES[attribute]):
        getattr(x, attribute)


@pytest.mark.parametrize("use", GRAPH)
def test_operators_become_part_of_the_graph(use, x):
    function, shape = GRAPH[use]
    assert function(x).shape == shape


def test_what_needs_no_values_works(x):
    other = layers.Dense(4)(x)
    assert f"{x}" == str(x) == repr(x) and x == copy.copy(x) and x != other and x is not None and x != "features"
    assert x in [other, x] and {x: 1}[x] == 1
    assert jk.Model(x, round(x, 1)).predict(np.full((1, 4), 0.26), verbose=0).tolist() == [[pytest.approx(0.3)] * 4]


def test_jax_names_the_class_where_it_asks_nothing_of_the_tensor(x):
    """`jax.nn.relu` and `jax.lax.*` look at the class alone."""
    with pytest.raises(TypeError, match="SymbolicTensor"):
        jax.nn.relu(x)
