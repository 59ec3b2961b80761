"""`keras.utils.FeatureSpace`: prepares the columns of a table for a model, as a mutable layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError, NotBuiltError
from jkeras.keras import layers, ops
from jkeras.keras.files import save_model
from jkeras.keras.input import Input
from jkeras.keras.layer import Layer
from jkeras.keras.naming import auto_name
from jkeras.keras.saving import deserialize_keras_object, serialize_keras_object
from jkeras.utils import features as parts
from jkeras.utils.features import MODULE


class Feature(parts.Feature):
    """A column's dtype, the layer that prepares it, and the encoding of the result."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        layer = serialize_keras_object(self.preprocessor)
        return {"dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The feature that `get_config` described."""
        return cls(**{**config, "preprocessor": deserialize_keras_object(config["preprocessor"])})


class Cross(parts.Cross):
    """Several features that are combined by a hash."""


class TFDIdentity(layers.Identity):
    """The preprocessor of plain numbers, which does nothing."""

    keras_module: ClassVar[str] = MODULE


class TFDConcat(Layer):
    """Joins encoded features along an axis.

    Args:
        axis: the axis.
    """

    keras_module: ClassVar[str] = MODULE

    def __init__(self, axis: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        """Concatenates tensors."""
        return ops.concatenate(xs, axis=self.axis)


class FeatureSpace(parts.FeatureKinds, Layer):
    """Prepares and encodes the columns of a table, each in its own way.

    Args:
        features: the kind of each column by name, such as "float_normalized" or the result of `FeatureSpace.float_normalized()`
            and similar methods.
        output_mode: "concat" concatenates all features into vectors; "dict" returns them by name.
        crosses: tuples of feature names to combine by hashing, or `FeatureSpace.cross(...)`.
        crossing_dim: the default number of bins of crosses.
        hashing_dim: the number of bins of "integer_hashed" and "string_hashed".
        num_discretization_bins: the number of bins of "float_discretized".
        name: the name of the layer.

    Raises:
        ValueError: there are no features, or a kind, mode or name is unknown.

    >>> space = FeatureSpace({"age": "float_normalized", "city": "string_categorical"})
    >>> space.adapt({"age": [20.0, 30.0, 40.0], "city": ["Rome", "Oslo", "Rome"]})
    >>> space({"age": 30.0, "city": "Rome"}).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """

    keras_module: ClassVar[str] = "keras.utils"
    feature_class = Feature
    cross_class = Cross

    @classmethod
    def _new_layer(cls, class_name: str, **values: Any) -> Any:
        return TFDIdentity(**values) if class_name == "Identity" else getattr(layers, class_name)(**values)

    @classmethod
    def _new_name(cls, kind: str) -> str:
        return auto_name(kind)

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int | None = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not features:
            raise ArgumentError("The `features` argument cannot be None or empty.")
        arguments.checked("FeatureSpace", "features", features, arguments.table)
        if output_mode not in ("dict", "concat"):
            raise ArgumentError(
                "Invalid value for argument `output_mode`. Expected one of {'dict', 'concat'}."
                f" Received: output_mode={output_mode}"
            )
        sizes = {"hashing_dim": hashing_dim, "num_discretization_bins": num_discretization_bins}
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = output_mode
        self.features = {key: self._named(key, _read(feature), sizes) for key, feature in features.items()}
        crosses = arguments.checked("FeatureSpace", "crosses", () if crosses is None else crosses, arguments.entries)
        self.crosses = self._crosses(map(_read, crosses), crossing_dim, self.features)
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {key: Input((1,), dtype=feature.dtype, name=key) for key, feature in self.features.items()}
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.encoded_features: Any = None
        self.concat = TFDConcat(axis=-1)
        self._learning = [key for key, layer in self.preprocessors.items() if _must_learn(layer)]
        self._is_adapted = self.built = not self._learning

    def adapt(self, dataset: Any) -> None:
        """Adapts the layers to data, replacing what was learnt before.

        Args:
            dataset: a dict of columns, or an iterable of dicts with batches or single rows.

        Raises:
            ValueError: it is something else.
        """
        parts.check_source(dataset)
        for name in self._learning:
            self.preprocessors[name].adapt(parts.learning_batches(dataset, name))
        self._is_adapted = True
        self.encoded_features = None
        self.one_hot_encoders = {}
        self.get_encoded_features()
        self.built = True

    def get_inputs(self) -> dict[str, Any]:
        """The symbolic input of each feature."""
        self._check_if_adapted()
        return dict(self.inputs)

    def get_encoded_features(self) -> Any:
        """The encoded features, as symbolic tensors computed from the inputs."""
        self._check_if_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        encoded = self.encoded_features
        return dict(encoded) if isinstance(encoded, dict) else encoded

    def _check_if_adapted(self) -> None:
        if not self._is_adapted:
            raise NotBuiltError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")

    def _encoded(self, table: Mapping[str, Any]) -> Any:
        outputs = {name: self.preprocessors[name](column) for name, column in table.items()}
        crosses = {
            name: self.crossers[name]([outputs[feature] for feature in cross.feature_names])
            for name, cross in self.crosses_by_name.items()
        }
        modes = {name: part.output_mode for name, part in {**self.features, **self.crosses_by_name}.items()}
        return parts.merged(
            outputs, crosses, modes, self._one_hot, self.concat if self.output_mode == "concat" else None
        )

    def _one_hot(self, name: str, ids: Any) -> Any:
        if name not in self.one_hot_encoders:
            size = parts.categories(name, {**self.preprocessors, **self.crossers}[name])
            self.one_hot_encoders[name] = layers.CategoryEncoding(size, output_mode="multi_hot")
        return self.one_hot_encoders[name](ids)

    def __call__(self, data: Mapping[str, Any]) -> Any:
        """The encoded columns of a table, or of one row.

        Args:
            data: all features by name, each of shape `(batch,)` or `(batch, size)`; numbers and strings for one row.

        Raises:
            ValueError: `adapt` has not been called, or `data` has other columns than the features.
        """
        self._check_if_adapted()
        table, single = parts.columns(data, self.features)
        result = self._encoded(table)
        return jax.tree.map(lambda value: value[0], result) if single else result

    # -- configuration and files ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "features": serialize_keras_object(dict(self.features)),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(list(self.crosses)),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The space that `get_config` described."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """The shapes for which the layers were built, by feature."""
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Rebuilds the layers; what they learnt is read afterwards."""
        for name, written in config.items():
            if name not in self.preprocessors:
                raise InputError(f"FeatureSpace has no feature {name!r}.")
            if written and not self.preprocessors[name].built:
                self.preprocessors[name].build_from_config(written)
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Writes the space to a `.keras` file, which `keras.models.load_model` reads."""
        save_model(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """Does nothing: only the layers have variables."""

    def load_own_variables(self, store: Any) -> None:
        """Does nothing: only the layers have variables."""


def _read(part: Any) -> Any:
    """A feature or cross, also from its configuration."""
    return deserialize_keras_object(dict(part)) if isinstance(part, Mapping) else part


def _must_learn(layer: Any) -> bool:
    """Whether a layer still has to learn from data."""
    statistics = ("input_mean", "vocabulary", "bin_boundaries")
    return hasattr(layer, "adapt") and all(getattr(layer, name, None) is None for name in statistics)
