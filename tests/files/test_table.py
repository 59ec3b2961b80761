"""The table of formats: every path that writes, reads, checks a name or tells of formats goes by it."""

import ast
import json
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import callbacks
from jkeras.errors import ArgumentError, ExistsError, JkerasError, RestoreError
from jkeras.files.containers import kinds
from jkeras.files.table import FORMATS
from jkeras.keras.files import FORMATS as DROP_IN
from tests.files import formats_page

MODELS = [suffix for kind in kinds.KINDS if kind.writes("model") for suffix in kind.suffixes or ("",)]
WEIGHTS = [suffix for kind in kinds.KINDS if kind.writes("weights") for suffix in kind.suffixes or ("",)]
SIDES = {"keras": keras, "jkeras": jk, "drop-in": jkeras.keras}


def small(side):
    return side.Sequential([side.Input((3,)), side.layers.Dense(4, name="a"), side.layers.Dense(2, name="b")])


@pytest.fixture
def model():
    return small(jk).compile("adam", "mse")


def same(one, other):
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_both_tables_have_all_kinds():
    assert set(FORMATS) == set(DROP_IN) == set(kinds.KINDS)
    for kind, entry in FORMATS.items():
        assert (entry.write_model is not None) == kind.writes("model"), kind
        assert (entry.write_weights is not None) == kind.writes("weights"), kind


def test_the_page_has_the_table():
    page = formats_page.PAGE.read_text()
    assert formats_page.table() in page, "run `python -m tests.files.formats_page --write`"


@pytest.mark.parametrize(("suffix", "name"), [*zip(MODELS, (*MODELS[1:], MODELS[0]), strict=True)])
def test_contents_say_what_a_model_is(suffix, name, model, tmp_path):
    written, path = tmp_path / f"it{suffix}", tmp_path / "other" / f"one{name}"
    model.save(written)
    path.parent.mkdir()
    written.rename(path)
    assert kinds.by_contents(path) is (kinds.by_name(written) or kinds.DIRECTORY)
    same(jk.load_model(path), model)
    same(small(jk).init(5).load_weights(path), model)
    same(jkeras.keras.models.load_model(path), model)


@pytest.mark.parametrize(("suffix", "name"), [*zip(WEIGHTS, WEIGHTS[::-1], strict=True), (".h5", ".pt")])
def test_contents_say_what_weights_are(suffix, name, model, tmp_path):
    written, path = tmp_path / f"it{suffix}", tmp_path / f"other{name}"
    model.save_weights(written)
    written.rename(path)
    same(small(jk).init(5).load_weights(path), model)
    objects = small(jkeras.keras)
    objects.load_weights(path)
    same(objects, model)


@pytest.mark.parametrize("act", ["save", "save_weights", "ModelCheckpoint", "ModelCheckpoint of weights"])
@pytest.mark.parametrize("name", ["it.kears", "it.pkl", "it.weights.hdf", "it.ckpt"])
def test_unknown_suffixes_are_refused_with_the_list(act, name, model, tmp_path):
    path = tmp_path / name
    acts = {
        "save": model.save,
        "save_weights": model.save_weights,
        "ModelCheckpoint": callbacks.ModelCheckpoint,
        "ModelCheckpoint of weights": lambda path: callbacks.ModelCheckpoint(path, save_weights_only=True),
    }
    part = "weights" if "weights" in act else "model"
    with pytest.raises(ArgumentError, match=re.escape(kinds.listed(part))):
        acts[act](path)
    path.write_bytes(b"neither")
    for load in (jk.load_model, model.load_weights, jkeras.keras.models.load_model, small(jkeras.keras).load_weights):
        with pytest.raises(ArgumentError, match=r"`\.keras`, `\.h5`, `\.hdf5`"):
            load(path).weights  # noqa: B018


@pytest.mark.parametrize("suffix", WEIGHTS)
def test_weights_are_no_model(suffix, model, tmp_path):
    path = tmp_path / f"it{suffix}"
    model.save_weights(path)
    with pytest.raises(RestoreError, match="weights but no definition"):
        jk.load_model(path)
    with pytest.raises(JkerasError):
        jkeras.keras.models.load_model(path)
    if suffix not in MODELS:
        with pytest.raises(ArgumentError, match="weights alone"):
            model.save(path)


@pytest.mark.parametrize("suffix", MODELS)
def test_what_is_there_is_kept_if_asked_for(suffix, model, tmp_path):
    path = tmp_path / f"it{suffix}"
    model.save(path)
    with pytest.raises(FileExistsError, match="overwrite=True") as caught:
        model.save(path, overwrite=False)
    assert isinstance(caught.value, JkerasError)
    if suffix:
        (tmp_path / f"folder{suffix}").mkdir()
        with pytest.raises(ExistsError, match="is a directory"):
            model.save(tmp_path / f"folder{suffix}")


def test_unpacked_archives(tmp_path, model):
    # What Keras and the drop-in write with `zipped=False`, and what a repository of the Hugging Face Hub holds.
    for name, side in SIDES.items():
        if side is not jk:
            theirs = small(side)
            theirs.save(tmp_path / name, zipped=False)
            same(jk.load_model(tmp_path / name), theirs)
            same(model.load_weights(tmp_path / name), theirs)
            same(jkeras.keras.models.load_model(tmp_path / name), theirs)


# -- shards ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", SIDES)
@pytest.mark.parametrize("writer", SIDES)
def test_shards(writer, reader, tmp_path):
    path, source, target = tmp_path / "it.weights.json", small(SIDES[writer]), small(SIDES[reader])
    source.save_weights(path, max_shard_size=70 / 2**30)
    assert len(list(tmp_path.iterdir())) == 3
    loaded = target.load_weights(path)
    same(loaded if loaded is not None else target, source)


def test_shards_replace_shards(tmp_path):
    path = tmp_path / "it.weights.json"
    first, second = small(jk), small(jk).init(7)
    first.save_weights(path, max_shard_size=70 / 2**30)
    second.save_weights(path)
    same(first.load_weights(path), second)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(ArgumentError, match="max_shard_size is too small"):
        first.save_weights(path, max_shard_size=1 / 2**30)
    for wrong in (0, -1, float("nan"), True, "5GB"):
        with pytest.raises(ArgumentError, match="max_shard_size"):
            first.save_weights(path, max_shard_size=wrong)
    with pytest.raises(ArgumentError, match=r"weights\.json"):
        first.save_weights(tmp_path / "it.h5", max_shard_size=1)
    same(first.load_weights(path), second)


KILLED = """
import os, sys
import jkeras as jk
from jkeras import layers
path, last = sys.argv[1], int(sys.argv[2])
model = jk.Sequential([jk.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")]).init(9)
replace, count = os.replace, 0
def counted(*args):
    global count
    count += 1
    if count > last:
        os._exit(9)
    replace(*args)
os.replace = counted
model.save_weights(path, max_shard_size=70 / 2**30)
os._exit(0)
"""


def test_shards_of_a_process_that_is_killed(tmp_path):
    path, old = tmp_path / "it.weights.json", small(jk).init(1)
    states = set()
    for last in (4, 5, 6):  # with one of two files in place, with both, with the index
        old.save_weights(path, max_shard_size=70 / 2**30)
        assert len(list(tmp_path.iterdir())) == 3, (
            f"something is left of the process that was killed before step {last}"
        )
        ended = subprocess.run([sys.executable, "-c", KILLED, str(path), str(last)]).returncode
        loaded = small(jk).load_weights(path)
        new = not np.array_equal(loaded.weights[0], old.weights[0])
        same(loaded, small(jk).init(9) if new else old)
        states.add((ended, new))
    assert states == {(9, False), (0, True)}


def test_indexes_that_are_refused(tmp_path, model):
    path = tmp_path / "it.weights.json"
    model.save_weights(path, max_shard_size=70 / 2**30)
    index = json.loads(path.read_text())
    names = list(index["weight_map"].values())
    doubled = {**index["weight_map"], "/more": "copy.weights.h5"}
    (tmp_path / "copy.weights.h5").write_bytes((tmp_path / names[0]).read_bytes())
    outside = [f"../{names[0]}", "/etc/passwd", "a\\b", "", None, {"x": 1}, 5]
    cases = [({"/a/vars": wrong}, "not a file next to it") for wrong in outside]
    cases += [(doubled, "same array"), ({"/a": "gone.h5"}, "missing"), ([], "not a file next to it")]
    for weight_map, message in cases:
        path.write_text(json.dumps({**index, "weight_map": weight_map}))
        with pytest.raises(RestoreError, match=message):
            model.load_weights(path).weights  # noqa: B018


# -- callbacks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", WEIGHTS)
def test_checkpoints_of_weights(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    x = np.ones((4, 3), "float32")
    model = small(jk).compile("sgd", "mse")
    model = model.fit(x, x[:, :2], verbose=0, callbacks=[callbacks.ModelCheckpoint(path, save_weights_only=True)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(small(jk).load_weights(path), model)


# -- what layers say of themselves -----------------------------------------------------------------------------------------


def gated(side):
    query = side.Input((5, 6))
    out = side.layers.MultiHeadAttention(2, 4, use_gate=True)(query, query)
    return side.Model(query, side.layers.GroupQueryAttention(3, 4, 2, use_gate=True)(out, out))


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_gates_of_attention_are_kept_as_in_keras(suffix, tmp_path):
    path = str(tmp_path / f"it{suffix}")
    for writer in SIDES.values():
        source = gated(writer)
        if suffix == ".h5" and writer is keras:
            continue  # Keras writes whole models there
        source.save(path) if suffix == ".keras" else source.save_weights(path)
        for reader in SIDES.values():
            target = gated(reader)
            loaded = target.load_weights(path)
            same(loaded if loaded is not None else target, source)


class Scaled(jk.layers.MultiHeadAttention):
    pass


def test_subclasses_are_kept_as_their_base(tmp_path):
    def model(cls):
        x = jk.Input((5, 6))
        return jk.Model(x, cls(2, 4, name="it")(x, x))

    source = model(jk.layers.MultiHeadAttention)
    source.save_weights(tmp_path / "it.weights.h5")
    with pytest.raises(RestoreError):  # of another class, so under another name
        model(Scaled).load_weights(tmp_path / "it.weights.h5").weights  # noqa: B018
    same(model(Scaled).load_weights(tmp_path / "it.weights.h5", by_name=True), source)


def test_no_reader_asks_for_a_class_by_name():
    # Those of the protocol, and those that are refused because files of them hold code.
    exempt = {"Layer", "InputLayer", "Input", "Lambda", "JaxLayer", "FlaxLayer"}
    known = {name for name in dir(jk.layers) if name[:1].isupper()} - exempt
    folder = Path(jk.__file__).parent / "files"
    for file in set(folder.glob("*.py")) - {folder / "operations.py"}:  # whose names are those of functions
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in known, f"{file.name} names {node.value}"


# -- large constants -------------------------------------------------------------------------------------------------------


def test_a_large_constant_in_a_configuration_is_no_bomb(tmp_path):
    value = np.zeros((300, 1000), "float32")  # deflate makes a thousandth of it
    start = jk.initializers.Constant(value)
    model = jk.Sequential([jk.Input((300,)), jk.layers.Dense(1000, kernel_initializer=start, use_bias=False)])
    model.save(tmp_path / "it.keras")
    with (
        zipfile.ZipFile(tmp_path / "it.keras") as old,
        zipfile.ZipFile(tmp_path / "new.keras", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    for load in (jk.load_model, jkeras.keras.models.load_model):
        assert np.shape(load(tmp_path / "new.keras").layers[-1].kernel_initializer.value) == (300, 1000)


def test_too_many_lists_and_dicts_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "it.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", b"")
        archive.writestr("config.json", '{"a": [' + "[]," * 3_000_000 + "[]]}")
    with pytest.raises(RestoreError, match="lists and dicts"):
        jk.load_model(tmp_path / "it.keras")
