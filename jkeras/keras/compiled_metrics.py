"""Matches the metrics of `compile` with the outputs of a model."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jkeras import tree
from jkeras.errors import ArgumentError
from jkeras.keras import metrics as metrics_module
from jkeras.keras.metrics import Metric
from jkeras.keras.naming import get_object_name
from jkeras.keras.variables import Variable
from jkeras.losses.identifiers import shape_rule

_ACCURACIES = {
    "binary": metrics_module.BinaryAccuracy,
    "sparse": metrics_module.SparseCategoricalAccuracy,
    "categorical": metrics_module.CategoricalAccuracy,
}


class MetricsList(Metric):
    """The metrics of one output.

    Args:
        metrics: the metrics.
        name: the name of the group.
        output_name: the name of the output, if there are several.
    """

    def __init__(self, metrics: list[Metric], name: str = "metrics_list", output_name: str | None = None):
        super().__init__(name=name)
        self.metrics = metrics
        self.output_name = output_name

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        for metric in self.metrics:
            metric.update_state(y_true, y_pred, sample_weight=sample_weight)

    def reset_state(self) -> None:
        """Starts over."""
        for metric in self.metrics:
            metric.reset_state()


class CompileMetrics(Metric):
    """All metrics of a model.

    Args:
        metrics: a list; for several outputs, a list or dict of lists, or the nested structure of the outputs.
        weighted_metrics: the same, for metrics that use sample weights.
        name: the name of the group.
        output_names: names of the outputs.

    Raises:
        ArgumentError: an argument is not a list, tuple or dict.
    """

    def __init__(
        self,
        metrics: Any,
        weighted_metrics: Any,
        name: str = "compile_metrics",
        output_names: Sequence[str] | None = None,
    ):
        super().__init__(name="compile_metrics")
        for argument, requested in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if requested and not isinstance(requested, (list, tuple, dict)):
                raise ArgumentError(
                    f"Expected `{argument}` argument to be a list, tuple, or dict. Received instead: {argument}={requested} of"
                    f" type {type(requested)}"
                )
        own = vars(self)  # so that the user's objects are not wrapped by tracking
        own["_requested"] = {"metrics": metrics, "weighted_metrics": weighted_metrics}
        own["_lists"] = {}
        self.built = False
        self.output_names = output_names

    @property
    def given(self) -> dict[str, Any]:
        """The arguments of `compile`: `metrics` and `weighted_metrics`."""
        return dict(self._requested)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs, unweighted ones first; empty before `build`."""
        lists = [metrics for group in self._lists.values() for metrics in group if metrics is not None]
        return [metric for metrics in lists for metric in metrics.metrics]

    @property
    def variables(self) -> list[Variable]:
        """The cells of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches the metrics with the outputs.

        Raises:
            ArgumentError: their structures do not match.
        """
        outputs = _Outputs(y_pred, self.output_names)
        for argument, requested in self._requested.items():
            self._lists[argument] = self._matched(argument, requested, outputs, y_true, y_pred)
        vars(self)["_names"] = outputs.names if outputs.is_flat and outputs.count > 1 else None
        self.built = True

    def _matched(self, argument: str, requested: Any, outputs: _Outputs, y_true: Any, y_pred: Any) -> list[Any]:
        if not requested:
            return [None] * outputs.count
        if outputs.count == 1:
            return [_metrics_list(tree.flatten(requested), tree.flatten(y_true)[0], tree.flatten(y_pred)[0])]
        names = outputs.names or [None] * outputs.count
        try:
            identifiers = outputs.per_output(requested)
            targets = _in_order(y_true, outputs.names if outputs.is_flat else None)
            predictions = _in_order(y_pred, outputs.names if outputs.is_flat else None)
            return [_metrics_list(*one) for one in zip(identifiers, targets, predictions, names, strict=False)]
        except ValueError as error:
            raise ArgumentError(
                f"{error}\nInvalid `{argument}`. It must contain metrics and be a list or a dict by the names of the outputs"
                f" {self.output_names}, or have the structure of the outputs:"
                f" {tree.map_structure(lambda _: 'X', y_pred)}.\nReceived: {argument}={requested}"
            ) from error

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        if not self.built:
            self.build(y_true, y_pred)
        targets, predictions = _in_order(y_true, self._names), _in_order(y_pred, self._names)
        weights: list[Any] = [None] * len(targets)
        if sample_weight is not None:
            weights = _in_order(sample_weight, self._names)
            weights = [weights[0]] * len(targets) if len(weights) < len(targets) else weights
        for argument, lists in self._lists.items():
            used = weights if argument == "weighted_metrics" else [None] * len(targets)
            for metrics, target, prediction, weight in zip(lists, targets, predictions, used, strict=False):
                if metrics is not None:
                    metrics.update_state(target, prediction, weight)

    def reset_state(self) -> None:
        """Starts over."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """The values by name; duplicate names are numbered, weighted ones are marked.

        Raises:
            ArgumentError: there has been no data yet.
        """
        if not self.built:
            raise ArgumentError("Cannot get result() since the metric has not yet been built.")
        results: dict[str, Any] = {}
        uses: Counter[str] = Counter()
        for argument, lists in self._lists.items():
            for metrics in lists:
                for metric in metrics.metrics if metrics is not None else ():
                    prefix = f"{metrics.output_name}_" if metrics.output_name else ""
                    name = f"{prefix}{metric.name}"
                    if argument == "weighted_metrics" and uses[name]:
                        name = f"{prefix}weighted_{metric.name}"
                    number = uses[name]
                    uses[name] += 1
                    results[f"{name}_{number}" if number else name] = metric.result()
        return results

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("`model.get_compile_config()` saves the metrics of `compile`.")


class _Outputs:
    """The outputs of a model: their number, their names in order, and whether they form one list or dict."""

    def __init__(self, y_pred: Any, output_names: Sequence[str] | None):
        self.structure = y_pred
        self.count = len(tree.flatten(y_pred))
        self.is_flat = tree.is_nested(y_pred) and len(y_pred) == self.count
        self.names = None if output_names is None else list(output_names)
        if self.is_flat and isinstance(y_pred, dict) and set(y_pred) != set(self.names or ()):
            self.names = list(y_pred) if isinstance(y_pred, OrderedDict) else sorted(y_pred)

    def per_output(self, entries: Any) -> list[Any]:
        """The entries for each output, in order.

        Raises:
            ValueError: the structures do not match.
        """
        if self.is_flat and isinstance(entries, (list, tuple)) and len(entries) == self.count:
            return list(entries)
        if self.is_flat and self.names and isinstance(entries, dict) and set(entries) <= set(self.names):
            return [entries.get(name) for name in self.names]
        return list(_walk(self.structure, entries))


def _walk(structure: Any, entries: Any) -> Iterator[Any]:
    """The parts of `entries` at the leaves of a structure."""
    if not tree.is_nested(structure):
        yield entries
        return
    if isinstance(structure, Mapping):
        keys = list(structure) if isinstance(structure, OrderedDict) else sorted(structure)
        if not isinstance(entries, Mapping) or set(entries) != set(keys):
            raise ValueError(f"Expected a dict with the keys {keys}; got {entries!r}.")
        parts = [(structure[key], entries[key]) for key in keys]
    else:
        if not isinstance(entries, (list, tuple)) or len(entries) != len(structure):
            raise ValueError(f"Expected a list of {len(structure)}; got {entries!r}.")
        parts = list(zip(structure, entries, strict=True))
    for part, inner in parts:
        yield from _walk(part, inner)


def _in_order(values: Any, names: Sequence[str] | None) -> list[Any]:
    return [values[name] for name in names] if names is not None and isinstance(values, dict) else tree.flatten(values)


def _metrics_list(
    identifier_or_list: Any, y_true: Any, y_pred: Any, output_name: str | None = None
) -> MetricsList | None:
    if identifier_or_list is None:
        return None
    identifiers = identifier_or_list if isinstance(identifier_or_list, (list, tuple)) else [identifier_or_list]
    return MetricsList([as_metric(identifier, y_true, y_pred) for identifier in identifiers], output_name=output_name)


def as_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """The metric that an identifier means in `compile`, named as the user named it.

    Raises:
        ArgumentError: it does not mean a metric.
    """
    if identifier is None:
        raise ArgumentError("Expected metric, received `None`")
    if str(identifier).lower() in ("accuracy", "acc"):
        metric = _ACCURACIES[shape_rule(y_true.shape, y_pred.shape)](name=str(identifier))
    else:
        metric = metrics_module.get(identifier)
    name = identifier if isinstance(identifier, str) else get_object_name(metric)
    if not isinstance(metric, Metric):
        metric = metrics_module.MeanMetricWrapper(metric)
    metric.name = name
    return metric
