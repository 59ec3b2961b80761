"""Linear algebra, Fourier transforms, complex numbers and special functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.allowance import OPERATION, charge
from jkeras.dispatch import thin
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Axis, DTypeLike, TensorLike

# -- linear algebra ---------------------------------------------------------------------------------------------------


def cholesky(x: TensorLike, upper: bool = False) -> jax.Array:
    """The triangular square root of a positive definite matrix.

    Raises:
        InputError: the matrix is concrete and not positive definite.
    """
    result: jax.Array = jnp.linalg.cholesky(jnp.asarray(x), upper=upper)
    if not isinstance(result, jax.core.Tracer) and bool(jnp.isnan(result).any()):
        raise InputError("ops.cholesky: the matrix is not positive definite.")
    return result


def cholesky_inverse(x: TensorLike, upper: bool = False) -> jax.Array:
    """The inverse of the matrix whose triangular square root is given."""
    x = jnp.asarray(x)
    ones = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    root = jax.scipy.linalg.solve_triangular(x, ones, lower=not upper)
    return root @ root.mT if upper else root.mT @ root


def lu_factor(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """The LU factors in one matrix, and the pivots."""
    return tuple(jax.scipy.linalg.lu_factor(jnp.asarray(x)))


def norm(x: TensorLike, ord: Any = None, axis: Axis | None = None, keepdims: bool = False) -> jax.Array:
    """The norm of vectors or matrices."""
    x = jnp.asarray(x)
    x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())
    result: jax.Array = jnp.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)
    return result


def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> jax.Array:
    """The least-squares solution of `a @ x = b`."""
    return jnp.linalg.lstsq(jnp.asarray(a), jnp.asarray(b), rcond=rcond)[0]


def matrix_rank(x: TensorLike, tol: float | None = None) -> jax.Array:
    """The number of singular values above a tolerance.

    Raises:
        InputError: the array has less than two axes.
    """
    x = jnp.asarray(x)
    if x.ndim < 2:
        raise InputError(f"ops.matrix_rank: expected matrices, at least 2 axes; got an array of shape {x.shape}.")
    result: jax.Array = jnp.linalg.matrix_rank(x, rtol=tol).astype("int32")
    return result


def qr(x: TensorLike, mode: str = "reduced") -> tuple[jax.Array, jax.Array]:
    """The QR factors.

    Raises:
        ArgumentError: the mode is neither "reduced" nor "complete".
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"ops.qr(mode={mode!r}): expected 'reduced' or 'complete'.")
    return tuple(jnp.linalg.qr(jnp.asarray(x), mode=mode))


def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition."""
    result = jnp.linalg.svd(jnp.asarray(x), full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(result) if compute_uv else result


def _pair(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: TensorLike) -> tuple[jax.Array, jax.Array]:
        """Eigenvalues and eigenvectors."""
        return tuple(function(jnp.asarray(x)))

    return call


def logdet(x: TensorLike) -> jax.Array:
    """The logarithm of the absolute value of a determinant."""
    result: jax.Array = jnp.linalg.slogdet(jnp.asarray(x))[1]
    return result


def cdist(x: TensorLike, y: TensorLike) -> jax.Array:
    """The Euclidean distances between all rows.

    Raises:
        InputError: rows of different lengths.
    """
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.shape[-1:] != y.shape[-1:]:
        raise InputError(f"ops.cdist: expected rows of one length; got arrays of the shapes {x.shape} and {y.shape}.")
    return jnp.sqrt(jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1))


# -- Fourier transforms: complex numbers are pairs (real, imaginary) --------------------------------------------------


def _complex(x: TensorLike) -> jax.Array:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentError("expected a pair of arrays, real and imaginary part")
    return jax.lax.complex(*(jnp.asarray(part) for part in x))


def _parts(z: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.real(z), jnp.imag(z)


def fft(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """The Fourier transform along the last axis."""
    return _parts(jnp.fft.fft(_complex(x)))


def fft2(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """The Fourier transform along the last two axes."""
    return _parts(jnp.fft.fft2(_complex(x)))


def ifft2(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """The inverse of `fft2`."""
    return _parts(jnp.fft.ifft2(_complex(x)))


def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[jax.Array, jax.Array]:
    """The Fourier transform of a real signal, without the redundant half."""
    return _parts(jnp.fft.rfft(jnp.asarray(x), n=fft_length))


def irfft(x: TensorLike, fft_length: int | None = None) -> jax.Array:
    """The inverse of `rfft`."""
    return jnp.fft.irfft(_complex(x), n=fft_length)


def _check_stride(stride: object) -> None:
    if not isinstance(stride, (int, np.integer)) or stride < 1:
        raise ArgumentError(f"expected sequence_stride of at least 1, an integer, got {stride!r}")


def _window(window: Any, length: int, fft_length: int, dtype: DTypeLike | None) -> jax.Array:
    if fft_length < length:
        raise ArgumentError(f"expected fft_length of at least sequence_length={length}, got {fft_length}")
    if window is None:
        return jnp.ones(fft_length, dtype)
    if isinstance(window, str):
        shares = {"hann": 0.5, "hamming": 0.54}
        if window not in shares:
            raise ArgumentError(f"window={window!r}: expected 'hann', 'hamming', None or an array")
        share = shares[window]
        charge(length, "numbers in a window", 8)
        window = share - (1 - share) * np.cos(2 * np.pi * np.arange(length) / length)
    window = jnp.asarray(window, dtype)
    if window.shape != (length,):
        raise ArgumentError(f"expected a window of shape ({length},), got {window.shape}")
    left = (fft_length - length) // 2
    return jnp.pad(window, (left, fft_length - length - left))


def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[jax.Array, jax.Array]:
    """The short-time Fourier transform, `(..., time)` to two arrays `(..., windows, fft_length // 2 + 1)`."""
    _check_stride(sequence_stride)
    x = jnp.asarray(x)
    charge(fft_length // (x.shape[-1] or 1), "reflections at the ends of a signal", OPERATION)
    weights = _window(window, sequence_length, fft_length, x.dtype)
    if center:
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2], mode="reflect")
    starts = jnp.arange(0, x.shape[-1] - fft_length + 1, sequence_stride)
    frames = x[..., starts[:, None] + jnp.arange(fft_length)]
    return _parts(jnp.fft.rfft(frames * weights))


def istft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> jax.Array:
    """The inverse of `stft`: windows are overlapped, added and divided by the overlapped squares of the window.

    As in Keras, the result without a window is `fft_length / sequence_stride` times the signal.
    """
    _check_stride(sequence_stride)
    frames = jnp.fft.irfft(_complex(x), n=fft_length)
    weights = _window(window, sequence_length, fft_length, frames.dtype)
    count = frames.shape[-2]
    total = fft_length + sequence_stride * (count - 1)
    places = jnp.arange(count)[:, None] * sequence_stride + jnp.arange(fft_length)
    signal = jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames * weights)
    overlap = jnp.zeros(total, frames.dtype).at[places].add(jnp.square(weights))
    signal = signal / jnp.where(overlap > 1e-10, overlap, 1)
    if window is None:
        signal = signal * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    stop = start + length if length is not None else total - start
    return signal[..., start:stop]


def view_as_complex(x: TensorLike) -> jax.Array:
    """Complex numbers from pairs along the last axis.

    Raises:
        InputError: the last axis holds no pairs.
    """
    x = jnp.asarray(x)
    if x.shape[-1:] != (2,):
        raise InputError(f"ops.view_as_complex: expected pairs along the last axis; got an array of shape {x.shape}.")
    return jax.lax.complex(x[..., 0], x[..., 1])


def view_as_real(x: TensorLike) -> jax.Array:
    """Pairs along a new last axis from complex numbers."""
    return jnp.stack(_parts(jnp.asarray(x)), axis=-1)


def polar(abs_: TensorLike, angle: TensorLike) -> jax.Array:
    """Complex numbers from absolute values and angles."""
    abs_, angle = jnp.asarray(abs_), jnp.asarray(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function and its derivative in a direction.

    Args:
        fun: a differentiable function.
        primals: its arguments, as a tuple.
        tangents: the direction, a tuple of arrays like the arguments.
        has_aux: whether the function returns a pair of a value and data that are not differentiated.

    >>> tuple(part.item() for part in jvp(lambda x: x**2, (3.0,), (1.0,)))
    (9.0, 6.0)
    """
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)


TABLE: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(cholesky, cholesky_inverse, lu_factor, norm, lstsq, matrix_rank, qr, svd, logdet, cdist, fft, fft2, ifft2),
        *(rfft, irfft, stft, istft, view_as_complex, view_as_real, polar),
    )
}
TABLE |= {
    "det": thin("det", "x", jnp.linalg.det),
    "eig": _pair(jnp.linalg.eig),
    "eigh": _pair(jnp.linalg.eigh),
    "erf": thin("erf", "x", jax.scipy.special.erf),
    "erfc": thin("erfc", "x", jax.scipy.special.erfc),
    "erfinv": thin("erfinv", "x", jax.scipy.special.erfinv),
    "inv": thin("inv", "x", jnp.linalg.inv),
    "logsumexp": thin("logsumexp", "x axis=None keepdims=False", jax.scipy.special.logsumexp),
    "pinv": thin("pinv", "x rcond=None", lambda x, rcond: jnp.linalg.pinv(x, rtol=rcond)),
    "rsqrt": thin("rsqrt", "x", jax.lax.rsqrt),
    "solve": thin("solve", "a b", jnp.linalg.solve),
    "solve_triangular": thin("solve_triangular", "a b lower=False", jax.scipy.linalg.solve_triangular),
}
PLAIN: dict[str, Callable[..., Any]] = {"jvp": jvp}
