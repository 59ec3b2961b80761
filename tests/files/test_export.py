"""Exported programs: run by a process that knows nothing of jkeras, equal at any batch size."""

import subprocess
import sys

import jax
import jax.export
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers

pytest.importorskip("flatbuffers")

RUN = """
import sys
import jax, numpy as np
import jax.export
for name in sys.argv[2:]:
    with open(f"{sys.argv[1]}/{name}.stablehlo", "rb") as file:
        program = jax.export.deserialize(bytearray(file.read()))
    data = np.load(f"{sys.argv[1]}/{name}.npz")
    for size in ("small", "large"):
        inputs = {key.removeprefix(size): data[key] for key in data if key.startswith(size)}
        outputs = jax.tree.leaves(program.call(inputs[""] if "" in inputs else inputs))
        wanted = [data[f"out{size}{i}"] for i in range(len(outputs))]
        for got, want in zip(outputs, wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
assert "jkeras" not in sys.modules and "flax" not in sys.modules
"""


def images():
    return jk.Sequential(
        [
            jk.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def sentences():
    return jk.Sequential(
        [
            jk.Input((None,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(1),
        ]
    )


def several():
    a, b = jk.Input((4,), name="a"), jk.Input((4,), name="b")
    return jk.Model({"a": a, "b": b}, [layers.Dense(2)(layers.Concatenate()([a, b])), a[:, :2] * 2])


def rows(n, *shape):
    return np.random.default_rng(n).normal(size=(n, *shape)).astype("float32")


def words(n, length):
    return np.random.default_rng(n).integers(1, 9, (n, length)).astype("int32")


MODELS = {
    "images": (images, rows(2, 8, 8, 2), rows(5, 8, 8, 2)),
    "sentences": (sentences, words(1, 4), words(3, 6)),
    "several": (several, {"a": rows(1, 4), "b": rows(1, 4)}, {"a": rows(6, 4), "b": rows(6, 4)}),
}


def test_a_program_without_jkeras_predicts_the_same(tmp_path):
    for name, (build, small, large) in MODELS.items():
        model = build().init(2)
        model.export(tmp_path / f"{name}.stablehlo")
        kept = {}
        for size, x in (("small", small), ("large", large)):
            kept.update({f"{size}{key}": v for key, v in x.items()} if isinstance(x, dict) else {size: x})
            y = model.predict(x, verbose=0)
            kept.update({f"out{size}{i}": v for i, v in enumerate(y if isinstance(y, list) else [y])})
        np.savez(tmp_path / f"{name}.npz", **kept)
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(tmp_path), *MODELS], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npz"] * 3 + [".stablehlo"] * 3


def load(path):
    import jax.export

    return jax.export.deserialize(bytearray(path.read_bytes()))


def test_platforms_and_signature(tmp_path):
    model = jk.Sequential([jk.Input((4,)), layers.Dense(2)]).init(1)
    model.export(tmp_path / "one", platforms=["cpu"])
    assert load(tmp_path / "one").platforms == ("cpu",)
    model.export(tmp_path / "all")
    program = load(tmp_path / "all")
    assert program.platforms == ("cpu", "cuda", "tpu") and str(program.in_avals[0].shape) == "(batch, 4)"
    model.export(tmp_path / "fixed", input_signature=(3, 4))
    assert load(tmp_path / "fixed").in_avals[0].shape == (3, 4)


class AsksForTheBatch(jk.Layer):
    def call(self, x):
        return x if x.shape[0] > 4 else x * 2


def test_what_cannot_be_exported(tmp_path):
    model = jk.Sequential([jk.Input((4,)), AsksForTheBatch()])
    with pytest.raises(errors.ArgumentError, match="input_signature"):
        model.export(tmp_path / "x")
    with pytest.raises(errors.ArgumentError, match="stablehlo"):
        model.export(tmp_path / "x", "tf_saved_model")
    with pytest.raises(errors.ArgumentError, match="platforms"):
        model.export(tmp_path / "x", platforms=["abacus"])
    assert not list(tmp_path.iterdir())


def test_archives_hold_several_programs(tmp_path):
    from jkeras import keras as ours

    model, theirs = several(), ours.Sequential([ours.Input((4,)), ours.layers.Dense(3)])
    archive = jk.export.ExportArchive().add_endpoint("serve", model)
    archive = archive.add_endpoint("double", lambda x: 2 * x, [(None, 4)])
    objects = ours.export.ExportArchive()
    objects.track(theirs)
    assert objects.add_endpoint("serve", theirs) is theirs
    objects.add_endpoint("half", lambda x: theirs(x) / 2, [(None, 4)])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    inputs, wanted = {"serve": {"a": x, "b": x + 1}, "double": x}, {"double": [2 * x]}
    wanted["serve"] = model.predict(inputs["serve"], verbose=0)
    expected = {"values": (archive, inputs, wanted), "objects": (objects, {"serve": x, "half": x}, None)}
    for name, (one, given, want) in expected.items():
        one.write_out(tmp_path / name, verbose=False)
        want = want or {"serve": [np.asarray(theirs(x))], "half": [np.asarray(theirs(x)) / 2]}
        for endpoint, arrays in given.items():
            program = jax.export.deserialize(bytearray((tmp_path / name / f"{endpoint}.stablehlo").read_bytes()))
            for got, expect in zip(jax.tree.leaves(program.call(arrays)), want[endpoint], strict=True):
                np.testing.assert_allclose(got, expect, rtol=1e-5, atol=1e-6)
    with pytest.raises(errors.ExistsError, match="not an empty directory"):
        archive.write_out(tmp_path / "values")


ARCHIVES = [
    (lambda: jk.export.ExportArchive().write_out("x"), "No endpoints"),
    (lambda: jk.export.ExportArchive().add_endpoint("a/b", abs), "a name"),
    (lambda: jk.export.ExportArchive().add_endpoint("a", abs), "shapes of its arguments"),
    (lambda: jk.export.ExportArchive().add_endpoint("a", abs, [(2,)]).add_endpoint("a", abs, [(2,)]), "taken"),
    (lambda: jk.export.ExportArchive().add_endpoint("a", 3), "a model or a function"),
    (lambda: jk.keras.export.ExportArchive("tf_saved_model"), "TensorFlow"),
    (lambda: jk.keras.export.ExportArchive().track(3), "Layer"),
    (lambda: jk.keras.export.ExportArchive().track(jk.keras.layers.Dense(2)), "not yet been built"),
]


@pytest.mark.parametrize(("make", "words"), ARCHIVES)
def test_mistakes_with_archives_are_named(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make()
