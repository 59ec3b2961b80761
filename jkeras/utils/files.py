"""Files from elsewhere: fetched once, verified, kept in a cache folder.

A file appears under its final name only when it is complete and its checksum is right, by one rename. So an interrupted
download leaves nothing behind, and two processes that fetch the same file do not disturb each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from jkeras import arguments
from jkeras.errors import ArgumentError, DamagedFileError, DownloadError, JkerasError
from jkeras.utils.archives import extract_archive
from jkeras.writing import caching

TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 2**18
_HEX_DIGITS = {64: "sha256", 32: "md5"}


def cache_home() -> Path:
    """The folder for downloaded files: `$JKERAS_HOME`, else `$KERAS_HOME`, else `~/.keras`, shared with Keras."""
    folder = os.environ.get("JKERAS_HOME") or os.environ.get("KERAS_HOME")
    return Path(folder).expanduser() if folder else Path.home() / ".keras"


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The local path of the file at a URL, downloaded if it is not in the cache yet.

    Arguments, file names and folders are Keras's, so a file that Keras has fetched is found. What differs: an archive
    with links, or with members outside its folder, is refused as a whole instead of being unpacked in part, and a cache
    folder that cannot be written is an error instead of being replaced by a folder that all users share.

    Args:
        fname: name in the cache; the default is the last part of the URL. With `extract`, a name without a dot is
            the folder that the archive is unpacked to.
        origin: an http, https or file URL.
        untar: `extract` for tar files only.
        md5_hash: an MD5 checksum; `file_hash` is the one to use.
        file_hash: SHA-256 (64 hexadecimal digits) or MD5 (32 digits) of the file.
        cache_subdir: folder inside `cache_dir`.
        hash_algorithm: "sha256", "md5", or "auto", which goes by the length of `file_hash`.
        extract: whether to unpack a zip or tar archive and return the folder.
        archive_format: "auto", "zip", "tar" or a list of these.
        cache_dir: see `cache_home` for the default.
        force_download: whether to download the file even if it is in the cache.

    Raises:
        ArgumentError: no `origin`, a path as `fname`, or a checksum of no known kind.
        DownloadError: the file cannot be fetched, or the cache folder cannot be written.
        DamagedFileError: the downloaded file has another checksum, or the archive is broken or unsafe.

    Returns:
        The path of the file, or of the folder that the archive was unpacked to.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> source = folder / "numbers.txt"
    >>> _ = source.write_text("1 2 3")
    >>> path = get_file("copy.txt", source.as_uri(), cache_dir=folder)
    >>> pathlib.Path(path).relative_to(folder).as_posix()
    'datasets/copy.txt'
    """
    if origin is None:
        raise ArgumentError("get_file() needs `origin`, the URL of the file.")
    text, file_path = arguments.optional(arguments.text), arguments.optional(arguments.path)
    arguments.checked("get_file", "origin", origin, arguments.text)
    arguments.checked("get_file", "fname", fname or None, file_path)
    arguments.checked("get_file", "md5_hash", md5_hash, text)
    arguments.checked("get_file", "file_hash", file_hash, text)
    arguments.checked("get_file", "cache_subdir", cache_subdir, arguments.path)
    arguments.checked("get_file", "cache_dir", cache_dir, file_path)
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    arguments.flags("get_file", untar=untar, extract=extract, force_download=force_download)
    algorithm = arguments.one_of("auto", "sha256", "md5")
    hash_algorithm = arguments.checked("get_file", "hash_algorithm", hash_algorithm, algorithm)
    arguments.checked("get_file", "archive_format", archive_format, arguments.optional(_formats))
    unpack = extract or untar
    folder = Path(cache_dir).expanduser() if cache_dir is not None else cache_home()
    folder = folder / cache_subdir
    target, extracted = _places(folder, fname, origin, unpack)

    present = target.exists() and not force_download
    if present and file_hash is not None and file_checksum(target, file_hash, hash_algorithm) != file_hash.lower():
        print(f"{target} has another checksum than expected and is fetched again.", file=sys.stderr)
        present = False
    if not present:
        download(origin, target, file_hash, hash_algorithm)
    if not unpack:
        return str(target)
    if (not present or not extracted.is_dir()) and not extract_archive(
        target, extracted, "tar" if untar else archive_format
    ):
        raise DamagedFileError(f"{target} is not an archive of the format {'tar' if untar else archive_format!r}.")
    return str(extracted)


def _formats(value: object) -> object:
    """A format of archives, or several."""
    one = arguments.one_of("auto", "zip", "tar")
    return [one(each) for each in value] if isinstance(value, (list, tuple)) else one(value)


def _places(folder: Path, fname: str | os.PathLike[str] | None, origin: str, unpack: bool) -> tuple[Path, Path]:
    """Where the file and its unpacked contents go, by Keras's rules."""
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ArgumentError(f"get_file(origin={origin!r}): the URL names no file; give one as `fname`.")
    if name != os.path.basename(name) or name in (".", ".."):
        raise ArgumentError(f"get_file(fname={name!r}): expected a file name without folders; they go in `cache_dir`.")
    if not unpack:
        return folder / name, folder / name
    if fname and "." in name:
        return folder / name, folder / f"{name[: name.find('.')]}_extracted"
    return folder / f"{name}_archive", folder / name


def file_checksum(path: str | os.PathLike[str], expected: str, algorithm: str = "auto") -> str:
    """The checksum of a file in hexadecimal digits, of the kind that `expected` is.

    Raises:
        ArgumentError: `expected` has the length of no known checksum, or `algorithm` is unknown.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, _algorithm(expected, algorithm)).hexdigest()


def _algorithm(expected: str, algorithm: str) -> str:
    known = _HEX_DIGITS.get(len(expected))
    if algorithm not in ("auto", "sha256", "md5") or known is None or algorithm not in ("auto", known):
        raise ArgumentError(
            f"file_hash={expected!r}, hash_algorithm={algorithm!r}: expected a SHA-256 checksum of 64 hexadecimal"
            " digits or an MD5 checksum of 32, and 'auto', 'sha256' or 'md5'."
        )
    return known


def download(url: str, target: Path, file_hash: str | None = None, hash_algorithm: str = "auto") -> None:
    """Downloads `url` to `target`, which appears only when the file is complete and verified.

    Raises:
        DownloadError: the file cannot be fetched or written.
        DamagedFileError: the file has another checksum.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https", "file"):
        raise ArgumentError(f"origin={url!r}: expected an http, https or file URL.")
    algorithm = None if file_hash is None else _algorithm(file_hash, hash_algorithm)
    try:
        with caching(target) as fresh:
            fresh.touch()  # shows that the folder can be written to before anything is fetched
            _fetch(url, fresh)
            if file_hash is not None and algorithm is not None:
                digest = file_checksum(fresh, file_hash, algorithm)
                if digest != file_hash.lower():
                    raise DamagedFileError(
                        f"The file at {url} has the {algorithm} checksum {digest}, expected {file_hash}. It was not kept."
                    )
    except JkerasError:
        raise
    except OSError as error:
        raise DownloadError(
            f"{target.parent} cannot be written ({error}). Name another folder in the environment variable JKERAS_HOME."
        ) from error


def _fetch(url: str, fresh: Path) -> None:
    print(f"Downloading {url}", file=sys.stderr)
    received = 0
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "jkeras"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response, open(fresh, "wb") as out:
            length = response.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            with _progress(total) as advance:
                while chunk := response.read(_CHUNK_BYTES):
                    out.write(chunk)
                    received += len(chunk)
                    advance(len(chunk))
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{url} cannot be fetched: the server answered {error.code} {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadError(f"{url} cannot be fetched: {reason or type(error).__name__}.") from error
    if total is not None and received != total:
        raise DownloadError(f"{url} broke off after {received:,} of {total:,} bytes.")


@contextlib.contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows the progress on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    # rich takes longer to import than the rest of this package's utilities together.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)
