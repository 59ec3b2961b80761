"""Callbacks that record or forward the logs."""

from __future__ import annotations

import csv
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import HOOKS, Callback, Logs
from jkeras.console.messages import print_msg
from jkeras.errors import SignatureError, suggestion
from jkeras.writing import creating


class History(Callback):
    """Records the logs of every epoch in `history`; `fit` also stores them in the model.

    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    state_names: tuple[str, ...] = ("epoch", "history")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts over."""
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """Accepted for compatibility with Keras: `fit` itself draws the progress bar, according to `verbose`.

    >>> isinstance(ProgbarLogger(), Callback)
    True
    """


@checked_arguments
class LambdaCallback(Callback):
    """A callback made of functions: `LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))`.

    Args:
        on_epoch_begin: a function, called with epoch and logs before each epoch.
        on_epoch_end: a function, called with epoch and logs after each epoch.
        on_train_begin: a function, called with logs before training.
        on_train_end: a function, called with logs after training.
        on_train_batch_begin: a function, called with batch and logs before each batch.
        on_train_batch_end: a function, called with batch and logs after each batch.
        kwargs: functions for the other hooks of `Callback`.

    Raises:
        SignatureError: a name is not the name of a hook.

    >>> log = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> log.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any],
    ):
        super().__init__()
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name in kwargs:
            if name not in HOOKS:
                raise SignatureError(f"LambdaCallback has no argument {name!r}.{suggestion(name, HOOKS)}")
        for name, function in {**named, **kwargs}.items():
            if function is not None:
                setattr(self, name, function)


@checked_arguments
class CSVLogger(Callback):
    """Writes the logs to a CSV file, one line per epoch.

    Args:
        filename: the file.
        separator: the separator between values.
        append: whether to append to an existing file.

    Raises:
        SaveError: when training begins, if the file cannot be written.

    >>> CSVLogger("log.csv", append=True).append
    True
    """

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename: Path = Path(filename)
        self.separator = separator
        self.append = append
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Empties the file, or reads its columns in order to append."""
        continues = self.append and self.filename.exists() and self.filename.stat().st_size > 0
        self._keys = None
        if continues:
            with creating(self.filename) as path, path.open(newline="") as file:
                header = next(csv.reader(file, delimiter=self.separator), [])
            self._keys = [name for name in header if name != "epoch"]
        with creating(self.filename) as path, path.open("a" if self.append else "w"):
            pass  # at the beginning, so that a file that cannot be written costs no training

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the epoch's line."""
        logs = dict(logs or {})
        # Opened for each line, so that an interrupted run leaves no file open.
        with creating(self.filename) as path, path.open("a", newline="") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self._keys is None:
                keys = sorted(logs)
                # Validation may only run in later epochs, but its columns are needed from the start.
                if not any(key.startswith("val_") for key in keys):
                    keys += [f"val_{key}" for key in keys]
                self._keys = keys
                writer.writerow(["epoch", *keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self._keys)])

    def get_state(self) -> dict[str, Any]:
        """The contents of the file, so that resuming does not repeat lines written after the checkpoint."""
        return {"text": self.filename.read_bytes(), "keys": self._keys}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores the file."""
        self.filename.write_bytes(state["text"])
        self._keys = state["keys"]


def _cell(value: object) -> object:
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, np.ndarray) and value.ndim else value


@checked_arguments
class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST.

    Args:
        root: the server's address.
        path: the path to post to.
        field: the form field that contains the JSON, if `send_as_json` is False.
        headers: additional HTTP headers.
        send_as_json: whether the body is JSON rather than a form.

    >>> RemoteMonitor("http://localhost:9000").root
    'http://localhost:9000'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers: dict[str, str] = dict(headers or {})
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Posts the logs; if the server does not answer, prints a message."""
        message = json.dumps({"epoch": epoch, **{k: np.asarray(v).tolist() for k, v in (logs or {}).items()}})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = message if self.send_as_json else urllib.parse.urlencode({self.field: message})
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {"Content-Type": kind, **self.headers}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except OSError as error:
            print_msg(f"RemoteMonitor could not reach {self.root}: {error}")
