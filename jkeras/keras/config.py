"""`keras.config`: process-wide settings."""

from __future__ import annotations

from typing import Any

from jkeras import config as _config
from jkeras.config import disable_traceback_filtering as disable_traceback_filtering
from jkeras.config import enable_traceback_filtering as enable_traceback_filtering
from jkeras.config import epsilon as epsilon
from jkeras.config import floatx as floatx
from jkeras.config import image_data_format as image_data_format
from jkeras.config import is_traceback_filtering_enabled as is_traceback_filtering_enabled
from jkeras.config import set_epsilon as set_epsilon
from jkeras.config import set_floatx as set_floatx
from jkeras.config import set_image_data_format as set_image_data_format
from jkeras.config import standardize_data_format as standardize_data_format
from jkeras.errors import ArgumentError
from jkeras.keras.deserialization import enable_unsafe_deserialization as enable_unsafe_deserialization
from jkeras.keras.dtype_policies import dtype_policy as dtype_policy
from jkeras.keras.dtype_policies import set_dtype_policy as set_dtype_policy
from jkeras.keras.modules import own_names

_limits: dict[str, int | None] = {"epochs": None, "steps_per_epoch": None}


def backend() -> str:
    """The name of the backend, always "jax"."""
    return "jax"


def set_backend(backend: str) -> None:
    """Accepts only "jax".

    Raises:
        ArgumentError: it is another backend.
    """
    if backend != "jax":
        raise ArgumentError(f"set_backend({backend!r}): jkeras runs only on JAX.")


def max_epochs() -> int | None:
    """The limit on the epochs of `fit`, or None."""
    return _limits["epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`; None removes the limit."""
    _limits["epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """The limit on the steps of an epoch, or None."""
    return _limits["steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of every epoch; None removes the limit."""
    _limits["steps_per_epoch"] = max_steps_per_epoch


def enable_interactive_logging() -> None:
    """Progress of `fit`, `evaluate` and `predict` is shown."""
    _config.interactive_logging = True


def disable_interactive_logging() -> None:
    """Progress of `fit`, `evaluate` and `predict` is not shown, whatever their `verbose`; messages go to the log of `absl`."""
    _config.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is shown."""
    return _config.interactive_logging


def enable_flash_attention() -> None:
    """Allows attention to use a fused kernel, if available."""
    _config.flash_attention = True


def disable_flash_attention() -> None:
    """Disables fused kernels for attention."""
    _config.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Whether attention may use a fused kernel."""
    return _config.flash_attention


def is_nnx_enabled() -> bool:
    """Whether layers are Flax modules: never."""
    return False


def reset() -> None:
    """Resets the settings that `clear_session` resets: the dtype policy."""
    _config.set_dtype_policy_name(None)


def __getattr__(name: str) -> Any:
    """jkeras's settings in addition to Keras's."""
    return getattr(_config, name)


__all__ = own_names(__name__)
