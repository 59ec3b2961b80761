"""Models whose weights change form: quantized, or frozen with a trainable low-rank change beside them."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from jkeras import arguments, initializers
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, NotBuiltError, suggestion
from jkeras.files.weight_matching import nested
from jkeras.graph.describe import definitions, has_rule
from jkeras.graph.inner_forms import reformed
from jkeras.graph.layer import Layer
from jkeras.graph.scope import Path, WeightInfo, walk
from jkeras.layers.low_rank import LowRankLayer
from jkeras.layers.quantizable import QuantizableLayer
from jkeras.models.calibration import blocks, calibration_data, observed
from jkeras.models.stacked_weights import place_of
from jkeras.models.structure import StructuredModel
from jkeras.paths import flatten
from jkeras.quantization import configs
from jkeras.quantization.table import MODES
from jkeras.tracebacks import filtered_methods
from jkeras.training.state import arrays_of
from jkeras.types import Array, InitializerLike
from jkeras.values.keys import key_of

Filters = str | Sequence[str] | Callable[[Layer], bool] | None
# The weights of one layer by name.
Values = Mapping[str, Array]


@dataclasses.dataclass(frozen=True)
class Form:
    """A layer that takes another form.

    Attributes:
        path: its path.
        old: as it was.
        new: as it becomes.
        values: its weights as they were, by name.
        shapes: what the weights become, by name.
        index: which of the copies in a stack it is; empty if there is one.
    """

    path: str
    old: Any
    new: Any
    values: Values
    shapes: Mapping[str, tuple[int, ...]]
    index: tuple[int, ...] = ()

    @property
    def old_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the weights as they were."""
        return {name: tuple(value.shape) for name, value in self.values.items()}


@filtered_methods("quantize", "enable_lora", "merge_lora")
class AdaptableModel(StructuredModel):
    """A model whose weights can take another form."""

    def quantize(self, mode: str | None = None, config: Any = None, filters: Filters = None) -> Self:
        """A copy that stores the matrices of dense layers and embeddings in few bits.

        Layers inside other layers are included: those of wrappers and models, the projections of attention layers, and those
        of `Repeat`, each copy with its own scales; but not those of `SpectralNormalization`, which computes with their weights.

        Args:
            mode: "int8" (products of integers), "int4" (two weights in a byte) or "float8" (training in 8 bits); "gptq" and
                "awq" with a `config` that has calibration data.
            config: a configuration from `jkeras.quantizers`; None takes the default of the mode.
            filters: selects the layers: one or several patterns for `re.search` in their names, or a function of the
                layer.

        Raises:
            ArgumentError: the mode is unknown, no layer is selected, or a layer is already quantized.
            NotBuiltError: the model has no weights yet.

        >>> import jkeras as jk
        >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).quantize("int8")
        >>> [weight.dtype.name for weight in model.weights]
        ['float32', 'int8', 'float32']
        """
        config = configs.resolved(mode, config)
        matches = _matcher(filters)
        self._check_built("quantize")
        targets = {
            path: layer
            for path, layer in self._adaptable(QuantizableLayer)
            if config.mode in layer.quantization_modes and matches(path, layer)
        }
        if not targets:
            raise ArgumentError(
                f"quantize({config.mode!r}, filters={filters!r}): none of the layers can be quantised so."
                f" The model has {', '.join(sorted({type(layer).__name__ for _, layer in walk(self)}))}."
            )
        check_used("quantize")
        if isinstance(config, configs.CalibratedConfig):
            data = calibration_data(config, self.input if self.is_functional else self.input_specs)
            model = self
            for block in blocks(config, targets):
                model = model._with_calibrated({path: targets[path] for path in block}, data, config)
            return model
        return self._with_forms(
            {path: layer.quantized(config=config) for path, layer in targets.items()},
            lambda form: form.new.quantized_values(form.old.matrices_of(form.old_shapes), form.values),
        )

    def _with_calibrated(self, layers: Mapping[str, Any], data: Any, config: Any) -> Self:
        """A copy with some layers rounded on the basis of their inputs for calibration data."""
        values = self._values_by_path()
        mode: Any = MODES[config.mode]
        definitions = self._definitions()
        matrices: dict[str, Any] = {}
        copies: dict[str, tuple[int, ...]] = {}
        for path, layer in layers.items():
            place = place_of(tuple(path.split("/")), definitions)
            shapes = {own: tuple(values[place.owner][name].shape) for own, name in place.names(values[place.owner])}
            matrices[path] = layer.matrices_of({name: shape[place.axes :] for name, shape in shapes.items()})[0]
            copies[path] = shapes[matrices[path].name][: place.axes]
        known = observed(self.definition, self._variables, mode, matrices, data, copies)

        def rounded(form: Form) -> Values:
            matrix = matrices[form.path]
            rest = {name: value for name, value in form.values.items() if name != matrix.name}
            statistics = known[form.path][form.index]
            return {**rest, **mode.calibrate(matrix, form.values[matrix.name], statistics, config)}

        return self._with_forms({path: layer.quantized(config=config) for path, layer in layers.items()}, rounded)

    def enable_lora(
        self,
        rank: int,
        pattern: str = "*",
        lora_alpha: float | None = None,
        a_initializer: InitializerLike = "he_uniform",
        b_initializer: InitializerLike = "zeros",
        seed: int = 0,
    ) -> Self:
        """A copy in which the kernels or tables of layers are frozen and training changes two low-rank factors beside
        each.

        Args:
            rank: the inner size of the factors.
            pattern: a pattern for layer paths, such as `"encoder/*"`.
            lora_alpha: the product of the factors is multiplied by `lora_alpha / rank`; None means 1.
            a_initializer: the initializer of the first factor.
            b_initializer: the initializer of the second factor; zeros do not change the outputs at first.
            seed: the seed of the first values.

        Raises:
            ArgumentError: no layer matches, or a layer already has factors or has a constraint.
            NotBuiltError: the model has no weights yet.

        >>> import jkeras as jk
        >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(8)]).enable_lora(2)
        >>> [weight.shape for weight in model.trainable_weights]
        [(8,), (4, 2), (2, 8)]
        """
        self._check_built("enable_lora")
        arguments.checked("enable_lora", "rank", rank, arguments.positive_int)
        arguments.checked("enable_lora", "pattern", pattern, arguments.text)
        arguments.checked("enable_lora", "seed", seed, arguments.integer)
        layers = dict(self._adaptable(LowRankLayer))
        matches = {path: layer for path, layer in layers.items() if fnmatch.fnmatchcase(path, pattern)}
        if not matches:
            raise ArgumentError(f"enable_lora({rank!r}, {pattern!r}): no layer matches.{suggestion(pattern, layers)}")
        check_used("enable_lora")
        initializers_by_name = {"a_initializer": a_initializer, "b_initializer": b_initializer}
        first: list[Any] = [
            arguments.checked("enable_lora", name, each, initializers.get)
            for name, each in initializers_by_name.items()
        ]

        def factors(form: Form) -> Values:
            values = dict(form.values)
            for name, draw in zip(form.new.factor_names, first, strict=True):
                place = "/".join(map(str, (form.path, *form.index, name)))
                key = jax.random.fold_in(jax.random.key(seed), zlib.crc32(place.encode()))
                values[name] = jnp.asarray(draw(form.shapes[name], dtype="float32", key=key))
            return values

        return self._with_forms({path: layer.with_lora(rank, lora_alpha) for path, layer in matches.items()}, factors)

    def merge_lora(self) -> Self:
        """A copy in which the trained factors are added to the kernels and tables.

        Raises:
            ArgumentError: no layer has factors.
        """
        layers = {path: layer for path, layer in self._adaptable(LowRankLayer) if layer.lora_enabled}
        if not layers:
            raise ArgumentError("merge_lora(): no layer has factors of low rank; `enable_lora(rank)` makes them.")
        check_used("merge_lora")
        return self._with_forms(
            {path: layer.replace(lora_rank=None, lora_alpha=None) for path, layer in layers.items()},
            lambda form: form.old.merged_values(form.values),
        )

    # -- how ------------------------------------------------------------------------------------------------------

    def _check_built(self, method: str) -> None:
        if not self.built:
            raise NotBuiltError(
                f"{method}(): {self.path} has no weights yet. Start it with `Input(shape)`, or call"
                " `model = model.build((None, ...))` first."
            )

    def _adaptable(self, kind: Any) -> Iterator[tuple[str, Any]]:
        """The layers of a kind whose class defines how they compute, by the path of their weights."""
        homes = {info.path[:-1] for info in self.description.weights}
        definitions = self._definitions()
        closed = [path for path, (layer, _) in definitions.items() if not layer.adapts_inside]
        for path, (layer, policy) in definitions.items():
            if any(path[: len(outer)] == outer for outer in closed):
                continue
            cls: Any = type(layer)
            if (
                place_of(path, definitions).owner in homes
                and isinstance(layer, kind)
                and has_rule(cls, layer.adapted_method)
            ):
                # A layer without its own policy has that of the surrounding model.
                yield (
                    "/".join(path),
                    layer if layer.dtype is not None or policy is None else layer.replace(dtype=policy),
                )

    def _definitions(self) -> Mapping[Path, tuple[Any, Any]]:
        return definitions(self.definition, self.input_specs)

    def _with_forms(self, forms: Mapping[str, Any], convert: Callable[[Form], Values]) -> Self:
        """A copy with other layers at some paths, whose weights `convert` makes of those that were there."""
        definitions = self._definitions()
        old = {"/".join(path): layer for path, (layer, _) in definitions.items()}
        replaced = reformed(self, {name: _difference(old[name], new) for name, new in forms.items()})
        changed = self.map_layers(lambda _, layer: replaced.get(id(layer), layer))
        if id(self) in replaced:
            changed = changed._evolve(_inner_forms=replaced[id(self)]._inner_forms)
        infos = changed.description.weights
        shapes: dict[Path, dict[str, tuple[int, ...]]] = {}
        for info in infos:
            shapes.setdefault(info.path[:-1], {})[info.path[-1]] = info.shape
        values = self._values_by_path()
        for path, new in forms.items():
            place = place_of(tuple(path.split("/")), definitions)
            own_shapes = {
                own: shapes[place.owner][name][place.axes :] for own, name in place.names(shapes[place.owner])
            }
            make = functools.partial(Form, path, old[path], new, shapes=own_shapes)
            place.put(values, place.map(lambda w, index: convert(make(values=w, index=index)), place.take(values)))  # noqa: B023

        def value(info: WeightInfo) -> Array:
            array = values[info.path[:-1]][info.path[-1]]
            return jnp.asarray(array, info.dtype).reshape(info.shape)

        params, state = nested(infos, value)
        return changed._evolve(state=self.state.replace(params=params, model_state=state, opt_state=None))

    def _values_by_path(self) -> dict[Path, dict[str, Any]]:
        arrays = arrays_of(self.state)
        flat = {"params": flatten(arrays.params), "state": flatten(arrays.model_state)}
        values: dict[Path, dict[str, Any]] = {}
        for info in self.description.weights:
            layer_values = values.setdefault(info.path[:-1], {})
            layer_values[info.path[-1]] = flat[info.collection][info.name]
        return values


def _difference(old: Any, new: Any) -> dict[str, Any]:
    """The arguments of the second layer that differ from those of the first, a layer of the same class."""
    before = old._arguments()
    return {name: value for name, value in new._arguments().items() if key_of(value) != key_of(before[name])}


def _matcher(filters: Filters) -> Callable[[str, Layer], bool]:
    if filters is None:
        return lambda path, layer: True
    if isinstance(filters, str):
        filters = [filters]
    if isinstance(filters, (list, tuple)) and all(isinstance(each, str) for each in filters):
        patterns = [arguments.checked("quantize", "filters", each, arguments.pattern) for each in filters]
        return lambda path, layer: any(pattern.search(path.rpartition("/")[2]) for pattern in patterns)
    if callable(filters):
        return lambda path, layer: bool(filters(layer))
    raise ArgumentError(
        "quantize(filters=...): The `filters` argument must be a regex string, a list of regex strings, or a callable."
        f" Received: {type(filters)}."
    )
