"""Pooling against Keras."""

import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

LINE, IMAGE, VOLUME = (2, 7, 3), (2, 6, 5, 3), (1, 4, 5, 4, 2)
FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same", "strides": 2}
ALL = [f"{kind}Pooling{rank}D" for kind in ("GlobalMax", "GlobalAverage") for rank in (1, 2, 3)]
INPUT = {"1": LINE, "2": IMAGE, "3": VOLUME}
CASES = {
    "max 1": case("MaxPooling1D", {}, LINE, unknown=(1,)),
    "max 1 same": case("MaxPooling1D", {"pool_size": 3} | SAME | FIRST, LINE),
    "max 2": case("MaxPooling2D", {}, IMAGE, unknown=(1, 2)),
    "max 2 overlap": case("MaxPooling2D", {"pool_size": (3, 2), "strides": (1, 2)}, IMAGE),
    "max 2 same": case("MaxPooling2D", {"pool_size": 3} | SAME, IMAGE),
    "max 2 first": case("MaxPooling2D", FIRST, IMAGE),
    "max 3": case("MaxPooling3D", {"pool_size": (1, 2, 3)}, VOLUME),
    "max 3 first": case("MaxPooling3D", {"pool_size": 2} | SAME | FIRST, VOLUME),
    "average 1": case("AveragePooling1D", {"pool_size": 2, "strides": 1}, LINE, unknown=(1,)),
    "average 1 same": case("AveragePooling1D", {"pool_size": 3} | SAME | FIRST, LINE),
    "average 2": case("AveragePooling2D", {"pool_size": 2}, IMAGE, unknown=(1, 2)),
    "average 2 same": case("AveragePooling2D", {"pool_size": 3} | SAME, IMAGE),
    "average 2 first": case("AveragePooling2D", {"pool_size": (1, 2)} | FIRST, IMAGE),
    "average 3": case("AveragePooling3D", {"pool_size": 2}, VOLUME),
    "average 3 same": case("AveragePooling3D", {"pool_size": 3} | SAME | FIRST, VOLUME),
    **{name: case(name, {}, INPUT[name[-2]], unknown=(1,)) for name in ALL},
    **{f"{name} first": case(name, FIRST | {"keepdims": True}, INPUT[name[-2]]) for name in ALL},
    "global masked": case("GlobalAveragePooling1D", {}, LINE, mask=True),
    "global masked kept": case("GlobalAveragePooling1D", {"keepdims": True}, LINE, mask=True),
    "adaptive average 1": case("AdaptiveAveragePooling1D", {"output_size": 3}, LINE),
    "adaptive average 2": case("AdaptiveAveragePooling2D", {"output_size": (4, 2)} | FIRST, IMAGE),
    "adaptive average 3": case("AdaptiveAveragePooling3D", {"output_size": 2}, VOLUME),
    "adaptive max 1": case("AdaptiveMaxPooling1D", {"output_size": 2} | FIRST, LINE),
    "adaptive max 2": case("AdaptiveMaxPooling2D", {"output_size": (4, 3)}, IMAGE),
    "adaptive max 3": case("AdaptiveMaxPooling3D", {"output_size": (3, 2, 1)} | FIRST, VOLUME),
}


def pooling(draw: Draw):
    """Any pooling with any arguments."""
    rank, kind = draw.size(1, 3), draw.of("Max", "Average")
    common = draw.some(data_format=("channels_first", "channels_last"))
    space, channels = draw.sizes(rank, 3, 6), draw.size(1, 3)
    shape = (2, channels, *space) if common.get("data_format") == "channels_first" else (2, *space, channels)
    way = draw.of("", "", "Global", "Adaptive")
    if way == "":
        common |= {"pool_size": draw.each(rank, 1, 3)} | draw.some(padding=("same", "valid"))
        common |= draw.of({}, {"strides": draw.each(rank, 1, 3)})
    elif way == "Global":
        common |= draw.some(keepdims=(True, False))
    else:
        common |= {"output_size": draw.each(rank, 1, 3)}
    return case(f"{way}{kind}Pooling{rank}D", common, shape)


DRAWN = drawn(pooling, 12)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["max 2", "average 1"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.MaxPooling2D(0), r"pool_size=0.*at least 1"),
    (lambda: layers.MaxPooling2D(2, padding="sane"), r"padding='sane'.*Did you mean 'same'"),
    (lambda: layers.AdaptiveMaxPooling2D((1, 2, 3)), r"output_size=\(1, 2, 3\)"),
]
IMPOSSIBLE = [
    (layers.MaxPooling2D(4), [(3, 8, 1)], r"MaxPooling2D.*do not fit"),
    (layers.GlobalAveragePooling2D(), [(3, 8)], r"GlobalAveragePooling2D.*4 axes"),
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


def test_strides_are_the_window_unless_given():
    assert layers.MaxPooling2D(3) == layers.MaxPooling2D(3, strides=3)


def test_aliases():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
