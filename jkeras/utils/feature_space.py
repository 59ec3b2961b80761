"""`FeatureSpace`: the columns of a table as the input of a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np

from jkeras import arguments, layers
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, NotBuiltError, RestoreError
from jkeras.files.adapted import with_own_learned
from jkeras.files.containers import archives, hdf5
from jkeras.files.containers.kinds import CONFIG, METADATA, WEIGHTS_FILE
from jkeras.files.keras3_archive import KERAS_VERSION, KerasFile
from jkeras.graph.input import Input
from jkeras.graph.layer import Layer
from jkeras.registry import custom_object_scope
from jkeras.types import Config, PathLike, TensorLike
from jkeras.utils.features import (
    Cross,
    Feature,
    FeatureKinds,
    categories,
    check_source,
    columns,
    learning_batches,
    merged,
)
from jkeras.values.config import serialize
from jkeras.values.fields import field
from jkeras.values.spec import Spec


def _features(value: object) -> Any:
    if not isinstance(value, Mapping) or not value:
        raise ArgumentError("expected a dict from names to features: the `features` argument cannot be None or empty")
    return dict(value)


class FeatureSpace(FeatureKinds, Spec):
    """Prepares and encodes the columns of a table; each column in its own way.

    A space is a value: `adapt` returns one that knows what the data has. It computes on the host; apply it to data before
    `fit`, or in a data set: `dataset.map(lambda row, label: (space(row), label))`.

    Args:
        features: the kind of each column, by name: "float", "float_normalized", "float_rescaled", "float_discretized",
            "integer_categorical", "string_categorical", "integer_hashed", "string_hashed", or what the method of that name
            makes with options (`FeatureSpace.float_discretized(num_bins=20)`).
        output_mode: "concat" joins all into vectors `(batch, size)`; "dict" gives them by name.
        crosses: tuples of names of features that are combined by a hash, or `FeatureSpace.cross(...)`.
        crossing_dim: the number of bins of crosses that do not say it.
        hashing_dim: the number of bins of "integer_hashed" and "string_hashed".
        num_discretization_bins: the number of bins of "float_discretized".
        name: the space's name.

    Raises:
        ArgumentError: there are no features, or a kind, mode or name is unknown.

    >>> table = {"age": [20.0, 30.0, 40.0], "city": ["Rome", "Oslo", "Rome"]}
    >>> space = FeatureSpace({"age": "float_normalized", "city": "string_categorical"}).adapt(table)
    >>> space({"age": 30.0, "city": "Rome"}).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """

    keras_module: ClassVar[str] = "keras.utils"

    features: Any = field(convert=_features)
    output_mode: str = field(default="concat", convert=arguments.one_of("dict", "concat"))
    crosses: Any = None
    crossing_dim: int | None = field(default=32, convert=arguments.optional(arguments.positive_int))
    hashing_dim: int = field(default=32, convert=arguments.positive_int)
    num_discretization_bins: int = field(default=32, convert=arguments.positive_int)
    name: str | None = field(default=None, convert=arguments.optional(arguments.text), in_config=False)

    def __post_init__(self) -> None:
        sizes = {"hashing_dim": self.hashing_dim, "num_discretization_bins": self.num_discretization_bins}
        self.features: dict[str, Feature] = {
            name: self._named(name, feature, sizes) for name, feature in self.features.items()
        }
        self.crosses: tuple[Cross, ...] = tuple(self._crosses(self.crosses, self.crossing_dim, self.features))

    @property
    def preprocessors(self) -> dict[str, Layer]:
        """The layer of each feature."""
        return {name: feature.preprocessor for name, feature in self.features.items()}

    @property
    def crossers(self) -> dict[str, layers.HashedCrossing]:
        """The layer of each cross."""
        return {cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}

    def adapt(self, dataset: Mapping[str, TensorLike] | Iterable[Any]) -> Self:
        """A space with layers adapted to data; this space does not change.

        Args:
            dataset: a dict of columns, or an iterable of such dicts: of batches or of single rows.

        Raises:
            InputError: `dataset` is something else.
            ArgumentError: no layer needs to be adapted.
        """
        check_source(dataset)
        ignorant = [name for name, layer in self.preprocessors.items() if _must_learn(layer)]
        if not ignorant and any(hasattr(layer, "adapt") for layer in self.preprocessors.values()):
            raise ArgumentError(
                "FeatureSpace.adapt: the layers of this space know all already. Adapt the space as it was constructed."
            )
        features = {}
        for name in ignorant:
            layer: Any = self.preprocessors[name]
            features[name] = self.features[name].replace(preprocessor=layer.adapt(learning_batches(dataset, name)))
        check_used("adapt", owner="space", may_show=True)
        return self.replace(features={**self.features, **features})

    def __call__(self, data: Mapping[str, TensorLike]) -> Any:
        """The encoded columns of a table, or of one row.

        Args:
            data: all features by name, each of shape `(batch,)` or `(batch, size)`; numbers and strings for one row.

        Raises:
            NotBuiltError: `adapt` has not been called.
            InputError: a feature is missing, or there are others.
        """
        self._check_learnt()
        table, single = columns(data, self.features)
        preprocessors, crossers = self.preprocessors, self.crossers
        outputs = {name: jnp.asarray(preprocessors[name](column)) for name, column in table.items()}
        crosses = {
            cross.name: crossers[cross.name]([outputs[name] for name in cross.feature_names]) for cross in self.crosses
        }
        parts = {**self.features, **{cross.name: cross for cross in self.crosses}}
        result = merged(
            outputs,
            crosses,
            {name: part.output_mode for name, part in parts.items()},
            lambda name, ids: layers.CategoryEncoding(categories(name, {**preprocessors, **crossers}[name]))(ids),
            (lambda values: jnp.concatenate(values, axis=-1)) if self.output_mode == "concat" else None,
        )
        if not single:
            return result
        return result[0] if self.output_mode == "concat" else {name: value[0] for name, value in result.items()}

    def get_encoded_features(self) -> Any:
        """Symbolic inputs like the encoded features: what a model of encoded data begins with; by name in the mode "dict".

        Raises:
            NotBuiltError: `adapt` has not been called.
        """
        self._check_learnt()
        encoded = self({name: _example(feature) for name, feature in self.features.items()})
        if self.output_mode == "concat":
            return Input(encoded.shape[1:], dtype=str(encoded.dtype))
        return {name: Input(value.shape[1:], dtype=str(value.dtype), name=name) for name, value in encoded.items()}

    def _check_learnt(self) -> None:
        ignorant = [name for name, layer in self.preprocessors.items() if _must_learn(layer)]
        if ignorant:
            raise NotBuiltError(
                f"The features {ignorant} have to be learnt from data first: `space = space.adapt(data)`."
            )

    # -- files ------------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "crosses": [serialize(cross) for cross in self.crosses]}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        features = {
            name: Feature.from_config(entry["config"]) if isinstance(entry, Mapping) else entry
            for name, entry in config["features"].items()
        }
        crosses = [
            Cross.from_config(entry["config"]) if isinstance(entry, Mapping) else entry
            for entry in config.get("crosses") or ()
        ]
        return cls(**{**config, "features": features, "crosses": crosses})

    def save(self, filepath: PathLike) -> None:
        """Writes the space, with what it has learnt, into a `.keras` file, which `FeatureSpace.load` and Keras read.

        Raises:
            ArgumentError: the path has another suffix.
        """
        path = Path(filepath)
        if path.suffix != ".keras":
            raise ArgumentError(f"FeatureSpace.save(filepath={str(path)!r}): the path must end in `.keras`.")
        config = {**serialize(self), "build_config": {name: {"input_shape": [None, 1]} for name in self.features}}
        members = {
            METADATA: json.dumps({"keras_version": KERAS_VERSION}).encode(),
            CONFIG: json.dumps(config).encode(),
            WEIGHTS_FILE: hdf5.to_bytes({}, {}),
        }
        archives.write(path, members)

    @classmethod
    def load(cls, filepath: PathLike, custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The space in a file that `save`, or `save` in Keras, wrote.

        Args:
            filepath: the file.
            custom_objects: your layer classes, by name.

        Raises:
            RestoreError: the file is missing or does not contain a space.
        """
        path = Path(filepath)
        if not path.is_file():
            raise RestoreError(f"There is no file {path}.")
        file = KerasFile(path)
        config = file.config.get("config")
        if file.config.get("class_name") != cls.__name__ or not isinstance(config, dict):
            raise RestoreError(f"{path} holds a {file.config.get('class_name')}, no FeatureSpace.")
        with custom_object_scope(custom_objects or {}), file.tree() as tree:
            features = {
                name: _with_learnt(entry, number, file, tree)
                for number, (name, entry) in enumerate(config.get("features", {}).items())
            }
            return cls.from_config({**config, "features": features})


def _with_learnt(entry: Any, number: int, file: KerasFile, tree: hdf5.Tree) -> Any:
    """A feature's configuration, completed with what Keras stores separately: weights or a vocabulary."""
    place = f"features/feature_{number}/preprocessor" if number else "features/feature/preprocessor"
    inner = entry["config"]
    config = with_own_learned(inner["preprocessor"], file, tree, set(), place)
    return {**entry, "config": {**inner, "preprocessor": config}}


def _must_learn(layer: Any) -> bool:
    """Whether a layer has to be adapted before it computes."""
    statistic = next((name for name in ("vocabulary", "bin_boundaries", "mean") if hasattr(layer, name)), None)
    return hasattr(layer, "adapt") and (statistic is None or getattr(layer, statistic) is None)


def _example(feature: Feature) -> np.ndarray:
    """A column with one row that the feature's layer accepts."""
    known = getattr(feature.preprocessor, "vocabulary", None)
    value = known[0] if known else "" if feature.dtype == "string" else 0
    return np.asarray([[value]], None if feature.dtype == "string" else feature.dtype)


__all__ = ["FeatureSpace"]
