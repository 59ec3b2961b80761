"""`tf.strings`, on the host: strings are NumPy arrays of texts, `.numpy()` gives bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import InputError
from jkeras.scripts.tensorflow.arrays import dtype_of
from jkeras.scripts.tensorflow.ragged import RaggedTensor
from jkeras.scripts.tensorflow.tensors import host
from jkeras.types import DTypeLike, TensorLike


def _text(value: TensorLike) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def texts(value: TensorLike) -> np.ndarray:
    """Strings or bytes as an array of texts."""
    array = np.asarray(value, object)
    return np.array([_text(one) for one in array.reshape(-1)], object).reshape(array.shape)


def _mapped(function: Callable[[str], Any], input: TensorLike, dtype: DTypeLike = str) -> Any:
    array = texts(input)
    mapped = [function(text) for text in array.reshape(-1)]
    return host(np.array(mapped, dtype).reshape(array.shape))


def length(input: TensorLike, unit: str = "BYTE") -> Any:
    """The lengths, in bytes or characters."""
    return _mapped(lambda text: len(text.encode()) if unit == "BYTE" else len(text), input, "int32")


def lower(input: TensorLike) -> Any:
    """In small letters."""
    return _mapped(str.lower, input)


def upper(input: TensorLike) -> Any:
    """In capitals."""
    return _mapped(str.upper, input)


def strip(input: TensorLike) -> Any:
    """Without white space at both ends."""
    return _mapped(str.strip, input)


def substr(input: TensorLike, pos: int, len: int) -> Any:
    """Parts of texts."""
    return _mapped(lambda text: text[pos:][:len], input)


def regex_replace(input: TensorLike, pattern: str, rewrite: str, replace_global: bool = True) -> Any:
    """Texts with what matches a pattern replaced."""
    return _mapped(lambda text: re.sub(_text(pattern), _text(rewrite), text, count=0 if replace_global else 1), input)


def regex_full_match(input: TensorLike, pattern: str) -> Any:
    """Whether texts match a pattern as a whole."""
    return _mapped(lambda text: re.fullmatch(_text(pattern), text) is not None, input, bool)


def split(input: TensorLike, sep: str | None = None, maxsplit: int = -1) -> Any:
    """The parts of one text, or of each of several."""
    return _parts(input, "split", lambda text: text.split(None if not sep else _text(sep), maxsplit))


def unicode_split(input: TensorLike, input_encoding: str = "UTF-8") -> Any:
    """The characters of one text, or of each of several."""
    return _parts(input, "unicode_split", list)


def _parts(input: TensorLike, name: str, cut: Callable[[str], list[str]]) -> Any:
    array = texts(input)
    if array.ndim > 1:
        raise InputError(
            f"tf.strings.{name} got texts of shape {array.shape}: expected one text, or a row of them. Write"
            f" `tf.reshape(texts, [-1])` first."
        )
    rows = [np.array(cut(text), str) for text in array.reshape(-1)]
    return RaggedTensor(rows) if array.ndim else host(rows[0])


def join(inputs: Sequence[Any], separator: str = "") -> Any:
    """Texts at the same places put together."""
    parts = np.broadcast_arrays(*[texts(one) for one in inputs])
    joined = [_text(separator).join(row) for row in zip(*(part.reshape(-1) for part in parts), strict=True)]
    return host(np.array(joined, str).reshape(parts[0].shape))


def reduce_join(inputs: Any, axis: int | None = None, separator: str = "") -> Any:
    """All texts, or those along an axis, put together."""
    array = texts(inputs)
    if axis is None:
        return host(np.array(_text(separator).join(array.reshape(-1)), str))
    rows = np.moveaxis(array, axis, -1)
    joined = [_text(separator).join(row) for row in rows.reshape(-1, rows.shape[-1])]
    return host(np.array(joined, str).reshape(rows.shape[:-1]))


def to_number(input: TensorLike, out_type: Any = "float32") -> Any:
    """The numbers that texts say."""
    kind = dtype_of(out_type)
    read = int if kind.kind in "iu" else float
    return jnp.asarray(np.asarray(_mapped(read, input, kind)))


def as_string(input: TensorLike, precision: int = -1) -> Any:
    """Numbers as texts; floats with six digits after the point unless another number is given."""
    values = np.asarray(input)
    floats = values.dtype.kind == "f"
    shown = [f"{one:.{6 if precision < 0 else precision}f}" if floats else str(one).lower() if values.dtype == bool else str(one)
             for one in values.reshape(-1)]  # fmt: skip
    return host(np.array(shown, str).reshape(values.shape))


def is_text(value: TensorLike) -> bool:
    """Whether a value is a text, or an array of texts or bytes."""
    if isinstance(value, (str, bytes)):
        return True
    return not isinstance(value, jax.Array) and np.asarray(value).dtype.kind in "USO"
