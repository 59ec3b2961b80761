"""Additions to the facades of built-in layers: their bases in Keras, seeds, fixed sizes."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jkeras import layers
from jkeras.errors import InputError
from jkeras.keras import recurrent, saving
from jkeras.keras.adaptable import ADAPTABLE
from jkeras.keras.adapted_weights import LowRankFacade, QuantizableFacade, weight_attributes
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.facades import on_view
from jkeras.keras.image_layers import IMAGES
from jkeras.keras.merging import MERGING
from jkeras.keras.special_layers import SPECIAL
from jkeras.keras.tensor import KerasTensor

# Classes that are parts of others, without public names.
PARTS = {
    "Projection": "jkeras.layers.multi_head_attention",
    "ConvLSTMCell": "jkeras.layers.recurrent.conv_lstm",
    "Merge": "jkeras.layers.merging",
    **dict.fromkeys(("CustomScaleLayer", "LayerScale", "StochasticDepth"), "jkeras.layers.network_parts"),
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), "jkeras.layers.locally_connected"),  # in old files
}

# The class from which Keras derives a class, if it is not `Layer`.
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


def _einsum_sizes(layer: Any, input_shape: Any) -> dict[str, Any]:
    """Sizes by letter; in Keras an output shape may have sizes that the equation does not name."""
    inputs, _, outputs = layer.axis_letters
    left = layer.equation.startswith("...")
    hidden = len(input_shape) - len(inputs) if left else 0
    named = layer.output_shape if hidden else (input_shape[0], *layer.output_shape)
    sizes = dict(zip(inputs, input_shape[hidden:], strict=False))
    for letter, size in zip(outputs, named, strict=False):
        if size is not None and sizes.get(letter, size) != size:
            raise InputError(
                "Input shape and output shape do not match at shared dimension"
                f" '{letter}'. Input shape is {sizes[letter]}, and output shape is {size}."
            )
        sizes[letter] = sizes.get(letter) if size is None else size
    return sizes


def _build_without_shape(description: Any) -> Any:
    def build(self: Any, input_shape: Any = None) -> None:
        """Makes the table."""
        description.build(self, input_shape)

    return build


def _finish_embedding(self: Any) -> None:
    LowRankFacade._finish_construction(self)
    if vars(self)["weights"] is not None:
        self.build()


_KERNEL: dict[str, Any] = {"base": QuantizableFacade, **weight_attributes("kernel")}
_EMBEDDING: dict[str, Any] = {
    "base": QuantizableFacade,
    **weight_attributes("embeddings"),
    "_old_arguments": ("input_length",),
    "_masks_on": staticmethod(lambda layer: layer.mask_zero),
    "_finish_construction": _finish_embedding,
}


def _convert_lambda(cls: Any, name: str, f: Any, value: Any) -> Any:
    if name == "mask" and isinstance(value, (jax.Array, np.ndarray)):
        return value  # a mask of one shape, which Keras allows
    return BuiltinLayer._convert.__func__(cls, name, f, value)  # type: ignore[attr-defined]


def _lambda_config(self: Any) -> dict[str, Any]:
    """The function and its options, without those that were not passed."""
    config = {**BuiltinLayer.get_config(self), "arguments": self.arguments}
    if isinstance(self.mask, (jax.Array, np.ndarray)):
        config["mask"] = saving.serialize_keras_object(self.mask)
    if isinstance(config["function"], str):  # the bare name of an activation, which `from_config` would not find
        config["function"] = saving.serialize_keras_object(self.function)
    for name in ("output_shape", "mask"):
        if config[name] is None:
            del config[name]
    return config


def _lambda_from_config(cls: Any, config: Any, custom_objects: Any = None, safe_mode: bool | None = None) -> Any:
    """Restores a layer from `get_config()`; code in a file is run only if `safe_mode` is off."""
    safe_mode = saving.in_safe_mode() if safe_mode is None else safe_mode
    with saving.custom_object_scope(custom_objects or {}), saving.SafeModeScope(safe_mode):
        if config.get("arguments"):
            config = {**config, "arguments": saving.deserialize_keras_object(config["arguments"])}
        return BuiltinLayer.from_config.__func__(cls, config)  # type: ignore[attr-defined]


_run_softmax = on_view(layers.Softmax.call)


def _softmax(self: Any, inputs: Any, mask: Any = None) -> Any:
    """Softmax, where the mask is true."""
    if mask is not None:
        shape, mask_shape = tuple(inputs.shape), tuple(mask.shape)
        if len(mask_shape) > len(shape):
            raise InputError(
                f"`mask` must not have more dimensions than `inputs`. Received: mask.shape={mask_shape}, inputs.shape={shape}"
            )
        if any(have not in (1, want) for have, want in zip(mask_shape[::-1], shape[::-1], strict=False)):
            raise InputError(
                f"`mask` must be broadcastable to `inputs`. Received: mask.shape={mask_shape}, inputs.shape={shape}"
            )
    return _run_softmax(self, inputs, mask)


def _typed(argument: str, expected: str, *types: type) -> Any:
    """A converter that raises Keras's exception class if an argument has the wrong type."""

    def convert(cls: Any, name: str, f: Any, value: Any) -> Any:
        if name == argument and (isinstance(value, bool) or not isinstance(value, types)):
            raise TypeError(f"Expected {expected} for `{name}`, but received: {value!r} (of type {type(value)})")
        return BuiltinLayer._convert.__func__(cls, name, f, value)  # type: ignore[attr-defined]

    return classmethod(convert)


def _reshaped_spec(self: Any, args: Any, kwargs: Any) -> Any:
    """Avoids running `call` if it is unknown whether the sizes match."""
    inputs = self._converted(args[0] if args else kwargs["inputs"])
    known = self.known_output(inputs)
    return BuiltinLayer._traced_spec(self, args, kwargs) if known is None else KerasTensor(known.shape, inputs.dtype)


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
    "EinsumDense": {"_sizes": _einsum_sizes, **_KERNEL},
    "Dense": {"_sized_axes": staticmethod(_last), **_KERNEL},
    "Projection": _KERNEL,
    **{name: {"_sized_axes": staticmethod(_channels)} for name in _CONVOLUTIONS},
    **{name: {"_sized_axes": staticmethod(_channels), "base": LowRankFacade, **weight_attributes("kernel")} for name in
       ("Conv1D", "Conv2D", "Conv3D")},
    **{name: {"_sized_axes": staticmethod(_axis)} for name in ("BatchNormalization",)},
    # Inputs are not cast: large values would overflow in float16.
    "GroupNormalization": {"_sized_axes": staticmethod(_axis), "_flags": {"autocast": False}},
    **{name: {"_convert": _typed("axis", "an int or a list/tuple of ints", int, np.integer, list, tuple)} for name in
       ("LayerNormalization", "RMSNormalization", "UnitNormalization")},
    **{f"Adaptive{kind}Pooling{rank}D": {"_convert": _typed("output_size", "an integer or a tuple", int, np.integer, list, tuple)}
       for kind in ("Average", "Max") for rank in (1, 2, 3)},
    "RepeatVector": {"_convert": _typed("n", "an integer value", int)},
    "UpSampling1D": {"_convert": _typed("size", "an integer value", int)},
    "Reshape": {"_traced_spec": _reshaped_spec},
    "LeakyReLU": {"_old_arguments": ("alpha",)},
    "Embedding": {"build": _build_without_shape(layers.Embedding), **_EMBEDDING},
    "ReversibleEmbedding": {"build": _build_without_shape(layers.ReversibleEmbedding), **_EMBEDDING},
    "Lambda": {
        "_masks_on": staticmethod(lambda layer: layer.mask is not None),
        "_convert": classmethod(_convert_lambda),
        "get_config": _lambda_config,
        "from_config": classmethod(_lambda_from_config),
    },
    "Softmax": {"call": _softmax},
    **ADAPTABLE,
    **IMAGES,
    **MERGING,
    "Dot": {**MERGING["Dot"], "_convert": _typed("axes", "an int or a list/tuple of two ints", int, np.integer, list, tuple)},
    **SPECIAL,
    "RNN": recurrent.RNN,
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "ConvLSTMCell"), recurrent.CELL),
    "LSTMCell": recurrent.LSTM_CELL,
    "StackedRNNCells": recurrent.STACKED,
    "Wrapper": recurrent.WRAPPER,
    "TimeDistributed": recurrent.TIME_DISTRIBUTED,
    "Bidirectional": recurrent.BIDIRECTIONAL,
}  # fmt: skip
