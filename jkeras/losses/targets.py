"""Checks that targets suit a loss: on concrete arrays, before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import numpy as np

from jkeras.errors import InputError
from jkeras.losses.loss import Loss, PairLoss
from jkeras.types import ArrayLike, PyTree

Shape = tuple[int | None, ...]


def check_targets(loss: Loss, y_true: PyTree[ArrayLike], y_pred_shape: Sequence[int | None], where: str) -> None:
    """Raises an error if targets do not suit the loss.

    For losses that are not built in, only numeric dtypes are checked: such a loss decides itself what it accepts.

    Args:
        loss: the loss.
        y_true: the targets as a host array, `(samples, ...)`.
        y_pred_shape: the shape of the output; its first axis is not compared.
        where: the output's name, for the message.

    Raises:
        InputError: dtypes, shapes or values do not suit the loss; the message says what to write instead.

    >>> from jkeras.losses import CategoricalCrossentropy
    >>> check_targets(CategoricalCrossentropy(), np.array([0, 2]), (None, 3), "output 'digits'")
    Traceback (most recent call last):
    ...
    jkeras.errors.InputError: Targets of output 'digits' have shape (2,), its predictions (None, 3). ...
    """
    y_true = np.asarray(y_true)
    if y_true.dtype.kind in "OSUMmT" and not _is_numeric(y_true):
        raise InputError(
            f"Targets of {where} have dtype {y_true.dtype}; {loss.name} needs numbers."
            f" Encode them first, for instance `np.unique(y, return_inverse=True)[1]` for class names."
        )
    check = _CHECKS.get(loss.target_kind)
    if check is not None and isinstance(loss, PairLoss) and y_true.ndim:
        check(loss, y_true, tuple(y_pred_shape), where)


def _is_numeric(y_true: np.ndarray) -> bool:
    return y_true.dtype.kind == "O" and all(isinstance(v, (int, float, np.number)) for v in y_true.ravel())


def _fail(y_true: np.ndarray, y_pred_shape: Shape, where: str, advice: str) -> NoReturn:
    shape = "(" + ", ".join(map(str, y_pred_shape)) + ("," if len(y_pred_shape) == 1 else "") + ")"
    raise InputError(f"Targets of {where} have shape {y_true.shape}, its predictions {shape}. {advice}")


def _features(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape after the batch axis, without a trailing axis of size 1."""
    features = tuple(shape[1:])
    return features[:-1] if features and features[-1] == 1 else features


def _fits(a: Sequence[int | None], b: Sequence[int | None], broadcast: bool) -> bool:
    """Whether two shapes are the same after the batch axis, up to one trailing axis of size 1.

    With `broadcast`, axes of the first shape may also have size 1.
    """
    first, second = tuple(a[1:]), tuple(b[1:])
    if len(first) != len(second):
        first, second = _features(a), _features(b)
    return len(first) == len(second) and all(
        m is None or n is None or m == n or (broadcast and m == 1) for m, n in zip(first, second, strict=True)
    )


def _same(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    if not _fits(y_true.shape, y_pred_shape, broadcast=True):
        _fail(
            y_true,
            y_pred_shape,
            where,
            f"{loss.name} compares targets and predictions element by element: give targets the shape of the"
            f" predictions, or the last layer as many units as there are targets per sample.",
        )


def _probability(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    if not _fits(y_true.shape, y_pred_shape, broadcast=False):
        advice = f"{loss.name} needs one label per prediction."
        if _fits(y_true.shape, (*y_pred_shape[:-1], 1), broadcast=False):
            advice += (
                " For class ids use `sparse_categorical_crossentropy`;"
                " for two classes give the last layer one unit with a sigmoid."
            )
        _fail(y_true, y_pred_shape, where, advice)
    low, high = _range(y_true)
    if low < 0 or high > 1:
        raise InputError(
            f"Targets of {where} lie between {low:g} and {high:g}; {loss.name} needs labels from 0 to 1."
            + (" For labels -1 and 1 write `(y + 1) / 2`, or use `hinge`." if low == -1 and high <= 1 else "")
            + (" For class ids use `sparse_categorical_crossentropy`." if low >= 0 else "")
        )


def _one_hot(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    if _fits(y_true.shape, y_pred_shape, broadcast=False):
        return
    classes = y_pred_shape[loss.axis]
    advice = f"{loss.name} needs one-hot targets."
    if _fits((*y_true.shape, 1), (*y_pred_shape[:-1], 1), False) or _fits(y_true.shape, (*y_pred_shape[:-1], 1), False):
        advice += (
            f" For class ids use `sparse_categorical_crossentropy`, or write `jk.utils.to_categorical(y, {classes})`."
        )
    _fail(y_true, y_pred_shape, where, advice)


def _class_id(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    axis = loss.axis
    if not -len(y_pred_shape) <= axis < len(y_pred_shape):
        return
    axis %= len(y_pred_shape)
    classes = y_pred_shape[axis]
    ids = y_pred_shape[:axis] + y_pred_shape[axis + 1 :]
    remaining = y_pred_shape[:axis] + (1,) + y_pred_shape[axis + 1 :]
    if not (
        (y_true.ndim == len(ids) and _fits(y_true.shape, ids, False))
        or (y_true.ndim == len(remaining) and _fits(y_true.shape, remaining, False))
    ):
        advice = f"{loss.name} needs class ids."
        if y_true.ndim == len(y_pred_shape) and _fits(y_true.shape, y_pred_shape, False):
            advice += " For one-hot targets use `categorical_crossentropy`, or write `y.argmax(-1)`."
        _fail(y_true, y_pred_shape, where, advice)
    _check_ids(loss, y_true, classes, where)


def _check_ids(loss: PairLoss, y_true: np.ndarray, classes: int | None, where: str) -> None:
    ignored = loss.ignore_class
    low, high = _range(y_true)
    outside = low < 0 or (classes is not None and high >= classes)
    if outside and ignored is not None:
        labels = y_true[y_true != ignored]
        low, high = _range(labels)
        outside = low < 0 or (classes is not None and high >= classes)
    if outside:
        hint = ""
        if low == -1 and "ignore_class" in type(loss)._fields and ignored is None:
            hint = " To leave out samples marked -1, write `SparseCategoricalCrossentropy(ignore_class=-1)`."
        elif low == 1 and high == classes:
            hint = " Ids start at 0: write `y - 1`."
        elif low >= 0:
            hint = f" Give the last layer {int(high) + 1} units, or relabel the classes."
        raise InputError(
            f"Targets of {where} are class ids from {low:g} to {high:g}, but its predictions have {classes} classes,"
            f" 0 to {classes - 1 if classes else '...'}.{hint}"
        )
    if y_true.dtype.kind == "f" and y_true.size and not np.array_equal(y_true, np.floor(y_true), equal_nan=True):
        raise InputError(f"Targets of {where} are not whole numbers; {loss.name} needs class ids.")


def _id_sequence(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    if y_true.ndim != 2 or len(y_pred_shape) != 3:
        _fail(y_true, y_pred_shape, where, "ctc needs class ids (batch, labels) and logits (batch, time, classes).")
    _check_ids(loss, y_true, y_pred_shape[-1], where)


def _label(loss: PairLoss, y_true: np.ndarray, y_pred_shape: Shape, where: str) -> None:
    if _features(y_true.shape) != () or len(y_pred_shape) != 2:
        _fail(y_true, y_pred_shape, where, f"{loss.name} needs labels (batch,) and embeddings (batch, features).")


def _range(y_true: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest finite target; (0, 0) if there is none."""
    if not y_true.size:
        return 0.0, 0.0
    low, high = float(np.min(y_true)), float(np.max(y_true))
    if np.isnan(low) or np.isnan(high):
        finite = y_true[np.isfinite(y_true)]
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high


_CHECKS: Mapping[str, Callable[[PairLoss, np.ndarray, Shape, str], None]] = {
    "same": _same,
    "probability": _probability,
    "one_hot": _one_hot,
    "class_id": _class_id,
    "id_sequence": _id_sequence,
    "label": _label,
}
