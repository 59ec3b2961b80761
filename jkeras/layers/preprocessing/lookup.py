"""Vocabularies: integers or strings to ids and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.console.progress import tracked
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError, NotBuiltError
from jkeras.graph.in_files import Beside, InFiles
from jkeras.layers.preprocessing.encoding import (
    ROWS_AT_A_TIME,
    HostLayer,
    as_text,
    batches,
    codec,
    dense_only,
    encode,
    output_mode,
)
from jkeras.layers.preprocessing.hashing import bins, salt
from jkeras.types import Config, TensorLike
from jkeras.values.fields import field

_MODE = output_mode("int", "one_hot", "multi_hot", "count", "tf_idf")

# Ids for unknown terms that have weights.
MAX_WEIGHED = 2**20


def without_vocabulary(place: str, layer: type[HostLayer]) -> str:
    """What to do about a layer that has no vocabulary."""
    return f"{place} has no vocabulary yet: `layer = layer.adapt(data)`, or `{layer.__name__}(vocabulary=...)`."


def _size(value: object) -> int:
    return arguments.at_least(2)(value)


def _weights(value: object) -> tuple[float, ...]:
    weights = np.asarray(arguments.numeric(value), "float64").ravel().tolist()
    return tuple(arguments.number(weight) for weight in weights)


def _terms(value: object) -> Any:
    """A vocabulary as a tuple; a path is read, one term a line."""
    if isinstance(value, (str, Path)):
        path = Path(value)
        if not path.is_file():
            raise ArgumentError("expected terms, or the path of a file with one term a line; there is no such file")
        return tuple(path.read_text(encoding="utf-8").splitlines())
    if np.ndim(np.asarray(value, dtype=object)) == 0:
        raise ArgumentError("expected a list of terms, or the path of a file with one term a line")
    terms = tuple(v.decode() if isinstance(v, bytes) else v for v in np.asarray(value, dtype=object).ravel().tolist())
    if not terms:
        raise ArgumentError("expected at least one term")
    return terms


def without_paths(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration, after a check that it contains its terms itself.

    A configuration may come from an attacker, who could read any file of the machine by naming it (CVE-2025-12058).

    Raises:
        ArgumentError: the vocabulary or the weights are a path.
    """
    for key in ("vocabulary", "idf_weights"):
        if isinstance(config.get(key), (str, bytes, Path)):
            raise ArgumentError(
                f"{cls.__name__}: the configuration names the file {config[key]!r} as its {key}; files that a configuration"
                f" names are not read. Build the layer in code, `{cls.__name__}({key}={config[key]!r})`, and use"
                f" `load_weights` for the rest of the model."
            )
    return dict(config)


class _Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    vocabulary: Any
    idf_weights: Any
    invert: bool
    output_mode: str
    pad_to_max_tokens: bool
    salt: Any


def vocabulary_in(cls: type[Lookup], arguments: Mapping[str, Any], beside: Beside) -> Mapping[str, Any]:
    """The vocabulary that a file stores separately from a lookup's configuration, and its weights."""
    terms = None if arguments.get("vocabulary") is not None else beside.lines("vocabulary.txt")
    if not terms:
        return {}
    weights = beside.array("idf_weights")
    learned = {"vocabulary": [cls.term_in(term) for term in terms]}
    return learned if weights is None else {**learned, "idf_weights": weights.tolist()}


class Lookup(_Attributes, HostLayer):
    """What IntegerLookup and StringLookup share: the order of ids is mask, unknown terms, vocabulary.

    Shapes: any, unchanged; with another `output_mode` than "int", `(batch, ...)` to `(batch, vocabulary)`.
    """

    mixes_samples: ClassVar[bool | None] = False
    _in_files: ClassVar[InFiles] = InFiles(arguments=vocabulary_in)

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    def __post_init__(self) -> None:
        if self.invert and self.output_mode != "int":
            raise ArgumentError(f"{type(self).__name__}(invert=True): output_mode must be 'int'.")
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ArgumentError(f"{type(self).__name__}(pad_to_max_tokens=True): give `max_tokens`.")
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            raise ArgumentError(f"{type(self).__name__}: `idf_weights` goes with output_mode='tf_idf'.")
        if self.vocabulary is None:
            return
        if self.output_mode == "tf_idf" and self.idf_weights is None:
            raise ArgumentError(f"{type(self).__name__}: a vocabulary in the mode 'tf_idf' needs `idf_weights`.")
        try:
            terms = tuple(map(self.term, self.vocabulary))
        except (TypeError, ValueError, OverflowError) as error:
            raise ArgumentError(f"{type(self).__name__}(vocabulary=...): {error}") from None
        if self.output_mode == "tf_idf" and self.num_oov_indices > MAX_WEIGHED:
            raise ArgumentError(
                f"{type(self).__name__}(num_oov_indices={self.num_oov_indices}): in the mode 'tf_idf' each has a weight and"
                f" a place in every encoding; expected at most {MAX_WEIGHED}."
            )
        # Special terms are as many as a number says, so they are made only where there are as many others.
        has_special = len(terms) >= self._start and terms[: self._start] == self._special()
        if self.idf_weights is not None:
            complete = len(terms) if has_special else self._start + len(terms)
            if len(self.idf_weights) == len(terms):
                # Unknown terms weigh as much as the known ones do on average.
                unknown = (float(np.mean(self.idf_weights)),) * (complete - len(terms))
                self.idf_weights: Any = unknown + self.idf_weights
            if len(self.idf_weights) != complete:
                raise ArgumentError(f"{type(self).__name__}: {len(terms)} terms, {len(self.idf_weights)} idf_weights.")
        terms = terms[self._start :] if has_special else terms
        twice = [term for term, count in Counter(terms).items() if count > 1]
        if twice:
            raise ArgumentError(f"{type(self).__name__}: the vocabulary repeats {twice[:3]!r}.")
        for role, token in (("mask", self.mask_token), ("oov", self.oov_token if self.invert else None)):
            if token is not None and token in terms:
                raise ArgumentError(
                    f"{type(self).__name__}: the {role} token {token!r} stands inside of the vocabulary. Leave special"
                    f" tokens out, or put them first, in the order of `get_vocabulary()`."
                )
        if self.max_tokens is not None and self._start + len(terms) > self.max_tokens:
            raise ArgumentError(
                f"{type(self).__name__}(max_tokens={self.max_tokens}): the vocabulary has {self._start + len(terms)}."
            )
        self.vocabulary = terms

    # -- the vocabulary -----------------------------------------------------------------------------------------------

    def term(self, value: Any) -> Any:
        """A term in the vocabulary's own type."""
        raise NotImplementedError

    @classmethod
    def term_in(cls, line: str) -> Any:
        """The term in a line of a file."""
        return line

    def _special(self) -> tuple[Any, ...]:
        return (self.mask_token,) * self._oov_start + (self.oov_token,) * self.num_oov_indices

    @property
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The terms in the order of their ids."""
        return [*(self._special() if include_special_tokens else ()), *(self.vocabulary or ())]

    def vocabulary_size(self) -> int:
        """The number of ids, special ones included."""
        return self._start + len(self.vocabulary or ())

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
        """A layer with the vocabulary of data, the most frequent terms first; this layer is not changed.

        Args:
            data: an array or list of terms (in the mode "tf_idf" of rows of terms), or an iterable of batches of them.
            steps: how many batches are read at most.

        Raises:
            ArgumentError: the layer has a vocabulary.
        """
        rows: list[Any] = []
        for batch in batches(data, steps, ROWS_AT_A_TIME):
            batch = batch[:, None] if batch.ndim == 1 and isinstance(data, (list, tuple, np.ndarray)) else batch
            rows += list(np.atleast_2d(batch).reshape(-1, batch.shape[-1] if batch.ndim > 1 else batch.size))
        adapted = self.adapt_to_documents(rows)
        check_used("adapt", owner="layer", may_show=True)
        return adapted

    def adapt_to_documents(self, rows: Sequence[Any]) -> Self:
        """`adapt` to documents that are sequences of terms, of any lengths."""
        if self.vocabulary is not None:
            raise ArgumentError(f"{type(self).__name__}.adapt: the layer has a vocabulary already.")
        documents = [[self.term(value) for value in row] for row in tracked(rows, unit="row")]
        counts = Counter(term for document in documents for term in document)
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        # Ties go to the later term, as in Keras.
        terms = sorted(counts, key=lambda term: (counts[term], term), reverse=True)
        terms = terms[: None if self.max_tokens is None else self.max_tokens - self._start]
        weights = None
        if self.output_mode == "tf_idf":
            document_counts = Counter(term for document in documents for term in set(document))
            weights = [float(np.log(1 + len(documents) / (1 + document_counts[term]))) for term in terms]
        return self.replace(vocabulary=terms, idf_weights=weights)

    # -- lookup -------------------------------------------------------------------------------------------------------

    def _encode(self, ids: jax.Array) -> jax.Array:
        if self.output_mode == "int":
            return ids.astype("int32")
        limited = self.max_tokens if self.pad_to_max_tokens else None
        depth = self.vocabulary_size() if limited is None else limited
        if self.output_mode != "tf_idf":
            return encode(ids, self.output_mode, depth, self._type)
        weights = np.zeros(depth, self._type)
        weights[: len(self.idf_weights)] = self.idf_weights
        return encode(ids, "count", depth, self._type) * weights

    @property
    def _type(self) -> str:
        return config.floatx()

    def check_vocabulary(self) -> None:
        if self.vocabulary is None:
            raise NotBuiltError(without_vocabulary(self._place, type(self)))

    def on_host(self, inputs: TensorLike) -> Any:
        self.check_vocabulary()
        if self.invert:
            names = np.asarray(self.get_vocabulary(), dtype=object)
            ids = np.asarray(inputs)
            known = (ids >= 0) & (ids < len(names))
            return self._finish(np.where(known, names[np.where(known, ids, 0)], self.oov_token))
        values = self._values(inputs)
        table = {term: self._start + i for i, term in enumerate(self.vocabulary)}
        ids = np.asarray([table.get(value, -1) for value in values.ravel().tolist()], "int64").reshape(values.shape)
        unknown = ids < 0
        if self.mask_token is not None:
            masked = values == self.mask_token
            unknown &= ~masked
            ids = np.where(masked, 0 if self.output_mode == "int" else -1, ids)
        if unknown.any():
            ids = np.where(unknown, self._unknown(values, unknown), ids)
        return self._encode(jnp.asarray(ids))

    def _unknown(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        if self.num_oov_indices == 0:
            raise InputError(
                f"{self._place} ({type(self).__name__}) got {values[where][:3].tolist()!r}, not in its vocabulary; with"
                f" num_oov_indices=0 every input must be. Give it one index for unknown terms."
            )
        if self.num_oov_indices == 1:
            return np.full(values.shape, self._oov_start)
        return self._oov_start + self._spread(values)

    def _spread(self, values: np.ndarray) -> np.ndarray:
        return bins(values, self.num_oov_indices, self.salt)

    def _values(self, inputs: TensorLike) -> np.ndarray:
        raise NotImplementedError

    def _finish(self, terms: np.ndarray) -> Any:
        return terms

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.idf_weights is not None:
            config["vocabulary"] = self.get_vocabulary()  # as many terms as weights
        size = self.vocabulary_size() if self.vocabulary else None
        return {"oov_method": "floormod", **config, "vocabulary_size": size}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        dropped = {"vocabulary_size", "has_input_vocabulary", *({"oov_method"} - set(cls._fields))}
        return cls(**{key: value for key, value in without_paths(cls, config).items() if key not in dropped})


class IntegerLookup(Lookup):
    """Integers to ids `0, 1, ...` by a vocabulary, or back. Works inside models too.

    Ids are, in this order: 0 for the mask token if there is one (in the mode "int"), `num_oov_indices` for integers
    that are not in the vocabulary, then the vocabulary. The ids are int32.

    Args:
        max_tokens: the largest number of ids, special ones included.
        num_oov_indices: how many ids unknown integers share, by their remainder; 0 makes them an error.
        mask_token: an integer that means "nothing".
        oov_token: the result for unknown ids with `invert=True`.
        vocabulary: integers, or the path of a file with one a line; `adapt` finds them in data.
        vocabulary_dtype: accepted for compatibility with Keras.
        idf_weights: one weight a term in the mode "tf_idf".
        invert: whether to map ids to integers instead.
        output_mode: "int", or how ids are encoded: "one_hot", "multi_hot", "count", "tf_idf".
        sparse: accepted for compatibility with Keras; only False is supported.
        pad_to_max_tokens: whether encodings are as long as `max_tokens` says.
        oov_method: "floormod", or "farmhash" to share ids by a hash (outside models).
        salt: a key of the hash.
        name: the layer's name.

    >>> IntegerLookup(vocabulary=[12, 36, 1138, 42])([[12, 1138, 42], [42, 1000, 36]]).tolist()
    [[1, 3, 4], [4, 0, 2]]
    """

    mixes_samples: ClassVar[bool | None] = False

    max_tokens: int | None = field(default=None, convert=arguments.optional(_size))
    num_oov_indices: int = field(default=1, convert=arguments.at_least(0))
    mask_token: int | None = field(default=None, convert=arguments.optional(arguments.integer))
    oov_token: int = field(default=-1, convert=arguments.integer)
    vocabulary: Any = field(default=None, convert=arguments.optional(_terms))
    vocabulary_dtype: str = field(default="int64", convert=arguments.one_of("int64", "int32"))
    idf_weights: Any = field(default=None, convert=arguments.optional(_weights))
    invert: bool = field(default=False, convert=arguments.boolean)
    output_mode: str = field(default="int", convert=_MODE)
    sparse: bool = field(default=False, convert=dense_only)
    pad_to_max_tokens: bool = field(default=False, convert=arguments.boolean)
    oov_method: str = field(default="floormod", convert=arguments.one_of("floormod", "farmhash"))
    salt: Any = field(default=None, convert=salt)
    name: str | None = None

    def term(self, value: Any) -> int:
        try:
            whole = int(value)
        except (OverflowError, TypeError, ValueError):
            whole = None
        if whole is None or (isinstance(value, (float, np.floating)) and value != whole):
            raise InputError(
                f"IntegerLookup.adapt(data): expected integers, got {value!r}. For texts use `layers.StringLookup`."
            )
        return whole

    @classmethod
    def term_in(cls, line: str) -> int:
        return int(line)

    def _values(self, inputs: TensorLike) -> np.ndarray:
        return np.asarray(inputs).astype("int64")

    def _spread(self, values: np.ndarray) -> np.ndarray:
        return super()._spread(values) if self.oov_method == "farmhash" else values % self.num_oov_indices

    def _finish(self, terms: np.ndarray) -> jax.Array:
        return jnp.asarray(terms.astype("int64"))

    def call(self, inputs: TensorLike) -> jax.Array:
        self.check_vocabulary()
        x = jnp.asarray(inputs).astype("int32")
        if self.invert:
            names = jnp.asarray(self.get_vocabulary(), "int32")
            return jnp.where((x >= 0) & (x < len(names)), names[jnp.clip(x, 0, len(names) - 1)], self.oov_token)
        if self.num_oov_indices > 1 and self.oov_method == "farmhash":
            raise InputError(f"{self._place}: oov_method='farmhash' works on data only; apply the layer before `fit`.")
        terms = np.asarray(self.vocabulary)
        order = np.argsort(terms)
        place = jnp.clip(jnp.searchsorted(jnp.asarray(terms[order]), x), 0, len(terms) - 1)
        known = jnp.asarray(terms[order])[place] == x
        # Without ids for unknown integers a compiled program can only leave them out of encodings, or give -1.
        unknown = x % self.num_oov_indices + self._oov_start if self.num_oov_indices else jnp.full_like(x, -1)
        ids = jnp.where(known, jnp.asarray(order)[place] + self._start, unknown)
        if self.mask_token is not None:
            ids = jnp.where(x == self.mask_token, 0 if self.output_mode == "int" else -1, ids)
        return self._encode(ids)


class StringLookup(Lookup):
    """Strings to ids `0, 1, ...` by a vocabulary, or back, on the host: apply it to data before `fit`.

    Ids are, in this order: 0 for the mask token if there is one (in the mode "int"), `num_oov_indices` for strings that
    are not in the vocabulary, then the vocabulary. The ids are int32; with `invert=True` the result is a NumPy array of
    strings.

    Args:
        max_tokens: the largest number of ids, special ones included.
        num_oov_indices: how many ids unknown strings share, by their hash; 0 makes them an error.
        mask_token: a string that means "nothing".
        oov_token: the result for unknown ids with `invert=True`.
        vocabulary: strings, or the path of a file with one a line; `adapt` finds them in data.
        idf_weights: one weight a term in the mode "tf_idf".
        invert: whether to map ids to strings instead.
        output_mode: "int", or how ids are encoded: "one_hot", "multi_hot", "count", "tf_idf".
        pad_to_max_tokens: whether encodings are as long as `max_tokens` says.
        sparse: accepted for compatibility with Keras; only False is supported.
        encoding: the encoding of bytes.
        name: the layer's name.
        salt: a key of the hash.

    >>> layer = StringLookup().adapt(["a", "b", "b", "c", "b", "a"])
    >>> layer.get_vocabulary(), layer(["a", "c", "z"]).tolist()
    (['[UNK]', 'b', 'a', 'c'], [2, 3, 0])
    """

    mixes_samples: ClassVar[bool | None] = False

    max_tokens: int | None = field(default=None, convert=arguments.optional(_size))
    num_oov_indices: int = field(default=1, convert=arguments.at_least(0))
    mask_token: str | None = field(default=None, convert=arguments.optional(arguments.text))
    oov_token: str = field(default="[UNK]", convert=arguments.text)
    vocabulary: Any = field(default=None, convert=arguments.optional(_terms))
    idf_weights: Any = field(default=None, convert=arguments.optional(_weights))
    invert: bool = field(default=False, convert=arguments.boolean)
    output_mode: str = field(default="int", convert=_MODE)
    pad_to_max_tokens: bool = field(default=False, convert=arguments.boolean)
    sparse: bool = field(default=False, convert=dense_only)
    encoding: str = field(default="utf-8", convert=codec)
    name: str | None = None
    salt: Any = field(default=None, convert=salt)

    def term(self, value: object) -> str:
        return value.decode(self.encoding) if isinstance(value, bytes) else str(value)

    def _values(self, inputs: TensorLike) -> np.ndarray:
        return as_text(inputs, self.encoding)


__all__ = ["IntegerLookup", "StringLookup"]
