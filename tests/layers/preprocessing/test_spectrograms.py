"""Spectrograms against Keras, in both faces: values, shapes, and gradients of kernels that are trained."""

import functools
from typing import Any

import jax
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as jkk
from jkeras import errors

TIME = 48
SIGNALS = np.random.default_rng(0).normal(size=(2, TIME, 3)).astype("float32")
SHORT = {"frame_length": 8, "frame_step": 3}
MEL = {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 5}

STFT = {
    **{mode: {**SHORT, "mode": mode} for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft")},
    "half of a frame": {"frame_length": 8},
    "longer transform": {**SHORT, "fft_length": 16, "mode": "magnitude"},
    "odd frame": {"frame_length": 7, "frame_step": 4, "mode": "psd"},
    "same": {**SHORT, "padding": "same"},
    "channels apart": {**SHORT, "expand_dims": True},
    "channels first": {**SHORT, "data_format": "channels_first"},
    "channels first apart": {**SHORT, "data_format": "channels_first", "expand_dims": True, "mode": "stft"},
    "no window": {**SHORT, "window": None, "scaling": None},
    "hamming": {**SHORT, "window": "hamming", "periodic": True, "scaling": "spectrum"},
}
MELS = {
    "plain": {},
    "no decibels": {"power_to_db": False, "mag_exp": 1.0},
    "shorter window": {"sequence_length": 12, "window": "hamming"},
    "no window": {"window": None, "min_freq": 0.0, "max_freq": 3000.0},
    "values of a window": {"window": np.linspace(0.1, 1, 16)},
    "loud": {"top_db": 5.0, "ref_power": 0.3, "min_power": 1e-3},
    "sampling": {"sampling_rate": 8000.0, "sequence_stride": 5},
}


def compiled(layer: Any, signals: np.ndarray) -> np.ndarray:
    return np.asarray(jax.jit(layer)(signals))


def ours(place: Any, name: str, arguments: dict[str, Any], signals: np.ndarray) -> np.ndarray:
    """What a face computes; the immutable one has its weights beside the layer."""
    layer = getattr(place, name)(**arguments)
    if place is jkk.layers:
        layer.build(signals.shape)
        return compiled(layer, signals)
    return compiled(functools.partial(layer.apply, layer.init(0, signals.shape)), signals)


def check(name: str, arguments: dict[str, Any], signals: np.ndarray, tolerance: float) -> None:
    theirs = getattr(keras.layers, name)(**arguments)
    theirs.build(signals.shape)
    expected = compiled(theirs, signals)
    for place in (jk.layers, jkk.layers):
        np.testing.assert_allclose(ours(place, name, arguments, signals), expected, rtol=1e-5, atol=tolerance)
    batch = (None, *signals.shape[1:]) if signals.ndim > 1 else signals.shape
    shape = getattr(jk.layers, name)(**arguments).compute_output_shape(batch)
    assert tuple(shape)[1:] == expected.shape[1:]


@pytest.mark.parametrize("case", STFT)
def test_stft_equals_keras(case):
    arguments = STFT[case]
    first = arguments.get("data_format") == "channels_first"
    # Where both parts are nearly nothing the angle is arbitrary; otherwise the values are about 1.
    check("STFTSpectrogram", arguments, np.moveaxis(SIGNALS, 1, 2) if first else SIGNALS, 1e-4)


@pytest.mark.parametrize("case", MELS)
def test_mel_equals_keras(case):
    signals = SIGNALS[0, :, 0] if case == "sampling" else SIGNALS[..., 0]
    check("MelSpectrogram", {**MEL, **MELS[case]}, signals, 1e-4)


def test_the_bands_are_those_of_keras():
    arguments = {"num_mel_bins": 6, "num_spectrogram_bins": 33, "sampling_rate": 8000, "upper_edge_hertz": 3000.0}
    expected = keras.layers.MelSpectrogram(**MEL).linear_to_mel_weight_matrix(**arguments)
    found = jk.layers.MelSpectrogram(**MEL).linear_to_mel_weight_matrix(**arguments)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_kernels_are_trained_like_keras():
    theirs = keras.layers.STFTSpectrogram(mode="magnitude", **SHORT)
    theirs.build(SIGNALS.shape)
    kernels = [variable.value for variable in theirs.trainable_variables]

    def loss_of_keras(kernels):
        return (theirs.stateless_call(kernels, [], SIGNALS)[0] ** 2).sum()

    layer = jk.layers.STFTSpectrogram(mode="magnitude", **SHORT)
    variables = layer.init(0, SIGNALS.shape)
    found = jax.jit(jax.grad(lambda params: (layer.apply(params, SIGNALS) ** 2).sum()))(variables)
    expected = jax.jit(jax.grad(loss_of_keras))(kernels)
    leaves = [found["params"][name] for name in ("real_kernel", "imag_kernel")]
    for one, other in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


def test_integers_are_no_signal():
    layer = jk.layers.STFTSpectrogram(**SHORT)
    with pytest.raises((errors.InputError, TypeError), match="expected `float16`"):
        layer.apply(layer.init(0, SIGNALS.shape), SIGNALS.astype("int32"))
