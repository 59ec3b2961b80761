"""Layers that learn batch by batch: `reset_state`, `update_state` for each batch, `finalize_state`; `adapt` calls these."""

from __future__ import annotations

from typing import Any

import numpy as np

from jkeras import config, layers
from jkeras.errors import ArgumentError
from jkeras.keras.tensor import KerasTensor
from jkeras.layers.preprocessing.categorical import compressed, summarized
from jkeras.layers.preprocessing.encoding import ROWS_AT_A_TIME, batches


def _reset_vocabulary(self: Any) -> None:
    """Forgets the data and the vocabulary that was learnt from it."""
    vars(self).update(_documents=[], vocabulary=None)
    if "idf_weights" in vars(self):
        vars(self)["idf_weights"] = None


def _update_terms(self: Any, data: Any) -> None:
    """Counts the terms of a batch: a row is a document."""
    rows = np.asarray(data, dtype=object)
    vars(self).setdefault("_documents", []).extend(rows.reshape(-1, rows.shape[-1] if rows.ndim else 1))


def _update_words(self: Any, data: Any) -> None:
    """Counts the words of a batch of texts."""
    vars(self).setdefault("_documents", []).extend(self._words(data))


def _finish_vocabulary(self: Any) -> None:
    """Makes the vocabulary of what was counted."""
    documents = vars(self).get("_documents")
    if documents:
        vars(self)["vocabulary"] = None
        _ = self.adapt_to_documents(documents)  # the object itself


def _adapt_in_batches(self: Any, data: Any, steps: int | None = None) -> None:
    """Learns from data, replacing what was learnt before."""
    self.reset_state()
    one_array = isinstance(data, (list, tuple, np.ndarray))
    for batch in batches(data, steps, ROWS_AT_A_TIME):
        # Terms side by side are documents of their own.
        self.update_state(batch[:, None] if batch.ndim == 1 and one_array else batch)
    self.finalize_state()


TERMS = {
    "reset_state": _reset_vocabulary,
    "update_state": _update_terms,
    "finalize_state": _finish_vocabulary,
    "adapt": _adapt_in_batches,
}
WORDS = {**TERMS, "update_state": _update_words}


def _reset_summary(self: Any) -> None:
    """Forgets the data."""
    if self.num_bins is not None:
        vars(self)["summary"] = np.zeros((2, 0), "float32")


def _update_summary(self: Any, data: Any) -> None:
    """Adds a batch to the summary of the data."""
    added = summarized(np.asarray(data).astype("float32"), self.epsilon)
    joined = np.concatenate([added, self.summary], axis=1)
    vars(self)["summary"] = compressed(joined[:, np.argsort(joined[0])], self.epsilon)


def _finish_summary(self: Any) -> None:
    """Makes boundaries of the quantiles of the data."""
    if self.num_bins is not None:
        self.bin_boundaries = compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()


def _adapt_boundaries(self: Any, data: Any, steps: int | None = None) -> None:
    """Learns the boundaries from an array, or an iterable of batches.

    Raises:
        ArgumentError: the layer was made with boundaries.
    """
    if self.num_bins is None:
        raise ArgumentError(
            "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` instead."
        )
    self.reset_state()
    for batch in batches(data, steps):
        self.update_state(batch)
    self.finalize_state()


def _post_init_bins(self: Any) -> None:
    layers.Discretization.__post_init__(self)
    vars(self)["summary"] = None if self.bin_boundaries else np.zeros((2, 0), "float32")


def _bins_shape(self: Any, input_shape: Any) -> tuple[Any, ...]:
    """The shape of the bins or of their encodings, also before `adapt`."""
    shape = tuple(input_shape)
    if self.output_mode == "int":
        return shape
    depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
    if self.output_mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (shape[0], *shape[2:], depth) if len(shape) > 1 else (depth,)


def _bins_spec(self: Any, inputs: Any) -> KerasTensor:
    """A symbolic tensor of this shape."""
    return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype)


DISCRETIZATION = {
    "__post_init__": _post_init_bins,
    "reset_state": _reset_summary,
    "update_state": _update_summary,
    "finalize_state": _finish_summary,
    "adapt": _adapt_boundaries,
    "compute_output_shape": _bins_shape,
    "compute_output_spec": _bins_spec,
    "input_dtype": property(lambda self: config.floatx()),
    "output_dtype": property(lambda self: self.compute_dtype if self.output_mode != "int" else "int32"),
}
