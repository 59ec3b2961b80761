"""Which lines of a traceback are shown, and what is noted of the layer where an exception arose."""

import os
import re
import subprocess
import sys
import traceback

import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import keras, layers
from jkeras.errors import ArgumentError, InputError, SignatureError
from jkeras.models import training
from jkeras.tracebacks import NOTE, filtered, shorten

X, Y = np.zeros((8, 3), "float32"), np.zeros((8, 1), "float32")


class Raises(layers.Layer):
    """Fails in training, two functions down."""

    def call(self, x, training=False):
        return self.helper(x) if training else x

    def helper(self, x):
        return jnp.dot(x, jnp.ones((9, 2)))


class RaisesAlways(layers.Layer):
    error: type = KeyError

    def call(self, x):
        raise self.error("mine")


class Mutable(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise KeyError("mine")
        return x


def lines(error):
    """The functions whose lines are shown, those of this file by name, others as file:name."""
    shown = traceback.extract_tb(error.__traceback__)
    return [f.name if f.filename == __file__ else f"{os.path.basename(f.filename)}:{f.name}" for f in shown]


def nested(layer):
    inner = jk.Sequential([layers.Input((3,)), layers.Dense(4), layer], name="encoder")
    return jk.Sequential([layers.Input((3,)), inner, layers.Dense(1)]).compile("sgd", "mse")


def test_lines_of_the_user_and_the_place_of_the_layer():
    model = nested(Raises(name="mine"))
    with pytest.raises(TypeError, match="dot_general") as caught:
        model = model.fit(X, Y, verbose=0)
    assert lines(caught.value) == ["test_lines_of_the_user_and_the_place_of_the_layer", "call", "helper"]
    place = "In the Raises layer 'encoder/mine', called with x: (8, 4) float32."
    assert caught.value.__notes__ == [place, NOTE]


def test_while_the_model_is_made():
    with pytest.raises(KeyError) as caught:
        nested(RaisesAlways(name="mine"))
    assert lines(caught.value) == ["test_while_the_model_is_made", "nested", "call"]
    assert caught.value.__notes__ == ["In the RaisesAlways layer 'mine', called with x: (None, 4) float32.", NOTE]


def test_layers_on_arrays_and_inputs_in_structures():
    with pytest.raises(KeyError) as caught:
        RaisesAlways(name="mine")([X, {"a": Y}])
    assert lines(caught.value) == ["test_layers_on_arrays_and_inputs_in_structures", "call"]
    assert "called with x: [(8, 3) float32, {'a': (8, 1) float32}]." in caught.value.__notes__[0]


def test_handles():
    model = keras.Sequential([keras.Input((3,)), Mutable(name="mine"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(KeyError) as caught:
        model.fit(X, Y, verbose=0)
    assert lines(caught.value) == ["test_handles", "call"]
    assert re.match(r"In the Mutable layer 'sequential\w*/mine'", caught.value.__notes__[0])


def test_code_of_the_user_that_jkeras_calls():
    def batches():
        yield X, Y
        raise OSError("gone")

    model = nested(layers.ReLU())
    with pytest.raises(OSError, match="gone") as caught:
        model = model.fit(batches(), verbose=0)
    assert lines(caught.value) == ["test_code_of_the_user_that_jkeras_calls", "batches"]


def test_errors_of_jkeras_say_all_themselves():
    with pytest.raises(InputError) as caught:
        nested(layers.Conv2D(2, 2, name="image"))
    assert lines(caught.value) == ["test_errors_of_jkeras_say_all_themselves", "nested"]
    assert "image" in str(caught.value) and not getattr(caught.value, "__notes__", [])


def test_but_not_where_an_operation_was_used():
    class Wrong(layers.Layer):
        def call(self, x):
            return jk.ops.reshape(x, (7, 7)) if False else jk.activations.get("rleu")(x)

    with pytest.raises(ArgumentError) as caught:
        nested(Wrong(name="mine"))
    assert lines(caught.value)[-1] == "call"
    assert caught.value.__notes__ == ["In the Wrong layer 'mine', called with x: (None, 4) float32."]


def test_a_fault_of_jkeras_itself_shows_its_line(monkeypatch):
    monkeypatch.setattr(training, "check_frequency", lambda value: {}["fault"])
    model = nested(layers.ReLU())
    with pytest.raises(KeyError, match="fault") as caught:
        model = model.fit(X, Y, verbose=0)
    # The line in this file is part of the patch.
    assert lines(caught.value) == ["test_a_fault_of_jkeras_itself_shows_its_line", "<lambda>"]
    monkeypatch.setattr(training, "check_frequency", None)
    with pytest.raises(TypeError, match="NoneType") as caught:
        model = model.fit(X, Y, verbose=0)
    assert lines(caught.value) == ["test_a_fault_of_jkeras_itself_shows_its_line", "training.py:fit"]


def test_all_lines_on_demand():
    model = nested(Raises())
    jk.config.disable_traceback_filtering()
    try:
        with pytest.raises(TypeError) as caught:
            model = model.fit(X, Y, verbose=0)
    finally:
        jk.config.enable_traceback_filtering()
    assert len(lines(caught.value)) > 20
    assert NOTE not in caught.value.__notes__ and len(caught.value.__notes__) == 1


def test_the_variable_in_the_environment():
    program = "from jkeras import config; print(config.is_traceback_filtering_enabled())"
    for value, enabled in {"1": "False", "0": "True"}.items():
        environment = {**os.environ, "JKERAS_FULL_TRACEBACK": value}
        found = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert found.stdout.strip() == enabled


def test_causes_and_notes_stay():
    @filtered
    def outer():
        return inner()

    @filtered
    def inner():
        try:
            raise OSError("first")
        except OSError as error:
            error = RuntimeError("second", error)
            error.add_note("a note")
            raise error from error.args[1]

    with pytest.raises(RuntimeError) as caught:
        outer()
    assert lines(caught.value) == ["test_causes_and_notes_stay", "outer", "inner"]
    assert caught.value.__notes__ == ["a note", NOTE]
    assert isinstance(caught.value.__cause__, OSError) and lines(caught.value.__cause__) == ["inner"]


def test_a_cycle_of_causes_ends():
    first, second = ValueError("first"), ValueError("second")
    first.__context__, second.__context__ = second, first
    shorten(first)
    assert first.__notes__ == [NOTE]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.fit(X, Y, epoch=3), r"fit\(\) .*'epoch'.* Did you mean 'epochs'\?"),
        (lambda m: m.compile("sgd", metric=["mae"]), r"compile\(\) .*'metric'.* Did you mean 'metrics'\?"),
        (lambda m: m.evaluate(X, Y, batchsize=3), r"Did you mean 'batch_size'\?"),
        (lambda m: m.predict(), r"missing 1 required positional argument: 'x'"),
        (lambda m: jk.load_model(), r"load_model\(\) missing"),
    ],
)
def test_arguments_that_do_not_exist(call, message):
    model = nested(layers.ReLU())
    with pytest.raises(SignatureError, match=message) as caught:
        call(model)
    assert lines(caught.value) == ["test_arguments_that_do_not_exist", "<lambda>"]


def test_a_wrapped_function_looks_like_itself():
    import inspect

    assert inspect.signature(jk.Model.fit).parameters["epochs"].default == 1
    assert jk.Model.fit.__name__ == "fit" and "epochs" in jk.Model.fit.__doc__


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"loss": lambda a, b: {}["x"]}, "In the loss '<lambda>' of the output 'dense', called with"),
        (
            {"loss": "mse", "metrics": [lambda a, b: {}["x"]]},
            "In the metric '<lambda>' of the output 'dense', called with",
        ),
    ],
)
def test_losses_and_metrics(options, place):
    model = jk.Sequential([layers.Input((3,)), layers.Dense(1, name="dense")]).compile("sgd", **options)
    with pytest.raises(KeyError) as caught:
        model = model.fit(X, Y, verbose=0)
    assert lines(caught.value) == ["test_losses_and_metrics", "<lambda>"]
    assert caught.value.__notes__[0] == f"{place} y_true: (8, 1) float32, y_pred: (8, 1) float32."


def test_operations():
    with pytest.raises(
        InputError, match=r"ops.reshape of an array of shape \(8, 3\) .*, \(7, 7\): cannot reshape"
    ) as caught:
        jk.ops.reshape(X, (7, 7))
    assert lines(caught.value)[0] == "test_operations" and len(lines(caught.value)) <= 2


def test_a_missing_argument_of_call():
    with pytest.raises(InputError, match=r"attend: MultiHeadAttention.call\(\) needs the argument 'value'"):
        layers.MultiHeadAttention(2, 2, name="attend")(layers.Input((4, 3)))
