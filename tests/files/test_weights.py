"""`save_weights` and `load_weights`: every format, strictness, and loading in part when it is asked for."""

import re
import warnings

import h5py
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import layers
from jkeras.errors import ArgumentError, PartialLoadWarning, RestoreError
from jkeras.files.containers import kinds

SUFFIXES = ["", *(suffix for kind in kinds.KINDS if kind.alone for suffix in kind.suffixes)]
KERAS_SUFFIXES = (".weights.h5", ".h5", ".hdf5")


def encoder(side, seed=0, width=5):
    """Batch normalisation and two layers, one of them in a model inside."""
    inputs = side.Input((6,))
    inner = side.Sequential([side.Input((6,)), side.layers.Dense(width, name="small")], name="inner")
    x = inner(side.layers.BatchNormalization(name="norm")(inputs))
    return side.Model(inputs, side.layers.Dense(3, name="head")(x))


def ours(seed=0, **options):
    return encoder(jk, **options).init(seed)


def same(one, other):
    assert len(one.weights) == len(other.weights)
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_weights_back(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    model = ours(1)
    model.save_weights(path)
    other = ours(2).compile("sgd", "mse")
    before = other.get_weights()
    loaded = other.load_weights(path)
    same(loaded, model)
    assert loaded.recipe == other.recipe
    np.testing.assert_array_equal(other.get_weights()[4], before[4])  # the old model is as it was
    with pytest.raises(FileExistsError):
        model.save_weights(path, overwrite=False)
    other.save_weights(path)
    same(model.load_weights(path), other)


@pytest.mark.parametrize("suffix", KERAS_SUFFIXES)
def test_keras_reads_what_is_written(suffix, tmp_path):
    path = str(tmp_path / f"it{suffix}")
    model, theirs = ours(1), encoder(keras)
    model.save_weights(path)
    theirs.load_weights(path)
    same(theirs, model)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_what_keras_writes_is_read(suffix, tmp_path):
    path = str(tmp_path / f"it{suffix}")
    theirs = encoder(keras)
    theirs.save_weights(path) if suffix == ".weights.h5" else theirs.save(path)
    same(ours().load_weights(path), theirs)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5", ""])
def test_weights_come_out_of_whole_models(suffix, tmp_path):
    model = ours(1).compile("adam", "mse")
    model.save(tmp_path / f"it{suffix}")
    same(ours(2).load_weights(tmp_path / f"it{suffix}"), model)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_error_lists_every_difference(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    ours(1).save_weights(path)
    changed = jk.Sequential(
        [
            jk.Input((6,)),
            layers.BatchNormalization(name="norm"),
            layers.Dense(4, name="head"),
            layers.Dense(2, name="more"),
        ]
    )
    with pytest.raises(RestoreError) as caught:
        changed.load_weights(path).weights  # noqa: B018
    message = str(caught.value)
    for shape in ("float32[5, 3]", "float32[6, 4]", "float32[4, 2]", "float32[6, 5]"):
        assert shape in message, message
    assert str(path) in message
    for name in ("head/kernel", "more/kernel", "more/bias"):
        assert name in message


@pytest.mark.parametrize("suffix", KERAS_SUFFIXES)
def test_another_type_is_an_error(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    model = jk.Sequential([jk.Input((6,)), layers.Dense(2, name="head")])
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        names = []
        file.visititems(lambda name, found: names.append(name) if getattr(found, "shape", None) == (6, 2) else None)
        value = file[names[0]][()].astype("float64")
        del file[names[0]]
        file[names[0]] = value
    with pytest.raises(RestoreError, match=re.escape("head/kernel: float64[6, 2] in the file")):
        model = model.load_weights(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_some_weights(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    source, target = ours(1), ours(2)
    source.save_weights(path)
    loaded = target.load_weights(path, only=["norm", "inner/*", "head/bias"])
    for info, new, one, other in zip(
        loaded.description.weights, loaded.weights, source.weights, target.weights, strict=True
    ):
        np.testing.assert_array_equal(new, other if info.name == "head/kernel" else one)
    with pytest.raises(ArgumentError, match="matches no weight.*head/kernel"):
        target = target.load_weights(path, only="haed/kernel")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_finds_layers_by_name_in_another_model(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    source = jk.Sequential([jk.Input((4,)), layers.Dense(4, name="base"), layers.Dense(4, name="head")])
    source.save_weights(path)
    # The first Dense of the one is the second of the other, and all shapes are the same.
    other = jk.Sequential([jk.Input((4,)), layers.Dense(4, name="projection"), layers.Dense(4, name="base")])
    loaded = other.load_weights(path, only="base")
    np.testing.assert_array_equal(loaded.get_layer("base").weights[0], source.get_layer("base").weights[0])
    np.testing.assert_array_equal(loaded.get_layer("projection").weights[0], other.get_layer("projection").weights[0])
    with pytest.raises(RestoreError, match="projection/kernel: missing"):
        loaded = other.load_weights(path, only="projection")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_by_name_says_what_it_skips(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    source = ours(1)
    source.save_weights(path)
    other = jk.Sequential([jk.Input((5,)), layers.Dense(3, name="head"), layers.Dense(2, name="new")])
    with pytest.warns(PartialLoadWarning) as caught:
        loaded = other.load_weights(path, by_name=True)
    np.testing.assert_array_equal(loaded.get_layer("head").weights[0], source.get_layer("head").weights[0])
    skipped = caught[0].message.skipped
    assert caught[0].filename == __file__
    assert {"new/kernel", "new/bias"} <= set(skipped)
    assert any("float32[6, 5] in the file" in why for why in skipped.values())
    # What has the same name must fit.
    other = jk.Sequential([jk.Input((5,)), layers.Dense(7, name="head")])
    with pytest.raises(
        RestoreError, match=r"head/kernel: float32\[5, 3\] in the file .*, float32\[5, 7\] in the model"
    ):
        other = other.load_weights(path, by_name=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_skip_mismatch_keeps_layers_that_differ(suffix, tmp_path):
    path = tmp_path / f"it{suffix}"
    source, target = ours(1), ours(2, width=4)
    source.save_weights(path)
    with pytest.warns(PartialLoadWarning) as caught:
        loaded = target.load_weights(path, skip_mismatch=True)
    same(loaded.get_layer("norm"), source.get_layer("norm"))
    same(loaded.get_layer("inner"), target.get_layer("inner"))
    same(loaded.get_layer("head"), target.get_layer("head"))  # its bias would fit, its kernel does not
    assert set(caught[0].message.skipped) == {"inner/small/kernel", "inner/small/bias", "head/kernel", "head/bias"}
    with pytest.raises(RestoreError, match="nothing would be loaded"):
        jk.Sequential([jk.Input((9,)), layers.Dense(9, name="x")]).load_weights(path, skip_mismatch=True).weights  # noqa: B018


def test_what_fits_gives_no_warning(tmp_path):
    ours(1).save_weights(tmp_path / "it.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(ours(2).load_weights(tmp_path / "it.weights.h5", by_name=True, skip_mismatch=True), ours(1))


def test_paths_that_are_none(tmp_path):
    model = ours()
    with pytest.raises(RestoreError, match="no file"):
        model = model.load_weights(tmp_path / "absent.weights.h5")
    with pytest.raises(RestoreError, match="no saved model"):
        model = model.load_weights(tmp_path / "absent")
    with pytest.raises(ArgumentError, match=r"model\.save"):
        model.save_weights(tmp_path / "it.keras")
    (tmp_path / "it.ckpt").write_bytes(b"something")
    with pytest.raises(ArgumentError, match=r"formats are `\.keras`, `\.h5`"):
        model = model.load_weights(tmp_path / "it.ckpt")
    model.save_weights(tmp_path / "weights")
    with pytest.raises(RestoreError, match="contains weights but no definition"):
        jk.load_model(tmp_path / "weights")
    model.save_weights(tmp_path / "weights.h5")
    with pytest.raises(RestoreError, match="contains weights but no definition"):
        jk.load_model(tmp_path / "weights.h5")


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s])
def test_a_write_that_fails_leaves_the_file_before(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"it{suffix}"
    model = ours(1)
    model.save_weights(path)
    before, names = path.read_bytes(), sorted(entry.name for entry in tmp_path.iterdir())

    def fail(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="the disk is full"):
        ours(2).save_weights(path)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == names


def test_handles_change_in_place(tmp_path):
    path = tmp_path / "it.weights.h5"
    source = encoder(jkeras.keras)
    source.save_weights(path)
    target = encoder(jkeras.keras)
    assert target.load_weights(path) is None
    same(target, source)
    with pytest.warns(UserWarning, match="2 objects could not be loaded"):
        encoder(jkeras.keras, width=4).load_weights(path, skip_mismatch=True)


@pytest.mark.parametrize("kind", ["sequential", "functional", "subclass"])
def test_models_side_by_side_in_a_model_of_the_drop_in(kind, tmp_path):
    """Their lists of layers are made anew whenever they are asked for."""
    keras = jkeras.keras

    def block():
        dense = [keras.layers.Dense(3, bias_initializer="random_normal") for _ in range(2)]
        if kind == "sequential":
            return keras.Sequential(dense)
        x = keras.Input((3,))
        if kind == "functional":
            return keras.Model(x, dense[1](dense[0](x)))

        class Block(keras.Model):
            def __init__(self):
                super().__init__()
                self.parts = [dense[0], [dense[1]]]

            def call(self, x):
                return self.parts[1][0](self.parts[0](x))

        return Block()

    x = outputs = keras.Input((3,))
    for _ in range(5):
        outputs = block()(outputs)
    model = keras.Model(x, outputs)
    expected = model.get_weights()
    for _ in range(4):
        model.save_weights(tmp_path / "it.weights.h5")
        model.set_weights([array + 1 for array in expected])
        model.load_weights(tmp_path / "it.weights.h5")
        for found, array in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(found, array)


def test_checkpoints_of_weights(tmp_path):
    model = jk.Sequential([jk.Input((3,)), layers.Dense(1)]).compile("sgd", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    path = tmp_path / "{epoch}.weights.h5"
    keep = jk.callbacks.ModelCheckpoint(str(path), save_weights_only=True)
    trained = model.fit(x, y, epochs=2, verbose=0, callbacks=[keep])
    same(model.load_weights(tmp_path / "2.weights.h5"), trained)
    assert (tmp_path / "1.weights.h5").is_file()


class Net(jk.Model):
    """Layers as attributes, in a list, and one of them twice."""

    def __init__(self, width=4):
        super().__init__()
        self.blocks = [layers.Dense(width, name="first"), layers.Dense(4, name="second")]
        self.norm = layers.LayerNormalization()
        self.again = self.blocks[1]

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        return self.again(self.norm(x))


class KerasNet(keras.Model):
    """The same."""

    def __init__(self):
        super().__init__()
        self.blocks = [keras.layers.Dense(4, name="first"), keras.layers.Dense(4, name="second")]
        self.norm = keras.layers.LayerNormalization()
        self.again = self.blocks[1]

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        return self.again(self.norm(x))


def test_subclasses(tmp_path):
    path = str(tmp_path / "it.weights.h5")
    model, theirs = Net().build((None, 4)).init(1), KerasNet()
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    theirs(x)
    model.save_weights(path)
    theirs.load_weights(path)
    np.testing.assert_allclose(model(x), theirs(x), atol=1e-6)
    theirs.blocks[0].kernel.assign(np.ones((4, 4)))
    theirs.save_weights(path)
    np.testing.assert_allclose(model.load_weights(path)(x), theirs(x), atol=1e-6)
    for suffix in ("", ".weights.h5"):
        theirs.save_weights(path)
        model.save_weights(tmp_path / f"own{suffix}")
        loaded = Net().build((None, 4)).load_weights(tmp_path / f"own{suffix}", only="blocks_0")
        np.testing.assert_array_equal(loaded.params["blocks_0"]["kernel"], model.params["blocks_0"]["kernel"])


def test_an_error_lists_the_first_differences(tmp_path):
    """A file of another network differs in hundreds of weights."""
    stacks = [jk.Sequential([jk.Input((n,)), *(jk.layers.Dense(n) for _ in range(30))]) for n in (2, 3)]
    stacks[0].save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(RestoreError, match=r"dense/kernel(.*\n)+  \.\.\. and 40 more weights\n") as caught:
        _ = stacks[1].load_weights(tmp_path / "m.weights.h5")
    assert len(str(caught.value).splitlines()) < 25
