"""jkeras: Keras rebuilt as immutable values and pure functions on JAX.

import jkeras as jk
from jkeras import layers

model = jk.Sequential([layers.Input((784,)), layers.Dense(64, activation="relu"), layers.Dense(10, "softmax")])
model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model = model.fit(x_train, y_train, epochs=5)
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from jkeras import activations as activations
from jkeras import callbacks as callbacks
from jkeras import config as config
from jkeras import constraints as constraints
from jkeras import errors as errors
from jkeras import initializers as initializers
from jkeras import layers as layers
from jkeras import losses as losses
from jkeras import metrics as metrics
from jkeras import optimizers as optimizers
from jkeras import regularizers as regularizers
from jkeras.dtypes import DTypePolicy as DTypePolicy
from jkeras.graph.input import Input as Input
from jkeras.graph.input_spec import InputSpec as InputSpec
from jkeras.graph.layer import Layer as Layer
from jkeras.graph.network import Network as Network
from jkeras.graph.symbolic import SymbolicTensor as SymbolicTensor
from jkeras.lazy import public_names as _public_names
from jkeras.models.ensemble import Ensemble as Ensemble
from jkeras.models.history import History as History
from jkeras.models.loading import clone_model as clone_model
from jkeras.models.loading import load_model as load_model
from jkeras.models.model import Model as Model
from jkeras.models.sequential import Sequential as Sequential
from jkeras.profiling import profile as profile
from jkeras.training.recipe import Recipe as Recipe
from jkeras.training.state import Batch as Batch
from jkeras.training.state import TrainState as TrainState
from jkeras.training.steps import eval_step as eval_step
from jkeras.training.steps import predict_step as predict_step
from jkeras.training.steps import train_step as train_step

if _TYPE_CHECKING:
    from jkeras import architectures as architectures
    from jkeras import backend as backend
    from jkeras import data as data
    from jkeras import datasets as datasets
    from jkeras import distribute as distribute
    from jkeras import dtype_policies as dtype_policies
    from jkeras import keras as keras
    from jkeras import models as models
    from jkeras import ops as ops
    from jkeras import plots as plots
    from jkeras import random as random
    from jkeras import saving as saving
    from jkeras import tree as tree
    from jkeras import utils as utils
    from jkeras import wrappers as wrappers
    from jkeras.imports import as_keras as as_keras
    from jkeras.models.cross_validation import CrossValidation as CrossValidation
    from jkeras.models.cross_validation import cross_validate as cross_validate
    from jkeras.models.lr_range import lr_range_test as lr_range_test
    from jkeras.models.per_sample import accumulated_gradients as accumulated_gradients
    from jkeras.models.per_sample import jacobian as jacobian
    from jkeras.models.per_sample import per_sample_gradients as per_sample_gradients
    from jkeras.models.sweep import sweep as sweep

__version__ = "0.1.0"

# Names of other modules, loaded when first used.
_LAZY_NAMES = {
    "CrossValidation": "models.cross_validation",
    "accumulated_gradients": "models.per_sample",
    "as_keras": "imports",
    "cross_validate": "models.cross_validation",
    "jacobian": "models.per_sample",
    "lr_range_test": "models.lr_range",
    "per_sample_gradients": "models.per_sample",
    "sweep": "models.sweep",
}

_MODULES = (
    *("activations", "callbacks", "config", "constraints", "errors", "initializers", "layers", "losses", "metrics"),
    *("optimizers", "regularizers"),
)

# Loaded when first used, so that `import jkeras` takes little longer than `import jax, flax.linen, optax`.
_LAZY = (
    *(
        "architectures",
        "backend",
        "data",
        "datasets",
        "distribute",
        "distribution",
        "dtype_policies",
        "keras",
        "models",
    ),
    *("ops", "plots", "random", "saving", "tree", "utils", "wrappers"),
)


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        try:
            return _importlib.import_module(f"jkeras.{name}")
        except ImportError as error:  # an extra is missing: `hasattr(jk, "data")` is False
            raise AttributeError(str(error)) from error
    if name in _LAZY_NAMES:
        return getattr(_importlib.import_module(f"jkeras.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'jkeras' has no attribute {name!r}")


def __dir__() -> list[str]:
    return _public_names(__name__, _MODULES, _LAZY, _LAZY_NAMES)
