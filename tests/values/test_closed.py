"""Nothing that is done to one value changes another: random sequences of what users do, and of attempts to write.

Values of all kinds stand in a pool with a fingerprint taken when they were made: hashes, configurations, and the bits of
their arrays. After every step every value in the pool still has its own. `JKERAS_EXAMPLES=10000` runs more sequences.
"""

import contextlib
import json
import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import jkeras as jk
from jkeras import layers
from jkeras.errors import JkerasError
from jkeras.values.spec import Spec

X = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
Y = np.linspace(0, 1, 8, dtype="float32").reshape(4, 2)


class Blocks(jk.Model):
    """A subclass with layers in a list and a dict, and constants in containers."""

    def __init__(self, sizes=(2,)):
        super().__init__()
        self.blocks = [layers.Dense(size, name=f"block_{i}") for i, size in enumerate(sizes)]
        self.heads = {"out": layers.Dense(2)}
        self.options = {"scale": [1.0, np.ones(2, "float32")], "names": {"a", "b"}}

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["out"](x) * self.options["scale"][0]


def sequential():
    return jk.Sequential([layers.Input((2,)), layers.Dense(3, "tanh", name="first"), layers.Dense(2, name="last")])


def functional():
    x = jk.Input((2,), name="x")
    return jk.Model({"x": x}, layers.Dense(2, name="last")(layers.Dense(3, name="first")(x)))


def normalized():
    return jk.Sequential([layers.Input((2,)), layers.BatchNormalization(), layers.Dense(2, name="last")])


MAKERS = {"sequential": sequential, "functional": functional, "normalized": normalized, "blocks": Blocks}
LAYERS = {
    "dense": lambda: layers.Dense(2, kernel_initializer=jk.initializers.Constant(np.ones((2, 2), "float32"))),
    "conv": lambda: layers.Conv2D(2, [3, 3], kernel_regularizer=jk.regularizers.L1L2(0.1)),
    "lookup": lambda: layers.StringLookup(vocabulary=["a", "b"]),
    "normalization": lambda: layers.Normalization(mean=np.zeros(2), variance=np.ones(2)),
    "cells": lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)]),
}


def bits(tree):
    """The arrays of a tree as bytes, with their paths."""
    flat, structure = jax.tree_util.tree_flatten_with_path(tree)
    return tuple((jax.tree_util.keystr(path), data(leaf)) for path, leaf in flat), str(structure).replace(
        "FrozenDict", ""
    )


def data(leaf):
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf).tobytes()


def fingerprint(value):
    """What must not change, whatever is done to other values or tried on this one."""
    if isinstance(value, jk.Model):
        arrays = bits(value.state) if value.built else None
        history = json.dumps(value.history.history), list(value.history.epoch)
        config = None if isinstance(value, Blocks) else json.dumps(value.get_config())
        names = [layer.name for layer in value.layers]
        return hash(value.definition), hash(value.recipe), arrays, history, config, names, repr(value)
    if isinstance(value, jk.TrainState):
        return bits(value)
    if isinstance(value, jk.History):
        return json.dumps(value.history), list(value.epoch), dict(value.params)
    fresh = value.replace()  # computed anew, without any memo
    return hash(value), hash(fresh), value == fresh, repr(value), json.dumps(value.get_config())


def attempts(thing, depth=0):
    """Tries to write into `thing` and into everything that it holds, by every way that Python has."""

    def attempt(function, *args, **kwargs):
        with contextlib.suppress(Exception):
            function(*args, **kwargs)

    if depth > 6 or thing is None or isinstance(thing, (bool, int, float, complex, str, bytes, type, np.dtype)):
        return
    if isinstance(thing, np.ndarray):
        attempt(thing.fill, 7)
        attempt(thing.setflags, write=True)
        attempt(thing.__setitem__, ..., 7)
    elif isinstance(thing, jax.Array):
        attempt(thing.__setitem__, 0, 7)
    elif isinstance(thing, dict):
        inside = list(dict.items(thing))
        for key, _ in inside:
            attempt(thing.__setitem__, key, 7)
            attempt(thing.__delitem__, key)
            attempt(thing.pop, key)
        for call in (
            ("update", {"new": 7}),
            ("setdefault", "new", 7),
            ("popitem",),
            ("clear",),
            ("__ior__", {"new": 7}),
        ):
            attempt(getattr(thing, call[0]), *call[1:])
        for _, value in inside:
            attempts(value, depth + 1)
    elif isinstance(thing, list):
        inside = list(thing)
        for call in (
            ("__setitem__", 0, 7),
            ("append", 7),
            ("extend", [7]),
            ("insert", 0, 7),
            ("reverse",),
            ("sort",),
            ("remove", 7),
            ("__iadd__", [7]),
            ("__imul__", 2),
            ("__delitem__", 0),
            ("pop",),
            ("clear",),
        ):
            attempt(getattr(thing, call[0]), *call[1:])
        for value in inside:
            attempts(value, depth + 1)
    elif isinstance(thing, (tuple, set, frozenset)):
        attempt(getattr(thing, "add", len), 7)
        attempt(getattr(thing, "clear", len))
        for value in list(thing):
            attempts(value, depth + 1)
    elif isinstance(thing, (Spec, jk.TrainState, jk.History)):
        own = [name for name in getattr(thing, "__dict__", {}) if not name.startswith("_")]
        for name in (*own, "params", "state", "recipe", "history", "trainable", "name", "units", "new"):
            attempt(setattr, thing, name, 7)
            attempt(delattr, thing, name)
        for name in own:
            attempts(getattr(thing, name), depth + 1)


class Closed(RuleBasedStateMachine):
    """A pool of values, what users do with them, and what they must not be able to do."""

    def __init__(self):
        super().__init__()
        self.pool = []

    def put(self, value):
        self.pool.append((value, fingerprint(value)))
        del self.pool[:-10]

    def models(self):
        return [value for value, _ in self.pool if isinstance(value, jk.Model)]

    def choose(self, number, kind):
        found = [value for value, _ in self.pool if isinstance(value, kind)]
        return found[number % len(found)] if found else None

    # -- making ---------------------------------------------------------------------------------------------------

    @initialize(name=st.sampled_from(sorted(MAKERS)))
    def begin(self, name):
        self.model(name)

    @rule(name=st.sampled_from(sorted(MAKERS)))
    def model(self, name):
        self.put(MAKERS[name]())

    @rule(name=st.sampled_from(sorted(LAYERS)))
    def layer(self, name):
        self.put(LAYERS[name]())

    @rule(sizes=st.lists(st.sampled_from([2, 3]), min_size=1, max_size=2))
    def of_arguments(self, sizes):
        model = Blocks(sizes)
        self.put(model)
        sizes.append(7)  # the caller's list

    # -- what users do --------------------------------------------------------------------------------------------

    @precondition(lambda self: self.models())
    @rule(
        number=st.integers(0, 9),
        what=st.sampled_from(
            "compile init build set_weights freeze unfreeze with_state rate zeros clone add pop restate carry".split()
        ),
        seed=st.integers(0, 2),
    )
    def change(self, number, what, seed):
        model = self.choose(number, jk.Model)
        model = model if model.built else model.build((None, 2))
        with contextlib.suppress(JkerasError):
            self.put(self.changed(model, what, seed))

    def changed(self, model, what, seed):
        if what == "compile":
            return model.compile(["sgd", "adam", "rmsprop"][seed], "mse", metrics=["mae"])
        if what == "init":
            return model.init(seed)
        if what == "set_weights":
            weights = model.get_weights()
            weights[0] = weights[0] + seed
            new = model.set_weights(weights)
            attempts(weights)
            return new
        if what == "freeze":
            return model.freeze("last*") if seed else model.freeze()
        if what == "unfreeze":
            return model.unfreeze()
        if what == "with_state":
            params = model.params.copy()
            new = model.with_state(model.state.replace(params=params, step=jnp.int32(seed)))
            attempts(params)
            return new
        if what == "rate":
            return model.with_learning_rate(0.1 * (seed + 1))
        if what == "zeros":
            return model.with_state(model.state.replace(params=jax.tree.map(jnp.zeros_like, model.params)))
        if what == "clone":
            return jk.models.clone_model(model)
        if what == "add":
            return model.add(layers.Dense(2)) if isinstance(model, jk.Sequential) else model
        if what == "pop":
            return model.pop() if isinstance(model, jk.Sequential) and len(model.layers) > 1 else model
        if what == "restate":
            return jax.tree.map(lambda leaf: leaf, model)
        if what == "carry":
            return jk.Sequential([*model.layers, layers.Dense(2)]) if isinstance(model, jk.Sequential) else model
        return model

    @precondition(lambda self: self.models())
    @rule(number=st.integers(0, 9), what=st.sampled_from("fit train_on_batch step apply grad call predict".split()))
    def run(self, number, what):
        model = self.choose(number, jk.Model)
        model = model if model.built else model.build((None, 2))
        if what in ("fit", "train_on_batch", "step") and model.recipe is None:
            model = model.compile("sgd", "mse")
        x = X.copy()
        inputs = {"x": x} if isinstance(model.input_specs, dict) else x
        shape = jax.eval_shape(model, inputs).shape
        y = Y.copy() if shape == Y.shape else np.zeros(shape, "float32")  # a model without its last layer
        if what == "fit":
            self.put(model.fit(inputs, y, batch_size=4, epochs=1, verbose=0))
        elif what == "train_on_batch":
            self.put(model.train_on_batch(inputs, y)[0])
        elif what == "step":
            self.put(jk.train_step(model.definition, model.recipe, model.state, (inputs, y))[0])
        elif what == "predict":
            attempts(model.predict(inputs, batch_size=4, verbose=0))
        elif what == "grad":
            grads = jax.jit(jax.grad(lambda params: jnp.sum(model.apply(params, inputs))))(model.params)
            updates, _ = optax.sgd(0.1).update(grads, optax.sgd(0.1).init(model.params), model.params)
            self.put(model.with_state(model.state.replace(params=optax.apply_updates(model.params, updates))))
        else:
            attempts(model(inputs) if what == "call" else model.apply(model.params, inputs))
        attempts([inputs, y])

    @precondition(lambda self: self.models())
    @rule(number=st.integers(0, 9), part=st.sampled_from(["state", "history", "recipe", "layer"]))
    def part(self, number, part):
        model = self.choose(number, jk.Model)
        if part == "layer":
            layer = model.layers[0]
            if not isinstance(layer, layers.InputLayer):
                self.put(layer)
        elif part == "state":
            if model.built:
                self.put(model.state)
        elif getattr(model, part) is not None:
            self.put(getattr(model, part))

    # -- what they must not be able to do -------------------------------------------------------------------------

    @rule(number=st.integers(0, 9))
    def write(self, number):
        if not self.pool:
            return
        value, _ = self.pool[number % len(self.pool)]
        attempts(value)
        names = [
            "get_config",
            "history",
            "params",
            "model_state",
            "variables",
            "state",
            "opt_state",
            "metrics",
            "epoch",
        ]
        names += [
            "layers",
            "weights",
            "trainable_weights",
            "recipe",
            "definition",
            "description",
            "input_specs",
            "children",
        ]
        names += [
            "output_names",
            "input_names",
            "inputs",
            "get_weights",
            "weight_paths",
            "kernel_size",
            "blocks",
            "heads",
        ]
        names += ["options", "optimizer", "metrics_names", "_network"]
        for name in names:
            with contextlib.suppress(Exception):
                found = getattr(value, name)
                attempts(found() if callable(found) and not isinstance(found, Spec) else found)

    @invariant()
    def nothing_changed(self):
        for value, before in self.pool:
            assert fingerprint(value) == before, repr(value)


Closed.TestCase.settings = settings(
    max_examples=int(os.environ.get("JKERAS_EXAMPLES", "120")),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestClosed = Closed.TestCase
