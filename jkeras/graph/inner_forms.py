"""The form of layers that another layer creates in its `build`: quantised, or with low-rank factors.

Such layers are not part of a description, so the description of the surrounding layer holds their requested arguments by path:
`{"query": {"dtype": "int8_from_float32"}}`. Keras uses a map of policies instead of the layer's own for this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from jkeras import dtypes
from jkeras.errors import ArgumentError, RestoreError
from jkeras.graph.scope import Path, walk
from jkeras.values.config import serialize

Forms = Mapping[str, Mapping[str, Any]]
L = TypeVar("L")

POLICY_MAP = "DTypePolicyMap"
# The largest number of layers in a configuration; no layer has more.
MOST = 4096


def formed(forms: Forms, name: str, layer: L) -> L:
    """The layer that `build` created under a name, in the requested form.

    >>> from jkeras import layers
    >>> formed({"query": {"dtype": "int8_from_float32"}}, "query", layers.Dense(2)).dtype.name
    'int8_from_float32'
    """
    changed: Any = layer
    inside: dict[str, Mapping[str, Any]] = {}
    for path, arguments in forms.items():
        first, _, rest = path.partition("/")
        if first == name and rest:
            inside[rest] = arguments
        elif first == name:
            changed = changed.replace(**arguments)
    result: L = changed._evolve(_inner_forms=inside) if inside else changed
    return result


def reformed(layer: Any, forms: Forms) -> dict[int, Any]:
    """The changed layers of a definition, by the ids of the originals.

    Args:
        layer: the definition.
        forms: arguments by the paths of layers. Those of a layer that another creates in `build` are kept by that other layer.
    """
    walked = dict(walk(layer))
    changed: dict[int, Any] = {}
    inner_forms: dict[Path, dict[str, Mapping[str, Any]]] = {}
    for name, form in forms.items():
        path = tuple(name.split("/"))
        if path in walked:
            changed[id(walked[path])] = walked[path].replace(**form)
            continue
        owner = next(path[:depth] for depth in reversed(range(len(path))) if path[:depth] in walked)
        inner_forms.setdefault(owner, {})["/".join(path[len(owner) :])] = form
    for path, inner in inner_forms.items():
        owner_layer: Any = changed.get(id(walked[path]), walked[path])
        known = owner_layer._inner_forms
        merged = {name: {**known.get(name, {}), **form} for name, form in inner.items()}
        changed[id(walked[path])] = owner_layer._evolve(_inner_forms={**known, **merged})
    return changed


def with_forms(layer: L, forms: Forms) -> L:
    """A layer with changed arguments of the layers inside it, by path; shared layers stay shared.

    >>> from jkeras import layers
    >>> with_forms(layers.TimeDistributed(layers.Dense(2)), {"layer": {"dtype": "int8_from_float32"}}).layer.dtype.name
    'int8_from_float32'
    """
    changed = reformed(layer, forms)
    done: dict[int, Any] = {}

    def visit(name: str, inner: Any) -> Any:
        if id(inner) not in done:
            done[id(inner)] = changed.get(id(inner), inner)._with_children(visit)
        return done[id(inner)]

    return visit("", layer)  # type: ignore[no-any-return]


def forms_of(layer: Any) -> dict[str, Mapping[str, Any]]:
    """The changed arguments of the layers inside a layer, by path."""
    forms: dict[str, Mapping[str, Any]] = {}
    for path, inner in walk(layer):
        form = inner._form()
        if path and form:
            forms["/".join(path)] = form
        forms.update({"/".join((*path, name)): arguments for name, arguments in inner._inner_forms.items()})
    return forms


def is_policy_map(written: object) -> bool:
    """Whether a configuration is one of a map from paths to policies."""
    return isinstance(written, Mapping) and written.get("class_name") == POLICY_MAP


def written_policies(default: Any, forms: Forms) -> Any:
    """The policy of a layer in Keras's form: a map if inner layers have their own policies."""
    default_config = serialize(default)
    policies = {f".*/{re.escape(path)}": serialize(form["dtype"]) for path, form in forms.items() if "dtype" in form}
    if not policies:
        return default_config
    config = {"default_policy": default_config, "policy_map": policies}
    return {"module": "keras.dtype_policies", "class_name": POLICY_MAP, "config": config, "registered_name": None}


def read_policies(written: Mapping[str, Any], name: str | None) -> tuple[Any, dict[str, dict[str, Any]]]:
    """The policy of a layer and the forms of those inside, from a map of policies.

    Args:
        written: the map's configuration.
        name: the layer's name.

    Raises:
        ArgumentError: a path does not name one layer inside this one.
    """
    config = written.get("config")
    policies = config.get("policy_map") if isinstance(config, Mapping) else None
    if not isinstance(policies, Mapping) or len(policies) > MOST:
        raise ArgumentError("expected a map from paths to policies")
    forms: dict[str, dict[str, Any]] = {}
    for path, policy in policies.items():
        _, separator, inner = str(path).rpartition(f"{name}/")
        literal = str(path).removeprefix(".*/") if path.startswith(".*/") else inner if separator else ""
        literal = literal.replace("\\", "")
        if not re.fullmatch(r"[\w./-]+", literal):
            raise ArgumentError(
                f"expected paths of layers inside of {name!r} in the {POLICY_MAP}, such as '{name}/query'; got {path!r}"
            )
        forms[literal] = {"dtype": dtypes.get(policy)}
    return config["default_policy"] if isinstance(config, Mapping) else None, forms


def read_forms(written: object, fields: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """The forms in a configuration.

    Args:
        written: the serialized forms.
        fields: the arguments that a form may have, with their conversions.
        where: the layer, for messages.

    Raises:
        RestoreError: the configuration has another structure.
    """
    good = isinstance(written, Mapping) and len(written) <= MOST
    if not good or not all(isinstance(form, Mapping) and set(form) <= set(fields) for form in written.values()):  # type: ignore[attr-defined]
        raise RestoreError(f"The forms of the layers inside of {where} are damaged: {str(written)[:200]}")
    forms: Mapping[str, Mapping[str, Any]] = written  # type: ignore[assignment]
    return {path: {name: fields[name].convert(value) for name, value in form.items()} for path, form in forms.items()}
