"""Layers that move values, against Keras."""

import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import Draw, drawn

IMAGE, VOLUME = (2, 4, 5, 3), (1, 4, 4, 5, 2)
FIRST = {"data_format": "channels_first"}
CASES = {
    "flatten": case("Flatten", {}, IMAGE),
    "flatten first": case("Flatten", FIRST, IMAGE),
    "flatten scalars": case("Flatten", {}, (3,)),
    "reshape": case("Reshape", {"target_shape": (5, 12)}, IMAGE),
    "reshape rest": case("Reshape", {"target_shape": (-1, 6)}, IMAGE),
    "permute": case("Permute", {"dims": (3, 1, 2)}, IMAGE, unknown=(1,)),
    "repeat": case("RepeatVector", {"n": 3}, (2, 4)),
    "crop 1": case("Cropping1D", {"cropping": (1, 2)}, (2, 5, 2), unknown=(1,)),
    "crop 2": case("Cropping2D", {"cropping": ((1, 0), (2, 1))}, IMAGE),
    "crop 2 first": case("Cropping2D", {"cropping": 1} | FIRST, (2, 3, 4, 5)),
    "crop 3": case("Cropping3D", {}, (1, 3, 4, 3, 2)),
    "crop 3 first": case("Cropping3D", {"cropping": (1, 0, 1)} | FIRST, (1, 2, 3, 4, 3)),
    "pad 1": case("ZeroPadding1D", {}, (2, 3, 2), unknown=(1,)),
    "pad 1 first": case("ZeroPadding1D", {"padding": (2, 0)} | FIRST, (2, 3, 2)),
    "pad 2": case("ZeroPadding2D", {"padding": (1, 2)}, IMAGE, unknown=(1, 2)),
    "pad 2 first": case("ZeroPadding2D", {"padding": ((0, 1), (2, 0))} | FIRST, IMAGE),
    "pad 3": case("ZeroPadding3D", {}, VOLUME),
    "up 1": case("UpSampling1D", {"size": 3}, (2, 3, 2), unknown=(1,)),
    "up 2": case("UpSampling2D", {"size": (2, 3)}, IMAGE, unknown=(1, 2)),
    "up 2 bilinear": case("UpSampling2D", {"interpolation": "bilinear"} | FIRST, (2, 3, 4, 5)),
    "up 2 bicubic": case("UpSampling2D", {"size": 3, "interpolation": "bicubic"}, IMAGE),
    "up 3": case("UpSampling3D", {}, (1, 2, 3, 2, 2)),
    "up 3 first": case("UpSampling3D", {"size": (1, 2, 3)} | FIRST, (1, 2, 3, 2, 2)),
    "reshape unknown": case("Reshape", {"target_shape": (-1, 2)}, (2, 3, 4), unknown=(1,)),
    "flatten unknown": case("Flatten", {}, (2, 3, 4), unknown=(1,)),
    "pad 3 first": case("ZeroPadding3D", {"padding": 2} | FIRST, VOLUME),
}


def reshaping(draw: Draw):
    """Any layer that moves values, with any arguments."""
    kind, rank = draw.of("Cropping", "ZeroPadding", "UpSampling", "Permute", "Reshape"), draw.size(1, 3)
    shape = (2, *draw.sizes(rank, 3, 4), draw.size(1, 2))
    if kind == "Permute":
        return case(kind, {"dims": tuple(int(n) + 1 for n in draw.rng.permutation(rank + 1))}, shape)
    if kind == "Reshape":
        sizes = [int(n) for n in draw.rng.permutation(shape[1:])]
        if draw.of(True, False):
            sizes[draw.size(0, rank)] = -1
        return case(kind, {"target_shape": tuple(sizes)}, shape)
    arguments = {}
    if rank > 1 or kind == "ZeroPadding":
        arguments = draw.some(data_format=("channels_first", "channels_last"))
    if arguments.get("data_format") == "channels_first":
        shape = (2, shape[-1], *shape[1:-1])
    if kind == "UpSampling":
        arguments["size"] = draw.size(1, 3) if rank == 1 else draw.each(rank, 1, 3)
        if rank == 2:
            arguments |= draw.some(interpolation=("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"))
    else:
        pairs = tuple(draw.sizes(2, 0, 1) for _ in range(rank))
        whole = draw.of(draw.size(0, 1), draw.sizes(rank, 0, 1), pairs)
        name = "cropping" if kind == "Cropping" else "padding"
        arguments[name] = draw.of(1, draw.sizes(2, 0, 1)) if rank == 1 else whole
    return case(f"{kind}{rank}D", arguments, shape)


DRAWN = drawn(reshaping, 12)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["up 2 bilinear", "pad 1"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.Reshape((-1, -1)), r"at most one size of -1"),
    (lambda: layers.Permute((0, 1)), r"dims=\(0, 1\).*1 to 2"),
    (lambda: layers.RepeatVector(0), r"n=0.*at least 1"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), r"padding=\(1, 2, 3\).*2 pairs"),
    (lambda: layers.Cropping1D(-1), r"cropping=-1.*none negative"),
    (lambda: layers.UpSampling2D(interpolation="linear"), r"interpolation='linear'.*'bilinear'"),
]
IMPOSSIBLE = [
    (layers.Reshape((7,)), [(2, 3)], r"Reshape.*6 values"),
    (layers.Permute((2, 1)), [(2, 3, 4)], r"Permute.*3 axes"),
    (layers.RepeatVector(2), [(2, 3)], r"RepeatVector.*2 axes"),
    (layers.Cropping1D(2), [(3, 1)], r"Cropping1D.*crop 2 \+ 2.*of 3"),
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
