"""Losses, as in `keras.losses`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import losses, tree
from jkeras.keras.identifiers import Family
from jkeras.keras.masks import mask_of
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import Mutable, facade, facades, value_of
from jkeras.keras.naming import auto_name
from jkeras.keras.recorded import FunctionCall, on_tensors
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import as_array
from jkeras.losses.reduction import align, reduce_weighted, squeeze_or_expand
from jkeras.values.spec import Spec


class Loss(Mutable, losses.Loss):
    """Base of losses: a subclass defines `call(self, y_true, y_pred)`, values per sample, or `__call__`.

    Args:
        name: None makes one.
        reduction: see `jkeras.losses.Loss`.
        dtype: the dtype that targets and predictions are cast to; None means the default float type.

    >>> class Cubic(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)
    >>> loss = Cubic()
    >>> loss.reduction = "sum"
    >>> float(loss(jnp.zeros((2, 1)), jnp.ones((2, 1))))
    2.0
    """

    overrides: ClassVar[tuple[str, ...]] = ("dtype",)

    def __post_init__(self) -> None:
        self._dtype = vars(self).pop("dtype")
        if self.name is None:
            self.name = auto_name(type(self).__name__)
        super().__post_init__()

    @property
    def dtype(self) -> str:
        """The dtype that targets and predictions are cast to."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss; a mask attached to the predictions excludes values."""
        if any_symbolic_tensors((y_true, y_pred, sample_weight)):
            return FunctionCall(self, name=self.name)(y_true, y_pred, sample_weight)
        mask = mask_of(y_pred)
        y_true, y_pred = tree.map_structure(lambda leaf: as_array(leaf, self.dtype), (y_true, y_pred))
        values = as_array(self.call(y_true, y_pred), self.dtype)
        for other in (mask_of(values), self.valid(y_true, y_pred, values)):
            mask = _both(values, mask, other)
        return reduce_weighted(values, sample_weight, mask, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The arguments that Keras's configuration contains, as plain values."""
        return Spec.get_config(self)


def _both(values: jax.Array, mask: Any, other: Any) -> Any:
    """The conjunction of two masks, either of which may be None."""
    if mask is None or other is None:
        return other if mask is None else mask
    first, second = (align(values, jnp.asarray(m, bool), "mask")[1] for m in (mask, other))
    return first & second


def _class_of_functions() -> type[Loss]:
    def get_config(self: Any) -> dict[str, Any]:
        """The arguments as plain values."""
        options = {name: FAMILY.serialize(value) for name, value in self.kwargs.items()}
        return {"name": self.name, "reduction": self.reduction, "fn": FAMILY.serialize(self.fn), **options}

    def to_value(self: Any) -> losses.FunctionLoss:
        """The description with the current attributes."""
        return losses.FunctionLoss(core_function(self.fn), self.reduction, self.name, self.dtype, **self.kwargs)

    return facade(losses.FunctionLoss, Loss, __name__, get_config=get_config, to_value=to_value)


def core_function(function: Any) -> Any:
    """The core's function or description for one of this module; anything else unchanged."""
    return value_of(_ORIGINALS.get(function, function)) if isinstance(function, Hashable) else function


# As in Keras, the name of a function means the function, the name of a class the class.
_FUNCTIONS = {
    name: on_tensors(value, __name__)
    for name, value in losses.identifiers.TABLE.items()
    if not isinstance(value, type) and value.__name__ == name
}
_CLASSES = {name: value for name, value in losses.identifiers.TABLE.items() if isinstance(value, type)}
FunctionLoss = LossFunctionWrapper = _class_of_functions()
TABLE: Mapping[str, Any] = {
    **facades({name: cls for name, cls in _CLASSES.items() if cls is not losses.FunctionLoss}, Loss, __name__),
    **dict.fromkeys(("FunctionLoss", "LossFunctionWrapper"), FunctionLoss),
    **_FUNCTIONS,
    **{
        name: _FUNCTIONS[value.__name__]
        for name, value in losses.identifiers.TABLE.items()
        if not isinstance(value, type) and value.__name__ != name
    },
}
globals().update(TABLE)
_ORIGINALS = {function: losses.identifiers.TABLE[name] for name, function in _FUNCTIONS.items()}

FAMILY = Family("loss", TABLE, Loss)
get, serialize = FAMILY.get, FAMILY.serializer("loss")


def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """Restores a loss from the output of `serialize`, or returns the loss with a name."""
    return FAMILY.deserialize(name, custom_objects)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[jax.Array, jax.Array]:
    """Makes two ranks equal if they differ by one trailing axis of size 1."""
    return squeeze_or_expand(as_array(x1), as_array(x2), expand_rank_1)


__all__ = own_names(__name__)
