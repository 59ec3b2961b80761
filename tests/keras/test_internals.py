"""Functions of Keras's inside that libraries import, against Keras's own."""

import importlib
import itertools

import numpy as np
import pytest

SHAPES = [(2, 9, 12, 3), (None, 9, None, 3), (2, 3, None, 12)]
WINDOWS = [(1, 1), (3, 2)]
CONVOLUTION_ARGUMENTS = ("input_shape", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
CONVOLUTIONS = [
    {"filters": 5, **dict(zip(CONVOLUTION_ARGUMENTS, values, strict=True))}
    for values in itertools.product(
        SHAPES,
        WINDOWS,
        (1, 2, (1, 2)),
        ("valid", "same", "causal", "other"),
        ("channels_last", "channels_first"),
        (1, (2, 1), (1, 1, 1), 9),
    )
]
POOLINGS = [
    {"input_shape": shape, "pool_size": window, "strides": strides, "padding": padding, "data_format": layout}
    for shape, window, strides, padding, layout in itertools.product(
        SHAPES, [*WINDOWS, (20, 20)], (None, (1, 2)), ("valid", "same", "other"), ("channels_last", "channels_first")
    )
]
BROADCASTS = [
    {"shape1": first, "shape2": second}
    for first, second in itertools.product([(), (1,), (3,), (None, 3), (2, None, 1), (2, 4, 3)], repeat=2)
]
REDUCTIONS = [
    {"shape": (2, None, 4), "axis": axis, "keepdims": keep}
    for axis, keep in itertools.product([None, 0, -1, (0, 2), [1], 5], [False, True])
]
TUPLES = [
    {"value": value, "n": 2, "name": "strides", "allow_zero": zero}
    for value, zero in itertools.product([1, 0, -1, (1, 2), [0, 3], (1, 2, 3), "ab", None, (1, "x")], [False, True])
]
PADDINGS = [
    {"value": value, "allow_causal": causal}
    for value, causal in itertools.product(["valid", "SAME", "causal", "full", ((1, 1), (2, 0))], [False, True])
]
STRINGS = [
    {
        "value": value,
        "allowable_strings": {"sum", "mean"},
        "caller_name": "MyLayer",
        "arg_name": "reduction",
        "allow_none": none,
        "allow_callables": callables,
    }
    for value, none, callables in itertools.product(["sum", "total", None, len, 3], [False, True], [False, True])
]
IMAGE_SHAPES = [
    {
        "input_shape": shape,
        "default_size": 64,
        "min_size": 32,
        "data_format": layout,
        "require_flatten": flatten,
        "weights": weights,
    }
    for shape, layout, flatten, weights in itertools.product(
        [None, (), (64, 64, 3), (3, 64, 64), (48, None, 1), (16, 64, 3), (64, 64), (64, 64, 5), (5, 64, 64)],
        ["channels_last", "channels_first"],
        [False, True],
        [None, "imagenet"],
    )
]
PADS = [
    {"inputs": np.zeros((1, *sizes, 3)), "kernel_size": kernel}
    for sizes, kernel in itertools.product([(4, 4), (5, 4), (5, 7)], [3, (5, 2)])
]
ACTIVATIONS = [
    {"classifier_activation": activation, "weights": weights}
    for activation, weights in itertools.product([None, "softmax", "relu"], [None, "imagenet"])
]
TABLE = {
    "applications.imagenet_utils.obtain_input_shape": IMAGE_SHAPES,
    "applications.imagenet_utils.correct_pad": PADS,
    "applications.imagenet_utils.validate_activation": ACTIVATIONS,
    "ops.operation_utils.compute_conv_output_shape": CONVOLUTIONS,
    "ops.operation_utils.compute_pooling_output_shape": POOLINGS,
    "ops.operation_utils.broadcast_shapes": BROADCASTS,
    "ops.operation_utils.reduce_shape": REDUCTIONS,
    "utils.argument_validation.standardize_tuple": TUPLES,
    "utils.argument_validation.standardize_padding": PADDINGS,
    "utils.argument_validation.validate_string_arg": STRINGS,
}


def result(function, arguments):
    """What a call returns, or that it is refused as a ValueError."""
    try:
        return function(**arguments)
    except ValueError:
        return ValueError


@pytest.mark.filterwarnings("ignore:This model usually expects")
@pytest.mark.parametrize("path", TABLE)
def test_functions_of_the_inside_are_keras(path):
    module, _, name = path.rpartition(".")
    ours, theirs = (
        getattr(importlib.import_module(f"{root}.src.{module}"), name) for root in ("jkeras.keras", "keras")
    )
    for arguments in TABLE[path]:
        assert result(ours, arguments) == result(theirs, arguments), arguments


def test_a_package_is_imported_at_its_first_use():
    module_utils = importlib.import_module("jkeras.keras.src.utils.module_utils")
    assert module_utils.scipy.available and module_utils.scipy.special.expit(0.0) == 0.5
    missing = module_utils.LazyModule("no_such_package", pip_name="no-such-package")
    assert not missing.available
    with pytest.raises(ImportError, match="pip install no-such-package"):
        missing.anything  # noqa: B018
    with pytest.raises(AttributeError):
        module_utils.no_such_package  # noqa: B018


def test_an_object_read_is_found_by_those_that_share_it():
    keras = importlib.import_module("jkeras.keras")
    library = importlib.import_module("jkeras.keras.src.saving.serialization_lib")
    config = keras.saving.serialize_keras_object(keras.layers.Dense(2))
    layer = keras.layers.Dense(3)
    with library.ObjectSharingScope():
        library.record_object_after_deserialization(layer, 7)
        assert keras.saving.deserialize_keras_object({**config, "shared_object_id": 7}) is layer
