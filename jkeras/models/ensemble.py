"""Many models of one definition, trained in one vmapped program."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.callbacks.callback import CallbackList
from jkeras.errors import ArgumentError, InputError
from jkeras.graph import runtime
from jkeras.models.history import History
from jkeras.models.model import Model
from jkeras.training import batches, loop, runs, steps
from jkeras.training.batches import ArraySource, as_source
from jkeras.training.state import TrainState


class Ensemble:
    """Models that differ in their seeds, trained, evaluated and asked together.

    Every member starts from weights of its own seed, sees the data in an order of its own, and ends up as the model that
    `model.init(seed).fit(..., seed=seed)` gives; but all of them run in one program, so many small models cost little more
    than one.

    Args:
        model: a compiled model.
        members: how many, or a list of seeds.
        bootstrap: whether each member trains on a resample of the data, drawn with replacement.

    An ensemble is immutable: `fit` returns a new one. `ensemble[3]` is an ordinary model, `len(ensemble)` their number.
    """

    def __init__(self, model: Model, members: Any = 8, *, bootstrap: bool = False):
        if isinstance(members, (list, tuple, np.ndarray, range)):
            self.seeds = [arguments.integer(seed) for seed in members]
        else:
            self.seeds = list(range(arguments.positive_int(members)))
        if not self.seeds:
            raise ArgumentError("Ensemble(members=[]): expected at least one seed.")
        self.model = model
        self.bootstrap = bootstrap
        self.state: TrainState | None = None
        self.histories: tuple[History, ...] = tuple(History() for _ in self.seeds)

    def _with(self, **changes: Any) -> Self:
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__, **changes)
        return clone

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> Model:
        """One member, as an ordinary model."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"The ensemble has {len(self)} members.")
        state = jax.tree.map(lambda a: a[index], self._members_state(self.model))
        return self.model._with(_spec_state=state, _spec_history=self.histories[index])

    def __iter__(self) -> Iterator[Model]:
        return (self[i] for i in range(len(self)))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Logs of the last `fit`: arrays of shape `(epochs, members)`."""
        return {name: np.stack([h[name] for h in self.histories], axis=1) for name in self.histories[0]}

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
    ) -> Self:
        """A trained ensemble; arguments as in `Model.fit`. The data must fit into memory."""
        recipe = self.model._compiled_recipe("fit")
        source = self._source(x, y, sample_weight, batch_size)
        validation = None
        if validation_data is not None:
            weights = validation_data[2] if len(validation_data) > 2 else None
            validation = self._source(validation_data[0], validation_data[1], weights, batch_size)
        elif validation_split:
            source, validation = batches.split(source, validation_split)
        source = self._source(batches.weighted(source, class_weight), None)
        model = self.model.build_for(source.example().x)
        program = model._program(recipe, source.example())
        model._check_data(source, program, recipe)
        state = self._training_state(model, program)
        first = jax.tree.map(lambda leaf: leaf[0], state)
        job = model._job(program, first, source.example(), None if validation is None else validation.example())
        job = dataclasses.replace(job, runner=runs.runner(many=True))
        options = loop.Options(epochs=epochs, shuffle="bootstrap" if self.bootstrap else shuffle, verbose=verbose,
                               steps_per_execution=recipe.steps_per_execution)
        session = loop.fit(job, state, source, validation, options, CallbackList(), _Nobody())
        histories = tuple(
            History({name: [float(np.asarray(v)[i]) for v in values] for name, values in session.history.items()}, session.epochs)
            for i in range(len(self))
        )
        finalize = jax.vmap(lambda s: recipe.optimizer.finalize(steps.trainable(program, s.params), s.opt_state))
        final = session.state.replace(params=jax.vmap(steps.merge)(session.state.params, finalize(session.state)))
        return self._with(model=model, state=final, histories=histories)

    def evaluate(self, x: Any, y: Any = None, batch_size: int | None = None, sample_weight: Any = None) -> dict[str, Any]:
        """Loss and metrics of every member: arrays of shape `(members,)`."""
        recipe = self.model._compiled_recipe("evaluate")
        source = self._source(x, y, sample_weight, batch_size)
        model = self.model.build_for(source.example().x)
        program = model._program(recipe, source.example())
        job = loop.Job(program, steps.train, steps.evaluate, runs.runner(many=True))
        callbacks = CallbackList()
        return loop.evaluate(job, self._members_state(model), source, callbacks, callbacks.call)

    def predict_members(self, x: Any, batch_size: int | None = None) -> Any:
        """The outputs of every member: arrays of shape `(members, rows, ...)`."""
        source = self._source(x, None, None, batch_size or 512)
        model = self.model.build_for(source.example().x)
        state = self._members_state(model)
        parts = [jax.device_get(_predict_many(model.network, state, batch.x)) for batch in source.batches()]
        return jax.tree.map(lambda *pieces: np.concatenate(pieces, axis=1), *parts)

    def predict(self, x: Any, batch_size: int | None = None) -> tuple[Any, Any]:
        """The mean over the members, and their spread (standard deviation)."""
        outputs = self.predict_members(x, batch_size)
        return jax.tree.map(lambda a: a.mean(axis=0), outputs), jax.tree.map(lambda a: a.std(axis=0), outputs)

    def _source(
        self, x: Any, y: Any, sample_weight: Any = None, batch_size: int | None = None
    ) -> ArraySource:
        source = as_source(x, y, sample_weight, batch_size)
        if not isinstance(source, ArraySource):
            raise InputError("An ensemble takes arrays, since every member sees them in an order of its own.")
        return source

    def _members_state(self, model: Model) -> TrainState:
        if self.state is not None:
            return self.state
        states = [model.init(seed).state for seed in self.seeds]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)

    def _training_state(self, model: Model, program: steps.Program) -> TrainState:
        state = self._members_state(model)
        if state.opt_state is None:
            optimizer = model._compiled_recipe("fit").optimizer
            make = jax.vmap(lambda params: steps.init_optimizer(optimizer, params, program.frozen))
            state = state.replace(opt_state=make(state.params))
        keys = jnp.stack([runtime.as_key(seed) for seed in self.seeds])
        return state.replace(rng=keys)

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self)} x {self.model!r}>"


@dataclasses.dataclass
class _Nobody:
    """Stands for the live model where there are no callbacks."""

    stop_training: bool = False

    def offer(self, state: Any) -> None:
        """Nobody looks."""

    def take(self) -> None:
        """Nobody changes anything."""


_predict_many = jax.jit(
    lambda definition, state, x: jax.vmap(lambda one: steps.predict(definition, one, x))(state), static_argnums=0
)
