"""Types for annotations: arrays, trees, shapes, and what each family accepts in place of an object.

Arrays carry their shapes, in the manner of jaxtyping: `Float[Array, "batch units"]`, `PyTree[ArrayLike]`. Checkers see
`jax.Array`; the tests check types and shapes of what is called. Nothing is checked in a running program, and jaxtyping
is imported only when somebody looks at an annotation.

`InitializerLike` and its kind are what a constructor accepts; `InitializerField` annotates a field that accepts this and
holds an initializer (see `jkeras.values.fields`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

import jax
import numpy as np
from jax import Array as Array
from jax.typing import ArrayLike as ArrayLike
from jax.typing import DTypeLike as DTypeLike

from jkeras.values.fields import Converted as Converted

Leaf = TypeVar("Leaf")

if TYPE_CHECKING:
    import optax
    from jaxtyping import Bool as Bool
    from jaxtyping import Float as Float
    from jaxtyping import Inexact as Inexact
    from jaxtyping import Int as Int
    from jaxtyping import Key as Key
    from jaxtyping import Num as Num
    from jaxtyping import Shaped as Shaped
    from typing_extensions import TypeAliasType

    from jkeras.callbacks.callback import Callback, CallbackList
    from jkeras.constraints import Constraint
    from jkeras.dtypes import DTypePolicy
    from jkeras.graph.layer import Layer
    from jkeras.initializers.base import Initializer
    from jkeras.losses.loss import Loss
    from jkeras.metrics.metric import Metric
    from jkeras.optimizers.base import BaseOptimizer
    from jkeras.optimizers.schedules import LearningRateSchedule
    from jkeras.regularizers import Regularizer
    from jkeras.utils.py_dataset import PyDataset

    # Any tree to checkers; jaxtyping's own is a type that they do not know.
    PyTree = TypeAliasType("PyTree", Any, type_params=(Leaf,))
else:

    class _Annotation:
        """Stands for a name of jaxtyping until an annotation is evaluated."""

        def __init__(self, name: str):
            self.name = name

        def __getitem__(self, item: Any) -> Any:
            import jaxtyping

            return getattr(jaxtyping, self.name)[item]

    Bool, Float, Inexact, Int, Key, Num, PyTree, Shaped = map(
        _Annotation, ("Bool", "Float", "Inexact", "Int", "Key", "Num", "PyTree", "Shaped")
    )

# -- arrays, data and trees -------------------------------------------------------------------------------------------

# Numbers, nested in lists or not.
NestedNumbers: TypeAlias = "ArrayLike | Sequence[NestedNumbers]"
# What NumPy makes an array of, strings included: an array, a number, or nested lists of them.
TensorLike: TypeAlias = "ArrayLike | str | Sequence[TensorLike]"
# Weights, gradients and slots by name, nested as the layers are.
ArrayTree: TypeAlias = "Mapping[str, Any]"
# The shapes and types of a tree of arrays, or the arrays.
Specs: TypeAlias = "PyTree[jax.ShapeDtypeStruct | Array]"


class KeySource(Protocol):
    """An object that gives random keys, such as `jkeras.random.SeedGenerator`."""

    def next(self) -> Array:
        """Another key."""


# What `fit` and its kind take for inputs, targets and weights: arrays, nests of them, frames, batches one after another.
Data: TypeAlias = "ArrayLike | Iterable[Any] | PyDataset"
Verbose: TypeAlias = 'Literal["auto", 0, 1, 2] | bool'
CallbacksLike: TypeAlias = "Callback | Iterable[Callback] | CallbackList | None"
PathLike: TypeAlias = "str | os.PathLike[str]"
# A `jax.random` key, an integer, a source of keys, or the default seed.
SeedLike: TypeAlias = "int | np.integer[Any] | Array | KeySource | None"

# -- shapes -----------------------------------------------------------------------------------------------------------

Shape: TypeAlias = tuple[int, ...]
# A shape with None where a size is not known.
PartialShape: TypeAlias = "tuple[int | None, ...]"
PartialShapeLike: TypeAlias = "int | Sequence[int | None]"
# One integer for all axes, or one for each.
Sizes: TypeAlias = "int | Sequence[int]"
Axis: TypeAlias = "int | Sequence[int]"

# -- what is accepted in place of an object ---------------------------------------------------------------------------

# A configuration, as `serialize` writes it.
Config: TypeAlias = Mapping[str, Any]

Activation: TypeAlias = "Callable[..., Array]"
ActivationLike: TypeAlias = "str | Callable[..., Any] | Config | None"
ConstraintLike: TypeAlias = "str | Constraint | type[Constraint] | Callable[[Array], ArrayLike] | Config | None"
DTypePolicyLike: TypeAlias = "DTypeLike | DTypePolicy | Config | None"
InitializerLike: TypeAlias = (
    "str | Initializer | type[Initializer] | Callable[..., ArrayLike] | Array | np.ndarray | Config | None"
)
LearningRate: TypeAlias = "float | LearningRateSchedule | Callable[..., Any]"
LearningRateLike: TypeAlias = "LearningRate | Config"
LossLike: TypeAlias = "str | Loss | type[Loss] | Callable[..., Any] | Config"
MetricLike: TypeAlias = "str | Metric | type[Metric] | Callable[..., Any] | Config"
# One for each output, in the structure of the outputs.
LossesLike: TypeAlias = "LossLike | Sequence[Any] | Mapping[str, Any] | None"
MetricsLike: TypeAlias = "MetricLike | Sequence[Any] | Mapping[str, Any] | None"
OptimizerLike: TypeAlias = "str | BaseOptimizer | type[BaseOptimizer] | optax.GradientTransformation | Config"
RegularizerLike: TypeAlias = "str | Regularizer | type[Regularizer] | Callable[[Array], ArrayLike] | Config | None"


class LayerOptions(TypedDict, total=False):
    """What every layer takes besides its name, and models pass on."""

    activity_regularizer: RegularizerLike
    autocast: bool
    dtype: DTypePolicyLike


# -- fields -----------------------------------------------------------------------------------------------------------

ActivationField: TypeAlias = "Converted[ActivationLike, Activation]"
ConstraintField: TypeAlias = "Converted[ConstraintLike, Constraint | None]"
# The layout of images; None is the default layout.
DataFormatField: TypeAlias = "Converted[str | None, str]"
DevicesField: TypeAlias = "Converted[int | Sequence[Any] | None, tuple[str, ...] | int | None]"
DTypeField: TypeAlias = "Converted[DTypePolicyLike, str]"
InitializerField: TypeAlias = "Converted[InitializerLike, Initializer | None]"
LayerField: TypeAlias = "Converted[Layer | Config, Layer]"
LearningRateField: TypeAlias = "Converted[LearningRateLike, LearningRate]"
PolicyField: TypeAlias = "Converted[DTypePolicyLike, DTypePolicy | None]"
RegularizerField: TypeAlias = "Converted[RegularizerLike, Regularizer | None]"
SizesField: TypeAlias = "Converted[Sizes, Shape]"
OptionalSizesField: TypeAlias = "Converted[Sizes | None, Shape | None]"
AxesField: TypeAlias = "Converted[Axis, tuple[int, ...]]"
