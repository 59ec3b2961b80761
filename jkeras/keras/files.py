"""Files of models: `.keras` archives, their unpacked form, `.weights.h5` files, and the older `.h5`.

A file is written by walking over the objects and read by the same walk, so that every object may say itself what is kept of it
(`save_own_variables`, `save_assets`, `get_build_config`, `get_compile_config`). What is read is checked like any file that
comes from elsewhere (`jkeras.saving`).
"""

from __future__ import annotations

import datetime
import io
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers import archives, documents, hdf5
from jkeras.files.keras_file import CONFIG, METADATA, WEIGHTS
from jkeras.keras import older_files, stores
from jkeras.keras.deserialization import SafeModeScope, deserialize_keras_object, in_safe_mode
from jkeras.keras.serialization import ObjectSharingScope, serialize_keras_object
from jkeras.keras.stores import ArrayStore, Assets, ReadStore
from jkeras.keras.walk import load_state, loading_failure, save_state

OLDER = (".h5", ".hdf5")


# -- whole models ----------------------------------------------------------------------------------------------------------


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model, or a layer, with its weights and training configuration.

    Args:
        model: what to write.
        filepath: ends in `.keras`, or in `.h5` for the format of Keras 2; any directory with `zipped=False`.
        overwrite: whether a file there is replaced; if False, the user is asked.
        zipped: whether the parts become one archive.

    Raises:
        ValueError: the path's ending says no format, or an argument is unknown.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    _check_format(filepath, kwargs.pop("save_format", None))
    if kwargs:
        raise ArgumentError(f"The following argument(s) are not supported: {list(kwargs)}")
    if isinstance(filepath, io.IOBase):
        save_to(model, filepath)
        return
    path = str(filepath)
    if os.path.exists(path) and not overwrite and not _may_replace(path):
        return
    if path.endswith(OLDER):
        older_files.save(model, Path(path), include_optimizer)
        return
    zipped = zipped is not False
    if zipped and not path.endswith(".keras"):
        raise ArgumentError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format"
            " (recommended) or a `.h5` extension. Use `model.export(filepath)` if you want to export a program."
            f" Received: filepath={filepath}."
        )
    if not zipped and path.endswith(".keras"):
        raise ArgumentError(
            f"When using `zipped=False`, the `filepath` argument should not end in `.keras`. Received: filepath={filepath}"
        )
    members = _members(model)
    if zipped:
        archives.write(Path(path), members)
        return
    for name, contents in members.items():
        file = Path(path, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents)


def save_to(model: Any, file: Any) -> None:
    """Writes the archive of a model into an open file."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, contents in _members(model).items():
            archive.writestr(name, contents)


def _members(model: Any) -> dict[str, bytes]:
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. Consider building the"
            " model first by calling it on some data.",
            stacklevel=4,
        )
    from jkeras.keras import __version__

    with ObjectSharingScope():
        config = serialize_keras_object(model)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    store = ArrayStore()
    with Assets.new() as assets:
        save_state(model, store, assets)
        return {
            METADATA: json.dumps({"keras_version": __version__, "date_saved": now}).encode(),
            CONFIG: json.dumps(config).encode(),
            WEIGHTS: hdf5.to_bytes(store.arrays, store.attributes),
            **assets.members(),
        }


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a file that `save_model`, the immutable face or real Keras wrote.

    Args:
        filepath: the file, or the directory.
        custom_objects: classes and functions by name that the file uses.
        compile: whether the model is compiled as it was.
        safe_mode: whether code in the file (lambdas) is refused.

    Raises:
        ValueError: there is no such file, or it is of no known format.
    """
    if isinstance(filepath, io.IOBase):
        return load_from(filepath.read(), None, custom_objects, compile, safe_mode)
    path = str(filepath)
    if path.endswith(".keras") and zipfile.is_zipfile(path):
        return _from_members(archives.read(Path(path)), path, custom_objects, compile, safe_mode)
    if os.path.isdir(path) and os.path.exists(os.path.join(path, WEIGHTS)):
        members = {str(f.relative_to(path)): f.read_bytes() for f in Path(path).rglob("*") if f.is_file()}
        return _from_members(members, path, custom_objects, compile, safe_mode)
    if path.endswith(OLDER) and os.path.exists(path):
        with _safety(safe_mode):
            return older_files.load(Path(path), custom_objects, compile)
    if os.path.isdir(path):
        import jkeras
        from jkeras.keras.value import around

        return around(jkeras.load_model(path, custom_objects, compile))
    if path.endswith((".keras", *OLDER)):
        raise ArgumentError(
            f"File not found: filepath={filepath}. Please ensure the file is an accessible `.keras` zip file."
        )
    raise ArgumentError(
        f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files, legacy H5 format files"
        " (`.h5` extension), and directories that jkeras wrote."
    )


def _safety(safe_mode: bool) -> SafeModeScope:
    """The safety that is asked for, unless a scope around says another."""
    around = in_safe_mode()
    return SafeModeScope(safe_mode if around is None else around)


def load_from(
    contents: bytes,
    cls: type | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = False,
) -> Any:
    """The model in the bytes of an archive, of a class that need not be registered."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(contents)
        known = {**(custom_objects or {}), **({} if cls is None else {cls.__name__: cls})}
        return _from_members(archives.read(path), "the file", known, compile, safe_mode)


def _from_members(
    members: Mapping[str, bytes], where: str, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool
) -> Any:
    for name in (CONFIG, WEIGHTS):
        if name not in members:
            raise RestoreError(f"{where} is no model's file: there is no {name!r} in it.")
    config = documents.parse(members[CONFIG], f"{where}/{CONFIG}")
    if not compile:
        config["compile_config"] = None
    with ObjectSharingScope(), _safety(safe_mode):
        model = deserialize_keras_object(config, custom_objects=custom_objects)
    with hdf5.open_tree(members[WEIGHTS], f"{where}/{WEIGHTS}") as tree, Assets.of(members) as assets:
        failed: dict[int, Any] = {}
        load_state(model, ReadStore(tree), assets, failed=failed)
    if failed:
        raise loading_failure(failed)
    return model


# -- weights ----------------------------------------------------------------------------------------------------------------


def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    objects_to_skip: Any = None,
) -> None:
    """Writes the weights to a `.weights.h5` file, or with `max_shard_size` (in GB) to several and a `.weights.json` index.

    Raises:
        ValueError: the path ends otherwise, or the model has no weights yet.
    """
    path = str(filepath)
    if max_shard_size is None and not path.endswith(".weights.h5"):
        if path.endswith((*OLDER, ".safetensors")) or "." not in os.path.basename(path):
            model.value.save_weights(path, overwrite)
            return
        raise ArgumentError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
    if max_shard_size is not None and not path.endswith(("weights.h5", "weights.json")):
        raise ArgumentError(
            f"The filename must end in `.weights.json` when `max_shard_size` is specified. Received: filepath={filepath}"
        )
    if os.path.exists(path) and not overwrite and not _may_replace(path):
        return
    if not model.built:
        raise ArgumentError(
            "You are saving a model that has not yet been built. Try building the model first by calling it on some data or"
            " by using `build()`."
        )
    store = ArrayStore()
    save_state(model, store, None, skip=objects_to_skip or ())
    if max_shard_size is None:
        hdf5.write(Path(path), store.arrays, store.attributes)
    else:
        stores.write_shards(Path(path), store, int(max_shard_size * 1024**3))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads the weights from a file of weights or of a model into the objects.

    Args:
        model: what to fill.
        filepath: the file.
        skip_mismatch: whether layers that differ are left alone, with a warning.
        **kwargs: `objects_to_skip`, objects to leave alone; `by_name`, for files of Keras 2.

    Raises:
        ValueError: the file does not fit, or the path ends otherwise.
    """
    skip, by_name = kwargs.pop("objects_to_skip", None), kwargs.pop("by_name", None)
    if kwargs:
        raise ArgumentError(f"Invalid keyword arguments: {kwargs}")
    path = str(filepath)
    kind = next(
        (e for e in (".keras", ".weights.h5", ".weights.json", *OLDER, ".safetensors") if path.endswith(e)), None
    )
    if skip is not None and kind not in (".weights.h5", ".weights.json"):
        raise ArgumentError(f"`objects_to_skip` only supports loading '.weights.h5' files. Received: {filepath}")
    if by_name is not None and kind not in OLDER:
        raise ArgumentError(f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {filepath}")
    if kind is None and not os.path.isdir(path):
        raise ArgumentError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` and `.weights.h5` files, or"
            " legacy V1/V2 `.h5` files."
        )
    if kind in (*OLDER, ".safetensors", None):
        from jkeras.keras.value import take_over

        take_over(model, model.value.load_weights(path, skip_mismatch, by_name=bool(by_name)))
        return
    if not model.built:
        raise ArgumentError(
            "You are loading weights into a model that has not yet been built. Try building the model first by calling it on"
            " some data or by using `build()`."
        )
    failed: dict[int, Any] = {}
    with stores.open_weights(Path(path)) as store:
        load_state(model, store, None, failed=failed, skip_mismatch=skip_mismatch, skip=skip or ())
    if failed and skip_mismatch:
        warnings.warn(str(loading_failure(failed, advice=False)), stacklevel=3)
    elif failed:
        raise loading_failure(failed)


def _check_format(filepath: Any, save_format: Any) -> None:
    if not save_format:
        return
    if not str(filepath).endswith((*OLDER, ".keras")):
        raise ArgumentError(
            "The `save_format` argument is deprecated in Keras 3. Please remove this argument and pass a file path with either"
            f" `.keras` or `.h5` extension. Received: save_format={save_format}"
        )
    warnings.warn(
        "The `save_format` argument is deprecated in Keras 3. We recommend removing this argument as it can be inferred from"
        f" the file path. Received: save_format={save_format}",
        stacklevel=4,
    )


def _may_replace(path: str) -> bool:
    """Asks the user."""
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
