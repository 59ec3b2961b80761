"""What facades of built-in layers have beside their descriptions: classes they derive from in Keras, seeds, sizes that are fixed."""

from __future__ import annotations

from typing import Any

from jkeras.keras import recurrent

# The class that Keras derives a class from, where it is another than `Layer`.
BASES: dict[str, str] = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), "RNN"),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), "Dropout"),
    "AdditiveAttention": "Attention",
    **dict.fromkeys(("TimeDistributed", "SpectralNormalization"), "Wrapper"),
}


def _rate(layer: Any) -> bool:
    return layer.rate > 0


def _last(layer: Any, shape: Any) -> dict[int, Any]:
    return {-1: shape[-1]}


def _channels(layer: Any, shape: Any) -> dict[int, Any]:
    axis = 1 if layer.channels_first else -1
    return {axis: shape[axis]}


def _axis(layer: Any, shape: Any) -> dict[int, Any]:
    return {layer.axis: shape[layer.axis]}


_CONVOLUTIONS = [
    f"{kind}{rank}D{suffix}"
    for kind, ranks, suffix in (
        ("Conv", (1, 2, 3), ""),
        ("Conv", (1, 2, 3), "Transpose"),
        ("DepthwiseConv", (1, 2), ""),
        ("SeparableConv", (1, 2), ""),
    )
    for rank in ranks
]

EXTRAS: dict[str, dict[str, Any]] = {
    **{name: {"_seeded": staticmethod(_rate)} for name in
       ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "AlphaDropout")},
    "GaussianNoise": {"_seeded": staticmethod(lambda layer: layer.stddev > 0)},
    "Dense": {"_sized_axes": staticmethod(_last)},
    **{name: {"_sized_axes": staticmethod(_channels)} for name in _CONVOLUTIONS},
    **{name: {"_sized_axes": staticmethod(_axis)} for name in ("BatchNormalization", "GroupNormalization")},
    "LeakyReLU": {"_old_arguments": ("alpha",)},
    "Embedding": {"_old_arguments": ("input_length",)},
    "RNN": recurrent.RNN,
    **dict.fromkeys(("SimpleRNNCell", "LSTMCell", "GRUCell", "ConvLSTMCell"), recurrent.CELL),
    "StackedRNNCells": recurrent.STACKED,
    "Wrapper": recurrent.WRAPPER,
    "TimeDistributed": recurrent.TIME_DISTRIBUTED,
    "Bidirectional": recurrent.BIDIRECTIONAL,
}  # fmt: skip
