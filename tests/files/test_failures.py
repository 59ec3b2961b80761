"""Saves that fail say what is there now, in one line; the previous contents are unchanged, and nothing is left next to it."""

import errno
import json
import os
import resource
import subprocess
import sys
import threading

import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers, writing
from jkeras.files.loading import model_from_json
from tests.files import save_kills

FORMATS = save_kills.FORMATS


def model(units, seed=0):
    return jk.Sequential([jk.Input((50,)), layers.Dense(units)]).init(seed)


@pytest.fixture
def full_disk():
    """A limit of the size of a file stands for a full disk: both come from the same calls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Threads of Orbax that wrote at that moment say so, to a loop that is closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_disk_that_is_full(tmp_path, suffix, capfd, request):
    path, small = save_kills.place(tmp_path, suffix), model(2)
    save_kills.write(small, path, suffix)
    before = path.read_bytes() if path.is_file() else jk.load_model(path).get_weights()
    limit = request.getfixturevalue("full_disk")
    with pytest.raises(errors.SaveError) as raised:
        save_kills.write(model(2000), path, suffix)
    assert limit is None and isinstance(raised.value, OSError)
    message = str(raised.value)
    assert (
        message.count("\n") == 0
        and os.strerror(errno.EFBIG) in message
        and "previous contents are unchanged" in message
    )
    after = path.read_bytes() if path.is_file() else jk.load_model(path).get_weights()
    assert after == before if path.is_file() else np.array_equal(after[0], before[0])
    assert os.listdir(tmp_path) == [path.name]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_that_cannot_be_made(tmp_path, suffix):
    (tmp_path / "file").touch()
    with pytest.raises(errors.SaveError, match=r"file is a file, not a directory\. Nothing was created\."):
        save_kills.write(model(2), save_kills.place(tmp_path / "file", suffix), suffix)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_folder_that_is_read_only(tmp_path, suffix, monkeypatch):
    path = save_kills.place(tmp_path, suffix)

    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    with pytest.raises(errors.SaveError, match="Read-only file system") as raised:
        save_kills.write(model(2), path, suffix)
    assert raised.value.errno == errno.EROFS


@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_a_path_that_is_a_directory(tmp_path, suffix):
    path = save_kills.place(tmp_path, suffix)
    (path / "inside").mkdir(parents=True)
    with pytest.raises(errors.JkerasError, match="director") as raised:
        save_kills.write(model(2), path, suffix)
    assert isinstance(raised.value, OSError) and os.listdir(path) == ["inside"]


@pytest.mark.parametrize("suffix", ["", ".keras"])
def test_what_a_killed_process_left_is_removed_and_what_others_write_is_not(tmp_path, suffix):
    path = save_kills.place(tmp_path, suffix)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = writing.socket.gethostname()
    gone = [f".{path.name}.new-{dead.pid}", f".{path.name}.new-{dead.pid}@{host}-3"]
    stays = [f".{path.name}.new-{os.getppid()}@{host}-0", f".{path.name}.new-{dead.pid}@elsewhere-0", f".{path.name}x"]
    for name in (*gone, *stays):
        (tmp_path / name).mkdir()
    save_kills.write(model(2), path, suffix)
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, *stays])
    os.utime(tmp_path / stays[1], (0, 0))
    save_kills.write(model(2), path, suffix)
    assert not (tmp_path / stays[1]).exists()


def test_several_that_save_into_one_directory(tmp_path):
    models = [model(2, seed) for seed in range(3)]

    def save(one):
        for _ in range(3):
            one.save(tmp_path / "model")

    threads = [threading.Thread(target=save, args=(one,)) for one in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = jk.load_model(tmp_path / "model").get_weights()[0]
    assert any(np.array_equal(found, one.get_weights()[0]) for one in models)
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("writers", [1, 2])
def test_kills(tmp_path, suffix, writers):
    counted = save_kills.kills(4, suffix, writers, save_kills.random.Random(0), tmp_path, save_kills.context())
    assert counted["kills"] >= 4


def test_arrays_are_on_the_disk_before_they_take_their_place(tmp_path, monkeypatch):
    events = []
    sync, rename, replace = os.fsync, os.rename, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (events.append("sync"), sync(number))[1])
    monkeypatch.setattr(os, "rename", lambda *paths: (events.append(str(paths[1])), rename(*paths))[1])
    monkeypatch.setattr(os, "replace", lambda *paths: (events.append(str(paths[1])), replace(*paths))[1])
    for suffix in FORMATS:
        events.clear()
        path = save_kills.place(tmp_path, suffix)
        save_kills.write(model(2), path, suffix)
        last = events.index(str(path))
        assert "sync" in events[:last] and "sync" in events[last:], suffix


def test_a_model_of_strings_is_not_called_damaged():
    config = json.loads(jk.Sequential([jk.Input((1,)), layers.Flatten()]).to_json())
    config["config"]["layers"][0]["config"]["dtype"] = "string"
    with pytest.raises(errors.JkerasError, match="cannot read strings") as raised:
        model_from_json(json.dumps(config))
    assert "damaged" not in str(raised.value)
