"""Files that appear whole or not at all: what holds of every way of writing one."""

import os
import socket
import subprocess
import sys

import pytest

from jkeras import writing
from jkeras.errors import SaveError

WAYS = {"replacing": writing.replacing, "caching": writing.caching}


@pytest.fixture(params=WAYS, name="way")
def _way(request):
    return WAYS[request.param]


def test_the_file_is_written_and_nothing_else(way, tmp_path):
    path = tmp_path / "new" / "file"
    for text in "one", "two":
        with way(path) as fresh:
            fresh.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError], ids=lambda error: error.__name__)
def test_an_error_leaves_what_was_there(way, error, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LATE_SECONDS", 0)
    path = tmp_path / "file"
    path.write_text("one")

    def write():
        with way(path) as fresh:
            fresh.write_text("tw")
            raise error

    with pytest.raises((error, SaveError)):
        write()
    assert path.read_text() == "one"
    assert os.listdir(tmp_path) == ["file"]


def test_the_next_write_removes_what_a_killed_process_left(way, tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = f".file.new-{os.getpid()}@{socket.gethostname()}-99"
    for name in (f".file.new-{dead.pid}@{socket.gethostname()}-0", ours):
        (tmp_path / name).write_text("half")
    with way(tmp_path / "file") as fresh:
        fresh.write_text("one")
    assert sorted(os.listdir(tmp_path)) == [ours, "file"]


def test_a_path_that_cannot_be_replaced(way, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LATE_SECONDS", 0)
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError), way(tmp_path / "file") as fresh:
        fresh.write_text("one")
    assert os.listdir(tmp_path) == ["file"]
