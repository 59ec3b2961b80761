"""Converts weight arrays of earlier versions of Keras to today's layout.

Sources: the conversions in Keras 2 and TensorFlow's Keras for older files.

The functions take and return plain arrays; of layers, they only read arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from jkeras.files.dialects import definitions

Arrays: TypeAlias = list[np.ndarray]
# A layer of jkeras or of its drop-in, identified by the name of its class, whose arguments are read.
AnyLayer: TypeAlias = Any

FLIPPED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def translate(old_class: str | None, layer: AnyLayer, arrays: Arrays, version: str, backend: str | None) -> Arrays:
    """The arrays of a layer in today's layout.

    Args:
        old_class: the class that the file names, or None.
        layer: today's layer.
        arrays: the arrays in the file.
        version: the version of Keras that wrote it.
        backend: the backend that wrote it, or None.
    """
    if definitions.major(version) >= 3:
        return arrays
    parts = _parts(layer)
    if parts is not None:
        return _in_parts(layer, parts, arrays, version, backend)
    name = type(layer).__name__
    if definitions.major(version) == 1:
        arrays = _from_first(name, layer, arrays)
    if backend == "theano" and name in FLIPPED and arrays:
        # Theano's convolution flips its kernels.
        arrays = [_flipped(a) if a.ndim > 2 else a for a in arrays]
    if name in ("LSTM", "GRU"):
        arrays = _from_cudnn(name, layer, arrays)
    return arrays


def _parts(layer: AnyLayer) -> list[AnyLayer] | None:
    """The layers whose weights form those of a layer, in order; None for a layer with its own weights."""
    name = type(layer).__name__
    if name == "Bidirectional":
        return [layer.forward_layer, layer.backward_layer]
    if name == "TimeDistributed":
        return [layer.layer]
    return None


def _in_parts(layer: AnyLayer, parts: list[AnyLayer], arrays: Arrays, version: str, backend: str | None) -> Arrays:
    if len(arrays) % len(parts):
        return arrays
    size = len(arrays) // len(parts)
    translated: Arrays = []
    for i, part in enumerate(parts):
        translated += translate(None, part, arrays[i * size : (i + 1) * size], version, backend)
    return translated


def _flipped(kernel: np.ndarray) -> np.ndarray:
    spatial = tuple(slice(None, None, -1) for _ in range(kernel.ndim - 2))
    return np.ascontiguousarray(kernel[spatial])


# -- Keras 1 -------------------------------------------------------------------------------------------------------


def _from_first(name: str, layer: AnyLayer, arrays: Arrays) -> Arrays:
    change = _FIRST.get(name)
    return arrays if change is None or not arrays else change(layer, arrays)


def _first_conv1d(layer: AnyLayer, arrays: Arrays) -> Arrays:
    kernel = arrays[0]
    if kernel.ndim != 4:
        return arrays
    if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:
        kernel = np.transpose(kernel, (2, 3, 1, 0))
    return [kernel[:, 0, :, :], *arrays[1:]]


def _first_conv2d(layer: AnyLayer, arrays: Arrays) -> Arrays:
    if layer.data_format == "channels_first":
        return [np.transpose(arrays[0], (2, 3, 1, 0)), *arrays[1:]]
    return arrays


def _first_conv3d(layer: AnyLayer, arrays: Arrays) -> Arrays:
    if layer.data_format == "channels_first":
        return [np.transpose(arrays[0], (2, 3, 4, 1, 0)), *arrays[1:]]
    return arrays


def _first_conv2d_transpose(layer: AnyLayer, arrays: Arrays) -> Arrays:
    axes = (2, 3, 0, 1) if layer.data_format == "channels_first" else (0, 1, 3, 2)
    return [np.transpose(arrays[0], axes), *arrays[1:]]


def _gates(arrays: Arrays, order: Sequence[int]) -> Arrays:
    """Combines the kernels, recurrent kernels and biases of all gates."""
    return [np.concatenate([arrays[3 * gate + part] for gate in order], axis=-1) for part in range(3)]


def _first_lstm(layer: AnyLayer, arrays: Arrays) -> Arrays:
    # The order of the gates was input, cell, forget, output.
    return _gates(arrays, (0, 2, 1, 3)) if len(arrays) == 12 else arrays


def _first_gru(layer: AnyLayer, arrays: Arrays) -> Arrays:
    return _gates(arrays, (0, 1, 2)) if len(arrays) == 9 else arrays


def _first_conv_lstm(layer: AnyLayer, arrays: Arrays) -> Arrays:
    if len(arrays) != 12:
        return arrays
    joined = _gates(arrays, (0, 2, 1, 3))
    if layer.data_format == "channels_first":
        joined[:2] = [np.transpose(kernel, (2, 3, 1, 0)) for kernel in joined[:2]]
    return joined


_FIRST: dict[str, Callable[[AnyLayer, Arrays], Arrays]] = {
    "Conv1D": _first_conv1d,
    "Conv2D": _first_conv2d,
    "Conv3D": _first_conv3d,
    "Conv2DTranspose": _first_conv2d_transpose,
    "LSTM": _first_lstm,
    "GRU": _first_gru,
    "ConvLSTM2D": _first_conv_lstm,
}


# -- cuDNN ---------------------------------------------------------------------------------------------------------


def _from_cudnn(name: str, layer: AnyLayer, arrays: Arrays) -> Arrays:
    """Weights of CuDNNLSTM and CuDNNGRU: kernels transposed per gate, a bias for the input and one for the state."""
    gates = {"LSTM": 4, "GRU": 3}[name]
    if len(arrays) != 3 or arrays[2].shape != (2 * gates * layer.units,):
        return arrays
    kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in np.hsplit(arrays[0], gates)])
    recurrent = np.hstack([part.T for part in np.hsplit(arrays[1], gates)])
    if name == "LSTM":
        return [kernel, recurrent, np.sum(np.split(arrays[2], 2), axis=0)]
    return [kernel, recurrent, arrays[2].reshape(2, -1)]
