"""The base class of optimizers with one update rule: everything that the rules have in common."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, constants, registry
from jkeras.errors import ArgumentError, InputError
from jkeras.optimizers import clipping, schedules
from jkeras.optimizers.base import (
    BaseOptimizer,
    learning_rate_scalar,
    place_like,
    run_if,
    schedule_error,
)
from jkeras.paths import paths
from jkeras.types import Array, ArrayLike, ArrayTree, LearningRateField, PyTree
from jkeras.values.fields import field

# Replaces every constant learning rate in `compile_key`; the real one is in the state.
CANONICAL_LEARNING_RATE = 1.0

Slots = dict[str, jax.Array]


class OptimizerState(NamedTuple):
    """The arrays of an `Optimizer`, a pytree; unused fields are None.

    Attributes:
        iterations: the number of updates made so far, int32.
        learning_rate: float32, or None if it follows a schedule.
        slots: slot name -> tree with the structure of the weights, for example `{"momentum": {"dense/kernel": ...}}`.
        shared: scalars that do not belong to a single weight.
        average: moving averages of the weights (`use_ema`).
        accumulator: sums of the gradients since the last update (`gradient_accumulation_steps`).
        micro_step: the number of gradients in the accumulator, int32.

    >>> from jkeras.optimizers import Adam
    >>> state = Adam(0.1).init({"w": jnp.zeros(2)})
    >>> int(state.iterations), sorted(state.slots)
    (0, ['momentum', 'velocity'])
    """

    iterations: jax.Array
    learning_rate: jax.Array | None
    slots: dict[str, Any]
    shared: dict[str, jax.Array]
    average: Any = None
    accumulator: Any = None
    micro_step: jax.Array | None = None


def learning_rate(value: object) -> Any:
    """A float, or a schedule: a `LearningRateSchedule`, its configuration, or a function of the step."""
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return float(value)
    if isinstance(value, Mapping):
        return schedules.get(value)
    if callable(value) and not isinstance(value, type):
        return value
    raise ArgumentError("expected a finite float, a schedule or a function of the step")


def _patterns(value: object) -> tuple[str, ...]:
    try:
        return tuple(map(arguments.text, arguments.entries(value)))
    except ArgumentError:
        raise ArgumentError("expected a list of regular expressions") from None


class Optimizer(BaseOptimizer):
    """An update rule for every weight, with the options that Keras gives every rule.

    A subclass has fields and one function, `update_step`; a rule with state per weight names it in
    `slot_groups`.

    Args:
        learning_rate: a float, or a schedule: a function from the number of updates so far to a value. A function
            without arguments is called once, when the training step is compiled.
        weight_decay: before each update, weights are multiplied by `1 - weight_decay * learning_rate`.
        clipnorm, clipvalue, global_clipnorm: a bound on the norm of each gradient, on its entries, or on the joint
            norm; at most one of them may be set. As in Keras, values of zero or less do not clip.
        use_ema: whether to maintain a moving average of the weights, which `finalize` returns at the end of training.
        ema_momentum: the share of the old average in the new one; the first average is the first updated weight.
        ema_overwrite_frequency: replace the weights by their averages every this many updates.
        loss_scale_factor: multiplies the loss and divides the gradients, so that small gradients do not underflow in
            float16.
        gradient_accumulation_steps: average the gradients of this many steps before each update. Iterations,
            schedules and averages count updates.
        name: the name of the optimizer, by default the class name in snake case.
        weight_decay_exclusions: regular expressions; see `exclude_from_weight_decay`.

    Raises:
        ArgumentError: `learning_rate` is an integer, an argument is out of range, or more than one bound is set.

    >>> class SignDescent(Optimizer):
    ...     learning_rate: float = field(default=0.1, convert=learning_rate)
    ...     def update_step(self, gradient, variable, slots, scalars):
    ...         return -scalars["learning_rate"] * jnp.sign(gradient), slots
    >>> params = {"kernel": jnp.array([1.0, 2.0])}
    >>> optimizer = SignDescent()
    >>> updates, state = optimizer.update({"kernel": jnp.array([3.0, -4.0])}, optimizer.init(params), params)
    >>> updates["kernel"].round(1).tolist()
    [-0.10000000149011612, 0.10000000149011612]
    """

    learning_rate: LearningRateField = field(convert=learning_rate)
    weight_decay: float | None = field(
        default=None, convert=arguments.optional(arguments.finite_non_negative), kw_only=True, trailing=True
    )
    clipnorm: float | None = field(
        default=None, convert=arguments.optional(arguments.number), kw_only=True, trailing=True
    )
    clipvalue: float | None = field(
        default=None, convert=arguments.optional(arguments.number), kw_only=True, trailing=True
    )
    global_clipnorm: float | None = field(
        default=None, convert=arguments.optional(arguments.number), kw_only=True, trailing=True
    )
    use_ema: bool = field(default=False, convert=arguments.boolean, kw_only=True, trailing=True)
    ema_momentum: float = field(default=0.99, convert=arguments.probability, kw_only=True, trailing=True)
    ema_overwrite_frequency: int | None = field(
        default=None, convert=arguments.optional(arguments.positive_int), kw_only=True, trailing=True
    )
    loss_scale_factor: float | None = field(
        default=None, convert=arguments.optional(arguments.finite_positive), kw_only=True, trailing=True
    )
    gradient_accumulation_steps: int | None = field(
        default=None, convert=arguments.optional(arguments.at_least(2)), kw_only=True, trailing=True
    )
    name: str | None = field(default=None, convert=arguments.optional(arguments.text), kw_only=True, trailing=True)
    weight_decay_exclusions: tuple[str, ...] = field(default=(), convert=_patterns, kw_only=True, in_config=False)

    def __post_init__(self) -> None:
        bounds = {"clipnorm": self.clipnorm, "clipvalue": self.clipvalue, "global_clipnorm": self.global_clipnorm}
        if sum(value is not None for value in bounds.values()) > 1:
            settings = ", ".join(f"{name}={value}" for name, value in bounds.items())
            raise ArgumentError(
                f"{type(self).__name__} takes one of clipnorm, clipvalue, global_clipnorm; got {settings}."
            )
        if self.name is None:
            self.name = registry.snake_case(type(self).__name__)

    def _is_default(self, name: str, value: object, default: object) -> bool:
        if name == "name" and value == registry.snake_case(type(self).__name__):
            return True
        return super()._is_default(name, value, default)

    # -- what a rule defines --------------------------------------------------------------------------------------

    def slot_groups(self) -> tuple[tuple[str, ...], ...]:
        """The names of the state per weight. Within a group, Keras stores the slots of a weight next to each other."""
        return ()

    def init_slots(self, path: str, variable: jax.Array) -> Slots:
        """The initial slots of one weight; zeros unless a rule overrides this. A rule may omit slots."""
        return {name: constants.zeros_like(variable) for group in self.slot_groups() for name in group}

    def init_shared(self) -> dict[str, jax.Array]:
        """The initial scalars that the rule maintains for all weights together."""
        return {}

    def prepare(
        self, learning_rate: jax.Array, step: jax.Array, shared: dict[str, jax.Array]
    ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        """The scalars of one update, computed once for all weights, and the next value of `shared`.

        `step` is 1.0 at the first update.
        """
        return {"learning_rate": learning_rate, "step": step}, shared

    def update_step(
        self, gradient: jax.Array, variable: jax.Array, slots: Slots, scalars: Mapping[str, jax.Array]
    ) -> tuple[jax.Array, Slots]:
        """What to add to `variable`, and its next slots. Half-precision arrays arrive here as float32."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_step`.")

    def weight_decay_of(self, path: str, variable: jax.Array) -> float | None:
        """The weight decay of one weight."""
        excluded = any(re.search(pattern, path) for pattern in self.weight_decay_exclusions)
        return None if excluded else self.weight_decay

    # -- the interface --------------------------------------------------------------------------------------------

    def init(self, params: ArrayTree) -> OptimizerState:
        variables, treedef = jax.tree.flatten(params)
        slots = [self.init_slots(path, jnp.asarray(v)) for path, v in zip(paths(params), variables, strict=True)]
        accumulating = self.gradient_accumulation_steps is not None
        state = OptimizerState(
            iterations=constants.zeros((), jnp.int32),
            learning_rate=None if callable(self.learning_rate) else learning_rate_scalar(self.learning_rate),
            slots=_by_name(slots, self.slot_groups(), treedef),
            shared=self.init_shared(),
            average=jax.tree.map(constants.zeros_like, params) if self.use_ema else None,
            accumulator=jax.tree.map(constants.zeros_like, params) if accumulating else None,
            micro_step=constants.zeros((), jnp.int32) if accumulating else None,
        )
        result: OptimizerState = constants.on_device(state)
        return result

    def update(
        self, grads: ArrayTree, state: OptimizerState, params: ArrayTree | None = None, **extra: Any
    ) -> tuple[Any, OptimizerState]:
        if params is None:
            raise InputError(f"{type(self).__name__}.update needs the weights: `update(gradients, state, params)`.")
        variables, treedef = _flatten(params)
        gradients = [
            _full(g).astype(_full_dtype(v)) for g, v in zip(treedef.flatten_up_to(grads), variables, strict=True)
        ]
        if self.loss_scale_factor is not None:
            gradients = [g / self.loss_scale_factor for g in gradients]
        if self.gradient_accumulation_steps is None:
            return self._apply(gradients, state, params)
        return self._accumulate(gradients, state, params)

    def _accumulate(
        self, gradients: list[jax.Array], state: OptimizerState, params: ArrayTree
    ) -> tuple[Any, OptimizerState]:
        """Accumulates the gradients, and updates the weights when enough have been accumulated."""
        accumulated, treedef = _flatten(state.accumulator)
        sums = [(a + g).astype(a.dtype) for a, g in zip(accumulated, gradients, strict=True)]
        steps = self.gradient_accumulation_steps or 1
        micro_step = jnp.asarray(state.micro_step)

        def apply(carry: tuple[Any, OptimizerState]) -> tuple[Any, OptimizerState]:
            _, waiting = carry
            means = [_full(s) / steps for s in jax.tree.leaves(waiting.accumulator)]
            emptied = waiting._replace(
                accumulator=jax.tree.map(jnp.zeros_like, waiting.accumulator), micro_step=jnp.zeros_like(micro_step)
            )
            return self._apply(means, emptied, params)

        waiting = state._replace(accumulator=treedef.unflatten(sums), micro_step=micro_step + 1)
        return run_if(micro_step == steps - 1, apply, (jax.tree.map(jnp.zeros_like, params), waiting))

    def _apply(
        self, gradients: list[jax.Array], state: OptimizerState, params: ArrayTree
    ) -> tuple[Any, OptimizerState]:
        """One update with final gradients, which are still to be clipped."""
        variables, treedef = _flatten(params)
        slots = _by_weight(state.slots, treedef)
        rate = self.get_learning_rate(state)
        scalars, shared = self.prepare(rate, (state.iterations + 1).astype(jnp.float32), state.shared)
        # Options that a sweep varies in parallel are traced and not part of the key.
        traced = any(isinstance(value, jax.core.Tracer) for value in vars(self).values())
        update_weight = _updated if traced else _update_weight
        updates, next_slots = [], []
        for path, variable, gradient, old in zip(paths(params), variables, self._clip(gradients), slots, strict=True):
            decay = self.weight_decay_of(path, variable)
            update, new = update_weight(self, decay, _full(variable), gradient, old, rate, scalars)
            updates.append(update.astype(variable.dtype))
            next_slots.append({name: new[name].astype(old[name].dtype) for name in old})
        state = state._replace(
            iterations=state.iterations + 1,
            slots=_by_name(next_slots, self.slot_groups(), treedef),
            shared=shared,
        )
        if self.use_ema:
            updates, average = self._average(variables, updates, state)
            state = state._replace(average=treedef.unflatten(average))
        return treedef.unflatten(updates), state

    def _clip(self, gradients: list[jax.Array]) -> list[jax.Array]:
        if self.clipnorm and self.clipnorm > 0:
            return clipping.clip_by_norm(gradients, self.clipnorm)
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clipping.clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return clipping.clip_by_value(gradients, self.clipvalue)
        return gradients

    def _average(
        self, variables: list[jax.Array], updates: list[jax.Array], state: OptimizerState
    ) -> tuple[list[jax.Array], list[jax.Array]]:
        """The updates and the moving averages after an update; `state.iterations` already includes this update."""
        momentum = jnp.where(state.iterations == 1, 0.0, self.ema_momentum)
        averages = [
            (momentum * a + (1 - momentum) * (v + u)).astype(a.dtype)
            for a, v, u in zip(jax.tree.leaves(state.average), variables, updates, strict=True)
        ]
        if self.ema_overwrite_frequency is not None:
            overwrite = state.iterations % self.ema_overwrite_frequency == 0
            updates = [jnp.where(overwrite, a - v, u) for a, v, u in zip(averages, variables, updates, strict=True)]
        return updates, averages

    def get_learning_rate(self, state: OptimizerState) -> jax.Array:
        rate: Any = self.learning_rate
        if not callable(rate):
            return jnp.asarray(state.learning_rate)
        return learning_rate_scalar(rate() if _takes_nothing(rate) else rate(state.iterations))

    def set_learning_rate(self, state: OptimizerState, value: ArrayLike) -> OptimizerState:
        if callable(self.learning_rate) or state.learning_rate is None:
            raise schedule_error(self)
        return state._replace(learning_rate=place_like(value, state.learning_rate))

    def scale_loss(self, loss: Array, state: Any) -> Array:
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    @property
    def finalizes(self) -> bool:
        return self.use_ema or type(self).finalize is not Optimizer.finalize

    def finalize(self, params: ArrayTree, state: OptimizerState) -> ArrayTree:
        if not self.use_ema:
            return params
        result: ArrayTree = jax.tree.map(lambda p, a: jnp.where(state.iterations > 0, a, p), params, state.average)
        return result

    def compile_key(self) -> Self:
        if callable(self.learning_rate):
            return self.replace(name=None)
        return self.replace(name=None, learning_rate=CANONICAL_LEARNING_RATE)

    def exclude_from_weight_decay(
        self, var_list: Sequence[str] | None = None, var_names: Sequence[str] | None = None
    ) -> Self:
        """A copy that does not decay some of the weights. Unlike in Keras, the optimizer itself is unchanged.

        Args:
            var_list: the paths of weights, such as `"dense/bias"`.
            var_names: regular expressions; weights whose path contains a match are excluded.

        >>> from jkeras.optimizers.sgd import SGD
        >>> SGD(weight_decay=0.1).exclude_from_weight_decay(var_names=["bias"]).weight_decay_of("dense/bias", None)
        """
        exact = [f"^{re.escape(path)}$" for path in var_list or ()]
        return self.replace(weight_decay_exclusions=(*exact, *(var_names or ())))

    # -- files ------------------------------------------------------------------------------------------------------

    def keras_slot(self, name: str, slots: Slots) -> Any:
        """What Keras stores for a slot that `init_slots` omits, given the other slots; None if it stores nothing."""
        return None


def _updated(
    optimizer: Optimizer,
    decay: float | None,
    variable: jax.Array,
    gradient: jax.Array,
    slots: Slots,
    rate: jax.Array,
    scalars: Mapping[str, Array],
) -> tuple[jax.Array, Slots]:
    """What to add to one weight, and its next slots."""
    slots = {name: _full(value) for name, value in slots.items()}
    if decay is None:
        return optimizer.update_step(gradient, variable, slots, scalars)
    shrinkage = variable * (rate * decay)
    update, slots = optimizer.update_step(gradient, variable - shrinkage, slots, scalars)
    return update - shrinkage, slots


# Traced once for all weights of the same shape.
_update_weight = jax.jit(_updated, static_argnums=(0, 1), inline=True)


def _flatten(tree: PyTree[Any]) -> tuple[list[Any], Any]:
    return jax.tree.flatten(tree)


def _full_dtype(array: Array) -> Any:
    return jnp.promote_types(jnp.result_type(array), jnp.float32)


def _full(array: Array) -> jax.Array:
    """Converts half precision to float32: update rules never run in half precision."""
    return jnp.asarray(array).astype(_full_dtype(array))


def _by_name(
    slots: list[Slots], groups: tuple[tuple[str, ...], ...], treedef: jax.tree_util.PyTreeDef
) -> dict[str, Any]:
    """Converts slots per weight to one tree per slot name, with None where a weight has no such slot."""
    return {name: treedef.unflatten([s.get(name) for s in slots]) for group in groups for name in group}


def _by_weight(slots: dict[str, Any], treedef: jax.tree_util.PyTreeDef) -> list[Slots]:
    """The inverse of `_by_name`."""
    columns = {name: treedef.flatten_up_to(tree) for name, tree in slots.items()}
    return [
        {name: column[i] for name, column in columns.items() if column[i] is not None}
        for i in range(treedef.num_leaves)
    ]


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
