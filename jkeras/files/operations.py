"""How Keras writes functions in a graph (`x + y`, `ops.mean(x, axis=1)`): class names, modules, and kinds of arguments.

Keras creates an object for each application. Some arguments configure this object; it is applied to the others, mostly
tensors. In jkeras a function has all its arguments together, so they are split when written and joined when read.

This file deals with names and plain values, not with layers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.registry import snake_case

PACKAGE = "keras.src.ops."
ACTIVATIONS = "keras.src.activations.activations"

# The module of each class in Keras; those not listed are in `numpy`.
_MODULES: dict[str, str] = {
    name: module
    for module, names in {
        "nn": """adaptive_average_pool adaptive_max_pool average_pool batch_normalization binary_crossentropy
            categorical_crossentropy celu conv conv_transpose ctc_decode ctc_loss depth_to_space depthwise_conv
            dot_product_attention elu fold gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh layer_normalization
            leaky_relu log_sigmoid log_softmax max_pool moments multi_hot normalize one_hot polar psnr relu relu6
            rms_normalization selu separable_conv sigmoid silu soft_shrink softmax softplus softsign space_to_depth
            sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold
            unfold""",
        "math": """erf erfc erfinv extract_sequences fft fft2 ifft2 in_top_k irfft istft logdet logsumexp rfft rsqrt
            segment_max segment_min segment_prod segment_sum stft top_k view_as_complex view_as_real""",
        "linalg": """cholesky cholesky_inverse det eig eigh inv lstsq lu_factor matrix_rank norm pinv qr solve
            solve_triangular svd""",
        "core": "cast convert_to_tensor saturate_cast scatter scatter_update slice slice_update stop_gradient unstack",
    }.items()
    for name in names.split()
}

# Functions whose class has a different name.
_CLASSES = {
    "getitem": "GetItem",
    "abs": "Absolute",
    "isin": "IsIn",
    "allclose": "AllClose",
    "searchsorted": "SearchSorted",
    "batch_normalization": "BatchNorm",
    "layer_normalization": "LayerNorm",
    "rms_normalization": "RMSNorm",
    "ctc_loss": "CTCLoss",
    "ctc_decode": "CTCDecode",
    "psnr": "PSNR",
    "fft": "FFT",
    "fft2": "FFT2",
    "ifft2": "IFFT2",
    "rfft": "RFFT",
    "irfft": "IRFFT",
    "stft": "STFT",
    "istft": "ISTFT",
    "svd": "SVD",
    "image.rgb_to_grayscale": "RGBToGrayscale",
    "image.rgb_to_hsv": "RGBToHSV",
    "image.hsv_to_rgb": "HSVToRGB",
    "image.ssim": "SSIM",
}
_BY_CLASS = {value: key for key, value in _CLASSES.items()} | {"Abs": "abs", "ReLU": "activations.relu"}

# Aliases of functions.
_SAME = {"activations.exponential": "exp", "activations.swish": "silu", "activations.hard_swish": "hard_silu",
         "swish": "silu", "hard_swish": "hard_silu"}  # fmt: skip

# Names of arguments that an operation is applied to; all others configure it.
_APPLIED = frozenset(
    """a abs_ angle array b beta bias bins branches choicelist condition condlist constant_values coordinates data default
    depthwise_kernel elements elems end_points f false_fn fill_value gamma image1 image2 images index indices init
    init_val inputs kernel key loop_vars mask mean offset operands
    output pointwise_kernel pred predictions query q scale segment_ids sequence_lengths
    sorted_sequence start start_indices start_points step stop target targets transform translation true_fn updates
    value values variable variance weights x x1 x2 xs y""".split()
)
# Names of both kinds, for the operations that they configure.
_CONFIGURES = {
    "bins": {"histogram"},
    "offset": {"diagonal", "trace"},
    "b": {"squareplus"},
    "weights": {"bincount"},
    "x": {"trapezoid"},
    "fill_value": {
        "unique",
        "image.resize",
        "image.affine_transform",
        "image.map_coordinates",
        "image.perspective_transform",
        "image.elastic_transform",
    },
}


def is_operation(config: Mapping[str, Any]) -> bool:
    """Whether a configuration describes a function in a graph."""
    module = str(config.get("module") or "")
    return module.startswith(PACKAGE) or module == ACTIVATIONS


def place(name: str, configured: Mapping[str, Any]) -> tuple[str, str]:
    """The module and class of a function in Keras."""
    if name in ("relu", "activations.relu") and configured:
        return ACTIVATIONS, "ReLU"
    if name == "activations.mish":
        return ACTIVATIONS, "Mish"
    name = _SAME.get(name, name)
    short = name.removeprefix("activations.")
    module = "image" if name.startswith("image.") else _MODULES.get(short, "numpy")
    camel = "".join(part.capitalize() for part in short.removeprefix("image.").split("_"))
    return PACKAGE + module, _CLASSES.get(short, camel)


def configurable(name: str, function: Callable[..., Any]) -> list[str]:
    """The names of a function's configuring arguments, in order.

    >>> configurable("mean", lambda x, axis=None, keepdims=False: x)
    ['axis', 'keepdims']
    """
    parameters = inspect.signature(function).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.kind not in variadic and not _is_applied(name, p.name)]


def parameters(function: Callable[..., Any]) -> list[str]:
    """The names of all arguments of a function, in order."""
    return list(inspect.signature(function).parameters)


def name_of(config: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The function that a configuration names.

    Raises:
        UnknownNameError: there is no such function.
    """
    class_name = str(config.get("class_name"))
    short = _BY_CLASS.get(class_name, snake_case(class_name))
    prefixed = {PACKAGE + "image": "image.", ACTIVATIONS: "activations."}.get(str(config.get("module")), "")
    for name in (short, prefixed + short):
        if name in known:
            return name
    raise UnknownNameError("operation", class_name, known)


def without_module(entry: Mapping[str, Any], known: Mapping[str, Any]) -> str | None:
    """The function that an entry of a graph names without a module, as in `.h5` files; None if it is a layer.

    Both may have the same class name, such as `x * 0.5` and the layer Multiply; only layers have the entry `trainable`.
    """
    arguments = entry.get("config")
    is_layer = entry.get("module") or not isinstance(arguments, Mapping) or "trainable" in arguments
    if is_layer or entry["class_name"] == "InputLayer":
        return None
    try:
        return name_of(entry, known)
    except UnknownNameError:
        return None


def part(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """Splits the arguments of a function into configuration, positional and keyword arguments of the application.

    >>> part("mean", lambda x, axis=None, keepdims=False: x, ["tensor"], {"axis": 1})
    ({'axis': 1}, ['tensor'], {})
    """
    signature = inspect.signature(function)
    configured: dict[str, Any] = {}
    applied: list[Any] = []
    named: dict[str, Any] = {}
    positional = [p for p in signature.parameters.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    for i, value in enumerate(args):
        parameter = positional[min(i, len(positional) - 1)]
        if parameter.kind is parameter.VAR_POSITIONAL or _is_applied(name, parameter.name):
            applied.append(value)
        else:
            configured[parameter.name] = value
    for key, value in kwargs.items():
        if _is_applied(name, key):
            named[key] = value
        else:
            configured[key] = value
    defaults = {p.name: p.default for p in signature.parameters.values()}
    if name in ("relu", "activations.relu"):
        configured = {k: v for k, v in configured.items() if v != defaults[k]}
    return configured, applied, named


def _is_applied(name: str, parameter: str) -> bool:
    return parameter in _APPLIED and name not in _CONFIGURES.get(parameter, ())


def join(
    name: str, function: Callable[..., Any], config: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Joins the arguments of a function from its configuration and its application.

    Raises:
        ArgumentError: the configuration has an argument that the function lacks.
    """
    parameters = inspect.signature(function).parameters
    configured = {k: v for k, v in config.items() if k not in ("name", "dtype") or k in parameters}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for key in list(configured):
        if key not in parameters and not takes_any:
            if configured[key] is None or configured[key] is False:
                del configured[key]  # an option of later versions, which is not used
            else:
                raise ArgumentError(f"The operation {name!r} has no argument {key!r}.")
    configured = {k: tuple(v) if isinstance(v, list) else v for k, v in configured.items()}
    joined: list[Any] = []
    positional = list(args)
    for parameter in parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            joined, positional = joined + positional, []
        if not positional or parameter.kind is parameter.KEYWORD_ONLY:
            break
        joined.append(configured.pop(parameter.name) if parameter.name in configured else positional.pop(0))
    if name == "getitem" and len(joined) == 2 and isinstance(joined[1], list):
        joined[1] = tuple(joined[1])
    return joined + positional, {**configured, **kwargs}
