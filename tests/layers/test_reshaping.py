"""Layers that move values, against Keras."""

import pytest

from tests.layers.contract import case, check

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
    "pad 3 first": case("ZeroPadding3D", {"padding": 2} | FIRST, VOLUME),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng)
