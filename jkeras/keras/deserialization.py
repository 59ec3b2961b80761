"""`deserialize_keras_object`: restores objects from configurations in Keras's form."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import jax.numpy as jnp
import numpy as np

from jkeras import arguments, registry
from jkeras.errors import ArgumentError, DescriptionError, RestoreError
from jkeras.graph import layer as graph_layer
from jkeras.keras import lambdas
from jkeras.keras.public_names import builtin_function, public_object
from jkeras.keras.registration import GLOBAL_CUSTOM_OBJECTS, get_registered_object
from jkeras.keras.scopes import _Scope
from jkeras.keras.serialization import remember_shared, shared_object
from jkeras.keras.tensor import KerasTensor

_safe_mode: ContextVar[bool | None] = ContextVar("safe_mode", default=None)
_unsafe_everywhere: list[bool] = []


class SafeModeScope(_Scope):
    """Sets, for a `with` block, whether code in configurations is refused."""

    def __init__(self, safe_mode: bool | None = True):
        self.safe_mode = safe_mode

    def _set(self) -> Any:
        return _safe_mode.set(self.safe_mode)


def in_safe_mode() -> bool | None:
    """Whether code in configurations is refused; None leaves the decision to the call."""
    around = _safe_mode.get()
    return False if around is None and _unsafe_everywhere else around


def enable_unsafe_deserialization() -> None:
    """Allows lambdas in configurations from now on, which runs code of the configurations' authors."""
    _unsafe_everywhere.append(True)


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    *,
    module_objects: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Restores an object from the output of `serialize_keras_object`.

    Args:
        config: a configuration, or a structure of them.
        custom_objects: classes and functions by name.
        safe_mode: False allows lambdas, which means running code from the configuration.
        module_objects: classes and functions by name, for configurations that are bare names.
        **kwargs: arguments of older versions, such as `printable_module_name`, which are ignored.

    Raises:
        DescriptionError: a TypeError; the configuration names something unknown, or is not a configuration.
        ArgumentError: it contains a lambda, or names a function that cannot be part of a model.

    >>> deserialize_keras_object({"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "int32"}}).tolist()
    [1, 2]
    """
    around = in_safe_mode()
    place = "deserialize_keras_object"
    arguments.flags(place, safe_mode=safe_mode)
    arguments.checked(place, "custom_objects", custom_objects, arguments.optional(arguments.table))
    known = {**(custom_objects or {}), **registry.scoped_objects(), **GLOBAL_CUSTOM_OBJECTS}
    return _Reader(known, safe_mode if around is None else around).read(config, module_objects)


# Packages whose layers need not be registered.
_TRUSTED = ("keras", "keras_hub", "keras_cv", "keras_nlp")


class _Reader:
    """Reads configurations with given custom objects and safety."""

    def __init__(self, custom_objects: Mapping[str, Any], safe_mode: bool):
        self.custom_objects = custom_objects
        self.safe_mode = safe_mode

    def read(self, config: Any, table: Mapping[str, Any] | None = None) -> Any:
        """The object that a configuration describes; bare names are looked up in `table`."""
        if config is None:
            return None
        if isinstance(config, str) and self.custom_objects.get(config) is not None:
            return self.custom_objects[config]
        if isinstance(config, (list, tuple)):
            return [self.read(part) for part in config]
        if table is not None:
            return self._from_table(config, table)
        if isinstance(config, (str, int, float, bool)):
            return config
        if not isinstance(config, Mapping):
            raise DescriptionError(f"Could not parse config: {config}")
        if "class_name" not in config or "config" not in config:
            return {key: self.read(value) for key, value in config.items()}
        inner = {} if config["config"] is None else config["config"]
        special = _SPECIAL.get(config["class_name"])
        if special is not None:
            return special(self, inner)
        return self._function(config, inner) if config["class_name"] == "function" else self._object(config, inner)

    def _from_table(self, config: Any, table: Mapping[str, Any]) -> Any:
        inner: Any = {}
        name = config
        if isinstance(config, Mapping):
            if "class_name" not in config:
                raise ArgumentError(f"Unknown `config` as a `dict`, config={config}")
            inner = config.get("config")
            names = (config["class_name"], config.get("registered_name"), inner if isinstance(inner, str) else None)
            if any(name in self.custom_objects for name in names if name is not None):
                return self.read(config)
            if config["class_name"] == "function":
                name = inner if config.get("module", "builtins") == "builtins" else config.get("registered_name")
            elif config.get("module", "_") is None:
                raise DescriptionError(
                    f"Cannot deserialize object of type `{config['class_name']}`. If `{config['class_name']}` is a custom"
                    " class, please register it using the `@keras.saving.register_keras_serializable()` decorator."
                )
            else:
                name = config["class_name"]
        entry = table.get(name) if isinstance(name, str) else None
        if entry is None:
            return name
        return self._made(entry, {"class_name": name}, inner or {}) if inspect.isclass(entry) else entry

    def _function(self, config: Mapping[str, Any], name: Any) -> Any:
        if not isinstance(name, str):
            raise DescriptionError(
                f"Expected 'config' to be a non-null str for a function classname,\ninstead got {type(name)}\n"
                f"Full config: {config}"
            )
        function = get_registered_object(name, self.custom_objects)
        if function is not None:
            return function
        module = config.get("module")
        if module == "builtins":
            function = builtin_function(name)
        elif module:
            function = public_object(module, name)
        if function is not None:
            _check_name(config, name, module)
            return function
        for key, value in self.custom_objects.items():  # Keras up to 3.6 wrote names without their package
            if module == "builtins" and key.endswith(f">{name}"):
                return value
        raise self._unknown("function", name, config)

    def _object(self, config: Mapping[str, Any], inner: Any) -> Any:
        name = config["class_name"]
        if not isinstance(inner, Mapping):
            raise DescriptionError(
                f"Expected 'config' to be a dict for {name},\ninstead got {type(inner)}\nFull config: {config}"
            )
        known = shared_object(config.get("shared_object_id"))
        if known is not None:
            return known
        registered = config.get("registered_name") or name
        cls = get_registered_object(registered, self.custom_objects)
        module = config.get("module")
        if cls is None and module and module.partition(".")[0] == "keras":
            cls = public_object(module, name)
            if cls is not None and not module.startswith("keras.src."):
                _check_name(config, name, module)
        if cls is None and module and module.partition(".")[0] in _TRUSTED:
            # Only in modules that the program has already imported: files cannot trigger imports.
            by_name = getattr(sys.modules.get(module), name, None)
            cls = by_name if inspect.isclass(by_name) and hasattr(by_name, "from_config") else None
        if cls is None:
            raise self._unknown("class", name, config)
        instance = self._made(cls, config, inner)
        if "shared_object_id" in config:
            remember_shared(config["shared_object_id"], instance)
        return instance

    def _made(self, cls: Any, config: Mapping[str, Any], inner: Mapping[str, Any]) -> Any:
        if inspect.isfunction(cls):
            return cls
        if not hasattr(cls, "from_config"):
            raise DescriptionError(
                f"Unable to reconstruct an instance of '{config['class_name']}' because the class is missing a"
                f" `from_config()` method. Full object config: {config}"
            )
        with registry.custom_object_scope(self.custom_objects), SafeModeScope(self.safe_mode):
            try:
                instance = cls.from_config(dict(inner))
            except TypeError as error:
                raise DescriptionError(
                    f"{cls} could not be deserialized properly. Please ensure that components that are Python object"
                    " instances (layers, models, etc.) returned by `get_config()` are explicitly deserialized in the model's"
                    f" `from_config()` method.\n\nconfig={config}.\n\nException encountered: {error}"
                ) from error
            if "inner_layers" in config and isinstance(instance, graph_layer.Layer):
                instance._take_forms(config["inner_layers"])
            if config.get("build_config") and not instance.built:
                instance.build_from_config(config["build_config"])
                instance.built = True
            if config.get("compile_config"):
                instance.compile_from_config(config["compile_config"])
                instance.compiled = True
        return instance

    def _unknown(self, kind: str, name: str, config: Mapping[str, Any]) -> DescriptionError:
        return DescriptionError(
            f"Could not locate {kind} '{name}'. Make sure custom classes and functions are decorated with"
            " `@keras.saving.register_keras_serializable()`, or pass them in `custom_objects`."
            f" Full object config: {config}"
        )

    def lambda_function(self, inner: Mapping[str, Any]) -> Any:
        """The function whose code is in a configuration.

        Raises:
            ArgumentError: code is not allowed.
        """
        if self.safe_mode:
            raise ArgumentError(
                "Requested the deserialization of a Python lambda. This carries a potential risk of arbitrary code execution"
                " and thus it is disallowed by default. If you trust the source of the artifact, you can override this error"
                " by passing `safe_mode=False` to the loading function, or calling"
                " `keras.config.enable_unsafe_deserialization()."
            )
        return lambdas.load(
            inner["value"] if "value" in inner else [inner["code"], inner["defaults"], inner["closure"]]
        )


def _check_name(config: Mapping[str, Any], name: str, module: Any) -> None:
    explicit = config.get("registered_name")
    if explicit and explicit not in (name, config.get("class_name")):
        raise ArgumentError(
            f"`registered_name={explicit!r}` was provided in the config, but '{module}.{name}' resolved to a Keras built-in and"
            " does not use registered names. Remove the `registered_name` field from the config."
            f" Full object config: {config}"
        )


def _tensor(reader: _Reader, inner: Mapping[str, Any]) -> KerasTensor:
    tensor = KerasTensor(inner["shape"], inner["dtype"])
    tensor.written_history = inner["keras_history"]
    return tensor


def _typespec(reader: _Reader, inner: Any) -> Any:
    if not isinstance(inner, (tuple, list)):
        raise DescriptionError(
            f"Expected 'config' to be a list or a tuple for a __typespec__ class name,\ninstead got {type(inner)}"
        )
    raise RestoreError("A TensorFlow TypeSpec cannot be read without TensorFlow.")


_SPECIAL: dict[str, Callable[[_Reader, Any], Any]] = {
    "__keras_tensor__": _tensor,
    "__tensor__": lambda reader, inner: jnp.asarray(inner["value"], inner["dtype"]),
    "__numpy__": lambda reader, inner: np.array(inner["value"], dtype=inner["dtype"]),
    "__bytes__": lambda reader, inner: inner["value"].encode("utf-8"),
    "__ellipsis__": lambda reader, inner: Ellipsis,
    "__slice__": lambda reader, inner: slice(*(reader.read(inner[key]) for key in ("start", "stop", "step"))),
    "__lambda__": _Reader.lambda_function,
    "__typespec__": _typespec,
}
