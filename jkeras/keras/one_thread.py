"""A model is trained in one thread at a time: a run takes over its arrays and puts them back at the end."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from jkeras.errors import ConsumedError
from jkeras.tracebacks import check_signature

Method = TypeVar("Method", bound=Callable[..., Any])


def in_one_thread(method: Method) -> Method:
    """A method that trains a model; called while another thread trains the same model it raises a `ConsumedError`."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        mine = (threading.get_ident(), object())
        # One operation of the dict, so that two threads cannot both be first.
        holder = vars(self).setdefault("_training_thread", mine)
        if holder[0] != mine[0]:
            raise ConsumedError(
                f"{method.__name__}: another thread is training {self.name!r} and has its weights. Wait for that thread, or"
                " train a copy: `keras.models.clone_model(model)`."
            )
        try:
            return method(self, *args, **kwargs)
        except TypeError as error:
            check_signature(method, kwargs, error)
            raise
        finally:
            if holder is mine:
                del vars(self)["_training_thread"]

    return cast(Method, call)
