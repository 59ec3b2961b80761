"""Validation between the epochs of `fit`."""

from __future__ import annotations

from typing import Any

from jkeras.errors import ArgumentError
from jkeras.training.array_source import ArraySource
from jkeras.training.sources import validating
from jkeras.utils import unpack_x_y_sample_weight


class Validation:
    """Validation between epochs: calls `evaluate`, which may be overridden, on data that is prepared once."""

    def __init__(self, model: Any, data: Any, batch_size: int | None, steps: int | None, freq: Any, callbacks: Any):
        self.model = model
        self.data = data
        self.batch_size = batch_size
        self.steps = steps
        self.freq = freq
        self.callbacks = callbacks
        if data is not None and not isinstance(freq, (int, list, tuple, set, range)):
            raise ArgumentError(
                "Expected `validation_freq` to be a list or int."
                f" Received: validation_freq={freq} of the type {type(freq)}."
            )

    def __call__(self, epoch: int) -> dict[str, Any]:
        freq = self.freq
        if self.data is None or ((epoch + 1) % freq if isinstance(freq, int) else (epoch + 1) not in freq):
            return {}
        x, y, sample_weight = unpack_x_y_sample_weight(self.data)
        if self.model._validation is None:
            with validating():
                source = self.model._source(x, y, sample_weight, self.batch_size, self.steps)
            if isinstance(source, ArraySource):
                self.model._validation = (self.data, source)
        scores = self.model.evaluate(
            x=x, y=y, sample_weight=sample_weight, batch_size=self.batch_size, steps=self.steps,
            callbacks=self.callbacks, return_dict=True, _use_cached_eval_dataset=True,
        )  # fmt: skip
        return {f"val_{name}": value for name, value in scores.items()}
