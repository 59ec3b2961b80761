"""Initializers whose values do not depend on a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, constants
from jkeras.errors import ArgumentError, InputError
from jkeras.initializers.base import Initializer, standard_dtype, standard_shape
from jkeras.types import DTypeLike
from jkeras.values.fields import field


class Zeros(Initializer):
    """All zeros.

    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        return constants.full(standard_shape(shape), 0, standard_dtype(dtype))

    def program(self, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
        """See `Initializer.program`."""
        return () if constants.is_made_on_host(shape) else None


class Ones(Initializer):
    """All ones.

    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        return constants.full(standard_shape(shape), 1, standard_dtype(dtype))

    def program(self, shape: tuple[int, ...]) -> tuple[Any, ...] | None:
        """See `Initializer.program`."""
        return () if constants.is_made_on_host(shape) else None


def _constant_value(value: object) -> Any:
    """Numbers stay; lists become tuples and arrays private copies, so that nobody can change them afterwards."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bool, int, float, complex)):
        return value
    try:
        array = np.array(value)
    except ValueError:
        raise ArgumentError("expected a number or an array") from None
    if array.dtype.kind in "OUSM":
        raise ArgumentError("expected a number or an array")
    if isinstance(value, (tuple, list)):
        return _tuples(array.tolist())
    array.flags.writeable = False
    return array


def _tuples(value: object) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


class Constant(Initializer):
    """The same value everywhere, or the values of an array of the weight's shape, such as a table of trained embeddings.

    Args:
        value: a number, or an array (or nested lists) of the weight's shape.

    >>> Constant(7.0)((2,)).tolist()
    [7.0, 7.0]
    >>> Constant([1.0, 2.0])((2,)).tolist()
    [1.0, 2.0]

    Raises:
        InputError: when called, if the value is an array and the weight has another shape.
    """

    value: Any = field(default=0.0, convert=_constant_value)

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        shape, dtype = standard_shape(shape), standard_dtype(dtype)
        value = jnp.asarray(self.value, dtype)
        if value.ndim and value.shape != shape:
            raise InputError(
                f"An initial value of shape {value.shape} was given for a weight of shape {shape};"
                " give an array of exactly that shape (`numpy.broadcast_to` makes one), or a number."
            )
        return jnp.full(shape, value, dtype) if not value.ndim else value

    def get_config(self) -> dict[str, Any]:
        if not isinstance(self.value, np.ndarray):
            return super().get_config()
        array = {"value": self.value.tolist(), "dtype": self.value.dtype.name}
        return {"value": {"class_name": "__numpy__", "config": array}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        value = config.get("value", 0.0)
        if isinstance(value, Mapping):  # how Keras writes an array ("__numpy__") or a tensor ("__tensor__")
            value = np.asarray(value["config"]["value"], dtype=value["config"]["dtype"])
        return cls(value)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zero elsewhere.

    Args:
        gain: the value on the diagonal.

    >>> Identity(2.0)((2, 2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]

    Raises:
        InputError: when called for a weight that is not a matrix.
    """

    gain: float = field(default=1.0, convert=arguments.number)

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        shape = standard_shape(shape)
        if len(shape) != 2:
            raise InputError(f"Identity makes matrices; a weight of shape {shape} has {len(shape)} axes.")
        return jnp.asarray(self.gain * jnp.eye(*shape, dtype=jnp.float32), standard_dtype(dtype))


def _window(value: object) -> Any:
    if value is None or isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ArgumentError("expected the name of a window, its values, or None")
    return tuple(array.tolist())


class STFT(Initializer):
    """Kernels of a convolution that computes one side of the short-time Fourier transform.

    Args:
        side: "real" or "imag".
        window: a name that `scipy.signal.get_window` knows, the values of a window (frame_length,), or None.
        scaling: "density" divides by the window's L2 norm, "spectrum" by its L1 norm, None by nothing.
        periodic: whether a named window is periodic rather than symmetric.

    The shape asked for is (frame_length, 1, fft_length // 2 + 1).

    >>> STFT(window=None)((2, 1, 2)).round(3).tolist()
    [[[1.0, 1.0]], [[1.0, -1.0]]]

    Raises:
        InputError: when called, if the shape has not three axes, or the window has another length.
    """

    side: str = field(default="real", convert=arguments.one_of("real", "imag"))
    window: Any = field(default="hann", convert=_window)
    scaling: str | None = field(default="density", convert=arguments.one_of("density", "spectrum", None))
    periodic: bool = field(default=False, convert=arguments.boolean)

    def __post_init__(self) -> None:
        if isinstance(self.window, str):
            _named_window(self.window, 1, self.periodic)

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        shape = standard_shape(shape)
        if len(shape) != 3:
            raise InputError(f"STFT makes kernels (frame_length, 1, frequencies); got the shape {shape}.")
        frame_length, _, frequencies = shape
        # The order of these roundings decides the last digits; it is Keras's.
        frequency = jnp.arange(frequencies, dtype=jnp.float32) / (2 * (frequencies - 1))
        time = jnp.arange(frame_length, dtype=jnp.float32).reshape(-1, 1, 1)
        angle = (-2 * time) * frequency * jnp.arccos(jnp.float32(-1))
        kernel = jnp.cos(angle) if self.side == "real" else jnp.sin(angle)
        if self.window is not None:
            kernel = self._windowed(kernel, frame_length)
        return jnp.broadcast_to(kernel, shape).astype(standard_dtype(dtype))

    def _windowed(self, kernel: jax.Array, frame_length: int) -> jax.Array:
        if isinstance(self.window, str):
            values = _named_window(self.window, frame_length, self.periodic)
        else:
            values = np.asarray(self.window)
        if values.shape != (frame_length,):
            raise InputError(f"STFT has a window of {len(values)} values for frames of length {frame_length}.")
        window = jnp.asarray(values, jnp.float32).reshape(-1, 1, 1)
        if self.scaling == "density":
            return kernel * window / jnp.sqrt(jnp.sum(jnp.square(window)))
        if self.scaling == "spectrum":
            return kernel * window / jnp.sum(jnp.abs(window))
        return kernel * window


def _named_window(name: str, length: int, periodic: bool) -> np.ndarray:
    from scipy import signal  # takes longer to import than the rest of jkeras, and few models use it

    try:
        result: np.ndarray = signal.get_window(name, length, periodic)
        return result
    except ValueError as error:
        raise ArgumentError(f"STFT(window={name!r}): {error}") from None
