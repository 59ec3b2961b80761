"""Activation layers against Keras."""

import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

X = (2, 3, 4)
CASES = {
    "relu": case("ReLU", {}, X, mask=True),
    "relu full": case("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, X, unknown=(1, 2)),
    "leaky": case("LeakyReLU", {}, X, mask=True),
    "leaky slope": case("LeakyReLU", {"negative_slope": 0.1}, X),
    "elu": case("ELU", {"alpha": 0.5}, X, mask=True),
    "prelu": case("PReLU", {}, X, mask=True),
    "prelu shared": case("PReLU", {"shared_axes": [1], "alpha_regularizer": "l2"}, X),
    "softmax": case("Softmax", {}, X),
    "softmax axes": case("Softmax", {"axis": [1, 2]}, X, unknown=(1,)),
    "softmax masked": case("Softmax", {}, X, mask="full"),
    "softmax axes masked": case("Softmax", {"axis": (1, 2)}, X, mask="full"),
}


def activation(draw: Draw):
    """Any of the layers with any arguments."""
    name = draw.of("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax")
    shape = (2, *draw.sizes(draw.size(1, 3), 1, 4))
    options = {
        "ReLU": {"max_value": (None, 0.5, 6), "negative_slope": (0, 0.2), "threshold": (0, 0.3)},
        "LeakyReLU": {"negative_slope": (0.0, 0.1, 0.5)},
        "ELU": {"alpha": (0.3, 1.0, 2)},
        "PReLU": {"shared_axes": (None, [1]), "alpha_regularizer": (None, "l2"), "alpha_initializer": ("ones",)},
        "Softmax": {"axis": (-1, 1)},
    }[name]
    return case(name, draw.some(**options), shape, mask=name != "Softmax" and len(shape) > 1)


DRAWN = drawn(activation, 8)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["prelu", "softmax"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.ReLU(max_value=-1.0), r"max_value=-1.0.*at least 0"),
    (lambda: layers.PReLU(shared_axes=[0]), r"shared_axes=\(0,\).*axes from 1"),
    (lambda: layers.LeakyReLU("steep"), r"negative_slope='steep'.*number"),
]


@pytest.mark.parametrize(("make", "words"), WRONG)
def test_wrong_arguments_fail_at_once(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make()


def test_the_old_name_of_a_slope():
    assert layers.LeakyReLU(alpha=0.2) == layers.LeakyReLU(negative_slope=0.2)
