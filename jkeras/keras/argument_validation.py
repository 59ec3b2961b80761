"""Argument checks under Keras's names, for libraries that import Keras's internals."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from jkeras.errors import ArgumentError


def standardize_tuple(value: int | Iterable[int], n: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """One integer for every axis, as `kernel_size` and `strides` are written.

    Args:
        value: one integer for all axes, or one for each.
        n: the number of axes.
        name: the argument's name, for the error.
        allow_zero: whether 0 is a size.

    Raises:
        ArgumentError: the number of integers is not `n`, or one is too small or no integer.

    >>> standardize_tuple(3, 2, "kernel_size"), standardize_tuple([1, 2], 2, "strides")
    ((3, 3), (1, 2))
    """
    message = f"The `{name}` argument must be a tuple of {n} integers. Received {name}={value}"
    if isinstance(value, int):
        sizes: tuple[int, ...] = (value,) * n
    else:
        try:
            sizes = tuple(value)
        except TypeError:
            raise ArgumentError(message) from None
    if len(sizes) != n:
        raise ArgumentError(message)
    for size in sizes:
        try:
            int(size)
        except (TypeError, ValueError):
            raise ArgumentError(f"{message}, including element {size} of type {type(size)}") from None
    smallest = 0 if allow_zero else 1
    small = {size for size in sizes if size < smallest}
    if small:
        bound = ">= 0" if allow_zero else "> 0"
        raise ArgumentError(f"{message}, including values {small} that do not satisfy `value {bound}`")
    return sizes


def standardize_padding(value: Any, allow_causal: bool = False) -> Any:
    """A padding by name in lower case; pairs of sizes as they are.

    Args:
        value: "valid", "same", or sizes.
        allow_causal: whether "causal" is a name, too.

    Raises:
        ArgumentError: another name.

    >>> standardize_padding("SAME")
    'same'
    """
    if isinstance(value, (list, tuple)):
        return value
    names = {"valid", "same", "causal"} if allow_causal else {"valid", "same"}
    if value.lower() not in names:
        raise ArgumentError(
            f"The `padding` argument must be a list/tuple or one of {sorted(names)}. Received: {value.lower()}"
        )
    return value.lower()


def validate_string_arg(
    value: Any,
    allowable_strings: Collection[str],
    caller_name: str,
    arg_name: str,
    allow_none: bool = False,
    allow_callables: bool = False,
) -> None:
    """Refuses names that an argument does not have.

    Args:
        value: the argument.
        allowable_strings: the names that it may be.
        caller_name: who has the argument, for the error.
        arg_name: what the argument is called, for the error.
        allow_none: whether it may be None.
        allow_callables: whether it may be a function.

    Raises:
        ArgumentError: it is none of these.

    >>> validate_string_arg("sum", {"sum", "mean"}, "MyLayer", "reduction")
    """
    if (allow_none and value is None) or (allow_callables and callable(value)):
        return
    if not (isinstance(value, str) and value in allowable_strings):
        raise ArgumentError(
            f"Unknown value for `{arg_name}` argument of {caller_name}. Allowed values are: {allowable_strings}."
            f" Received: {arg_name}={value}"
        )
