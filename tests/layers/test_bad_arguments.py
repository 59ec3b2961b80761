"""Every argument of every layer refuses what it cannot mean: at once, with the argument, the value, what is allowed."""

import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import errors, layers
from tests.layers.contract import OURS
from tests.layers.covered import all_cases

NOT_A_SIZE = (0, -2, 2.5, "3")
NOT_A_NUMBER = ("much", [1.0])
NOT_A_SHARE = (-0.1, 1.5, "half")
NOT_A_FLAG = ("yes", 1, 0.5)
NOT_AN_INTEGER = ("first", 1.5)
FORMAT = {"chanels_last": "channels_last"}
ACTIVATION = {"rleu": "relu", "sigmoide": "sigmoid"}
INITIALIZER = {"glorot_unifrom": "glorot_uniform", "zeross": "zeros"}
REGULARIZER = {"L_2": "l2"}
CONSTRAINT = {"nonneg": "non_neg"}
LAYERS = ("dense", 3)

# For each argument, or each that ends so, the values that no layer takes: as they are, or typos with what is near.
WRONG = {
    **dict.fromkeys(("activation", "recurrent_activation"), ACTIVATION),
    "_initializer": INITIALIZER,
    "_regularizer": REGULARIZER,
    "_constraint": CONSTRAINT,
    "data_format": FORMAT,
    "padding": {"sane": "same", "vaild": "valid"},
    "interpolation": {"bilinea": "bilinear"},
    "fill_mode": {"constnat": "constant"},
    "merge_mode": {"concta": "concat"},
    "score_mode": {"dott": "dot"},
    "output_mode": {"one_hto": "one_hot"},
    "mode": {"horizontl": "horizontal"},
    "oov_method": {"floormode": "floormod"},
    "standardize": {"lowr": "lower"},
    "split": {"whitespaces": "whitespace"},
    "dtype": {"float23": "float32"},
    "vocabulary_dtype": {"int46": "int64"},
    **dict.fromkeys(
        (
            "filters",
            "units",
            "kernel_size",
            "pool_size",
            "dilation_rate",
            "depth_multiplier",
            "output_size",
            "size",
            "n",
        ),
        NOT_A_SIZE,
    ),
    **dict.fromkeys(("input_dim", "output_dim", "num_heads", "key_dim", "value_dim", "head_dim"), NOT_A_SIZE),
    **dict.fromkeys(
        ("num_query_heads", "num_key_value_heads", "height", "width", "num_tokens", "num_bins"), NOT_A_SIZE
    ),
    **dict.fromkeys(("power_iterations", "strides", "groups", "sliding_window"), NOT_A_SIZE[1:]),
    **dict.fromkeys(("max_tokens", "output_sequence_length"), NOT_A_SIZE[1:]),
    **dict.fromkeys(("dropout", "recurrent_dropout", "rate", "stddev"), NOT_A_SHARE),
    **dict.fromkeys(("momentum", "renorm_momentum"), NOT_A_SHARE),
    **dict.fromkeys(("l1", "l2"), (-1.0, "much")),
    "epsilon": (-1.0, "small"),
    **dict.fromkeys(("max_value",), (-1.0, "much")),
    **dict.fromkeys(("negative_slope", "alpha", "threshold", "fill_value", "scale", "offset"), NOT_A_NUMBER[:1]),
    "mask_value": NOT_A_NUMBER[:1],
    "factor": ("much", (0.1, 0.2, 0.3), 7.0),
    "height_factor": ("much", 7.0),
    "width_factor": ("much", 7.0),
    "value_range": ("all", (0, "x"), 3, (1, 1)),
    "bounding_box_format": {"xyxz": "xyxy", "rel_xyx": "rel_xyxy"},
    "seed": NOT_AN_INTEGER,
    "axis": ("last", 1.5),
    "axes": ("last", 1.5),
    "shared_axes": ("first", [1.5], 0),
    "attention_axes": ("last", 1.5),
    "dims": ((1, 1), "ab", 2.5),
    "target_shape": ("x", (2.5,), (-1, -1)),
    "output_shape": ("x", 2.5),
    "noise_shape": ("x", (2.5,)),
    "cropping": (-1, "x", (1, 2, 3, 4)),
    "bin_boundaries": ([1.0, 0.0], "x", 3),
    "num_oov_indices": (-1, "x"),
    "oov_token": (),
    "ngrams": (0, "x"),
    "output_padding": (-1, "x"),
    "num_classes": NOT_A_SIZE,
    "cell": LAYERS,
    "cells": LAYERS,
    "layer": LAYERS,
    "backward_layer": LAYERS,
    "function": LAYERS,
    "call_fn": LAYERS,
    "init_fn": LAYERS,
    "module": LAYERS,
    "equation": ("ab", 3, "ab,bc->ad"),
    "bias_axes": ("z", 3),
    "salt": ("x",),
    "renorm_clipping": (3, {"max": 1}),
    "weights": (3,),
    "implementation": (7,),
    "use_cudnn": ("yes",),
}
# Flags are all that default to True or False; `flash_attention` may also be None.
FLAGS = {"flash_attention", "trainable", "autocast"}
# What these mean depends on another argument or on the data; each has its own tests, or is kept for Keras's sake.
FREE = {
    *(
        "name",
        "mean",
        "variance",
        "vocabulary",
        "idf_weights",
        "mask_token",
        "oov_token",
        "encoding",
        "arguments",
        "mask",
    ),
    *("batch_shape", "shape", "batch_size", "sparse", "ragged", "params", "state", "variables", "method", "stateful"),
    *("lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size", "native_serialization_platforms"),
    *("unit_forget_bias", "input_tensor", "optional", "input_dtype", "input_shape", "batch_input_shape"),
}
# Where an argument of a known name means something else, or takes more.
OWN = {
    ("Hashing", "mask_value"): (),
    ("AdditiveAttention", "score_mode"): (),
    ("Dot", "axes"): ("last", 0, (1, 2, 3)),
    ("Normalization", "axis"): ("last", 1.5),
    ("ZeroPadding1D", "padding"): (-1, "x", (1, 2, 3)),
    ("ZeroPadding2D", "padding"): (-1, "x", (1, 2, 3)),
    ("ZeroPadding3D", "padding"): (-1, "x", (1, 2)),
    ("TextVectorization", "output_mode"): {"tf_df": "tf_idf"},
    ("Resizing", "fill_mode"): {"constnat": "constant"},
    ("CategoryEncoding", "output_mode"): {"multi_hto": "multi_hot"},
    ("GaussianNoise", "stddev"): (-1.0, "x"),
}
BASE = {
    "HashedCrossing": {"num_bins": 3},
    "Hashing": {"num_bins": 3},
    "IntegerLookup": {"vocabulary": [1, 2]},
    "StringLookup": {"vocabulary": ["a", "b"]},
    "TextVectorization": {"vocabulary": ["a", "b"]},
    "Wrapper": {"layer": layers.Dense(2)},
}


def base_arguments():
    """Arguments that every layer class takes, from the first of its cases."""
    found = dict(BASE)
    for case in all_cases():
        if case.name not in found:
            found[case.name] = case.arguments(OURS) if callable(case.arguments) else case.arguments
    return found


def wrong_values(name, parameter):
    """What an argument must refuse; None where the table does not say."""
    argument = parameter.name
    if (name, argument) in OWN:
        return OWN[name, argument]
    if argument in WRONG:
        return WRONG[argument]
    if isinstance(parameter.default, bool) or argument in FLAGS:
        return NOT_A_FLAG
    for ending in ("_initializer", "_regularizer", "_constraint"):
        if argument.endswith(ending):
            return WRONG[ending]
    return None


BASES = base_arguments()
PARAMETERS = [
    (name, parameter) for name in sorted(BASES) for parameter in inspect.signature(OURS[name]).parameters.values()
]
TABLE = [
    pytest.param(name, parameter.name, value, near, id=f"{name}-{parameter.name}-{value}")
    for name, parameter in PARAMETERS
    for wrong in [wrong_values(name, parameter) or ()]
    for value, near in (wrong.items() if isinstance(wrong, dict) else [(value, None) for value in wrong])
]


def test_every_argument_is_in_the_table():
    missing = {
        parameter.name: name
        for name, parameter in PARAMETERS
        if wrong_values(name, parameter) is None and parameter.name not in FREE
    }
    assert not missing


@pytest.mark.parametrize(("name", "argument", "value", "near"), TABLE)
def test_wrong_values_are_refused_at_once(name, argument, value, near):
    with pytest.raises(errors.ArgumentError) as caught:
        OURS[name](**{**BASES[name], argument: value})
    message = str(caught.value)
    assert argument in message and name in message, message
    assert repr(value) in message, message
    if near is not None:
        assert re.search(f"Did you mean '{near}'", message), message


def shapes_of_a_wrong_rank():
    """For every layer that says how many axes its input has: its name, arguments and an input with one axis less."""
    for case in {case.name: case for case in all_cases()}.values():
        spec = case.make(OURS).input_spec
        shape = case.inputs[0]
        if isinstance(spec, layers.InputSpec) and (spec.ndim or spec.min_ndim) == len(shape) > 1:
            yield pytest.param(case, shape[1:-1], id=case.name)


@pytest.mark.parametrize(("case", "shape"), list(shapes_of_a_wrong_rank()))
def test_a_wrong_rank_is_refused_when_the_layer_is_applied(case, shape):
    needed = len(shape) + 2
    given = ", ".join(["None", *map(str, shape)]) + ("" if shape else ",")
    with pytest.raises(errors.InputError, match=rf"{case.name}.*\({given}\).*{needed} axes"):
        case.make(OURS)(layers.Input(shape))


def test_ids_that_no_table_has():
    ids = jnp.array([[1, 7]])
    encoding, embedding = layers.CategoryEncoding(4, output_mode="count"), layers.Embedding(4, 2)
    variables = embedding.init(0, ids)
    with pytest.raises(errors.InputError, match="got 7.*num_tokens=4.*0 to 3"):
        encoding(ids)
    with pytest.raises(errors.InputError, match="id 7.*0 to 3"):
        embedding.apply(variables, ids)
    # Inside a compiled program: no trace, and the nearest row.
    np.testing.assert_array_equal(jax.jit(lambda x: encoding(x))(ids), [[0, 1, 0, 0]])
    table = variables["params"]["embeddings"]
    np.testing.assert_array_equal(jax.jit(lambda x: embedding.apply(variables, x))(ids)[0], table[jnp.array([1, 3])])


@pytest.mark.parametrize("name", sorted(BASES))
def test_a_misspelt_argument_is_named(name):
    first = next(iter(inspect.signature(OURS[name]).parameters))
    with pytest.raises(errors.SignatureError, match=f"{name}.. has no argument '{first}s'.*Did you mean '{first}'"):
        OURS[name](**{f"{first}s": 1})
