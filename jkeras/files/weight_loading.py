"""Loads weights into a model from a file of any format."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from jkeras import arguments
from jkeras.errors import RestoreError
from jkeras.files import untrusted, weight_matching
from jkeras.files.containers import kinds
from jkeras.files.table import FORMATS
from jkeras.paths import merge
from jkeras.types import PathLike

if TYPE_CHECKING:
    from jkeras.models.model import Model


def load_weights(
    model: Model,
    path: PathLike,
    only: str | Collection[str] | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    convert: bool = False,
) -> Any:
    """The model with the weights from a file; see `Model.load_weights`.

    With `convert` the arrays take the floating-point dtypes of the model, as in Keras; otherwise another dtype is an error.
    """
    path = arguments.checked("load_weights", "filepath", path, arguments.path)
    arguments.flags("load_weights", skip_mismatch=skip_mismatch, by_name=by_name)
    kind = kinds.to_read(path, "load_weights")
    if not path.exists() and kind is not kinds.DIRECTORY:
        raise RestoreError(f"There is no file {path}.")
    patterns = (
        [only] if isinstance(only, str) else arguments.checked("load_weights", "only", only or [], arguments.texts)
    )
    infos = model.description.weights
    with untrusted.reading(path):
        weights = FORMATS[kind].read_weights(model, path, by_name or bool(patterns))
        if convert:
            weights = weight_matching.converted(infos, weights)
        values, skipped = weight_matching.chosen_values(infos, weights, patterns, by_name, skip_mismatch)
    if skipped:
        # The stack level of the method's caller.
        warnings.warn(weight_matching.warning(str(path), len(values), skipped), stacklevel=4)
    flat = weight_matching.as_arrays(infos, values)
    state = model.state
    return model.with_state(
        state.replace(params=merge(state.params, flat["params"]), model_state=merge(state.model_state, flat["state"]))
    )
