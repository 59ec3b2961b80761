"""Everything that writes files creates the folder, and says which path could not be written and why."""

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras.errors import ArgumentError, ExistsError, JkerasError, SaveError

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
IMAGES = np.ones((4, 4, 4, 3))


def model(library):
    made = library.Sequential([library.Input((4,)), library.layers.Dense(1)])
    return made.compile("sgd", "mse") or made


def by_callback(name, **options):
    def write(library, path):
        callback = getattr(library.callbacks, name)(path, **options)
        return model(library).fit(X, Y, verbose=0, callbacks=[callback])

    return write


def exported(library, path):
    model(library).export(path, "stablehlo")


def archived(library, path):
    archive = library.export.ExportArchive()
    signature = [library.InputSpec(shape=(None, 4), dtype="float32")]
    added = archive.add_endpoint("serve", lambda x: x, signature)
    (added if library is jk else archive).write_out(path)


def gallery(library, path):
    library.visualization.plot_image_gallery(IMAGES, path=path)


# What writes a file of a suffix, on both faces; and what only the values have.
SHARED = {
    "save": (".keras", lambda library, path: model(library).save(path)),
    "save to HDF5": (".h5", lambda library, path: model(library).save(path)),
    "save_weights": (".weights.h5", lambda library, path: model(library).save_weights(path)),
    "export": (".stablehlo", exported),
    "ExportArchive": ("", archived),
    "CSVLogger": (".csv", by_callback("CSVLogger")),
    "ModelCheckpoint": (".keras", by_callback("ModelCheckpoint")),
    "ModelCheckpoint of weights": (".weights.h5", by_callback("ModelCheckpoint", save_weights_only=True)),
    "BackupAndRestore": ("", by_callback("BackupAndRestore")),
    "OrbaxCheckpoint": ("", by_callback("OrbaxCheckpoint")),
    "TensorBoard": ("", by_callback("TensorBoard")),
    "plot_model": (".svg", lambda library, path: library.utils.plot_model(model(library), path)),
    "plot_model with matplotlib": (".png", lambda library, path: library.utils.plot_model(model(library), path)),
    "save_img": (".png", lambda library, path: library.utils.save_img(path, IMAGES[0])),
    "plot_image_gallery": (".png", gallery),
}
OF_VALUES = {
    "save to a directory": ("", lambda library, path: model(library).save(path)),
    "safetensors": (".safetensors", lambda library, path: model(library).save_weights(path)),
    "shards": (".weights.json", lambda library, path: model(library).save_weights(path, max_shard_size=1)),
    "plot": (".svg", lambda library, path: model(library).plot(path)),
    "history as text": (".csv", lambda library, path: jk.History({"loss": [1.0]}).to_csv(path)),
    "history as picture": (".png", lambda library, path: jk.History({"loss": [1.0]}).plot(path=path)),
}
CASES = [(library, what, *SHARED[what]) for library in (jk, jkeras.keras) for what in SHARED]
CASES += [(jk, what, *OF_VALUES[what]) for what in OF_VALUES]


def parametrized(cases):
    names = [f"{library.__name__} {what}" for library, what, *_ in cases]
    return pytest.mark.parametrize(("library", "suffix", "write"), [(one, *rest) for one, _, *rest in cases], ids=names)


every_writer = parametrized(CASES)


@every_writer
def test_missing_folders_are_created(library, suffix, write, tmp_path):
    path = tmp_path / "new" / "inner" / f"it{suffix}"
    write(library, str(path))
    assert path.exists() or write is SHARED["BackupAndRestore"][1], path


@every_writer
def test_a_path_that_cannot_be_written_is_named(library, suffix, write, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", "/proc/absent"):
        with pytest.raises(SaveError, match=f"{folder}.* could not be written: "):
            write(library, f"{folder}/it{suffix}")
    with pytest.raises(ArgumentError, match=r"path without zero characters"):
        write(library, f"a\0b{suffix}")


@parametrized([case for case in CASES if case[2]])
def test_a_directory_in_the_place_of_a_file_is_named(library, suffix, write, tmp_path):
    path = tmp_path / f"it{suffix}"
    path.mkdir()
    with pytest.raises((SaveError, ExistsError), match="directory") as refused:
        write(library, str(path))
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("library", [jk, jkeras.keras])
@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("a{epoch.keras", "expected '}'"),
        ("a}epoch.keras", "Single '}'"),
        ("{}.keras", "names no value"),
        ("{0}.keras", "names no value"),
        ("{epoch:z}.keras", "format"),
        ("{loss:d}.keras", "format"),
    ],
)
def test_templates_of_checkpoints_are_read_before_training(library, template, complaint):
    with pytest.raises(JkerasError, match=rf"ModelCheckpoint\(filepath=.*{complaint}"):
        library.callbacks.ModelCheckpoint(template)


@pytest.mark.parametrize("library", [jk, jkeras.keras])
def test_templates_that_can_be_filled_are_kept(library, tmp_path):
    path = tmp_path / "{epoch:02d}-{loss:.2f}-{{x}}.keras"
    callback = library.callbacks.ModelCheckpoint(path)
    _ = model(library).fit(X, Y, verbose=0, callbacks=[callback])
    (saved,) = tmp_path.iterdir()
    assert saved.name.startswith("01-") and saved.name.endswith("-{x}.keras")
