"""Compares the contents of a file with the weights that a model needs, all of them or a selection."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, PartialLoadWarning, RestoreError, suggestion
from jkeras.files.device_arrays import on_device
from jkeras.graph.scope import WeightInfo
from jkeras.paths import flatten

if TYPE_CHECKING:
    from jkeras.models.model import Model

Key = tuple[str, str]  # collection and name of a weight
# How many differences an error or a warning shows.
LISTED = 20
# The states of stateful recurrent layers, which Keras keeps in no file.
TRANSIENT = re.compile(r"(rnn_state|seed_generator_state)(_\d+)?")


@dataclasses.dataclass(frozen=True)
class Entry:
    """An array in a file.

    Attributes:
        place: its place in the file.
        shape: the shape of the array.
        dtype: the name of its dtype.
        read: a function that returns the array.
    """

    place: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Any]

    @classmethod
    def of(cls, place: str, array: np.ndarray) -> Entry:
        """The entry for an array in memory."""
        return cls(place, array.shape, array.dtype.name, lambda: array)

    def converted(self, dtype: str) -> Entry:
        """The entry in another floating-point dtype; itself if either is not one."""
        if self.dtype == dtype or not all(jnp.issubdtype(name, jnp.floating) for name in (self.dtype, dtype)):
            return self
        return dataclasses.replace(self, dtype=dtype, read=lambda: np.asarray(self.read()).astype(dtype))

    @property
    def shown(self) -> str:
        """The dtype and shape, for messages."""
        return f"{self.dtype}{list(self.shape)}"


@dataclasses.dataclass
class Found:
    """The contents of a file for a model.

    Attributes:
        where: the file.
        entries: entries by (collection, name) of their weight.
        extra: arrays that belong to no weight of the model.
        conflicts: conflicts in what layers learned from data, by layer name.
    """

    where: str
    entries: dict[Key, Entry] = dataclasses.field(default_factory=dict)
    extra: list[Entry] = dataclasses.field(default_factory=list)
    conflicts: dict[str, str] = dataclasses.field(default_factory=dict)

    def learned(self, name: str, arguments: Mapping[str, np.ndarray], arrays: Sequence[np.ndarray]) -> None:
        """Compares what a layer learned from data with the contents of the file; counts of samples may differ."""
        for (argument, value), array in zip(arguments.items(), arrays, strict=False):
            if value.dtype.kind in "iu":
                continue
            if not _fits(value, array) or not np.allclose(
                np.broadcast_to(value, array.shape), array, rtol=1e-4, atol=1e-6
            ):
                self.conflicts[f"{name}/{argument}"] = (
                    f"{_few(array)} in the file, {_few(value)} in the model: adapt the layer to the same data"
                )


def _fits(value: np.ndarray, array: np.ndarray) -> bool:
    try:
        return np.broadcast_shapes(value.shape, array.shape) == array.shape
    except ValueError:
        return False


def _few(value: object) -> str:
    return str(np.asarray(value).ravel()[:4].tolist())


def is_kept(info: WeightInfo) -> bool:
    """Whether Keras saves a weight."""
    return info.collection == "params" or TRANSIENT.fullmatch(info.path[-1]) is None


def shown(info: WeightInfo) -> str:
    """The dtype and shape of a weight, for messages."""
    return f"{info.dtype}{list(info.shape)}"


def by_key(infos: Iterable[WeightInfo]) -> dict[Key, WeightInfo]:
    """Weights by collection and name."""
    return {(info.collection, info.name): info for info in infos}


def of_names(infos: Iterable[WeightInfo], entries: Mapping[str, Entry], where: str) -> Found:
    """The contents of a file in which arrays have the names of weights, such as `encoder/dense/kernel`."""
    weights, remaining_entries = Found(where), dict(entries)
    for key, info in by_key(infos).items():
        if info.name in remaining_entries:
            weights.entries[key] = remaining_entries.pop(info.name)
    weights.extra = list(remaining_entries.values())
    return weights


def differences(infos: Mapping[Key, WeightInfo], contents: Found) -> dict[Key, str]:
    """The problem with each weight that the file cannot fill."""
    problems = {}
    for key, info in infos.items():
        entry = contents.entries.get(key)
        if entry is None and not is_kept(info):
            continue
        if entry is None:
            problems[key] = f"missing in the file, the model needs {shown(info)}"
        elif (entry.shape, entry.dtype) != (info.shape, info.dtype):
            problems[key] = f"{entry.shown} in the file ({entry.place}), {shown(info)} in the model"
    return problems


def converted(infos: Iterable[WeightInfo], contents: Found) -> Found:
    """The contents with floating-point arrays in the dtypes of the model's weights, as Keras reads a file."""
    dtypes = {key: info.dtype for key, info in by_key(infos).items()}
    entries = {key: entry.converted(dtypes[key]) if key in dtypes else entry for key, entry in contents.entries.items()}
    return dataclasses.replace(contents, entries=entries)


def misfit(where: str, problems: Iterable[tuple[str, str]], advice: str = "") -> RestoreError:
    """The error that lists the first differences: a file of another network differs in hundreds of weights."""
    return RestoreError(f"{where} does not fit the model:\n{_listed(problems)}{advice}")


def _listed(problems: Iterable[tuple[str, str]]) -> str:
    lines = [f"  {name}: {problem}" for name, problem in problems]
    if len(lines) > LISTED:
        lines[LISTED:] = [f"  ... and {len(lines) - LISTED} more weights"]
    return "\n".join(lines)


def all_values(infos: Iterable[WeightInfo], contents: Found, advice: str = "") -> dict[Key, Any]:
    """The arrays of all weights.

    Raises:
        RestoreError: a weight is missing or has another shape or dtype, or the file has more; the message lists all differences.
    """
    infos_by_key = by_key(infos)
    problems = [(infos_by_key[key].name, problem) for key, problem in differences(infos_by_key, contents).items()]
    problems += [(entry.place, f"{entry.shown} in the file, unknown to the model") for entry in contents.extra]
    problems += contents.conflicts.items()
    if problems:
        raise misfit(contents.where, problems, advice)
    return {key: contents.entries[key].read() for key in infos_by_key if key in contents.entries}


ADVICE = (
    "\nTo load what matches: `load_weights(path, by_name=True)` for layers with the same names, `only='encoder/*'` for some"
    " weights, `skip_mismatch=True` to keep the weights of layers that differ."
)


def chosen_values(
    infos: Sequence[WeightInfo], contents: Found, only: Collection[str], by_name: bool, skip_mismatch: bool
) -> tuple[dict[Key, Any], dict[str, str]]:
    """The arrays to load, and what was skipped and why, by weight name or place in the file.

    Args:
        infos: the weights of the model.
        contents: the contents of the file.
        only: patterns of the weights to load; empty for all.
        by_name: whether to skip layers that exist only on one side.
        skip_mismatch: whether to also skip layers that differ.

    Raises:
        RestoreError: something is missing or differs and may not be skipped; the message lists all differences.
        ArgumentError: a pattern matches nothing.
    """
    infos_by_key = by_key(selected(infos, only))
    problems = differences(infos_by_key, contents)
    extra = [] if only else contents.extra
    if not (only or by_name or skip_mismatch):
        return all_values(infos, contents, ADVICE), {}
    layers_found = {infos_by_key[key].path[:-1] for key in infos_by_key if key in contents.entries}
    skipped: dict[Key, str] = {}
    for key, problem in problems.items():
        absent = by_name and infos_by_key[key].path[:-1] not in layers_found
        if skip_mismatch or absent:
            skipped[key] = problem
    misfits = [(infos_by_key[key].name, problem) for key, problem in problems.items() if key not in skipped]
    if not (by_name or skip_mismatch):
        misfits += [(entry.place, f"{entry.shown} in the file, unknown to the model") for entry in extra]
    if not (only or skip_mismatch):
        misfits += contents.conflicts.items()
    if misfits:
        raise misfit(contents.where, misfits, ADVICE)
    # A layer is loaded completely or not at all.
    broken = {infos_by_key[key].path[:-1] for key in skipped}
    report = {infos_by_key[key].name: problem for key, problem in skipped.items()}
    report.update({} if only else contents.conflicts)
    values = {}
    for key, info in infos_by_key.items():
        if key not in contents.entries and key not in skipped:
            continue
        if info.path[:-1] not in broken:
            values[key] = contents.entries[key].read()
        elif key not in skipped:
            report[info.name] = "another weight of its layer does not match"
    report.update({entry.place: f"{entry.shown} in the file, unknown to the model" for entry in extra})
    if not values:
        raise misfit(contents.where, report.items(), "\nNothing in the file matches, so nothing would be loaded.")
    return values, report


def selected(infos: Sequence[WeightInfo], patterns: Collection[str]) -> list[WeightInfo]:
    """The weights whose path, or that of an enclosing layer, matches one of the patterns; all without patterns.

    Raises:
        ArgumentError: a pattern matches nothing.
    """
    if not patterns:
        return list(infos)
    infos_by_place: dict[int, WeightInfo] = {}
    for pattern in patterns:
        matching = {i: info for i, info in enumerate(infos) if _matches(info, pattern)}
        if not matching:
            raise ArgumentError(f"only={pattern!r} matches no weight.{suggestion(pattern, [i.name for i in infos])}")
        infos_by_place.update(matching)
    return [infos_by_place[i] for i in sorted(infos_by_place)]


def _matches(info: WeightInfo, pattern: str) -> bool:
    paths = ("/".join(info.path[:depth]) for depth in range(1, len(info.path) + 1))
    return any(fnmatch.fnmatchcase(path, pattern) for path in paths)


def warning(where: str, loaded: int, report: Mapping[str, str]) -> PartialLoadWarning:
    """The warning that lists what was skipped."""
    lines = _listed(report.items())
    return PartialLoadWarning(f"{where}: {loaded} weights were loaded, and these were skipped:\n{lines}", dict(report))


def nested(infos: Iterable[WeightInfo], value: Callable[[WeightInfo], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trees of params and of state with leaves `value(info)`."""
    trees: dict[str, dict[str, Any]] = {"params": {}, "state": {}}
    for info in infos:
        tree = trees[info.collection]
        for key in info.path[:-1]:
            tree = tree.setdefault(key, {})
        tree[info.path[-1]] = value(info)
    return trees["params"], trees["state"]


def values_by_name(model: Model) -> dict[str, Any]:
    """The weights of a model by name, such as `dense/kernel`."""
    values = {collection: flatten(model.variables[collection]) for collection in ("params", "state")}
    return {info.name: values[info.collection][info.name] for info in model.description.weights}


def as_arrays(infos: Iterable[WeightInfo], values: Mapping[Key, Any]) -> dict[str, dict[str, Any]]:
    """Values as flat trees of JAX arrays, one per collection."""
    flat: dict[str, dict[str, Any]] = {"params": {}, "state": {}}
    types = {(info.collection, info.name): info.dtype for info in infos}
    for (collection, name), array in on_device(values, types).items():
        flat[collection][name] = array
    return flat
