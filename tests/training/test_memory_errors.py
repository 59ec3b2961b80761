"""A device without memory: the error says what the memory holds; the drop-in says that its weights are gone."""

import jax
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import errors
from jkeras.keras import run as keras_run
from jkeras.training import compiled_loops
from jkeras.training.layout import Layout
from jkeras.training.memory_errors import GuardedProgram

X, Y = np.ones((32, 8), "float32"), np.ones((32, 1), "float32")
MESSAGE = "RESOURCE_EXHAUSTED: Out of memory allocating 4294967296 bytes."


class Exhausted:
    """A compiled program that fails when it is called; its arguments are gone where it owns them."""

    def __init__(self, program, donates):
        self.program, self.donates = program, donates

    def __call__(self, step, state, *arguments):
        if self.donates:
            jax.tree.map(lambda leaf: leaf.delete(), state)
        raise jax.errors.JaxRuntimeError(MESSAGE)

    def lower(self, *arguments):
        return self.program.lower(*arguments)


@pytest.fixture
def exhaust(monkeypatch):
    """Makes programs of some names fail."""

    def failing(compile_loop, names):
        def compiled(self, loop, *step):
            program = compile_loop(self, loop, *step)
            return Exhausted(program, loop.donates) if loop.name in names else program

        return compiled

    def exhaust(*names):
        for method in ("compile", "compile_step"):
            monkeypatch.setattr(Layout, method, failing(getattr(Layout, method), names))
        monkeypatch.setattr(
            compiled_loops.CompiledLoops,
            "program",
            lambda self, loop, layout=None: GuardedProgram(loop, (layout or self.layout).compile(loop)),
        )  # those that are kept do not fail
        monkeypatch.setattr(compiled_loops, "_program_of_step", compiled_loops._program_of_step.__wrapped__)
        monkeypatch.setattr(keras_run, "_shared", {})

    return exhaust


def model_of(face):
    layers = face.layers
    net = face.Sequential([face.Input((8,)), layers.Dense(64), layers.Dense(1)])
    result = net.compile("adam", "mse")
    return net if result is None else result


@pytest.mark.parametrize("face", [jk, jk.keras], ids=["jkeras", "jkeras.keras"])
@pytest.mark.parametrize(("program", "call"), [
    ("train_steps", lambda model: model.fit(X, Y, batch_size=16, verbose=0)),
    ("eval_steps", lambda model: model.evaluate(X, Y, verbose=0)),
    ("predict", lambda model: model.predict(X, verbose=0)),
    ("train_one", lambda model: model.train_on_batch(X, Y)),
])  # fmt: skip
def test_the_error_says_what_the_memory_holds(face, program, call, exhaust):
    model = model_of(face)
    model = model.init(0) if face is jk else model
    if face is jk.keras:
        program = {"predict": "predict_batch", "train_one": "train_batch"}.get(program, program)
    if program == "train_one":
        program = "step"  # which leaves its arguments as they are
    exhaust(program)
    with pytest.raises(errors.DeviceMemoryError) as caught:
        call(model)
    message = str(caught.value)
    weights = 4 * (8 * 64 + 64 + 64 + 1)
    if program.endswith("_batch"):  # the drop-in's own steps take lists of arrays
        assert "the model's arrays" in message
    else:
        assert f"the weights {weights / 1e3:.2f} kB" in message
        assert ("the optimizer's state" in message) == (program in ("train_steps", "step"))
    parts = (
        f"`{program}`",
        "the data",
        "temporaries",
        "donate=True",
        "mixed_bfloat16",
        "distribute=jk.distribute.FSDP()",
        "4294967296",
    )
    assert all(part in message for part in parts)
    assert isinstance(caught.value.__cause__, jax.errors.JaxRuntimeError) and isinstance(caught.value, RuntimeError)


def test_other_errors_of_the_compiler_stay_as_they_are(exhaust, monkeypatch):
    monkeypatch.setitem(globals(), "MESSAGE", "INTERNAL: something else")
    exhaust("train_steps")
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL: something else"):
        _ = model_of(jk).fit(X, Y, batch_size=16, verbose=0)


def test_an_immutable_model_survives_the_error(exhaust, monkeypatch):
    model = model_of(jk).init(0)
    expected = model.predict(X, verbose=0)
    exhaust("train_steps")
    with pytest.raises(errors.DeviceMemoryError):
        _ = model.fit(X, Y, batch_size=16, verbose=0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_a_model_of_the_drop_in_says_that_its_weights_are_gone(exhaust, monkeypatch):
    model = model_of(jk.keras)
    weights = model.get_weights()
    expected = model.predict(X, verbose=0)
    with monkeypatch.context():
        exhaust("train_steps")
        with pytest.raises(errors.DeviceMemoryError):
            model.fit(X, Y, verbose=0)
    monkeypatch.undo()
    with pytest.raises(errors.ConsumedError, match="failed half-way"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(errors.ConsumedError, match="failed half-way"):
        model.predict(X, verbose=0)
    model.set_weights(weights)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
