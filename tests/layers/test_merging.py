"""Layers of several inputs against Keras."""

import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

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


def merging(draw: Draw):
    """Any layer of several inputs of random shapes that fit together."""
    name = draw.of(*SIMPLE, "Subtract", "Concatenate", "Dot")
    rank = draw.size(1, 3)
    shape = (2, *draw.sizes(rank, 1, 4))
    count = draw.size(2, 3) if name in (*SIMPLE, "Concatenate") else 2
    if name == "Concatenate":
        axis = draw.of(-1, draw.size(1, rank))
        place = axis % (rank + 1)
        shapes = [(*shape[:place], draw.size(1, 3), *shape[place + 1 :]) for _ in range(count)]
        return case(name, {"axis": axis}, *shapes)
    if name == "Dot":
        first, other = draw.size(1, rank), (2, *draw.sizes(draw.size(1, 2), 1, 4))
        second = draw.size(1, len(other) - 1)
        other = (*other[:second], shape[first], *other[second + 1 :])
        return case(name, {"axes": (first, second), "normalize": draw.of(True, False)}, shape, other)
    ones = [(2, *(draw.of(size, size, 1) for size in shape[1:])) for _ in range(count - 1)]
    return case(name, {}, shape, *ones)


DRAWN = drawn(merging, 12)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["Add", "dot unit"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


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
