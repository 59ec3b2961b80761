"""What `fit` does after Ctrl-C."""

from __future__ import annotations

import sys
from typing import TypeVar

from jkeras.console.primary_process import silent

Model = TypeVar("Model")


def interrupted(model: Model, steps: int) -> Model:
    """Returns the model trained so far in notebooks and the REPL, where the user continues by hand.

    A script would continue as if training had finished and might overwrite a good file, so it gets an exception.

    Args:
        model: the model as trained so far.
        steps: the number of steps that it was trained for.

    Raises:
        KeyboardInterrupt: in a script; `model` is an attribute of it.
    """
    if hasattr(sys, "ps1"):
        if not silent():
            print(f"Interrupted: this is the model as trained so far ({steps} steps).")
        return model
    # Not a subclass: Python ends a script with the status of an interrupt for this class alone.
    error = KeyboardInterrupt(
        f"training was interrupted after {steps} steps. To go on with the model as trained so far:"
        f" `except KeyboardInterrupt as stop: model = stop.model`."
    )
    error.model = model  # type: ignore[attr-defined]
    raise error
