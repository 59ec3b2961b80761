"""jkeras: Keras rebuilt as immutable values and pure functions on JAX.

import jkeras as jk
from jkeras import layers

model = jk.Sequential([layers.Input((784,)), layers.Dense(64, activation="relu"), layers.Dense(10, "softmax")])
model = model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model = model.fit(x_train, y_train, epochs=5)
"""

from typing import TYPE_CHECKING

from jkeras.lazy import names_from, names_in

if TYPE_CHECKING:
    from jkeras import activations as activations
    from jkeras import applications as applications
    from jkeras import architectures as architectures
    from jkeras import backend as backend
    from jkeras import callbacks as callbacks
    from jkeras import config as config
    from jkeras import constraints as constraints
    from jkeras import data as data
    from jkeras import datasets as datasets
    from jkeras import distillation as distillation
    from jkeras import distribute as distribute
    from jkeras import distribution as distribution
    from jkeras import dtype_policies as dtype_policies
    from jkeras import errors as errors
    from jkeras import export as export
    from jkeras import initializers as initializers
    from jkeras import keras as keras
    from jkeras import layers as layers
    from jkeras import losses as losses
    from jkeras import metrics as metrics
    from jkeras import models as models
    from jkeras import ops as ops
    from jkeras import optimizers as optimizers
    from jkeras import plots as plots
    from jkeras import quantizers as quantizers
    from jkeras import random as random
    from jkeras import regularizers as regularizers
    from jkeras import saving as saving
    from jkeras import tree as tree
    from jkeras import utils as utils
    from jkeras import visualization as visualization
    from jkeras import wrappers as wrappers
    from jkeras.dtypes import DTypePolicy as DTypePolicy
    from jkeras.files.loading import clone_model as clone_model
    from jkeras.files.loading import load_model as load_model
    from jkeras.graph.input import Input as Input
    from jkeras.graph.input_spec import InputSpec as InputSpec
    from jkeras.graph.layer import Layer as Layer
    from jkeras.graph.network import Network as Network
    from jkeras.graph.symbolic import SymbolicTensor as SymbolicTensor
    from jkeras.imports import as_keras as as_keras
    from jkeras.models.cross_validation import CrossValidation as CrossValidation
    from jkeras.models.cross_validation import cross_validate as cross_validate
    from jkeras.models.ensemble import Ensemble as Ensemble
    from jkeras.models.history import History as History
    from jkeras.models.lr_range import lr_range_test as lr_range_test
    from jkeras.models.model import Model as Model
    from jkeras.models.per_sample import accumulated_gradients as accumulated_gradients
    from jkeras.models.per_sample import jacobian as jacobian
    from jkeras.models.per_sample import per_sample_gradients as per_sample_gradients
    from jkeras.models.search import search as search
    from jkeras.models.sequential import Sequential as Sequential
    from jkeras.models.sweep import sweep as sweep
    from jkeras.profiling import profile as profile
    from jkeras.training.recipe import Recipe as Recipe
    from jkeras.training.single_steps import eval_step as eval_step
    from jkeras.training.single_steps import predict_step as predict_step
    from jkeras.training.single_steps import train_step as train_step
    from jkeras.training.state import Batch as Batch
    from jkeras.training.state import TrainState as TrainState
else:
    _TABLE = names_in(
        {
            "jkeras": (
                "activations applications architectures backend callbacks config constraints data datasets distillation"
                " distribute distribution dtype_policies errors export initializers keras layers losses metrics models ops"
                " optimizers plots quantizers random regularizers saving tree utils visualization wrappers"
            ),
            "jkeras.dtypes": "DTypePolicy",
            "jkeras.graph.input": "Input",
            "jkeras.graph.input_spec": "InputSpec",
            "jkeras.graph.layer": "Layer",
            "jkeras.graph.network": "Network",
            "jkeras.graph.symbolic": "SymbolicTensor",
            "jkeras.imports": "as_keras",
            "jkeras.models.cross_validation": "CrossValidation cross_validate",
            "jkeras.models.ensemble": "Ensemble",
            "jkeras.models.history": "History",
            "jkeras.files.loading": "clone_model load_model",
            "jkeras.models.lr_range": "lr_range_test",
            "jkeras.models.model": "Model",
            "jkeras.models.per_sample": "accumulated_gradients jacobian per_sample_gradients",
            "jkeras.models.sequential": "Sequential",
            "jkeras.models.search": "search",
            "jkeras.models.sweep": "sweep",
            "jkeras.profiling": "profile",
            "jkeras.training.recipe": "Recipe",
            "jkeras.training.single_steps": "eval_step predict_step train_step",
            "jkeras.training.state": "Batch TrainState",
        }
    )
    __all__ = [name for name in _TABLE if name not in ("data", "wrappers")]  # which need extras
    __getattr__, __dir__ = names_from(__name__, _TABLE)

__version__ = "0.1.0"
