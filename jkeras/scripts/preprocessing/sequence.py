"""`keras.preprocessing.sequence`: windows over sequences, and pairs of words for embeddings."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError
from jkeras.scripts.notes import NOTES
from jkeras.utils import PyDataset
from jkeras.utils import pad_sequences as pad_sequences


class TimeseriesGenerator(PyDataset):
    """Batches of windows over a series, each with the target of the step after it.

    Args:
        data: the series, steps along the first axis.
        targets: a target for each step.
        length: steps in a window, before sampling.
        sampling_rate: takes every how many-th step of a window.
        stride: steps between two windows.
        start_index: steps before this one are left out.
        end_index: the last step that may be a target.
        shuffle: draws windows at random, with replacement.
        reverse: turns windows around.
        batch_size: windows in a batch.
        **kwargs: as for `PyDataset`.

    Raises:
        ArgumentError: targets and data differ in length, or no window fits in.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        NOTES.say("`TimeseriesGenerator` is of Keras 2; write `keras.utils.timeseries_dataset_from_array(...)`.")
        if len(data) != len(targets):
            raise ArgumentError(f"TimeseriesGenerator: {len(data)} steps of data, but {len(targets)} targets.")
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        # The first and last steps that are targets.
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ArgumentError(
                f"TimeseriesGenerator: no window fits in; `start_index + length` is {self.start_index}, the last step"
                f" {self.end_index}."
            )

    def __len__(self) -> int:
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            places = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            span = self.batch_size * self.stride
            first = self.start_index + span * index
            places = np.arange(first, min(first + span, self.end_index + 1), self.stride)
        windows = np.array([self.data[place - self.length : place : self.sampling_rate] for place in places])
        targets = np.array([self.targets[place] for place in places])
        return windows[:, ::-1] if self.reverse else windows, targets

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values; the arrays as JSON."""
        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")
        arrays = {"data": self.data, "targets": self.targets}
        return {
            **{name: json.dumps(np.asarray(value).tolist()) for name, value in arrays.items()},
            **{name: getattr(self, name) for name in names},
        }

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON; arguments as for `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability to keep a word of each rank, for `skipgrams`: frequent words are kept less often.

    Frequencies follow Zipf's law; see Mikolov et al. (2013), https://arxiv.org/abs/1310.4546.
    """
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Sequence[float] | np.ndarray | None = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of a word and one near it (label 1), and of a word and a random one (label 0).

    Args:
        sequence: numbers of words; 0 is not a word.
        vocabulary_size: random words are below this number.
        window_size: how far away a near word may be.
        negative_samples: random pairs for each true one.
        shuffle: whether pairs come in random order.
        categorical: labels as `[0, 1]` and `[1, 0]`.
        sampling_table: see `make_sampling_table`.
        seed: the seed of the order.
    """
    true, false = ([0, 1], [1, 0]) if categorical else (1, 0)
    couples: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        first, last = max(0, place - window_size), min(len(sequence), place + window_size + 1)
        couples += [[word, sequence[near]] for near in range(first, last) if near != place and sequence[near]]
    labels: list[Any] = [true for _ in couples]
    wrong = int(len(labels) * negative_samples)
    if negative_samples > 0:
        words = [word for word, _ in couples]
        random.shuffle(words)
        couples += [[words[k % len(words)], random.randint(1, vocabulary_size - 1)] for k in range(wrong)]
        labels += [false] * wrong
    if shuffle:
        seed = random.randint(0, 10**7) if seed is None else seed
        for pairs in (couples, labels):  # both in the same order
            random.seed(seed)
            random.shuffle(pairs)
    return couples, labels
