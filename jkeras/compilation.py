"""The persistent compilation cache: what was compiled once need not be compiled again by the next process.

On by default, in a folder of the user's, bounded in size. `JKERAS_COMPILATION_CACHE=off` switches it off, a path moves it;
whoever configures JAX's own cache keeps that configuration.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

MAX_BYTES = 2 * 1024**3
# Loading from disk takes a few milliseconds, so what compiles faster is not worth keeping.
MIN_COMPILE_SECONDS = 0.05


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None when the cache is switched off."""
    setting = os.environ.get("JKERAS_COMPILATION_CACHE", "")
    if setting.lower() in ("off", "0", "no", "false"):
        return None
    if setting:
        return Path(setting)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "jkeras" / "compiled"


@functools.lru_cache(maxsize=1)
def use_persistent_cache() -> None:
    """Switches the cache on, once, unless the user configured JAX's cache or switched this one off."""
    settings: Any = jax.config  # whose attributes JAX makes while it is imported
    if settings.jax_compilation_cache_dir or not settings.jax_enable_compilation_cache:
        return
    folder = cache_folder()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home: work without
        return
    prune(folder, MAX_BYTES)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", MIN_COMPILE_SECONDS)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    # JAX decides at the first compilation whether there is a cache; make it look again.
    compilation_cache.reset_cache()


def is_ours() -> bool:
    """Whether the cache that is in use is this one, in a folder of the user's."""
    settings: Any = jax.config
    folder = cache_folder()
    return (
        folder is not None
        and settings.jax_enable_compilation_cache
        and settings.jax_compilation_cache_dir == str(folder)
    )


def prune(folder: Path, limit: int) -> None:
    """Deletes the programs that have not been used for longest until the folder is no larger than `limit` bytes.

    JAX bounds the size itself only where the `filelock` package is installed.
    """
    entries = []
    for entry in os.scandir(folder):
        try:
            entries.append((entry.stat().st_atime, entry.stat().st_size, entry.path))
        except FileNotFoundError:  # another process is pruning, too
            continue
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            return
        Path(path).unlink(missing_ok=True)
        total -= size
