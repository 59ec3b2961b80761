"""Files of models: `.keras` archives, their unpacked form, `.weights.h5` files, and the older `.h5`.

A file is written and read by the same walk over the objects, so that every object can decide what to save
(`save_own_variables`, `save_assets`, `get_build_config`, `get_compile_config`). Files are checked like any untrusted file
(`jkeras.saving`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from jkeras import allowance, arguments
from jkeras.arguments import checked, number, optional
from jkeras.arguments import path as path_of
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import hub, keras2_h5, untrusted, weight_loading
from jkeras.files.containers import archives, documents, hdf5, kinds, shards
from jkeras.files.containers.kinds import CONFIG, METADATA, WEIGHTS_FILE, Kind
from jkeras.files.dialects import definitions, optimizer_states, training, weight_paths
from jkeras.files.loading import load_model as described_model
from jkeras.keras import older_files
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.deserialization import SafeModeScope, deserialize_keras_object, in_safe_mode
from jkeras.keras.registration import custom_object_scope
from jkeras.keras.serialization import ObjectSharingScope, serialize_keras_object
from jkeras.keras.src.messages import ask_to_proceed_with_overwrite
from jkeras.keras.stores import ArrayStore, Assets, ReadStore
from jkeras.keras.walk import is_saveable, load_state, loading_failure, save_state

# -- whole models ----------------------------------------------------------------------------------------------------------


def _check_layer(function: str, model: Any) -> None:
    """Refuses what is neither a model nor a layer."""
    from jkeras.keras.layer import Layer

    if not isinstance(model, Layer):
        raise ArgumentError(f"{function}(model={arguments.shown(model)}): expected a model or a layer.")


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model, or a layer, with its weights and training configuration.

    Args:
        model: the model or layer to save.
        filepath: a path with the suffix `.keras`, or `.h5` for Keras 2's format; with `zipped=False`, a directory; or
            `hf://user/model` for a repository on the Hugging Face Hub.
        overwrite: whether to replace an existing file; if False, asks the user.
        zipped: whether to write one archive instead of a directory.

    Raises:
        ValueError: the suffix does not determine a format, or an argument is unknown.
    """
    _check_layer("save_model", model)
    arguments.checked("save_model", "overwrite", overwrite, arguments.flag)
    include_optimizer = kwargs.pop("include_optimizer", True)
    _check_format(filepath, kwargs.pop("save_format", None))
    if kwargs:
        raise ArgumentError(f"The following argument(s) are not supported: {list(kwargs)}")
    if isinstance(filepath, io.IOBase):
        save_to(model, filepath)
        return
    if hub.is_name(filepath):
        if zipped:
            raise ArgumentError(
                "When saving to the Hugging Face Hub, you should not save the model as zipped. Received:"
                f" filepath={filepath}, zipped={zipped}"
            )
        facts = {"layers": len(model.layers), "weights": f"{model.count_params():,}", "input": model.input_shape}
        card = hub.model_card(str(filepath), model.name, facts)
        hub.save(str(filepath), lambda folder: _save_unpacked(model, folder, include_optimizer), card)
        return
    path = checked("save_model", "filepath", filepath, path_of)
    if path.exists() and not overwrite and not ask_to_proceed_with_overwrite(path):
        return
    kind = kinds.by_name(path)
    if zipped is False and kind is kinds.KERAS:
        raise ArgumentError(
            f"When using `zipped=False`, the `filepath` argument should not end in `.keras`. Received: filepath={filepath}"
        )
    if zipped is False and kind is None:
        kind = kinds.DIRECTORY
    write = FORMATS[kind].write_model if kind in FORMATS else None
    if write is None or (kind is kinds.DIRECTORY and zipped is not False):
        raise ArgumentError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format"
            " (recommended) or a `.h5` extension. Use `model.export(filepath)` if you want to export a program."
            f" Received: filepath={filepath}. Known are {kinds.listed('model')}, with `zipped=False`."
        )
    write(model, path, include_optimizer)


def save_to(model: Any, file: Any) -> None:
    """Writes the archive of a model to an open file."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, contents in _members(model).items():
            archive.writestr(name, contents)


def _save_archive(model: Any, path: Path, include_optimizer: bool) -> None:
    archives.write(path, _members(model))


def _save_unpacked(model: Any, path: Path, include_optimizer: bool) -> None:
    for name, contents in _members(model).items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents)


def _members(model: Any) -> dict[str, bytes]:
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. Consider building the"
            " model first by calling it on some data.",
            stacklevel=5,
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
            WEIGHTS_FILE: hdf5.to_bytes(store.arrays, store.attributes),
            **assets.members(),
        }


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Loads a model that `save_model`, the immutable face or real Keras saved; the contents determine the format.

    Args:
        filepath: the file, or the directory.
        custom_objects: classes and functions by name that the file uses.
        compile: whether to compile the model as saved.
        safe_mode: whether to refuse code in the file (lambdas).

    Raises:
        ValueError: there is no such file, or its format is unknown.
    """
    arguments.checked("load_model", "compile", compile, arguments.flag)
    arguments.checked("load_model", "safe_mode", safe_mode, arguments.optional(arguments.flag))
    arguments.checked("load_model", "custom_objects", custom_objects, arguments.optional(arguments.table))
    if isinstance(filepath, io.IOBase):
        return load_from(filepath.read(), None, custom_objects, compile, safe_mode)
    if hub.is_name(filepath):
        with hub.fetched(str(filepath)) as folder:
            return load_model(folder, custom_objects, compile, safe_mode)
    path = checked("load_model", "filepath", filepath, path_of)
    kind = kinds.by_contents(path) or kinds.by_name(path)
    if kind is not None and not path.exists():
        raise ArgumentError(
            f"File not found: filepath={filepath}. Please ensure the file is an accessible `.keras` zip file."
        )
    read = FORMATS[kind].read_model if kind is not None else None
    if read is None:
        raise ArgumentError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files, legacy H5 format files"
            f" (`.h5` extension), and directories that jkeras wrote. Known are {kinds.listed('model')}."
        )
    with _safety(safe_mode), _reading(path, untrusted.size(path), custom_objects):
        return read(path, custom_objects, compile)


@contextlib.contextmanager
def _reading(where: Any, size: int, custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """A context for reading an untrusted file."""
    with untrusted.reading(where, (custom_objects or {}).values()), allowance.of_file(size):
        yield


def _safety(safe_mode: bool) -> SafeModeScope:
    """The requested safety, unless an enclosing scope overrides it."""
    around = in_safe_mode()
    return SafeModeScope(safe_mode if around is None else around)


def load_from(
    contents: bytes,
    cls: type | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = False,
) -> Any:
    """The model in the bytes of an archive; its class need not be registered."""
    with tempfile.TemporaryDirectory() as folder, _safety(safe_mode):
        path = Path(folder, "model.keras")
        path.write_bytes(contents)
        known = {**(custom_objects or {}), **({} if cls is None else {cls.__name__: cls})}
        with _reading("the file", len(contents), known):
            return _load_archive(path, known, compile, "the file")


def _load_archive(path: Path, custom_objects: Mapping[str, Any] | None, compile: bool, where: str | None = None) -> Any:
    members = weight_paths.members_of_today(archives.read_folder(path) if path.is_dir() else archives.read(path))
    where = str(path) if where is None else where
    for name in (CONFIG, WEIGHTS_FILE):
        if name not in members:
            raise RestoreError(f"{where} is not a model's file: there is no {name!r} in it.")
    config = documents.parse(members[CONFIG], f"{where}/{CONFIG}")
    if not compile:
        config["compile_config"] = None
    keras_version = documents.parse(members.get(METADATA, b"{}"), f"{where}/{METADATA}").get("keras_version")
    is_old = keras_version is not None and definitions.major(str(keras_version)) < 3
    if is_old:
        if not older_files.uses_own_classes(config, custom_objects):
            return older_files.around_described(path, custom_objects, compile)
        with custom_object_scope(custom_objects):
            config = _of_today(config, str(keras_version))
    with ObjectSharingScope():
        model = deserialize_keras_object(config, custom_objects=custom_objects)
    if not is_saveable(model):
        raise RestoreError(f"{where}/{CONFIG} describes a {type(model).__name__}, which is not a model.")
    with hdf5.open_tree(members[WEIGHTS_FILE], f"{where}/{WEIGHTS_FILE}") as tree, Assets.of(members) as assets:
        failed: dict[int, Any] = {}
        tree = weight_paths.tree_of_today(tree)
        store = ReadStore(tree, _old_optimizer_state(model, tree) if is_old else None)
        load_state(model, store, assets, failed=failed)
    if failed:
        raise loading_failure(failed)
    return model


def _of_today(config: dict[str, Any], version: str) -> dict[str, Any]:
    """Converts a model of Keras 2 and its training configuration to the form of Keras 3."""
    compiled = config.get("compile_config")
    current: dict[str, Any] = definitions.of_today({**config, "compile_config": None}, version)
    return {**current, "compile_config": training.of_today(compiled) if isinstance(compiled, Mapping) else None}


def _old_optimizer_state(model: Any, tree: hdf5.Tree) -> dict[str, dict[str, Any]]:
    """Converts the optimizer's state, which Keras 2 wrote in a different order."""
    optimizer = optimizer_of(model)
    if optimizer is None:
        return {}
    group = "optimizer/vars"
    names = sorted(tree.children(group), key=lambda name: (len(name), name))
    arrays = [tree.array(f"{group}/{name}") for name in names]
    shapes = [tuple(cell.shape) for cell in model.trainable_variables]
    slots = optimizer_states.of_today(type(optimizer).__name__, optimizer.get_config(), arrays, shapes)
    return {"optimizer": {str(i): array for i, array in enumerate(slots)}}


def _load_directory(path: Path, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    from jkeras.keras.value import around

    return around(described_model(path, custom_objects, compile))


# -- weights ----------------------------------------------------------------------------------------------------------------


def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Writes the weights to a `.weights.h5` file, or with `max_shard_size` (in GB) to several and a `.weights.json` index.

    Args:
        model: the model or layer to save.
        filepath: the path to write to.
        overwrite: whether to replace an existing file; if False, asks the user.
        max_shard_size: the largest size of each file of an index.
        **kwargs: `objects_to_skip`, objects not to save.

    Raises:
        ValueError: the path has another suffix, or the model has no weights yet.
    """
    _check_layer("save_weights", model)
    arguments.checked("save_weights", "overwrite", overwrite, arguments.flag)
    skip = kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ArgumentError(f"The following argument(s) are not supported: {list(kwargs)}")
    path = checked("save_weights", "filepath", filepath, path_of)
    checked("save_weights", "max_shard_size", max_shard_size, optional(number))
    kind = kinds.DIRECTORY if "." not in path.name else kinds.by_name(path)
    if max_shard_size is not None and not path.name.endswith(("weights.h5", "weights.json")):
        raise ArgumentError(
            f"The filename must end in `.weights.json` when `max_shard_size` is specified. Received: filepath={filepath}"
        )
    if max_shard_size is None and (kind is None or kind is kinds.SHARDS or not kind.alone):
        raise ArgumentError(
            f"The filename must end in `.weights.h5`. Received: filepath={filepath}. Known are {kinds.listed('weights')}."
        )
    if path.exists() and not overwrite and not ask_to_proceed_with_overwrite(path):
        return
    if kind not in (kinds.WEIGHTS, kinds.SHARDS):
        model.value.save_weights(path)
        return
    if not model.built:
        raise ArgumentError(
            "You are saving a model that has not yet been built. Try building the model first by calling it on some data or"
            " by using `build()`."
        )
    store = ArrayStore()
    save_state(model, store, None, skip=skip or ())
    if max_shard_size is None:
        hdf5.write(path, store.arrays, store.attributes)
    else:
        index = path.with_name(path.name.removesuffix(".json").removesuffix(".h5") + ".json")
        shards.write(index, store.arrays, store.attributes, int(max_shard_size * 1024**3))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Loads weights from a weights file or the file of a model into the objects.

    Args:
        model: the model or layer to load into.
        filepath: the file.
        skip_mismatch: whether to skip layers that differ, with a warning.
        **kwargs: `objects_to_skip`, objects not to load; `by_name`, for files of Keras 2.

    Raises:
        ValueError: the file does not match the model, or the path has another suffix.
    """
    _check_layer("load_weights", model)
    arguments.checked("load_weights", "skip_mismatch", skip_mismatch, arguments.flag)
    skip, by_name = kwargs.pop("objects_to_skip", None), kwargs.pop("by_name", None)
    if kwargs:
        raise ArgumentError(f"Invalid keyword arguments: {kwargs}")
    path = checked("load_weights", "filepath", filepath, path_of)
    named = kinds.by_name(path)
    if skip is not None and named not in (kinds.WEIGHTS, kinds.SHARDS):
        raise ArgumentError(f"`objects_to_skip` only supports loading '.weights.h5' files. Received: {filepath}")
    if by_name is not None and named is not kinds.HDF5:
        raise ArgumentError(f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {filepath}")
    kind = kinds.by_contents(path) or named
    if kind is None:
        raise ArgumentError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` and `.weights.h5` files, or"
            f" legacy V1/V2 `.h5` files. Known are {kinds.listed()}."
        )
    with untrusted.reading(path, (type(layer) for layer in model._flatten_layers())), _opened(path, kind) as tree:
        if tree is None:
            from jkeras.keras.value import take_over

            take_over(
                model, weight_loading.load_weights(model.value, path, None, bool(by_name), skip_mismatch, convert=True)
            )
            return
        if not model.built:
            raise ArgumentError(
                "You are loading weights into a model that has not yet been built. Try building the model first by calling it"
                " on some data or by using `build()`."
            )
        failed: dict[int, Any] = {}
        load_state(model, ReadStore(tree), None, failed=failed, skip=skip or ())
    if failed and skip_mismatch:
        warnings.warn(str(loading_failure(failed, advice=False)), stacklevel=3)
    elif failed:
        raise loading_failure(failed)


@contextlib.contextmanager
def _opened(path: Path, kind: Kind) -> Iterator[shards.AnyTree | None]:
    """The arrays in a file with the layout of the walk; None for other files."""
    read = FORMATS[kind].read_weights
    if read is not None and not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if read is None:
        yield None
        return
    with read(path) as tree:
        yield None if isinstance(tree, hdf5.Tree) and keras2_h5.is_by_layer(tree) else tree


@contextlib.contextmanager
def _in_archive(path: Path) -> Iterator[hdf5.Tree]:
    members = archives.read_folder(path) if path.is_dir() else archives.read(path)
    if WEIGHTS_FILE not in members:
        raise RestoreError(f"{path} contains no weights.")
    with hdf5.open_tree(members[WEIGHTS_FILE], f"{path}/{WEIGHTS_FILE}") as tree:
        yield tree


def _in_file(path: Path) -> AbstractContextManager[hdf5.Tree]:
    return hdf5.open_tree(path, str(path))


def _check_format(filepath: Any, save_format: Any) -> None:
    if not save_format:
        return
    if kinds.by_name(str(filepath)) not in (kinds.KERAS, kinds.HDF5, kinds.WEIGHTS):
        raise ArgumentError(
            "The `save_format` argument is deprecated in Keras 3. Please remove this argument and pass a file path with either"
            f" `.keras` or `.h5` extension. Received: save_format={save_format}"
        )
    warnings.warn(
        "The `save_format` argument is deprecated in Keras 3. We recommend removing this argument as it can be inferred from"
        f" the file path. Received: save_format={save_format}",
        stacklevel=4,
    )


@dataclasses.dataclass(frozen=True)
class Format:
    """The functions of a format; without a function for weights, the immutable face handles them.

    Attributes:
        write_model: takes a model, a path and whether to write the optimizer's state.
        read_model: takes a path, the user's objects, and whether to compile the model.
        read_weights: opens the arrays of a file.
    """

    write_model: Callable[[Any, Path, bool], None] | None = None
    read_model: Callable[[Path, Mapping[str, Any] | None, bool], Any] | None = None
    read_weights: Callable[[Path], AbstractContextManager[shards.AnyTree]] | None = None


FORMATS: Mapping[Kind, Format] = {
    kinds.DIRECTORY: Format(_save_unpacked, _load_directory),
    kinds.KERAS: Format(_save_archive, _load_archive, _in_archive),
    kinds.HDF5: Format(older_files.save, older_files.load, _in_file),
    kinds.WEIGHTS: Format(older_files.save, older_files.load, _in_file),
    kinds.SHARDS: Format(read_weights=shards.opened),
    kinds.SAFETENSORS: Format(),
}
