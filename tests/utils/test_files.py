"""`get_file`: what is fetched, kept, verified and unpacked, against a server on this machine."""

import hashlib
import io
import os
import pathlib
import re
import stat
import zipfile

import keras
import pytest

from jkeras.errors import ArgumentError, DamagedFileError, DownloadError
from jkeras.utils.files import cache_home, get_file
from tests.utils.server import serving

CONTENTS = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENTS).hexdigest()
MD5 = hashlib.md5(CONTENTS).hexdigest()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return file.getvalue()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("JKERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.smoke
@pytest.mark.parametrize("file_hash", [None, SHA256, SHA256.upper(), MD5])
def test_downloads_once(home, file_hash):
    with serving({"a.bin": CONTENTS}) as (url, log):
        paths = [get_file(origin=f"{url}/a.bin", file_hash=file_hash) for _ in range(2)]
    assert paths == [str(home / "datasets" / "a.bin")] * 2
    assert pathlib.Path(paths[0]).read_bytes() == CONTENTS
    assert log == ["a.bin"]


def test_md5_hash_and_force_download(home):
    with serving({"a.bin": CONTENTS}) as (url, log):
        for _ in range(2):
            get_file("b.bin", f"{url}/a.bin", md5_hash=MD5, cache_subdir="models", force_download=True)
    assert os.listdir(home / "models") == ["b.bin"]
    assert len(log) == 2


def test_a_file_in_the_cache_with_another_checksum_is_fetched_again(home):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "a.bin").write_bytes(b"old")
    with serving({"a.bin": CONTENTS}) as (url, _):
        path = get_file(origin=f"{url}/a.bin", file_hash=SHA256)
    assert pathlib.Path(path).read_bytes() == CONTENTS


@pytest.mark.parametrize(
    ("files", "cut", "file_hash", "error", "message"),
    [
        ({"a.bin": b"other"}, (), SHA256, DamagedFileError, f"expected {SHA256}. It was not kept"),
        ({"a.bin": CONTENTS}, ("a.bin",), None, DownloadError, "broke off after 640,000 of 1,280,000 bytes"),
        ({}, (), None, DownloadError, "the server answered 404 Not Found"),
    ],
)
def test_a_failed_download_leaves_what_was_there(home, files, cut, file_hash, error, message):
    folder = home / "datasets"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"old")
    with serving(files, cut=cut) as (url, _), pytest.raises(error, match=message):
        get_file(origin=f"{url}/a.bin", file_hash=file_hash, force_download=True)
    assert os.listdir(folder) == ["a.bin"]
    assert (folder / "a.bin").read_bytes() == b"old"


def test_nobody_sees_a_file_that_is_not_complete(home, monkeypatch):
    folder, seen = home / "datasets", []
    replace = os.replace

    def spy(source, target):
        seen.append((sorted(os.listdir(folder)), pathlib.Path(source).read_bytes() == CONTENTS, str(target)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", spy)
    with serving({"a.bin": CONTENTS}) as (url, _):
        get_file(origin=f"{url}/a.bin")
    ((names, complete, target),) = seen
    assert complete and target == str(folder / "a.bin") and "a.bin" not in names


def test_downloaded_files_obey_the_umask(home):
    mask = os.umask(0o022)
    try:
        with serving({"a.bin": b"x"}) as (url, _):
            path = get_file(origin=f"{url}/a.bin")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


def test_no_server(home):
    with serving({}) as (url, _):
        pass
    with pytest.raises(DownloadError, match="cannot be fetched: .*refused"):
        get_file(origin=f"{url}/a.bin")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `origin`"),
        ({"origin": "http://127.0.0.1/"}, "names no file"),
        ({"origin": "http://127.0.0.1/x", "fname": "a/b"}, "without folders"),
        ({"origin": "http://127.0.0.1/x", "fname": ".."}, "without folders"),
        ({"origin": "http://127.0.0.1/x", "file_hash": "abc"}, "64 hexadecimal digits"),
        ({"origin": "http://127.0.0.1/x", "file_hash": MD5, "hash_algorithm": "sha256"}, "64 hexadecimal digits"),
        ({"origin": "ftp://127.0.0.1/x"}, "http, https or file"),
    ],
)
def test_bad_arguments(home, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        get_file(**arguments)


@pytest.mark.parametrize("name", ["things.zip", "things"])
def test_unpacked_where_keras_unpacks(home, monkeypatch, tmp_path, name):
    with serving({"things.zip": zipped(**{"inner/a.txt": "hello"})}) as (url, log):
        ours = get_file(name, f"{url}/things.zip", extract=True)
        again = get_file(name, f"{url}/things.zip", extract=True)
        theirs = keras.utils.get_file(name, f"{url}/things.zip", extract=True, cache_dir=str(tmp_path))
    assert pathlib.Path(ours).relative_to(home) == pathlib.Path(theirs).relative_to(tmp_path)
    assert sorted(os.listdir(home / "datasets")) == sorted(os.listdir(tmp_path / "datasets"))
    assert (pathlib.Path(again) / "inner" / "a.txt").read_text() == "hello"
    assert len(log) == 2


def test_a_file_that_is_no_archive(home):
    with serving({"a.zip": b"nothing"}) as (url, _), pytest.raises(DamagedFileError, match="is not an archive"):
        get_file(origin=f"{url}/a.zip", extract=True)


def test_cache_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JKERAS_HOME", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert cache_home() == tmp_path / ".keras"
    monkeypatch.setenv("KERAS_HOME", "~/k")
    assert cache_home() == tmp_path / "k"
    monkeypatch.setenv("JKERAS_HOME", "/j")
    assert cache_home() == pathlib.Path("/j")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written.*JKERAS_HOME"):
        get_file(origin="http://127.0.0.1/a.bin", cache_dir=tmp_path / "file")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_of_bytes_rate_and_time_to_go_on_a_terminal(home, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.stderr", out := Terminal())
    with serving({"a.bin": CONTENTS}) as (url, _):
        get_file(origin=f"{url}/a.bin")
    monkeypatch.undo()
    assert out.getvalue().startswith(f"Downloading {url}/a.bin\n")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert re.search(r"━+ 1\.3/1\.3 MB [\d.?]+ ?[kMG]?B?/?s? +(\d:\d\d:\d\d|-:--:--)", shown), shown


def test_one_line_elsewhere(home, capsys):
    with serving({"a.bin": CONTENTS}) as (url, _):
        get_file(origin=f"{url}/a.bin")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"Downloading {url}/a.bin\n")
