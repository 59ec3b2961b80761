"""One run of a drop-in model: gathers its cells, runs Keras's pure step in the core's loop, and updates the cells.

The core's state contains the arrays of the cells in four lists, as in Keras's steps. During a run the cells are lent to it:
values are fetched when a callback reads them, and values that a callback assigns take effect in the next step.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.buffers import is_deleted, owned_copy, taken
from jkeras.errors import ConsumedError, InputError
from jkeras.files.restoring import writable_definition
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.layer_state import parted_variables
from jkeras.keras.variables import Variable
from jkeras.lowering import cache_token
from jkeras.training.compiled_loops import CompiledLoops
from jkeras.training.layout import Layout, Loop
from jkeras.training.sources import Source
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.training.task import Task as CoreTask
from jkeras.utils import pack_x_y_sample_weight

Lists = tuple[list[Any], ...]
NAMES = ("trainable", "non-trainable", "optimizer", "metric")


class SharedKey(NamedTuple):
    """What compiled steps of purely built-in models depend on.

    Attributes:
        definition: the immutable model without arrays.
        names: the names of inputs and outputs, if there are several.
        recipe: optimizer, losses and metrics as values.
    """

    definition: Any
    names: Any
    recipe: Any


class Program:
    """The static part of a compiled step. Programs with the same key share compiled code.

    Args:
        key: what the step depends on besides arrays.
        model: a weak reference, so that a compiled step does not keep a model alive.
        logs: the names and dtypes of the step's logs, if it runs many times in one dispatch.
    """

    def __init__(self, key: Hashable, model: Any, logs: tuple[tuple[str, Any], ...] = ()):
        self.key = (key, logs)
        self._hash = hash(self.key)
        self._model = weakref.ref(model)
        self.logs = logs

    @property
    def model(self) -> Any:
        """The model whose step is traced."""
        return self._model()

    def with_logs(self, logs: Mapping[str, Any]) -> Program:
        """The program for a step with these logs."""
        return Program(self.key[0], self.model, tuple((name, (v.shape, str(v.dtype))) for name, v in logs.items()))

    def of(self, model: Any) -> Program:
        """The same program for an equal model."""
        return self if self.model is model else Program(self.key[0], model, self.logs)

    def mixes_samples(self, training: bool) -> bool:
        """True: a user's own step can do anything with a batch, so rows may depend on each other."""
        return True

    def compute_logs(self, metrics: Any) -> dict[str, Any]:
        """The logs of the last step."""
        reported: dict[str, Any] = metrics["logs"]
        return reported

    def first_logs(self) -> dict[str, np.ndarray]:
        """The initial logs, on the host."""
        return {name: np.zeros(shape, jnp.dtype(dtype)) for name, (shape, dtype) in self.logs}

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Program) and self.key == other.key)


# -- steps over lists ----------------------------------------------------------------------------------------------------


def call_step(model: Any, method: str, lists: Lists, data: Any) -> tuple[dict[str, Any], Lists]:
    """The logs and lists that a user's `train_step` or `test_step` returns.

    Raises:
        InputError: it returns something else.
    """
    returned = getattr(model, method)(lists, data)
    where = f"{type(model).__name__}.{method}"
    good = isinstance(returned, (tuple, list)) and len(returned) == 2 and isinstance(returned[0], Mapping)
    if not good or not isinstance(returned[1], (tuple, list)) or len(returned[1]) != len(lists):
        raise InputError(
            f"{where}(self, state, data) must return (logs, state), the state a tuple of {len(lists)} lists."
        )
    logs, new = returned
    names = NAMES if len(lists) == len(NAMES) else (*NAMES[:2], NAMES[3])
    for name, before, after in zip(names, lists, new, strict=True):
        if len(before) != len(after):
            raise InputError(f"{where} was given {len(before)} {name} variables and returned {len(after)}.")
    alike = tuple(
        [_like(a, b) for a, b in zip(after, before, strict=True)] for before, after in zip(lists, new, strict=True)
    )
    return flat_logs(logs), alike


def _like(new: Any, old: Any) -> Any:
    """A new value of a variable in its dtype, so that loops can carry it."""
    array = jnp.asarray(new, old.dtype)
    return array if array.shape == old.shape else jnp.broadcast_to(array, old.shape)


def flat_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs in which the results of a metric with several results have their own names."""
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat.update(flat_logs(value) if isinstance(value, Mapping) else {name: value})
    return flat


def packed(batch: Batch) -> Any:
    """A batch in the form of Keras's steps."""
    return pack_x_y_sample_weight(batch.x, batch.y, batch.sample_weight)


def _reported(program: Program, logs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: jnp.asarray(logs[name]).astype(dtype) for name, (_, dtype) in program.logs}


def train(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """The core's form of `model.train_step`."""
    lists: Lists = (state.params, state.model_state, state.opt_state, state.metrics["variables"])  # type: ignore[assignment]
    logs, (params, others, slots, metrics) = call_step(program.model, "train_step", lists, packed(batch))
    results = {"variables": metrics, "logs": _reported(program, logs)}
    return state.replace(params=params, model_state=others, opt_state=slots, step=state.step + 1, metrics=results)


def test(program: Program, state: TrainState, batch: Batch) -> TrainState:
    """The core's form of `model.test_step`."""
    lists: Lists = (state.params, state.model_state, state.metrics["variables"])  # type: ignore[assignment]
    logs, (_, others, metrics) = call_step(program.model, "test_step", lists, packed(batch))
    return state.replace(model_state=others, metrics={"variables": metrics, "logs": _reported(program, logs)})


def _train_batch(layout: Layout, program: Program, lists: Lists, data: Any) -> Any:
    return call_step(program.model, "train_step", lists, data)


def _test_batch(layout: Layout, program: Program, lists: Lists, data: Any) -> Any:
    return call_step(program.model, "test_step", lists, data)


def _predict_batch(layout: Layout, program: Program, lists: Lists, data: Any) -> Any:
    return program.model.predict_step(lists, data)


class Loops(CompiledLoops):
    """The core's compiled loops, and compiled steps for single batches: functions of a program, lists and data."""

    def __init__(self) -> None:
        super().__init__(Layout())
        roles = ("state", "batch")
        self._reported: dict[Any, Program] = {}
        self.train_batch = self.program(Loop("train_batch", _train_batch, roles))
        self.test_batch = self.program(Loop("test_batch", _test_batch, roles))
        self.predict_batch = self.program(Loop("predict_batch", _predict_batch, roles))

    def reporting(self, program: Program, method: str, cells: Cells, parts: tuple[str, ...], data: Any) -> Program:
        """The program with the logs of its step, for variables and data like these."""
        leaves, structure = jax.tree.flatten(data)
        variables = [[(cell.shape, cell.dtype) for cell in getattr(cells, part)] for part in parts]
        batch = tuple([(leaf.shape, leaf.dtype) for leaf in leaves])
        place = (program, method, tuple(map(tuple, variables)), structure, batch)
        if place not in self._reported:
            specs = jax.tree.map(_spec, (cells.values(*parts), data))
            logs, _ = jax.eval_shape(lambda lists, data: call_step(program.model, method, lists, data), *specs)
            self._reported[place] = program.with_logs(logs)
        return self._reported[place].of(program.model)


def _spec(leaf: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, jax.dtypes.canonicalize_dtype(leaf.dtype))


class BatchByBatch(Layout):
    """One device, without data on it."""

    def agreed(self, decision: Any) -> Any:
        return False


class CalledSteps(CompiledLoops):
    """Runs steps by calling the model's functions, one batch at a time: uncompiled steps and the user's own functions."""

    def __init__(self) -> None:
        super().__init__(BatchByBatch())

    def train_one(self, step: Step, state: TrainState, batch: Any) -> tuple[TrainState, Any, dict[str, Any]]:
        """One step with `train_function`."""
        lists = (state.params, state.model_state, state.opt_state, state.metrics["variables"])
        logs, (params, others, slots, metrics) = step.program.model.train_function(lists, iter([packed(batch)]))
        results = {"variables": list(metrics), "logs": flat_logs(logs)}
        state = state.replace(params=params, model_state=others, opt_state=slots, step=state.step + 1, metrics=results)
        return state, state.step, results["logs"]

    def eval_one(self, step: Step, state: TrainState, batch: Any) -> tuple[Any, Any]:
        """One step with `test_function`."""
        lists = (state.params, state.model_state, state.metrics["variables"])
        logs, (_, others, metrics) = step.program.model.test_function(lists, iter([packed(batch)]))
        return {"variables": list(metrics), "logs": flat_logs(logs)}, others


_shared: dict[str, Loops] = {}


def shared_loops() -> Loops:
    """The compiled steps of purely built-in models, which equal models share."""
    token = cache_token()
    if token not in _shared:
        _shared[token] = Loops()
    return _shared[token]


# -- cells and states ----------------------------------------------------------------------------------------------------


class Cells(NamedTuple):
    """The variables of a model, in the lists of Keras's steps."""

    trainable: list[Variable]
    non_trainable: list[Variable]
    optimizer: list[Variable]
    metrics: list[Variable]

    @classmethod
    def of(cls, model: Any, training: bool) -> Cells:
        """Those of a model."""
        optimizer = optimizer_of(model)
        slots = optimizer.variables if training and optimizer is not None else []
        return cls(*parted_variables(model), list(slots), list(model.metrics_variables))

    def values(self, *parts: str) -> Lists:
        """The arrays of some lists.

        Raises:
            ConsumedError: a failed step has consumed them.
        """
        lists = tuple([cell.value for cell in getattr(self, part)] for part in parts)
        if any(is_deleted(value) for values in lists for value in values):
            raise ConsumedError(
                "The weights of this model are lost: a step of `fit` or `train_on_batch`, which trains in place, failed"
                " half-way. Load them (`load_weights`), set them (`set_weights`), or build and compile the model again."
            )
        return lists


def assign(cells: Iterable[Variable], values: Iterable[Any]) -> None:
    """Assigns the results of a step to the cells."""
    for cell, value in zip(cells, values, strict=True):
        if cell.settled is not value:
            cell.take_back(value, settled=True)


class Run:
    """A run of `fit`: implements the core loop's interface to a live model (`training.run.Live`).

    Args:
        model: the model that is trained.
        cells: its variables.
    """

    def __init__(self, model: Any, cells: Cells):
        self.model = model
        self.cells = cells
        self._current: Callable[[], TrainState] | None = None
        # The arrays that were returned to cells, by cell, to detect assignments.
        self._brought: dict[int, Any] = {}
        # The cells that were read or assigned since they were lent, the only ones that a hook can have changed.
        self._home: dict[int, Variable] = {}
        self._first_metrics: list[Any] = []
        self._metrics_out = False
        self._place = {
            id(cell): (part, index)
            for part, cells_of_part in zip(Cells._fields, cells, strict=True)
            for index, cell in enumerate(cells_of_part)
        }

    @property
    def stop_training(self) -> bool:
        """Whether a callback has requested the end of training."""
        return bool(self.model.stop_training)

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        self.model.stop_training = value

    @property
    def value(self) -> Any:
        """The immutable model, for checkpoints."""
        return self.model.value

    def written_definition(self) -> dict[str, Any]:
        """A checkpoint's description of the model, without arrays."""
        return writable_definition(self.value)

    def state(self, step: Any, rng: Any, owned: bool = False) -> TrainState:
        """The initial state; from now on the cells are lent.

        Args:
            step: the number of steps taken.
            rng: the root key.
            owned: whether the run may donate the arrays; arrays with other references are copied.
        """
        lists = self.cells.values("trainable", "non_trainable", "optimizer")
        for cell in (*self.cells.trainable, *self.cells.non_trainable, *self.cells.optimizer):
            cell.lend(self)
        if owned:
            lists, (step, rng) = tuple(map(taken, lists)), owned_copy((step, rng))
        return TrainState(*lists, step, rng)  # type: ignore[arg-type]

    def first_metrics(self) -> list[Any]:
        """The states of the metrics at the beginning of an epoch; from then on they are lent."""
        (self._first_metrics,) = self.cells.values("metrics")
        for cell in self.cells.metrics:
            cell.lend(self)
        self._metrics_out = True
        return self._first_metrics

    def _lists(self) -> dict[str, Any]:
        if self._current is None:
            raise RuntimeError("The loop must offer its state before it calls a hook.")
        state = arrays_of(self._current())
        metrics = self._first_metrics if state.metrics is None else state.metrics["variables"]
        return dict(zip(Cells._fields, (state.params, state.model_state, state.opt_state, metrics), strict=True))

    def bring_back(self, cell: Variable) -> None:
        """Called when a cell is read: returns a copy of the array, because the loop will reuse the original."""
        part, index = self._place[id(cell)]
        array = owned_copy(self._lists()[part][index])
        self._brought[id(cell)] = array
        cell.take_back(array)
        self.note_home(cell)

    def note_home(self, cell: Variable) -> None:
        """Called by a cell that is assigned."""
        self._home[id(cell)] = cell

    def metrics_home(self) -> None:
        """Returns the metrics, whose states in the loop end with the epoch."""
        lent = [(index, cell) for index, cell in enumerate(self.cells.metrics) if cell.is_lent]
        if lent:
            states = self._lists()["metrics"]
            for (_, cell), array in zip(lent, owned_copy([states[index] for index, _ in lent]), strict=True):
                cell.take_back(array)
        for cell in self.cells.metrics:
            cell.take_back(cell.settled, settled=True)
        self._metrics_out = False

    def offer(self, state: Callable[[], TrainState]) -> None:
        """Called by the loop before a hook, with the current state."""
        self._current = state

    def take(self) -> TrainState | None:
        """Called by the loop after a hook: returns the state with assigned values, or None."""
        lists: dict[str, Any] = {}
        for cell in self._home.values():
            part, index = self._place[id(cell)]
            if cell.is_lent or (part == "metrics" and not self._metrics_out):
                continue
            value = cell.settled
            if self._brought.get(id(cell)) is not value:
                lists = lists or {name: list(values) for name, values in self._lists().items()}
                lists[part][index] = value
            cell.lend(self)
        self._home.clear()
        self._brought.clear()
        if not lists or self._current is None:
            return None
        return self._current().replace(
            params=lists["trainable"], model_state=lists["non_trainable"], opt_state=lists["optimizer"]
        )

    def finish(self, state: TrainState | None = None) -> None:
        """Assigns the final values of the run to the cells."""
        if state is not None:
            self._current = lambda: state
        if self._current is None:
            return
        lists = self._lists()
        for part, cells in zip(Cells._fields, self.cells, strict=True):
            for index, cell in enumerate(cells):
                if cell.is_lent:
                    cell.take_back(lists[part][index], settled=True)
                else:
                    cell.take_back(cell.settled, settled=True)
        self._current = None


class Task(CoreTask):
    """The core loop's view of a drop-in model.

    Args:
        program: the program of the step.
        source: the data.
        loops: the compiled loops.
        metrics: a function that returns the initial states of metrics for an epoch.
    """

    def __init__(self, program: Program, source: Source, loops: CompiledLoops, metrics: Callable[[], list[Any]]):
        super().__init__(Step(train, program), Step(test, program), source, loops)
        self._metrics = metrics

    def logs(self, step: Step, metrics: Any) -> dict[str, Any]:
        """The logs of the last step."""
        return metrics["logs"]

    def empty_metrics(self, step: Step, batch: Batch) -> Any:
        """Metric states before the first batch."""
        return {"variables": self._metrics(), "logs": step.program.first_logs()}


class Hooks:
    """A list of Keras callbacks with the interface of the core's loop.

    Args:
        callbacks: the list.
        model: the model of the run.
        before: functions to call before a hook, by hook name.
    """

    def __init__(self, callbacks: Any, model: Any, before: Mapping[str, Callable[..., Any]]):
        self.list = callbacks
        self.callbacks: Sequence[Any] = callbacks.callbacks
        self.params = callbacks.params
        self.before = before
        self.together = model.steps_per_execution
        self._waiting: tuple[str, int, Any] | None = None

    def stateful(self) -> dict[str, Any]:
        """None: runs with checkpoints use the immutable model."""
        return {}

    def wants(self, *hooks: str) -> bool:
        """Whether any callback defines one of the hooks."""
        from jkeras.keras.callbacks import Callback

        def defines(callback: Any, hook: str) -> bool:
            own = getattr(type(callback), hook, None)
            return hook in vars(callback) or (own is not None and own is not getattr(Callback, hook, None))

        return any(defines(callback, hook) for callback in self.callbacks for hook in hooks)

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook of every callback; batch hooks once per group of `steps_per_execution`."""
        if hook.endswith("_batch_begin") and args[0] % self.together:
            return
        if hook.endswith("_batch_end") and (args[0] + 1) % self.together:
            self._waiting = (hook, args[0], args[1])
            return
        if hook.endswith("_batch_end"):
            self._waiting = None
        else:
            self.flush()
        if hook in self.before:
            self.before[hook](*args)
        getattr(self.list, hook)(*args)

    def flush(self) -> None:
        """Reports a last group with fewer batches than the others."""
        if self._waiting is not None:
            hook, index, logs = self._waiting
            self._waiting = None
            getattr(self.list, hook)(index // self.together * self.together + self.together - 1, logs)
