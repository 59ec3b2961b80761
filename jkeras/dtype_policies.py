"""Dtypes for the computation and weights of layers, with the names of `keras.dtype_policies`.

`jkeras.config.dtype_policy` and `set_dtype_policy` are also defined here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras import config, dtypes, registry
from jkeras.dtypes import QUANTIZATION_MODES as QUANTIZATION_MODES
from jkeras.dtypes import AWQDTypePolicy as AWQDTypePolicy
from jkeras.dtypes import DTypePolicy as DTypePolicy
from jkeras.dtypes import GPTQDTypePolicy as GPTQDTypePolicy
from jkeras.dtypes import Int4DTypePolicy as Int4DTypePolicy
from jkeras.dtypes import QuantizedDTypePolicy as QuantizedDTypePolicy
from jkeras.dtypes import QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy
from jkeras.types import DTypePolicyLike
from jkeras.values.config import serialize as serialize_value

# Keras's older name.
FloatDTypePolicy = DTypePolicy


def dtype_policy() -> DTypePolicy:
    """The policy of layers that do not set `dtype`.

    >>> dtype_policy().name
    'float32'
    """
    return DTypePolicy(config.dtype_policy_name())


def set_dtype_policy(policy: DTypePolicyLike) -> None:
    """Sets the policy of layers that do not set `dtype`; None restores the default float type.

    Args:
        policy: a `DTypePolicy`, its name such as `"mixed_bfloat16"`, or a dtype.

    Raises:
        ArgumentError: it does not name a policy.

    >>> set_dtype_policy("mixed_bfloat16")
    >>> dtype_policy().compute_dtype
    'bfloat16'
    >>> set_dtype_policy(None)
    """
    config.set_dtype_policy_name(None if policy is None else get(policy).name)


def get(identifier: DTypePolicyLike) -> DTypePolicy:
    """The policy that a policy, a name, a dtype or a configuration means; None means the default policy.

    Args:
        identifier: a policy, its name, a dtype, a configuration, or None.

    Raises:
        ArgumentError: it does not mean a policy.

    >>> get("mixed_float16").compute_dtype
    'float16'
    """
    return dtypes.get(identifier) or DTypePolicy("float32")


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The JSON-able form of a policy.

    Args:
        dtype_policy: a policy.

    >>> serialize(DTypePolicy("mixed_float16"))["config"]
    {'name': 'mixed_float16'}
    """
    config: dict[str, Any] = serialize_value(dtype_policy)
    return config


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """Restores a policy from the output of `serialize`.

    Args:
        config: the output of `serialize`.
        custom_objects: further classes by name, known during this call only.

    Raises:
        ArgumentError: `config` does not describe a policy.

    >>> deserialize(serialize(DTypePolicy("mixed_float16"))).name
    'mixed_float16'
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
