"""`keras.backend`: settings, dtypes, and the functions of the old `K`, such as `K.mean(x)`, for older scripts."""

from __future__ import annotations

import gc
from typing import Any

import jax

from jkeras import backend as _functions
from jkeras.errors import suggestion
from jkeras.keras import config as _config
from jkeras.keras.config import backend as backend
from jkeras.keras.dtypes import result_type as result_type
from jkeras.keras.dtypes import standardize_dtype as standardize_dtype
from jkeras.keras.dtypes import standardize_shape as standardize_shape
from jkeras.keras.inference import infer_output_spec as compute_output_spec  # noqa: F401
from jkeras.keras.modules import own_names
from jkeras.keras.naming import get_uid as get_uid
from jkeras.keras.naming import reset_uids
from jkeras.keras.seeds import reset_global_seed_generator
from jkeras.keras.tensor import KerasTensor as KerasTensor
from jkeras.keras.tensor import is_keras_tensor as is_keras_tensor
from jkeras.keras.variables import Variable as Variable
from jkeras.lazy import named

SUPPORTS_SPARSE_TENSORS = False
SUPPORTS_RAGGED_TENSORS = False
IS_THREAD_SAFE = True

# Names from modules that depend on this one.
_ELSEWHERE = {
    "JAXTrainer": "jkeras.keras.trainer:Trainer",
    "get_keras_mask": "jkeras.keras.masks:mask_of",
    "set_keras_mask": "jkeras.keras.masks:set_mask",
    "AutocastScope": "jkeras.keras.scopes:AutocastScope",
    "StatelessScope": "jkeras.keras.variables:StatelessScope",
    **dict.fromkeys(
        ("compute_conv_transpose_output_shape", "compute_conv_transpose_padding_args_for_jax"),
        "jkeras.keras.transposed_sizes",
    ),
    "in_stateless_scope": "jkeras.keras.variables:in_stateless_scope",
    "in_symbolic_scope": "jkeras.keras.variables:in_symbolic_scope",
}


def device(device_name: str) -> Any:
    """A context in which arrays are created on a device, such as `"cpu:0"`."""
    kind, _, number = device_name.lower().removeprefix("/").removeprefix("device:").partition(":")
    return jax.default_device(jax.devices({"gpu": "cuda"}.get(kind, kind))[int(number or 0)])


def random_seed_dtype() -> str:
    """The dtype of the states of seed generators."""
    return "uint32"


def clear_session(free_memory: bool = True) -> None:
    """Resets automatic names, the generator for unseeded random functions and the dtype policy.

    Args:
        free_memory: whether to collect garbage immediately.
    """
    reset_uids()
    reset_global_seed_generator()
    _config.reset()
    if free_memory:
        gc.collect()


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is a floating-point dtype."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is a signed or unsigned integer dtype."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _ELSEWHERE:
        return named(_ELSEWHERE[name], name)
    for home in (_config, _functions):
        if hasattr(home, name):
            return getattr(home, name)
    raise AttributeError(f"keras.backend has no {name!r}.{suggestion(name, dir(_functions))} See keras.ops.")


__all__ = own_names(__name__, _ELSEWHERE, own_names(_functions.__name__))
