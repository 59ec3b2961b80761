"""Mutable layers that learn from data with `adapt`, or process strings: they change in place and save weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import layers
from jkeras.errors import ArgumentError, InputError
from jkeras.keras.batch_learning import DISCRETIZATION, TERMS, WORDS
from jkeras.keras.facades import on_view
from jkeras.keras.scopes import is_traced
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import as_array
from jkeras.layers.preprocessing.normalization import centred_and_scaled

# Types of positional arguments of these layers, including numbers, lists and strings.
ANY_VALUES = {"_flags": {"_convert_input_args": False, "_allow_non_tensor_positional_args": True}}


def on_values(description: Any) -> Callable[..., Any]:
    """`call` of a layer that also accepts lists and NumPy arrays."""
    run = on_view(description.call)

    def call(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return run(self, inputs if is_traced(inputs) else as_array(inputs), *args, **kwargs)

    return call


# -- text -------------------------------------------------------------------------------------------------------------


def on_host(description: Any) -> Callable[..., Any]:
    """`call` of a layer that processes concrete data eagerly, in Python."""
    run = on_view(description.call)

    def call(self: Any, inputs: Any) -> Any:
        traced = any(is_traced(leaf) for leaf in jax.tree.leaves(inputs))
        return run(self, inputs) if traced else self.on_host(inputs)

    return call


def _lookup_spec(self: Any, inputs: Any) -> KerasTensor:
    depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
    return _encoded(self, inputs, depth, "string" if self.invert and isinstance(self.oov_token, str) else "int32")


def _hashing_spec(self: Any, inputs: Any) -> KerasTensor:
    return _encoded(self, inputs, self.num_bins, "int32")


def _crossing_spec(self: Any, inputs: Any) -> KerasTensor:
    shapes = [tuple(tensor.shape) for tensor in inputs] if isinstance(inputs, (list, tuple)) else []
    if len(shapes) < 2 or len(set(shapes)) > 1:
        raise ArgumentError(f"HashedCrossing: expected two or more tensors of one shape. Received: {inputs}")
    return _encoded(self, inputs[0], self.num_bins, "int32")


def _encoded(self: Any, inputs: Any, depth: int, of_ids: str) -> KerasTensor:
    """A symbolic tensor with the shape of the ids of the inputs, or of their encodings."""
    shape = tuple(inputs.shape)
    if self.output_mode == "int":
        return KerasTensor(shape, of_ids)
    leading = shape[:-1] if self.output_mode != "one_hot" or shape[-1:] == (1,) else shape
    return KerasTensor((*leading, depth), "float32")


def _text_spec(self: Any, inputs: Any) -> KerasTensor:
    batch = inputs.shape[0] if inputs.shape else None
    if self.output_mode == "int":
        return KerasTensor((batch, self.output_sequence_length), "int32")
    depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
    return KerasTensor((batch, depth), "float32")


def _spec_by(rule: Callable[..., KerasTensor]) -> dict[str, Any]:
    def compute_output_spec(self: Any, inputs: Any) -> Any:
        return rule(self, inputs)

    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        several = bool(input_shape) and isinstance(input_shape[0], (list, tuple))
        inputs = (
            [KerasTensor(shape, "string") for shape in input_shape] if several else KerasTensor(input_shape, "string")
        )
        return rule(self, inputs).shape

    return {"compute_output_spec": compute_output_spec, "compute_output_shape": compute_output_shape}


def _set_vocabulary_of(description: Any) -> Callable[..., None]:
    """`set_vocabulary` of a description, whose changed copy is the object itself."""

    def set_vocabulary(self: Any, vocabulary: Any, idf_weights: Any = None) -> None:
        """Puts a vocabulary in place of the one that is there."""
        _ = description.set_vocabulary(self, vocabulary, idf_weights)  # the object itself

    return set_vocabulary


def _save_assets(self: Any, dir_path: str) -> None:
    """Writes the vocabulary next to the weights."""
    if self.vocabulary is not None:
        terms = self.get_vocabulary(include_special_tokens=True)
        Path(dir_path, "vocabulary.txt").write_text("\n".join(map(str, terms)), encoding="utf-8")


def _load_assets(self: Any, dir_path: str) -> None:
    """Reads what `save_assets` wrote."""
    path = Path(dir_path, "vocabulary.txt")
    if self.vocabulary is None and path.exists():
        self.set_vocabulary(str(path))


def _text_layer(description: Any, rule: Callable[..., KerasTensor], learning: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **ANY_VALUES,
        **_spec_by(rule),
        **learning,
        "call": on_host(description),
        "set_vocabulary": _set_vocabulary_of(description),
        "save_assets": _save_assets,
        "load_assets": _load_assets,
    }


# -- Normalization ----------------------------------------------------------------------------------------------------


def _post_init_normalization(self: Any) -> None:
    own = vars(self)
    mean, variance = own.pop("mean"), own.pop("variance")
    if (mean is not None) != (variance is not None):
        raise ArgumentError(
            "When setting values directly, both `mean` and `variance` must be set."
            f" Received: mean={mean} and variance={variance}"
        )
    if mean is not None and np.shape(mean) != np.shape(variance):
        raise ArgumentError(
            "When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape"
            f" {np.shape(mean)} and variance shape {np.shape(variance)}"
        )
    if mean is not None and np.ndim(mean) > max(len(self.axis), 0):
        raise ArgumentError(
            f"The rank of `mean` must be less than or equal to the number of axes ({len(self.axis)})."
            f" Received: mean shape {np.shape(mean)} for axis {self.axis}"
        )
    own.update(input_mean=mean, input_variance=variance)


def _build_normalization(self: Any, input_shape: Any) -> None:
    if input_shape is None:
        return
    rank = len(input_shape)
    if not all(-rank <= axis < rank for axis in self.axis):
        raise ArgumentError(
            f"All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim={rank}, while axis={self.axis}"
        )
    axes = sorted(axis % rank for axis in self.axis)
    for axis in axes:
        if input_shape[axis] is None:
            raise ArgumentError(
                f"All `axis` values to be kept must have a known shape. Received axis={self.axis}, inputs.shape={input_shape},"
                f" with unknown axis at index {axis}"
            )
    shape = tuple(input_shape[axis] for axis in axes)
    vars(self).update(
        _input_shape=tuple(input_shape),
        _reduced=tuple(axis for axis in range(rank) if axis not in axes),
        _broadcast=tuple(input_shape[axis] if axis in axes else 1 for axis in range(rank)),
    )
    if self.input_mean is None:
        options = {"trainable": False, "shape": shape}
        self.adapt_mean = self.add_weight(name="mean", initializer="zeros", **options)
        self.adapt_variance = self.add_weight(name="variance", initializer="ones", **options)
        # Keras saves it.
        self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)


def _statistic(argument: str, cell: str) -> property:
    def get(self: Any) -> Any:
        own = vars(self)
        if "_broadcast" not in own:
            return None
        value = own.get(argument)
        value = own[cell].value if value is None else jnp.asarray(value)
        if value.ndim < sum(size != 1 for size in self._broadcast) or value.ndim != len(self.axis):
            # Fewer axes than `axis` keeps: take the last of them.
            remaining_axes = [axis for axis in range(len(self._broadcast)) if axis not in self._reduced][
                -value.ndim or len(self._broadcast) :
            ]
            shape = [1] * len(self._broadcast)
            for axis, size in zip(remaining_axes, value.shape, strict=True):
                shape[axis] = size
            return jnp.broadcast_to(value.reshape(shape), self._broadcast).astype(self.compute_dtype)
        return value.reshape(self._broadcast).astype(self.compute_dtype)

    return property(get)


def _normalize(self: Any, inputs: Any) -> jax.Array:
    x = (inputs if is_traced(inputs) else as_array(inputs)).astype(self.compute_dtype)
    mean, variance = self.mean, self.variance
    if mean is None:
        raise InputError("You must call `.build(input_shape)` on the layer before using it.")
    return centred_and_scaled(x, mean, variance, self.invert)


def _adapt_normalization(self: Any, data: Any) -> None:
    """Learns mean and variance from an array, or an iterable of batches."""
    if not isinstance(data, (np.ndarray, jax.Array)) and not isinstance(data, Iterable):
        raise TypeError(
            f"Unsupported data type: {type(data)}. `adapt` supports `np.ndarray`, arrays of JAX, `keras.utils.PyDataset`, and"
            " iterables of batches (e.g. list, generator)."
        )
    batches = iter([data] if isinstance(data, (np.ndarray, jax.Array)) else map(_first, data))
    first = next(batches, None)
    if first is None:
        raise ArgumentError(
            "adapt() received an empty iterable (no batches). Expected at least one batch. Pass a non-empty iterable of arrays"
            " or tensors, e.g. layer.adapt([x]) or layer.adapt(list_of_batches)."
        )
    if not hasattr(first, "shape"):
        raise TypeError(
            "adapt() expects an iterable that yields arrays or tensors with a `.shape` attribute (e.g. numpy arrays or backend"
            f" tensors). Got an element of type {type(first).__name__}."
        )
    if not self.built:
        self.build(tuple(first.shape))
    count, mean, variance = 0, np.float64(0), np.float64(0)
    for batch in itertools.chain([first], batches):
        _check_sizes(self, batch.shape)
        values = np.asarray(batch, np.float64)
        new = math.prod(values.shape[axis] for axis in self._reduced)
        share = new / (count + new)
        own_mean, own_variance = values.mean(axis=self._reduced), values.var(axis=self._reduced)
        total = mean * (1 - share) + own_mean * share
        variance = (variance + (mean - total) ** 2) * (1 - share) + (own_variance + (own_mean - total) ** 2) * share
        count, mean = count + new, total
    self.adapt_mean.assign(np.asarray(mean, np.float32))
    self.adapt_variance.assign(np.asarray(variance, np.float32))


def _first(batch: Any) -> Any:
    return batch[0] if isinstance(batch, (tuple, list)) and batch and hasattr(batch[0], "shape") else batch


def _check_sizes(self: Any, shape: Any) -> None:
    for axis in range(len(self._input_shape)):
        if axis not in self._reduced and (len(shape) <= axis or shape[axis] != self._input_shape[axis]):
            raise ArgumentError(
                f"The layer was built with input_shape={self._input_shape}, but adapt() is being called with data with an"
                f" incompatible shape, data.shape={tuple(shape)}"
            )


def _normalization_arguments(self: Any) -> dict[str, Any]:
    statistics = {"mean": self.input_mean, "variance": self.input_variance}
    return {name: statistics[name] if name in statistics else getattr(self, name) for name in type(self)._fields}


def nothing(self: Any) -> None:
    """Does nothing; part of Keras's protocol."""


NORMALIZATION = {
    "__post_init__": _post_init_normalization,
    "_arguments": _normalization_arguments,
    "_has_value": False,
    "build": _build_normalization,
    "call": _normalize,
    "adapt": _adapt_normalization,
    "mean": _statistic("input_mean", "adapt_mean"),
    "variance": _statistic("input_variance", "adapt_variance"),
    "finalize_state": nothing,
}

ADAPTABLE: dict[str, dict[str, Any]] = {
    "Normalization": NORMALIZATION,
    "Discretization": {
        **ANY_VALUES,
        **DISCRETIZATION,
        "call": on_values(layers.Discretization),
    },
    "CategoryEncoding": {**ANY_VALUES, "call": on_values(layers.CategoryEncoding)},
    "Rescaling": {**ANY_VALUES, "call": on_values(layers.Rescaling)},
    "Hashing": {**ANY_VALUES, **_spec_by(_hashing_spec), "call": on_host(layers.Hashing)},
    "HashedCrossing": {**ANY_VALUES, **_spec_by(_crossing_spec), "call": on_host(layers.HashedCrossing)},
    "StringLookup": _text_layer(layers.StringLookup, _lookup_spec, TERMS),
    "IntegerLookup": _text_layer(layers.IntegerLookup, _lookup_spec, TERMS),
    "TextVectorization": _text_layer(layers.TextVectorization, _text_spec, WORDS),
}
