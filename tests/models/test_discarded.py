"""A result that is thrown away, or shown and lost, is an error; where it is measured or used it is none."""

import cProfile
import threading
import timeit
import warnings

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import DiscardedResultError

X = np.ones((8, 3), "float32")
Y = X[:, :1]


def model():
    return jk.Sequential([jk.Input((3,)), layers.Dense(2, name="a"), layers.Dense(1)]).compile("sgd", "mse")


LOST = {
    "compile": 'm.compile("sgd", "mse")',
    "fit": "m.fit(X, Y, verbose=0)",
    "train_on_batch": "m.train_on_batch(X, Y)",
    "freeze": 'm.freeze("a")',
    "unfreeze": 'm.unfreeze("a")',
    "set_weights": "m.set_weights(m.get_weights())",
    "with_learning_rate": "m.with_learning_rate(0.5)",
    "with_state": "m.with_state(m.state)",
    "init": "m.init(1)",
    "add": "m.add(layers.Dense(1))",
    "pop": "m.pop()",
    "quantize": 'm.quantize("int8")',
    "enable_lora": "m.enable_lora(2)",
    "merge_lora": "m.enable_lora(2).merge_lora()",
    "build": "jk.Sequential([layers.Dense(1)]).build((None, 3))",
}


@pytest.mark.parametrize("mode", ["exec", "single"])
@pytest.mark.parametrize("method", LOST)
def test_lost(method, mode, capsys):
    # "single" is how the last line of a cell and a line of the REPL are compiled.
    code = compile(LOST[method], "<cell>", mode)
    with pytest.raises(DiscardedResultError, match=rf"Write `model = model\.{method}\(\.\.\.\)`") as caught:
        exec(code, {"m": model(), "X": X, "Y": Y, "jk": jk, "layers": layers, "__name__": "__main__"})
    assert ("shown" in str(caught.value)) is (mode == "single") and not capsys.readouterr().out


def in_a_thread(m):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an exception in a thread
        thread = threading.Thread(target=m.compile, args=("sgd", "mse"))
        thread.start()
        thread.join()


KEPT = {
    "timeit": lambda m: timeit.timeit('m.compile("sgd", "mse")', globals={"m": m}, number=1),
    "a profile": lambda m: cProfile.runctx('m.compile("sgd", "mse")', {"m": m}, {}),
    "a thread": in_a_thread,
    "an attribute": lambda m: exec(
        compile("m.fit(X, Y, verbose=0).history", "<cell>", "single"), {"m": m, "X": X, "Y": Y}
    ),
    "a list": lambda m: [m.compile("sgd", "mse") for _ in range(2)],
    "a built model": lambda m: exec("m.build((None, 3))", {"m": m}),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("use", KEPT)
def test_no_false_alarm(use, capsys):
    KEPT[use](model())
