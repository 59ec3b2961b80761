"""Spectrograms: how strong each frequency of a signal is at each time."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config, initializers, lowering
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import Shape, show_tensors
from jkeras.ops.mathematics import stft
from jkeras.types import Array, DataFormatField, Float
from jkeras.values.fields import field

POSITIVE = arguments.between(0, float("inf"), open_low=True)
# The mel scale: m = 1127 ln(1 + f / 700) for frequencies f in hertz.
MEL_FACTOR, MEL_BREAK = 1127.0, 700.0


def _kernel_window(value: object) -> Any:
    """A window that `initializers.STFT` makes kernels of."""
    try:
        return initializers.STFT("real", value).window
    except ArgumentError:
        raise ArgumentError(
            "expected a name that `scipy.signal.get_window` knows, the values of a window, or None"
        ) from None


def _frame_window(value: object) -> Any:
    """A window that `ops.stft` multiplies frames with."""
    if value is None or (isinstance(value, str) and value in ("hann", "hamming")):
        return value
    try:
        values = arguments.array(value)
    except ArgumentError:
        values = None
    if values is None or values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ArgumentError("expected 'hann', 'hamming', the values of a window, or None")
    return tuple(values.tolist())


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of signals, as a convolution whose kernels can be trained.

    Shapes: `(batch, time, channels)`, or `(batch, channels, time)` for "channels_first", to `(batch, frames, channels *
    frequencies)` or `(batch, channels * frequencies, frames)`; with `expand_dims` `(batch, frames, frequencies, channels)` or
    `(batch, channels, frames, frequencies)`.

    Args:
        mode: "log", "magnitude" or "psd" (power) of each frequency; "real", "imag", "angle"; or "stft", the real parts and
            then the imaginary ones.
        frame_length: the length of a frame, in samples.
        frame_step: between frames; None is half their length.
        fft_length: None is the next power of two.
        window: a name that `scipy.signal.get_window` knows, the values of a window, or None.
        periodic: whether a named window is periodic rather than symmetric.
        scaling: "density", "spectrum" or None, see `initializers.STFT`.
        padding: "valid" or "same".
        expand_dims: whether frequencies have a separate axis.
        data_format: "channels_last" or "channels_first".

    Raises:
        ArgumentError: the step is longer than a frame, or `fft_length` shorter.

    >>> STFTSpectrogram(frame_length=8).compute_output_shape((None, 32, 1))
    (None, 7, 5)
    """

    mixes_samples: ClassVar[bool | None] = False

    mode: str = field(
        default="log", convert=arguments.one_of("log", "magnitude", "psd", "real", "imag", "angle", "stft")
    )
    frame_length: int = field(default=256, convert=arguments.at_least(2))
    frame_step: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    fft_length: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    window: Any = field(default="hann", convert=_kernel_window)
    periodic: bool = field(default=False, convert=arguments.boolean)
    scaling: str | None = field(default="density", convert=arguments.one_of("density", "spectrum", None))
    padding: str = field(default="valid", convert=arguments.one_of("valid", "same"))
    expand_dims: bool = field(default=False, convert=arguments.boolean)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def __post_init__(self) -> None:
        if self.frame_step is not None and self.frame_step > self.frame_length:
            raise ArgumentError(
                f"STFTSpectrogram(frame_step={self.frame_step}, frame_length={self.frame_length}): expected a `frame_step` that"
                " is not greater than `frame_length`."
            )
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise ArgumentError(
                f"STFTSpectrogram(fft_length={self.fft_length}, frame_length={self.frame_length}): expected an `fft_length` that"
                " is not less than `frame_length`."
            )
        if self.fft_length is not None and self.fft_length & (self.fft_length - 1):
            warnings.warn(
                f"`fft_length` is recommended to be a power of two. Received fft_length={self.fft_length}", stacklevel=2
            )

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=3)

    @property
    def frequencies(self) -> int:
        """How many frequencies there are."""
        length = self.fft_length or 1 << (self.frame_length - 1).bit_length()
        return length // 2 + 1

    def _kernel_of(self, side: str) -> initializers.Initializer:
        return initializers.STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, self.frequencies)
        if self.mode != "imag":
            self.real_kernel: Any = self.add_weight(shape, self._kernel_of("real"), name="real_kernel")
        if self.mode != "real":
            self.imag_kernel: Any = self.add_weight(shape, self._kernel_of("imag"), name="imag_kernel")

    def call(self, inputs: Float[Array, "batch _ _"]) -> Float[Array, "..."]:
        if str(inputs.dtype) not in ("float16", "float32", "float64"):
            raise SignalTypeError(
                f"{self._place} (STFTSpectrogram): expected `float16`, `float32` or `float64`; got {show_tensors(inputs)}."
            )
        signals = inputs.transpose(0, 2, 1) if self.data_format == "channels_last" else inputs
        return self._arranged(self._transformed(signals))

    def _transformed(self, signals: Array) -> jax.Array:
        """The requested values, `(batch, channels, frames, frequencies)`."""
        if self.mode == "real":
            return self._convolved(signals, self.real_kernel)
        if self.mode == "imag":
            return self._convolved(signals, self.imag_kernel)
        both = self._convolved(signals, jnp.concatenate([self.real_kernel, self.imag_kernel], axis=-1))
        if self.mode == "stft":
            return both
        real, imag = jnp.split(both, 2, axis=-1)
        if self.mode == "angle":
            return jnp.arctan2(imag, real)
        power = real**2 + imag**2
        if self.mode == "psd":
            # The frequencies that a real signal has twice.
            return power * jnp.ones(self.frequencies, power.dtype).at[1:-1].set(2)
        magnitude = jnp.sqrt(jnp.maximum(power, config.epsilon()))
        return magnitude if self.mode == "magnitude" else jnp.log(jnp.maximum(magnitude, config.epsilon()))

    def _convolved(self, signals: Array, kernel: Array) -> jax.Array:
        count, channels, time = signals.shape
        step = self.frame_step or self.frame_length // 2
        frames = lowering.conv(
            signals.reshape(count * channels, time, 1),
            kernel.astype(signals.dtype),
            strides=(step,),
            padding=self.padding,
            dilation=(1,),
        )
        return frames.reshape(count, channels, *frames.shape[1:])

    def _arranged(self, frames: Array) -> jax.Array:
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return frames.transpose(0, 2, 3, 1) if last else frames
        count, channels, length, frequencies = frames.shape
        if last:
            return frames.transpose(0, 2, 1, 3).reshape(count, length, channels * frequencies)
        return frames.transpose(0, 1, 3, 2).reshape(count, channels * frequencies, length)


class SignalTypeError(InputError, TypeError):
    """A signal is of a type that has no Fourier transform here."""


class MelSpectrogram(Layer):
    """Spectrograms on the mel scale, which follows how people hear pitch.

    Shapes: `(time,)` or `(batch, time)` to `(mel_bins, frames)` or `(batch, mel_bins, frames)`.

    Args:
        fft_length: the length of the Fourier transform of a frame.
        sequence_stride: between frames, in samples.
        sequence_length: the length of the window in a frame; None is `fft_length`.
        window: "hann", "hamming", the values of a window, or None.
        sampling_rate: samples per second.
        num_mel_bins: how many bands.
        min_freq: the lower edge of the first band, in hertz.
        max_freq: the upper edge of the last band; None means half the sampling rate.
        power_to_db: whether the result is in decibels.
        top_db: the largest distance of values below the maximum, in decibels.
        mag_exp: the power of the magnitudes.
        min_power: the least power, for the logarithm.
        ref_power: the power that is 0 decibels.

    Raises:
        ArgumentError: `fft_length` is less than `sequence_length`.

    >>> MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4).compute_output_shape((None, 64))
    (None, 4, 9)
    """

    mixes_samples: ClassVar[bool | None] = True  # by the greatest value

    fft_length: int = field(default=2048, convert=arguments.positive_int)
    sequence_stride: int = field(default=512, convert=arguments.positive_int)
    sequence_length: int | None = field(default=None, convert=arguments.optional(arguments.positive_int))
    window: Any = field(default="hann", convert=_frame_window)
    sampling_rate: Any = field(default=16000, convert=POSITIVE)
    num_mel_bins: int = field(default=128, convert=arguments.positive_int)
    min_freq: float = field(default=20.0, convert=arguments.non_negative)
    max_freq: float | None = field(default=None, convert=arguments.optional(POSITIVE))
    power_to_db: bool = field(default=True, convert=arguments.boolean)
    top_db: float = field(default=80.0, convert=arguments.number)
    mag_exp: float = field(default=2.0, convert=arguments.number)
    min_power: float = field(default=1e-10, convert=POSITIVE)
    ref_power: float = field(default=1.0, convert=arguments.number)

    def __post_init__(self) -> None:
        own = vars(self)
        own["sequence_length"] = self.sequence_length or self.fft_length
        own["max_freq"] = self.max_freq or int(self.sampling_rate / 2)
        if self.fft_length < own["sequence_length"]:
            raise ArgumentError(
                f"MelSpectrogram(fft_length={self.fft_length}, sequence_length={self.sequence_length}): `fft_length` must be"
                " greater than or equal to `sequence_length`."
            )
        if not self.min_freq < own["max_freq"]:
            raise ArgumentError(
                f"MelSpectrogram(min_freq={self.min_freq}, max_freq={self.max_freq}): `min_freq` must be less than `max_freq`."
            )

    def known_output(self, inputs: Shape) -> Shape | None:
        """By the number of samples."""
        if len(inputs.shape) not in (1, 2):
            return None
        time = inputs.shape[-1]
        frames = (
            None if time is None else (time + 2 * (self.fft_length // 2) - self.fft_length) // self.sequence_stride + 1
        )
        return Shape((*inputs.shape[:-1], self.num_mel_bins, frames), inputs.dtype)

    def call(self, inputs: Float[Array, "*batch time"]) -> Float[Array, "*batch mel_bins frames"]:
        inputs = jnp.asarray(inputs)
        if inputs.ndim not in (1, 2):
            raise InputError(
                f"{self._place} (MelSpectrogram) takes signals (time,) or (batch, time); got {show_tensors(inputs)}."
            )
        exact = inputs.astype("float64" if self.compute_dtype == "float64" else "float32")
        length = self.sequence_length or self.fft_length
        real, imag = stft(exact, length, self.sequence_stride, self.fft_length, self.window, center=True)
        magnitude = jnp.sqrt(real**2 + imag**2) ** self.mag_exp
        bands = jnp.tensordot(magnitude, self._bands().astype(magnitude.dtype), axes=1)
        result = self._decibels(bands) if self.power_to_db else bands
        return jnp.swapaxes(result, -1, -2).astype(self.compute_dtype)

    def _decibels(self, power: Array) -> jax.Array:
        level = 10 * jnp.log10(jnp.maximum(power, self.min_power))
        level = level - 10 * jnp.log10(jnp.maximum(jnp.abs(jnp.asarray(self.ref_power, level.dtype)), self.min_power))
        return jnp.maximum(level, jnp.max(level) - self.top_db)

    def _bands(self) -> jax.Array:
        """The weights of the frequencies in each band."""
        return self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq
        )

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float | None = 3800.0,
        dtype: str = "float32",
    ) -> jax.Array:
        """Triangles on the mel scale, `(num_spectrogram_bins, num_mel_bins)`, after the Hidden Markov Model Toolkit.

        Args:
            num_mel_bins: how many bands.
            num_spectrogram_bins: how many frequencies.
            sampling_rate: samples per second.
            lower_edge_hertz: where the first band begins.
            upper_edge_hertz: where the last one ends.
            dtype: the dtype of the result.
        """
        frequencies = jnp.linspace(0.0, sampling_rate / 2, num_spectrogram_bins, dtype=dtype)[1:]
        mels = _mel(frequencies)[:, None]
        first, last = (_mel(jnp.asarray(edge, dtype)) for edge in (lower_edge_hertz, upper_edge_hertz))
        edges = jnp.linspace(first, last, num_mel_bins + 2)
        lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (mels - lower) / (center - lower), (upper - mels) / (upper - center)
        return jnp.pad(jnp.maximum(0, jnp.minimum(rising, falling)), [(1, 0), (0, 0)]).astype(dtype)


def _mel(frequencies: Array) -> jax.Array:
    return MEL_FACTOR * jnp.log(1 + frequencies / MEL_BREAK)


__all__ = ["MelSpectrogram", "STFTSpectrogram"]
