"""Facts about a file that need no model, and whether it loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from jkeras.errors import JkerasError
from jkeras.files import exporting
from jkeras.files.containers import checkpoints, directory, hdf5, kinds, safetensors, shards
from jkeras.files.containers.kinds import Kind
from jkeras.files.keras3_archive import KerasFile
from jkeras.files.loading import load_model
from jkeras.graph.shapes import show_shape
from jkeras.models.model import Model
from jkeras.models.summary import show_bytes

Facts = list[tuple[str, str]]


def facts_of(path: Path) -> tuple[Facts, bool]:
    """Names and values in the order of printing, and whether the file loads."""
    programs = exporting.programs(path)
    if programs:
        return _program_facts(path, programs)
    kind = kinds.to_read(path, "info")
    facts: Facts = [("file", str(path)), ("format", _format(path, kind)), ("size", show_bytes(_size(path)))]
    try:
        facts.append(("written by", _writer(path, kind)))
        arrays = _weights(path, kind)
        if arrays is not None:
            count = sum(int(np.prod(shape)) for shape in arrays.values())
            return [
                *facts,
                ("contents", "weights without a model"),
                ("arrays", f"{len(arrays)}, {count:,} numbers"),
            ], True
        facts += _model_facts(load_model(path))
    except (JkerasError, OSError) as error:
        return [*facts, ("loads", f"no: {' '.join(str(error).split())}")], False
    return [*facts, ("loads", "yes")], True


def _format(path: Path, kind: Kind) -> str:
    """The suffix of the file, of those that its format has."""
    return next((suffix for suffix in kind.suffixes if path.name.endswith(suffix)), kind.name.replace("`", ""))


def _program_facts(path: Path, programs: Sequence[Path]) -> tuple[Facts, bool]:
    """What `model.export` and `ExportArchive` wrote: what each program takes and returns."""
    facts: Facts = [
        ("file", str(path)),
        ("format", "StableHLO, for `jax.export.deserialize`"),
        ("size", show_bytes(_size(path))),
    ]
    try:
        for place in programs:
            program = exporting.read(place)
            name = "program" if place == path else place.stem
            facts.append(
                (name, f"{_shown(program.in_avals)} -> {_shown(program.out_avals)} on {', '.join(program.platforms)}")
            )
    except (JkerasError, OSError) as error:
        return [*facts, ("loads", f"no: {' '.join(str(error).split())}")], False
    return [*facts, ("loads", "yes, without jkeras; load_model takes whole models alone")], True


def _shown(arrays: Sequence[jax.core.AbstractValue]) -> str:
    return ", ".join(str(getattr(array, "str_short", array.__str__)()) for array in arrays)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _writer(path: Path, kind: Kind) -> str:
    if kind is kinds.KERAS:
        file = KerasFile(path)
        return f"jkeras, as Keras {file.version} does" if file.own else f"Keras {file.version}"
    if kind is kinds.HDF5:
        with hdf5.open_tree(path, str(path)) as tree:
            version, backend = tree.attribute("", "keras_version"), tree.attribute("", "backend")
        return f"Keras {version} ({backend})" if version else "not recorded"
    if kind is kinds.DIRECTORY:
        return f"jkeras, on JAX {_config(path).get('jax', 'of unknown version')}"
    return "not recorded"


def _config(path: Path) -> dict[str, object]:
    folder = checkpoints.saved_folder(path)
    config: dict[str, object] = directory.read_config(folder)
    return config


def _weights(path: Path, kind: Kind) -> dict[str, tuple[int, ...]] | None:
    """The shapes in a weights file; None for a whole model."""
    if kind is kinds.SAFETENSORS:
        return {name: array.shape for name, array in safetensors.read(path).items()}
    if kind is kinds.SHARDS:
        with shards.opened(path) as joined:
            return dict(joined.shapes)
    if kind in (kinds.HDF5, kinds.WEIGHTS):
        with hdf5.open_tree(path, str(path)) as tree:
            return None if tree.attribute("", "model_config") else dict(tree.shapes)
    return None


def _model_facts(model: Model) -> Facts:
    kinds_of_layers = Counter(type(layer).__name__ for layer in model.layers)
    listed = ", ".join(f"{count} {name}" for name, count in kinds_of_layers.most_common())
    specs = jax.tree.leaves(model.input_specs) if model.built else []
    facts = [
        ("contents", f"{type(model).__name__} {model.name or model.default_name!r}"),
        ("layers", f"{len(model.layers)}: {listed}"),
        ("weights", f"{model.count_params():,}" if model.built else "created on first use"),
        ("input", ", ".join(f"{show_shape((None, *s.shape[1:]))} {s.dtype}" for s in specs) or "not known yet"),
        ("compiled", "no" if model.recipe is None else type(model.recipe.optimizer).__name__),
    ]
    epochs = len(model.history.epoch)
    return [*facts, *([("trained", f"{epochs} epochs, {int(model.state.step)} steps")] if epochs else [])]
