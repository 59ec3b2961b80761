"""The same layers and models in jkeras and in Keras, with the same weights."""

import keras
import numpy as np

import jkeras as jk
from jkeras import layers, quantizers

# What is asked for, as (mode, class of the configuration, its arguments); quantizers by their arguments.
SETTINGS = {
    "int8": ("int8", None, {}),
    "int8, floats": ("int8", "Int8QuantizationConfig", {"activation_quantizer": None}),
    "int8, narrow": ("int8", "Int8QuantizationConfig", {"activation_quantizer": {"value_range": (-63, 63)}}),
    "int4": ("int4", None, {}),
    "int4, groups": ("int4", "Int4QuantizationConfig", {"block_size": 4}),
    "int4, channels": ("int4", "Int4QuantizationConfig", {"block_size": None}),
    "int4, integers": ("int4", "Int4QuantizationConfig", {"activation_quantizer": {}, "block_size": -1}),
    "float8": ("float8", None, {}),
}


def config(home, setting):
    """The configuration of a setting, of `jkeras.quantizers` or `keras.quantizers`."""
    _, name, arguments = SETTINGS[setting]
    if name is None:
        return None
    made = {
        key: home.AbsMaxQuantizer(**value) if isinstance(value, dict) else value for key, value in arguments.items()
    }
    return getattr(home, name)(**made)


def pair(name, arguments, x):
    """A model of one layer in both, with the same weights."""
    ours = jk.Sequential([jk.Input(x.shape[1:], dtype=x.dtype.name), getattr(layers, name)(**arguments)])
    theirs = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), getattr(keras.layers, name)(**arguments)])
    return ours.set_weights(theirs.get_weights()), theirs


def quantize(ours, theirs, setting):
    """Both quantised as a setting says."""
    mode = SETTINGS[setting][0]
    theirs.layers[-1].quantize(mode, config=config(keras.quantizers, setting))
    return ours.quantize(mode, config=config(quantizers, setting)), theirs


def assert_alike(ours, theirs, x, tolerance=1e-5):
    """Same types, shapes and numbers of weights, same outputs."""
    pairs = list(zip(ours.get_weights(), theirs.get_weights(), strict=True))
    assert [(a.shape, a.dtype.name) for a, _ in pairs] == [(b.shape, b.dtype.name) for _, b in pairs]
    for a, b in pairs:
        np.testing.assert_allclose(a.astype("float32"), b.astype("float32"), rtol=1e-5, atol=1e-6)
    want = np.asarray(theirs(x))
    np.testing.assert_allclose(ours(x), want, rtol=tolerance, atol=tolerance * max(1, np.abs(want).max()))
