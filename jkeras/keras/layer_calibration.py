"""`GPTQ` and `AWQ` of one layer, which Keras keeps inside: inputs are shown to them, then the kernel is rounded."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, DTypeError, InputError
from jkeras.keras.adapted_weights import QuantizableFacade
from jkeras.keras.variables import unwrap
from jkeras.quantization import configs
from jkeras.quantization.calibrated_modes import CALIBRATED, CalibratedMode, table_of
from jkeras.quantization.gptq import BLOCK


class LayerCalibration:
    """The kernel of one layer in a mode that looks at data.

    Attributes:
        original_layer: the layer.
        layer: the same; None once it was freed.
        config: with what the mode is asked for.
        rows: how many inputs the kernel has as a table.
        columns: how many outputs.
        num_samples: how many inputs were shown.

    Args:
        layer: a built `Dense` or `EinsumDense`; quantised in the mode with the same configuration before its kernel is rounded.
        config: None is the mode's own configuration.

    Raises:
        DTypeError: the layer is of another kind, or its kernel has neither two nor three axes.
    """

    _mode: ClassVar[CalibratedMode]
    # What holds the statistics of the inputs, and how an error calls them.
    _statistics: ClassVar[str]
    _noun: ClassVar[str]

    def __init__(self, layer: Any, config: Any = None):
        name = type(self).__name__
        if not isinstance(layer, QuantizableFacade) or getattr(layer, "kernel", np.zeros(())).ndim not in (2, 3):
            raise DTypeError(f"Unsupported layer type for {name}: {type(layer)}; give a built Dense or EinsumDense.")
        self.original_layer = self.layer = layer
        self.config = config or configs.MODES[self._mode.name](None, None)
        self.kernel_shape = tuple(layer.kernel.shape)
        self.rows, self.columns = table_of(self.kernel_shape)
        self.num_samples = 0
        self._take(self._mode.start(self.rows))

    def _take(self, known: Any) -> None:
        """Keeps what is known of the inputs."""
        setattr(self, self._statistics, known)

    def _known(self) -> Any:
        return getattr(self, self._statistics)

    def _show(self, input_batch: Any) -> None:
        """Adds a batch, `(samples, ..., inputs)`."""
        if input_batch is None:
            raise ArgumentError("Input tensor cannot be None.")
        batch = jnp.asarray(unwrap(input_batch))
        if batch.ndim < 2:
            raise InputError(f"Input tensor must have rank >= 2 (got rank {batch.ndim}).")
        if batch.size == 0:
            raise InputError(f"Input tensor cannot be empty; its shape is {batch.shape}.")
        if batch.shape[-1] != self.rows:
            raise InputError(f"{self._noun} dimensions ({self.rows}) do not match input features ({batch.shape[-1]}).")
        batch = batch.reshape(-1, self.rows)
        self._take(self._mode.update(self._known(), batch))
        self.num_samples += batch.shape[0]

    def _round(self) -> None:
        """Rounds the kernel of the layer."""
        if self.original_layer.quantization_mode != self._mode.name:
            raise ArgumentError(
                f"{type(self).__name__}: layer {self.original_layer.name!r} is not quantised so; call"
                f" `layer.quantize({self._mode.name!r}, config=config)` first."
            )
        self.original_layer.calibrate(self._known(), self.config)

    def free(self) -> None:
        """Forgets the statistics and the layer."""
        setattr(self, self._statistics, None)
        self.layer = None


class GPTQ(LayerCalibration):
    """GPTQ of one layer; `hessian` is the mean of `2 x x^T` over the inputs `x`. See `LayerCalibration`.

    >>> import jkeras.keras as keras
    >>> layer = keras.layers.Dense(2)
    >>> layer.build((None, 3))
    >>> gptq = GPTQ(layer)
    >>> gptq.update_hessian_with_batch(jnp.ones((4, 3)))
    >>> gptq.num_samples, gptq.hessian[0].tolist()
    (4, [2.0, 2.0, 2.0])
    """

    _mode = CALIBRATED["gptq"]
    _statistics = "hessian"
    _noun = "Hessian"

    def _take(self, known: Any) -> None:
        self.hessian = known[0]

    def _known(self) -> Any:
        return self.hessian, self.num_samples

    def update_hessian_with_batch(self, input_batch: Any) -> None:
        """Adds a batch of inputs, `(samples, ..., features)`.

        Raises:
            ArgumentError: it is None.
            InputError: it has no samples, fewer than two axes, or another number of features.
        """
        self._show(input_batch)

    def quantize_and_correct_layer(self, blocksize: int = BLOCK) -> None:
        """Rounds the kernel.

        Args:
            blocksize: how many inputs are rounded before their errors are handed on; 128, as models have it.

        Raises:
            ArgumentError: the layer is not quantised in this mode, or the size of a block is another one.
        """
        if blocksize != BLOCK:
            raise ArgumentError(f"quantize_and_correct_layer(blocksize={blocksize!r}): expected {BLOCK}.")
        self._round()


class AWQ(LayerCalibration):
    """AWQ of one layer; `activation_magnitudes` are the largest absolute values of the inputs. See `LayerCalibration`.

    >>> import jkeras.keras as keras
    >>> layer = keras.layers.Dense(2)
    >>> layer.build((None, 3))
    >>> awq = AWQ(layer)
    >>> awq.update_activation_magnitudes([[1.0, -2.0, 0.0], [0.5, 1.0, 0.0]])
    >>> awq.num_samples, awq.activation_magnitudes.tolist()
    (2, [1.0, 2.0, 0.0])
    """

    _mode = CALIBRATED["awq"]
    _statistics = "activation_magnitudes"
    _noun = "Activation magnitudes"

    def update_activation_magnitudes(self, input_batch: Any) -> None:
        """Adds a batch of inputs; raises as `GPTQ.update_hessian_with_batch` does."""
        self._show(input_batch)

    def quantize_layer(self) -> None:
        """Rounds the kernel; raises as `GPTQ.quantize_and_correct_layer` does."""
        self._round()


__all__ = ["AWQ", "GPTQ"]
