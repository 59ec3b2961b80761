"""The parts of a `FeatureSpace`: features, crosses, named kinds of features, and how outputs are combined.

Both faces share them; the layers inside are values in one and objects in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from jkeras import arguments, layers
from jkeras.errors import ArgumentError, InputError
from jkeras.files.objects import deserialize_keras_object, serialize_keras_object
from jkeras.graph.layer import Layer
from jkeras.layers.preprocessing.lookup import Lookup
from jkeras.types import Config, TensorLike
from jkeras.values.fields import field
from jkeras.values.spec import Spec

MODULE = "keras.src.layers.preprocessing.feature_space"
# Rows of a table that the layers learn from at a time.
ROWS = 32


def _layer(value: object) -> Any:
    if not isinstance(value, Layer):
        raise ArgumentError("expected a layer, such as `layers.Normalization()`")
    return value


class Feature(Spec):
    """One column of a table: its type, the layer that prepares it, and how the result is encoded.

    Args:
        dtype: the column's type: "float32", "int32", "string".
        preprocessor: a layer.
        output_mode: "float" and "int" take what the layer gives; "one_hot" encodes its integers.
    """

    keras_module: ClassVar[str] = MODULE

    dtype: str = field(convert=arguments.text)
    preprocessor: Any = field(convert=_layer)
    output_mode: str = field(convert=arguments.one_of("int", "one_hot", "float"))

    def get_config(self) -> dict[str, Any]:
        written = serialize_keras_object(self.preprocessor)
        if isinstance(self.preprocessor, layers.Identity):  # Keras has one of its own here, which keeps strings
            written.update(module=MODULE, class_name="TFDIdentity", registered_name="TFDIdentity")
        return {**super().get_config(), "preprocessor": written}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        preprocessor = config["preprocessor"]
        if preprocessor["class_name"] == "TFDIdentity":
            preprocessor = {**preprocessor, "module": "keras.layers", "class_name": "Identity", "registered_name": None}
        return cls(**{**config, "preprocessor": deserialize_keras_object(preprocessor)})


class Cross(Spec):
    """Several features that are combined by a hash.

    Args:
        feature_names: which ones.
        crossing_dim: the number of bins.
        output_mode: "one_hot", or "int" for the bins themselves.
    """

    keras_module: ClassVar[str] = MODULE

    feature_names: tuple[str, ...] = field(convert=lambda names: tuple(arguments.texts(names)))
    crossing_dim: int = field(convert=arguments.positive_int)
    output_mode: str = field(default="one_hot", convert=arguments.one_of("int", "one_hot"))

    @property
    def name(self) -> str:
        """The names of the features, with `_X_` between."""
        return "_X_".join(self.feature_names)


class FeatureKinds:
    """The kinds of features that have names, as class methods that make them."""

    feature_class: ClassVar[type[Feature]] = Feature
    cross_class: ClassVar[type[Cross]] = Cross

    @classmethod
    def _new_layer(cls, class_name: str, **values: Any) -> Any:
        return getattr(layers, class_name)(**values)

    @classmethod
    def _new_name(cls, kind: str) -> str:
        return kind

    @classmethod
    def _of_kind(
        cls, kind: str, name: str | None, column: str, output_mode: str, class_name: str, **values: Any
    ) -> Feature:
        arguments.checked(f"FeatureSpace.{kind}", "name", name, arguments.optional(arguments.text))
        layer = cls._new_layer(class_name, **values, name=f"{name or cls._new_name(kind)}_preprocessor")
        return cls.feature_class(column, layer, output_mode)

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Combines features, with a separate number of bins."""
        names = arguments.checked("FeatureSpace.cross", "feature_names", feature_names, arguments.texts)
        return cls.cross_class(tuple(names), crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature that is prepared by your own layer."""
        return cls.feature_class(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Unchanged numbers."""
        return cls._of_kind("float", name, "float32", "float", "Identity", dtype="float32")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times `scale` plus `offset`."""
        return cls._of_kind("float_rescaled", name, "float32", "float", "Rescaling", scale=scale, offset=offset)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers scaled to mean 0 and variance 1 over the data that the space is adapted to."""
        return cls._of_kind("float_normalized", name, "float32", "float", "Normalization", axis=-1)

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Sequence[Any] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Numbers as bins: those between the boundaries, or `num_bins` with about equally much data in each."""
        sizes = {"num_bins": num_bins, "bin_boundaries": bin_boundaries}
        return cls._of_kind("float_discretized", name, "float32", output_mode, "Discretization", **sizes)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers as categories: those that the data has, and `num_oov_indices` for all others."""
        sizes = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return cls._of_kind("integer_categorical", name, "int32", output_mode, "IntegerLookup", **sizes)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings as categories: those that the data has, and `num_oov_indices` for all others."""
        sizes = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return cls._of_kind("string_categorical", name, "string", output_mode, "StringLookup", **sizes)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings as bins of a hash."""
        return cls._of_kind("string_hashed", name, "string", output_mode, "Hashing", num_bins=num_bins)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers as bins of a hash."""
        return cls._of_kind("integer_hashed", name, "int32", output_mode, "Hashing", num_bins=num_bins)

    @classmethod
    def _named(cls, name: str, feature: Any, sizes: Mapping[str, int]) -> Feature:
        """The feature that a kind's name means, or the feature itself."""
        if isinstance(feature, Feature):
            return feature
        if not isinstance(feature, str) or feature not in KINDS:
            raise ArgumentError(
                f"Invalid feature type: {feature!r} for {name!r}. Expected a `FeatureSpace.feature(...)` or one of"
                f" {', '.join(KINDS)}."
            )
        size = KINDS[feature]
        instance: Feature = getattr(cls, feature)(name=name, **({"num_bins": sizes[size]} if size else {}))
        return instance

    @classmethod
    def _crosses(cls, crosses: Iterable[Any] | None, crossing_dim: int | None, known: Iterable[str]) -> list[Cross]:
        crossed = []
        for cross in arguments.checked(
            "FeatureSpace", "crosses", () if crosses is None else crosses, arguments.entries
        ):
            if not isinstance(cross, Cross):
                if not crossing_dim:
                    raise ArgumentError("`crosses` without sizes of their own need the argument `crossing_dim`.")
                cross = cls.cross_class(cross, crossing_dim)
            unknown = [name for name in cross.feature_names if name not in known]
            if unknown:
                raise ArgumentError(
                    f"All features in `crosses` should be present in `features`. Received unknown features: {unknown}"
                )
            crossed.append(cross)
        return crossed


# The kinds by name, and which default of a space is their number of bins.
KINDS: dict[str, str | None] = {
    "float": None,
    "float_normalized": None,
    "float_rescaled": None,
    "float_discretized": "num_discretization_bins",
    "integer_categorical": None,
    "string_categorical": None,
    "integer_hashed": "hashing_dim",
    "string_hashed": "hashing_dim",
}


def categories(name: str, layer: Layer) -> int:
    """The number of distinct integers that a layer returns.

    Raises:
        ArgumentError: the layer does not determine that number.
    """
    if isinstance(layer, Lookup):
        return layer.vocabulary_size()
    if isinstance(layer, layers.CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, layers.Discretization) and layer.num_bins is None:
        return len(layer.bin_boundaries) + 1
    if isinstance(layer, (layers.Discretization, layers.Hashing, layers.HashedCrossing)):
        return int(layer.num_bins or 0)
    raise ArgumentError(
        f"Feature {name!r} has output_mode='one_hot', but how many categories {type(layer).__name__} gives is not known. Use"
        f" output_mode='int'."
    )


def columns(data: Mapping[str, TensorLike], features: Mapping[str, Feature]) -> tuple[dict[str, np.ndarray], bool]:
    """Every column with an axis of its own for its values, and whether `data` is a single row.

    Integers become floats where the feature is one of floats.

    Raises:
        InputError: it is not a dict, or has other columns than the features.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"A FeatureSpace can only be called with a dict of columns. Received: {data!r}")
    names = list(features)
    missing, unknown = [n for n in names if n not in data], [n for n in data if n not in names]
    if missing or unknown:
        raise InputError(
            f"The features are {names}; missing: {missing}; not among the features: {unknown}. Take the target and other"
            f" columns out first."
        )
    columns = {name: _column(data[name], feature.dtype) for name, feature in features.items()}
    single = any(not column.ndim for column in columns.values())
    return {name: column.reshape(-1, 1) if column.ndim < 2 else column for name, column in columns.items()}, single


def _column(values: TensorLike, dtype: str) -> np.ndarray:
    column = np.asarray(values)
    return column.astype(dtype) if column.dtype.kind in "biu" and dtype.startswith("float") else column


def learning_batches(data: Any, name: str) -> Iterator[np.ndarray]:
    """The batches of one column that its layer learns from, of shape `(batch, 1)` at least.

    Args:
        data: a dict of columns, or an iterable of dicts: of batches, or of single rows.
        name: the column.
    """
    if isinstance(data, Mapping):
        column = np.asarray(data[name])
        column = column.reshape(-1, 1) if column.ndim < 2 else column
        yield from (column[start : start + ROWS] for start in range(0, len(column), ROWS))
        return
    rows: list[Any] = []
    for batch in data:
        batch = batch[0] if isinstance(batch, tuple) else batch
        if not isinstance(batch, Mapping):
            raise InputError(f"FeatureSpace.adapt: expected dicts of columns; there is a {type(batch).__name__}.")
        values = np.asarray(batch[name])
        if values.ndim:
            yield values[:, None] if values.ndim == 1 else values
            continue
        rows.append([values])
        if len(rows) == ROWS:
            yield np.asarray(rows)
            rows = []
    if rows:
        yield np.asarray(rows)


def check_source(data: Any) -> None:
    """Refuses data that cannot be iterated over once per feature.

    Raises:
        InputError: it is an iterator, or neither a dict nor an iterable.
    """
    if isinstance(data, Mapping):
        return
    if not isinstance(data, Iterable) or isinstance(data, (str, bytes, np.ndarray)):
        raise InputError(
            f"`adapt()` expects a dict of columns or an iterable of such dicts. Received instead: {data!r}"
        )
    if iter(data) is data:
        raise InputError(
            "`adapt()` goes through the data once for every feature; an iterator ends after the first one."
        )


def merged(
    outputs: Mapping[str, Any],
    crosses: Mapping[str, Any],
    modes: Mapping[str, str],
    one_hot: Callable[[str, Any], Any],
    concatenate: Callable[[list[Any]], Any] | None,
) -> Any:
    """Features in alphabetical order, then crosses, encoded: by name, or joined along the last axis.

    Args:
        outputs: what the layers gave, by feature.
        crosses: the same, by cross.
        modes: the output mode of each feature and cross.
        one_hot: encodes the integers of the feature or cross of a name.
        concatenate: whether to join all of them; None returns them by name.

    Raises:
        ArgumentError: integers or strings would be joined.
    """
    result = {}
    for name, value in [(n, outputs[n]) for n in sorted(outputs)] + [(n, crosses[n]) for n in sorted(crosses)]:
        if modes[name] == "one_hot":
            value = one_hot(name, value)
        if concatenate is not None and not str(value.dtype).startswith(("float", "bfloat")):
            raise ArgumentError(
                f"Cannot concatenate features because feature {name!r} has not been encoded (it has dtype {value.dtype})."
                " Consider using `output_mode='dict'`."
            )
        result[name] = value
    return result if concatenate is None else concatenate(list(result.values()))
