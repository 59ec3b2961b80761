"""The names of TensorFlow that scripts find: one table, `names: signature -> function`.

Functions without a module are those of `keras.ops`, which take the arguments in the order of the signature; with one,
`arrays.cast`, they are in this folder and take them as they are. All take `name=` and do nothing with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from jkeras.dispatch import parse
from jkeras.errors import SignatureError
from jkeras.keras import ops
from jkeras.keras.recorded import on_tensors

_ROWS = """
    abs math.abs: x -> abs
    acos math.acos: x -> arccos
    acosh math.acosh: x -> arccosh
    add math.add: x y -> add
    math.angle: input -> angle
    argmax math.argmax: input axis=0 -> argmax
    argmin math.argmin: input axis=0 -> argmin
    asin math.asin: x -> arcsin
    asinh math.asinh: x -> arcsinh
    atan math.atan: x -> arctan
    math.atan2 atan2: y x -> arctan2
    atanh math.atanh: x -> arctanh
    math.ceil: x -> ceil
    clip_by_value: t clip_value_min clip_value_max -> clip
    cos math.cos: x -> cos
    cosh math.cosh: x -> cosh
    math.count_nonzero: input axis=None -> count_nonzero
    divide math.divide: x y -> divide
    math.divide_no_nan: x y -> divide_no_nan
    equal math.equal: x y -> equal
    math.erf: x -> erf
    math.erfinv: x -> erfinv
    exp math.exp: x -> exp
    expand_dims: input axis -> expand_dims
    math.expm1: x -> expm1
    floor math.floor: x -> floor
    math.floordiv: x y -> floor_divide
    math.floormod math.mod: x y -> mod
    greater math.greater: x y -> greater
    greater_equal math.greater_equal: x y -> greater_equal
    math.imag: input -> imag
    math.is_finite: x -> isfinite
    math.is_inf: x -> isinf
    math.is_nan: x -> isnan
    less math.less: x y -> less
    less_equal math.less_equal: x y -> less_equal
    math.log: x -> log
    math.log1p: x -> log1p
    math.log_sigmoid: x -> log_sigmoid
    logical_and math.logical_and: x y -> logical_and
    logical_not math.logical_not: x -> logical_not
    logical_or math.logical_or: x y -> logical_or
    math.logical_xor: x y -> logical_xor
    maximum math.maximum: x y -> maximum
    minimum math.minimum: x y -> minimum
    multiply math.multiply: x y -> multiply
    negative math.negative: x -> negative
    not_equal math.not_equal: x y -> not_equal
    ones_like: input dtype=None -> ones_like
    pow math.pow: x y -> power
    math.real: input -> real
    math.reciprocal: x -> reciprocal
    reduce_all math.reduce_all: input_tensor axis=None keepdims=False -> all
    reduce_any math.reduce_any: input_tensor axis=None keepdims=False -> any
    reduce_logsumexp math.reduce_logsumexp: input_tensor axis=None keepdims=False -> logsumexp
    reduce_max math.reduce_max: input_tensor axis=None keepdims=False -> max
    reduce_mean math.reduce_mean: input_tensor axis=None keepdims=False -> mean
    reduce_min math.reduce_min: input_tensor axis=None keepdims=False -> min
    reduce_prod math.reduce_prod: input_tensor axis=None keepdims=False -> prod
    math.reduce_std: input_tensor axis=None keepdims=False -> std
    reduce_sum math.reduce_sum: input_tensor axis=None keepdims=False -> sum
    math.reduce_variance: input_tensor axis=None keepdims=False -> var
    repeat: input repeats axis=None -> repeat
    roll: input shift axis -> roll
    round math.round: x -> round
    math.rsqrt: x -> rsqrt
    sigmoid math.sigmoid nn.sigmoid: x -> sigmoid
    sign math.sign: x -> sign
    sin math.sin: x -> sin
    sinh math.sinh: x -> sinh
    sqrt math.sqrt: x -> sqrt
    square math.square: x -> square
    squeeze: input axis=None -> squeeze
    stack: values axis=0 -> stack
    stop_gradient: input -> stop_gradient
    subtract math.subtract: x y -> subtract
    tan math.tan: x -> tan
    tanh math.tanh nn.tanh: x -> tanh
    tensordot: a b axes -> tensordot
    tile: input multiples -> tile
    math.truediv truediv: x y -> divide
    zeros_like: input dtype=None -> zeros_like
    broadcast_to: input shape -> broadcast_to
    nn.elu: features -> elu
    nn.gelu: features approximate=False -> gelu
    nn.leaky_relu: features alpha=0.2 -> leaky_relu
    nn.log_softmax math.log_softmax: logits axis=-1 -> log_softmax
    nn.relu: features -> relu
    nn.relu6: features -> relu6
    nn.selu: features -> selu
    nn.silu nn.swish: features -> silu
    nn.softmax math.softmax: logits axis=-1 -> softmax
    nn.softplus math.softplus: features -> softplus
    nn.softsign math.softsign: features -> softsign
    linalg.inv: input -> inv
    linalg.det: input -> det
    linalg.cholesky: input -> cholesky
    linalg.solve: matrix rhs -> solve
    linalg.trace: x -> trace
    linalg.cross: a b -> cross

    constant: value dtype=None shape=None -> arrays.constant
    convert_to_tensor: value dtype=None -> arrays.convert_to_tensor
    cast: x dtype -> arrays.cast
    shape: input out_type='int32' -> arrays.shape
    size: input out_type='int32' -> arrays.size
    rank: input -> arrays.rank
    reshape: tensor shape -> arrays.reshape
    zeros: shape dtype='float32' -> arrays.zeros
    ones: shape dtype='float32' -> arrays.ones
    fill: dims value -> arrays.fill
    eye linalg.eye: num_rows num_columns=None batch_shape=None dtype='float32' -> arrays.eye
    range: start limit=None delta=1 dtype=None -> arrays.range_
    linspace: start stop num axis=0 -> arrays.linspace
    concat: values axis -> arrays.concat
    split: value num_or_size_splits axis=0 -> arrays.split
    unstack: value num=None axis=0 -> arrays.unstack
    transpose: a perm=None -> arrays.transpose
    where: condition x=None y=None -> arrays.where
    gather: params indices axis=0 batch_dims=0 -> arrays.gather
    gather_nd: params indices batch_dims=0 -> arrays.gather_nd
    scatter_nd: indices updates shape -> arrays.scatter_nd
    tensor_scatter_nd_update: tensor indices updates -> arrays.tensor_scatter_nd_update
    boolean_mask: tensor mask axis=0 -> arrays.boolean_mask
    slice: input_ begin size -> arrays.slice_
    strided_slice: input_ begin end strides=None -> arrays.strided_slice
    pad: tensor paddings mode='CONSTANT' constant_values=0 -> arrays.pad
    reverse: tensor axis -> arrays.reverse
    unique: x out_idx='int32' -> arrays.unique
    sort: values axis=-1 direction='ASCENDING' -> arrays.sort
    argsort: values axis=-1 direction='ASCENDING' stable=False -> arrays.argsort
    cumsum math.cumsum: x axis=0 exclusive=False reverse=False -> arrays.cumsum
    math.cumprod: x axis=0 exclusive=False reverse=False -> arrays.cumprod
    one_hot: indices depth on_value=None off_value=None axis=-1 dtype='float32' -> arrays.one_hot
    matmul linalg.matmul: a b transpose_a=False transpose_b=False -> arrays.matmul
    norm linalg.norm: tensor ord='euclidean' axis=None keepdims=False -> arrays.norm
    clip_by_norm: t clip_norm axes=None -> arrays.clip_by_norm
    nn.l2_normalize math.l2_normalize: x axis=None epsilon=1e-12 -> arrays.l2_normalize
    math.top_k nn.top_k: input k=1 sorted=True -> arrays.top_k
    math.in_top_k nn.in_top_k: targets predictions k -> arrays.in_top_k
    nn.moments: x axes keepdims=False -> arrays.moments
    math.confusion_matrix: labels predictions num_classes=None weights=None dtype='int32' -> arrays.confusion_matrix
    math.bincount: arr weights=None minlength=0 -> arrays.bincount
    sequence_mask: lengths maxlen=None dtype='bool' -> arrays.sequence_mask
    identity: input -> arrays.identity
    add_n math.add_n: inputs -> arrays.add_n
    nn.softmax_cross_entropy_with_logits: labels logits axis=-1 -> arrays.softmax_cross_entropy
    nn.sparse_softmax_cross_entropy_with_logits: labels logits -> arrays.sparse_softmax_cross_entropy
    nn.sigmoid_cross_entropy_with_logits: labels logits -> arrays.sigmoid_cross_entropy
    nn.dropout: x rate noise_shape=None seed=None -> arrays.dropout
    nn.conv2d: input filters strides=1 padding='VALID' data_format='NHWC' dilations=None -> arrays.conv2d
    nn.max_pool2d nn.max_pool: input ksize strides=None padding='VALID' -> arrays.max_pool2d
    nn.avg_pool2d nn.avg_pool: input ksize strides=None padding='VALID' -> arrays.avg_pool2d
    nn.embedding_lookup: params ids -> arrays.embedding_lookup
    nn.bias_add: value bias -> arrays.bias_add
    math.segment_sum: data segment_ids -> arrays.segment_sum
    math.unsorted_segment_sum: data segment_ids num_segments -> arrays.unsorted_segment_sum
    searchsorted: sorted_sequence values side='left' -> arrays.searchsorted
    linalg.diag_part: input -> arrays.diag_part
    linalg.diag: diagonal -> arrays.diag
    linalg.band_part: input num_lower num_upper -> arrays.band_part

    image.resize: images size method='bilinear' preserve_aspect_ratio=False antialias=False -> images.resize
    image.resize_with_pad: image target_height target_width method='bilinear' -> images.resize_with_pad
    image.resize_with_crop_or_pad: image target_height target_width -> images.resize_with_crop_or_pad
    image.crop_to_bounding_box: image offset_height offset_width target_height target_width -> images.crop_to_bounding_box
    image.pad_to_bounding_box: image offset_height offset_width target_height target_width -> images.pad_to_bounding_box
    image.central_crop: image central_fraction -> images.central_crop
    image.flip_left_right: image -> images.flip_left_right
    image.flip_up_down: image -> images.flip_up_down
    image.rot90: image k=1 -> images.rot90
    image.transpose: image -> images.transpose
    image.random_flip_left_right: image seed=None -> images.random_flip_left_right
    image.random_flip_up_down: image seed=None -> images.random_flip_up_down
    image.random_crop: value size seed=None -> images.random_crop
    image.convert_image_dtype: image dtype saturate=False -> images.convert_image_dtype
    image.rgb_to_grayscale: images -> images.rgb_to_grayscale
    image.grayscale_to_rgb: images -> images.grayscale_to_rgb
    image.rgb_to_hsv: images -> images.rgb_to_hsv
    image.hsv_to_rgb: images -> images.hsv_to_rgb
    image.adjust_brightness: image delta -> images.adjust_brightness
    image.adjust_contrast: images contrast_factor -> images.adjust_contrast
    image.adjust_gamma: image gamma=1 gain=1 -> images.adjust_gamma
    image.adjust_saturation: image saturation_factor -> images.adjust_saturation
    image.adjust_hue: image delta -> images.adjust_hue
    image.random_brightness: image max_delta seed=None -> images.random_brightness
    image.random_contrast: image lower upper seed=None -> images.random_contrast
    image.random_saturation: image lower upper seed=None -> images.random_saturation
    image.random_hue: image max_delta seed=None -> images.random_hue
    image.per_image_standardization: image -> images.per_image_standardization
    image.total_variation: images -> images.total_variation
    image.psnr: a b max_val -> images.psnr

    random.normal: shape mean=0.0 stddev=1.0 dtype='float32' seed=None -> randoms.normal
    random.truncated_normal: shape mean=0.0 stddev=1.0 dtype='float32' seed=None -> randoms.truncated_normal
    random.uniform: shape minval=0 maxval=None dtype='float32' seed=None -> randoms.uniform
    random.shuffle: value seed=None -> randoms.shuffle
    random.categorical: logits num_samples dtype='int32' seed=None -> randoms.categorical
    random.gamma: shape alpha beta=None dtype='float32' seed=None -> randoms.gamma

    strings.length: input unit='BYTE' -> strings.length
    strings.lower: input -> strings.lower
    strings.upper: input -> strings.upper
    strings.strip: input -> strings.strip
    strings.substr: input pos len -> strings.substr
    strings.regex_replace: input pattern rewrite replace_global=True -> strings.regex_replace
    strings.regex_full_match: input pattern -> strings.regex_full_match
    strings.split: input sep=None maxsplit=-1 -> strings.split
    strings.unicode_split: input input_encoding='UTF-8' -> strings.unicode_split
    ragged.constant: pylist dtype=None -> ragged.constant
    strings.join: inputs separator='' -> strings.join
    strings.reduce_join: inputs axis=None separator='' -> strings.reduce_join
    strings.to_number: input out_type='float32' -> strings.to_number
    strings.as_string as_string: input precision=-1 -> strings.as_string

    io.read_file: filename -> files.read_file
    io.write_file: filename contents -> files.write_file
    io.decode_image image.decode_image: contents channels=0 dtype='uint8' expand_animations=True -> files.decode_image
    io.decode_jpeg image.decode_jpeg: contents channels=0 -> files.decode_jpeg
    io.decode_png image.decode_png: contents channels=0 -> files.decode_jpeg
    io.decode_bmp image.decode_bmp: contents channels=0 -> files.decode_jpeg
    io.encode_jpeg image.encode_jpeg: image quality=95 -> files.encode_jpeg
    io.encode_png image.encode_png: image -> files.encode_png
    io.decode_raw: input_bytes out_type -> files.decode_raw
    io.gfile.glob: pattern -> files.glob
    io.gfile.exists: path -> files.exists
    io.gfile.makedirs: path -> files.makedirs
    audio.decode_wav: contents -> files.decode_wav
"""

# Names that are used without conversion: classes, dtypes, functions of functions.
_OBJECTS = {
    "Variable": "programs:Variable",
    "Tensor": "programs:Tensor",
    "GradientTape": "programs:GradientTape",
    "function": "programs:function",
    "is_tensor": "programs:is_tensor",
    "py_function": "programs:py_function",
    "numpy_function": "programs:numpy_function",
    "executing_eagerly": "programs:executing_eagerly",
    "device": "programs:device",
    "print": "programs:print_",
    "get_logger": "programs:get_logger",
    "debugging.assert_equal": "programs:assert_equal",
    "config.list_physical_devices": "programs:list_physical_devices",
    "config.experimental.list_physical_devices": "programs:list_physical_devices",
    "config.experimental.set_memory_growth": "programs:set_memory_growth",
    "test.is_gpu_available": "programs:is_gpu_available",
    "TensorShape": "tensors:TensorShape",
    "RaggedTensor": "ragged:RaggedTensor",
    "version.VERSION": "programs:VERSION",
    "__version__": "programs:VERSION",
    "map_fn": "arrays:map_fn",
    "cond": "arrays:cond",
    "while_loop": "arrays:while_loop",
    "einsum": "arrays:einsum",
    "meshgrid": "arrays:meshgrid",
    "TensorSpec": "jkeras.data:TensorSpec",
    "random.set_seed": "jkeras.keras.utils:set_random_seed",
    "nest.map_structure": "jkeras.tree:map_structure",
    "nest.flatten": "jkeras.tree:flatten",
    **{
        f"data.{name}": f"data:{name}"
        for name in ("AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset")
    },
    **{f"data.{name}": f"data:{name}" for name in ("TextLineDataset", "experimental")},
}

# Types by name. Those of 64 bits are of 32 unless JAX has them switched on.
_TYPES = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("bool", "complex64", "bfloat16"),
)


def _renamed(name: str, signature: str, target: Callable[..., Any]) -> Callable[..., Any]:
    spec = parse(signature + " name=None")

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = spec.bind(*args, **kwargs)
        except TypeError as error:
            raise SignatureError(f"tf.{name}{spec}: {error}.") from None
        bound.apply_defaults()
        return target(*(value for argument, value in bound.arguments.items() if argument != "name"))

    call.__module__, call.__name__, call.__qualname__ = "tensorflow", name.rpartition(".")[2], name
    call.__doc__ = target.__doc__
    return call


def _target(place: str) -> Callable[..., Any]:
    module, _, name = place.rpartition(".")
    home = importlib.import_module(f"jkeras.scripts.tensorflow.{module}") if module else ops
    function: Callable[..., Any] = getattr(home, name)
    return on_tensors(function) if module else function


def _functions() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for line in filter(None, map(str.strip, _ROWS.splitlines())):
        names, _, rest = line.partition(": ")
        signature, _, place = rest.partition(" -> ")
        target = _target(place)
        functions.update({name: _renamed(name, signature, target) for name in names.split()})
    return functions


FUNCTIONS = _functions()
TYPES: dict[str, Any] = {**{name: jnp.dtype(name) for name in _TYPES}, "string": "string", "newaxis": None}
NAMES = frozenset((*FUNCTIONS, *TYPES, *_OBJECTS))


def lookup(name: str) -> Any:
    """The object that a name in the table refers to."""
    for known in (FUNCTIONS, TYPES):
        if name in known:
            return known[name]
    module, _, inner = _OBJECTS[name].partition(":")
    home = module if module.startswith("jkeras.") else f"jkeras.scripts.tensorflow.{module}"
    return getattr(importlib.import_module(home), inner)
