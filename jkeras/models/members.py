"""Training many models of one definition together: what ensembles, sweeps and cross-validation share.

The members' states are stacked on a leading axis, and one compiled program trains all of them, or a group of them at a time
(`grouping.py` chooses of how many); on CPUs as many groups train side by side as there are cores.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.callbacks.callback import Callback, CallbackList
from jkeras.console.progress import ProgressBar
from jkeras.errors import ArgumentError, InputError
from jkeras.models import member_checkpoints
from jkeras.models.group_progress import GroupProgress
from jkeras.models.grouping import Grouping, checked_size, choose, groups_at_a_time
from jkeras.models.handle import Handle
from jkeras.models.history import History
from jkeras.paths import merge
from jkeras.training import loop
from jkeras.training.compiled_loops import loops_of
from jkeras.training.device_memory import device_budget
from jkeras.training.program import trainable
from jkeras.training.state import TrainState, arrays_of, filled, named_arrays
from jkeras.training.task import Options, Task

if TYPE_CHECKING:
    from jkeras.models.model import Model

# The text of the bar while several group sizes are measured.
MEASURING = "measuring how many models train best in one program"

PER_BATCH = tuple(f"on_{what}batch_{when}" for what in ("", "train_", "test_") for when in ("begin", "end"))


@dataclasses.dataclass(frozen=True)
class Plan:
    """How members are trained.

    Attributes:
        options: the options of the loop.
        callbacks: each member gets its own copies.
        rows: for each member the rows of the data that it sees; None for all.
        group: how many members train in one program; None to choose by measuring.
        progress: notified of the epochs of all groups, if there are several.
        settings: what distinguishes each member from the others, as JSON can hold it; None where a run cannot go on from a
            checkpoint.
    """

    options: Options
    callbacks: Sequence[Any] = ()
    rows: np.ndarray | None = None
    group: int | None = None
    progress: GroupProgress | None = None
    settings: Sequence[Any] | None = None


def stack(states: Sequence[Any]) -> Any:
    """States of single models as one of many."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def member(state: TrainState, index: Any) -> Any:
    """The state of one member, or of several for a slice."""
    return jax.tree.map(lambda leaf: leaf[index], state)


def put(state: Any, index: int, one: Any) -> Any:
    """`state` with another state for one member."""
    return jax.tree.map(lambda leaf, new: leaf.at[index].set(new), state, one)


class Trained(NamedTuple):
    """What training gives: the stacked state, the members' histories, and how they were grouped."""

    state: TrainState
    histories: tuple[History, ...]
    grouping: Grouping


def train(task: Task, state: TrainState, plan: Plan) -> Trained:
    """Trains stacked states.

    Args:
        task: what the members have in common, prepared with `in_memory`.
        state: with a leading axis of members.
        plan: how to train.

    Raises:
        ArgumentError: a callback has hooks per batch, or keeps checkpoints in a way that does not fit many models; `group` is
            no positive integer; the model's steps are not to be compiled, or a strategy distributes them.
        RestoreError: a checkpoint belongs to other members, or its groups have another size.
        InputError: the data is too large.
    """
    stores = member_checkpoints.stores(plan.callbacks, plan.settings is not None)
    plan = dataclasses.replace(plan, callbacks=[c for c in plan.callbacks if c not in stores])
    _check(task, plan)
    count = state.step.shape[0]
    task = dataclasses.replace(task, loops=loops_of(many=True))
    grouping = _grouping(task, state, plan, member_checkpoints.stored_size(stores, count))
    ranges = [range(start, min(start + grouping.size, count)) for start in range(0, count, grouping.size)]
    parts = member_checkpoints.parts(stores, ranges)

    def run(number: int) -> tuple[TrainState, list[History]]:
        member_range = slice(ranges[number].start, ranges[number].stop)
        own = dataclasses.replace(
            plan,
            rows=None if plan.rows is None else plan.rows[member_range],
            settings=None if plan.settings is None else plan.settings[member_range],
        )
        return _train_group(task, member(state, member_range), own, [p[number] for p in parts])

    if len(ranges) > 1:
        progress = GroupProgress(len(ranges), plan.options.epochs, plan.options.verbose)
        plan = dataclasses.replace(plan, options=dataclasses.replace(plan.options, verbose=0), progress=progress)
        with ThreadPoolExecutor(grouping.at_a_time) as pool:
            results = list(pool.map(run, range(len(ranges))))
    else:
        results = [run(0)]
    member_checkpoints.finish(stores, parts)
    states = [final for final, _ in results]
    joined = states[0] if len(states) == 1 else jax.tree.map(lambda *parts: jnp.concatenate(parts), *states)
    return Trained(joined, tuple(history for _, histories in results for history in histories), grouping)


def _check(task: Task, plan: Plan) -> None:
    """Raises an error for callbacks, steps or data that cannot be used."""
    for callback in plan.callbacks:
        if CallbackList([callback]).wants(*PER_BATCH):
            raise ArgumentError(
                f"callbacks: {type(callback).__name__} has hooks per batch; members that train together have hooks per"
                f" epoch only, such as EarlyStopping, ReduceLROnPlateau and LearningRateScheduler."
            )
    if task.run_eagerly:
        raise ArgumentError(
            "compile(run_eagerly=True): models that train together are trained by one compiled program; compile the model"
            " without it, or call `fit` of each."
        )
    strategy = task.model.recipe.distribute
    if strategy is not None:
        raise ArgumentError(
            f"compile(distribute={type(strategy).__name__}(...)): models that train together share one device; compile the"
            " model without it, or call `fit` of each."
        )
    if task.arrays.nbytes > device_budget():
        raise InputError(
            f"The data has {task.arrays.nbytes:,} bytes, more than may lie on the device ({int(device_budget()):,}; see"
            f" `jk.config.data_budget`). Members that train together each take rows in an order of their own from there."
        )


def _grouping(task: Task, state: TrainState, plan: Plan, stored: int | None) -> Grouping:
    """How the members are grouped: by the argument, as in the resumed run, or by speed."""
    count, size = state.step.shape[0], checked_size(plan.group)
    group_size = size or stored
    if group_size is None:
        with ProgressBar(None, verbose=plan.options.verbose).waiting(MEASURING):
            return choose(task, state, plan.options.epochs)
    group_size = min(group_size, count)
    return Grouping(group_size, groups_at_a_time(-(-count // group_size)), "checkpoint" if size is None else "argument")


def _train_group(
    task: Task, state: TrainState, plan: Plan, stores: Sequence[member_checkpoints.GroupStore]
) -> tuple[TrainState, list[History]]:
    group = Group(task, state, plan)
    if plan.rows is not None:
        task = dataclasses.replace(
            task, source=dataclasses.replace(task.arrays, subset=jnp.asarray(plan.rows, jnp.int32))
        )
    run = loop.fit(task, owned_copy(state), plan.options, CallbackList([group, *stores]), group.live)
    if plan.progress is not None:
        plan.progress.group_ended(len(run.epochs))
    params, opt_state = arrays_of(run.state).params, arrays_of(run.state).opt_state
    optimizer = task.model.recipe.optimizer
    finalize: Any = jax.vmap(lambda p, s: optimizer.finalize(trainable(task.train.program, p), s))
    final = run.state.replace(params=jax.vmap(merge)(params, finalize(params, opt_state)))
    return final, [h.history() for h in group.members]


@dataclasses.dataclass
class Live:
    """The loop's view of a group: what callbacks would see as the model, if they did not each have a member's own."""

    definition: Callable[[], dict[str, Any]]
    stop_training: bool = False
    current: Callable[[], TrainState] | None = None
    changed: TrainState | None = None

    def offer(self, state: Callable[[], TrainState]) -> None:
        """Offers the state of all members, which is computed only on access."""
        self.current, self.changed = state, None

    def take(self) -> TrainState | None:
        """The state if a member's callback changed it."""
        return self.changed

    def written_definition(self) -> dict[str, Any]:
        """What a checkpoint stores about the members besides their arrays."""
        return self.definition()


class Member:
    """One member in training: its callbacks, its live model, its logs."""

    def __init__(self, model: Model, index: int, callbacks: Sequence[Any], directions: Any, params: dict[str, Any]):
        self.index = index
        self.handle: Handle = Handle(model, directions)
        self.callbacks: CallbackList = CallbackList([copy.deepcopy(c) for c in callbacks], self.handle, **params)
        self.epochs: list[int] = []
        self.logs: dict[str, list[float]] = {}
        self.frozen: Any = None

    def note(self, epoch: int, logs: dict[str, Any]) -> None:
        """Records the logs of an epoch."""
        self.epochs.append(epoch)
        for name, value in logs.items():
            self.logs.setdefault(name, []).append(value)

    def history(self) -> History:
        """The history of this member."""
        return History(self.logs, self.epochs, self.callbacks.params)

    def get_state(self) -> dict[str, Any]:
        """What a checkpoint stores about it besides its arrays."""
        callbacks = {name: callback.get_state() for name, callback in self.callbacks.stateful().items()}
        frozen = None if self.frozen is None else named_arrays(self.frozen)
        return {"callbacks": callbacks, "epochs": self.epochs, "logs": self.logs, "frozen": frozen}

    def set_state(self, state: Mapping[str, Any], template: TrainState) -> None:
        """Restores what `get_state` returned.

        Args:
            state: from a checkpoint.
            template: a state of the structure of the member's.
        """
        for name, callback in self.callbacks.stateful().items():
            if name in state["callbacks"]:
                callback.set_state(state["callbacks"][name])
        self.epochs = list(state["epochs"])
        self.logs = {name: list(values) for name, values in state["logs"].items()}
        frozen = state["frozen"]
        if frozen is not None:
            arrays = {name: jnp.asarray(value) for name, value in frozen.items()}
            self.frozen = filled(template, arrays, str(jax.random.key_impl(template.rng)))


class Group(Callback):
    """Calls each member's callbacks with that member's logs; a member that stops keeps the state that it has then."""

    def __init__(self, task: Task, state: TrainState, plan: Plan):
        super().__init__()
        model, directions = task.model, task.train.program.objective.directions
        self.progress = plan.progress
        self.live: Live = Live(lambda: member_checkpoints.written_definition(model, plan.settings or ()))
        self.template: TrainState = member(state, 0)
        params = {"epochs": plan.options.epochs, "verbose": 0}
        count = state.step.shape[0]
        self.members: list[Member] = [Member(model, i, plan.callbacks, directions, params) for i in range(count)]

    def get_state(self) -> dict[str, Any]:
        """What a checkpoint stores about the members besides their arrays."""
        return {"members": [who.get_state() for who in self.members]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores what `get_state` returned."""
        for who, member_state in zip(self.members, state["members"], strict=True):
            who.set_state(member_state, self.template)

    def _call(self, who: Member, hook: str, *args: Any) -> None:
        if not who.callbacks.callbacks:
            return
        live = self.live

        def current() -> TrainState:
            whole = live.changed if live.changed is not None else live.current()  # type: ignore[misc]
            result: TrainState = member(whole.replace(metrics=None), who.index)
            return result

        who.handle.offer(current)
        who.callbacks.call(hook, *args)
        changed = who.handle.take()
        if changed is not None:
            self._put(who, changed)

    def _put(self, who: Member, one: TrainState) -> None:
        live = self.live
        whole = live.changed if live.changed is not None else live.current().replace(metrics=None)  # type: ignore[misc]
        live.changed = put(whole, who.index, one.replace(metrics=None))

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        for who in self.members:
            self._call(who, "on_train_begin")

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        for who in self.members:
            if who.frozen is None:
                self._call(who, "on_epoch_begin", epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        for who in self.members:
            if who.frozen is not None:
                self._put(who, who.frozen)  # the program trained it as well, which does not count
                continue
            own = {name: _scalar(np.asarray(value)[who.index]) for name, value in (logs or {}).items()}
            self._call(who, "on_epoch_end", epoch, own)
            who.note(epoch, own)
            if who.handle.stop_training:
                whole = self.live.changed if self.live.changed is not None else self.live.current()  # type: ignore[misc]
                who.frozen = member(whole.replace(metrics=None), who.index)
        if self.progress is not None:
            self.progress.epoch_ended(logs or {})
        self.live.stop_training = all(who.frozen is not None for who in self.members)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        for who in self.members:
            self._call(who, "on_train_end", {name: values[-1] for name, values in who.logs.items()})


def _scalar(value: np.ndarray) -> Any:
    return float(value) if np.ndim(value) == 0 else value


def table(columns: Sequence[Sequence[float]]) -> np.ndarray:
    """Columns, one for each member, as an array `(epochs, members)`; NaN where a member had stopped.

    >>> table([[1.0, 2.0], [3.0]]).tolist()
    [[1.0, 3.0], [2.0, nan]]
    """
    length = max(map(len, columns), default=0)
    filled = np.full((length, len(columns)), np.nan)
    for i, column in enumerate(columns):
        filled[: len(column), i] = column
    return filled
