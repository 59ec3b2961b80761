"""Checks the options of all networks before anything is created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import activations, arguments
from jkeras.errors import ArgumentError

_COUNT = arguments.at_least(1)
_FLAGS = ("include_top", "include_preprocessing", "minimalistic")


def check_options(network: str, options: Mapping[str, Any]) -> None:
    """Checks what is said about the parts and the outputs.

    Raises:
        ArgumentError: an option is invalid, or does not match the weights.
    """
    for name in _FLAGS:
        if name in options:
            arguments.checked(network, name, options[name], arguments.flag)
    if options["name"] is not None:
        arguments.checked(network, "name", options["name"], _plain_name)
    weights, include_top, classes = options["weights"], options["include_top"], options["classes"]
    arguments.checked(network, "classes", classes, _COUNT)
    if options["pooling"] not in (None, "avg", "max"):
        raise ArgumentError(f"{network}(pooling={options['pooling']!r}): expected None, 'avg' or 'max'.")
    if not include_top:
        return
    activation = arguments.checked(network, "classifier_activation", options["classifier_activation"], activations.get)
    if weights is None:
        return
    if weights == "imagenet" and classes != 1000:
        raise ArgumentError(
            f"{network}(weights='imagenet', include_top=True, classes={classes}): those weights have `classes=1000`."
            " Write include_top=False and add your own classifier, or weights=None."
        )
    if activation not in (activations.get("softmax"), activations.get(None)):
        raise ArgumentError(
            f"{network}(classifier_activation={options['classifier_activation']!r}): with weights from a file, only `None` and"
            " 'softmax' are supported."
        )


def _plain_name(value: object) -> str:
    """The name of a model."""
    if not isinstance(value, str) or not value or "/" in value:
        raise ArgumentError("expected a non-empty string without a slash")
    return value
