"""Arguments of layers that had other names in Keras 1 and 2, by the table for their files (`files/dialects/old_names.py`)."""

from __future__ import annotations

import weakref
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.files.dialects import old_names
from jkeras.keras.input import InputLayer
from jkeras.keras.layer import Layer
from jkeras.keras.sequential import Sequential
from jkeras.scripts.notes import NOTES
from jkeras.scripts.patches import Patches

BASE = Layer

# Sizes of kernels that were separate arguments.
_SIZES = {"nb_row": 0, "nb_col": 1, "kernel_dim1": 0, "kernel_dim2": 1, "kernel_dim3": 2}
# Old arguments of every layer without a meaning today.
_WITHOUT = ("input_dtype",)
# The arguments for the input sizes of layers over time.
_OVER_TIME = ("SimpleRNN", "LSTM", "GRU", "Conv1D")
# The number of kernel sizes that Keras 1 accepted by position after the number of filters.
_KERNEL_AXES = {"Conv2D": 2, "SeparableConv2D": 2, "Conv2DTranspose": 2, "Conv3D": 3, "Conv3DTranspose": 3}
_NOT_OFFERED = {
    ("Embedding", "dropout"): "add a `SpatialDropout1D` layer after it",
    ("BatchNormalization", "mode"): "only Keras 1's mode 0 is supported",
}

# Shapes with a batch size that were passed to layers, until a `Sequential` reads them.
_batch_shapes: weakref.WeakKeyDictionary[Layer, tuple[int | None, ...]] = weakref.WeakKeyDictionary()


def install(patches: Patches) -> None:
    """Makes a `Sequential` begin with the input shape that its first layer received."""
    patches.around(Sequential, "add", _add)
    for end in ("input", "output"):
        patches.set(Layer, f"{end}_shape", _ShapeOf(end))


def construct(original: Any, cls: Any, described: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Creates a layer from the arguments of any version."""
    shape = None
    own = () if described is None else described.description._fields
    if "batch_input_shape" in kwargs:
        shape = tuple(kwargs.pop("batch_input_shape"))
        NOTES.old(f"{cls.__name__}(batch_input_shape=...)", "keras.Input(batch_shape=...)")
    if described is not None and described.is_facade():
        name = described.description.__name__
        if name in _OVER_TIME and "input_dim" in kwargs:
            shape = (None, kwargs.pop("input_length", None), kwargs.pop("input_dim"))
            NOTES.old(f"{name}(input_length=..., input_dim=...)", "keras.Input((length, features))")
        if any(argument in old_names.ARGUMENTS.get(name, ()) for argument in kwargs if argument not in own):
            args = with_kernel_size(name, args)
        kwargs = today(name, kwargs, own)
    layer = original(cls, *args, **kwargs)
    if shape is not None:
        _batch_shapes[layer] = shape
    return layer


def today(class_name: str, kwargs: dict[str, Any], own: Any) -> dict[str, Any]:
    """The current form of a built-in layer's arguments.

    Raises:
        ArgumentError: the current layer does not support an old argument.
    """
    table = old_names.ARGUMENTS.get(class_name, {})
    old = [name for name in kwargs if name not in own and (name in table or name in _SIZES)]
    ignored_names = [name for name in kwargs if name not in own and (name in old_names.IGNORED or name in _WITHOUT)]
    for (owner, name), instead in _NOT_OFFERED.items():
        if owner == class_name and name not in own and kwargs.get(name):
            raise ArgumentError(f"{class_name}({name}={kwargs[name]!r}) of Keras 1 is not supported: {instead}.")
    if class_name == "BatchNormalization" and "mode" in kwargs:
        ignored_names.append("mode")
    for name in ignored_names:
        NOTES.left_out(f"{class_name}({name}=...)")
    if not old and not ignored_names:
        return kwargs
    for name in old:
        NOTES.old(f"{class_name}({name}=...)", f"{class_name}({'kernel_size' if name in _SIZES else table[name]}=...)")
    _, arguments = old_names.layer(class_name, kwargs)
    return {name: value for name, value in arguments.items() if name not in ignored_names}


def with_kernel_size(class_name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Converts the positional arguments of Keras 1's convolutions, `(filters, rows, columns)`, to `(filters, size)`."""
    axes = _KERNEL_AXES.get(class_name, 0)
    sizes = args[1 : 1 + axes]
    if axes < 2 or len(sizes) < axes or not all(isinstance(size, int) for size in sizes):
        return args
    NOTES.old(f"{class_name}({', '.join(map(str, args[: 1 + axes]))})", f"{class_name}({args[0]}, {sizes})")
    return (args[0], sizes, *args[1 + axes :])


def _add(original: Any, self: Sequential, layer: Any, *args: Any, **kwargs: Any) -> Any:
    shape = _batch_shapes.get(layer) if isinstance(layer, Layer) else None
    if shape is not None and not self.layers:
        original(self, InputLayer(batch_shape=shape))
    return original(self, layer, *args, **kwargs)


class _ShapeOf:
    """The shape of a layer's input or output in its model, in a list for an input itself.

    Attributes of layers with this name take precedence.
    """

    def __init__(self, end: str):
        self._end = end

    def __get__(self, layer: Layer | None, owner: type) -> Any:
        if layer is None:
            return self
        tensors = [layer.output] if isinstance(layer, InputLayer) else getattr(layer, self._end)
        NOTES.old(f"layer.{self._end}_shape", f"layer.{self._end}.shape")
        return [t.shape for t in tensors] if isinstance(tensors, (list, tuple)) else tensors.shape
