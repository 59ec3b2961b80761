"""Fingerprints: equal for equal values, and different for all others; none for what has no name."""

import contextlib
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import JkerasError
from jkeras.program_store.errors import NotPortableError
from jkeras.program_store.fingerprints import fingerprint
from jkeras.program_store.patches import check_modules
from jkeras.values.frozen import Template
from jkeras.values.spec import Spec

# All different, some of them equal in Python.
VALUES = [
    None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, float("nan"), 1j, "", "1", b"1", (), [], (1,), [1], (1, 2), ((1,), 2), (1, (2,)),
    {}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": {"b": 1}}, {1}, {2}, frozenset(), slice(1), slice(1, 2), ...,
    np.ones(2), np.ones(2, "float32"), np.ones((1, 2)), np.zeros(2), np.float32(1), np.dtype("float32"), np.dtype("float64"),
    jnp.bfloat16, jnp.float32, np.float32, int, jk.layers.Dense, jk.layers.Conv2D, jk.losses.mse, jk.losses.mae, jax.nn.relu,
    jax.nn.gelu, functools.partial(jk.losses.mse, 1), functools.partial(jk.losses.mse, 2), functools.partial(jk.losses.mae, 1),
    jax.tree.structure([1, 2]), jax.tree.structure((1, 2)), jax.tree.structure({"a": 1}), jax.tree.structure({"b": 1}),
    jax.tree.structure(None), jax.tree.structure(1), Template.of([1]), Template.of((1,)), jk.layers.Dense(1), jk.layers.Dense(2),
    jk.layers.Dense(1, name="other"), jk.losses.Huber(), jk.losses.Huber(2.0), jk.optimizers.Adam(), jk.optimizers.SGD(),
]  # fmt: skip


def test_different_values_have_different_fingerprints():
    found = {}
    for value in VALUES:
        assert found.setdefault(fingerprint(value), value) is value, (value, found[fingerprint(value)])


def test_equal_values_have_equal_fingerprints():
    for make in (lambda: jk.layers.Dense(3, "relu", kernel_regularizer="l2"), lambda: {"a": [np.ones(2), (1, "b")]}):
        assert fingerprint(make()) == fingerprint(make())
    assert fingerprint({3, 1, 2}) == fingerprint({2, 3, 1})


def test_sharing_a_layer_is_part_of_the_value():
    def network(shares):
        one, other = jk.layers.Dense(4, name="one"), jk.layers.Dense(4, name="one" if shares else "other")
        x = jk.Input((4,))
        return jk.Model(x, (one if shares else other)(one(x))).definition

    assert fingerprint(network(True)) == fingerprint(network(True)) != fingerprint(network(False))


def local(x):
    return x


class Own(jk.layers.Dense):
    pass


UNKNOWN = {
    "object": object(),
    "function": local,
    "lambda": lambda x: x,
    "class": Own,
    "of a class": Own(2),
    "layer with a function": jk.layers.Dense(2, activation=local),
    "layer of a function": jk.layers.Lambda(local),
    "code": local.__code__,
    "partial": functools.partial(local, 1),
    "jitted": jax.jit(local),
    "array of objects": np.array([object()]),
    "in a dict": {"a": [local]},
    "device": jax.devices()[0],
    "large array": np.zeros(2**21, "uint8"),
}


@pytest.mark.parametrize("value", UNKNOWN.values(), ids=UNKNOWN)
def test_what_has_no_name_has_no_fingerprint(value):
    with pytest.raises(NotPortableError):
        fingerprint(value)


def test_a_name_that_means_another_object_is_none(monkeypatch):
    monkeypatch.setattr("jkeras.losses.regression.mean_squared_error", jk.losses.mae)
    value = jk.losses.mse
    with pytest.raises(NotPortableError):
        fingerprint(value)


def test_a_method_that_was_replaced(monkeypatch):
    before = fingerprint(jk.layers.Dense(2))
    monkeypatch.setattr(jk.layers.Dense, "compute_mask", jk.layers.Layer.compute_mask, raising=False)
    assert fingerprint(jk.layers.Dense(2)) != before
    monkeypatch.setattr(jk.layers.Dense, "call", local)
    with pytest.raises(NotPortableError):
        check_modules()
    monkeypatch.undo()
    check_modules()


ARGUMENTS = {
    "units": 2, "filters": 2, "kernel_size": 2, "input_dim": 5, "output_dim": 3, "num_heads": 2, "key_dim": 2, "rate": 0.25,
    "target_shape": (2,), "dims": (1,), "n": 2, "size": 2, "cropping": 1, "padding": 1, "thresholds": 0.5, "recall": 0.5,
    "precision": 0.5, "specificity": 0.5, "sensitivity": 0.5, "num_classes": 3, "target_class_ids": (0,), "value": 0.5,
    "initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "seed": 1, "mode": "fan_in",
}  # fmt: skip
# For each argument those that its class takes and that are not what it has.
CHANGES = (
    0.375, 3, 7, True, False, "l2", "relu", "zeros", "other", "valid", "same", "sum", (3, 5), (0.5, 0.25), "max_norm", "float16"
)  # fmt: skip
FAMILIES = ("layers", "losses", "metrics", "optimizers", "regularizers", "initializers", "constraints")


def values():
    """A value of each class of jkeras that takes these arguments."""
    for family in FAMILIES:
        module = getattr(jk, family)
        for name in dir(module):
            cls = getattr(module, name)
            if isinstance(cls, type) and issubclass(cls, Spec) and not name.startswith("_"):
                known = {key: value for key, value in ARGUMENTS.items() if key in cls.__signature__.parameters}
                try:
                    yield f"{family}.{name}", cls(**known)
                except (JkerasError, TypeError):
                    continue


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in values()])
def test_every_argument_is_in_the_fingerprint(value):
    try:
        before = fingerprint(value)
    except NotPortableError:
        return
    changed = {}
    for name in value._arguments():
        for other in CHANGES:
            try:
                new = value.replace(**{name: other})
            except (JkerasError, TypeError, ValueError):
                continue
            if new == value:
                continue
            with contextlib.suppress(NotPortableError):
                changed[name, repr(other)] = (new, fingerprint(new))
    assert all(found != before for _, found in changed.values()), changed
    for (one, first), (other, second) in itertools.combinations(changed.values(), 2):
        assert (one == other) == (first == second), (one, other)
