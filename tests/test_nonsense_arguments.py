"""Every argument of every built-in class, given nonsense: refused by the constructor, in an error that names it."""

from __future__ import annotations

import inspect
import re

import flax.linen
import optax
import pytest

import jkeras as jk
from jkeras.errors import JkerasError
from jkeras.values.spec import Spec

FAMILIES = ("layers", "losses", "metrics", "optimizers", "initializers", "regularizers", "constraints")
# Nothing takes these but what is listed in SENSE; the others are nonsense for most arguments only.
NEVER = [object(), 1j, float("nan")]
SOMETIMES = [-1, "nonsense", 1e12, [], {}]
SENSE = {("Constant", "value"), ("Masking", "mask_value"), ("Rescaling", "scale"), ("Rescaling", "offset")}
# Of layers that hold others' functions and modules: whatever those make of them.
SENSE |= {("JaxLayer", name) for name in ("params", "state", "native_serialization_platforms")}
SENSE |= {("FlaxLayer", name) for name in ("method", "variables")}

# Values for arguments that have no default.
GOOD = {
    "units": 2,
    "filters": 2,
    "kernel_size": 2,
    "rate": 0.5,
    "stddev": 0.5,
    "pool_size": 2,
    "output_size": 2,
    "input_dim": 3,
    "output_dim": 2,
    "cell": jk.layers.LSTMCell(2),
    "cells": [jk.layers.LSTMCell(2)],
    "layer": jk.layers.LSTM(2),
    "num_heads": 2,
    "key_dim": 2,
    "head_dim": 2,
    "num_query_heads": 2,
    "num_key_value_heads": 2,
    "equation": "ab,bc->ac",
    "output_shape": (2,),
    "target_shape": (2,),
    "dims": (1,),
    "n": 2,
    "function": len,
    "fn": len,
    "call_fn": len,
    "axes": 1,
    "height": 2,
    "width": 2,
    "layers": [jk.layers.RandomFlip()],
    "max_number": 3,
    "factor": 0.1,
    "height_factor": 0.1,
    "width_factor": 0.1,
    "scale": 1.0,
    "num_bins": 3,
    "num_classes": 3,
    "num_tokens": 3,
    "target_class_ids": (0,),
    "specificity": 0.5,
    "sensitivity": 0.5,
    "recall": 0.5,
    "precision": 0.5,
    "times": 2,
    "learning_rate": 0.1,
    "activation": "relu",
    "inner_optimizer": jk.optimizers.SGD(),
    "default_optimizer": jk.optimizers.SGD(),
    "optimizer_map": {},
    "transform": optax.sgd(0.1),
}
# Classes whose arguments depend on each other.
ALSO = {
    "InputLayer": {"shape": (2,)},
    "RandomPosterization": {"factor": 4},
    "MultiOptimizer": {"optimizer_map": {".*": jk.optimizers.SGD()}},
    "CategoryEncoding": {"num_tokens": 3},
    "Discretization": {"num_bins": 3},
    "TextVectorization": {"output_mode": "tf_idf"},
    "JaxLayer": {"call_fn": lambda inputs: inputs},
    "FlaxLayer": {"module": flax.linen.Dense(2)},
}


def _classes():
    found = {}
    for family in FAMILIES:
        for name, value in inspect.getmembers(getattr(jk, family)):
            if isinstance(value, type) and issubclass(value, Spec) and not name.startswith("_"):
                found.setdefault(value, f"{family}.{value.__name__}")
    return {name: cls for cls, name in found.items()}


CLASSES = _classes()


@pytest.mark.parametrize("name", CLASSES)
def test_nonsense_is_refused_by_name(name):
    cls = CLASSES[name]
    parameters = inspect.signature(cls).parameters
    required = {
        p.name: GOOD.get(p.name) for p in parameters.values() if p.default is p.empty and p.kind < p.VAR_KEYWORD
    }
    good = {**{k: v for k, v in required.items() if parameters[k].kind is not inspect.Parameter.VAR_POSITIONAL}}
    good.update(ALSO.get(cls.__name__, {}))
    for argument, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        for value in (*NEVER, *SOMETIMES):
            try:
                cls(**{**good, argument: value})
            except JkerasError as error:
                assert argument in str(error), (argument, value, error)
                assert re.search(cls.__name__.replace("Layer", ""), str(error)), (argument, value, error)
            else:
                never = any(value is one for one in NEVER)
                assert not never or (cls.__name__, argument) in SENSE, (argument, value)
