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


# What is not a model: the place in the message and a line that loses it. A cell may show those that people look at.
VALUES = {
    "ensemble.fit": "ensemble.fit(X, Y, verbose=0)",
    "sweep.fit": "sweep.fit(X, Y, verbose=0)",
    "search.fit": "search.fit(X, Y, verbose=0)",
    "layer.adapt": "layers.Normalization().adapt(X)",
    "layer.adapt of a lookup": "layers.StringLookup().adapt(['a', 'b'])",
    "layer.adapt of numbers": "layers.IntegerLookup().adapt([1, 2])",
    "layer.adapt of texts": "layers.TextVectorization().adapt(['a b'])",
    "layer.adapt of bins": "layers.Discretization(num_bins=2).adapt(X)",
    "layer.set_vocabulary": "layers.StringLookup().set_vocabulary(['a'])",
    "layer.set_vocabulary of texts": "layers.TextVectorization().set_vocabulary(['a'])",
    "layer.replace": "layers.Dense(2).replace(units=3)",
    "value.replace": "jk.optimizers.SGD().replace(learning_rate=0.5)",
    "space.adapt": "jk.utils.FeatureSpace({'a': 'float_normalized'}).adapt({'a': X[:, 0]})",
    "editor.rename_object": "editor.rename_object('layers/dense', 'b')",
    "editor.delete_object": "editor.delete_object('layers/dense')",
    "editor.add_object": "editor.add_object('layers/c', {'0': X})",
    "editor.delete_weight": "editor.delete_weight('layers/dense', '0')",
    "editor.add_weights": "editor.add_weights('layers/dense', {'2': X})",
    "archive.add_endpoint": "jk.export.ExportArchive().add_endpoint('serve', m)",
}


@pytest.mark.parametrize("name", VALUES)
def test_lost_values(name, tmp_path):
    m, place = model(), name.split(" ")[0]
    m.save_weights(tmp_path / "m.weights.h5")
    values = {
        "ensemble": jk.Ensemble(m, 2),
        "sweep": jk.sweep(m, learning_rate=[0.1]),
        "search": jk.search(lambda units: model(), {"units": [1]}, searcher=object()),
        "editor": jk.saving.KerasFileEditor(tmp_path / "m.weights.h5"),
    }
    names = {**values, "m": m, "X": X, "Y": Y, "jk": jk, "layers": layers, "__name__": "__main__"}
    with pytest.raises(DiscardedResultError, match=rf"Write `{place.split('.')[0]} = {place}\(\.\.\.\)`"):
        exec(compile(VALUES[name], "<cell>", "exec"), names)


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
    "a layer to look at": lambda m: exec(
        compile("layer.replace(units=3)", "<cell>", "single"), {"layer": layers.Dense(2)}
    ),
    "a built model": lambda m: exec("m.build((None, 3))", {"m": m}),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("use", KEPT)
def test_no_false_alarm(use, capsys):
    KEPT[use](model())
