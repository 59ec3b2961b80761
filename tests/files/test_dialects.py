"""What every version of Keras wrote, by the table of their signatures: it is read, or refused by the name of what is missing."""

import collections
import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from jkeras import initializers, losses, metrics, optimizers
from jkeras.errors import JkerasError
from jkeras.files import config as configs
from jkeras.files.dialects import definitions, old_names, origin, training
from jkeras.models import model_from_json
from jkeras.models.model import known_classes

TABLE = Path(__file__).parent / "keras2" / "arguments.tsv"


def _table():
    """For each family, class and version: the arguments with their defaults, None where there is no plain one."""
    found = collections.defaultdict(dict)
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            for version in row["versions"].split(","):
                found[row["family"], row["class"], version][row["argument"]] = row["default"]
    return found


ARGUMENTS = _table()
# Values for arguments without a default.
DENSE = {"class_name": "Dense", "config": {"units": 2, "name": "inner"}}
CELL = {"class_name": "LSTMCell", "config": {"units": 2, "name": "inner"}}
LSTM = {"class_name": "LSTM", "config": {"units": 2, "name": "inner"}}
GIVEN = {
    "units": 2, "output_dim": 2, "input_dim": 3, "filters": 2, "nb_filter": 2, "nb_row": 3, "nb_col": 3, "filter_length": 3,
    "kernel_dim1": 2, "kernel_dim2": 2, "kernel_dim3": 2, "kernel_size": 2, "rate": 0.1, "p": 0.1, "stddev": 0.1, "sigma": 0.1,
    "activation": "relu", "dims": [2, 1], "n": 2, "target_shape": [2, -1], "num_heads": 2, "key_dim": 2, "head_dim": 2,
    "num_query_heads": 2, "num_key_value_heads": 1, "num_bins": 3, "height": 2, "width": 2, "scale": 2.0, "axes": 1,
    "equation": "ab,bc->ac", "output_shape": 2, "bin_boundaries": [0.0, 1.0], "num_tokens": 4, "size": 2, "factor": 0.1,
    "height_factor": 0.1, "width_factor": 0.1, "output_size": 2, "num_classes": 2, "target_class_ids": [0], "precision": 0.5,
    "recall": 0.5, "sensitivity": 0.5, "specificity": 0.5, "num_thresholds": 10, "cropping": 1, "padding": 1, "pool_size": 2,
    "normalizer": [1.0], "learning_rate": 0.1, "lr": 0.1, "name": "it", "layer": DENSE, "cell": CELL, "cells": [CELL],
    "initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5, "first_decay_steps": 2, "boundaries": [2],
    "values": [0.1, 0.2],
    "inner_optimizer": {"class_name": "SGD", "config": {}}, "nb_feature": 2, "batch_size": None, "num_channels": 2,
}  # fmt: skip
# Where the same argument needs something else.
OF_CLASS = {
    ("Bidirectional", "layer"): LSTM,
    ("Cropping1D", "cropping"): [1, 1],
    ("RandomErasing", "scale"): [0.1, 0.2],
    ("Activation", "activation"): "relu",
    ("Discretization", "bin_boundaries"): [0.0, 1.0],
    ("Discretization", "bins"): [0.0, 1.0],
    ("CategoryEncoding", "num_tokens"): 4,
    ("MultiOptimizer", "optimizer_map"): [["kernel", {"class_name": "SGD", "config": {}}]],
    ("InputLayer", "batch_shape"): [None, 3],
    ("Deconvolution2D", "output_shape"): [None, 4, 4, 4],
    ("Pipeline", "layers"): [DENSE],
    ("RandomPosterization", "factor"): 4,
    ("RandomShear", "x_factor"): [-0.1, 0.1],  # what Keras makes of a number
    ("RandomShear", "y_factor"): [0.0, 0.2],
}
# Written for every layer by its base class.
BASE = {"name": "it", "trainable": True}
# What is not an argument but something that `get_config` wraps around it, or is about code.
NOT_WRITTEN = {"weights", "config", "class_name", "fn", "module", "registered_name"}


def written(family, name, version):
    """The configuration that a version wrote for an object that was made with as few arguments as possible."""
    arguments = dict(BASE) if family == "layers" else {}
    for argument, default in ARGUMENTS[family, name, version].items():
        if argument in NOT_WRITTEN or (name, argument) in NOT_OF_CLASS:
            continue
        if (name, argument) in OF_CLASS:
            arguments[argument] = OF_CLASS[name, argument]
        elif default != "?":
            arguments[argument] = json.loads(default)
        elif argument in GIVEN:
            arguments[argument] = GIVEN[argument]
    return {"class_name": name, "config": arguments}


NOT_OF_CLASS = {("InputLayer", "shape"), ("CuDNNLSTM", "cell"), ("CuDNNGRU", "cell"), ("Discretization", "num_bins")}


def _optimizer(config):
    """An optimizer, or, inside one, a schedule of learning rates."""
    if "Decay" in config["class_name"]:
        config = {"class_name": "SGD", "config": {"learning_rate": config}}
    return optimizers.get(training.optimizer(config))


def _initializer(config, version):
    entry = {"class_name": "Dense", "config": {"units": 2, "kernel_initializer": config}}
    return initializers.get(definitions.of_today(entry, version)["config"]["kernel_initializer"])


READERS = {
    "layers": lambda config, version: configs.from_config(definitions.of_today(config, version), known_classes()),
    "losses": lambda config, version: losses.get(training.loss_or_metric(config)),
    "metrics": lambda config, version: metrics.get(training.loss_or_metric(config)),
    "optimizers": lambda config, version: _optimizer(config),
    "initializers": _initializer,
}

# Base classes and helpers, which no file names.
INTERNAL = """BaseAdaptiveAveragePooling BaseAdaptiveMaxPooling BaseAdaptivePooling BaseConv BaseConvTranspose BaseDenseAttention
    BaseDepthwiseConv BaseGlobalPooling BaseImageAugmentationLayer BaseImagePreprocessingLayer BaseOptimizer BasePooling
    BaseSeparableConv BaseSpatialDropout BatchNormalizationBase CallContext CallSpec ClassMethod Conv ConvLSTM ConvRNN ConvRNN2D
    ConvRecurrent2D Cross DataLayer DepthwiseConv Feature GlobalPooling1D GlobalPooling2D GlobalPooling3D IndexLookup InputSpec
    InstanceMethod InstanceProperty Loss Metric NullInitializer Optimizer OptimizerMap OptimizerV2 Pooling1D Pooling2D Pooling3D
    PyMetric RandomInitializer Recurrent Reduce Reduction RestoredOptimizer SensitivitySpecificityBase SeparableConv
    SlicingOpLambda TFClassMethodDispatcher TFDConcat TFDIdentity TFDataLayer TFOpLambda TFOptimizer TFSlicingOpDispatcher
    VocabWeightHandler Layer Merge SumOverBatchSize CategoryCrossing NonFusedAdam
    MaxNumBoundingBoxes ConvLSTMCell DefunWrapper DeviceWrapper DeviceWrapperBase
    DropoutWrapper DropoutWrapperBase ResidualWrapper ResidualWrapperBase""".split()
# What was public and is not supported: layers of Keras 1, layers that do more than arrays, and what Keras 3 dropped.
NOT_OFFERED = {
    **dict.fromkeys(("Highway", "MaxoutDense", "ParametricSoftplus", "SReLU"), "of Keras 1"),
    **dict.fromkeys(
        ("LinearCosineDecay", "NoisyLinearCosineDecay", "MeanRelativeError", "MeanTensor"), "until Keras 2"
    ),
    **dict.fromkeys(
        ("RandomFourierFeatures", "RandomHeight", "RandomWidth", "ConvLSTM2DCell", "PeepholeLSTMCell"), "until Keras 2"
    ),
    "Lambda": "holds code",
    "FeatureSpace": "not in the library",
}


def problem(family, name, version):
    """The error of an object that cannot be read; None if it can."""
    try:
        with origin.written_by(version), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            READERS[family](written(family, name, version), version)
    except JkerasError as error:
        return error
    return None


CLASSES = sorted({(family, name) for family, name, _ in ARGUMENTS if name not in INTERNAL})


@pytest.mark.parametrize("family", READERS)
def test_every_argument_that_keras_ever_wrote(family):
    """Each class with all arguments, as each version writes it, is read, or refused in words that tell who wrote what."""
    refused = {}
    for _, name, version in sorted(key for key in ARGUMENTS if key[0] == family and key[1] not in INTERNAL):
        error = problem(family, name, version)
        if error is not None:
            refused.setdefault(name, []).append(version)
            told = " ".join([str(error), *getattr(error, "__notes__", ())])
            assert name in NOT_OFFERED, f"{name} of Keras {version}: {told}"
            if family == "layers" and name != "Lambda":
                assert f"Keras {version}" in told and (name in told or "output_shape" in told), told
    assert set(refused) == {name for one, name in CLASSES if one == family} & set(NOT_OFFERED)


@pytest.mark.parametrize(
    ("class_name", "argument", "value"),
    [
        ("Conv2DTranspose", "groups", 2),
        ("DepthwiseConv2D", "groups", 3),
        ("BatchNormalization", "virtual_batch_size", 4),
        ("LSTM", "time_major", True),
        ("StringLookup", "oov_method", "other"),
        ("Dense", "rank_of_kernel", 2),
        ("Dense", "units", -1),
        ("Dense", "kernel_initializer", {"class_name": "Identity", "config": {"gain": 1.0, "spread": 2}}),
    ],
)
def test_what_a_layer_cannot_do_is_refused_by_name(class_name, argument, value):
    needed = {"filters": 2, "kernel_size": 3, "units": 2}
    entry = {"class_name": class_name, "config": {"name": "it", **needed, argument: value}}
    taken = known_classes()[class_name]._fields
    entry["config"] = {k: v for k, v in entry["config"].items() if k in ("name", argument) or k in taken}
    with origin.written_by("2.13.1"), pytest.raises(JkerasError) as error:
        configs.from_config(entry, known_classes())
    told = str(error.value)
    for word in ("'it'", class_name, "Keras 2.13.1", "custom_objects", "load_weights"):
        assert word in told, told
    assert argument in told or "spread" in told, told


def test_what_is_left_out_is_nothing_that_layers_take_today():
    classes = known_classes()
    for table in (old_names.MEANINGLESS, old_names.ONLY):
        for owner, arguments in table.items():
            owners = classes.values() if owner == "*" else [classes[owner]]
            for cls in owners:
                assert not set(arguments) & set(getattr(cls, "_fields", ())), (owner, cls)


def test_nodes_of_tensorflow_in_graphs(rng):
    """`TensorFlowOpLayer`, as TensorFlow 2.0 to 2.3 wrote operators."""

    def entry(class_name, nodes, **config):
        found = {"class_name": class_name, "name": config["name"], "inbound_nodes": nodes}
        return {**found, "config": {"trainable": True, "dtype": "float32", **config}}

    def node(name, op, constants, inputs, **attributes):
        node_def = {"name": name, "op": op, "input": [], "attr": attributes}
        return entry("TensorFlowOpLayer", [inputs], name=name, node_def=node_def, constants=constants)

    layers = [
        entry("InputLayer", [], name="x", batch_input_shape=[None, 4, 3]),
        node("mul", "Mul", {"0": 2.0}, [["x", 0, 0, {}]]),
        node("add", "AddV2", {}, [["mul", 0, 0, {}], ["x", 0, 0, {}]]),
        node("mean", "Mean", {"1": 1}, [["add", 0, 0, {}]], keep_dims={"b": True}),
        node(
            "slice", "StridedSlice", {"1": [0, 0], "2": [0, 1], "3": [1, 1]}, [["add", 0, 0, {}]],
            begin_mask={"i": "1"}, end_mask={"i": "1"}, shrink_axis_mask={"i": "2"},
        ),
        node("cat", "ConcatV2", {"2": 1}, [["mean", 0, 0, {}], ["add", 0, 0, {}]]),
    ]  # fmt: skip
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["cat", 0, 0], ["slice", 0, 0]]}
    config = {"class_name": "Model", "keras_version": "2.4.0", "config": {"name": "old", "layers": layers, **ends}}
    model = model_from_json(json.dumps(config))
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    joined, first = model(x)
    np.testing.assert_allclose(joined, np.concatenate([3 * x.mean(1, keepdims=True), 3 * x], axis=1), rtol=1e-5)
    np.testing.assert_allclose(first, 3 * x[:, 0], rtol=1e-5)


if __name__ == "__main__":
    for key in ARGUMENTS:
        if (why := problem(*key)) is not None and key[1] not in INTERNAL:
            print(*key, str(why)[:260], sep=" | ")
