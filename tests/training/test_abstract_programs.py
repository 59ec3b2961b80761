"""Programs of a task without arrays: they are those that `fit` runs, and compile without data."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import ArgumentError, InputError, NotCompiledError
from jkeras.training.abstract_programs import abstract_programs
from jkeras.training.compiled_loops import TRAIN_STEPS, loops_of
from jkeras.training.inner_loops import ChosenByLoops
from jkeras.training.sources import TrainingData, ValidationData
from jkeras.training.state import Batch
from jkeras.training.task import prepare

d = jk.distribute
X, Y = np.ones((70, 8), "float32"), np.ones((70, 4), "float32")
STRATEGIES = {
    "one device": None,
    "pmap": d.MirroredStrategy(),
    "mesh": d.DataParallel(),
    "FSDP": d.FSDP(min_size=16),
}


def compiled(strategy=None):
    model = jk.Sequential([layers.Input((8,)), layers.Dense(16), layers.Dense(4)])
    return model.compile("adam", "mse", metrics=["mae"], distribute=strategy)


@pytest.mark.parametrize("name", STRATEGIES)
def test_programs_compile_and_donate_the_state(name):
    task = prepare(compiled(STRATEGIES[name]), TrainingData(X, Y, batch_size=16))
    state = jax.eval_shape(task.first_state)
    batch = Batch(jax.ShapeDtypeStruct((16, 8), "float32"), jax.ShapeDtypeStruct((16, 4), "float32"))
    programs = abstract_programs(task, state, batch, len(X))
    assert set(programs) == {"train_steps", "train_one", "eval_steps", "eval_one", "predict"}
    for kind, program in programs.items():
        memory = program.lower().compile().memory_analysis()
        assert memory is None or bool(memory.alias_size_in_bytes) == kind.startswith("train")


def test_fit_runs_the_abstract_program():
    model = compiled()
    task = prepare(model, TrainingData(X, Y, batch_size=16))
    program = loops_of().program(TRAIN_STEPS)
    arrays = abstract_programs(task, task.first_state(), task.source.example(), len(X))["train_steps"]
    assert arrays.program is program and arrays.step == task.train


BAD = {
    "not compiled": (lambda: prepare(jk.Sequential([layers.Dense(1)]), TrainingData(X, Y)), NotCompiledError),
    "rows": (lambda: prepare(compiled(), TrainingData(X, Y[:3])), InputError),
    "inputs": (lambda: prepare(compiled(), TrainingData(X[:, :3], Y)), InputError),
    "targets": (lambda: prepare(compiled(), TrainingData(X, Y[:, :3])), InputError),
    "no targets": (lambda: prepare(compiled(), TrainingData(X)), InputError),
    "held out": (lambda: prepare(compiled(), TrainingData(X, Y), ValidationData((X, Y[:, :2]))), InputError),
    "split": (lambda: prepare(compiled(), TrainingData(X, Y), ValidationData(split=1.5)), ArgumentError),
    "stream": (lambda: prepare(compiled(), TrainingData(iter([(X, Y)])), in_memory=True), InputError),
    "class weight": (lambda: prepare(compiled(), TrainingData(X, Y, class_weight={9: 1.0})), ArgumentError),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_found_before_anything_is_compiled(case):
    call, error = BAD[case]
    before = cached()
    with pytest.raises(error):
        call()
    assert cached() == before


def cached():
    """How many programs of training steps there are."""
    program = loops_of().program(TRAIN_STEPS).compiled
    parts = (program.flat, program.nested) if isinstance(program, ChosenByLoops) else (program,)
    return sum(part._cache_size() for part in parts)
