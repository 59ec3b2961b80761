"""Dtypes for the computation and weights of layers, with the names of `keras.dtype_policies`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, ClassVar

from jkeras import config as settings
from jkeras import dtypes
from jkeras.dtypes import QUANTIZATION_MODES as QUANTIZATION_MODES
from jkeras.dtypes import DTypePolicy as BuiltinPolicy
from jkeras.errors import ArgumentError
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import MutableMeta

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy(BuiltinPolicy, metaclass=MutableMeta):
    """A compute dtype and a dtype of weights.

    Args:
        name: a dtype, `"mixed_float16"` or `"mixed_bfloat16"`; None means the name of the global policy.

    Raises:
        TypeError: the name is not a string.
        ArgumentError: no policy has this name.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    def __init__(self, name: str | None = None):
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                f"'name' must be a string, such as 'mixed_float16'. Received: name={name} (of type {type(name)})"
            )
        try:
            self._types = (_MIXED[name], "float32") if name in _MIXED else (standardize_dtype(name),) * 2
        except ValueError:
            raise ArgumentError(
                f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include 'mixed_float16',"
                " 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
            ) from None
        self._name = name

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of arithmetic and outputs."""
        return self._types[0]

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return self._types[1]

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized; None means not at all."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


FloatDTypePolicy = DTypePolicy


class QuantizedDTypePolicy(DTypePolicy):
    """A policy whose weights are quantised.

    Args:
        mode: the mode; see `jkeras.dtype_policies.QuantizedDTypePolicy`.
        source_name: the policy without quantisation; None means the global policy.

    Raises:
        ArgumentError: the mode is unknown, or does not support the dtype.

    >>> QuantizedDTypePolicy("int8", "float32").quantization_mode
    'int8'
    """

    keras_module = "keras.dtype_policies"
    _value_class: ClassVar[Any] = dtypes.QuantizedDTypePolicy

    def __init__(self, mode: str, source_name: str | None = None, **options: Any):
        source_name = DTypePolicy(source_name).name  # raises an error if it is invalid
        # The policy of the core, which determines the sizes.
        self.value = self._value_class(mode, source_name, **options)
        self._types = (self.value.compute_dtype, self.value.variable_dtype)
        self._name = self.value.name
        self._source_name = source_name

    @property
    def quantization_mode(self) -> str | None:
        return self.value.quantization_mode

    def get_config(self) -> dict[str, Any]:
        return {"mode": self.value.mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """A policy with products in 8-bit floats.

    Args:
        mode: "float8".
        source_name: the policy without quantisation; None means the global policy.
        amax_history_length: the number of steps over which the largest value is taken.
    """

    _value_class: ClassVar[Any] = dtypes.QuantizedFloat8DTypePolicy
    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024):
        super().__init__(mode, source_name, amax_history_length=amax_history_length)

    @property
    def amax_history_length(self) -> int:
        """The number of steps over which the largest value is taken."""
        length: int = self.value.amax_history_length
        return length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class _Sized(QuantizedDTypePolicy):
    """A policy with sizes in the name of its mode."""

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        self.mode = self.value.quantization_mode
        vars(self).update(self.value.sizes)


class Int4DTypePolicy(_Sized):
    """A policy with 4-bit weights, such as `Int4DTypePolicy("int4/128")`; `block_size` inputs share a scale."""

    _value_class: ClassVar[Any] = dtypes.Int4DTypePolicy


class GPTQDTypePolicy(_Sized):
    """A policy with weights rounded by GPTQ: `GPTQDTypePolicy("gptq/4/128")`, with `weight_bits` and `group_size`."""

    _value_class: ClassVar[Any] = dtypes.GPTQDTypePolicy


class AWQDTypePolicy(_Sized):
    """A policy with weights rounded by AWQ: `AWQDTypePolicy("awq/4/128")`, with `weight_bits` and `group_size`."""

    _value_class: ClassVar[Any] = dtypes.AWQDTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by layer path.

    Args:
        default_policy: for paths that are not listed; None is the global policy at the time of the call, and is written
            as None by `get_config`, so that a file read later takes the global policy of that time.
        policy_map: policies by path, or by a regular expression that the whole path matches.

    >>> policies = DTypePolicyMap(policy_map={"encoder/.*": DTypePolicy("float16")})
    >>> policies["encoder/dense"], policies["dense"]
    (<DTypePolicy "float16">, <DTypePolicy "float32">)
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ArgumentError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                f"`policy_map` must be a dict. Received: policy_map={policy_map} (of type {type(policy_map)})"
            )
        self._default_argument = default_policy
        self._default_policy = get(default_policy)
        self._policies: dict[str, DTypePolicy] = dict(policy_map or {})

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the policy."""
        return f"map_{self.default_policy.name}"

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy for paths that are not listed."""
        return self._default_policy

    @property
    def compute_dtype(self) -> str:
        """The default dtype of arithmetic and outputs."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The default dtype of weights."""
        return self.default_policy.variable_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ArgumentError(
                f"Path '{key}' matches multiple dtype policy specification keys: {matching}. Please make sure each path only"
                " matches at most one dtype policy specification key in the DTypePolicyMap."
            )
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ArgumentError(
                f"{key} already exist in the DTypePolicyMap with value {self._policies[key]}. Please make sure to not use"
                " duplicated keys."
            )
        try:
            self._policies[key] = get(policy)
        except Exception as error:
            raise ArgumentError(
                f"Cannot interpret the assigned value by `keras.dtype_policies.get`. Received: {policy}"
            ) from error

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def pop(self, key: str, *default: Any) -> Any:
        return self._policies.pop(key, *default)

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        written = {key: serialize(policy) for key, policy in self._policies.items()}
        if self._default_argument is not None:
            default = self._default_argument
            return {
                "default_policy": default if isinstance(default, str) else serialize(get(default)),
                "policy_map": written,
            }
        # With the global policy by default, all are those of the global policy where the map is read, as in Keras.
        for entry in filter(lambda one: isinstance(one, dict), written.values()):  # not names, which are kept as given
            entry["config"] = {**entry["config"], "source_name" if "mode" in entry["config"] else "name": None}
        return {"default_policy": None, "policy_map": written}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> DTypePolicyMap:
        default = config["default_policy"]
        policies = {key: get(policy) for key, policy in config["policy_map"].items()}
        return cls(None if default is None else get(default), policies)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policies.items()]
        return f"<DTypePolicyMap at {hex(id(self))} default_policy={self.default_policy.name}, mapping={mapping}>"


_QUANTIZED = (
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    Int4DTypePolicy,
    GPTQDTypePolicy,
    AWQDTypePolicy,
)
_CLASSES: dict[str, type] = {
    "DTypePolicy": DTypePolicy,
    "FloatDTypePolicy": DTypePolicy,
    "DTypePolicyMap": DTypePolicyMap,
    **{cls.__name__: cls for cls in _QUANTIZED},
}


def dtype_policy() -> DTypePolicy:
    """The global dtype policy, for layers without their own."""
    return get(settings.dtype_policy_name())


def set_dtype_policy(policy: Any) -> None:
    """Sets the global dtype policy, for layers without their own.

    Raises:
        ArgumentError: it is not a policy.
    """
    if not isinstance(policy, (BuiltinPolicy, str)) or isinstance(policy, DTypePolicyMap):
        raise ArgumentError(
            "Invalid `policy` argument. Expected the string name of a policy (such as 'mixed_float16') or a `DTypePolicy`"
            f" instance (maps are for the `dtype` of a layer). Received: policy={policy} (of type {type(policy)})"
        )
    new_policy = get(policy)
    settings.set_dtype_policy_name(new_policy.name)


def serialize(dtype_policy: Any) -> dict[str, Any]:
    """The JSON-able form of a policy."""
    from jkeras.keras.serialization import serialize_keras_object

    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """Restores a policy from the output of `serialize`."""
    from jkeras.keras.deserialization import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects, module_objects=_CLASSES)


def get(identifier: Any) -> DTypePolicy:
    """The policy that a policy, a name, a dtype or a configuration means; None means the global policy.

    Raises:
        ArgumentError: it does not mean a policy.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, BuiltinPolicy):
        return get(identifier.name)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier.startswith(QUANTIZATION_MODES) and identifier not in dtypes.OTHERS:
            class_name, mode, source_name = dtypes.quantized_class(identifier)
            return _CLASSES[class_name](mode, source_name)
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(standardize_dtype(identifier))
    except ValueError:
        raise ArgumentError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy."
            f" Received: dtype={identifier}"
        ) from None


__all__ = own_names(__name__)
