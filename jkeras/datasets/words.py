"""What IMDB and Reuters share: texts as lists of word ranks, and how Keras numbers and filters them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError


def check(**numbers: int | None) -> None:
    """Checks arguments of `load_data` before a file is looked for.

    Raises:
        ArgumentError: one of them is neither an integer nor None.
    """
    for name, number in numbers.items():
        arguments.checked("load_data", name, number, arguments.optional(arguments.integer))


def number_words(texts: Iterable[Iterable[int]], start_char: int | None, index_from: int | None) -> list[list[int]]:
    """The texts with every rank raised by `index_from`, and `start_char` in front unless it is None.

    >>> number_words([[1, 5]], start_char=1, index_from=3)
    [[1, 4, 8]]
    """
    if start_char is not None:
        return [[start_char, *(word + (index_from or 0) for word in text)] for text in texts]
    return [[word + (index_from or 0) for word in text] for text in texts]


def drop_long(
    texts: Sequence[list[int]], labels: Sequence[int] | np.ndarray, maxlen: int | None
) -> tuple[Sequence[list[int]], Sequence[int] | np.ndarray]:
    """The texts shorter than `maxlen` and their labels; all of them if it is None or 0.

    Raises:
        ArgumentError: no text is left.
    """
    if not maxlen:
        return texts, labels
    short_enough = [(text, label) for text, label in zip(texts, labels, strict=True) if len(text) < maxlen]
    if not short_enough:
        raise ArgumentError(f"load_data(maxlen={maxlen!r}): no text is shorter than that. Give a larger one.")
    return [text for text, _ in short_enough], [label for _, label in short_enough]


def limit_words(
    texts: Sequence[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Words outside `skip_top <= word < num_words` become `oov_char`, or are left out if that is None.

    Without `num_words` the largest number that occurs is the limit. That one word falls outside too: a quirk of Keras
    that is kept for the sake of equal data.
    """
    limit = num_words or max(max(text) for text in texts if text)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def ragged(texts: Sequence[list[int]]) -> np.ndarray:
    """A one-dimensional array of lists."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
