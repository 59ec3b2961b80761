"""Creates models from configurations of Keras 1, 2 and 3 and of jkeras.

Only classes of the library, and those that the user registered, are instantiated; nothing else that a file names is
looked up or imported.
"""

from __future__ import annotations

import collections
import contextvars
import inspect
from collections.abc import Mapping
from typing import Any

import jax

from jkeras import layers
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, JkerasError, RestoreError, SignatureError, UnknownNameError
from jkeras.files import operations
from jkeras.files.dialects import definitions, origin
from jkeras.files.named_functions import lambda_arguments
from jkeras.files.untrusted import is_users
from jkeras.graph.in_files import in_files
from jkeras.graph.inner_forms import read_forms, with_forms
from jkeras.graph.layer import LEGACY_SHAPE_ARGUMENTS, Layer
from jkeras.graph.operation import Operation, function_named
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.layers import network_parts
from jkeras.layers.quantizable import FORM
from jkeras.models.base import ModelValue
from jkeras.registry import custom_object, known_arguments
from jkeras.values.config import MAX_DEPTH, deserialize, target_of

TENSOR = "__keras_tensor__"
# Classes that contain code from the file's author, or load it from another file that they name.
CODE = ("TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")


# Suffixes of arguments that contain no layers, or layers that a model reads itself; initializers may have names of layers.
NO_LAYERS = ("layers", "initializer", "regularizer", "constraint")
# The shared layers of the configuration that is being read, by number.
_made_so_far: contextvars.ContextVar[dict[int, Layer] | None] = contextvars.ContextVar("jkeras_made_so_far")


def layer_classes() -> dict[str, type[Layer]]:
    """All layer classes of the library by name."""
    classes = {name: getattr(layers, name) for name in dir(layers)}
    return {name: value for name, value in classes.items() if inspect.isclass(value) and issubclass(value, Layer)}


def takes_name(cls: type[Layer]) -> bool:
    """Whether a layer's constructor has an argument `name`."""
    return takes_any(cls) or "name" in inspect.signature(cls).parameters


def takes_any(cls: type[Layer]) -> bool:
    """Whether a layer's constructor has `**kwargs`."""
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values())


def policy_name(written: str | Mapping[str, Any] | None) -> str | None:
    """The name of a written dtype policy."""
    inner = written.get("config") if isinstance(written, Mapping) else {"name": written}
    name = inner.get("name") if isinstance(inner, Mapping) else None
    return name if isinstance(name, str) else None


def from_config(
    config: Mapping[str, Any], classes: Mapping[str, type[Layer]], depth: int = 0, policy: str = "float32"
) -> Layer:
    """The layer or model that a configuration describes.

    Args:
        config: the output of `to_config` or of any version of Keras.
        classes: the classes that may be instantiated, by name.
        depth: the nesting depth of the configuration.
        policy: the name of the surrounding model's policy; a layer with the same policy has none of its own.

    Raises:
        UnknownNameError: the class is neither in the library nor registered.
        RestoreError: it is not the configuration of a layer.
    """
    model = _made_so_far.get(None)
    if model is None:
        token = _made_so_far.set({})
        try:
            return from_config(definitions.of_today(config), classes, depth, policy)
        finally:
            _made_so_far.reset(token)
    number = config.get("shared_object_id") if isinstance(config, Mapping) else None
    if not isinstance(number, int):
        return _from_config(config, classes, depth, policy)
    if number not in model:
        model[number] = _from_config(config, classes, depth, policy)
    return model[number]


def _from_config(config: Mapping[str, Any], classes: Mapping[str, type[Layer]], depth: int, policy: str) -> Layer:
    if depth > MAX_DEPTH:
        raise RestoreError("The configuration is nested too deeply to be a model.")
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise RestoreError(f"This is not the configuration of a layer: {str(config)[:200]}")
    name = config["class_name"]
    arguments = config.get("config")
    if not isinstance(arguments, Mapping):
        raise RestoreError(f"This is not the configuration of a layer: {str(config)[:200]}")
    if operations.is_operation(config):
        return Operation(operations.name_of(config, _functions()), name=arguments.get("name"))
    cls = target_of(config, {})
    if cls is None and name in CODE:
        raise RestoreError(
            f"The layer {arguments.get('name')!r} is a {name}: its code would have to be loaded from the file or another one,"
            f" which is refused, even with safe_mode=False. Define the layer as a class and register it, or build the model in"
            f" code and use `load_weights`."
        )
    if cls is None and name == "Lambda":
        arguments = lambda_arguments(arguments)
    if cls is None:
        cls = classes.get(name)
    if cls is None:
        cls = network_parts.CLASSES.get((str(config.get("module")), name))
    if cls is None and str(config.get("module") or "").startswith("keras.src.ops"):
        return Operation(operations.name_of(config, _functions()), name=arguments.get("name"))
    if cls is None:
        error = UnknownNameError("layer class", name, classes)
        error.add_note(
            f"{origin.writer()} wrote the layer {arguments.get('name')!r}. A custom class must be known:"
            f" `register_keras_serializable`, or `custom_objects={{{name!r}: your_class}}`."
        )
        raise error
    if not (inspect.isclass(cls) and issubclass(cls, Layer)):
        raise ArgumentError(f"{name!r} is registered, but is not a layer class: {cls!r}.")
    # The layers of a nested model are read by its own `from_config`.
    plain = ("layers",) if in_files(cls).plain_layers else ()
    arguments = {
        k: v if k.endswith(NO_LAYERS) and k not in plain else nested(v, classes, depth + 1)
        for k, v in arguments.items()
    }
    if policy_name(arguments.get("dtype")) == policy and cls.__name__ != "InputLayer":
        arguments = {**arguments, "dtype": None}
    if not takes_name(cls):
        arguments.pop("name", None)
    layer = _made(cls, arguments)
    if "inner_layers" not in config:
        return layer
    where = f"the layer {arguments.get('name')!r}"
    return with_forms(layer, read_forms(config["inner_layers"], FORM, where))


def _made(cls: type[Layer], arguments: dict[str, Any]) -> Layer:
    if cls.__module__.startswith("jkeras."):
        shapes = {k: arguments[k] for k in LEGACY_SHAPE_ARGUMENTS if arguments.get(k) is not None}
        own_reader = _holds_layers(cls, arguments)
        fitting = arguments if own_reader else known_arguments(cls, arguments)
        unknown = sorted(set(fitting) - set(inspect.signature(cls).parameters) - set(LEGACY_SHAPE_ARGUMENTS))
        if unknown and not (own_reader or takes_any(cls)):
            what = f"it has {', '.join(f'{key}={fitting[key]!r}' for key in unknown)}"[:300]
            raise origin.refused(
                cls.__name__, arguments.get("name"), f"{what}, which this layer does not accept in jkeras."
            )
        arguments = {**fitting, **shapes}
    try:
        return cls.from_config(arguments)
    except RestoreError:
        raise
    except JkerasError as error:
        if isinstance(error, (ArgumentError, SignatureError)) and not _holds_layers(cls, arguments):
            raise origin.refused(cls.__name__, arguments.get("name"), f"{error}") from error
        raise
    except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
        if not cls.__module__.startswith("jkeras.") or is_users(error):
            raise  # the user's own code
        raise RestoreError(
            f"The configuration of a {cls.__name__} is damaged: {type(error).__name__}: {error}"
        ) from error


def _holds_layers(cls: type[Layer], arguments: Mapping[str, Any]) -> bool:
    """Whether a class reads its configuration itself: a user's class or a model."""
    return not cls.__module__.startswith("jkeras.") or "from_config" in vars(cls) or "layers" in arguments


def _known(name: Any) -> Any:
    return custom_object(name) if isinstance(name, str) and name else None


def _functions() -> Mapping[str, Any]:
    from jkeras.ops.table import FUNCTIONS  # hundreds of functions, loaded when the first is used

    return FUNCTIONS


def nested(value: Any, classes: Mapping[str, type[Layer]], depth: int) -> Any:
    """Creates layers inside arguments (wrapped layers, cells) from their configurations."""

    def make(entry: Mapping[str, Any], depth: int) -> Any:
        name = entry["class_name"]
        is_layer = "config" in entry and (name in classes or _is_layer(name, entry))
        return from_config(entry, classes, depth + 1) if is_layer else entry

    return deserialize(value, make, depth)


def _is_layer(name: str, value: Mapping[str, Any]) -> bool:
    target = target_of(value, {})
    if target is None:
        return False
    return inspect.isclass(target) and issubclass(target, Layer)


def functional_tensors(config: Mapping[str, Any], classes: Mapping[str, type[Layer]]) -> tuple[Any, Any]:
    """The symbolic inputs and outputs of a functional configuration.

    Raises:
        RestoreError: a node refers to a tensor that no layer produces.
    """
    return _Graph(config, classes).ends()


def unwrapped(structure: Any) -> Any:
    """The only entry of a list, because Keras treats a saved list of one input or output as a single tensor."""
    return structure[0] if isinstance(structure, list) and len(structure) == 1 else structure


def ends_from(layer: Layer) -> int:
    """The number of a layer's first application in the lists of a model's inputs and outputs.

    In Keras a functional model itself counts as application 0, but only in those lists.
    """
    return 1 if isinstance(layer, ModelValue) and layer.is_functional and not layer.is_chain else 0


class _Graph:
    """Layers and tensors of a functional configuration, created node by node as their inputs become available."""

    def __init__(self, config: Mapping[str, Any], classes: Mapping[str, type[Layer]]):
        self.config = config
        self.classes = classes
        self.made: dict[str, Layer] = {}
        self.options: dict[str, Mapping[str, Any]] = {}
        self.outputs: dict[tuple[str, int], list[SymbolicTensor]] = {}
        self.missing: set[tuple[str, int]] = set()

    def ends(self) -> tuple[Any, Any]:
        """The structure of inputs and the structure of outputs."""
        jobs: list[tuple[str, int, Any]] = []
        for entry in self.config["layers"]:
            name = self._make(entry)
            jobs += [(name, index, node) for index, node in enumerate(entry.get("inbound_nodes") or [])]
        # A node is retried only when all tensors that it waits for exist, so any order takes linear time.
        waiting: dict[tuple[str, int], list[int]] = {}
        needs: dict[int, set[tuple[str, int]]] = {}
        numbers = collections.deque(range(len(jobs)))
        while numbers:
            number = numbers.popleft()
            missing = self._apply(*jobs[number])
            if missing:
                needs[number] = missing
                for place in missing:
                    waiting.setdefault(place, []).append(number)
                continue
            for other in waiting.pop(jobs[number][:2], ()):
                needs[other].discard(jobs[number][:2])
                if not needs[other]:
                    del needs[other]
                    numbers.append(other)
        if needs:
            raise RestoreError(f"The layers {sorted({jobs[n][0] for n in needs})} need tensors that no layer produces.")
        try:
            return self._structure(self.config["input_layers"]), self._structure(self.config["output_layers"])
        except (KeyError, IndexError, TypeError) as error:
            raise RestoreError(f"The inputs or outputs of the model do not refer to tensors: {error!r}.") from None

    def _make(self, entry: Mapping[str, Any]) -> str:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), (Mapping, list)):
            raise RestoreError(f"This is not the configuration of a layer: {str(entry)[:200]}")
        arguments = entry["config"]
        name = entry.get("name") or (arguments.get("name") if isinstance(arguments, Mapping) else None)
        if not isinstance(name, str) or name in self.made:
            raise RestoreError(f"A layer of the model has the name {name!r}, which is missing or used twice.")
        if isinstance(arguments, Mapping):
            entry = {**entry, "config": {**arguments, "name": name}}
        self.options[name] = arguments if isinstance(arguments, Mapping) else {}
        function = self._function(entry)
        if function is not None:
            self.made[name] = Operation(function, name=name)
            return name
        policy = policy_name(self.config.get("dtype")) or "float32"
        self.made[name] = from_config(entry, self.classes, policy=policy)
        if isinstance(self.made[name], layers.InputLayer):
            self.outputs[name, 0] = [self.made[name]()]
        return name

    def _function(self, entry: Mapping[str, Any]) -> str | None:
        """The function that an entry without a module names; None for a layer."""
        nodes = entry.get("inbound_nodes") or [{}]
        if _known(entry.get("class_name")) is not None or not isinstance(nodes[0], Mapping):
            return None
        return operations.without_module(entry, _functions())

    def _apply(self, name: str, index: int, node: Mapping[str, Any]) -> set[tuple[str, int]]:
        """Applies a layer once; if tensors that it needs do not exist yet, returns which."""
        layer, self.missing = self.made[name], set()
        try:
            args, kwargs = self._arguments(node)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise RestoreError(f"A node of the layer {name!r} is damaged: {error!r}.") from None
        if self.missing:
            return self.missing
        if isinstance(layer, Operation):
            function = function_named(layer.operation)
            args, kwargs = operations.join(layer.operation, function, self.options[name], args, kwargs)
        else:
            training = {"training": node["training"]} if isinstance(node, Mapping) and "training" in node else {}
            kwargs = {
                key: value for key, value in kwargs.items() if not (value is None or key == "training")
            } | training
        results = layer(*args, **kwargs)
        self.outputs[name, index] = jax.tree.leaves(results, is_leaf=is_symbolic)
        return set()

    def _arguments(self, node: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        return [self._read(v) for v in node["args"]], self._read(node.get("kwargs") or {})

    def _tensor(self, place: Any) -> Any:
        """The tensor at a place; if it does not exist yet, records it as missing and returns None."""
        name, node, index = place[0], place[1], place[2]
        if name not in self.made:
            raise RestoreError(f"A layer is applied to the output of {name!r}, but the model has no such layer.")
        if (name, node) not in self.outputs:
            self.missing.add((name, node))
            return None
        return self.outputs[name, node][index]

    def _read(self, value: Any) -> Any:
        return deserialize(value, self._made)

    def _made(self, entry: Mapping[str, Any], depth: int) -> Any:
        if entry["class_name"] == TENSOR:
            return self._tensor(entry["config"]["keras_history"])
        return {key: deserialize(part, self._made, depth + 1) for key, part in entry.items()}

    def _structure(self, written: Any) -> Any:
        if isinstance(written, Mapping):
            return {k: self._structure(v) for k, v in written.items()}
        if written and isinstance(written[0], str):
            return self._final(written)
        return [self._structure(v) for v in written]

    def _final(self, place: Any) -> SymbolicTensor:
        name, node, *rest = place
        if name in self.made:
            node = max(node - ends_from(self.made[name]), 0)
        result: SymbolicTensor | None = self._tensor([name, node, *rest])
        if result is None:
            raise RestoreError(f"The model's outputs name {place[0]!r}, which is never applied.")
        return result
