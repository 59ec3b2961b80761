"""Which version of Keras wrote the current file, and errors for what is not supported."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from jkeras.errors import RestoreError

_writer: contextvars.ContextVar[str | None] = contextvars.ContextVar("jkeras_writer_of_the_file", default=None)


@contextlib.contextmanager
def written_by(version: str | None) -> Iterator[None]:
    """Declares, for a `with` block, which version of Keras wrote the file."""
    token = _writer.set(version or _writer.get())
    try:
        yield
    finally:
        _writer.reset(token)


def writer() -> str:
    """The writer of the current file, for messages.

    >>> with written_by("2.15.0"):
    ...     writer()
    'Keras 2.15.0'
    """
    version = _writer.get()
    return f"Keras {version}" if version else "the writer of this configuration"


def refused(class_name: str, name: object, what: str) -> RestoreError:
    """The error for a layer that cannot be created from its configuration.

    Args:
        class_name: its class.
        name: its name.
        what: the argument, and why it is not supported.
    """
    return RestoreError(
        f"The layer {name!r} ({class_name}), as {writer()} wrote it: {what} You can substitute your own class,"
        f" `load_model(path, custom_objects={{{class_name!r}: your_class}})`; or build the model in code and use"
        f" `load_weights`."
    )
