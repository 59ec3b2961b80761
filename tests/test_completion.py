"""What completion shows: the names that users may use, and no others."""

import importlib.util
import inspect
import sys
from types import ModuleType

import pytest

import jkeras as jk

INTERNAL = {
    "jkeras": "arguments collectives compilation console constants dispatch garbage graph keys lazy lowering profiling"
    " random_keys registry spec trace_reader tracebacks training values",
    "jkeras.layers": "HostLayer siphash fingerprint64 core convolution",
    "jkeras.optimizers": "TABLE RULES base serialize_value registry jax Any",
    "jkeras.activations": "Spec TABLE jnp ArgumentError",
    "jkeras.models": "base model training display",
}
PUBLIC = {
    "jkeras": "Sequential Model Layer Input layers losses data keras sweep train_step Ensemble config",
    "jkeras.layers": "Dense LSTM Input Layer TextVectorization add",
    "jkeras.optimizers": "Adam SGD schedules get",
    "jkeras.activations": "relu softmax get serialize",
    "jkeras.models": "Model Sequential load_model clone_model",
}
OF_MODELS = (
    "bind_children bound_copy carried written_definition written_class with_origin taken_from base_name layer_weights"
)


@pytest.mark.parametrize("name", INTERNAL)
def test_modules(name):
    module = importlib.import_module(name)
    shown = dir(module)
    assert not set(INTERNAL[name].split()) & set(shown) and set(PUBLIC[name].split()) <= set(shown)
    assert len(shown) == len(set(shown)) and not [entry for entry in shown if entry.startswith("_") and entry[1] != "_"]
    for entry in shown:
        assert hasattr(module, entry)


def test_models():
    model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    shown = set(dir(model))
    assert not set(OF_MODELS.split()) & shown
    assert {"fit", "compile", "evaluate", "params", "layers", "freeze", "history", "save", "add"} <= shown


def test_an_extra_that_is_missing_is_no_attribute(monkeypatch):
    present = importlib.util.find_spec
    for name in [name for name in sys.modules if name.startswith("jkeras.data")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(jk, "data", raising=False)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name == "grain" else present(name, *args)
    )
    assert hasattr(jk, "data") is False and "data" in dir(jk)
    with pytest.raises(AttributeError, match=r"pip install .*jkeras\[data\]"):
        _ = jk.data
    with pytest.raises(ImportError, match=r"pip install .*jkeras\[data\]"):
        importlib.import_module("jkeras.data")
    members = dict(inspect.getmembers(jk))
    assert "data" not in members and isinstance(members["layers"], ModuleType)
