"""Configurations that earlier versions of Keras wrote, in today's words.

Keras 1 and 2 called many arguments and some classes differently. Every function takes and returns plain values; what is
already in today's words comes back as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from jkeras.errors import RestoreError

# Part of a configuration: what JSON can hold, as deep as wanted.
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

_OLD_RECURRENT = {"implementation", "consume_less", "inner_init"}

# Old argument -> new argument, by today's class.
ARGUMENTS: dict[str, dict[str, str]] = {
    "Dense": {**_WEIGHTS, "output_dim": "units"},
    **{name: _CONVOLUTION for name in ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose")},
    **{name: _CONVOLUTION for name in ("SeparableConv1D", "SeparableConv2D")},
    "ConvLSTM2D": {**_CONVOLUTION, **_RECURRENT},
    **{f"{kind}Pooling{d}D": _POOLING for kind in ("Max", "Average") for d in (1, 2, 3)},
    **{f"Global{kind}Pooling{d}D": _PLACES for kind in ("Max", "Average") for d in (1, 2, 3)},
    **{f"{kind}{d}D": _PLACES for kind in ("UpSampling", "ZeroPadding", "Cropping") for d in (2, 3)},
    "UpSampling1D": {"length": "size"},
    **{name: _RECURRENT for name in ("SimpleRNN", "LSTM", "GRU")},
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
    "data_format": {"th": "channels_first", "tf": "channels_last"},
    "unit_forget_bias": {"one": True, "ones": True, "zero": False, "zeros": False},
    "initializer": {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"},
}

# The names of constraints in Keras 1.
CONSTRAINTS = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"}

# Options of other versions without a meaning here, whatever their value.
IGNORED = frozenset(
    {"implementation", "consume_less", "renorm_momentum", "schedule_decay", "is_legacy_optimizer", "jit_compile"}
)

# How Keras 1 merged tensors.
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
    """The class and arguments of a layer in today's words.

    >>> layer("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 5, "dim_ordering": "tf"})
    ('Conv2D', {'filters': 8, 'data_format': 'channels_last', 'kernel_size': [3, 5]})

    Raises:
        RestoreError: today's layers cannot do what the old one did.
    """
    config = dict(arguments)
    if class_name == "Merge":
        return _merge(config)
    if class_name == "CuDNNGRU":
        config["reset_after"] = True
    elif class_name == "GRU" and "reset_after" not in config and _OLD_RECURRENT & set(config):
        config["reset_after"] = False  # Keras before 2.2 knew no other way
    current = CLASSES.get(class_name, class_name)
    if current in ("BatchNormalization",) and config.pop("mode", 0) not in (0, None):
        raise RestoreError("BatchNormalization: Keras 1's `mode` other than 0 is not offered.")
    if current == "Embedding":
        config.pop("dropout", None)
    for old, new in ARGUMENTS.get(current, {}).items():
        if old in config:
            config[new] = _value(new, config.pop(old))
    sizes = [config.pop(key) for key in ("nb_row", "nb_col") if key in config]
    sizes += [config.pop(key) for key in ("kernel_dim1", "kernel_dim2", "kernel_dim3") if key in config]
    if sizes:
        config["kernel_size"] = sizes
    if config.get("padding") == "default":
        config.pop("padding")
    if current == "InputLayer" and "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    for key in ("input_dtype", "time_major"):
        if not config.get(key) or key == "input_dtype":
            config.pop(key, None)
    return current, {key: _object(key, value) for key, value in config.items()}


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = config.get("mode")
    if mode not in MERGES:
        raise RestoreError(f"Merge(mode={mode!r}) of Keras 1 is not offered; the modes are {sorted(MERGES)}.")
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
    """Regularizers and constraints that are named by a key `name`; initializers and policies with additions."""
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
    """A configuration from before Keras 3, in which `hard_sigmoid` was another function, with that function's name of today.

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


def optimizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an optimizer in today's words.

    >>> optimizer({"class_name": "SGD", "config": {"lr": 0.1, "decay": 0.0}})
    {'class_name': 'SGD', 'config': {'learning_rate': 0.1}}
    """
    arguments = {k: v for k, v in (config.get("config") or {}).items() if k not in IGNORED}
    if "lr" in arguments:
        arguments["learning_rate"] = arguments.pop("lr")
    decay = arguments.pop("decay", 0.0)
    if decay and not isinstance(arguments.get("learning_rate"), Mapping):
        arguments["learning_rate"] = {
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": arguments.get("learning_rate", 0.01),
                "decay_steps": 1,
                "decay_rate": decay,
            },
        }
    if arguments.get("epsilon", 0) is None:
        arguments.pop("epsilon")
    name = str(config.get("class_name", ""))
    name = {"SGDOptimizer": "SGD", "Custom>Adam": "Adam"}.get(name, name.rpartition(">")[2])
    return {**{k: v for k, v in config.items() if k == "module"}, "class_name": name, "config": arguments}
