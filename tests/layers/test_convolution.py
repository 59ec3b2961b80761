"""Convolutions against Keras."""

import pytest

from jkeras import errors, layers
from tests.layers.contract import case, check, check_precisions, check_signature, is_first
from tests.layers.drawing import ACTIVATIONS, Draw, drawn

LINE, IMAGE, VOLUME = (2, 7, 4), (2, 6, 5, 4), (1, 5, 4, 5, 2)
FIRST = {"data_format": "channels_first"}
FULL = {"activation": "tanh", "padding": "same", "kernel_regularizer": "l2", "bias_constraint": "non_neg"}
CASES = {
    "conv 1": case("Conv1D", {"filters": 3, "kernel_size": 3}, LINE, unknown=(1,)),
    "conv 1 causal": case("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, LINE),
    "conv 1 causal strides": case("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "strides": 2}, LINE),
    "conv 1 first": case("Conv1D", {"filters": 3, "kernel_size": 2, "strides": 2} | FIRST, (2, 4, 7)),
    "conv 1 groups": case("Conv1D", {"filters": 6, "kernel_size": 2, "groups": 2} | FULL, LINE),
    "conv 2": case("Conv2D", {"filters": 3, "kernel_size": (3, 2)}, IMAGE, unknown=(1, 2)),
    "conv 2 full": case("Conv2D", {"filters": 3, "kernel_size": 3, "strides": (2, 1)} | FULL, IMAGE),
    "conv 2 even": case("Conv2D", {"filters": 2, "kernel_size": 4, "strides": 3, "padding": "same"}, IMAGE),
    "conv 2 dilated": case(
        "Conv2D", {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 3), "use_bias": False}, IMAGE
    ),
    "conv 2 first": case("Conv2D", {"filters": 4, "kernel_size": 2, "groups": 4} | FIRST, (2, 4, 6, 5)),
    "conv 3": case("Conv3D", {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1)}, VOLUME),
    "conv 3 first": case("Conv3D", {"filters": 2, "kernel_size": 2} | FULL | FIRST, (1, 2, 3, 4, 3)),
    "transpose 1": case("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, LINE, unknown=(1,)),
    "transpose 1 same": case("Conv1DTranspose", {"filters": 3, "kernel_size": 2, "dilation_rate": 2} | FULL, LINE),
    "transpose 1 first": case("Conv1DTranspose", {"filters": 3, "kernel_size": 2, "strides": 3} | FIRST, (2, 4, 5)),
    "transpose 2": case("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": (2, 1)}, IMAGE),
    "transpose 2 same": case("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 3} | FULL, IMAGE),
    "transpose 2 padded": case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        (2, 3, 4, 2),
    ),
    "transpose 2 first": case("Conv2DTranspose", {"filters": 2, "kernel_size": 2} | FULL | FIRST, (2, 3, 4, 3)),
    "transpose 3": case("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, (1, 2, 3, 2, 2)),
    "transpose 3 first": case(
        "Conv3DTranspose", {"filters": 2, "kernel_size": 2, "output_padding": (0, 0, 0)} | FIRST, (1, 2, 3, 2, 2)
    ),
    "depthwise 1": case("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, LINE, unknown=(1,)),
    "depthwise 1 first": case("DepthwiseConv1D", {"kernel_size": 2, "strides": 2} | FIRST, (2, 3, 6)),
    "depthwise 2": case("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "depthwise 2 dilated": case("DepthwiseConv2D", {"kernel_size": 2, "dilation_rate": 2, "activation": "relu"}, IMAGE),
    "depthwise 2 first": case("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 3} | FIRST, (2, 2, 4, 3)),
    "separable 1": case("SeparableConv1D", {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}, LINE, unknown=(1,)),
    "separable 1 first": case("SeparableConv1D", {"filters": 3, "kernel_size": 2, "strides": 2} | FIRST, (2, 3, 6)),
    "separable 2": case("SeparableConv2D", {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same"}, IMAGE),
    "separable 2 dilated": case("SeparableConv2D", {"filters": 3, "kernel_size": 2, "dilation_rate": 2}, IMAGE),
    "separable 2 first": case("SeparableConv2D", {"filters": 2, "kernel_size": 2} | FIRST, (2, 3, 4, 3)),
}


def _shape(draw: Draw, rank: int, channels: int, smallest: int, data_format: str | None) -> tuple[int, ...]:
    space = draw.sizes(rank, smallest, smallest + 3)
    return (2, channels, *space) if data_format == "channels_first" else (2, *space, channels)


def convolution(draw: Draw):
    """Any convolution with any arguments."""
    kind, rank = draw.of("", "", "Transpose", "Transpose", "Depthwise", "Separable"), draw.size(1, 3)
    rank = min(rank, 2) if kind in ("Depthwise", "Separable") else rank
    name = f"Conv{rank}D{kind}" if kind == "Transpose" else f"{kind}Conv{rank}D"
    window = draw.each(rank, 1, 3)
    moves = draw.of({}, {"strides": draw.each(rank, 1, 3)}, {"dilation_rate": draw.each(rank, 1, 2)})
    if kind in ("Depthwise", "Separable"):  # whose steps Keras takes as equal on all axes
        moves = {key: max(value) if isinstance(value, tuple) else value for key, value in moves.items()}
    paddings = ("same", "valid", "causal") if name == "Conv1D" else ("same", "valid")
    common = draw.some(
        padding=paddings,
        data_format=("channels_first", "channels_last"),
        activation=ACTIVATIONS,
        use_bias=(True, False),
    )
    if common.get("padding") == "causal":
        common.pop("data_format", None)
    groups = draw.of(1, 2) if kind == "" else 1
    sizes = {"kernel_size": window}
    if kind != "Depthwise":
        sizes["filters"] = groups * draw.size(1, 3)
    if kind == "":
        sizes["groups"] = groups
    if kind in ("Depthwise", "Separable"):
        sizes["depth_multiplier"] = draw.size(1, 2)
    weights = {"Depthwise": ["depthwise"], "Separable": ["depthwise", "pointwise"]}.get(kind, ["kernel"])
    shape = _shape(draw, rank, groups * draw.size(1, 2), 5 if rank < 3 else 4, common.get("data_format"))
    return case(name, sizes | moves | common | draw.weights(*weights, "bias"), shape)


DRAWN = drawn(convolution, 14)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["conv 2", "transpose 1"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.Conv2D(0, 3), r"filters=0.*at least 1"),
    (lambda: layers.Conv2D(4, (3, 3, 3)), r"kernel_size=\(3, 3, 3\).*2 of them"),
    (lambda: layers.Conv2D(4, 3, padding="causal"), r"padding='causal'.*'valid', 'same'"),
    (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), r"strides=\(2, 2\), dilation_rate=\(2, 2\)"),
    (lambda: layers.Conv2D(3, 3, groups=2), r"filters=3, groups=2.*multiple"),
    (lambda: layers.Conv1D(3, 3, data_format="first"), r"data_format='first'"),
    (lambda: layers.Conv2D(3, 3, activation="rleu"), r"rleu.*Did you mean 'relu'"),
]
IMPOSSIBLE = [
    (layers.Conv2D(4, 3), [(8, 8)], r"Conv2D.*4 axes"),
    (layers.Conv2D(4, 5), [(3, 8, 1)], r"Conv2D.*does not fit"),
    (layers.Conv2D(4, 3, groups=2), [(8, 8, 3)], r"groups=2.*3 channels"),
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


def test_aliases():
    assert layers.Convolution2D is layers.Conv2D
    assert layers.Convolution3DTranspose is layers.Conv3DTranspose
    assert layers.SeparableConvolution1D is layers.SeparableConv1D
