"""Tracebacks that end at the user's line: what lies in between, in jkeras, JAX and Flax, is left out of them.

`filtered` is put around what users call. Inside one call another may happen (a model calls its layers), and the user's
own code may run inside these (the `call` of a user's layer): its lines are always kept.

All lines are shown with `JKERAS_FULL_TRACEBACK=1` in the environment, or after `jk.config.disable_traceback_filtering()`.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

from jkeras import config
from jkeras.errors import JkerasError, SignatureError, suggestion

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)

# Packages whose lines are left out.
HIDDEN = frozenset({"jkeras", "jax", "jaxlib", "flax"})
# Packages whose lines are shown if those that called them are.
DEPENDENCIES = frozenset({"numpy", "optax", "orbax", "h5py", "grain"}) | sys.stdlib_module_names

# Whose place in jkeras tells the user nothing.
_PLANNED = (JkerasError, KeyboardInterrupt)

NOTE = "Lines inside jkeras and JAX are left out; JKERAS_FULL_TRACEBACK=1 shows them."
_NOTE_OF_JAX = "JAX_TRACEBACK_FILTERING=off"


def filtered(function: Function) -> Function:
    """`function`, from which exceptions come with the lines of the user alone.

    A call with arguments that do not fit its signature is a SignatureError with the nearest name.
    """

    @functools.wraps(function)
    def entry(*args: Any, **kwargs: Any) -> Any:
        try:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                check_signature(function, kwargs, error)
                raise
        except (Exception, KeyboardInterrupt) as error:
            if config.is_traceback_filtering_enabled():
                shorten(error)
            raise  # which adds no line for this function, unlike raising `error` anew

    return cast(Function, entry)


def filtered_methods(*names: str) -> Callable[[Class], Class]:
    """A decorator of a class: these methods, which the class defines itself, become `filtered`."""

    def decorate(cls: Class) -> Class:
        for name in names:
            setattr(cls, name, filtered(vars(cls)[name]))
        return cls

    return decorate


def caller(depth: int) -> FrameType:
    """Like `sys._getframe(depth)`, but without the frames that `filtered` adds."""
    frame = sys._getframe(1)  # noqa: SLF001  (the standard library's name)
    while depth and frame.f_back is not None:
        frame = frame.f_back
        depth -= _module(frame) != __name__
    return frame


def shorten(error: BaseException) -> None:
    """Leaves lines out of the traceback of an exception and of those it came from."""
    for one in _chain(error):
        one.__traceback__ = _kept(one.__traceback__, isinstance(one, _PLANNED))
        earlier: list[str] | None = getattr(one, "__notes__", None)
        notes = [note for note in earlier or () if _NOTE_OF_JAX not in note and note != NOTE]
        if one is error and not isinstance(error, _PLANNED):
            notes.append(NOTE)
        if notes or earlier is not None:
            one.__notes__ = notes


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def _kept(place: TracebackType | None, planned: bool) -> TracebackType | None:
    """The entries of a traceback that are shown.

    Those are the user's. If the exception is none that jkeras raises on purpose (`planned`), the last line of jkeras after
    the user's last one stays, too: the fault may be there.
    """
    frames: list[TracebackType] = []
    last_own: TracebackType | None = None
    shown = True
    while place is not None:
        package = _module(place.tb_frame).partition(".")[0]
        if package in HIDDEN:
            shown = False
            if package == "jkeras" and _module(place.tb_frame) != __name__:
                last_own = place
        elif package not in DEPENDENCIES:
            shown = True
        if shown:
            frames.append(place)
            last_own = None
        place = place.tb_next
    if last_own is not None and not planned:
        frames.append(last_own)
    following = None
    for entry in reversed(frames):
        following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return following


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def check_signature(function: Callable[..., Any], kwargs: dict[str, Any], error: TypeError) -> None:
    """Compares a call that failed with the function's signature, where the error is caught, in the frame of the call.

    Raises:
        SignatureError: the arguments do not fit, so that the error did not arise inside the function; it has the nearest name.
    """
    place = error.__traceback__
    if type(error) is not TypeError or place is None or place.tb_next is not None:
        return
    parameters = inspect.signature(function).parameters
    unknown = [name for name in kwargs if name not in parameters]
    known = [name for name in parameters if name != "self"]
    raise SignatureError(f"{error}.{suggestion(unknown[0], known)}" if unknown else f"{error}.") from None
