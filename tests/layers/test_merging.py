"""Layers of several inputs against Keras."""

import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_signature

A, B, C = (2, 3, 4), (2, 3, 1), (2, 4)
SIMPLE = ("Add", "Multiply", "Average", "Maximum", "Minimum")
CASES = {
    **{name: case(name, {}, A, A, A, mask=True) for name in SIMPLE},
    **{f"{name} broadcast": case(name, {}, A, B, unknown=(1,)) for name in (*SIMPLE, "Subtract")},
    "Subtract": case("Subtract", {}, A, A, mask=True),
    "add ranks": case("Add", {}, (2, 3, 4, 5), (2, 5)),
    "concatenate": case("Concatenate", {}, A, B, mask=True),
    "concatenate time": case("Concatenate", {"axis": 1}, A, (2, 5, 4), mask=True, unknown=(1,)),
    "concatenate one axis": case("Concatenate", {"axis": 1}, C, (2, 3)),
    "dot": case("Dot", {"axes": 1}, C, C),
    "dot time": case("Dot", {"axes": (2, 1)}, A, (2, 4, 5)),
    "dot unit": case("Dot", {"axes": -1, "normalize": True}, A, (2, 5, 4), mask=True),
    "dot mixed": case("Dot", {"axes": (1, 2)}, C, (2, 3, 4)),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.Dot(0), r"axes=0"),
    (lambda: layers.Dot((1, 2, 3)), r"axes=\(1, 2, 3\)"),
    (lambda: layers.Concatenate("last"), r"axis='last'.*integer"),
]
IMPOSSIBLE = [
    (layers.Add(), [(3, 4), (3, 5)], r"Add.*\(.*3, 4\).*\(.*3, 5\)"),
    (layers.Add(), [(3,)], r"takes a list"),
    (layers.Subtract(), [(3,), (3,), (3,)], r"two inputs, got 3"),
    (layers.Concatenate(), [(3, 4), (2, 4)], r"cannot join"),
    (layers.Dot(1), [(3,), (4,)], r"different sizes"),
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


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"])
def test_functions_are_the_layers(name, rng):
    pair = [rng.normal(size=(2, 3)).astype("float32") for _ in range(2)]
    options = {"axes": 1} if name == "dot" else {}
    layer = getattr(layers, name.capitalize())(**options)
    np.testing.assert_array_equal(getattr(layers, name)(pair, **options), layer(pair))
