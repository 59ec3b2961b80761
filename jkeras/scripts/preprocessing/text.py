"""`keras.preprocessing.text`: words of texts as numbers."""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError, NotBuiltError, SignatureError
from jkeras.scripts.notes import NOTES

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "freq", "tfidf")
_TODAY = "keras.layers.TextVectorization"


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    >>> text_to_word_sequence("One fish, two fish!")
    ['one', 'fish', 'two', 'fish']
    """
    text = input_text.lower() if lower else input_text
    for character in filters:
        text = text.replace(character, split)
    return [word for word in text.split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """The words of a text as numbers from 1 to `n - 1`, by their hashes; different words may get one number.

    Args:
        text: the text.
        n: the number of numbers, with 0, which no word gets.
        hash_function: "md5" gives the same numbers in every process, Python's own (None) does not.
        filters, lower, split: see `text_to_word_sequence`.
        analyzer: splits the text instead.
    """
    function = (
        {None: hash, "md5": _md5}.get(hash_function, hash_function) if not callable(hash_function) else hash_function
    )
    if not callable(function):
        raise ArgumentError(f"hashing_trick(hash_function={hash_function!r}): expected 'md5' or a function.")
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode()).hexdigest(), 16)


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """`hashing_trick` with Python's hashes, which differ from process to process unless PYTHONHASHSEED is set."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


class Tokenizer:
    """Numbers words by how often they occur, and turns texts into sequences or matrices of these numbers.

    Args:
        num_words: only words with numbers below this one are used; None for all.
        filters, lower, split: see `text_to_word_sequence`.
        char_level: takes every character for a word.
        oov_token: the replacement for unknown words, with number 1. Without it they are omitted.
        analyzer: splits texts instead.
        document_count: texts seen before.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        document_count: int = 0,
        **kwargs: Any,
    ):
        if "nb_words" in kwargs:
            NOTES.old("Tokenizer(nb_words=...)", "Tokenizer(num_words=...)")
            num_words = kwargs.pop("nb_words")
        if kwargs:
            raise SignatureError(f"Tokenizer() has no argument {', '.join(map(repr, kwargs))}.")
        NOTES.say(f"`Tokenizer` is of Keras 2; `{_TODAY}` does its work inside of a model.")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = document_count
        # How often each word occurs, and in how many texts; the latter also by number.
        self.word_counts: collections.OrderedDict[str, int] = collections.OrderedDict()
        self.word_docs: collections.defaultdict[str, int] = collections.defaultdict(int)
        self.index_docs: collections.defaultdict[int, int] = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    # -- learning -----------------------------------------------------------------------------------------------------

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Numbers the words of texts, the most frequent ones first; earlier texts also count."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        ranked = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        known = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {word: number for number, word in enumerate(known, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Counts in how many sequences each number occurs, for `sequences_to_matrix` without texts."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def _words(self, text: str | list[str]) -> list[str]:
        if isinstance(text, list) or self.char_level:
            return [part.lower() if self.lower else part for part in text]
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    # -- numbers ------------------------------------------------------------------------------------------------------

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """As `texts_to_sequences`, one text after the other."""
        for text in texts:
            numbers = (self._used(self.word_index.get(word)) for word in self._words(text))
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of each sequence of numbers, with spaces between."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """As `sequences_to_texts`, one sequence after the other."""
        for sequence in sequences:
            numbers = (self._used(number if number in self.index_word else None) for number in sequence)
            yield " ".join(self.index_word[number] for number in numbers if number is not None)

    def _used(self, number: int | None) -> int | None:
        """The number if it is in use, otherwise that of unknown words, if there is one."""
        if number is not None and not (self.num_words and number >= self.num_words):
            return number
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """A row for each text with a column for each word; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """A row for each sequence with a column for each number.

        Args:
            sequences: numbers of words.
            mode: "binary" whether a word occurs, "count" how often, "freq" its share, "tfidf" its count weighted by how rare
                it is.

        Raises:
            NotBuiltError: no texts were seen, and `num_words` is not given.
            ArgumentError: an unknown mode.
        """
        if mode not in MODES:
            raise ArgumentError(f"sequences_to_matrix(mode={mode!r}): expected one of {', '.join(map(repr, MODES))}.")
        if not self.num_words and not self.word_index:
            raise NotBuiltError("Tokenizer: give `num_words`, or call `fit_on_texts` first.")
        if mode == "tfidf" and not self.document_count:
            raise NotBuiltError("Tokenizer: call `fit_on_texts` before the mode 'tfidf'.")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in enumerate(sequences):
            for number, count in collections.Counter(n for n in sequence if n < columns).items():
                matrix[row, number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "tfidf":
            rarity = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return float((1 + np.log(count)) * rarity)
        return {"binary": 1.0, "count": float(count), "freq": count / length}[mode]

    # -- files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments and learned counts as plain values."""
        plain = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: json.dumps(getattr(self, name)) for name in _LEARNED},
        }

    def to_json(self, **kwargs: Any) -> str:
        """The text that `tokenizer_from_json` reads; arguments as for `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


_LEARNED = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote."""
    config: dict[str, Any] = json.loads(json_string)["config"]
    learned: dict[str, Mapping[str, Any]] = {name: json.loads(config.pop(name)) for name in _LEARNED}
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts.update(learned["word_counts"])
    tokenizer.word_docs.update(learned["word_docs"])
    tokenizer.index_docs.update({int(number): count for number, count in learned["index_docs"].items()})
    tokenizer.index_word = {int(number): word for number, word in learned["index_word"].items()}
    tokenizer.word_index = dict(learned["word_index"])
    return tokenizer
