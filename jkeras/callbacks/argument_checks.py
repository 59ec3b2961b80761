"""What the arguments of callbacks may be, by their names, which mean the same in all of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jkeras.arguments import at_least, checked, flag, function, integer, optional, path, scalar, text
from jkeras.callbacks.callback import HOOKS
from jkeras.errors import ArgumentError
from jkeras.tracebacks import filtered

Class = TypeVar("Class", bound=type)


def _level(value: object) -> object:
    """How much is printed."""
    return value if isinstance(value, bool) else integer(value)


def _headers(value: object) -> object:
    if not isinstance(value, Mapping):
        raise ArgumentError("expected a dict of texts")
    return value


CHECKS: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("monitor", "separator", "root", "path", "field"), text),
    **dict.fromkeys(("filepath", "filename", "log_dir"), path),
    **dict.fromkeys(("min_delta", "min_lr"), scalar),
    **dict.fromkeys(("baseline", "initial_value_threshold"), optional(scalar)),
    **dict.fromkeys(("cooldown", "histogram_freq", "embeddings_freq"), at_least(0)),
    **dict.fromkeys(HOOKS, optional(function)),
    **dict.fromkeys(
        "restore_best_weights save_best_only save_weights_only append send_as_json write_graph write_images swap_on_epoch"
        " write_steps_per_second double_checkpoint delete_checkpoint save_on_background resume raise_error".split(),
        flag,
    ),
    "start_from_epoch": integer,
    "verbose": _level,
    "headers": optional(_headers),
}


def checked_arguments(cls: Class) -> Class:
    """A decorator of a callback: its constructor refuses arguments that it does not know or that mean nothing."""
    construct: Callable[..., None] = filtered(vars(cls)["__init__"])
    names = list(inspect.signature(construct).parameters)[1:]

    @functools.wraps(construct)
    def checked_construct(self: object, *args: Any, **kwargs: Any) -> None:
        for name, value in {**dict(zip(names, args, strict=False)), **kwargs}.items():
            if name in CHECKS:
                checked(type(self).__name__, name, value, CHECKS[name])
        construct(self, *args, **kwargs)

    setattr(cls, "__init__", checked_construct)  # noqa: B010
    return cls
