"""Unpacking archives: the good ones as they are, the bad ones not at all."""

import io
import os
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras.errors import ArgumentError, DamagedFileError
from jkeras.utils.archives import extract_archive

FILES = {"a.txt": b"first", "folder/b.bin": bytes(1000), "folder/deep/c": b""}


def make_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, contents in members.items():
            if isinstance(contents, tuple):
                mode, contents = contents
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                archive.writestr(info, contents)
            else:
                archive.writestr(name, contents)
    return path


def make_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, contents in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(contents, tuple):
                info.type, info.linkname = contents
                archive.addfile(info)
            else:
                info.size = len(contents)
                archive.addfile(info, io.BytesIO(contents))
    return path


def tree(folder):
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_good_archives(tmp_path, mode):
    path = tmp_path / "archive"
    make_zip(path, FILES) if mode == "zip" else make_tar(path, FILES, mode)
    assert extract_archive(path, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES
    assert sorted(os.listdir(tmp_path)) == ["archive", "out"]


BAD = {
    "climbs": ("../evil", b"x", "leaves the folder"),
    "climbs later": ("a/../../evil", b"x", "leaves the folder"),
    "climbs as on Windows": ("..\\evil", b"x", "leaves the folder"),
    "absolute": ("/tmp/evil", b"x", "an absolute path"),
    "absolute as on Windows": ("C:\\evil", b"x", "an absolute path"),
}
SPECIAL_TAR = {
    "symbolic link": ((tarfile.SYMTYPE, "/etc/passwd"), "a link"),
    "symbolic link inside": ((tarfile.SYMTYPE, "good"), "a link"),
    "hard link": ((tarfile.LNKTYPE, "good"), "a link"),
    "device": ((tarfile.CHRTYPE, ""), "a device"),
    "pipe": ((tarfile.FIFOTYPE, ""), "a device"),
}


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("case", BAD)
def test_a_member_outside_the_folder_refuses_all(tmp_path, make, case):
    name, contents, message = BAD[case]
    path = make(tmp_path / "archive", {"good": b"x", name: contents})
    check_refused(tmp_path, path, message)


@pytest.mark.parametrize("case", SPECIAL_TAR)
def test_special_members_of_tar_files(tmp_path, case):
    member, message = SPECIAL_TAR[case]
    check_refused(tmp_path, make_tar(tmp_path / "archive", {"good": b"x", "special": member}), message)


@pytest.mark.parametrize(("mode", "message"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device")])
def test_special_members_of_zip_files(tmp_path, mode, message):
    check_refused(tmp_path, make_zip(tmp_path / "archive", {"special": (mode | 0o777, "/etc/passwd")}), message)


def check_refused(tmp_path, path, message, **options):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("kept")
    with pytest.raises(DamagedFileError, match=message):
        extract_archive(path, tmp_path / "out", **options)
    assert tree(tmp_path / "out") == {"old": b"kept"}
    assert sorted(os.listdir(tmp_path)) == ["archive", "out"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_archive_that_would_fill_the_disk(tmp_path, make):
    path = make(tmp_path / "archive", {"zeros": bytes(3_000_000)})
    check_refused(tmp_path, path, "more than 1,000,000 bytes", max_bytes=1_000_000)


def test_limits_are_relative_to_the_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("jkeras.utils.archives.ALWAYS_ALLOWED_BYTES", 1000)
    check_refused(tmp_path, make_zip(tmp_path / "archive", {"zeros": bytes(3_000_000)}), "made to fill a disk")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_truncated_archives(tmp_path, make):
    path = make(tmp_path / "archive", {"random": os.urandom(100_000), "more": os.urandom(100_000)})
    path.write_bytes(path.read_bytes()[:120_000])
    if make is make_zip:  # its table of contents is at the end, so this is no zip file any more
        assert not extract_archive(path, tmp_path / "out")
    else:
        check_refused(tmp_path, path, "cannot be unpacked")


def test_damaged_contents(tmp_path):
    path = make_zip(tmp_path / "archive", {"a": b"x" * 1000}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"xxxx", b"yyyy", 1))
    check_refused(tmp_path, path, "cannot be unpacked: Bad CRC")


def test_a_member_that_is_file_and_folder(tmp_path):
    check_refused(tmp_path, make_tar(tmp_path / "archive", {"a": b"x", "a/b": b"x"}), "cannot be unpacked")


def test_an_existing_folder_is_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("")
    extract_archive(make_zip(tmp_path / "archive", FILES), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


def test_formats(tmp_path):
    path = make_zip(tmp_path / "archive", FILES)
    assert not extract_archive(path, tmp_path / "out", "tar")
    assert not extract_archive(path, tmp_path / "out", None)
    assert extract_archive(path, tmp_path / "out", ["tar", "zip"])
    with pytest.raises(ArgumentError, match="expected 'auto', 'tar', 'zip'"):
        extract_archive(path, tmp_path / "out", "rar")


names = st.text(st.sampled_from("ab./\\C:"), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(name=names, as_zip=st.booleans())
def test_no_name_writes_outside(tmp_path_factory, name, as_zip):
    folder = tmp_path_factory.mktemp("any")
    inside = folder / "x" / "out"
    try:
        path = (make_zip if as_zip else make_tar)(folder / "archive", {name: b"contents"})
    except ValueError:
        return
    try:
        extract_archive(path, inside)
    except DamagedFileError:
        assert not inside.exists()
    outside = {p for p in folder.rglob("*") if p != inside and inside not in p.parents and inside not in [p]}
    assert outside <= {folder / "archive", folder / "x"}
