"""Steps write updates into the place of weights, and are compiled without passes that they do not need: with the same numbers."""

import re
import weakref

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers, lowering
from jkeras.graph.loop_depth import depth_of_loops
from jkeras.lowering import switch
from jkeras.training import inner_loops
from jkeras.training.abstract_programs import abstract_programs
from jkeras.training.compiled_loops import TRAIN_STEPS, CompiledLoops
from jkeras.training.layout import Layout, Span
from jkeras.training.sources import TrainingData
from jkeras.training.task import prepare

pytestmark = pytest.mark.skipif(not lowering.compiler_options(), reason="XLA's options are not known here")

RNG = np.random.default_rng(0)
ROWS, SIZE = 40, 16


def dense():
    hidden = [layers.Dense(16, activation="relu") for _ in range(5)]
    return jk.Sequential([layers.Input((16,)), *hidden, layers.Dense(4)]), (16,)


def convolutional():
    hidden = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.Conv2D(4, 3)]
    return jk.Sequential([layers.Input((8, 8, 1)), *hidden, layers.Flatten(), layers.Dense(4)]), (8, 8, 1)


def recurrent():
    return jk.Sequential(
        [layers.Input((6, 3)), layers.LSTM(5, return_sequences=True), layers.GRU(5), layers.Dense(4)]
    ), (6, 3)


def attention():
    inputs = layers.Input((6, 8))
    x = layers.Add()([inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs)])
    x = layers.Dropout(0.2)(layers.LayerNormalization()(x))
    return jk.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling1D()(x))), (6, 8)


MODELS = {"dense": dense, "convolutional": convolutional, "recurrent": recurrent, "attention": attention}
OPTIMIZERS = ("adam", jk.optimizers.SGD(0.01, momentum=0.9, use_ema=True), jk.optimizers.AdamW(clipnorm=1.0))


def task_of(model, shape, optimizer):
    x, y = RNG.normal(size=(ROWS, *shape)).astype("float32"), RNG.normal(size=(ROWS, 4)).astype("float32")
    return prepare(model.compile(optimizer, "mse", metrics=["mae"]), TrainingData(x, y, batch_size=SIZE))


def trained(task, program):
    state = task.first_state(0).replace(metrics=task.empty_metrics(task.train, task.source.example()))
    own = jax.tree.map(lambda leaf: leaf.copy() if isinstance(leaf, jax.Array) else leaf, state)
    order = jax.numpy.arange(3 * SIZE, dtype="int32") % ROWS
    state, _, logs = program(task.train, own, task.source.data, order, Span(0, 3, ROWS, SIZE, True))
    return [np.asarray(leaf) for leaf in jax.tree.leaves((dict(state.params), state.opt_state, logs))]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["adam", "sgd", "adamw"])
@pytest.mark.parametrize("name", MODELS)
def test_numbers_are_those_of_plain_loops(name, optimizer):
    model, shape = MODELS[name]()
    task = task_of(model, shape, optimizer)
    program = task.loops.program(TRAIN_STEPS)
    plain = CompiledLoops(Layout(switch.LIBRARY)).program(TRAIN_STEPS).compiled.nested
    for one, other in zip(trained(task, program), trained(task, plain), strict=True):
        # Unoptimised code, as tests have it, rounds otherwise; Adam makes steps of gradients that are zero but for rounding.
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5)


def test_weights_are_not_copied():
    model, shape = dense()
    task = task_of(model, shape, "adam")
    program = abstract_programs(task, task.first_state(), task.source.example(), ROWS)["train_steps"]
    copies = r"f32\[16,16\]\S* copy\("
    text = program.lower().compile().as_text()
    assert "while(" in text and not re.findall(copies, text)
    copying = CompiledLoops(Layout(switch.LIBRARY)).program(TRAIN_STEPS)
    text = copying.lower(program.step, *program.arguments).compile().as_text()
    assert re.findall(copies, text), "XLA no longer makes them by itself: the option is not needed"


def frozen():
    hidden = [layers.Dense(16, trainable=False), layers.Dense(16)]
    return jk.Sequential([layers.Input((16,)), *hidden, layers.Dense(4)]), (16,)


@pytest.mark.parametrize(
    ("make", "flat"), [(dense, True), (convolutional, True), (attention, True), (recurrent, False), (frozen, False)]
)
def test_passes_for_loops_run_where_a_step_needs_them(make, flat):
    model, shape = make()
    task = task_of(model, shape, "sgd")
    program = CompiledLoops(Layout()).program(TRAIN_STEPS)
    trained(task, program)
    chosen = program.compiled
    assert (chosen.flat._cache_size(), chosen.nested._cache_size()) == ((1, 0) if flat else (0, 1))


def test_one_trace_serves_both_programs():
    traces = []

    class Counted(jk.Layer):
        mixes_samples = False

        def call(self, x, training=False):
            traces.extend([None] * training)
            return x

    task = task_of(jk.Sequential([layers.Input((16,)), Counted(), layers.Dense(4)]), (16,), "sgd")
    trained(task, CompiledLoops(Layout()).program(TRAIN_STEPS))
    assert len(traces) == 1


def test_depth_of_loops():
    def looped(x):
        return jax.lax.fori_loop(0, x, lambda i, x: x * i, x)

    def twice(x):
        return jax.lax.fori_loop(0, x, lambda i, x: jax.lax.cond(x > 3, jax.jit(looped), lambda x: x, x), x)

    for function, depth in ((lambda x: x + 1, 0), (looped, 1), (lambda x: looped(x) + looped(x), 1), (twice, 2)):
        assert depth_of_loops(jax.make_jaxpr(function)(3)) == depth


class Programs:
    """Stands for a compiled program: notes its calls and how often it was traced."""

    def __init__(self, name, calls):
        self.name, self.calls, self.traces = name, calls, 0

    def __call__(self, *arguments):
        self.calls.append(self.name)

    def trace(self, *arguments):
        self.traces += 1
        return jax.jit(lambda *given: given[-1]["x"] * 2, static_argnums=0).trace(*arguments)


def test_the_program_of_a_run_is_chosen_once_for_its_data_and_again_for_other_data():
    calls = []
    nested, flat = Programs("nested", calls), Programs("flat", calls)
    chosen = inner_loops.ChosenByLoops(nested, flat)

    class Data(dict):
        """Arrays by name that can be referred to weakly."""

    jax.tree_util.register_pytree_node(
        Data,
        lambda data: (list(data.values()), tuple(data)),
        lambda names, values: Data(zip(names, values, strict=True)),
    )
    few, many = Data(x=np.zeros(4, "float32")), Data(x=np.zeros(8, "float32"))
    for data, traces in ((few, 1), (few, 1), (many, 2), (many, 2), (few, 2)):
        chosen("step", np.zeros(2), data)
        assert nested.traces == traces
    assert calls == ["flat"] * 5
    gone = weakref.ref(few)
    del few, data
    assert gone() is None  # nothing keeps the data of a run that is over
