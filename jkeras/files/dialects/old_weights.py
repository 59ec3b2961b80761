"""Arrays of weights as earlier versions of Keras kept them, in today's layout.

Sources: the conversions that Keras 2 and TensorFlow's Keras applied when they loaded older files.

The functions take and return plain arrays; a layer is looked at only for its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from jkeras.errors import RestoreError

Arrays: TypeAlias = list[np.ndarray]
# A layer of jkeras or of its drop-in, told by the name of its class, of which arguments are read that this class has.
AnyLayer: TypeAlias = Any

FLIPPED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def major(version: str) -> int:
    """The first number of a version.

    >>> major("2.2.4-tf")
    2
    """
    digits = version.partition(".")[0]
    return int(digits) if digits.isdigit() else 1


def translate(old_class: str | None, layer: AnyLayer, arrays: Arrays, version: str, backend: str | None) -> Arrays:
    """The arrays of a layer in today's layout.

    Args:
        old_class: the class that the file names, or None if it names none.
        layer: today's layer.
        arrays: what the file holds.
        version: the version of Keras that wrote it.
        backend: the backend that wrote it, or None.
    """
    if major(version) >= 3:
        return arrays
    parts = _parts(layer)
    if parts is not None:
        return _in_parts(layer, parts, arrays, version, backend)
    name = type(layer).__name__
    if major(version) == 1:
        arrays = _from_first(name, layer, arrays)
    if backend == "theano" and name in FLIPPED and arrays:
        # Theano's convolution ran its kernels back to front.
        arrays = [_flipped(a) if a.ndim > 2 else a for a in arrays]
    if name in ("LSTM", "GRU"):
        arrays = _from_cudnn(name, layer, arrays)
    return arrays


def _parts(layer: AnyLayer) -> list[AnyLayer] | None:
    """The layers whose weights make up those of a layer, in order; None for a layer with weights of its own."""
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
    """One kernel, recurrent kernel and bias from those of each gate."""
    return [np.concatenate([arrays[3 * gate + part] for gate in order], axis=-1) for part in range(3)]


def _first_lstm(layer: AnyLayer, arrays: Arrays) -> Arrays:
    # The gates were kept in the order input, cell, forget, output.
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
    """Weights of CuDNNLSTM and CuDNNGRU: kernels transposed gate by gate, a bias for input and one for state."""
    gates = {"LSTM": 4, "GRU": 3}[name]
    if len(arrays) != 3 or arrays[2].shape != (2 * gates * layer.units,):
        return arrays
    kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in np.hsplit(arrays[0], gates)])
    recurrent = np.hstack([part.T for part in np.hsplit(arrays[1], gates)])
    if name == "LSTM":
        return [kernel, recurrent, np.sum(np.split(arrays[2], 2), axis=0)]
    return [kernel, recurrent, arrays[2].reshape(2, -1)]


# -- optimizers ----------------------------------------------------------------------------------------------------


def optimizer_arrays(
    class_name: str,
    config: Mapping[str, Any],
    arrays: Arrays,
    shapes: Sequence[tuple[int, ...]],
    orders: Sequence[Sequence[int]],
    first_name: str = "",
) -> Arrays:
    """The state of an optimizer of Keras 2 in the order of Keras 3: step, learning rate, then weight by weight.

    Keras 2 kept slot by slot, all first moments and then all second ones, each in some order of the weights; from 2.11 on
    it kept them weight by weight, and a learning rate that may be missing.

    Args:
        class_name: the optimizer's class.
        config: its arguments.
        arrays: what the file holds.
        shapes: the shapes of the weights that are trained, in today's order.
        orders: in which order the weights may have been: their numbers in today's order.
        first_name: the name of the first array; `iteration` from 2.11 on.

    Raises:
        RestoreError: the arrays do not fit the weights in any of the orders.
    """
    if not arrays or not shapes:
        return []
    has_step = arrays[0].shape == () and shapes[orders[0][0]] != ()
    step, slots = (arrays[0], arrays[1:]) if has_step else (np.int32(0), arrays)
    count = len(shapes)
    if first_name.rpartition("/")[2].partition(":")[0] == "iteration":
        is_rate = len(slots) % count == 1 and slots[0].shape == ()
        return [np.asarray(step).astype(np.int32), *_rate(config), *(slots[1:] if is_rate else slots)]
    if len(slots) % count:
        slots = slots[: len(slots) - len(slots) % count]
    if class_name == "Adam" and not config.get("amsgrad"):
        slots = slots[: 2 * count]  # Keras 2 kept empty third slots
    rounds = len(slots) // count
    for order in orders:
        if all(slots[k * count + j].shape == shapes[i] for k in range(rounds) for j, i in enumerate(order)):
            break
    else:
        raise RestoreError(
            f"The state of {class_name} in the file does not fit the model's weights. To load the model without it:"
            f" `load_model(path, compile=False)`."
        )
    position = {i: j for j, i in enumerate(order)}
    head: Arrays = [np.asarray(step).astype(np.int32), *_rate(config)]
    return head + [slots[k * count + position[i]] for i in range(count) for k in range(rounds)]


def _rate(config: Mapping[str, Any]) -> Arrays:
    """The learning rate as an array; none where it follows a schedule."""
    rate = config.get("lr", config.get("learning_rate", 0.001))
    return [] if isinstance(rate, Mapping) or config.get("decay") else [np.asarray(rate, np.float32)]
