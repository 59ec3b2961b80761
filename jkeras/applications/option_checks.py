"""Options that all networks have, checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import activations, arguments
from jkeras.errors import ArgumentError

_COUNT = arguments.at_least(1)


def check_options(network: str, options: Mapping[str, Any]) -> None:
    """Checks what is said about the outputs.

    Raises:
        ArgumentError: an option has no meaning, or does not go with the weights.
    """
    weights, include_top, classes = options["weights"], options["include_top"], options["classes"]
    arguments.checked(network, "classes", classes, _COUNT)
    if options["pooling"] not in (None, "avg", "max"):
        raise ArgumentError(f"{network}(pooling={options['pooling']!r}): expected None, 'avg' or 'max'.")
    if not include_top or weights is None:
        return
    if weights == "imagenet" and classes != 1000:
        raise ArgumentError(
            f"{network}(weights='imagenet', include_top=True, classes={classes}): those weights have `classes=1000`."
            " Write include_top=False and put a classifier of your own on top, or weights=None."
        )
    activation = activations.get(options["classifier_activation"])
    if activation not in (activations.get("softmax"), activations.get(None)):
        raise ArgumentError(
            f"{network}(classifier_activation={options['classifier_activation']!r}): with weights of a file, `None` and"
            " 'softmax' are the ones that fit."
        )
