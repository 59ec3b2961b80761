"""Saves models or weights in the format that the path determines."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jkeras import arguments
from jkeras.errors import ArgumentError, ExistsError
from jkeras.files import config as configs
from jkeras.files import hub, keras3_archive
from jkeras.files.containers import kinds
from jkeras.files.table import FORMATS
from jkeras.types import PathLike

if TYPE_CHECKING:
    from jkeras.models.model import Model


def save_model(model: Model, path: PathLike, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Saves a model; see `Model.save`."""
    if hub.is_name(path):
        _check_definition(model)
        write_members = functools.partial(keras3_archive.save_unpacked, model, include_optimizer=include_optimizer)
        hub.save(
            os.fspath(path),
            write_members,
            hub.model_card(os.fspath(path), model.name or model.default_name, facts(model)),
        )
        return
    path = arguments.checked("save", "filepath", path, arguments.path)
    arguments.flags("save", overwrite=overwrite, include_optimizer=include_optimizer)
    _check_definition(model)
    kind = kinds.to_write(path, "model", "save")
    write = cast("Callable[..., None]", FORMATS[kind].write_model)  # checked with the kind
    check_free(path, kind, overwrite)
    write(model, path, include_optimizer)


def save_weights(model: Model, path: PathLike, overwrite: bool = True, max_shard_size: float | None = None) -> None:
    """Saves the weights of a model; see `Model.save_weights`."""
    path = arguments.checked("save_weights", "filepath", path, arguments.path)
    arguments.flags("save_weights", overwrite=overwrite)
    kind = kinds.to_write(path, "weights", "save_weights")
    write = cast("Callable[..., None]", FORMATS[kind].write_weights)  # likewise
    if max_shard_size is not None and kind is not kinds.SHARDS:
        raise ArgumentError(
            f"save_weights({str(path)!r}, max_shard_size={max_shard_size!r}): to write several files, use a path that ends"
            f" in {kinds.SHARDS.suffixes[0]!r}."
        )
    check_free(path, kind, overwrite)
    write(model, path, **({"max_shard_size": max_shard_size} if kind is kinds.SHARDS else {}))


def facts(model: Model) -> dict[str, Any]:
    """The contents of a model card."""
    optimizer = None if model.recipe is None else type(model.recipe.optimizer).__name__
    return {
        "layers": len(model.layers),
        "weights": f"{model.count_params():,}",
        "input": model.input_specs,
        "trained with": optimizer or "not compiled",
    }


def check_free(path: Path, kind: kinds.Kind, overwrite: bool) -> None:
    """Checks whether a file or directory may be written.

    Raises:
        ExistsError: it exists and `overwrite` is False, or a directory is in the place of a file.
    """
    if path.exists() and not overwrite:
        raise ExistsError(f"{path} exists; pass overwrite=True to replace it.")
    if path.is_dir() and kind.suffixes:
        raise ExistsError(f"{path} is a directory, so a {kind.name} file cannot be written there.")


def _check_definition(model: Model) -> None:
    try:
        json.dumps(configs.to_config(model))
    except TypeError as error:
        raise ArgumentError(
            f"The definition of the model cannot be serialized: {error}. Save its weights, `model.save_weights(path)`, and"
            f" build the model in code to load them."
        ) from error
