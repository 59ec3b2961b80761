"""What an initializer is, and how functions of every usual form become one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Array, DTypeLike, Shape
from jkeras.values.fields import field
from jkeras.values.spec import Spec

KEY_NAMES = frozenset({"key", "rng", "rng_key", "prng_key", "prng", "random_key"})


class Initializer(Spec):
    """Describes the first values of a weight: `initializer(shape, dtype, key)` is a pure function of its arguments.

    A subclass defines `__call__(self, shape, dtype=None, key=None)`; one written for Keras, without `key`, works too.

    >>> class Twos(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 2 * jnp.ones(shape, dtype)
    >>> Twos()((2,), key=jax.random.key(0)).tolist()
    [2.0, 2.0]
    """

    keras_module = "keras.initializers"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("__call__")
        if own is not None and "key" not in inspect.signature(own).parameters:
            cls.__call__ = _taking_a_key(own)  # type: ignore[method-assign]

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        """The initial values.

        Args:
            shape: sizes of the weight's axes.
            dtype: the type of the result; None is `config.floatx()`.
            key: a `jax.random` key, for the initializers that draw; None is a fixed default key.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(self, shape, dtype=None, key=None)`.")

    def program(self, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
        """What the compiled program is shared by that draws values of a shape, with other shapes.

        None: with none. Empty: no program is needed.
        """
        return None

    def clone(self) -> Self:
        """The initializer itself: a value needs no copies."""
        return self


class FunctionInitializer(Initializer):
    """Wraps a function as an initializer.

    The names of its parameters decide how the function is called: `fn(shape)`, `fn(shape, dtype)`, either with a
    parameter `key`, or `fn(key, shape, dtype)` as in `jax.nn.initializers` and Flax.

    Args:
        function: a function of one of these forms that returns an array.

    >>> FunctionInitializer(lambda shape, dtype: 3 * jnp.ones(shape, dtype))((2,)).tolist()
    [3.0, 3.0]
    >>> FunctionInitializer(jax.nn.initializers.ones)((2,)).tolist()
    [1.0, 1.0]

    Raises:
        InputError: when called, if the function returns another shape than asked for.
    """

    function: Callable[..., Any] = field(convert=arguments.function)

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        return call_any_form(self.function, shape, dtype, key)

    def _written_as(self) -> Any:
        return self.function


_size = arguments.at_least(0)


def standard_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape as a tuple of integers; a single integer is a vector's."""
    sizes = (shape,) if isinstance(shape, int) else shape
    return tuple(arguments.checked("initializer", "shape", n, _size) for n in sizes)


def standard_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """The type that an array gets: None is `config.floatx()`, and 64 bits are 32 unless JAX is told to use 64."""
    return jax.dtypes.canonicalize_dtype(config.floatx() if dtype is None else dtype)


def default_key() -> jax.Array:
    """The key of a draw that was given none."""
    return jax.random.key(config.default_seed)


def call_any_form(
    function: Callable[..., Any], shape: Sequence[int], dtype: DTypeLike | None, key: jax.Array | None
) -> jax.Array:
    """Calls an initializer function in the form that its parameters show, and checks what it returns."""
    shape, dtype = standard_shape(shape), standard_dtype(dtype)
    key = default_key() if key is None else key
    args, kwargs = _matching_arguments(function, shape, dtype, key)
    values = jnp.asarray(function(*args, **kwargs), dtype)
    if values.shape != shape:
        name = arguments.name_of(function) or repr(function)
        raise InputError(f"The initializer {name} returned the shape {values.shape} for a weight of shape {shape}.")
    return values


def _matching_arguments(
    function: Callable[..., Any], shape: Shape, dtype: np.dtype[Any], key: Array
) -> tuple[list[Any], dict[str, Any]]:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # functions written in C need not say what they take
        return [shape, dtype], {}
    positional = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = [n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY]
    if len(positional) > 1 and (positional[0] in KEY_NAMES or positional[1] == "shape"):
        args, rest = [key, shape], positional[2:]
    else:
        args, rest = [shape], positional[1:]
    required = [n for n in rest if parameters[n].default is inspect.Parameter.empty]
    if rest and (rest[0] == "dtype" or (rest[0] in required and rest[0] not in KEY_NAMES)):
        args.append(dtype)
        rest = rest[1:]
    known = {"dtype": dtype, **dict.fromkeys(KEY_NAMES, key)}
    kwargs = {n: known[n] for n in (*rest, *keywords) if n in known}
    missing = [n for n in required if n in rest and n not in kwargs]
    if missing:
        raise ArgumentError(
            f"An initializer function needs an argument {missing[0]!r} that nobody gives. The forms are:"
            " fn(shape), fn(shape, dtype), fn(shape, dtype, key) and fn(key, shape, dtype)."
        )
    return args, kwargs


def _taking_a_key(method: Callable[..., Any]) -> Callable[..., jax.Array]:
    @functools.wraps(method)
    def call(
        self: Any, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None
    ) -> jax.Array:
        return call_any_form(functools.partial(method, self), shape, dtype, key)

    return call
