"""Which version of Keras wrote what is being read, for messages, and what users can do about what is not offered."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from jkeras.errors import RestoreError

_writer: contextvars.ContextVar[str | None] = contextvars.ContextVar("jkeras_writer_of_the_file", default=None)


@contextlib.contextmanager
def written_by(version: str | None) -> Iterator[None]:
    """Says for the length of a block which version of Keras wrote what is read."""
    token = _writer.set(version or _writer.get())
    try:
        yield
    finally:
        _writer.reset(token)


def writer() -> str:
    """Who wrote what is read.

    >>> with written_by("2.15.0"):
    ...     writer()
    'Keras 2.15.0'
    """
    version = _writer.get()
    return f"Keras {version}" if version else "the writer of this configuration"


def refused(class_name: str, name: object, what: str) -> RestoreError:
    """The error of a layer that cannot be made as it was written.

    Args:
        class_name: its class.
        name: its name.
        what: which argument it has, and why that is not possible.
    """
    return RestoreError(
        f"The layer {name!r} ({class_name}), as {writer()} wrote it: {what} A class of your own can take its place,"
        f" `load_model(path, custom_objects={{{class_name!r}: your_class}})`; or build the model in code and use"
        f" `load_weights`."
    )
