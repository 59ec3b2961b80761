"""Files made to harm whoever loads them. `attacks.py` says what each wants and what becomes of it."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import marshal
import os
import pickle
import struct
import tarfile
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import jkeras as jk
from jkeras import layers
from jkeras.utils import get_file

SECRET = "the secret of another file"


@dataclasses.dataclass(frozen=True)
class Ground:
    """Where an attack takes place.

    Attributes:
        folder: for the crafted files.
        outside: what no file may read or write: `secret.txt` is there, and nothing else may ever be.
        saves: valid saves by suffix, not to be changed.
    """

    folder: Path
    outside: Path
    saves: Path

    @property
    def secret(self) -> Path:
        return self.outside / "secret.txt"

    @property
    def canary(self) -> Path:
        """What exists when code of a file ran."""
        return self.outside / "canary"

    def path(self, suffix: str) -> Path:
        return self.folder / f"model{suffix}"


Action = Callable[[], Any]
Craft = Callable[[Ground], Iterator[tuple[str, Path | Action]]]


def plain_model() -> jk.Model:
    """The model of the valid saves."""
    return jk.Sequential([jk.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)], name="plain")


def make_saves(folder: Path) -> None:
    """The valid saves that the crafted files start from."""
    model = plain_model().compile("adam", "mse").init(1)
    for suffix in (".keras", ".h5", ""):
        model.save(folder / f"model{suffix}")


# -- putting things into files -------------------------------------------------------------------------------------


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, contents: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def with_config(ground: Ground, suffix: str, change: Callable[[dict[str, Any]], None], name: str = "model") -> Path:
    """A save whose definition was changed."""
    path = ground.folder / f"{name}{suffix}"
    source = ground.saves / f"model{suffix}"
    if suffix == ".keras":
        contents = members(source)
        config = json.loads(contents["config.json"])
        change(config)
        return zipped(path, {**contents, "config.json": json.dumps(config).encode()})
    if suffix == ".h5":
        path.write_bytes(source.read_bytes())
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return path
    copied(source, path)
    (path / "checksums.json").unlink()
    written = json.loads((path / "config.json").read_text())
    change(written["model"])
    (path / "config.json").write_text(json.dumps(written))
    return path


def weights_of(path: Path) -> Action:
    """Loading the weights alone into a model of the same kind."""

    def load() -> None:
        _ = plain_model().load_weights(path)

    return load


def copied(source: Path, target: Path) -> Path:
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return target


def with_weights(
    ground: Ground, change: Callable[[h5py.File, str], None], name: str = "model"
) -> Iterator[tuple[str, Path]]:
    """Both kinds of files that hold HDF5, with the first kernel changed."""
    contents = members(ground.saves / "model.keras")
    buffer = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file, "layers/dense/vars/0")
    yield ".keras", zipped(ground.folder / f"{name}.keras", {**contents, "model.weights.h5": buffer.getvalue()})
    path = ground.folder / f"{name}.h5"
    path.write_bytes((ground.saves / "model.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        change(file, "model_weights/dense/dense/kernel")
    yield ".h5", path


def each(change: Callable[[Ground], Callable[[dict[str, Any]], None]], *suffixes: str) -> Craft:
    """The same change of the definition in files of several formats."""

    def craft(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
        for suffix in suffixes or (".keras", ".h5", ""):
            yield suffix or "directory", with_config(ground, suffix, change(ground))

    return craft


def added(layer: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """A change that adds a layer to a Sequential."""

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"].append(layer)

    return change


def set_in_dense(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one argument of the first Dense."""

    def change(config: dict[str, Any]) -> None:
        dense = next(entry for entry in config["config"]["layers"] if entry["class_name"] == "Dense")
        dense["config"][key] = value

    return change


# -- code ----------------------------------------------------------------------------------------------------------


def bytecode(ground: Ground) -> str:
    """The code of a function that writes the canary, as Keras keeps it."""
    template = f"lambda x: (__import__('pathlib').Path({str(ground.canary)!r}).touch(), x)[1]"
    code = next(c for c in compile(template, "<file>", "eval").co_consts if isinstance(c, types.CodeType))
    return base64.b64encode(marshal.dumps(code)).decode()


def lambda_of_3(ground: Ground) -> dict[str, Any]:
    function = {
        "class_name": "__lambda__",
        "config": {"code": bytecode(ground), "defaults": None, "closure": None},
    }
    return {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "f", "function": function, "arguments": {}},
    }


def lambda_of_2(ground: Ground) -> dict[str, Any]:
    config = {"name": "f", "function": [bytecode(ground), None, None], "function_type": "lambda", "module": "__main__"}
    return {"class_name": "Lambda", "config": config}


def wrapped(layer: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": "TimeDistributed", "config": {"name": "t", "layer": layer}}


def lambdas(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    yield ".keras", with_config(ground, ".keras", added(lambda_of_3(ground)))
    yield "directory", with_config(ground, "", added(lambda_of_3(ground)))
    yield "inside of a layer", with_config(ground, ".keras", added(wrapped(lambda_of_3(ground))), "inside")
    initializer = lambda_of_3(ground)["config"]["function"]
    yield (
        "as an initializer",
        with_config(ground, ".keras", set_in_dense("kernel_initializer", initializer), "initializer"),
    )


def lambdas_of_2(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    for i, layer in enumerate((lambda_of_2(ground), lambda_of_3(ground), wrapped(lambda_of_2(ground)))):
        yield f".h5, {i}", with_config(ground, ".h5", added(layer), f"model{i}")


def imported(ground: Ground) -> dict[str, tuple[str, str]]:
    """Modules and functions that a configuration may name; the first is a file that would be found on the path."""
    (ground.folder / "evil_module.py").write_text(f"open({str(ground.canary)!r}, 'w').close()\n")
    return {"own module": ("evil_module", "run"), "os": ("os", "system"), "builtins": ("builtins", "exec")}


def functions(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    for name, (module, function) in imported(ground).items():
        as_function = {"module": module, "class_name": "function", "config": function, "registered_name": function}
        as_class = {"module": module, "class_name": function, "config": {"command": "true"}, "registered_name": None}
        yield f"{name}, activation", with_config(ground, ".keras", set_in_dense("activation", as_function), f"a-{name}")
        yield f"{name}, layer", with_config(ground, ".keras", added({**as_class, "config": {"name": "x"}}), f"l-{name}")
        yield f"{name}, .h5", with_config(ground, ".h5", set_in_dense("kernel_regularizer", as_class), f"r-{name}")
        yield f"{name}, directory", with_config(ground, "", set_in_dense("bias_constraint", as_class), f"c-{name}")

        for key, value in (("loss", as_function), ("metrics", [as_function]), ("optimizer", as_class)):
            for own in (True, False):
                yield f"{name}, {key}, {own}", with_recipe(ground, key, value, own, f"{key}-{name}-{own}")


def with_recipe(ground: Ground, key: str, value: Any, own: bool, name: str) -> Path:
    """A `.keras` file with a part of the training configuration changed: in Keras's place, or in jkeras's own."""
    contents = members(ground.saves / "model.keras")
    config, metadata = (json.loads(contents[part]) for part in ("config.json", "metadata.json"))
    if own:
        metadata["jkeras"]["recipe"][key] = value
    else:
        config["compile_config"][key] = value
        del metadata["jkeras"]
    changed = {"config.json": json.dumps(config).encode(), "metadata.json": json.dumps(metadata).encode()}
    return zipped(ground.folder / f"{name}.keras", {**contents, **changed})


def gadget(module: str, function: str, *args: Any) -> Callable[[Ground], Callable[[dict[str, Any]], None]]:
    """A functional model in which a function of a library is applied as if it were a layer."""

    def change(ground: Ground) -> Callable[[dict[str, Any]], None]:
        values = [
            str(ground.canary) if arg == "canary" else ground.secret.as_uri() if arg == "secret" else arg
            for arg in args
        ]

        def to_functional(config: dict[str, Any]) -> None:
            inputs = {"class_name": "InputLayer", "name": "i", "inbound_nodes": [], "module": "keras.layers",
                      "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "i"}}  # fmt: skip
            call = {"module": module, "class_name": function, "registered_name": function, "name": "g",
                    "config": {"name": "g"}, "inbound_nodes": [{"args": values, "kwargs": {}}]}  # fmt: skip
            config.update(
                class_name="Functional",
                module="keras.src.models.functional",
                config={
                    "name": "m",
                    "layers": [inputs, call],
                    "input_layers": ["i", 0, 0],
                    "output_layers": ["g", 0, 0],
                },
            )

        return to_functional

    return change


def gadgets(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    calls = {
        "get_file": ("keras.utils", "get_file", "canary", "secret"),
        "get_file inside": ("keras.src.utils.file_utils", "get_file", "canary", "secret"),
        "load_model": ("keras.saving", "load_model", "canary"),
        "save_img": ("keras.utils", "save_img", "canary"),
        "ops": ("keras.src.ops.numpy", "get_file", "canary", "secret"),
    }
    for name, (module, function, *args) in calls.items():
        for suffix in (".keras", ".h5"):
            yield f"{name}{suffix}", with_config(ground, suffix, gadget(module, function, *args)(ground), name)


def unsafe_switches(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    switch = {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization",
              "registered_name": "function"}  # fmt: skip
    for i, where in enumerate(("kernel_initializer", "activation", "kernel_regularizer")):

        def change(config: dict[str, Any], where: str = where) -> None:
            set_in_dense(where, switch)(config)
            added(lambda_of_3(ground))(config)

        yield f"{where}", with_config(ground, ".keras", change, f"model{i}")
    call = gadget("keras.config", "enable_unsafe_deserialization")(ground)
    yield "as a layer", with_config(ground, ".keras", call, "layer")


def torch_module(ground: Ground) -> Callable[[dict[str, Any]], None]:
    contents = base64.b64encode(pickle.dumps(Bomb(str(ground.canary)))).decode()
    module = {"class_name": "__bytes__", "config": {"value": contents}}
    config = {"name": "t", "module": module, "output_shape": None}
    return added({"module": "keras.src.utils.torch_utils", "class_name": "TorchModuleWrapper", "config": config})


def saved_model(ground: Ground) -> Callable[[dict[str, Any]], None]:
    config = {"name": "t", "filepath": str(ground.outside), "call_endpoint": "serve"}
    return added({"module": "keras.layers", "class_name": "TFSMLayer", "config": config})


class Bomb:
    """Writes the canary when it is unpickled."""

    def __init__(self, canary: str):
        self.canary = canary

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.canary),)


def guests(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    for suffix in (".keras", ".h5"):
        yield f"TorchModuleWrapper{suffix}", with_config(ground, suffix, torch_module(ground), "torch")
        yield f"TFSMLayer{suffix}", with_config(ground, suffix, saved_model(ground), "tfsm")
    for name, key in (("JaxLayer", "call_fn"), ("FlaxLayer", "module")):
        layer = {"module": "keras.layers", "class_name": name, "config": {"name": "j", key: "os.system"}}
        yield name, with_config(ground, ".keras", added(layer), name)


def pickles(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    contents = pickle.dumps(Bomb(str(ground.canary)))
    for suffix in (".keras", ".h5", ".hdf5"):
        path = ground.path(suffix)
        path.write_bytes(contents)
        yield suffix, path
    files = members(ground.saves / "model.keras")
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        yield f"{name} in .keras", zipped(ground.folder / f"{name}.keras", {**files, name: contents})
    array = io.BytesIO()
    np.save(array, np.array([Bomb(str(ground.canary))], dtype=object), allow_pickle=True)
    yield "an array of objects", zipped(ground.folder / "npy.keras", {**files, "model.weights.h5": array.getvalue()})


# -- other files ---------------------------------------------------------------------------------------------------


def vocabularies(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    for i, vocabulary in enumerate(
        (str(ground.secret), "/etc/passwd", ground.secret.as_uri(), "http://127.0.0.1:9/words")
    ):
        for name in ("StringLookup", "IntegerLookup", "TextVectorization"):
            layer = {"module": "keras.layers", "class_name": name, "config": {"name": "v", "vocabulary": vocabulary}}
            for suffix in (".keras", ".h5", "") if i == 0 else (".keras",):
                yield f"{name}, {vocabulary}, {suffix}", with_config(ground, suffix, added(layer), f"{name}{i}")
    weights = {"vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": str(ground.secret)}
    layer = {"module": "keras.layers", "class_name": "StringLookup", "config": {"name": "v", **weights}}
    yield "weights", with_config(ground, ".keras", added(wrapped(layer)), "weights")


def tar_member(name: str, contents: bytes = b"x", **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(contents) if "type" not in attributes else 0
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, contents


def fetched(ground: Ground, name: str, *contents: tuple[tarfile.TarInfo, bytes]) -> Action:
    """Fetching and unpacking a tar file."""
    path = ground.folder / f"{name}.tar"
    with tarfile.open(path, "w") as archive:
        for info, data in contents:
            archive.addfile(info, io.BytesIO(data))
    return lambda: get_file(path.name, path.as_uri(), extract=True, cache_dir=ground.folder / "cache")


def traversals(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    climbing = os.path.relpath(ground.canary, ground.folder / "cache" / "datasets" / "x")
    yield "up", fetched(ground, "up", tar_member(climbing))
    yield "absolute", fetched(ground, "absolute", tar_member(str(ground.canary)))
    # A chain of links longer than the system's longest path, which realpath gives up on.
    deep = [
        tar_member("d" * 200 + f"/{'a' * 100}{i}", type=tarfile.SYMTYPE, linkname="." * (i % 2 + 1)) for i in range(20)
    ]
    yield "long links", fetched(ground, "long", *deep, tar_member("d" * 200 + "/link/../../../canary"))
    path = zipped(ground.folder / "up.zip", {climbing: b"x"})
    yield "zip", lambda: get_file(path.name, path.as_uri(), extract=True, cache_dir=ground.folder / "cache")
    yield "file name", lambda: get_file(climbing, ground.secret.as_uri(), cache_dir=ground.folder / "cache")


def folders(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    """Folders of images, texts and sounds with links to what lies outside."""
    from jkeras import utils

    readers = {
        ".png": utils.image_dataset_from_directory,
        ".txt": utils.text_dataset_from_directory,
        ".wav": utils.audio_dataset_from_directory,
    }
    for suffix, read in readers.items():
        for kind in ("file", "folder"):
            root = ground.folder / f"{kind}{suffix}"
            (root / "a").mkdir(parents=True)
            (root / "a" / f"one{suffix}").write_bytes(b"x")
            (ground.folder / "elsewhere").mkdir(exist_ok=True)
            (ground.folder / "elsewhere" / f"two{suffix}").write_bytes(b"x")
            if kind == "file":
                (root / "a" / f"two{suffix}").symlink_to(ground.secret)
            else:
                (root / "b").symlink_to(ground.folder / "elsewhere")
            yield f"{kind}{suffix}", lambda read=read, root=root: list(read(root, verbose=False))


def links(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    away = tar_member("away", type=tarfile.SYMTYPE, linkname=str(ground.outside))
    yield "through a symbolic link", fetched(ground, "symbolic", away, tar_member("away/canary"))
    hard = tar_member("hard", type=tarfile.LNKTYPE, linkname=str(ground.secret))
    yield "hard link", fetched(ground, "hard", hard)
    yield "device", fetched(ground, "device", tar_member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3))
    path = ground.folder / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("away")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, str(ground.outside))
        archive.writestr("away/canary", b"x")
    yield "zip", lambda: get_file(path.name, path.as_uri(), extract=True, cache_dir=ground.folder / "cache")


def archive_names(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    files = members(ground.saves / "model.keras")
    names = ("../canary", str(ground.canary), "assets/../../canary", "..\\canary", "C:\\canary")
    for i, name in enumerate(names):
        yield repr(name), zipped(ground.folder / f"name{i}.keras", {**files, name: b"x"})
    path = ground.folder / "link.keras"
    zipped(path, {k: v for k, v in files.items() if k != "model.weights.h5"})
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("model.weights.h5")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, str(ground.secret))
    yield "a link", path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are two, which is the point
        path = zipped(ground.folder / "twice.keras", files)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("config.json", b"{}")
    yield "two of one name", path


def elsewhere(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    """Files that HDF5 itself would open: the secret lies there as raw bytes and in another HDF5 file."""
    other = ground.folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((4, 3), "float32")

    def external(file: h5py.File, path: str) -> None:
        del file[path]
        file.create_dataset(path, (4, 3), "float32", external=[(str(ground.secret), 0, 48)])

    def virtual(file: h5py.File, path: str) -> None:
        del file[path]
        layout = h5py.VirtualLayout((4, 3), "float32")
        layout[:] = h5py.VirtualSource(str(other), "x", (4, 3))
        file.create_virtual_dataset(path, layout)

    def external_link(file: h5py.File, path: str) -> None:
        del file[path]
        file[path] = h5py.ExternalLink(str(other), "x")

    def soft_link(file: h5py.File, path: str) -> None:
        file["elsewhere"] = file[path][()]
        del file[path]
        file[path] = h5py.SoftLink("/elsewhere")

    def linked_group(file: h5py.File, path: str) -> None:
        group = path.rpartition("/")[0]
        del file[group]
        file[group] = h5py.ExternalLink(str(other), "/")

    def a_loop(file: h5py.File, path: str) -> None:
        group = path.rpartition("/")[0]
        file[group + "/loop"] = file[group]

    def user_block(file: h5py.File, path: str) -> None:
        del file[path]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_external(b"../secret.txt", 0, 48)
        space = h5py.h5s.create_simple((4, 3))
        h5py.h5d.create(file.id, path.encode(), h5py.h5t.IEEE_F32LE, space, plist)

    for change in (external, virtual, external_link, soft_link, linked_group, a_loop, user_block):
        for suffix, path in with_weights(ground, change, change.__name__):
            yield f"{change.__name__}{suffix}", path
            yield f"weights of {change.__name__}{suffix}", weights_of(path)


def directories(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    source = ground.saves / "model"

    def fresh(name: str) -> Path:
        path = copied(source, ground.folder / name)
        (path / "checksums.json").unlink()
        return path

    path = fresh("config")
    (path / "config.json").unlink()
    (path / "config.json").symlink_to(ground.secret)
    yield "config.json is a link", path
    path = fresh("arrays")
    (path / "arrays").rename(ground.folder / "moved")
    (path / "arrays").symlink_to(ground.folder / "moved")
    yield "arrays is a link", path
    path = fresh("deep")
    data = next(file for file in sorted((path / "arrays").rglob("*")) if file.is_file() and "manifest" not in file.name)
    data.unlink()
    data.symlink_to(ground.secret)
    yield "a file of arrays is a link", path
    path = fresh("pipe")
    os.mkfifo(path / "arrays" / "pipe")
    yield "a pipe", path
    path = fresh("names")
    config = json.loads((path / "config.json").read_text())
    config["arrays"] = {f"../../{name}": entry for name, entry in config["arrays"].items()}
    (path / "config.json").write_text(json.dumps(config))
    yield "names with ..", path


# -- sizes ---------------------------------------------------------------------------------------------------------

HUGE = 2**20


def huge_shapes(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    def chunked(file: h5py.File, path: str) -> None:
        del file[path]
        file.create_dataset(path, (HUGE, HUGE), "float32", chunks=(1024, 1024))

    def compressed(file: h5py.File, path: str) -> None:
        del file[path]
        dataset = file.create_dataset(path, (HUGE, HUGE), "float32", chunks=(1024, 1024), compression="gzip")
        dataset[:4, :3] = 1

    def contiguous(file: h5py.File, path: str) -> None:
        del file[path]
        file.create_dataset(path, (HUGE, HUGE), "float32")

    def zeros(file: h5py.File, path: str) -> None:
        del file[path]
        file.create_dataset(path, (64 * HUGE,), "float32", chunks=(HUGE,), compression="gzip")[: 4 * HUGE] = 0

    def many(file: h5py.File, path: str) -> None:
        for i in range(64):
            file.create_dataset(f"more/{i}", (HUGE // 4,), "float32", chunks=(HUGE // 4,), compression="gzip")[:] = 0

    for change in (chunked, compressed, contiguous, zeros, many):
        for suffix, path in with_weights(ground, change, change.__name__):
            yield f"{change.__name__}{suffix}", path
            yield f"weights of {change.__name__}{suffix}", weights_of(path)

    def units(config: dict[str, Any]) -> None:
        set_in_dense("units", HUGE * HUGE)(config)

    for suffix in (".keras", ".h5", ""):
        yield f"definition{suffix}", with_config(ground, suffix, units, "units")
    path = with_config(ground, "", units, "claims")
    config = json.loads((path / "config.json").read_text())
    config["arrays"]["params/dense/kernel"] = [[4, HUGE * HUGE], "float32"]
    config["arrays"]["params/dense/bias"] = [[HUGE * HUGE], "float32"]
    config["arrays"]["params/dense_1/kernel"] = [[HUGE * HUGE, 2], "float32"]
    (path / "config.json").write_text(json.dumps(config))
    yield "list of arrays", path


def bombs(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    files = members(ground.saves / "model.keras")
    zeros = bytes(300 * 2**20)
    for name in ("config.json", "model.weights.h5"):
        with zipfile.ZipFile(ground.folder / f"{name}.keras", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for other, data in files.items():
                if other != name:
                    archive.writestr(other, data)
            archive.writestr(name, zeros)
        yield name, ground.folder / f"{name}.keras"
    del zeros
    many = {f"assets/{i}": bytes(2**20) for i in range(64)}
    yield "many members", zipped(ground.folder / "many.keras", {**files, **many}, zipfile.ZIP_DEFLATED)
    path = zipped(ground.folder / "lie.keras", files)
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, start + 24, 2**31)  # the size of the first member in the central directory
    path.write_bytes(data)
    yield "a size that is a lie", path
    path = zipped(ground.folder / "overlap.keras", {**files, "assets/a": b"x" * 400_000})
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02")
    for offset in (data.index(b"PK\x01\x02"),):
        data[offset + 20 : offset + 28] = data[start + 20 : start + 28]
    path.write_bytes(data)
    yield "members that overlap", path
    path = ground.folder / "bomb.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = 2**40
        packed.write(info.tobuf() + bytes(2**20))
    yield "get_file", lambda: get_file(path.name, path.as_uri(), extract=True, cache_dir=ground.folder / "cache")


def nested(depth: int = 100_000) -> bytes:
    return b'{"class_name":' * depth + b"1" + b"}" * depth


def deep(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    files = members(ground.saves / "model.keras")
    for name in ("config.json", "metadata.json"):
        yield f"{name} in .keras", zipped(ground.folder / f"{name}.keras", {**files, name: nested()})
    path = ground.path(".h5")
    path.write_bytes((ground.saves / "model.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = nested(4_000)
    yield ".h5", path
    path = copied(ground.saves / "model", ground.path(""))
    (path / "checksums.json").unlink()
    (path / "config.json").write_bytes(nested())
    yield "directory", path
    inner: dict[str, Any] = {"class_name": "Dense", "config": {"units": 1}}
    for _ in range(90):
        inner = {"class_name": "TimeDistributed", "config": {"layer": inner}}
    yield "layers in layers", with_config(ground, ".keras", added(inner), "layers")
    groups = with_weights(ground, lambda file, path: file.create_group("/".join("a" * 100)) and None, "groups")
    yield from ((f"groups{suffix}", path) for suffix, path in groups)


# -- damage --------------------------------------------------------------------------------------------------------


def truncated(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    for suffix in (".keras", ".h5"):
        data = (ground.saves / f"model{suffix}").read_bytes()
        for size in (0, 4, 100, len(data) // 2, len(data) - 1):
            path = ground.folder / f"model{size}{suffix}"
            path.write_bytes(data[:size])
            yield f"{suffix}, {size} bytes", path
    for name in ("config.json", "arrays/manifest.ocdbt", "arrays/_METADATA"):
        path = copied(ground.saves / "model", ground.folder / name.replace("/", "-"))
        data = (path / name).read_bytes()
        (path / name).write_bytes(data[: len(data) // 2])
        yield f"{name} in a directory", path


def wrong_kind(ground: Ground) -> Iterator[tuple[str, Path | Action]]:
    contents = {
        "text": b"not a model\n" * 100,
        "zip magic": b"PK\x03\x04" + bytes(100),
        "HDF5 magic": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "zip": zipped(ground.folder / "other.zip", {"readme.txt": b"x"}).read_bytes(),
    }
    for suffix in (".keras", ".h5"):
        for name, data in contents.items():
            path = ground.folder / f"{name}{suffix}"
            path.write_bytes(data)
            yield f"{name} as {suffix}", path
    yield "nothing there", ground.folder / "nothing.keras"
    (ground.folder / "a directory.keras").mkdir()
    yield "a directory as .keras", ground.folder / "a directory.keras"
