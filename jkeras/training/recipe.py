"""What `compile` was given, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from jkeras import arguments, losses, metrics, optimizers
from jkeras.errors import ArgumentError, NotCompiledError
from jkeras.optimizers import BaseOptimizer, LossScaleOptimizer
from jkeras.training.strategy import as_strategy
from jkeras.types import LossLike, MetricLike
from jkeras.values.fields import field
from jkeras.values.spec import Spec

# Names that stand for a different loss or metric depending on the shapes of targets and outputs.
BY_SHAPE_LOSSES = ("crossentropy", "ce")
BY_SHAPE_METRICS = ("accuracy", "acc", "crossentropy", "ce")


def map_structure(convert: Any, value: Any) -> Any:
    """Applies `convert` to each entry of lists, tuples and dicts, or to the value itself."""
    if isinstance(value, Mapping) and "class_name" not in value:
        return {k: map_structure(convert, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(map_structure(convert, v) for v in value)
    return convert(value)


def _loss(identifier: LossLike | None) -> Any:
    if identifier is None or (isinstance(identifier, str) and identifier.lower() in BY_SHAPE_LOSSES):
        return identifier
    return losses.as_loss(identifier)


def _metric(identifier: MetricLike | None) -> Any:
    if identifier is None or (isinstance(identifier, str) and identifier.lower() in BY_SHAPE_METRICS):
        return identifier
    metric = metrics.get(identifier)
    # Inside a model a metric is called what the user called it: "mse", not "mean_squared_error".
    return metric.replace(name=identifier) if isinstance(identifier, str) else metric


def _metrics(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, (list, tuple, Mapping)):
        raise ArgumentError(f"expected a list or a dict of metrics: write `metrics=[{value!r}]`")
    return map_structure(_metric, value)


def _steps_per_execution(value: object) -> Any:
    return value if value == "auto" else arguments.positive_int(value)


class Recipe(Spec):
    """The training configuration of a model. `Model.compile` makes one; equal recipes share compiled programs.

    Args:
        optimizer: a name, an `Optimizer`, or any Optax transformation.
        loss: a name, a `Loss` or a function `(y_true, y_pred) -> values`; a list or dict of them for several outputs.
        loss_weights: numbers, in the same structure as the losses.
        metrics: a list, or one per output in a list of lists or a dict.
        weighted_metrics: likewise; these take sample weights into account.
        run_eagerly: whether to run each step without compiling it, to debug it line by line.
        steps_per_execution: the number of steps in one call of the compiled loop; "auto" keeps the progress bar responsive.
        jit_compile: accepted for compatibility with Keras; a step is always compiled unless `run_eagerly` is True.
        auto_scale_loss: whether to scale the loss under the policy `mixed_float16`.
        check_finite: whether to stop at the first step with a NaN or infinite loss; the error names the layer where it arose.
        distribute: a strategy of `jkeras.distribute` that spreads steps over devices; None uses one device. It is not saved.

    Raises:
        ArgumentError: an argument has a value that `compile` cannot take.
        UnknownNameError: a name of an optimizer, loss or metric is unknown; the error suggests the nearest one.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).compile("adam", "mse", metrics=["mae"])
    >>> model.recipe == Recipe("adam", "mse", metrics=["mae"])
    True
    """

    _called: ClassVar[str] = "compile"

    optimizer: Any = field(default="rmsprop", convert=optimizers.get)
    loss: Any = field(default=None, convert=lambda value: map_structure(_loss, value))
    loss_weights: Any = field(
        default=None, convert=lambda value: map_structure(arguments.optional(arguments.number), value)
    )
    metrics: Any = field(default=None, convert=_metrics)
    weighted_metrics: Any = field(default=None, convert=_metrics)
    run_eagerly: bool = field(default=False, convert=arguments.boolean)
    steps_per_execution: Any = field(default="auto", convert=_steps_per_execution)
    jit_compile: Any = field(default="auto", convert=arguments.one_of("auto", True, False, None))
    auto_scale_loss: bool = field(default=True, convert=arguments.boolean)
    check_finite: bool = field(default=False, convert=arguments.boolean)
    distribute: Any = field(default=None, convert=as_strategy, in_config=False)

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, BaseOptimizer):
            raise ArgumentError(
                f"compile(optimizer={self.optimizer!r}): expected a name such as 'adam', an optimizer of"
                f" `jkeras.optimizers`, or an Optax transformation such as `optax.adam(1e-3)`."
            )

    def _freeze(self, arguments: dict[str, Any] | None) -> None:
        super()._freeze(arguments)
        self._key()  # an object that can change has none, and says so

    def with_scaled_loss(self) -> Self:
        """The recipe for a model that computes in float16: a scaled loss, unless `auto_scale_loss` is False."""
        if not self.auto_scale_loss or isinstance(self.optimizer, LossScaleOptimizer):
            return self
        return self.replace(optimizer=LossScaleOptimizer(self.optimizer))


def compiled_recipe(recipe: Recipe | None, method: str) -> Recipe:
    """A recipe that is there.

    Raises:
        NotCompiledError: it is None, as that of a model that was not compiled.
        ArgumentError: it is something else.
    """
    if recipe is not None and not isinstance(recipe, Recipe):
        raise ArgumentError(f"{method}(recipe={arguments.shown(recipe)}): expected `model.recipe`.")
    if recipe is None:
        raise NotCompiledError(
            f"`{method}` needs a compiled model. Write"
            f" `model = model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])` first."
        )
    return recipe
