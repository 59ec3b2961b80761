"""The loss protocol: `call` returns values per sample; the base class does the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config, dtypes, lowering
from jkeras.errors import InputError
from jkeras.losses.reduction import REDUCTIONS, fill_rows, reduce_weighted, squeeze_or_expand
from jkeras.registry import snake_case
from jkeras.types import ArrayLike, DTypeField, DTypePolicyLike, PyTree, Specs
from jkeras.values.config import serialize
from jkeras.values.fields import field
from jkeras.values.spec import Spec


def compute_dtype(value: DTypePolicyLike) -> str:
    """The float type of a `dtype` argument: None means the default float type, a policy its compute dtype."""
    policy = None if value is None else dtypes.get(value)
    return config.floatx() if policy is None else policy.compute_dtype


# The arguments that every loss has, for redeclaration at the position that Keras gives them.
REDUCTION: Any = field(default="sum_over_batch_size", convert=arguments.one_of(*REDUCTIONS))
# Keras's configurations omit a loss's dtype; here it is included if it is not the default.
DTYPE: Any = field(default=None, convert=compute_dtype, in_config=False)


class LossAttributes:
    """What every loss has; each built-in class sets the order of the arguments (see `jkeras.values.fields`)."""

    name: str | None
    reduction: str | None
    dtype: DTypeField


class Loss(LossAttributes, Spec):
    """A loss. A subclass defines `call(y_true, y_pred)`, which returns values per sample, `(batch, ...)`.

    Shapes: targets and predictions `(batch, ...)`; one number, or `(batch, ...)` if `reduction` is None or "none".

    Args:
        name: the name; by default the class name in snake case.
        reduction: "sum_over_batch_size" (the mean over all values), "mean" (the same), "sum",
            "mean_with_sample_weight" (the weighted sum divided by the sum of weights), "none" or None (no reduction).
        dtype: the type that targets and predictions are cast to, float32 by default.

    Raises:
        ArgumentError: an argument has a value that the loss cannot take.
        InputError: weights or a mask do not match the values, or targets are complex.
        TypeError: the shapes of targets and predictions do not broadcast; `fit` raises an `InputError` that names
            the output.

    >>> class Pinball(Loss):
    ...     quantile: float = 0.5
    ...     def call(self, y_true, y_pred):
    ...         error = y_true - y_pred
    ...         return jnp.mean(jnp.maximum(self.quantile * error, (self.quantile - 1) * error), axis=-1)
    >>> float(Pinball(0.75)(jnp.array([[1.0], [2.0]]), jnp.array([[0.0], [4.0]])))
    0.625
    """

    keras_module = "keras.losses"

    # True if the values of a batch depend on each other although there is one per row. Batches for such a loss are
    # never padded with extra rows.
    mixes_samples: ClassVar[bool] = False
    # What targets must look like, for `check_targets`; "any" is not checked.
    target_kind: ClassVar[str] = "any"

    if TYPE_CHECKING:
        _name: str | None = field(default=None, alias="name", kw_only=True)
        _reduction: str | None = field(default="sum_over_batch_size", alias="reduction", kw_only=True)
        _dtype: DTypePolicyLike = field(default=None, alias="dtype", kw_only=True)
    else:
        name: str | None = field(default=None, convert=arguments.optional(arguments.text), trailing=True)
        reduction: str | None = field(
            default="sum_over_batch_size", convert=arguments.one_of(*REDUCTIONS), trailing=True
        )
        dtype: str | None = field(default=None, convert=compute_dtype, in_config=False, trailing=True)

    def __post_init__(self) -> None:
        if self.name is None:
            self.name: str | None = snake_case(type(self).__name__)

    def call(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> jax.Array:
        """Values per sample, `(batch, ...)`, of targets and predictions in the loss's dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def valid(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], values: jax.Array) -> jax.Array | None:
        """A mask of the `values` that count, or None if all do."""
        return None

    def __call__(
        self,
        y_true: PyTree[ArrayLike],
        y_pred: PyTree[ArrayLike],
        sample_weight: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> jax.Array:
        """The reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions, `(batch, ...)`.
            sample_weight: `(batch,)`, or with any number of the values' leading axes.
            mask: true where a prediction counts, `(batch,)` or `(batch, time)`. Masked rows and steps do not affect
                the result, even if they contain NaN.

        Raises:
            InputError: weights or mask do not match the values, or targets are complex and the loss computes in real
                numbers.
        """
        dtype = self.dtype or compute_dtype(None)
        if any(map(jnp.iscomplexobj, jax.tree.leaves(y_true))) and not jnp.issubdtype(dtype, jnp.complexfloating):
            raise InputError(
                f"{self.name} got complex targets; it computes in {dtype}. Pass the parts as features, for example"
                f" `np.stack([y.real, y.imag], axis=-1)`."
            )
        try:
            y_true, y_pred = jax.tree.map(lambda x: lowering.as_array(x, dtype), (y_true, y_pred))
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.name} takes arrays of numbers: {error}.") from error
        if mask is not None and per_sample(self, y_true, y_pred):
            y_true, y_pred = fill_rows(mask, (y_true, y_pred))
        values = jnp.asarray(self.call(y_true, y_pred), dtype)
        counted = self.valid(y_true, y_pred, values)
        if counted is not None and mask is not None:
            mask = jnp.asarray(mask, bool)
            mask = mask.reshape(mask.shape + (1,) * (counted.ndim - mask.ndim)) & counted
        return reduce_weighted(values, sample_weight, counted if mask is None else mask, self.reduction)

    def get_config(self) -> dict[str, Any]:
        arguments_ = super().get_config()
        for name, declared in type(self)._fields.items():
            if name not in arguments_ and not declared.in_config:
                value = getattr(self, name)
                default = declared.convert(declared.default) if declared.convert else declared.default
                if value != default:
                    arguments_[name] = serialize(value)
        return arguments_


class PairLossAttributes:
    """What `check_targets` reads; some classes have arguments with these names."""

    axis: Any = -1  # a tuple in some classes; the targets of those are not compared with classes
    ignore_class: int | None = None


class PairLoss(PairLossAttributes, Loss):
    """A loss defined by a function of targets and predictions; the fields of the class are the function's options."""

    function: ClassVar[Callable[..., jax.Array]]
    target_kind = "same"

    if TYPE_CHECKING:
        _name: str | None = field(init=False)
        _reduction: str | None = field(init=False)
        _dtype: DTypePolicyLike = field(init=False)

    def call(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> jax.Array:
        y_true, y_pred = match_ranks(y_true, y_pred)
        options = {name: getattr(self, name) for name in type(self)._fields if name not in Loss._fields}
        return type(self).function(y_true, y_pred, **options)


class PlainLoss(PairLoss):
    """A loss defined by a function without options."""

    reduction: str | None = REDUCTION
    name: str | None = None
    dtype: DTypeField = DTYPE


def match_ranks(y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> tuple[Any, Any]:
    """Applies `squeeze_or_expand` to each pair of arrays if targets and predictions have the same structure."""
    truths, structure = jax.tree.flatten(y_true)
    predictions, other = jax.tree.flatten(y_pred)
    if structure != other:  # type: ignore[operator]
        return y_true, y_pred
    pairs = [squeeze_or_expand(t, p) for t, p in zip(truths, predictions, strict=True)]
    return jax.tree.unflatten(structure, [t for t, _ in pairs]), jax.tree.unflatten(other, [p for _, p in pairs])


def per_sample(loss: Loss, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
    """Whether the loss of one row is independent of the other rows, as far as shapes can tell.

    False if `call` returns a scalar or drops the batch axis, or if the loss declares `mixes_samples`.

    Args:
        loss: the loss.
        y_true_spec: shapes and dtypes of the targets of a batch (`jax.ShapeDtypeStruct` or arrays, or a tree of them).
        y_pred_spec: the same for the predictions.

    Raises:
        InputError: the loss rejects the shapes.

    >>> from jkeras.losses import MeanSquaredError
    >>> spec = jax.ShapeDtypeStruct((2, 3), "float32")
    >>> per_sample(MeanSquaredError(), spec, spec)
    True
    """
    if loss.mixes_samples:
        return False
    dtype = loss.dtype or compute_dtype(None)
    cast = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, dtype), (y_true_spec, y_pred_spec))
    return keeps_batch_axis(loss.call, *cast)


def keeps_batch_axis(function: Callable[..., Any], y_true_spec: Specs, y_pred_spec: Specs) -> bool:
    """Whether the first axis of `function(y_true, y_pred)` is the batch axis of its arguments."""
    sizes = {x.shape[:1] for x in jax.tree.leaves((y_true_spec, y_pred_spec))}
    if len(sizes) != 1 or () in sizes:
        return False
    (batch,) = sizes.pop()
    # A second size distinguishes the batch axis from an axis that happens to have the same size.
    return all(_leading(function, y_true_spec, y_pred_spec, n) == n for n in (batch, batch + 1))


def _leading(function: Callable[..., Any], y_true_spec: Specs, y_pred_spec: Specs, batch: int) -> int | None:
    specs = jax.tree.map(lambda x: jax.ShapeDtypeStruct((batch, *x.shape[1:]), x.dtype), (y_true_spec, y_pred_spec))
    try:
        values = jax.eval_shape(lambda pair: jnp.asarray(function(*pair)), specs)
    except InputError:
        raise
    except (TypeError, ValueError):
        # The code works for one batch size only, or mixes batch and features. Its own error appears when it runs.
        return None
    return values.shape[0] if values.ndim else None
