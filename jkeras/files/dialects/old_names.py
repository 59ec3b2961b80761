"""Converts names in configurations of earlier versions of Keras to today's names.

Keras 1 and 2 had different names for many arguments and some classes. Every function takes and returns plain values; what
already has today's names is returned unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from jkeras.errors import RestoreError

# Part of a configuration: a JSON value.
Json: TypeAlias = Any

CLASSES = {
    **{f"Convolution{d}D": f"Conv{d}D" for d in (1, 2, 3)},
    **{f"AtrousConvolution{d}D": f"Conv{d}D" for d in (1, 2)},
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    **{
        f"{kind}Pool{d}D": f"{long}Pooling{d}D"
        for kind, long in (("Max", "Max"), ("Avg", "Average"))
        for d in (1, 2, 3)
    },
    **{
        f"Global{kind}Pool{d}D": f"Global{long}Pooling{d}D"
        for kind, long in (("Max", "Max"), ("Avg", "Average"))
        for d in (1, 2, 3)
    },
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "LSTMV2": "LSTM",
    "GRUV2": "GRU",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
    "Model": "Functional",
    "GroupedQueryAttention": "GroupQueryAttention",
    "TimeDistributedDense": "Dense",
}

_WEIGHTS = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
}
_CONVOLUTION = {
    **_WEIGHTS,
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "atrous_rate": "dilation_rate",
}
_POOLING = {"border_mode": "padding", "dim_ordering": "data_format", "pool_length": "pool_size", "stride": "strides"}
_PLACES = {"dim_ordering": "data_format"}
_RECURRENT = {
    **_WEIGHTS,
    "output_dim": "units",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "forget_bias_init": "unit_forget_bias",
}

RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization")
_OLD_RECURRENT = {"implementation", "consume_less", "inner_init"}

# Old argument -> new argument, by today's class.
ARGUMENTS: dict[str, dict[str, str]] = {
    "Dense": {**_WEIGHTS, "output_dim": "units"},
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose"), _CONVOLUTION),
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), _CONVOLUTION),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _CONVOLUTION),
    "ConvLSTM2D": {**_CONVOLUTION, **_RECURRENT},
    **{f"{kind}Pooling{d}D": _POOLING for kind in ("Max", "Average") for d in (1, 2, 3)},
    **{f"Global{kind}Pooling{d}D": _PLACES for kind in ("Max", "Average") for d in (1, 2, 3)},
    **{f"{kind}{d}D": _PLACES for kind in ("UpSampling", "ZeroPadding", "Cropping") for d in (2, 3)},
    "UpSampling1D": {"length": "size"},
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), _RECURRENT),
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "PReLU": {"init": "alpha_initializer"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "ReLU": {"theta": "threshold"},
    **{name: {"p": "rate"} for name in ("Dropout", "GaussianDropout", "AlphaDropout")},
    **{f"SpatialDropout{d}D": {"p": "rate", "dim_ordering": "data_format"} for d in (1, 2, 3)},
    "GaussianNoise": {"sigma": "stddev"},
}

_VALUES: dict[str, dict[Any, Any]] = {
    "data_format": {"th": "channels_first", "tf": "channels_last", "default": None},
    "unit_forget_bias": {"one": True, "ones": True, "zero": False, "zeros": False},
    "initializer": {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"},
}

# The names of constraints in Keras 1.
CONSTRAINTS = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"}

# Options of other versions that have no effect here, whatever their value.
IGNORED = frozenset({"implementation", "consume_less", "schedule_decay", "is_legacy_optimizer", "jit_compile"})

_CONV_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
# Arguments without effect, whatever their value, by today's class; `*` means every class.
MEANINGLESS: dict[str, frozenset[str]] = {
    "*": frozenset({"dynamic", "input_dtype", "consume_less"}),
    **{
        name: frozenset({"implementation", "input_length"})
        for name in (*RECURRENT, *(f"{name}Cell" for name in RECURRENT[:3]))
    },
    "MultiHeadAttention": frozenset({"query_shape", "key_shape", "value_shape"}),  # the shapes it was built for
    # Written because the base class has them; these layers have a depthwise and a pointwise kernel instead.
    **{
        name: frozenset(_CONV_KERNEL)
        for name in ("SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D")
    },
    "Embedding": frozenset({"input_length"}),
    "RandomRotation": frozenset({"value_range"}),  # written by Keras 3.0 to 3.3, which did not use it
    "BatchNormalization": frozenset({"fused"}),
    **{name: frozenset({"vocabulary_size", "has_input_vocabulary"}) for name in LOOKUPS},
}
# Arguments that must have their default, by today's class, because today's layer supports nothing else.
ONLY: dict[str, dict[str, Any]] = {
    "*": {"time_major": False},
    **{name: {"groups": 1} for name in ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")},
    **{name: {"groups": 1} for name in ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")},
    "BatchNormalization": {"virtual_batch_size": None, "adjustment": None, "mode": 0},
    "Embedding": {"dropout": 0.0},
    "StringLookup": {"oov_method": "floormod"},
}

# The merge modes of Keras 1.
MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}


def layer(class_name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The class and arguments of a layer with today's names.

    >>> layer("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 5, "dim_ordering": "tf"})
    ('Conv2D', {'filters': 8, 'data_format': 'channels_last', 'kernel_size': [3, 5]})

    Raises:
        RestoreError: today's layers do not support what the old one did.
    """
    config = dict(arguments)
    if class_name == "Merge":
        return _merge(config)
    if class_name == "CuDNNGRU":
        config["reset_after"] = True
    elif class_name == "GRU" and "reset_after" not in config and _OLD_RECURRENT & set(config):
        config["reset_after"] = False  # the only variant before Keras 2.2
    current = CLASSES.get(class_name, class_name)
    for old, new in ARGUMENTS.get(current, {}).items():
        if old in config:
            config[new] = _value(new, config.pop(old))
    sizes = [config.pop(key) for key in ("nb_row", "nb_col") if key in config]
    sizes += [config.pop(key) for key in ("kernel_dim1", "kernel_dim2", "kernel_dim3") if key in config]
    if sizes:
        config["kernel_size"] = sizes
    if current in ("Conv2DTranspose", "Conv3DTranspose") and "output_shape" in config:
        _check_output_shape(config.pop("output_shape"), config)
    if config.get("padding") == "default":
        config.pop("padding")
    if current == "InputLayer" and "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    if "encoding" in config and config["encoding"] is None:
        config.pop("encoding")  # the default of lookups until 2.9
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    for owner in ("*", current):
        config = {key: value for key, value in config.items() if key not in MEANINGLESS.get(owner, ())}
        for key, only in ONLY.get(owner, {}).items():
            value = config.pop(key, only)
            if value != only and value is not None:
                raise RestoreError(f"`{key}={value!r}` is not supported, only {only!r}.")
    return current, {key: _object(key, value) for key, value in config.items()}


def _check_output_shape(shape: Json, config: Mapping[str, Any]) -> None:
    """Refuses an output shape of a Keras 1 transposed convolution that differs from today's default.

    The size of the input follows from that of the output.
    """
    kernel, strides = config["kernel_size"], config.get("strides", 1)
    if not isinstance(shape, (list, tuple)) or len(shape) != len(kernel) + 2:
        raise RestoreError(
            f"`output_shape={shape!r}`: expected a list with the batch, {len(kernel)} sizes and channels."
        )
    sizes = shape[2:] if config.get("data_format") == "channels_first" else shape[1:-1]
    strides = strides if isinstance(strides, (list, tuple)) else [strides] * len(sizes)
    for size, width, stride in zip(sizes, kernel, strides, strict=True):
        reach = 1 if config.get("padding") == "same" else width
        inputs = -(-(size - reach + 1) // stride) if size else 0
        if size and inputs * stride + max(reach - stride, 0) != size:
            raise RestoreError(
                f"`output_shape={shape!r}` is not supported: with strides of {stride} and a kernel of {width}, the output for"
                f" {inputs} positions has {inputs * stride + max(reach - stride, 0)} positions."
            )


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = config.get("mode")
    if mode not in MERGES:
        raise RestoreError(f"Merge(mode={mode!r}) of Keras 1 is not supported; the modes are {sorted(MERGES)}.")
    arguments = {"name": config.get("name")}
    if mode == "concat":
        arguments["axis"] = config.get("concat_axis", -1)
    if mode in ("dot", "cos"):
        axes = config.get("dot_axes", -1)
        arguments.update(
            axes=axes[0] if isinstance(axes, list) and isinstance(axes[0], list) else axes, normalize=mode == "cos"
        )
    return MERGES[mode], arguments


def _value(argument: str, value: Json) -> Json:
    table = _VALUES["initializer"] if argument.endswith("initializer") else _VALUES.get(argument, {})
    return table.get(value, value) if isinstance(value, (str, int)) else value


def _object(key: str, value: Json) -> Json:
    """Converts regularizers and constraints with a key `name`, and initializers and policies with extra entries."""
    if not isinstance(value, Mapping):
        return value
    if "class_name" in value and isinstance(value.get("config"), Mapping):
        if value["class_name"] in ("Policy", "PolicyV1"):
            return value["config"].get("name")
        if key.endswith("initializer"):
            return {**value, "config": {k: v for k, v in value["config"].items() if k != "dtype"}}
        return value
    if "name" in value and "class_name" not in value and key.endswith(("regularizer", "constraint")):
        inner = {k: v for k, v in value.items() if k != "name"}
        if key.endswith("regularizer"):
            return {"class_name": "L1L2", "config": inner}
        inner = {"max_value": inner.pop("m"), **inner} if "m" in inner else inner
        return {"class_name": CONSTRAINTS.get(value["name"], value["name"]), "config": inner}
    return value


def with_old_functions(value: Json) -> Json:
    """Renames `hard_sigmoid` in a configuration from before Keras 3, where it was a different function.

    >>> with_old_functions({"layers": [{"activation": "hard_sigmoid"}]})
    {'layers': [{'activation': 'hard_sigmoid_keras2'}]}
    """
    if isinstance(value, Mapping):
        return {
            k: _old_function(v) if str(k).endswith("activation") else with_old_functions(v) for k, v in value.items()
        }
    return [with_old_functions(v) for v in value] if isinstance(value, list) else value


def _old_function(value: Json) -> Json:
    name = value.get("config") if isinstance(value, Mapping) and value.get("class_name") == "function" else value
    return "hard_sigmoid_keras2" if name == "hard_sigmoid" else with_old_functions(value)
