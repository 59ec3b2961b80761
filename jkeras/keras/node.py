"""Layers as values of the core: built-in ones as descriptions, others as an opaque node that runs the object."""

from __future__ import annotations

from typing import Any, ClassVar

from jkeras import dtypes
from jkeras.graph.layer import Layer as Description
from jkeras.keras.builtin import BASE_ARGUMENTS, BuiltinLayer
from jkeras.keras.input import InputLayer
from jkeras.keras.layer import Layer
from jkeras.keras.mutable import Mutable, holds_users_objects, value_of
from jkeras.keras.seeds import SeedGenerator
from jkeras.keras.variables import StatelessScope, Variable
from jkeras.values.keys import Identity

# Attributes of every object that do not affect its computation.
_OF_OBJECTS = frozenset((*BASE_ARGUMENTS, "built", "supports_jit", "call_signature_parameters"))


def is_unmodified(layer: Any) -> bool:
    """Whether a layer and its sublayers run no user code."""
    return all(
        (type(part).is_facade() or type(part) is InputLayer)
        and not any(callable(vars(part).get(name)) for name in ("build", "call"))
        and not holds_users_objects(part)
        for part in layer._flatten_layers()
    )


def layer_value(layer: Any) -> Any:
    """The description that computes what an object currently computes."""
    if type(layer).is_facade() and type(layer)._has_value and not holds_users_objects(layer):
        return _described(layer)
    return ObjectNode(Identity(layer), layer._attribute_version, name=layer.name, trainable=layer.trainable)


def _described(layer: BuiltinLayer) -> Any:
    own = vars(layer)
    fields = type(layer)._fields
    value = object.__new__(type(layer).description)
    attributes = vars(value)
    for name in own["_described"]:
        if name in own and name not in _OF_OBJECTS and not isinstance(own[name], (SeedGenerator, Variable)):
            changed = name in own["_assigned"]
            attributes[name] = _value(type(layer)._convert(name, fields[name], own[name]) if changed else own[name])
    attributes.update(
        activity_regularizer=_value(layer.activity_regularizer),
        trainable=layer.trainable,
        dtype=dtypes.get(layer._policy_in_force.name),
        autocast=layer.autocast,
        name=layer.name,
    )
    forms = layer._forms_made()
    if forms:
        attributes["_inner_forms"] = forms
    value._freeze(None)
    return value


def _value(part: Any) -> Any:
    if isinstance(part, Layer):
        return layer_value(part)
    if isinstance(part, Mutable):
        return value_of(part)
    if isinstance(part, (list, tuple)):
        return tuple(_value(one) for one in part)
    return {key: _value(one) for key, one in part.items()} if isinstance(part, dict) else part


class ObjectNode(Description):
    """A node of a definition that runs an object of `jkeras.keras`; its weights are the object's variables.

    Args:
        held: the wrapped object.
        version: the version of its attributes; after a change the node is a different one.
    """

    mixes_samples: ClassVar[bool | None] = None
    supports_masking: ClassVar[bool] = True

    held: Any
    version: int = 0

    @property
    def cells(self) -> list[Variable]:
        """The object's variables, weights first."""
        weights = self.held.value.weights
        known = {id(weight) for weight in weights}
        return [*weights, *(v for v in self.held.value.variables if id(v) not in known)]

    def build(self) -> None:  # type: ignore[override]
        weights = len(self.held.value.weights)
        for place, cell in enumerate(self.cells):
            name = f"{place}_{cell.name}" if place < weights else f"seed_generator_state_{place}"
            value = self.add_weight(cell.shape, "zeros", cell._dtype, cell.trainable, autocast=False, name=name)
            setattr(self, f"cell_{place}", value)

    def call(self, *args: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        cells = self.cells
        mapping = [(cell, getattr(self, f"cell_{place}")) for place, cell in enumerate(cells)]
        layer = self.held.value
        if mask is not None and "mask" in layer.call_signature_parameters:
            kwargs["mask"] = mask
        with StatelessScope(mapping, collect_losses=True) as scope:
            outputs = layer(*args, training=training, **kwargs)
        for loss in scope.losses:
            self.add_loss(loss)
        for place, cell in enumerate(cells):
            if id(cell) in scope.variables and not cell.trainable:
                setattr(self, f"cell_{place}", scope.get_current_value(cell))
        return outputs

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        layer = self.held.value
        return layer.compute_mask(inputs, previous_mask) if layer.supports_masking else None
