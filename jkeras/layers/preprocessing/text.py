"""Texts to ids of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError, NotBuiltError
from jkeras.graph.in_files import Beside, InFiles
from jkeras.layers.preprocessing.encoding import ROWS_AT_A_TIME, HostLayer, as_text, batches, codec, dense_only
from jkeras.layers.preprocessing.lookup import (
    _MODE,
    StringLookup,
    _size,
    _terms,
    _weights,
    vocabulary_in,
    without_paths,
    without_vocabulary,
)
from jkeras.types import Config, TensorLike
from jkeras.values.fields import field

_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")


def _step(*names: str) -> Callable[[Any], Any]:
    """A converter for a step that is a name, a function or None."""
    check = arguments.one_of(*names)
    return lambda value: value if value is None or callable(value) else check(value)


def _widths(value: object) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(arguments.positive_int(v) for v in value)
    return arguments.positive_int(value)


def _vocabulary_in(cls: type, arguments: Mapping[str, Any], beside: Beside) -> Mapping[str, Any]:
    return vocabulary_in(StringLookup, arguments, beside.inside("_lookup_layer"))


class TextVectorization(HostLayer):
    """Texts to ids of their words, on the host: apply it to the data before `fit`.

    A text is normalised (`standardize`), split into words (`split`), which are joined into n-grams and looked up; see
    `StringLookup` for the ids. In the mode "int" 0 is padding and 1 an unknown word.

    Shapes: texts `(batch,)` or `(batch, 1)` to `(batch, words)` of ids, or `(batch, vocabulary)` of counts.

    Args:
        max_tokens: the largest size of the vocabulary, special words included.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of a NumPy array
            of strings.
        split: "whitespace", "character", None, or a function of a NumPy array of strings to lists of words.
        ngrams: None, n for all lengths up to n, or a tuple of lengths.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        output_sequence_length: to which ids are padded or cut in the mode "int"; the longest text if None.
        pad_to_max_tokens: whether encodings are as long as `max_tokens` says.
        vocabulary: words, or the path of a file with one a line; `adapt` finds them in texts.
        idf_weights: one weight a word in the mode "tf_idf".
        sparse: accepted for compatibility with Keras; only False is supported.
        ragged: likewise.
        encoding: the encoding of bytes.
        name: the layer's name.

    >>> layer = TextVectorization(output_sequence_length=4).adapt(["The cat sat.", "A cat!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'cat', 'the', 'sat', 'a']
    >>> layer(["the dog sat"]).tolist()
    [[3, 1, 4, 0]]
    """

    mixes_samples: ClassVar[bool | None] = False
    _in_files: ClassVar[InFiles] = InFiles(arguments=_vocabulary_in)

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    max_tokens: int | None = field(default=None, convert=arguments.optional(_size))
    standardize: Any = field(default="lower_and_strip_punctuation", convert=_step(*_STANDARDIZE))
    split: Any = field(default="whitespace", convert=_step("whitespace", "character"))
    ngrams: Any = field(default=None, convert=arguments.optional(_widths))
    output_mode: str = field(default="int", convert=_MODE)
    output_sequence_length: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    pad_to_max_tokens: bool = field(default=False, convert=arguments.boolean)
    vocabulary: Any = field(default=None, convert=arguments.optional(_terms))
    idf_weights: Any = field(default=None, convert=arguments.optional(_weights))
    sparse: bool = field(default=False, convert=dense_only)
    ragged: bool = field(default=False, convert=dense_only)
    encoding: str = field(default="utf-8", convert=codec)
    name: str | None = None

    def __post_init__(self) -> None:
        if self.output_mode != "int" and self.output_sequence_length is not None:
            raise ArgumentError(
                f"TextVectorization(output_mode={self.output_mode!r}): `output_sequence_length` goes with 'int' only."
            )
        # Checks the vocabulary and takes the special words from its start.
        table = self._lookup()
        self.vocabulary, self.idf_weights = table.vocabulary, table.idf_weights

    def _lookup(self) -> StringLookup:
        return StringLookup(
            self.max_tokens,
            mask_token="",
            vocabulary=self.vocabulary,
            idf_weights=self.idf_weights,
            output_mode=self.output_mode,
            pad_to_max_tokens=self.pad_to_max_tokens,
            encoding=self.encoding,
        )

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their ids."""
        return self._lookup().get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of ids, special ones included."""
        return self._lookup().vocabulary_size()

    def set_vocabulary(
        self,
        vocabulary: str | Path | Sequence[str] | Sequence[int] | np.ndarray | None,
        idf_weights: Sequence[float] | np.ndarray | None = None,
    ) -> Self:
        """A layer with another vocabulary; this layer is not changed."""
        changed = self.replace(vocabulary=vocabulary, idf_weights=idf_weights)
        check_used("set_vocabulary", owner="layer", may_show=True)
        return changed

    def adapt(self, data: Iterable[Any], steps: int | None = None) -> Self:
        """A layer with the vocabulary of texts, the most frequent words first; this layer is not changed.

        Args:
            data: an array or list of texts, or an iterable of batches of them.
            steps: how many batches are read at most.
        """
        documents = [words for batch in batches(data, steps, ROWS_AT_A_TIME) for words in self._words(batch)]
        adapted = self.adapt_to_documents(documents)
        check_used("adapt", owner="layer", may_show=True)
        return adapted

    def adapt_to_documents(self, documents: Sequence[Any]) -> Self:
        """`adapt` to documents that are sequences of words."""
        lookup = self._lookup().adapt_to_documents(documents)
        return self.replace(vocabulary=lookup.vocabulary, idf_weights=lookup.idf_weights)

    def _words(self, inputs: TensorLike) -> list[list[str]]:
        texts = as_text(inputs, self.encoding)
        if texts.ndim > 1 and self.split is not None:
            if texts.shape[-1] != 1:
                raise InputError(
                    f"{self._place} (TextVectorization) got strings of shape {texts.shape}; it splits one text a row, of"
                    f" shape (batch,) or (batch, 1)."
                )
            texts = texts[..., 0]
        texts = np.atleast_1d(self._plain(texts))
        if self.split is None:
            words = [list(np.atleast_1d(row)) for row in texts]
        elif callable(self.split):
            words = [[str(word) for word in row] for row in self.split(texts)]
        else:
            words = [text.split() if self.split == "whitespace" else list(text) for text in texts]
        if self.ngrams is None:
            return words
        widths = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [[" ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)] for row in words]

    def _plain(self, texts: np.ndarray) -> np.ndarray:
        if callable(self.standardize):
            return as_text(self.standardize(texts.astype(str)), self.encoding)
        changes: list[Callable[[str], str]] = []
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            # TensorFlow's `strings.lower`, which Keras uses, changes ASCII letters only.
            changes.append(lambda text: re.sub("[A-Z]+", lambda match: match.group().lower(), text))
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            changes.append(lambda text: _PUNCTUATION.sub("", text))
        result = texts.copy()
        for change in changes:
            result.ravel()[:] = [change(text) for text in result.ravel()]
        return result

    def on_host(self, inputs: TensorLike) -> Any:
        words = self._words(inputs)
        table = self._lookup()
        if table.vocabulary is None:
            raise NotBuiltError(without_vocabulary(self._place, type(self)))
        single = np.ndim(np.asarray(inputs, dtype=object)) == 0
        if self.output_mode != "int":
            # A list at a time, since texts differ in length and the empty string is dropped from encodings.
            rows = [table(np.asarray(row or [""], dtype=object)) for row in words]
            return rows[0] if single else jnp.stack(rows)
        length = self.output_sequence_length
        if length is None:
            length = max((len(row) for row in words), default=0)
        padded = np.full((len(words), length), "", dtype=object)
        for row, some in zip(padded, words, strict=True):
            row[: len(some)] = some[:length]
        ids = table(padded)
        return ids[0] if single else ids

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.idf_weights is not None:
            config["vocabulary"] = self.get_vocabulary()  # as many words as weights
        return {**config, "vocabulary_size": self.vocabulary_size()}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        return cls(**{key: value for key, value in without_paths(cls, config).items() if key != "vocabulary_size"})


__all__ = ["TextVectorization"]
