"""The modules in which the names of `keras` and `keras.src` are defined, and modules that mirror others."""

from __future__ import annotations

from jkeras.applications import catalogue

_HERE = "jkeras.keras"


def _at(module: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), f"{_HERE}.{module}")


# Names in the package itself.
NAMES: dict[str, str] = {
    **_at("tensor", "KerasTensor"),
    **_at("variables", "Variable StatelessScope SymbolicScope name_scope"),
    **_at("rematerialization", "RematScope remat"),
    **_at("operation", "Operation"),
    **_at("function", "Function"),
    **_at("layer", "Layer"),
    **_at("models", "Model Sequential Functional"),
    **_at("input", "Input InputSpec"),
    **_at("losses", "Loss"),
    **_at("metrics", "Metric"),
    **_at("optimizers", "Optimizer"),
    **_at("initializers", "Initializer"),
    **_at("regularizers", "Regularizer"),
    **_at("dtype_policies", "DTypePolicy FloatDTypePolicy"),
    **_at("quantizers", "Quantizer"),
    **_at("backend", "device"),
}

# Modules with their own files.
MODULES = frozenset(
    """activations applications backend callbacks config constraints distillation dtype_policies export initializers layers
    losses metrics models ops optimizers quantizers random regularizers saving src utils""".split()
)

_SERIALIZATION = _at("saving", "deserialize_keras_object serialize_keras_object")
# The preprocessing mode of the networks of a module that do not rescale images themselves.
_SCALED = {
    **dict.fromkeys("resnet resnet50 vgg16 vgg19".split(), "caffe"),
    **dict.fromkeys("inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 nasnet resnet_v2 xception".split(), "tf"),
    "densenet": "torch",
}


# Layers that belong to the networks of a module.
_LAYERS = {"convnext": ("LayerScale", "StochasticDepth"), "inception_resnet_v2": ("CustomScaleLayer",)}


def _networks(module: str) -> dict[str, str]:
    names = dict.fromkeys(catalogue.MODULES[module], f"{_HERE}.applications")
    names |= dict.fromkeys(_LAYERS.get(module, ()), f"{_HERE}.layers")
    if module in _SCALED:
        names["preprocess_input"] = f"{_HERE}.applications:preprocess_{_SCALED[module]}"
    return names


_IMAGES = {"smart_resize": "jkeras.utils.images"}

# Those that are there when asked for, and not offered.
UNLISTED = frozenset({"trainers"})
# Modules that mirror another one: its name, and names that come from elsewhere.
MIRRORS: dict[str, tuple[str, dict[str, str]]] = {
    **{
        name: (f"jkeras.{name}", {})
        for name in "data datasets distribute distribution tree visualization wrappers".split()
    },
    **{
        f"datasets.{name}": (f"jkeras.datasets.{name}", {})
        for name in """boston_housing california_housing cifar10 cifar100 digits fashion_mnist imdb mnist reuters""".split()
    },
    **{f"applications.{name}": (f"jkeras.applications.{name}", _networks(name)) for name in catalogue.MODULES},
    "applications.imagenet_utils": (
        "jkeras.applications.imagenet_utils",
        {"preprocess_input": f"{_HERE}.applications"},
    ),
    "mixed_precision": (
        f"{_HERE}.dtype_policies",
        {
            "LossScaleOptimizer": f"{_HERE}.optimizers",
            "Policy": f"{_HERE}.dtype_policies:DTypePolicy",
            "global_policy": f"{_HERE}.dtype_policies:dtype_policy",
            "set_global_policy": f"{_HERE}.dtype_policies:set_dtype_policy",
        },
    ),
    "preprocessing": ("jkeras.utils", {}),
    **{f"preprocessing.{name}": ("jkeras.utils", _IMAGES) for name in ("image", "sequence", "text", "timeseries")},
    "legacy": (f"{_HERE}.legacy_saving", {}),
    "legacy.saving": (f"{_HERE}.legacy_saving", {}),
    "legacy.saving.json_utils": (f"{_HERE}.legacy_json", {}),
    "utils.bounding_boxes": ("jkeras.utils.bounding_boxes", {}),
    "utils.legacy": (f"{_HERE}.legacy_saving", {}),
    # Where Keras's inside was before it had `src`.
    **{
        f"layers.preprocessing.image_preprocessing.bounding_boxes.{name}": ("jkeras.utils.bounding_boxes", {})
        for name in "bounding_box converters formats iou validation".split()
    },
    "ops.node": (f"{_HERE}.history", {}),
    "ops.operation_utils": (f"{_HERE}.output_shapes", {"get_source_inputs": f"{_HERE}.graph"}),
    "random.seed_generator": (f"{_HERE}.seeds", {}),
    "trainers": (f"{_HERE}.trainer", {}),
    "trainers.compile_utils": (f"{_HERE}.compile_utils", {}),
    "trainers.data_adapters": (f"{_HERE}.src.specials", {}),
    "trainers.data_adapters.data_adapter_utils": (f"{_HERE}.src.specials", {}),
    "utils.dtype_utils": (f"{_HERE}.src.specials", {}),
    "utils.file_utils": (f"{_HERE}.src.local_files", {}),
    "utils.io_utils": (f"{_HERE}.src.messages", {}),
    "utils.naming": (f"{_HERE}.naming", {}),
    "utils.numerical_utils": (f"{_HERE}.utils", {}),
    "utils.summary_utils": (f"{_HERE}.summary", {}),
    "utils.tracking": (f"{_HERE}.tracking", {}),
    "optimizers.legacy": (f"{_HERE}.optimizers", {}),
    # Modules of older versions.
    **{
        f"layers.{name}": (f"{_HERE}.layers", {})
        for name in """advanced_activations convolutional core embeddings experimental experimental.preprocessing local merge
        noise normalization pooling preprocessing recurrent wrappers""".split()
    },
    **{
        f"utils.{name}": (f"{_HERE}.utils", _SERIALIZATION)
        for name in "data_utils generic_utils layer_utils np_utils vis_utils".split()
    },
    "engine": (f"{_HERE}.layers", {}),
    "engine.topology": (f"{_HERE}.layers", {}),
    "engine.training": (f"{_HERE}.models", {}),
}

# Modules with the contents of a folder of `keras.src`, by the first name in its path.
FOLDERS: dict[str, tuple[str, ...]] = {
    "applications": ("image_networks",),
    "backend": ("tensor", "variables", "dtypes", "seeds", "masks", "random", "ops", "rematerialization", "config"),
    "callbacks": ("callbacks",),
    "dtype_policies": ("config",),
    "layers": ("layer", "input", "models", "feature_space", "data_layers", "utils.bounding_boxes"),
    "legacy": ("saving",),
    "models": ("model", "functional", "sequential", "cloning"),
    "ops": ("operation", "output_shapes", "function", "history", "graph", "function_operation"),
    "random": ("seeds",),
    "saving": ("serialization", "deserialization", "registration", "files"),
    "trainers": ("trainer", "compile_utils", "callbacks", "utils"),
    "tree": ("tree",),
    "utils": (
        "argument_validation",
        "lazy_modules",
        "preprocessing.image",
        "naming",
        "backend",
        "tracking",
        "summary",
        "saving",
        "config",
    ),
}
