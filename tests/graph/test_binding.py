"""Binding: runs leave no trace in descriptions, and none of their values outlives them."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.graph import linen, passes
from jkeras.graph.describe import describe
from jkeras.graph.layer_scope import Record, WeightlessScope
from jkeras.graph.scope import Run, walk

X = np.ones((4, 6, 3), "float32")


class Everything(jk.Layer):
    """Weights, state, sublayers made in `build`, masks, losses, random numbers, an attribute set in `call`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization()
        self.cells = [layers.LSTM(3, return_sequences=True, dropout=0.2)]

    def build(self, input_shape):
        self.inner = layers.Dense(input_shape[-1], kernel_regularizer="l2")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, x, training=False):
        self.count = self.count + 1
        self.seen = x * 2
        self.add_loss(jnp.mean(self.seen))
        noise = jax.random.normal(self.make_rng(), x.shape) if training else 0.0
        return self.norm(self.cells[0](self.inner(x)) + noise)

    def compute_mask(self, inputs, previous_mask):
        return jnp.any(inputs != 0, axis=-1)


def attributes(layer):
    return {path: dict(vars(inner)) for path, inner in walk(layer)}


@pytest.mark.parametrize("training", [False, True])
def test_a_run_leaves_no_trace(training):
    layer = Everything()
    before, key = attributes(layer), hash(layer)
    with jax.checking_leaks():
        variables = layer.init(0, X)
        jax.jit(lambda v, x: layer.apply(v, x, training=training, rng=jax.random.key(0), return_state=True))(
            variables, X
        )
        jax.vmap(lambda x: layer.apply(variables, x[None]))(X)
        jax.grad(lambda p: layer.apply({**variables, "params": p}, X).sum())(variables["params"])
        layer(layers.Input((6, 3)))
    assert attributes(layer).keys() == before.keys()
    for path, own in attributes(layer).items():
        assert {k: v for k, v in own.items() if k != "_spec_key"} == {
            k: v for k, v in before[path].items() if k != "_spec_key"
        }
    assert hash(layer) == key and layer == Everything()


def test_nothing_keeps_a_bound_copy():
    seen = []

    class Watched(jk.Layer):
        def call(self, x):
            seen.append(weakref.ref(self))
            return x

    layer = Watched()
    layer.apply(layer.init(0, X), X)
    gc.collect()
    assert len(seen) == 2 and all(reference() is None for reference in seen)


def test_fits_do_not_reach_one_another():
    model = jk.Sequential([layers.Input((6, 3)), Everything(), layers.Flatten(), layers.Dense(1)]).compile("sgd", "mse")
    y = np.zeros((4, 1), "float32")
    first = model.fit(X, y, verbose=0)
    second = model.fit(X, y, verbose=0)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_bound_layer_says_what_it_holds():
    run = Run(rng=jax.random.key(0))
    scope = WeightlessScope(layers.Dropout(0.5, name="d"), run, Record())
    assert scope.layer.is_bound and not layers.Dropout(0.5).is_bound
    assert (scope.path, scope.layer.path, scope.built, scope.children) == ("d", "d", False, {})
    assert scope.layer(X, training=True).shape == X.shape and scope.built
    with pytest.raises(errors.NotBuiltError, match="Sequential"):
        layers.Dense(2).scope_for("add_weight")


def test_paths_and_records():
    layer = Everything(name="all")
    result, variables = passes.run(layer, None, (X,), {}, rng=jax.random.key(0))
    assert {"/".join(path) for _, path in result.record.weights} >= {
        "norm/gamma",
        "cells_0/cell/kernel",
        "inner/kernel",
        "count",
    }
    assert set(variables["params"]) == {"norm", "cells_0", "inner"} and set(variables["state"]) == {"norm", "count"}
    assert result.mask.shape == (4, 6) and len(result.run.losses) == 2
    given, _ = passes.run(layer, variables, (X,), {})
    assert int(given.state["count"]) == 1 and int(variables["state"]["count"]) == 0


def test_policy_and_trainable_come_from_the_parent():
    class Box(jk.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.plain, self.own = layers.Dense(2), layers.Dense(2, dtype="float32")

        def call(self, x):
            return [self.plain(x), self.own(x)]

    box = Box(dtype="mixed_bfloat16", trainable=False)
    outputs = box.apply(box.init(0, X), X)
    assert [str(output.dtype) for output in outputs] == ["bfloat16", "float32"]
    assert not any(weight.trainable for weight in describe(box, X).weights)


def test_state_of_the_wrong_shape_and_of_trainable_weights():
    class Grows(jk.Layer):
        def build(self, input_shape):
            self.old = self.add_weight((2,), "zeros", trainable=False, name="old")

        def call(self, x):
            self.old = jnp.zeros(3)
            return x

    class Writes(jk.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((2,), name="kernel")

        def call(self, x):
            self.kernel = self.kernel + 1
            return x

    with pytest.raises(errors.InputError, match=r"'old' has shape \(2,\), cannot become \(3,\)"):
        Grows().apply({"params": {}, "state": {"old": jnp.zeros(2)}}, X)
    with pytest.raises(errors.InputError, match="'kernel' is trainable"):
        Writes().init(0, X)
    with pytest.raises(errors.InputError, match="hold an array of shape"):
        layers.Dense(2).apply({"params": {"kernel": jnp.zeros((5, 5)), "bias": jnp.zeros(2)}, "state": {}}, X)


def test_a_layer_as_a_linen_module():
    layer = Everything()
    module = linen.to_module(layer)
    variables = layer.init(0, X)
    outputs, updated = module.apply(variables, X, training=True, rngs={"dropout": jax.random.key(1)}, mutable=["state"])
    assert outputs.shape == X.shape and int(updated["state"]["count"]) == 1
    assert jax.tree.structure(module.init(jax.random.key(0), X)) == jax.tree.structure(variables)
